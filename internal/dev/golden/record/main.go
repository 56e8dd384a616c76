// Record asks npm what the scenes in testdata/npm/golden ask, and writes its
// answers beside them:
//
//	go run ./internal/dev/golden/record [-npm npm] [-dir testdata/npm/golden] [NAME ...]
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/dev/golden"
)

func main() {
	npm := flag.String("npm", "npm", "the program to ask")
	dir := flag.String("dir", "testdata/npm/golden", "the folder of scenes")
	flag.Parse()
	if err := record(*npm, *dir, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func record(npm, dir string, names []string) error {
	version, err := exec.Command(npm, "--version").Output()
	if err != nil {
		return err
	}
	scenes, err := golden.Scenes(dir)
	if err != nil {
		return err
	}
	for _, s := range scenes {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		a := golden.Answers{NPM: strings.TrimSpace(string(version))}
		if a.Answers, err = ask(npm, s); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(a); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, s.Name+".json"), out.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d answers\n", s.Name, len(a.Answers))
	}
	return nil
}

func ask(npm string, s *golden.Scene) ([]golden.Answer, error) {
	tmp, err := os.MkdirTemp("", "golden")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if tmp, err = filepath.EvalSymlinks(tmp); err != nil {
		return nil, err
	}
	home, project := filepath.Join(tmp, "home"), filepath.Join(tmp, "project")
	server := s.Registry()
	defer server.Close()
	if err := os.MkdirAll(filepath.Join(home, "global", "lib", "node_modules"), 0o755); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(project, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(home, ".npmrc"), []byte(golden.Config(server.URL)), 0o644); err != nil {
		return nil, err
	}
	if err := s.Unpack(project); err != nil {
		return nil, err
	}
	var out []golden.Answer
	for _, command := range s.Commands {
		cmd := exec.Command(npm, golden.Words(command)...)
		cmd.Dir = project
		cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "NO_COLOR=1"}
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return nil, err
		}
		out = append(out, golden.Answer{Command: command, Exit: cmd.ProcessState.ExitCode(),
			Stdout: golden.Mask(stdout.String(), map[string]string{project: "{DIR}", home: "{HOME}", server.URL: "{REGISTRY}"})})
	}
	return out, nil
}
