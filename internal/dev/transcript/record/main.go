// Record runs npm in every scene of package transcript and writes down what it
// sent:
//
//	go run ./internal/dev/transcript/record [-npm "node .../npm-cli.js"] [-out testdata/npm/transcripts.json]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/dev/transcript"
)

func main() {
	npm := flag.String("npm", "npm", "npm's `command`")
	out := flag.String("out", "testdata/npm/transcripts.json", "the `file` to write")
	only := flag.String("only", "", "`scenes`, with commas; the others keep what is recorded")
	flag.Parse()
	if err := record(strings.Fields(*npm), *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(npm []string, file, only string) error {
	all := transcript.Recordings{Scenes: map[string]transcript.Recording{}}
	if text, err := os.ReadFile(file); err == nil && only != "" {
		if err := json.Unmarshal(text, &all); err != nil {
			return err
		}
	}
	version := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).Output()
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(string(out))
	}
	all.NPM = version(npm[0], append(append([]string{}, npm[1:]...), "--version")...)
	all.Node = version("node", "--version")
	var mu sync.Mutex
	var failed []error
	var g errgroup.Group
	g.SetLimit(4)
	for _, scene := range transcript.Scenes() {
		if only != "" && !slices.Contains(strings.Split(only, ","), scene.Name) {
			continue
		}
		g.Go(func() error {
			r, err := play(npm, scene)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", scene.Name, err))
				return nil
			}
			all.Scenes[scene.Name] = r
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(all); err != nil {
		return err
	}
	fmt.Printf("npm %s: %d scenes\n", all.NPM, len(all.Scenes))
	// What npm did not end in leaves the others as they are.
	return errors.Join(append(failed, os.WriteFile(file, text.Bytes(), 0o644))...)
}

// patience is how long npm has for a scene.
const patience = time.Minute

var code = regexp.MustCompile(`(?m)^npm error code (\S+)$`)

func play(npm []string, scene transcript.Scene) (transcript.Recording, error) {
	var r transcript.Recording
	dir, err := os.MkdirTemp("", "transcript-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return r, err
	}
	server := transcript.Serve(scene)
	defer server.Close()
	project, home, err := server.Prepare(scene, dir)
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, npm[0], append(append([]string{}, npm[1:]...), scene.Args...)...)
	c.Dir, c.Env = project, server.Environ(scene, home)
	var stdout, stderr bytes.Buffer
	var p *transcript.Prompter
	if scene.Terminal {
		p, err = onTerminal(c, scene, &stderr)
	} else {
		p, err = onPipes(c, scene, &stdout, &stderr)
	}
	if ctx.Err() != nil {
		return r, fmt.Errorf("npm does not end; not asked was %q:\n%s%s", p.Left(), stdout.Bytes(), stderr.Bytes())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return r, err
	}
	if len(p.Left()) > 0 {
		return r, fmt.Errorf("npm asked less than expected: %s\n%s", stdout.Bytes(), stderr.Bytes())
	}
	r.Opened = server.Opened(project)
	r.Status, r.Sent = c.ProcessState.ExitCode(), server.Sent()
	if len(scene.Prompts) == 0 && !scene.Terminal { // prompts are printed to stdout
		r.Out = server.Out(stdout.String())
	}
	if m := code.FindSubmatch(stderr.Bytes()); m != nil {
		r.Code = string(m[1])
	}
	if len(r.Sent) == 0 && r.Status == 0 && !scene.Anonymous && !slices.Contains(scene.Args, "--dry-run") {
		return r, fmt.Errorf("npm sent nothing: %s", stderr.Bytes())
	}
	return r, nil
}

func onPipes(c *exec.Cmd, scene transcript.Scene, stdout, stderr io.Writer) (*transcript.Prompter, error) {
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	p := transcript.NewPrompter(in, scene.Prompts)
	c.Stdout, c.Stderr = io.MultiWriter(stdout, p), io.MultiWriter(stderr, p)
	if len(scene.Prompts) == 0 {
		in.Close()
	}
	return p, c.Run()
}

func onTerminal(c *exec.Cmd, scene transcript.Scene, seen *bytes.Buffer) (*transcript.Prompter, error) {
	file, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 200})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := transcript.NewPrompter(file, scene.Prompts)
	// The end of what is shown is an error here.
	_, _ = io.Copy(io.MultiWriter(seen, p), file)
	shown := bytes.ReplaceAll(seen.Bytes(), []byte("\r"), nil)
	seen.Reset()
	seen.Write(escapes.ReplaceAll(shown, nil))
	return p, c.Wait()
}

// escapes are what moves the cursor and chooses colours.
var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
