package config

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/js"
)

// flattened are the settings that follow from several keys at once. Layers are
// applied from the lowest to the highest, each over what the lower ones gave, as
// the flatten functions of npm's definitions.js do.
type flattened struct {
	omit, include   []string
	installStrategy string
	savePrefix      string
	saveType        string
	before          Value
	authType        string
	preferOnline    bool
	preferOffline   bool
	packageLock     bool
	packageLockOnly bool
	production      bool // some layer omits dev: scripts see NODE_ENV=production
	global          bool
	location        string
}

// flatten computes c.flat. What follows for a single key is shown by Get as if
// it had been set in the layer, as in npm: after --global-style, install-strategy
// is shallow.
func (c *Config) flatten() {
	for layer := range c.layers {
		c.layers[layer].derived = table{}
	}
	f := flattened{installStrategy: "hoisted", savePrefix: "^", authType: "web", packageLock: true, location: "user"}
	for layer := range layerCount {
		own := func(key string) bool {
			_, ok := c.layers[layer].data.get(key)
			return ok
		}
		c.flattenOmit(&f, layer)
		if layer == Default {
			continue
		}
		data, derived := &c.layers[layer].data, &c.layers[layer].derived
		get := func(key string) Value { return c.inherit(key, layer) }
		for _, key := range data.orderedKeys() {
			v, _ := data.get(key)
			switch key {
			case "install-strategy":
				f.installStrategy = get(key).String()
			case "global-style":
				if v.Truthy() {
					derived.set("install-strategy", NewString("shallow"))
					f.installStrategy = "shallow"
				}
			case "legacy-bundling":
				if v.Truthy() {
					derived.set("install-strategy", NewString("nested"))
					f.installStrategy = "nested"
				}
			case "save-exact", "save-prefix":
				prefix := get("save-prefix").String()
				if get("save-exact").Truthy() {
					prefix = ""
				}
				f.savePrefix = prefix
				derived.set("save-prefix", NewString(prefix))
			case "save-dev", "save-prod", "save-optional", "save-peer":
				f.saveType = nextSaveType(f.saveType, strings.TrimPrefix(key, "save-"), v.Truthy())
			case "before":
				f.before = v
			case "min-release-age":
				if v.IsNull() || own("before") {
					break
				}
				f.before = null
				if days := v.number(); v.Truthy() {
					f.before = newDate(float64(c.started.UnixMilli()) - 86400000*days)
				}
			case "auth-type":
				f.authType = v.String()
			case "otp":
				if v.Truthy() {
					derived.set("auth-type", NewString("legacy"))
					f.authType = "legacy"
				}
			case "prefer-online":
				f.preferOnline = v.Truthy()
			case "prefer-offline":
				f.preferOffline = v.Truthy()
			case "cache-max":
				if v.number() <= 0 {
					f.preferOnline = true
				}
			case "cache-min":
				if v.number() >= 9999 {
					f.preferOffline = true
				}
			case "package-lock", "shrinkwrap":
				f.packageLock = v.Truthy() || f.packageLockOnly
			case "package-lock-only":
				f.packageLockOnly = v.Truthy()
				if f.packageLockOnly {
					f.packageLock = true
				}
			case "global":
				f.global = v.Truthy()
				if f.global {
					f.location = "global"
				}
			case "location":
				f.location = v.String()
				if f.global {
					f.location = "global"
				}
				if v.String() == "global" {
					f.global = true
				}
			}
		}
	}
	c.flat = f
}

// inherit returns the value of key as layer sees it: its own or that of the
// next lower layer that has it.
func (c *Config) inherit(key string, layer Layer) Value {
	for l := layer; ; l-- {
		if v, ok := c.own(key, l); ok || l == Default {
			return v
		}
	}
}

// flattenOmit works out which dependency types are left out, as npm's
// buildOmitList does.
func (c *Config) flattenOmit(f *flattened, layer Layer) {
	relevant := layer == Default
	for _, key := range []string{"omit", "include", "only", "production", "also", "dev", "optional"} {
		if _, ok := c.layers[layer].data.get(key); ok {
			relevant = true
			break
		}
	}
	if !relevant {
		return
	}
	get := func(key string) Value { return c.inherit(key, layer) }
	include, omit := stringsOf(get("include")), stringsOf(get("omit"))
	only, production := get("only"), get("production")
	switch {
	case only.kind == String && (only.str == "prod" || only.str == "production") || production.Truthy():
		omit = append(omit, "dev")
	case same(production, no):
		include = append(include, "dev")
	}
	if also := get("also"); also.kind == String && strings.HasPrefix(also.str, "dev") {
		include = append(include, "dev")
	}
	if get("dev").Truthy() {
		include = append(include, "dev")
	}
	switch optional := get("optional"); {
	case same(optional, no):
		omit = append(omit, "optional")
	case same(optional, yes):
		include = append(include, "optional")
	}
	f.include = unique(include)
	f.omit = slices.DeleteFunc(unique(omit), func(t string) bool { return slices.Contains(include, t) })
	if slices.Contains(f.omit, "dev") {
		f.production = true
	}
	if layer != Default {
		c.layers[layer].derived.set("omit", NewStrings(f.omit...))
		c.layers[layer].derived.set("include", NewStrings(f.include...))
	}
}

func stringsOf(v Value) []string {
	out := make([]string, 0, len(v.list)+2)
	for _, item := range v.list {
		out = append(out, item.String())
	}
	if v.kind == String {
		out = append(out, v.str)
	}
	return out
}

func unique(list []string) []string {
	out := list[:0:0]
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// nextSaveType adds one --save-* flag to the save type so far. Both optional
// and peer make "peerOptional".
func nextSaveType(current, flag string, on bool) string {
	switch flag {
	case "dev", "prod":
		switch {
		case on:
			return flag
		case current == flag:
			return ""
		}
		return current
	}
	other := "peer"
	if flag == "peer" {
		other = "optional"
	}
	switch {
	case !on && current == flag:
		return ""
	case !on && current == "peerOptional":
		return other
	case !on || current == "peerOptional":
		return current
	case current == other:
		return "peerOptional"
	}
	return flag
}

// Omit returns the dependency types that are not installed: of "dev",
// "optional", "peer".
func (c *Config) Omit() []string { return c.flat.omit }

// Include returns the dependency types that are installed even when omitted.
func (c *Config) Include() []string { return c.flat.include }

// Omits reports whether dependencies of this type are not installed.
func (c *Config) Omits(t string) bool { return slices.Contains(c.flat.omit, t) }

// InstallStrategy returns "hoisted", "nested", "shallow" or "linked".
func (c *Config) InstallStrategy() string { return c.flat.installStrategy }

// SavePrefix returns what stands before versions that are saved, "" with
// save-exact.
func (c *Config) SavePrefix() string { return c.flat.savePrefix }

// SaveType returns where installed packages are recorded: "prod", "dev",
// "optional", "peer", "peerOptional", or "" for where they are already.
func (c *Config) SaveType() string { return c.flat.saveType }

// SaveBundle reports whether installed packages are bundled as well.
func (c *Config) SaveBundle() bool { return c.Bool("save-bundle") && !c.Bool("save-peer") }

// Before returns the time after which versions do not count, from before and
// min-release-age; zero if there is none. Within a layer before wins, and a
// higher layer overrides a lower one; min-release-age=0 lifts the limit.
func (c *Config) Before() time.Time {
	t, _ := c.flat.before.Time()
	return t
}

// MinReleaseAgeExclude returns the names and globs of packages that Before does
// not apply to.
func (c *Config) MinReleaseAgeExclude() []string {
	return unique(commaList(c.Get("min-release-age-exclude")))
}

// AllowScripts returns the package specs of allow-scripts.
func (c *Config) AllowScripts() []string { return commaList(c.Get("allow-scripts")) }

// commaList returns the items of v, each of which may hold several between
// commas.
func commaList(v Value) []string {
	var out []string
	for _, item := range stringsOf(v) {
		for part := range strings.SplitSeq(item, ",") {
			if part = js.Trim(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// AuthType returns how to log in, "web" or "legacy".
func (c *Config) AuthType() string { return c.flat.authType }

// PreferOnline and PreferOffline say how fresh cached metadata must be.
func (c *Config) PreferOnline() bool { return c.flat.preferOnline }

// PreferOffline reports whether cached metadata is used however old it is.
func (c *Config) PreferOffline() bool { return c.flat.preferOffline }

// PackageLock reports whether package-lock.json is read and written.
func (c *Config) PackageLock() bool { return c.flat.packageLock }

// PackageLockOnly reports whether only package-lock.json is worked on.
func (c *Config) PackageLockOnly() bool { return c.flat.packageLockOnly }

// LockfileVersion returns the wanted format of the lockfile, 0 to keep it.
func (c *Config) LockfileVersion() int { return c.Int("lockfile-version") }

// Global reports whether the command works on global packages, by global or by
// location=global.
func (c *Config) Global() bool { return c.Bool("global") || c.String("location") == "global" }

// Location returns the file that the config command changes.
func (c *Config) Location() Layer {
	if c.flat.global {
		return Global
	}
	l, ok := LayerNamed(c.flat.location)
	if !ok {
		return User
	}
	return l
}

// IgnoreExtension reports whether the project's npm extension is not run.
func (c *Config) IgnoreExtension() bool {
	return c.Bool("ignore-extension") || c.Bool("ignore-scripts")
}

// Scope returns the scope setting with its @, or "".
func (c *Config) Scope() string {
	s := c.String("scope")
	if s != "" && s[0] != '@' {
		return "@" + s
	}
	return s
}

// Access returns the access setting, where private means restricted.
func (c *Config) Access() string {
	if a := c.String("access"); a != "private" {
		return a
	}
	return "restricted"
}

// NoProxy returns the noproxy setting as one comma-separated text.
func (c *Config) NoProxy() string { return strings.Join(c.Strings("noproxy"), ",") }

// Progress reports whether to show progress: it is wanted, and standard output
// and error are terminals that can.
func (c *Config) Progress() bool {
	return c.Bool("progress") && c.env.Terminal && c.environ["TERM"] != "dumb"
}

// Silent reports whether nothing is to be logged.
func (c *Config) Silent() bool { return c.String("loglevel") == "silent" }

// WorkspacesEnabled is false only after --no-workspaces.
func (c *Config) WorkspacesEnabled() bool { return !same(c.Get("workspaces"), no) }

// CAs returns the certificate authorities to trust instead of the system's, PEM
// texts; none means the system's. The certificates of cafile replace those of
// ca. A cafile that does not exist is ignored.
func (c *Config) CAs() ([]string, error) {
	if file := c.String("cafile"); file != "" {
		data, err := readFile(file)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		const end = "-----END CERTIFICATE-----"
		var out []string
		for section := range strings.SplitSeq(strings.ReplaceAll(string(data), "\r\n", "\n"), end) {
			if js.Trim(section) != "" {
				out = append(out, strings.TrimLeftFunc(section, js.Space)+end)
			}
		}
		if len(data) > 0 {
			return out, nil
		}
	}
	if c.Get("ca").IsNull() {
		return nil, nil
	}
	return c.Strings("ca"), nil
}

// UserAgent returns the User-Agent header: the template with its fields filled
// in. nodeVersion has its v.
func (c *Config) UserAgent(npmVersion, nodeVersion string) string {
	inWorkspaces := c.Get("workspaces").Truthy() || len(c.Strings("workspace")) > 0
	s := c.String("user-agent")
	for _, field := range [...][2]string{
		{"{node-version}", nodeVersion},
		{"{npm-version}", npmVersion},
		{"{platform}", c.env.Platform},
		{"{arch}", c.env.Arch},
		{"{workspaces}", strconv.FormatBool(inWorkspaces)},
		{"{ci}", c.CI().token()},
	} {
		s = replaceFold(s, field[0], field[1])
	}
	return js.Trim(s)
}

// replaceFold replaces every old in s, in upper or lower case.
func replaceFold(s, old, with string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if len(s)-i >= len(old) && strings.EqualFold(s[i:i+len(old)], old) {
			b.WriteString(with)
			i += len(old)
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}
