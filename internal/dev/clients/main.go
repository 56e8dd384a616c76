// Command clients installs programs that call npm, has each do its work once
// with the real npm and once with ibid in its place, and compares what they say,
// how they end and what they leave behind.
//
//	go build -o /tmp/ibid ./cmd/ibid
//	go run ./internal/dev/clients -pm /tmp/ibid              # all of them
//	go run ./internal/dev/clients -pm /tmp/ibid -only lerna  # one
//	go run ./internal/dev/clients -pm /tmp/ibid -doc docs/clients.md
//
// "In its place" is two links, npm and npx, in a folder that comes first on the
// PATH; the real npm stays behind it. Each client gets a new project, a git
// repository in the same folder both times, a new home, and a cache that
// survives between runs for each package manager. The clients come from the npm
// registry, so that this needs a network; testdata has nothing of them.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	var (
		pm      = flag.String("pm", "", "the ibid to try (needed)")
		npm     = flag.String("npm", "npm", "the npm to compare it with")
		only    = flag.String("only", "", "names of clients, with commas between (default: all)")
		scratch = flag.String("scratch", "", "folder to work in (default: a new one, removed at the end)")
		doc     = flag.String("doc", "", "file to write the table of what was run to")
		verbose = flag.Bool("v", false, "show what the programs say")
	)
	flag.Parse()
	if err := run(*pm, *npm, *only, *scratch, *doc, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		os.Exit(1)
	}
}

func run(pm, npm, only, scratch, doc string, verbose bool) error {
	if pm == "" {
		return fmt.Errorf("-pm is needed: the ibid to try")
	}
	pm, err := filepath.Abs(pm)
	if err != nil {
		return err
	}
	if npm, err = exec.LookPath(npm); err != nil {
		return err
	}
	if scratch == "" {
		if scratch, err = os.MkdirTemp("", "clients"); err != nil {
			return err
		}
		defer os.RemoveAll(scratch)
	} else if scratch, err = filepath.Abs(scratch); err != nil {
		return err
	}
	l := &lab{scratch: scratch, npm: npm, ibid: pm, verbose: verbose}
	version, err := exec.Command(npm, "--version").Output()
	if err != nil {
		return err
	}
	l.version = strings.TrimSpace(string(version))
	var told []result // in the page
	tried, different := 0, 0
	for _, c := range clients {
		if only != "" && !strings.Contains(","+only+",", ","+c.name+",") {
			if r, ok := l.earlier(c); ok {
				told = append(told, r)
			}
			continue
		}
		start := time.Now()
		r, err := l.try(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		told = append(told, r)
		tried++
		verdict := "same"
		if len(r.Differences) > 0 {
			verdict = "DIFFERENT"
			different++
		}
		fmt.Printf("%-24s %-10s %-9s %.0f s\n", c.name, r.Version, verdict, time.Since(start).Seconds())
		for _, d := range r.Differences {
			fmt.Println("    " + strings.ReplaceAll(strings.TrimRight(d, "\n"), "\n", "\n    "))
		}
	}
	if doc != "" {
		if err := os.WriteFile(doc, []byte(document(told)), 0o644); err != nil {
			return err
		}
	}
	if different > 0 {
		return fmt.Errorf("%d of %d behave otherwise with ibid", different, tried)
	}
	return nil
}

// document is the page for people: what was run, and how it compared.
func document(results []result) string {
	var b strings.Builder
	b.WriteString(`# Programs that call npm

These were installed from the npm registry into a small project, a git
repository, and did their work once with npm and once with ibid as ` + "`npm`" + ` and
` + "`npx`" + ` on the PATH. Compared were the exit status of each command, what it said
(without times, hashes and what npm and ibid themselves tell people), and every
file outside of node_modules, with the lock and the list of what is installed.

    go build -o /tmp/ibid ./cmd/ibid
    go run ./internal/dev/clients -pm /tmp/ibid -doc docs/clients.md

makes this page again.

| client | what was run | calls of npm | with ibid, beside npm |
|---|---|---|---|
`)
	for _, r := range results {
		verdict := "the same as with npm " + r.NPM
		if len(r.Differences) > 0 {
			verdict = fmt.Sprintf("not as with npm %s (%d differences): %s", r.NPM, len(r.Differences), cmp.Or(r.client.because, "the reason is not known"))
		}
		var cmds []string
		for _, s := range r.client.steps {
			if !strings.HasPrefix(s, "#") {
				cmds = append(cmds, "`"+strings.ReplaceAll(s, "|", "\\|")+"`")
			}
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s |\n", r.client.name, r.Version, strings.Join(cmds, "<br>"), called(r.Calls), verdict)
	}
	return b.String()
}

func called(calls []string) string {
	if len(calls) == 0 {
		return "–"
	}
	for i, c := range calls {
		calls[i] = "`" + strings.ReplaceAll(c, "|", "\\|") + "`"
	}
	return strings.Join(calls, "<br>")
}
