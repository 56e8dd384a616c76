// Package golden holds what npm answers to commands that look at a project, so
// that ibid's answers can be compared with them without npm and offline.
//
// A Scene is a project and a list of command lines: one file NAME.txtar in
// testdata/npm/golden, its comment the command lines, its files the project's.
// A file called "-links" lists symbolic links, "path -> target" a line, "-npmrc"
// has more of the user's configuration, and with "-git" the project is a
// repository with one commit. A
// folder "-registry" is what the registry serves, and "-tarballs" what is in its
// tarballs, see Registry; "registry" has packages as registrytest takes them.
//
// An Answer is the exit code, the standard output and the changed files of one
// command line; a scene's answers
// stand beside it in NAME.json, with npm's version. Paths and addresses that
// differ from run to run are masked in them. Each command line finds the project
// as the scene has it.
//
// The program in record asks npm and writes the answers. The package runs
// nothing itself.
package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// Scene is one project and what is asked about it.
type Scene struct {
	Name     string
	Commands []string // command lines without the program's name
	files    []txtar.File
	config   string
	git      bool
}

// Answer is what a program said to one command line.
type Answer struct {
	Command string   `json:"command"`
	Exit    int      `json:"exit"`
	Stdout  []string `json:"stdout"` // its lines
	// Changed has the lines of each file that is new or different, by its path in
	// the project; "~/" is the home, "(git)" the repository. "(file)" stands for a
	// package's file, "(gone)" for what is not there any more.
	Changed map[string][]string `json:"changed,omitempty"`
	// Stderr is not recorded: it is for people.
	Stderr []string `json:"-"`
}

// Answers are those of a scene.
type Answers struct {
	NPM     string   `json:"npm"`
	Answers []Answer `json:"answers"`
}

// Scenes reads the scenes in a folder.
func Scenes(dir string) ([]*Scene, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	var out []*Scene
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			return nil, err
		}
		s := &Scene{Name: strings.TrimSuffix(filepath.Base(name), ".txtar"), files: a.Files}
		for _, f := range a.Files {
			switch f.Name {
			case "-git":
				s.git = true
			case "-npmrc":
				s.config = string(f.Data)
			}
		}
		for line := range strings.Lines(string(a.Comment)) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "#") {
				s.Commands = append(s.Commands, line)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// Unpack makes the project's files in a folder.
func (s *Scene) Unpack(dir string) error {
	for _, f := range s.files {
		switch {
		case strings.HasPrefix(f.Name, "-registry/"), strings.HasPrefix(f.Name, "-tarballs/"), strings.HasPrefix(f.Name, "registry/"),
			f.Name == "-git", f.Name == "-npmrc":
		case f.Name == "-links":
			for line := range strings.Lines(string(f.Data)) {
				from, to, ok := strings.Cut(strings.TrimSpace(line), " -> ")
				if !ok {
					return fmt.Errorf("%s: %q is no link", s.Name, line)
				}
				path := filepath.Join(dir, from)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					return err
				}
				if err := os.Symlink(to, path); err != nil {
					return err
				}
			}
		default:
			path := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			mode := os.FileMode(0o644)
			if bytes.HasPrefix(f.Data, []byte("#!")) {
				mode = 0o755
			}
			if err := os.WriteFile(path, f.Data, mode); err != nil {
				return err
			}
		}
	}
	return nil
}

// Words splits a command line as a shell does, quotes and all but expansion.
func Words(line string) []string {
	var out []string
	var word strings.Builder
	quote, open := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, open = r, true
		case quote == 0 && r == ' ':
			if open || word.Len() > 0 {
				out = append(out, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
		}
	}
	if open || word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}

// Mask replaces in an output what differs from run to run.
func Mask(out string, replace map[string]string) []string {
	for from, to := range replace {
		out = strings.ReplaceAll(out, from, to)
	}
	out = regexp.MustCompile(`"time": \d+`).ReplaceAllString(out, `"time": 0`)
	out = regexp.MustCompile(`(\d packages?|up to date) in [\d.]+(ms|[smh])`).ReplaceAllString(out, "$1 in 0s")
	out = regexp.MustCompile(`published (\S+ )?\S+ \S+ ago`).ReplaceAllString(out, "published some time ago")
	out = regexp.MustCompile(`"(created|timestamp|documentNamespace|serialNumber)": "[^"]*"`).ReplaceAllString(out, `"$1": "masked"`)
	out = regexp.MustCompile(`; (node bin location|node version|npm version) = .*`).ReplaceAllString(out, "; $1 = masked")
	out = regexp.MustCompile(`npm/cli-[\d.]+|("name": "cli",\s+"version": )"[\d.]+"`).ReplaceAllString(out, "${1}masked")
	return strings.Split(out, "\n")
}

// Load reads a scene's answers.
func Load(dir, name string) (*Answers, error) {
	data, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		return nil, err
	}
	a := new(Answers)
	return a, json.Unmarshal(data, a)
}

// Config is the text of the .npmrc that every command runs with.
func Config(registry string) string {
	return "registry=" + registry + "\nupdate-notifier=false\naudit=false\nfund=false\ncolor=false\nfetch-retries=0\n" +
		"prefix=${HOME}/global\n"
}
