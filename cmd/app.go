package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/git"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/internal/version"
	"github.com/ibid-pm/ibid/registry"
)

// compatible is the version of npm whose behaviour ibid has, where a package
// or a script asks.
const compatible = version.NPM

// Env is what the operating system gives a process.
type Env struct {
	Argv    []string // with the program's name first
	Environ []string
	Cwd     string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Keyring Keyring // nil is the system's
}

// System gives the Env of this process.
func System() Env {
	cwd, _ := os.Getwd() // "" for a folder that is gone
	return Env{Argv: os.Args, Environ: os.Environ(), Cwd: cwd, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
}

// App is one run of ibid: its configuration, its streams, and the services,
// which are made when they are first asked for.
type App struct {
	Env
	Config  *config.Config
	Command string // the canonical name of the command that runs
	start   time.Time

	heading string // "ibid", or "npm" where it was called so
	level   level
	colour  bool
	umask   fs.FileMode

	partial jsjson.Value // what --json prints beside an error: what was done before it

	outMu   sync.Mutex
	heard   bytes.Buffer // the log lines so far
	printed bytes.Buffer // what went to stdout, from its beginning
	shown   bool         // the last line of the terminal is the progress

	progress *progress // nil shows none
	debug    *debugLog // nil keeps none

	scopes []string // what checkInstalled looked at beside what every script does

	heap   func() // makes the heap ready for an install
	store  func() *store.Store
	client func() (*registry.Client, error)
	// replacer is for the URLs of tarballs that locks have.
	replacer func() *registry.HostReplacer
	timing   *timing

	gitOnce   sync.Once
	gitShared *git.Client

	tokens tokens // of the keyring

	nodeOnce sync.Once
	node     string
	shim     bool // the node on the PATH may be another one in the next run, though no file has changed
}

type level uint8

const (
	levelSilent level = iota
	levelError
	levelWarn
	levelNotice
	levelHTTP
	levelInfo
	levelVerbose
	levelSilly
)

var levelNames = [...]string{"silent", "error", "warn", "notice", "http", "info", "verbose", "silly"}

func levelNamed(name string) level {
	for i, n := range levelNames {
		if n == name {
			return level(i)
		}
	}
	return levelNotice
}

// processors is how many there are to work with.
var processors = runtime.GOMAXPROCS(0)

// listen has one thread more run Go than there are processors. While those
// unpack, nobody else would look whether the network has brought something: the
// runtime does so every 10 ms then, and each answer takes several looks.
func listen() { runtime.GOMAXPROCS(processors + 1) }

// installs are words that most likely stand for an install: the heap is made
// ready for it at once.
var installs = [...]string{"ci", "install", "i", "add", "update", "uninstall"}

// Main runs ibid as it was called and gives the exit status.
func Main(env Env) int {
	if called(env) == "ibidx" {
		return MainX(env) // a link to ibid
	}
	return run(env, env.Argv[1:])
}

// called gives the name of the program that was called.
func called(env Env) string { return strings.TrimSuffix(filepath.Base(env.Argv[0]), ".exe") }

// MainX runs ibidx, which is "ibid exec" with npx's rules for its arguments.
func MainX(env Env) int { return run(env, asExec(env, "ibidx")) }

// asExec gives the arguments of a call of npx as those of exec, and says which
// have no meaning any more.
func asExec(env Env, name string) []string {
	args, removed := execArgs(env.Argv[1:])
	for _, key := range removed {
		fmt.Fprintf(env.Stderr, "%s: the --%s argument has been removed.\n", name, key)
	}
	if len(removed) > 0 {
		fmt.Fprintf(env.Stderr, "See `%s help exec` for more information\n", strings.TrimSuffix(strings.Replace(name, "npx", "npm", 1), "x"))
	}
	return args
}

func run(env Env, args []string) (status int) {
	a := &App{Env: env, heading: "ibid", level: levelNotice, start: time.Now(), umask: processUmask(), debug: new(debugLog)}
	base := called(env)
	if version.IsNPM(base) {
		a.heading = "npm"
	}
	if base == "npx" {
		args = asExec(env, "npx")
	}
	a.heap = sync.OnceFunc(largePages)
	ready := func() {}
	if len(args) > 0 && slices.Contains(installs[:], args[0]) {
		ready = a.heap
	}
	limitHeap(ready)
	args, stop, err := profile(args)
	defer stop()
	if err != nil {
		a.log(levelError, err.Error())
		return 1
	}
	ctx := untilSignal()
	a.store = sync.OnceValue(a.openStore)
	a.client = sync.OnceValues(a.openClient)
	a.replacer = sync.OnceValue(func() *registry.HostReplacer {
		return registry.NewHostReplacer(a.Config.String("registry"), a.Config.String("replace-registry-host"))
	})
	err = a.main(ctx, args)
	a.timing.print(a)
	if err == nil {
		a.closeLog(0, false)
		return 0
	}
	if ctx.Err() != nil && !isExit(err) {
		a.log(levelError, "interrupted")
		a.closeLog(130, false)
		return 130
	}
	status = a.report(err)
	var said statusError
	a.closeLog(status, !errors.As(err, &said))
	return status
}

// untilSignal gives a context that ends when a person or the system asks ibid to
// stop. Asking for signals takes a dozen turns between threads, so nobody waits
// for it: before, a signal ends the process as it would any other. So does a
// second one, of whoever does not want to wait for what is taken back; what comes
// a moment after the first may be the same one, from the terminal and from npm.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		<-stop
		cancel()
		time.Sleep(300 * time.Millisecond)
		signal.Stop(stop)
	}()
	return ctx
}

func isExit(err error) bool {
	_, ok := err.(exiter)
	return ok
}

func (a *App) main(ctx context.Context, args []string) error {
	cfg, err := config.Load(config.Env{
		Args: args, Environ: a.Environ, Cwd: a.Cwd, NPMVersion: compatible, Terminal: a.seen(),
		Node: a.nodeBehind, Keyring: func(dart string) (string, error) { return a.keptToken(ctx, dart) },
	})
	a.Config = cfg
	a.setOutput()
	if err != nil {
		return err
	}
	words := cfg.Args()
	if cfg.Bool("version") {
		fmt.Fprintln(a.Stdout, a.version())
		return nil
	}
	if a.Cwd == "" {
		return &codedError{code: "ENOENT", text: "the folder that this was started in is not there any more", hints: []string{"go to one that is: cd"}}
	}
	root := newRootCmd(a)
	c, rest := find(root, words)
	if c == nil {
		return a.unknownCommand(root, words)
	}
	a.Command = canonical(c)
	a.introduce()
	if cfg.Bool("force") { // npm: lib/npm.js
		a.logPrefixed(levelWarn, "using --force", "Recommended protections disabled.")
	}
	if err := a.validate(c); err != nil {
		return err
	}
	if cfg.Bool("usage") {
		c.SetOut(a.Stdout)
		return c.Help()
	}
	if err := a.allowsWorkspaces(c); err != nil {
		return err
	}
	if cfg.Bool("timing") {
		a.timing = newTiming()
	}
	c.SetContext(ctx)
	return c.RunE(c, rest)
}

// setOutput settles how things are said, as early as the configuration is read.
func (a *App) setOutput() {
	a.level = levelNamed(a.Config.String("loglevel"))
	a.colour = a.colours(a.Stderr)
	a.progress = a.newProgress()
}

// seen says whether a person looks at what is written.
func (a *App) seen() bool {
	out, ok := a.Stdout.(*os.File)
	err, both := a.Stderr.(*os.File)
	return ok && both && term.IsTerminal(out) && term.IsTerminal(err)
}

// colours says whether what goes to a stream is coloured. npm does not look at TERM.
func (a *App) colours(to io.Writer) bool {
	return a.wantsColours(to) && (a.Config.String("color") == "always" || a.Config.Getenv("TERM") != "dumb")
}

// wantsColours is the setting's answer, which scripts are told. NO_COLOR is the default
// of color, which a flag or an .npmrc overrules (npm: @npmcli/config
// lib/definitions/definitions.js).
func (a *App) wantsColours(to io.Writer) bool {
	switch a.Config.String("color") {
	case "always":
		return true
	case "false":
		return false
	}
	f, ok := to.(*os.File)
	return ok && term.IsTerminal(f)
}

// version is what ibid says that it is.
func (a *App) version() string { return version.For(a.Argv[0]) }

func (a *App) json() bool { return a.Config != nil && a.Config.Bool("json") }

// log writes one line for people to stderr.
func (a *App) log(l level, text string) { a.logPrefixed(l, "", text) }

func (a *App) logPrefixed(l level, prefix, text string) {
	if l > a.level && a.debug == nil {
		return
	}
	a.outMu.Lock()
	defer a.outMu.Unlock()
	for line := range strings.SplitSeq(text, "\n") {
		a.debug.add(levelNames[l], prefix, line, a.openLog)
	}
	if l > a.level {
		return
	}
	name := levelNames[l]
	if a.colour {
		name = paint(name, l)
	}
	a.clearProgress()
	for line := range strings.SplitSeq(text, "\n") {
		parts := []string{a.heading, name}
		if prefix != "" {
			parts = append(parts, prefix)
		}
		line = strings.TrimRight(strings.Join(append(parts, line), " "), " ") + "\n"
		io.WriteString(a.Stderr, line)
		if a.heard.Len() < maxHeard {
			a.heard.WriteString(line)
		}
	}
}

func paint(s string, l level) string {
	switch l {
	case levelError:
		return "\x1b[31m" + s + "\x1b[0m"
	case levelWarn:
		return "\x1b[33m" + s + "\x1b[0m"
	case levelNotice:
		return "\x1b[36m" + s + "\x1b[0m"
	}
	return s
}

// maxHeard is how many bytes of log lines are worth remembering.
const maxHeard = 16 << 10

// maxPrinted is the same of what is printed; there is one byte more of what is longer.
const maxPrinted = 256 << 10

// hint says what a person can do next.
func (a *App) hint(text string) {
	if a.level < levelError {
		return
	}
	a.outMu.Lock()
	defer a.outMu.Unlock()
	a.clearProgress()
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(a.Stderr, "%s hint: %s\n", a.heading, term.Safe(a.asCalled(line)))
	}
}

// say writes one line for people to stderr unless they asked for silence.
func (a *App) say(format string, args ...any) {
	if a.level < levelWarn {
		return
	}
	a.outMu.Lock()
	defer a.outMu.Unlock()
	a.clearProgress()
	io.WriteString(a.Stderr, ink(a.colour).safe(fmt.Sprintf(format, args...))+"\n")
}

// out writes what was asked for to stdout.
func (a *App) out(format string, args ...any) {
	a.outMu.Lock()
	defer a.outMu.Unlock()
	a.clearProgress()
	a.print(a.ink().safe(fmt.Sprintf(format, args...)) + "\n")
}

// write prints a text as it is.
func (a *App) write(text []byte) {
	a.outMu.Lock()
	defer a.outMu.Unlock()
	a.clearProgress()
	a.print(string(text) + "\n")
}

func (a *App) print(text string) {
	a.printed.WriteString(text[:min(len(text), maxPrinted+1-a.printed.Len())])
	io.WriteString(a.Stdout, text)
}

// storeDir is the folder that the store lies in, without its format.
func (a *App) storeDir() string { return filepath.Join(a.Config.String("cache"), "_ibid") }

// packumentDir is where what registries said is kept.
func (a *App) packumentDir() string { return filepath.Join(a.storeDir(), "packuments") }

// programDir is where programs lie that ibid has written for scripts to start: beside
// the store, unless that is in a cache that another user could change.
func (a *App) programDir() string {
	dir := a.storeDir()
	if os.MkdirAll(dir, 0o777) == nil && folder.IsOwn(filepath.Dir(dir)) && folder.IsOwn(dir) {
		return dir
	}
	return filepath.Join(a.userDir("XDG_STATE_HOME", ".local/state"), "ibid")
}

func (a *App) openStore() *store.Store {
	key := filepath.Join(a.userDir("XDG_STATE_HOME", ".local/state"), "ibid", "store.key")
	return store.Open(store.Options{Dir: a.storeDir(), KeyFile: key, Umask: a.umask})
}

// userDir is a folder of the XDG base directories: what the variable says, else
// one in the user's home.
func (a *App) userDir(variable, usual string) string {
	if dir := a.Config.Getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(a.Config.Home(), filepath.FromSlash(usual))
}

// ask reads one line from a person, who sees the question on stderr.
func (a *App) ask(ctx context.Context, question string) (string, error) {
	defer a.progress.hold()()
	fmt.Fprint(a.Stderr, question)
	line, err := a.input(ctx).ReadString('\n')
	if err != nil && line == "" {
		fmt.Fprintln(a.Stderr)
		return "", noAnswer(err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// input is the standard input for as long as ctx lasts.
func (a *App) input(ctx context.Context) *bufio.Reader {
	return bufio.NewReader(answers{ctx, a.Stdin})
}

// answers is a reader that a person who does not answer ends with Ctrl-C.
type answers struct {
	ctx context.Context
	in  io.Reader
}

func (r answers) Read(p []byte) (int, error) {
	b, err := await(r.ctx, func() ([]byte, error) {
		b := make([]byte, len(p))
		n, err := r.in.Read(b)
		return b[:n], err
	})
	return copy(p, b), err
}

// await waits for a read of the standard input, or for the end of ctx: nothing
// ends a read of a terminal, so it is left behind by a process that ends.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	c := make(chan result, 1)
	go func() {
		v, err := read()
		c <- result{v, err}
	}()
	select {
	case r := <-c:
		return r.v, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
