package platform

import (
	"fmt"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// Engine is one thing that devEngines may ask for: a name and a version, which
// most have not.
type Engine struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// engine returns what env has of a devEngines property.
func (env Environment) engine(property string) (Engine, bool) {
	switch property {
	case "packageManager":
		return Engine{"npm", env.NPM}, true
	case "runtime":
		return Engine{"node", env.Node}, true
	case "cpu":
		return Engine{Name: env.CPU}, true
	case "libc":
		return Engine{Name: env.Libc}, true
	case "os":
		return Engine{env.OS, env.OSVersion}, true
	}
	return Engine{}, false
}

// DevEngineError says that one property of devEngines is not met by any of its
// alternatives. By the project's wish ("onFail") it is an error, a warning, or
// neither.
type DevEngineError struct {
	Engine   string   // "runtime", "packageManager", "cpu", "libc" or "os"
	Problems []string // one for each alternative, in npm's words
	IsWarn   bool
	IsError  bool
	Current  Engine
	Required jsjson.Raw // as in package.json
}

func (e *DevEngineError) Error() string {
	return "Invalid devEngines." + e.Engine + "\n" + strings.Join(e.Problems, "\n")
}

// Code returns npm's error code.
func (e *DevEngineError) Code() string { return "EBADDEVENGINES" }

// Hints say what can be done.
func (e *DevEngineError) Hints() []string {
	return []string{"devEngines of package.json says so: use what it names; --force makes it a warning"}
}

// DevEnginesSyntaxError says that devEngines is not what it should be, or asks
// for what nobody knows of this system.
type DevEnginesSyntaxError struct{ Problem string }

func (e *DevEnginesSyntaxError) Error() string { return e.Problem }

func devEnginesSyntax(format string, args ...any) error {
	return &DevEnginesSyntaxError{fmt.Sprintf(format, args...)}
}

// CheckDevEngines compares a project's devEngines with env and returns what is
// not met, in the project's order. The error is a *DevEnginesSyntaxError.
func CheckDevEngines(devEngines jsjson.Raw, env Environment) ([]*DevEngineError, error) {
	if devEngines == "" {
		return nil, nil
	}
	wanted := devEngines.Value()
	if !wanted.IsObject() {
		return nil, devEnginesSyntax(`Invalid non-object value for "devEngines"`)
	}
	var unmet []*DevEngineError
	for _, member := range wanted.Members() {
		current, ok := env.engine(member.Key)
		if !ok {
			return nil, devEnginesSyntax(`Invalid property "devEngines.%s"`, member.Key)
		}
		alternatives := []jsjson.Value{member.Value}
		if member.Value.IsArray() {
			alternatives = member.Value.Items()
		}
		if len(alternatives) == 0 {
			continue
		}
		var problems []string
		for _, alternative := range alternatives {
			problem, err := checkDevEngine(alternative, current, member.Key)
			if err != nil {
				return nil, err
			}
			if problem != "" {
				problems = append(problems, problem)
			}
		}
		if len(problems) < len(alternatives) {
			continue
		}
		// The last alternative decides, and nothing can be downloaded yet.
		onFail := alternatives[len(alternatives)-1].Get("onFail").Str()
		unmet = append(unmet, &DevEngineError{
			Engine:   member.Key,
			Problems: problems,
			IsWarn:   onFail == "warn",
			IsError:  onFail == "" || onFail == "error" || onFail == "download",
			Current:  current,
			Required: member.Value.Raw(),
		})
	}
	return unmet, nil
}

// checkDevEngine returns why one alternative is not met, "" if it is.
func checkDevEngine(wanted jsjson.Value, current Engine, engine string) (string, error) {
	if !wanted.IsObject() {
		return "", devEnginesSyntax(`Invalid non-object value for "%s"`, engine)
	}
	for _, m := range wanted.Members() {
		if m.Key != "name" && m.Key != "version" && m.Key != "onFail" {
			return "", devEnginesSyntax(`Invalid property "%s" for "%s"`, m.Key, engine)
		}
	}
	name := wanted.Get("name")
	switch {
	case !wanted.Has("name"):
		return "", devEnginesSyntax(`Missing "name" property for "%s"`, engine)
	case !name.IsString():
		return "", devEnginesSyntax(`Invalid non-string value for "name" within "%s"`, engine)
	case current.Name == "":
		return "", devEnginesSyntax(`Unable to determine "name" for "%s"`, engine)
	}
	if wanted.Has("onFail") {
		onFail := wanted.Get("onFail")
		if !onFail.IsString() {
			return "", devEnginesSyntax(`Invalid non-string value for "onFail" within "%s"`, engine)
		}
		switch onFail.Str() {
		case "ignore", "warn", "error", "download":
		default:
			return "", devEnginesSyntax(`Invalid onFail value "%s" for "%s"`, onFail.Str(), engine)
		}
	}
	if name.Str() != current.Name {
		return fmt.Sprintf(`Invalid name "%s" does not match "%s" for "%s"`, name.Str(), current.Name, engine), nil
	}
	if !wanted.Has("version") {
		return "", nil
	}
	if !wanted.Get("version").IsString() {
		return "", devEnginesSyntax(`Invalid non-string value for "version" within "%s"`, engine)
	}
	if current.Version == "" {
		return "", devEnginesSyntax(`Unable to determine "version" for "%s" "%s"`, engine, name.Str())
	}
	version := wanted.Get("version").Str()
	if r, err := nodesemver.ParseRange(version, nodesemver.Options{}); err == nil {
		if r.MatchString(current.Version) {
			return "", nil
		}
		return fmt.Sprintf(`Invalid semver version "%s" does not match "%s" for "%s"`, version, current.Version, engine), nil
	}
	if version != current.Version {
		return fmt.Sprintf(`Invalid version "%s" does not match "%s" for "%s"`, version, current.Version, engine), nil
	}
	return "", nil
}
