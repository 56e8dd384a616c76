package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/regular"
)

// Env is what a Config is read from.
type Env struct {
	Args    []string // arguments without the program's name
	Environ []string // "NAME=value"
	Cwd     string   // absolute

	// Node gives the node that a program of that name on the PATH starts, which is
	// file when its links are resolved; nil takes file.
	Node        func(program, file string) string
	NodePath    string // the node binary; looked up on PATH if empty
	BuiltinFile string // npm's builtin npmrc; that of the npm beside node if empty
	NPMVersion  string // what npm-version reports
	NodeGyp     string // default of node-gyp
	Platform    string // as in node's process.platform; "" for this machine's
	Arch        string // as in node's process.arch; "" for this machine's
	Terminal    bool   // standard output and standard error are both terminals

	// Keyring gives the token that is kept for a nerf dart in the keyring, "" for
	// none. It is asked where the user keeps tokens there; nil has none. It may be
	// called from several goroutines.
	Keyring func(dart string) (string, error)
}

// Load reads the configuration. When it fails the Config is returned as far as
// it was read, so that the error can be shown as the user likes it.
//
// Files that do not exist are empty; files that cannot be read are a verbose
// warning. Errors are *UnknownFlagError, *Error and those of the
// workspaces package.
func Load(env Env) (*Config, error) {
	c := &Config{env: env, cwd: env.Cwd, started: time.Now(), sources: make(map[string]Layer, int(layerCount))}
	if c.env.Platform == "" {
		c.env.Platform = nodePlatform(runtime.GOOS)
	}
	if c.env.Arch == "" {
		c.env.Arch = nodeArch(runtime.GOARCH)
	}
	c.windows = c.env.Platform == "win32"
	if c.cwd == "" {
		if wd, err := os.Getwd(); err == nil {
			c.cwd = wd
		}
	}
	c.environ = make(map[string]string, len(env.Environ))
	for _, kv := range env.Environ {
		if name, value, ok := strings.Cut(kv, "="); ok && name != "" {
			c.environ[name] = value
		}
	}
	c.home = c.environ["HOME"]
	if c.home == "" {
		c.home = systemHome(c.environ)
	}
	c.defaultPrefix = c.nodePrefix()
	c.layers[Default].source = "default values"
	c.sources["default values"] = Default

	err := c.load()
	if c.globalPrefix == "" {
		c.globalPrefix = c.defaultPrefix
	}
	if c.localPrefix == "" {
		c.localPrefix = c.cwd
	}
	c.flatten()
	return c, err
}

func (c *Config) load() error {
	if file := c.builtinFile(); file != "" {
		if err := c.loadFile(Builtin, file); err != nil {
			return err
		}
	}
	var err error
	if c.args, err = parseArgs(c.env.Args, Lookup, shorthand); err != nil {
		return err
	}
	for _, h := range c.args.unexpected {
		c.warnings = append(c.warnings, Warning{Level: "warn", Text: `"` + h.word + `" is being parsed as a normal command line argument.`, Word: h.word})
	}
	flags := &table{}
	for _, key := range c.args.flags.orderedKeys() {
		v, _ := c.args.flags.get(key)
		v, ok, bad := c.clean(key, v)
		c.refuse(key, bad, "command line options")
		if ok {
			flags.set(key, v)
		}
	}
	if err := c.loadTable(CLI, "command line options", flags); err != nil {
		return err
	}
	if err := c.loadTable(Environment, "environment", c.environTable()); err != nil {
		return err
	}
	if err := c.loadProject(); err != nil {
		return err
	}
	if err := c.loadFile(User, c.String("userconfig")); err != nil {
		return err
	}
	c.usesKeyring = c.wantsKeyring()
	if err := c.loadFile(Global, c.String("globalconfig")); err != nil {
		return err
	}
	c.globalPrefix = c.String("prefix")
	c.exported = c.exports()
	return nil
}

// environTable collects the npm_config_* variables. Their keys are written in
// any case and with _ for -, except those of credentials, //host/:key.
func (c *Config) environTable() *table {
	const prefix = "npm_config_"
	t := &table{}
	for _, kv := range c.env.Environ {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || value == "" || len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
			continue
		}
		key := name[len(prefix):]
		if !strings.HasPrefix(key, "//") && key != "" {
			key = strings.ToLower(key[:1] + strings.ReplaceAll(key[1:], "_", "-"))
		}
		t.set(key, NewString(value))
	}
	return t
}

func (c *Config) loadFile(layer Layer, file string) error {
	data, err := readFile(file)
	if err != nil {
		if from, ok := c.sources[file]; ok {
			return doubleLoad(file, layer, from)
		}
		c.sources[file] = layer
		c.layers[layer].source = file
		if !errors.Is(err, fs.ErrNotExist) {
			c.layers[layer].unread = err
			c.warn("verbose", "config", "error loading "+layer.String()+" config "+err.Error())
		}
		return nil
	}
	parsed := parseFile(data)
	if v, _ := parsed.get("prefix"); layer == Project && v.Truthy() {
		c.warn("error", "config", "prefix cannot be changed from project config: "+file+".")
	}
	return c.loadTable(layer, file, parsed)
}

func parseFile(data []byte) *table {
	return parseINI(strings.ToValidUTF8(string(data), "\uFFFD"))
}

// maxFile is how much of a configuration file is read; a project can name any
// file, and one that never ends.
const maxFile = 16 << 20

func readFile(name string) ([]byte, error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int64(512)
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
		size = min(st.Size()+1, maxFile+1)
	}
	data := make([]byte, 0, size)
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if len(data) > maxFile {
			return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("more than 16 MB")}
		}
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func doubleLoad(source string, layer, from Layer) error {
	return &Error{Message: `double-loading config "` + source + `" as "` + layer.String() + `", previously loaded as "` + from.String() + `"`}
}

// loadTable types the values of one source and puts them into its layer.
func (c *Config) loadTable(layer Layer, source string, t *table) error {
	if from, ok := c.sources[source]; ok {
		return doubleLoad(source, layer, from)
	}
	l := &c.layers[layer]
	l.source = source
	c.sources[source] = layer
	l.raw = t
keys:
	for _, key := range t.orderedKeys() {
		raw, _ := t.get(key)
		k := expand(key, c.getenv, nil)
		var secret string
		v := c.parseField(raw, k, false, func(name string) {
			if isSecretName(name) {
				secret = name
			}
		})
		c.checkDeprecated(k)
		if def := Lookup(key); def != nil {
			for _, other := range def.Exclusive {
				if c.IsDefault(other) {
					continue
				}
				if _, ok := c.layers[CLI].data.get(other); ok && layer == Environment {
					continue keys
				}
				return &Error{Message: "--" + key + " cannot be provided when using --" + other}
			}
		}
		c.checkUnknown(layer, key, source)
		if k == keyringKey && layer == Project {
			c.warn("warn", "config", "ignoring keyring from "+source+": where your tokens are kept is yours to say")
			continue
		}
		if namesProgram(k) && c.chosenByProject(layer) {
			if def := c.plainDefault(Lookup(k)); !sameSetting(def, v) {
				c.warn("warn", "config", "ignoring "+k+" from "+source+": a project does not choose which programs are started")
			}
			continue
		}
		if movesToGlobal(k, v) && c.chosenByProject(layer) {
			c.warn("warn", "config", "ignoring "+k+" from "+source+": a project does not change what is installed globally")
			continue
		}
		if secret != "" && c.chosenByProject(layer) && isAddress(k) {
			c.warn("warn", "config", "ignoring "+k+" from "+source+": it would send ${"+secret+"} as part of an address")
			continue
		}
		l.data.set(k, v)
	}
	return nil
}

// chosenByProject reports whether a layer is the project's .npmrc, or a file that
// the project has in the place of the user's or the global one: what is written
// there was written by whoever wrote the project.
func (c *Config) chosenByProject(layer Layer) bool {
	switch layer {
	case Project:
		return true
	case User:
		_, by := c.find("userconfig")
		return by == Project
	case Global:
		_, by := c.find("globalconfig")
		return by == Project || by == User && c.chosenByProject(User)
	}
	return false
}

// ProjectDecides reports whether the value of key is the project's.
func (c *Config) ProjectDecides(key string) bool {
	if c.published[key] {
		return true
	}
	_, layer := c.find(key)
	return c.chosenByProject(layer)
}

// namesProgram reports whether key names a program that ibid starts itself, when
// nobody asked for a script of the project's. The browser has rules of its own,
// see Browser.
func namesProgram(key string) bool {
	switch key {
	case "git", "editor", "shell", "init-module":
		return true
	}
	return false
}

// movesToGlobal reports whether a value of key has commands work on the global
// packages: an install in the project would put its programs on the user's PATH.
func movesToGlobal(key string, v Value) bool {
	return key == "global" && v.Truthy() || key == "location" && v.String() == "global"
}

// isAddress reports whether the value of key is an address that requests go to.
func isAddress(key string) bool {
	return key == "registry" || key == "proxy" || key == "https-proxy" || len(key) > 9 && strings.EqualFold(key[len(key)-9:], ":registry")
}

// isSecretName reports whether a variable's name says that its value is not for
// others.
func isSecretName(name string) bool {
	for _, word := range strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
		switch word {
		case "TOKEN", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASS", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "AUTH", "KEY", "APIKEY", "PAT", "JWT", "OTP":
			return true
		}
	}
	return false
}
