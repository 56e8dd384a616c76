// Package again keeps what a run of ibid said that only had to look, or to look
// and then to start one program, with a mark of everything that it looked at. A
// later run that is called in the same way, and finds every mark as it was, says
// the same, and is done or becomes that program. It can do so before the rest of
// ibid is ready, which takes longer than the looking: package cmd/first does.
//
// It refuses to know what was looked at or why; package cmd does, and writes the
// answers. So that its turn comes early it imports next to nothing; where it
// has to be done with other means than Linux's, nothing is kept.
package again

// Call is how ibid was called: all that is neither a file nor ibid itself.
type Call struct {
	Args    []string // with the program's name
	Environ []string // "NAME=value"
	Cwd     string   // as the system knows it
	Exe     string   // the program's file
	Umask   int
	// Terminals says whether stdout and stderr are terminals.
	Terminals [2]bool
}

// Mark is a file or folder as it was; one that was not there has no Ino.
type Mark struct {
	Path                    string // absolute, or relative to where the call was made
	Ino                     uint64
	Size, Modified, Changed int64 // bytes, 0 for a folder; Unix nanoseconds
}

// Answer is what a call is told as long as all marks hold.
type Answer struct {
	Marks  []Mark
	Output string // goes to stdout, and is all that is said
	// Text goes to stderr, with how long the run took between its two parts, or
	// the first part alone before the program.
	Text    [2]string
	Program *Program // what is run then; nil for nothing
}

// Program is a program to run in the folder of the call.
type Program struct {
	Path string   // absolute
	Args []string // with the name that it is called by
	// Environ is all of its environment. What it has from the call is not kept, since
	// there may be secrets in that, and nor is what is volatile.
	Environ []string
}

const magic = "ibid answer 4\n"

// volatile are variables that change from call to call and that nothing in ibid
// goes by. The last is another one for each run that a well-known benchmark
// program makes.
var volatile = [...]string{"_=", "OLDPWD=", "SHLVL=", "HYPERFINE_RANDOMIZED_ENVIRONMENT_OFFSET="}

func isVolatile(kv string) bool {
	for _, prefix := range volatile {
		if hasPrefix(kv, prefix) {
			return true
		}
	}
	return false
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// sum is FNV-1a with 64 bits. Nobody but the user can choose what goes in.
type sum uint64

func (h *sum) add(s string) {
	v := uint64(*h)
	for i := range len(s) {
		v = (v ^ uint64(s[i])) * 0x100000001b3
	}
	*h = sum((v ^ 0xff) * 0x100000001b3)
}

func (h *sum) flag(b bool) {
	if b {
		h.add("1")
	} else {
		h.add("0")
	}
}

// key tells calls apart that may be answered differently.
func (c *Call) key() uint64 {
	h := sum(0xcbf29ce484222325)
	for _, arg := range c.Args {
		h.add(arg)
	}
	h.add("")
	for _, kv := range c.Environ {
		if !isVolatile(kv) {
			h.add(kv)
		}
	}
	h.add("")
	h.add(c.Cwd)
	h.add(c.Exe)
	for bit := range 12 {
		h.flag(c.Umask>>bit&1 != 0)
	}
	for _, t := range c.Terminals {
		h.flag(t)
	}
	return uint64(h)
}

// File is where the answer to the call is kept, in the user's state; "" for nowhere.
// There are sixteen for each folder: arguments that share one share the last.
func (c *Call) File() string {
	state, home := "", ""
	for _, kv := range c.Environ {
		switch {
		case hasPrefix(kv, "XDG_STATE_HOME="):
			state = kv[len("XDG_STATE_HOME="):]
		case hasPrefix(kv, "HOME="):
			home = kv[len("HOME="):]
		}
	}
	if !hasPrefix(state, "/") {
		if !hasPrefix(home, "/") {
			return ""
		}
		state = home + "/.local/state"
	}
	h := sum(0x84222325cbf29ce4)
	h.add(c.Cwd)
	const digits = "0123456789abcdef"
	var name [17]byte
	for i := range name[:16] {
		name[i] = digits[h>>(60-4*i)&15]
	}
	for _, arg := range c.Args {
		h.add(arg)
	}
	name[16] = digits[h>>60]
	return state + "/ibid/answers/" + string(name[:])
}

// Encode gives the content of the file that answers the call.
func (c *Call) Encode(a *Answer) []byte {
	b := appendUint64([]byte(magic), c.key())
	b = appendText(b, a.Output)
	b = appendText(b, a.Text[0])
	b = appendText(b, a.Text[1])
	if p := a.Program; p == nil {
		b = appendTexts(b, nil)
	} else {
		b = appendTexts(b, p.Args)
		b = appendText(b, p.Path)
		b = appendTexts(b, c.kept(p.Environ))
	}
	half := len(a.Marks) / 2
	first := appendMarks(nil, a.Marks[:half])
	b = appendUint64(b, uint64(len(first)))
	b = appendUint64(b, uint64(len(a.Marks)))
	return appendMarks(append(b, first...), a.Marks[half:])
}

func appendMarks(b []byte, marks []Mark) []byte {
	for i := range marks {
		m := &marks[i]
		b = appendUint64(b, m.Ino)
		b = appendUint64(b, uint64(m.Size))
		b = appendUint64(b, uint64(m.Modified))
		b = appendUint64(b, uint64(m.Changed))
		b = appendText(b, m.Path)
	}
	return b
}

func appendUint64(b []byte, n uint64) []byte {
	for range 8 {
		b = append(b, byte(n))
		n >>= 8
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(append(appendUint64(b, uint64(len(s))), s...), 0)
}

func appendTexts(b []byte, all []string) []byte {
	b = appendUint64(b, uint64(len(all)))
	for _, s := range all {
		b = appendText(b, s)
	}
	return b
}

// reader takes apart what Encode wrote.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint64() uint64 {
	b := r.take(8)
	if len(b) < 8 {
		return 0
	}
	var n uint64
	for i := 7; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n
}

// text gives a text and the NUL behind it.
func (r *reader) text() []byte {
	n := r.uint64()
	if n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	b := r.take(n + 1)
	if len(b) == 0 || b[n] != 0 {
		r.bad = true
		return nil
	}
	return b
}

// string is a text without the NUL.
func (r *reader) string() string {
	if t := r.text(); len(t) > 0 {
		return string(t[:len(t)-1])
	}
	return ""
}

func (r *reader) strings() []string {
	n := r.uint64()
	if n > uint64(len(r.rest)) { // each takes a byte at least
		r.bad = true
		return nil
	}
	out := make([]string, 0, n)
	for ; n > 0 && !r.bad; n-- {
		out = append(out, r.string())
	}
	return out
}

// headSize is how much of a file begins looks at.
const headSize = len(magic) + 8

// begins says whether data begins as what Encode made for this call.
func (c *Call) begins(data []byte) bool {
	r := reader{rest: data}
	return string(r.take(uint64(len(magic)))) == magic && r.uint64() == c.key() && !r.bad
}

// answer decodes what Encode made for this call, if every mark is as look finds
// it; look is given a path with a NUL behind it, from two goroutines.
func (c *Call) answer(data []byte, look func(path []byte, m *Mark) error) (a Answer, ok bool) {
	if !c.begins(data) {
		return a, false
	}
	r := reader{rest: data[headSize:]}
	a.Output = r.string()
	for i := range a.Text {
		a.Text[i] = r.string()
	}
	if args := r.strings(); len(args) > 0 {
		a.Program = &Program{Args: args, Path: r.string(), Environ: c.environ(r.strings())}
	}
	// What the second half of the marks says is looked at meanwhile.
	second, n := r.uint64(), r.uint64()
	if r.bad || n == 0 || second > uint64(len(r.rest)) {
		return a, false // no marks: nothing was looked at, so it is no answer
	}
	rest := reader{rest: r.rest[second:]}
	r.rest = r.rest[:second]
	done := make(chan bool, 1)
	go func() { done <- rest.hold(n-n/2, look) }()
	ok = r.hold(n/2, look)
	return a, <-done && ok
}

// hold says whether what is left is so many marks, and all are as they were.
func (r *reader) hold(n uint64, look func(path []byte, m *Mark) error) bool {
	var want, got Mark
	for ; n > 0; n-- {
		want.Ino, want.Size = r.uint64(), int64(r.uint64())
		want.Modified, want.Changed = int64(r.uint64()), int64(r.uint64())
		path := r.text()
		if r.bad {
			return false
		}
		if err := look(path, &got); err != nil || got != want {
			return false
		}
	}
	return len(r.rest) == 0
}

// kept is what is written of a program's environment: the names alone of variables
// that are the call's.
func (c *Call) kept(environ []string) []string {
	out := make([]string, 0, len(environ))
	for _, kv := range environ {
		n := nameLen(kv)
		switch {
		case n == len(kv) || isVolatile(kv):
		case c.variable(kv[:n]) == kv:
			out = append(out, kv[:n])
		default:
			out = append(out, kv)
		}
	}
	return out
}

// environ is the environment of a program that the call starts, of what is kept.
func (c *Call) environ(kept []string) []string {
	out := make([]string, 0, len(kept)+len(volatile))
	for _, kv := range kept {
		if nameLen(kv) == len(kv) {
			kv = c.variable(kv)
		}
		if kv != "" {
			out = append(out, kv)
		}
	}
	for _, kv := range c.Environ {
		if isVolatile(kv) {
			out = append(out, kv)
		}
	}
	return out
}

// variable gives the call's variable of a name as "NAME=value", the last where there
// are several; "" for none.
func (c *Call) variable(name string) string {
	for i := len(c.Environ) - 1; i >= 0; i-- {
		if kv := c.Environ[i]; hasPrefix(kv, name) && len(kv) > len(name) && kv[len(name)] == '=' {
			return kv
		}
	}
	return ""
}

// nameLen is how long the name of "NAME=value" is, all of it where there is no "=".
func nameLen(kv string) int {
	for i := range len(kv) {
		if kv[i] == '=' {
			return i
		}
	}
	return len(kv)
}
