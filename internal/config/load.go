package config

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/workspaces"
)

// Layer is a source of values. A higher layer wins.
type Layer uint8

// The layers, lowest first.
const (
	Default Layer = iota
	Builtin
	Global
	User
	Project
	Environment
	CLI
	layerCount
)

var layerNames = [layerCount]string{"default", "builtin", "global", "user", "project", "env", "cli"}

// String returns npm's name of the layer: "project".
func (l Layer) String() string {
	if l < layerCount {
		return layerNames[l]
	}
	return "none"
}

// LayerNamed returns the layer with npm's name for it.
func LayerNamed(name string) (Layer, bool) {
	for l := range layerCount {
		if layerNames[l] == name {
			return l, true
		}
	}
	return 0, false
}

// isFile reports whether the layer is a file that can be saved.
func (l Layer) isFile() bool { return l == Global || l == User || l == Project }

// Warning is something that npm would log while it reads its configuration.
type Warning struct {
	Level  string // "error", "warn", "info", "verbose"
	Prefix string // "config", "invalid config", or ""
	Text   string

	// Word is set when the warning says that this word after an unknown flag was
	// taken as an argument; it is void if the command knows the flag.
	Word string
}

// Unknown is a key that no definition knows.
type Unknown struct {
	Layer  Layer
	Key    string
	Base   string // what follows the last colon, "" if there is none
	Source string // file name or description of the layer
}

// Env is what a Config is read from.
type Env struct {
	Args    []string // arguments without the program's name
	Environ []string // "NAME=value"
	Cwd     string   // absolute

	NodePath    string // the node binary; looked up on PATH if empty
	BuiltinFile string // npm's builtin npmrc; that of the npm beside node if empty
	NPMVersion  string // what npm-version reports
	NodeGyp     string // default of node-gyp
	Platform    string // as in node's process.platform; "" for this machine's
	Arch        string // as in node's process.arch; "" for this machine's
	Terminal    bool   // standard output and standard error are both terminals
}

// ConfigError says that the configuration contradicts itself.
type ConfigError struct {
	Message string
	code    string
}

func (e *ConfigError) Error() string { return e.Message }

// Code returns npm's code for the error, "" if npm has none.
func (e *ConfigError) Code() string { return e.code }

type layerData struct {
	source string
	data   table
	raw    *table // what the file said, before expansion and typing
	err    error  // why the file could not be read

	derived table // what flatten concluded, over data
}

// Config is the configuration of one run. It may be read from several
// goroutines once Load and Validate are done; Set, Delete, Validate and Save
// must not run beside anything else.
type Config struct {
	env     Env
	environ map[string]string
	cwd     string
	home    string
	windows bool
	started time.Time

	layers  [layerCount]layerData
	sources map[string]Layer
	args    arguments
	unknown []Unknown

	warnings []Warning

	defaultPrefix string // of node
	globalPrefix  string
	localPrefix   string
	localPackage  bool

	flat     flattened
	exported map[string]string // npm_config_* for children
}

// Load reads the configuration. When it fails the Config is returned as far as
// it was read, so that the error can be shown as the user likes it.
//
// Files that do not exist are empty; files that cannot be read are a verbose
// warning. Errors are *UnknownFlagError, *ConfigError and those of the
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
		c.layers[layer].err = err
		if !errors.Is(err, fs.ErrNotExist) {
			c.warn("verbose", "config", "error loading "+layer.String()+" config "+err.Error())
		}
		return nil
	}
	parsed := parseINI(strings.ToValidUTF8(string(data), "\uFFFD"))
	if v, _ := parsed.get("prefix"); layer == Project && v.Truthy() {
		c.warn("error", "config", "prefix cannot be changed from project config: "+file+".")
	}
	return c.loadTable(layer, file, parsed)
}

// maxFile is how much of a configuration file is read; a project can name any
// file, and one that never ends.
const maxFile = 16 << 20

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
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
	return &ConfigError{Message: `double-loading config "` + source + `" as "` + layer.String() + `", previously loaded as "` + from.String() + `"`}
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
		if def := c.lookup(key); def != nil {
			for _, other := range def.Exclusive {
				if c.IsDefault(other) {
					continue
				}
				if _, ok := c.layers[CLI].data.get(other); ok && layer == Environment {
					continue keys
				}
				return &ConfigError{Message: "--" + key + " cannot be provided when using --" + other}
			}
		}
		c.checkUnknown(layer, key, source)
		if secret != "" && layer == Project && isRegistryKey(k) {
			c.warn("warn", "config", "ignoring "+k+" from "+source+": it would send ${"+secret+"} as part of an address")
			continue
		}
		l.data.set(k, v)
	}
	return nil
}

// isRegistryKey reports whether the value of key is an address that requests
// go to.
func isRegistryKey(key string) bool {
	return key == "registry" || len(key) > 9 && strings.EqualFold(key[len(key)-9:], ":registry")
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

func (c *Config) checkUnknown(layer Layer, key, source string) {
	if c.lookup(key) != nil {
		return
	}
	switch key {
	case "npm-version", "global-prefix", "local-prefix":
		return // exported by npm itself, and read back by its children
	}
	base := ""
	if i := strings.LastIndexByte(key, ':'); i >= 0 {
		base = key[i+1:]
		if c.lookup(base) != nil || isNerfDartKey(base) {
			return
		}
	}
	u := Unknown{Layer: layer, Key: key, Base: base, Source: source}
	c.unknown = append(c.unknown, u)
	if layer == Environment {
		c.warn("warn", "", "Unknown env config "+u.quoted()+". This will error in a future major version of npm. See `npm help npmrc` for supported config options.")
	}
}

func (u Unknown) quoted() string {
	if strings.Contains(u.Key, ":") {
		return `"` + u.Base + `" (` + u.Key + ")"
	}
	return `"` + u.Key + `"`
}

// Unknown returns the unknown keys of the command line and the files.
func (c *Config) Unknown() []Unknown {
	var out []Unknown
	for _, u := range c.unknown {
		if u.Layer != Environment {
			out = append(out, u)
		}
	}
	return out
}

// CheckUnknown refuses flags that neither npm nor the command knows; allowed
// are the command's own. Unknown keys in files are a warning, or refused as well
// with strict-npmrc. The error is an *UnknownFlagError.
func (c *Config) CheckUnknown(allowed ...string) error {
	var flags, keys []string
	var flagLines, keyLines []string
	strict := c.Bool("strict-npmrc")
	for _, u := range c.unknown {
		switch {
		case u.Layer == Environment:
		case u.Layer == CLI:
			if slices.Contains(allowed, u.Key) || u.Base != "" && slices.Contains(allowed, u.Base) {
				continue
			}
			line := "  - --" + u.Key
			if u.Base != "" {
				line = "  - --" + u.Base + " (" + u.Key + ")"
			}
			flags, flagLines = append(flags, u.Key), append(flagLines, line)
		case strict:
			keys = append(keys, u.Key)
			keyLines = append(keyLines, "  - "+u.Layer.String()+" config "+u.quoted()+" from "+u.Source)
		default:
			c.warn("warn", "", "Unknown "+u.Layer.String()+" config "+u.quoted()+". This will stop working in the next major version of npm. See `npm help npmrc` for supported config options.")
		}
	}
	if len(flags)+len(keys) == 0 {
		return nil
	}
	var sections []string
	if len(flags) > 0 {
		sections = append(sections, "Unknown cli flag"+plural(len(flags))+":")
		sections = append(sections, flagLines...)
		sections = append(sections, "Run `npm help config` for supported options.")
	}
	if len(keys) > 0 {
		if len(sections) > 0 {
			sections = append(sections, "")
		}
		sections = append(sections, "Unknown npm configuration key"+plural(len(keys))+":")
		sections = append(sections, keyLines...)
		sections = append(sections, "See `npm help npmrc` for supported config options.")
	}
	return &UnknownFlagError{Message: strings.Join(sections, "\n"), Keys: append(flags, keys...)}
}

func plural(n int) string {
	if n > 1 {
		return "s"
	}
	return ""
}

func (c *Config) checkDeprecated(key string) {
	if def := c.lookup(key); def != nil && def.Deprecated != "" {
		c.warn("warn", "config", key+" is deprecated: "+def.Deprecated)
	}
}

func (c *Config) warn(level, prefix, text string) {
	c.warnings = append(c.warnings, Warning{Level: level, Prefix: prefix, Text: text})
}

// refuse warns of values that their definition does not allow.
func (c *Config) refuse(key string, bad []Value, source string) {
	for _, v := range bad {
		c.warn("warn", "invalid config", key+"="+v.JSON()+" set in "+source)
		c.warn("warn", "invalid config", c.lookup(key).mustBe())
	}
}

// Warnings returns what there was to log, in order.
func (c *Config) Warnings() []Warning { return c.warnings }

// ClearWarnings forgets the warnings, when they have been shown.
func (c *Config) ClearWarnings() { c.warnings = nil }

// Args returns the words of the command line that are no flags, the command
// first.
func (c *Config) Args() []string { return c.args.words }

// AfterDash returns the words after "--", which are also the last of Args; ok
// is false if there was no "--".
func (c *Config) AfterDash() (words []string, ok bool) {
	if c.args.afterDash < 0 {
		return nil, false
	}
	return c.args.words[c.args.afterDash:], true
}

func (c *Config) lookup(key string) *Definition { return Lookup(key) }

func (c *Config) getenv(name string) (string, bool) {
	v, ok := c.environ[name]
	return v, ok
}

// Getenv returns a variable of the environment that the Config was read from.
func (c *Config) Getenv(name string) string { return c.environ[name] }

// loadProject finds the project and reads its .npmrc.
func (c *Config) loadProject() error {
	if err := c.loadLocalPrefix(); err != nil {
		return err
	}
	p := &c.layers[Project]
	ignore := func(why string) {
		p.source = why
		c.sources[why] = Project
	}
	if c.Global() {
		ignore("(global mode enabled, ignored)")
		return nil
	}
	file := filepath.Join(c.localPrefix, ".npmrc")
	if file == c.String("userconfig") {
		ignore(`(same as "user" config, ignored)`)
		return nil
	}
	return c.loadFile(Project, file)
}

// loadLocalPrefix walks up from the working directory to the project: the first
// directory with a package.json or a node_modules, or the root of the
// workspaces that this directory is one of.
func (c *Config) loadLocalPrefix() error {
	if v, ok := c.layers[CLI].data.get("prefix"); ok && v.Truthy() {
		c.localPrefix = v.String()
		c.localPackage = isFile(filepath.Join(c.localPrefix, "package.json"))
		return nil
	}
	noWorkspaces, _ := c.layers[CLI].data.get("workspaces")
	alone := same(noWorkspaces, no) || c.Global()
	for dir := c.cwd; ; {
		hasPackage := isFile(filepath.Join(dir, "package.json"))
		switch {
		case c.localPrefix == "":
			if hasPackage || isDir(filepath.Join(dir, "node_modules")) {
				c.localPrefix, c.localPackage = dir, hasPackage
				if alone {
					return nil
				}
			}
		case hasPackage:
			is, err := workspaces.Contains(dir, c.localPrefix)
			if err != nil {
				return err
			}
			if is {
				if rc := filepath.Join(c.localPrefix, ".npmrc"); isFile(rc) {
					c.warn("warn", "config", "ignoring workspace config at "+rc)
				}
				c.layers[Default].data.set("workspace", NewStrings(c.localPrefix))
				c.localPrefix = dir
				c.warn("info", "config", "found workspace root at "+dir)
				return nil
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	if c.localPrefix == "" {
		c.localPrefix = c.cwd
	}
	return nil
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// nodePrefix is the default of prefix: the directory above the one that node is
// in, unless PREFIX says otherwise.
func (c *Config) nodePrefix() string {
	if p := c.environ["PREFIX"]; p != "" {
		return c.abs(p)
	}
	node := c.NodePath()
	if node == "" && c.windows {
		return filepath.Join(c.environ["APPDATA"], "npm")
	}
	if node == "" {
		return "/usr/local"
	}
	if c.windows {
		return filepath.Dir(node)
	}
	prefix := filepath.Dir(filepath.Dir(node))
	if dest := c.environ["DESTDIR"]; dest != "" {
		prefix = c.abs(filepath.Join(dest, prefix))
	}
	return prefix
}

// builtinFile returns the npmrc of the npm that came with node. Whoever packaged
// node says there where global packages go: %APPDATA%\npm on Windows.
func (c *Config) builtinFile() string {
	if c.env.BuiltinFile != "" {
		return c.env.BuiltinFile
	}
	node := c.NodePath()
	switch {
	case node == "":
		return ""
	case c.windows:
		return filepath.Join(filepath.Dir(node), "node_modules", "npm", "npmrc")
	}
	return filepath.Join(filepath.Dir(filepath.Dir(node)), "lib", "node_modules", "npm", "npmrc")
}

// NodePath returns the node binary: the one given to Load or the first on PATH,
// as it is named there; "" if there is none.
func (c *Config) NodePath() string {
	if c.env.NodePath != "" {
		return c.env.NodePath
	}
	path, ok := c.environ["PATH"]
	if !ok && c.windows {
		path = c.environ["Path"]
	}
	for _, dir := range filepath.SplitList(path) {
		if dir == "" || !filepath.IsAbs(dir) {
			continue // a relative entry would let a project choose the program
		}
		name := filepath.Join(dir, "node")
		if c.windows {
			name += ".exe"
		}
		if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() && (c.windows || st.Mode()&0o111 != 0) {
			c.env.NodePath = name
			return name
		}
	}
	return ""
}

func systemHome(env map[string]string) string {
	if runtime.GOOS == "windows" {
		if p := env["USERPROFILE"]; p != "" {
			return p
		}
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

func nodePlatform(goos string) string {
	switch goos {
	case "windows":
		return "win32"
	case "solaris", "illumos":
		return "sunos"
	}
	return goos
}

func nodeArch(goarch string) string {
	switch goarch {
	case "amd64":
		return "x64"
	case "386":
		return "ia32"
	case "mipsle":
		return "mipsel"
	case "ppc64le":
		return "ppc64"
	}
	return goarch
}

// GlobalPrefix returns the directory that global packages live under, also when
// the command does not work on them.
func (c *Config) GlobalPrefix() string { return c.globalPrefix }

// LocalPrefix returns the project's directory.
func (c *Config) LocalPrefix() string { return c.localPrefix }

// HasLocalPackage reports whether the project has a package.json.
func (c *Config) HasLocalPackage() bool { return c.localPackage }

// Prefix returns the directory that the command works on.
func (c *Config) Prefix() string {
	if c.Global() {
		return c.globalPrefix
	}
	return c.localPrefix
}

// GlobalDir returns the directory of global packages, <prefix>/lib/node_modules.
func (c *Config) GlobalDir() string {
	if c.windows {
		return filepath.Join(c.globalPrefix, "node_modules")
	}
	return filepath.Join(c.globalPrefix, "lib", "node_modules")
}

// GlobalBin returns the directory that the executables of global packages are
// linked into.
func (c *Config) GlobalBin() string {
	if c.windows {
		return c.globalPrefix
	}
	return filepath.Join(c.globalPrefix, "bin")
}

// Home returns the user's home directory.
func (c *Config) Home() string { return c.home }

// Cwd returns the directory that the command was started in.
func (c *Config) Cwd() string { return c.cwd }

// defaultOf returns the value of key in the default layer, typed.
func (c *Config) defaultOf(key string) (Value, bool) {
	switch key {
	case "prefix":
		return NewString(c.defaultPrefix), true
	case "globalconfig":
		return NewString(filepath.Join(c.String("prefix"), "etc", "npmrc")), true
	case "global-ignore-file":
		return NewString(filepath.Join(c.String("prefix"), "etc", "npmignore")), true
	case "node-gyp":
		return NewString(c.env.NodeGyp), true
	case "npm-version":
		return NewString(c.env.NPMVersion), c.env.NPMVersion != ""
	}
	def := c.lookup(key)
	if def == nil {
		return Value{}, false
	}
	return c.parseField(c.plainDefault(def), key, false, nil), true
}

// plainDefault returns the default as npm's table has it: with ~, and before
// lists are made of text. What the environment decides is filled in.
func (c *Config) plainDefault(def *Definition) Value {
	switch def.Key {
	case "cache":
		if local := c.environ["LOCALAPPDATA"]; c.windows && local != "" {
			return NewString(local + "/npm-cache")
		} else if c.windows {
			return NewString("~/npm-cache")
		}
	case "cache-max":
		return NewNumber(math.Inf(1))
	case "color":
		v := c.environ["NO_COLOR"]
		return NewBool(v == "" || v == "0")
	case "editor":
		for _, name := range []string{"EDITOR", "VISUAL"} {
			if v := c.environ[name]; v != "" {
				return NewString(v)
			}
		}
		if c.windows {
			return NewString(c.environ["SYSTEMROOT"] + `\notepad.exe`)
		}
		return NewString("vi")
	case "omit":
		if c.environ["NODE_ENV"] == "production" {
			return NewStrings("dev")
		}
	case "progress":
		return NewBool(c.env.Terminal && c.environ["TERM"] != "dumb" && !c.CI().IsCI)
	case "shell":
		name, other := "SHELL", "sh"
		if c.windows {
			name, other = "ComSpec", "cmd"
		}
		if v := c.environ[name]; v != "" {
			return NewString(v)
		}
		return NewString(other)
	case "unicode":
		for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
			if v := c.environ[name]; v != "" {
				v = strings.ToUpper(v)
				return NewBool(strings.HasSuffix(v, "UTF-8") || strings.HasSuffix(v, "UTF8"))
			}
		}
		return no
	case "viewer":
		if c.windows {
			return NewString("browser")
		}
	case "node-gyp":
		return NewString(c.env.NodeGyp)
	}
	return def.Default
}

// own returns the value of key in one layer.
func (c *Config) own(key string, layer Layer) (Value, bool) {
	if v, ok := c.layers[layer].derived.get(key); ok {
		return v, true
	}
	if v, ok := c.layers[layer].data.get(key); ok {
		return v, true
	}
	if layer == Default {
		return c.defaultOf(key)
	}
	return Value{}, false
}

// Get returns the value of key in the highest layer that has it; undefined if
// none does.
func (c *Config) Get(key string) Value {
	v, _ := c.find(key)
	return v
}

func (c *Config) find(key string) (Value, Layer) {
	for l := CLI; ; l-- {
		if v, ok := c.own(key, l); ok {
			return v, l
		}
		if l == Default {
			return Value{}, layerCount
		}
	}
}

// GetIn returns the value of key in one layer, undefined if it is not set there.
func (c *Config) GetIn(key string, layer Layer) Value {
	v, _ := c.own(key, layer)
	return v
}

// Where returns the highest layer that has key; ok is false if none has.
func (c *Config) Where(key string) (layer Layer, ok bool) {
	_, l := c.find(key)
	return l, l != layerCount
}

// IsDefault reports whether key has a default and is set nowhere.
func (c *Config) IsDefault(key string) bool {
	l, ok := c.Where(key)
	return ok && l == Default
}

// IsSet reports whether key is set anywhere, on the command line, in the
// environment or in a file.
func (c *Config) IsSet(key string) bool {
	l, ok := c.Where(key)
	return ok && l != Default
}

// Source returns where the values of a layer were read: a file, or a
// description.
func (c *Config) Source(layer Layer) string { return c.layers[layer].source }

// String returns the value of key as text, "" for null and undefined.
func (c *Config) String(key string) string {
	v := c.Get(key)
	if v.IsNull() {
		return ""
	}
	return v.String()
}

// Bool reports whether the value of key is true in JavaScript's sense.
func (c *Config) Bool(key string) bool { return c.Get(key).Truthy() }

// Int returns the value of key as a whole number, 0 for what is none.
func (c *Config) Int(key string) int {
	n := c.Get(key).number()
	switch {
	case math.IsNaN(n):
		return 0
	case n > math.MaxInt32:
		return math.MaxInt32
	case n < math.MinInt32:
		return math.MinInt32
	}
	return int(n)
}

// Strings returns the value of key as a list of texts.
func (c *Config) Strings(key string) []string {
	v := c.Get(key)
	if v.kind != List {
		if v.IsNull() {
			return nil
		}
		return []string{v.String()}
	}
	out := make([]string, len(v.list))
	for i, item := range v.list {
		out[i] = item.String()
	}
	return out
}

// Set gives key a value in one layer.
func (c *Config) Set(key string, v Value, layer Layer) {
	c.checkDeprecated(key)
	l := &c.layers[layer]
	l.data.set(key, v)
	l.derived.delete(key)
	if layer.isFile() {
		if l.raw == nil {
			l.raw = &table{}
		}
		l.raw.set(key, v)
	}
	c.flatten()
}

// Delete removes key from one layer.
func (c *Config) Delete(key string, layer Layer) {
	c.delete(key, layer)
	c.flatten()
}

func (c *Config) delete(key string, layer Layer) {
	c.layers[layer].data.delete(key)
	if layer.isFile() {
		c.layers[layer].raw.delete(key)
	}
}
