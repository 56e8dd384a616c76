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
	lab, err := s.NewLab(tmp)
	if err != nil {
		return nil, err
	}
	defer lab.Close()
	var out []golden.Answer
	for _, command := range s.Commands {
		answer, err := lab.Ask(command, func(words []string) (string, string, int, error) {
			cmd := exec.Command(npm, words...)
			cmd.Dir = lab.Project
			cmd.Env = lab.Environ()
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return "", "", 0, err
			}
			return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), nil
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
		out = append(out, answer)
	}
	return out, nil
}
