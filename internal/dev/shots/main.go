// Command shots makes the pictures and recordings in docs/terminal.md: what a
// person sees, from ibid run on a pseudo-terminal.
//
//	go build -o /tmp/ibid ./cmd/ibid
//	go run ./internal/dev/shots -pm /tmp/ibid
//
// Each scene in scenes is a project, a registry and the commands that a person
// types. Every command runs in a terminal of the scene's width; what it writes is
// kept with its times as an asciinema recording (NAME.cast) and drawn as it
// stands at the end (NAME.svg). Times that ibid says are those of that run.
//
// Lines of a scene's comment: "# TEXT" says what it shows, "cols N" is the
// terminal's width, "env NAME=VALUE" is set, "% COMMAND" runs unseen, "$ COMMAND"
// is shown, "^C TEXT" presses Ctrl-C in the next command when it has shown TEXT.
// "slow TEXT DURATION" has the registry answer requests with TEXT in their path
// after up to so long. "picture TEXT" draws the picture when TEXT is on the
// screen, and not at the end.
package main

import (
	"embed"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ibid-pm/ibid/registry/registrytest"
)

//go:embed scenes/*.txtar
var scenes embed.FS

func main() {
	pm := flag.String("pm", "", "the ibid to show (needed)")
	docs := flag.String("docs", "docs", "the folder to write to")
	only := flag.String("only", "", "the one scene to make")
	show := flag.Bool("v", false, "print what the pictures show")
	flag.Parse()
	if err := run(*pm, *docs, *only, *show); err != nil {
		fmt.Fprintln(os.Stderr, "shots:", err)
		os.Exit(1)
	}
}

func run(pm, docs, only string, show bool) error {
	if pm == "" {
		return fmt.Errorf("-pm is needed: the ibid to show")
	}
	pm, err := filepath.Abs(pm)
	if err != nil {
		return err
	}
	files, err := fs.Glob(scenes, "scenes/*.txtar")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(docs, "terminal"), 0o755); err != nil {
		return err
	}
	var page strings.Builder
	page.WriteString(head)
	for _, file := range files {
		s, err := readScene(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		fmt.Fprintf(&page, "\n## %s\n\n![%s](terminal/%s.svg)\n\n[Recording](terminal/%s.cast)\n", s.title, s.title, s.name, s.name)
		if only != "" && s.name != only {
			continue
		}
		if err := s.play(pm); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if show {
			fmt.Printf("--- %s\n%s\n", s.name, s.screen.text())
		}
		base := filepath.Join(docs, "terminal", s.name)
		if s.picture == nil {
			return fmt.Errorf("%s: %q was never on the screen", s.name, s.moment)
		}
		if err := os.WriteFile(base+".svg", s.picture, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(base+".cast", s.cast(), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(docs, "terminal.md"), []byte(page.String()), 0o644)
}

const head = `# What a person sees

Made from ibid itself, on a pseudo-terminal, by

    go build -o /tmp/ibid ./cmd/ibid
    go run ./internal/dev/shots -pm /tmp/ibid

The recordings can be played with ` + "`asciinema play`" + `.
`

// scene is a project and what is typed in it.
type scene struct {
	name, title string
	cols        int
	env         []string
	lines       []string // "$ …", "% …", "^C …"
	slow        map[string]time.Duration
	moment      string // of the picture; "" is the end
	archive     *txtar.Archive

	screen  *screen
	picture []byte
	events  []event
	clock   time.Duration
}

// event is something that was written, and when.
type event struct {
	at   time.Duration
	text string
}

func readScene(file string) (*scene, error) {
	data, err := scenes.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &scene{name: strings.TrimSuffix(path.Base(file), ".txtar"), cols: 80, slow: map[string]time.Duration{}, archive: txtar.Parse(data)}
	for line := range strings.Lines(string(s.archive.Comment)) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "":
		case "#":
			s.title = strings.TrimSpace(s.title + " " + rest)
		case "cols":
			if s.cols, err = strconv.Atoi(rest); err != nil {
				return nil, err
			}
		case "env":
			s.env = append(s.env, rest)
		case "slow":
			what, how, _ := strings.Cut(rest, " ")
			if s.slow[what], err = time.ParseDuration(how); err != nil {
				return nil, err
			}
		case "picture":
			s.moment = rest
		case "$", "%", "^C":
			s.lines = append(s.lines, line)
		default:
			return nil, fmt.Errorf("what is %q?", line)
		}
	}
	return s, nil
}

// play runs the scene's commands.
func (s *scene) play(pm string) error {
	dir, err := os.MkdirTemp("", "shots")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	project, bin := filepath.Join(dir, "project"), filepath.Join(dir, "bin")
	for _, d := range []string{project, bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if err := os.Symlink(pm, filepath.Join(bin, "ibid")); err != nil {
		return err
	}
	for _, f := range s.archive.Files {
		if strings.HasPrefix(f.Name, "registry/") {
			continue
		}
		name := filepath.Join(project, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return err
		}
	}
	reg := registrytest.NewHandler()
	if err := reg.AddTxtar(s.archive); err != nil {
		return err
	}
	reg.TarballBase = registrytest.Canonical
	reg.Start()
	defer reg.Close()
	reg.Delay(s.delay)

	env := append([]string{
		"HOME=" + filepath.Join(dir, "home"), "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8",
		"npm_config_registry=" + reg.URL, "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.com", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.com",
	}, s.env...)
	s.screen = newScreen(s.cols)
	mask := strings.NewReplacer(strings.TrimSuffix(reg.URL, "/"), "https://registry.npmjs.org", project, "~/project", dir, "~")
	press := ""
	for _, line := range s.lines {
		kind, command, _ := strings.Cut(line, " ")
		switch kind {
		case "^C":
			press = command
			continue
		case "%":
			c := exec.Command("sh", "-c", command)
			c.Dir, c.Env = project, append(env, "CI=true")
			if out, err := c.CombinedOutput(); err != nil {
				return fmt.Errorf("%% %s: %w\n%s", command, err, out)
			}
			continue
		}
		s.say("\x1b[1;32m$\x1b[0m "+command+"\r\n", 800*time.Millisecond)
		if err := s.command(command, project, env, mask, press); err != nil {
			return fmt.Errorf("$ %s: %w", command, err)
		}
		press = ""
	}
	s.say("\x1b[1;32m$\x1b[0m ", 500*time.Millisecond)
	if s.moment == "" {
		s.picture = s.screen.svg(s.title)
	}
	return nil
}

// delay is how long the registry takes to answer: as long as one that is far
// away, or what the scene says, for each path another part of it.
func (s *scene) delay(path string) time.Duration {
	for what, limit := range s.slow {
		if strings.Contains(path, what) {
			h := fnv.New32a()
			h.Write([]byte(path))
			return limit/4 + time.Duration(h.Sum32())%(limit*3/4)
		}
	}
	return 60 * time.Millisecond
}

// say has text appear after a while.
func (s *scene) say(text string, after time.Duration) {
	s.clock += after
	s.events = append(s.events, event{s.clock, text})
	s.screen.write(text)
	if s.moment != "" && s.picture == nil && strings.Contains(s.screen.text(), s.moment) {
		s.picture = s.screen.svg(s.title)
	}
}

// command runs one command in a terminal and keeps what it writes.
func (s *scene) command(command, dir string, env []string, mask *strings.Replacer, press string) error {
	c := exec.Command("sh", "-c", command)
	c.Dir, c.Env = dir, env
	file, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: uint16(s.cols)})
	if err != nil {
		return err
	}
	defer file.Close()
	start, begun := time.Now(), s.clock
	buf := make([]byte, 32<<10)
	seen := ""
	for {
		n, err := file.Read(buf)
		if n > 0 {
			text := mask.Replace(string(buf[:n]))
			s.clock = begun
			s.say(text, time.Since(start))
			if seen += text; press != "" && strings.Contains(seen, press) {
				press = ""
				if _, err := file.WriteString("\x03"); err != nil {
					return err
				}
			}
		}
		if err != nil {
			break // that nobody is there any more
		}
	}
	_ = c.Wait() // its status is for the person to see
	return nil
}
