// Pack has a candidate and npm pack the same folders and compares the tarballs,
// byte for byte, and what --json prints of them:
//
//	go run ./internal/dev/pack -pm ./ibid -npm "node .../npm-cli.js"
//
// The folders are real packages (packages.txt), fetched by npm from the public
// registry once, unpacked and packed again; and the trees of internal/packlist,
// which have traps in their ignore files.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/packlist/packlisttest"
	"github.com/ibid-pm/ibid/internal/tarball"
)

func main() {
	var b bench
	pm := flag.String("pm", "", "the candidate's `command`")
	npm := flag.String("npm", "npm", "npm's `command`")
	flag.StringVar(&b.packages, "packages", "internal/dev/pack/packages.txt", "`file` with the real packages, a line for each; \"\" for none")
	flag.StringVar(&b.trees, "trees", "internal/packlist/testdata/trees", "`folder` of txtar trees; \"\" for none")
	flag.StringVar(&b.cache, "cache", "", "`folder` where fetched packages are kept (default: in the scratch folder)")
	flag.StringVar(&b.scratch, "scratch", "", "`folder` to work in (default: a new temporary one, removed afterwards)")
	flag.IntVar(&b.jobs, "jobs", 2, "trees that are packed at once")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	bad, err := b.run(ctx, *pm, *npm)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(2)
	}
	if bad > 0 {
		os.Exit(1)
	}
}

type bench struct {
	packages, trees, cache, scratch string
	jobs                            int

	pm, npm packer
	mu      sync.Mutex
	same    int
	bad     []string
}

// packer is a program that packs.
type packer struct {
	name    string
	command []string
	home    string
}

func (b *bench) run(ctx context.Context, pm, npm string) (bad int, err error) {
	if pm == "" {
		return 0, errors.New("-pm is needed")
	}
	if b.scratch == "" {
		if b.scratch, err = os.MkdirTemp("", "pack-"); err != nil {
			return 0, err
		}
		defer os.RemoveAll(b.scratch)
	}
	if b.scratch, err = filepath.Abs(b.scratch); err != nil {
		return 0, err
	}
	if b.cache == "" {
		b.cache = filepath.Join(b.scratch, "cache")
	}
	if b.cache, err = filepath.Abs(b.cache); err != nil {
		return 0, err
	}
	if b.pm, err = b.newPacker("candidate", pm); err != nil {
		return 0, err
	}
	if b.npm, err = b.newPacker("npm", npm); err != nil {
		return 0, err
	}
	version, err := b.npm.run(ctx, b.scratch, "--version")
	if err != nil {
		return 0, err
	}
	fmt.Printf("npm %s\n", bytes.TrimSpace(version))
	if b.packages != "" {
		if err := b.real(ctx); err != nil {
			return 0, err
		}
	}
	if b.trees != "" {
		if err := b.synthetic(ctx); err != nil {
			return 0, err
		}
	}
	if b.same == 0 {
		return 0, errors.New("nothing was packed")
	}
	fmt.Printf("%d tarballs are the same, %d differ\n", b.same, len(b.bad))
	return len(b.bad), nil
}

func (b *bench) newPacker(name, command string) (packer, error) {
	p := packer{name: name, command: strings.Fields(command), home: filepath.Join(b.scratch, name, "home")}
	for i, word := range p.command {
		if i == 0 && !strings.ContainsRune(word, filepath.Separator) {
			continue
		}
		abs, err := filepath.Abs(word)
		if err != nil {
			return p, err
		}
		p.command[i] = abs
	}
	return p, os.MkdirAll(p.home, 0o755)
}

// run gives what the program printed.
func (p packer) run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, p.command[0], append(slices.Clone(p.command[1:]), args...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "HOME="+p.home, "USERPROFILE="+p.home, "npm_config_cache="+filepath.Join(p.home, "cache"),
		"npm_config_userconfig="+filepath.Join(p.home, ".npmrc"), "npm_config_update_notifier=false", "npm_config_loglevel=error")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return out, fmt.Errorf("%s %s: %w\n%s", p.name, strings.Join(args[:1], " "), err, stderr.Bytes())
	}
	return out, nil
}

// pack gives the tarballs that the program makes, by name, and what it prints.
func (p packer) pack(ctx context.Context, dir, to string, args ...string) (map[string][]byte, []byte, error) {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return nil, nil, err
	}
	out, err := p.run(ctx, dir, append([]string{"pack", "--ignore-scripts", "--json", "--pack-destination", to}, args...)...)
	if err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(to)
	if err != nil {
		return nil, nil, err
	}
	made := map[string][]byte{}
	for _, e := range entries {
		if made[e.Name()], err = os.ReadFile(filepath.Join(to, e.Name())); err != nil {
			return nil, nil, err
		}
	}
	return made, out, nil
}

// compare has both pack the same.
func (b *bench) compare(ctx context.Context, name, dir string, args ...string) error {
	want, said, npmErr := b.npm.pack(ctx, dir, filepath.Join(b.scratch, "npm", "out", name), args...)
	got, says, pmErr := b.pm.pack(ctx, dir, filepath.Join(b.scratch, "candidate", "out", name), args...)
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fail := func(format string, args ...any) {
		text := name + ": " + fmt.Sprintf(format, args...)
		fmt.Println(text)
		b.bad = append(b.bad, text)
	}
	switch {
	case npmErr != nil && pmErr != nil:
		b.same++
		return nil
	case npmErr != nil:
		fail("npm refuses to pack it: %v", npmErr)
		return nil
	case pmErr != nil:
		fail("%v", pmErr)
		return nil
	}
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		fail("made %s, npm %s", g, w)
		return nil
	}
	for file := range want {
		if why := differ(got[file], want[file]); why != "" {
			fail("%s: %s", file, why)
		} else {
			b.same++
		}
	}
	if line, npmLine := firstDifferent(says, said); line != npmLine {
		fail("prints %q, npm prints %q", line, npmLine)
	}
	return nil
}

// uuid is what npm takes for a secret in what it prints, though it be the name
// of a file.
var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// firstDifferent gives the first lines that differ, or nothing.
func firstDifferent(a, b []byte) (string, string) {
	as := strings.Split(uuid.ReplaceAllString(string(a), "***"), "\n")
	bs := strings.Split(string(b), "\n")
	for i := range max(len(as), len(bs)) {
		switch {
		case i >= len(as):
			return "", bs[i]
		case i >= len(bs):
			return as[i], ""
		case as[i] != bs[i]:
			return as[i], bs[i]
		}
	}
	return "", ""
}

// differ says what is different in two tarballs, "" for nothing.
func differ(got, want []byte) string {
	if bytes.Equal(got, want) {
		return ""
	}
	g, err := tarball.Inflate(got, tarball.Limits{}, nil)
	if err != nil {
		return err.Error()
	}
	w, err := tarball.Inflate(want, tarball.Limits{}, nil)
	if err != nil {
		return "npm's: " + err.Error()
	}
	if bytes.Equal(g, w) {
		return fmt.Sprintf("the archives are the same, but not how they are compressed: %d bytes, npm's are %d", len(got), len(want))
	}
	at := 0
	for at < min(len(g), len(w)) && g[at] == w[at] {
		at++
	}
	return fmt.Sprintf("the archives differ from byte %d on: %d bytes, npm's are %d\nfiles     %s\nnpm's are %s", at, len(g), len(w), names(g), names(w))
}

func (b *bench) synthetic(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(b.trees, "*.txtar"))
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(b.jobs)
	for _, file := range files {
		g.Go(func() error {
			name := strings.TrimSuffix(filepath.Base(file), ".txtar")
			dir := filepath.Join(b.scratch, "trees", name, "pkg")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			tree, err := packlisttest.Unpack(dir, file)
			if err != nil {
				return err
			}
			if tree.Workspaces != nil {
				return b.compare(ctx, name, tree.Prefix, "--workspaces", "--include-workspace-root")
			}
			return b.compare(ctx, name, tree.Path)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	fmt.Printf("%d trees\n", len(files))
	return nil
}
