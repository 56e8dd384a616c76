package config

import (
	"net/url"
	"strings"
)

// AuthProblem is a credential in a file that belongs to no host.
type AuthProblem struct {
	Layer  Layer
	Key    string
	Rename string // the key it should have; "" if it must go
}

// String says what Repair does about it, as "config fix" prints it.
func (p AuthProblem) String() string {
	if p.Rename == "" {
		return "- `" + p.Key + "` deleted from " + p.Layer.String() + " config"
	}
	return "~ `" + p.Key + "` renamed to `" + p.Rename + "` in " + p.Layer.String() + " config"
}

// InvalidAuthError says that files hold credentials without a host, which could
// be sent anywhere. Its Code is ERR_INVALID_AUTH; Repair mends it.
type InvalidAuthError struct{ Problems []AuthProblem }

func (e *InvalidAuthError) Error() string {
	var b strings.Builder
	b.WriteString("Invalid auth configuration found: ")
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString(", ")
		}
		if p.Rename == "" {
			b.WriteString("`" + p.Key + "` is not allowed in " + p.Layer.String() + " config")
		} else {
			b.WriteString("`" + p.Key + "` must be renamed to `" + p.Rename + "` in " + p.Layer.String() + " config")
		}
	}
	b.WriteString("\nPlease run `npm config fix` to repair your configuration.`")
	return b.String()
}

// Code returns npm's code for the error.
func (e *InvalidAuthError) Code() string { return "ERR_INVALID_AUTH" }

// Validate drops values that their definition does not allow, with a warning
// each, normalises the others, and refuses credentials without a host with an
// *InvalidAuthError. The command line was validated when it was parsed.
//
// A registry that is no URL is an error and not dropped: what it stood for must
// not be asked of another registry.
func (c *Config) Validate() error {
	defer c.flatten()
	for _, layer := range []Layer{Global, User, Project, Environment} {
		c.validateLayer(layer)
		v, where := c.find("registry")
		if _, ok := nerfDart(v.String()); !ok {
			err := &Error{Message: "registry=" + shown("registry", v) + " set in " + c.Source(where) + " is no URL", code: "ERR_INVALID_URL"}
			if u, e := url.Parse("https://" + v.String()); e == nil && strings.Contains(u.Hostname(), ".") {
				err.hints = []string{"an address begins with https:// or http://"}
			}
			return err
		}
	}
	if problems := c.AuthProblems(); len(problems) > 0 {
		return &InvalidAuthError{Problems: problems}
	}
	return nil
}

// ValidateLayer drops values of one layer that their definition does not allow.
// It reports whether there were none.
func (c *Config) ValidateLayer(layer Layer) bool {
	ok := c.validateLayer(layer)
	c.flatten()
	return ok
}

func (c *Config) validateLayer(layer Layer) bool {
	l := &c.layers[layer]
	valid := true
	for _, key := range l.data.orderedKeys() {
		v, _ := l.data.get(key)
		v, ok, bad := c.clean(key, v)
		if len(bad) > 0 {
			valid = false
			c.refuse(key, bad, l.source)
		}
		if ok {
			l.data.set(key, v)
		} else {
			l.data.delete(key)
		}
	}
	return valid
}

// AuthProblems lists the credentials in files that belong to no host.
func (c *Config) AuthProblems() []AuthProblem {
	var problems []AuthProblem
	for _, layer := range []Layer{Global, User, Project} {
		has := func(key string) bool {
			v, _ := c.layers[layer].data.get(key)
			return v.Truthy()
		}
		remove := func(key string) {
			problems = append(problems, AuthProblem{Layer: layer, Key: key})
		}
		rename := func(key string) {
			dart, ok := nerfDart(c.String("registry"))
			if !ok {
				remove(key)
				return
			}
			problems = append(problems, AuthProblem{Layer: layer, Key: key, Rename: dart + ":" + key})
		}
		for _, key := range []string{"_authtoken", "-authtoken"} {
			if has(key) {
				remove(key)
			}
		}
		for _, key := range []string{"_auth", "_authToken", "username", "_password"} {
			switch {
			case !has(key):
			case key == "username" && !has("_password"), key == "_password" && !has("username"):
				remove(key)
			default:
				rename(key)
			}
		}
		if has("email") {
			rename("email")
		}
		for _, pair := range [][2]string{{"certfile", "keyfile"}, {"keyfile", "certfile"}} {
			switch {
			case !has(pair[0]):
			case !has(pair[1]):
				remove(pair[0])
			default:
				rename(pair[0])
			}
		}
	}
	return problems
}

// Repair mends problems in memory; Save writes the files. A credential whose
// key is already there under its right name is dropped.
func (c *Config) Repair(problems []AuthProblem) {
	for _, p := range problems {
		if p.Rename != "" {
			if _, ok := c.Where(p.Rename); !ok {
				v, _ := c.layers[p.Layer].raw.get(p.Key)
				if !v.Truthy() {
					v = c.GetIn(p.Key, p.Layer)
				}
				c.Set(p.Rename, v, p.Layer)
			}
		}
		c.Delete(p.Key, p.Layer)
	}
}
