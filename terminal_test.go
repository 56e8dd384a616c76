//go:build linux || darwin

package ibid_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// terminal is ibid on a terminal of its own, which is its controlling one.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File
	seen bytes.Buffer
}

// onTerminal starts ibid in a folder with these files.
func onTerminal(t *testing.T, files map[string]string, environ []string, args ...string) *terminal {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	x := &terminal{t: t, cmd: &exec.Cmd{
		Path: self, Args: append([]string{"ibid"}, args...), Dir: dir,
		Env: append([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TERM=xterm-256color"}, environ...),
	}}
	if x.file, err = pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.cmd.Process.Kill()
		x.file.Close()
	})
	return x
}

// until reads until the text was shown.
func (x *terminal) until(text string) {
	x.t.Helper()
	buf := make([]byte, 4096)
	x.file.SetReadDeadline(time.Now().Add(time.Minute))
	for !strings.Contains(x.seen.String(), text) {
		n, err := x.file.Read(buf)
		x.seen.Write(buf[:n])
		if err != nil {
			x.t.Fatalf("%q was not shown before the end (%v):\n%s", text, err, x.seen.String())
		}
	}
}

func (x *terminal) press(keys string) {
	x.t.Helper()
	if _, err := x.file.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// end reads the rest and gives how the process ended.
func (x *terminal) end() (text string, status syscall.WaitStatus) {
	x.t.Helper()
	buf := make([]byte, 4096)
	for {
		n, err := x.file.Read(buf)
		x.seen.Write(buf[:n])
		if err != nil {
			break // that there is nobody any more on the other side is an error
		}
	}
	err := x.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		x.t.Fatal(err)
	}
	return x.seen.String(), x.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

const ctrlC = "\x03"

// A server that shuts down cleanly on the first Ctrl-C and at once on the
// second gets one for one, and its status is ibid's.
func TestCtrlCReachesAScriptOnce(t *testing.T) {
	x := onTerminal(t, map[string]string{
		"package.json": `{"name": "app", "version": "1.0.0", "scripts": {"serve": "exec sh serve.sh", "postserve": "echo never"}}`,
		"serve.sh": `trap 'n=$((n + 1)); echo got $n' INT
sleep 0.2 # what comes during the start is another matter
echo ready
while [ -z "$n" ]; do sleep 0.05; done
# Whoever sends another one has the time to do so.
sleep 0.2
echo closed after $n
exit 3
`,
	}, nil, "run", "serve")
	x.until("ready")
	x.press(ctrlC)
	text, status := x.end()
	if !strings.Contains(text, "closed after 1") || strings.Contains(text, "got 2") || strings.Contains(text, "never") {
		t.Errorf("the terminal shows\n%s", text)
	}
	if status.ExitStatus() != 3 {
		t.Errorf("ended with %v, the script with 3", status)
	}
}

// What a shell started must end by the signal if the script did, so that the
// shell stops too.
func TestAScriptThatCtrlCEndsEndsIbidTheSameWay(t *testing.T) {
	x := onTerminal(t, map[string]string{
		"package.json": `{"name": "app", "version": "1.0.0", "scripts": {"wait": "exec sh wait.sh"}}`,
		"wait.sh":      "echo ready\nexec sleep 60\n",
	}, nil, "run", "wait")
	x.until("ready")
	x.press(ctrlC)
	if text, status := x.end(); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("ended with %v\n%s", status, text)
	}
}

// An install that is waiting for a registry ends at once, says so, and leaves
// nothing.
func TestCtrlCEndsAnInstall(t *testing.T) {
	asked := make(chan struct{}, 8)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	x := onTerminal(t, map[string]string{
		"package.json": `{"name": "app", "version": "1.0.0", "dependencies": {"slow": "1"}}`,
		".npmrc":       "registry=" + server.URL + "\n",
	}, nil, "install")
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("the registry was not asked")
	}
	x.press(ctrlC)
	text, status := x.end()
	if status.ExitStatus() != 130 || !strings.Contains(text, "interrupted") {
		t.Errorf("ended with %v\n%s", status, text)
	}
	for _, name := range []string{"node_modules", "package-lock.json"} {
		if _, err := os.Lstat(filepath.Join(x.cmd.Dir, name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
}

// Who does not want to wait for a script that goes on after Ctrl-C presses it
// again.
func TestASecondCtrlCEndsAnInstallAtOnce(t *testing.T) {
	x := onTerminal(t, map[string]string{
		"package.json":     `{"name": "app", "version": "1.0.0", "dependencies": {"lib": "file:lib"}, "allowScripts": {"file:lib": true}}`,
		"lib/package.json": `{"name": "lib", "version": "1.0.0", "scripts": {"postinstall": "sh deaf.sh"}}`,
		"lib/deaf.sh":      "trap '' INT TERM\n: >ready\nsleep 60\n",
	}, nil, "install")
	for {
		if _, err := os.Stat(filepath.Join(x.cmd.Dir, "lib", "ready")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	x.press(ctrlC)
	time.Sleep(400 * time.Millisecond)
	x.press(ctrlC)
	if text, status := x.end(); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("ended with %v\n%s", status, text)
	}
}

// Colours are for terminals that have them, and not where NO_COLOR is set, unless
// a flag says so.
func TestColoursOnATerminal(t *testing.T) {
	files := map[string]string{"package.json": `{"name": "app", "version": "1.0.0", "scripts": {"hi": "true"}}`}
	if text, _ := onTerminal(t, files, nil, "run", "x").end(); !strings.Contains(text, "\x1b[31merror") {
		t.Errorf("no colours: %q", text)
	}
	for _, x := range []struct {
		environ string
		args    []string
		want    bool
	}{
		{"X=", []string{"run"}, true},
		{"NO_COLOR=1", []string{"run", "x"}, false},
		{"NO_COLOR=1", []string{"run"}, false},
		{"NO_COLOR=0", []string{"run"}, true},
		{"NO_COLOR=1", []string{"run", "--color"}, true},
		{"TERM=dumb", []string{"run"}, false},
		{"TERM=dumb", []string{"run", "--color=always"}, true},
	} {
		if text, _ := onTerminal(t, files, []string{x.environ}, x.args...).end(); strings.Contains(text, "\x1b[") != x.want {
			t.Errorf("%s %s: %q", x.environ, x.args, text)
		}
	}
	// Scripts are told what the setting says, as by npm.
	files["package.json"] = `{"name": "app", "version": "1.0.0", "scripts": {"hi": "echo COLOR=$COLOR."}}`
	for environ, want := range map[string]string{"TERM=dumb": "1", "NO_COLOR=1": "0"} {
		if text, _ := onTerminal(t, files, []string{environ}, "run", "hi").end(); !strings.Contains(text, "COLOR="+want+".") {
			t.Errorf("%s: %q", environ, text)
		}
	}
}

// Who changes their mind while the browser is open presses Ctrl-C, and has no
// token then.
func TestCtrlCEndsALoginInTheBrowser(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			io.WriteString(w, `{"loginUrl":"http://`+q.Host+`/login","doneUrl":"http://`+q.Host+`/done"}`)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, "{}")
	}))
	defer server.Close()
	x := onTerminal(t, nil, []string{"npm_config_registry=" + server.URL + "/"}, "login")
	x.until("Press ENTER to open in the browser...")
	x.press("\x03")
	text, status := x.end()
	if status.ExitStatus() != 130 || !strings.Contains(text, "interrupted") {
		t.Errorf("status %v\n%s", status, text)
	}
	if _, err := os.Stat(filepath.Join(x.cmd.Dir, "home", ".npmrc")); err == nil {
		t.Error("an .npmrc was written")
	}
}

// Who does not want to answer presses Ctrl-C, and what comes then begins a line.
// A terminal that hid a password shows again what is typed.
func TestCtrlCEndsAQuestion(t *testing.T) {
	const canceled, interrupted = "\r\nibid \x1b[33mwarn\x1b[0m init canceled", "\r\nibid \x1b[31merror\x1b[0m interrupted"
	for _, x := range []struct {
		question, answers string
		args              []string
		status            int
		said              string
	}{
		{"package name: ", "", []string{"init"}, 0, canceled},
		{"Is this OK? ", strings.Repeat("\n", 10), []string{"init"}, 0, canceled},
		{"Username: ", "", []string{"login", "--auth-type=legacy"}, 130, interrupted},
		{"Password: ", "ann\n", []string{"login", "--auth-type=legacy"}, 130, interrupted},
	} {
		t.Run(x.question, func(t *testing.T) {
			on := onTerminal(t, nil, nil, x.args...)
			state := func() (s *term.State) {
				raw, err := on.file.SyscallConn()
				if err == nil {
					err = errors.Join(raw.Control(func(fd uintptr) { s, err = term.GetState(int(fd)) }), err)
				}
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			before := state()
			on.press(x.answers)
			on.until(x.question)
			for x.question == "Password: " && reflect.DeepEqual(state(), before) {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond) // by then it hears of signals
			on.press(ctrlC)
			text, status := on.end()
			if status.ExitStatus() != x.status || !strings.Contains(text, x.said) {
				t.Errorf("ended with %v\n%q", status, text)
			}
			if !reflect.DeepEqual(state(), before) {
				t.Error("the terminal is as it was for the password")
			}
		})
	}
}

// JSON can have what a terminal obeys in it: a program gets it as npm prints it, a
// terminal as an escape that means the same.
func TestJSONOnATerminalIsEscaped(t *testing.T) {
	files := map[string]string{"package.json": "{\"name\": \"app\", \"version\": \"1.0.0\", \"description\": \"a\u009b2Jb\u202ec\"}"}
	text, _ := onTerminal(t, files, nil, "pkg", "get", "description", "--json").end()
	if want := `"a\u009b2Jb\u202ec"`; !strings.Contains(text, want) || strings.ContainsAny(text, "\u009b\u202e") {
		t.Errorf("the terminal shows %q", text)
	}
}
