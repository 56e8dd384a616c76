// Record runs npm in every scene of package transcript and writes down what it
// sent:
//
//	go run ./internal/dev/transcript/record [-npm "node .../npm-cli.js"] [-out testdata/npm/transcripts.json]
package main

import (
	"bytes"
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
	var g errgroup.Group
	g.SetLimit(4)
	for _, scene := range transcript.Scenes() {
		if only != "" && !slices.Contains(strings.Split(only, ","), scene.Name) {
			continue
		}
		g.Go(func() error {
			r, err := play(npm, scene)
			if err != nil {
				return fmt.Errorf("%s: %w", scene.Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
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
	return os.WriteFile(file, text.Bytes(), 0o644)
}

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
	c := exec.Command(npm[0], append(append([]string{}, npm[1:]...), scene.Args...)...)
	c.Dir, c.Env = project, transcript.Environ(home)
	in, err := c.StdinPipe()
	if err != nil {
		return r, err
	}
	var stdout, stderr bytes.Buffer
	p := &prompter{in: in, prompts: scene.Prompts}
	c.Stdout, c.Stderr = io.MultiWriter(&stdout, p), io.MultiWriter(&stderr, p)
	if len(scene.Prompts) == 0 {
		in.Close()
	}
	err = c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return r, err
	}
	if p.left() > 0 {
		return r, fmt.Errorf("npm asked less than expected: %s\n%s", stdout.Bytes(), stderr.Bytes())
	}
	r.Status, r.Sent = c.ProcessState.ExitCode(), server.Sent()
	if len(scene.Prompts) == 0 { // prompts are printed to stdout
		r.Out = server.Out(stdout.String())
	}
	if m := code.FindSubmatch(stderr.Bytes()); m != nil {
		r.Code = string(m[1])
	}
	if len(r.Sent) == 0 && r.Status == 0 {
		return r, fmt.Errorf("npm sent nothing: %s", stderr.Bytes())
	}
	return r, nil
}

// prompter answers when it sees what is asked.
type prompter struct {
	mu      sync.Mutex
	in      io.WriteCloser
	prompts []string
	seen    string
}

func (p *prompter) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen += string(b)
	for len(p.prompts) > 1 {
		_, rest, ok := strings.Cut(p.seen, p.prompts[0])
		if !ok {
			break
		}
		p.seen = rest
		_, _ = io.WriteString(p.in, p.prompts[1]+"\n")
		p.prompts = p.prompts[2:]
	}
	return len(b), nil
}

func (p *prompter) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.prompts)
}
