package linker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/lockfile"
)

// lock makes a lockfile in a mini-language: "a@1.0.0", "a/b@1.0.0" for b nested
// in a, "a->packages/a" for a link, "a@1.0.0 bin:x=cli.js" for a bin.
func lock(entries ...string) *lockfile.Lockfile {
	l := lockfile.New()
	for _, e := range entries {
		fields := strings.Fields(e)
		p := &lockfile.Package{Meta: &manifest.Manifest{}}
		at := fields[0]
		if from, to, ok := strings.Cut(at, "->"); ok {
			p.Link, p.Resolved, at = true, to, from
		} else if i := strings.LastIndex(at, "@"); i > 0 {
			p.Meta.Version = at[i+1:]
			p.Integrity = "sha512-" + at
			at = at[:i]
		}
		if strings.HasPrefix(at, "./") {
			p.Location = lockfile.Location(at[2:])
		} else {
			p.Location = lockfile.Location("node_modules/" + strings.ReplaceAll(at, "//", "/node_modules/"))
		}
		for _, f := range fields[1:] {
			p.InBundle = p.InBundle || f == "bundled"
			if b, ok := strings.CutPrefix(f, "bin:"); ok {
				name, path, _ := strings.Cut(b, "=")
				p.Meta.Bin = append(p.Meta.Bin, manifest.Bin{Name: name, Path: path})
			}
		}
		l.Packages = append(l.Packages, p)
	}
	l.Index()
	return l
}

// shop has files for every package: an index.js that says which, and a cli.js.
type shop struct {
	mu      sync.Mutex
	fail    string              // a package that cannot be had
	bundles map[string][]string // paths of files in packages, by id
	placed  []string
	onPlace func(id string)
}

func (s *shop) Group(p *lockfile.Package) string { return p.Integrity }

func (s *shop) Place(_ context.Context, p *lockfile.Package, into *Folders) error {
	id := p.Location.Name() + "@" + p.Version()
	s.mu.Lock()
	s.placed = append(s.placed, id)
	if s.onPlace != nil {
		s.onPlace(id)
	}
	s.mu.Unlock()
	if id == s.fail {
		return errors.New("cannot be had")
	}
	return into.Each(func(dst *folder.Folder) error {
		if err := dst.WriteFile("index.js", []byte(id), 0o644); err != nil {
			return err
		}
		if err := dst.WriteFile("cli.js", []byte("#!/usr/bin/env node\r\n"+id), 0o644); err != nil {
			return err
		}
		for _, p := range s.bundles[id] {
			if err := bundle(dst, strings.Split(p, "/")); err != nil {
				return err
			}
		}
		return nil
	})
}

// bundle writes a file that is in a package's tarball below its node_modules,
// as fetch does: in the place of no other.
func bundle(dst *folder.Folder, path []string) error {
	if len(path) == 1 {
		return dst.WriteFile(path[0], nil, 0o644)
	}
	if err := dst.Mkdir(path[0]); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	below, err := dst.Child(path[0])
	if err != nil {
		return err
	}
	defer below.Close()
	return bundle(below, path[1:])
}

func install(t *testing.T, dir string, have, want *lockfile.Lockfile, s *shop) error {
	t.Helper()
	a, err := NewPlan(have, want, Options{}).Apply(t.Context(), dir, s, ApplyOptions{Umask: 0o022, Limit: 4})
	if err != nil {
		return err
	}
	return a.Commit()
}

// tree lists everything below dir: "path", "path -> target", "path = content".
func tree(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		rel = filepath.ToSlash(rel)
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(p)
			out = append(out, rel+" -> "+to)
		case e.Type().IsRegular():
			b, _ := os.ReadFile(p)
			out = append(out, rel+" = "+string(b))
		case rel != ".":
			out = append(out, rel+"/")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func TestApplyLaysOutWhatIsWanted(t *testing.T) {
	one := lock("a@1.0.0 bin:a=cli.js", "b@1.0.0", "b//c@1.0.0", "@s/d@1.0.0 bin:a=cli.js bin:d=cli.js", "./packages/w", "w->packages/w")
	two := lock("a@2.0.0 bin:a=cli.js", "b@1.0.0", "b//c@2.0.0", "c@1.0.0")
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "packages", "w"), 0o755)
	if err := install(t, dir, nil, one, &shop{}); err != nil {
		t.Fatal(err)
	}
	first := tree(t, dir)
	for _, want := range []string{
		"node_modules/a/index.js = a@1.0.0",
		"node_modules/b/node_modules/c/index.js = c@1.0.0",
		"node_modules/@s/d/index.js = @s/d@1.0.0",
		"node_modules/w -> ../packages/w",
		"node_modules/.bin/a -> ../@s/d/cli.js", // before a: @ sorts first
		"node_modules/.bin/d -> ../@s/d/cli.js",
		"node_modules/@s/d/cli.js = #!/usr/bin/env node\n@s/d@1.0.0", // the line's end is mended
		"node_modules/a/cli.js = #!/usr/bin/env node\r\na@1.0.0",     // of one that nobody runs it is not
	} {
		if !strings.Contains("\n"+first+"\n", "\n"+want+"\n") {
			t.Errorf("missing %q in\n%s", want, first)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "node_modules/@s/d/cli.js")); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("the bin's mode: %v, %v", st.Mode(), err)
	}
	t.Run("then changes it as if it had been laid out afresh", func(t *testing.T) {
		if err := install(t, dir, one, two, &shop{}); err != nil {
			t.Fatal(err)
		}
		fresh := t.TempDir()
		os.MkdirAll(filepath.Join(fresh, "packages", "w"), 0o755)
		if err := install(t, fresh, nil, two, &shop{}); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(tree(t, dir), "node_modules/@s/\n", "") // npm leaves an empty scope, too
		if want := tree(t, fresh); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("then has nothing to do", func(t *testing.T) {
		s := &shop{}
		if err := install(t, dir, two, two, s); err != nil || len(s.placed) > 0 {
			t.Errorf("placed %v, %v", s.placed, err)
		}
	})
}

// A process may have few folders open, and a project has many.
func TestFewFoldersStayOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts what is open in /proc")
	}
	defer func(was int) { mostFolders = was }(mostFolders)
	mostFolders = 4
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	var one, two []string
	for i := range 100 {
		at := fmt.Sprintf("@s%d/a", i)
		one = append(one, at+"@1.0.0", at+"//b@1.0.0 bin:x=cli.js", at+"//kept@1.0.0")
		two = append(two, at+"@2.0.0", at+"//b@2.0.0 bin:x=cli.js", at+"//kept@1.0.0")
	}
	dir, fresh := t.TempDir(), t.TempDir()
	before := open()
	most := 0
	s := &shop{onPlace: func(string) { most = max(most, open()-before) }}
	if err := errors.Join(install(t, dir, nil, lock(one...), s), install(t, fresh, nil, lock(two...), s)); err != nil {
		t.Fatal(err)
	}
	was := tree(t, dir)
	if err := install(t, dir, lock(one...), lock(two...), &shop{fail: "b@2.0.0"}); err == nil || err.Error() != "cannot be had" {
		t.Error(err)
	}
	if got := tree(t, dir); got != was {
		t.Errorf("after a failure:\n%s", got)
	}
	if err := install(t, dir, lock(one...), lock(two...), s); err != nil {
		t.Fatal(err)
	}
	if tree(t, dir) != tree(t, fresh) {
		t.Error("the changed tree is not the fresh one")
	}
	if most > 40 {
		t.Errorf("%d files and folders were open at once", most)
	}
}

func TestAFailureLeavesEverythingAsItWas(t *testing.T) {
	one := lock("a@1.0.0 bin:a=cli.js", "b@1.0.0", "b//c@1.0.0", "gone@1.0.0 bin:gone=cli.js")
	two := lock("a@2.0.0 bin:a=cli.js", "b@2.0.0", "b//c@1.0.0", "new@1.0.0 bin:new=cli.js")
	for _, fail := range []string{"a@2.0.0", "b@2.0.0", "new@1.0.0"} {
		dir := t.TempDir()
		if err := install(t, dir, nil, one, &shop{}); err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir)
		if err := install(t, dir, one, two, &shop{fail: fail}); err == nil {
			t.Errorf("%s: no error", fail)
		}
		if after := tree(t, dir); after != before {
			t.Errorf("%s failed:\n%s\nbefore:\n%s", fail, after, before)
		}
		// And what was undone can be done.
		if err := install(t, dir, one, two, &shop{}); err != nil {
			t.Errorf("%s: afterwards: %v", fail, err)
		}
	}
}

// What is nested in a package that changes may change as well, and a step may
// fail after that: the way back is the way there in reverse.
func TestAFailureBelowAPackageThatChangesLeavesEverythingAsItWas(t *testing.T) {
	one := lock("a@1.0.0", "a//b@1.0.0", "a//b//c@1.0.0", "a//gone@1.0.0", "a//kept@1.0.0", "last@1.0.0")
	two := lock("a@2.0.0", "a//b@2.0.0", "a//b//c@2.0.0", "a//kept@1.0.0", "a//new@1.0.0", "last@2.0.0")
	for _, fail := range []string{"a@2.0.0", "b@2.0.0", "c@2.0.0", "new@1.0.0", "last@2.0.0"} {
		dir := t.TempDir()
		if err := install(t, dir, nil, one, &shop{}); err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir)
		if err := install(t, dir, one, two, &shop{fail: fail}); err == nil || err.Error() != "cannot be had" {
			t.Errorf("%s: %v", fail, err)
		}
		if after := tree(t, dir); after != before {
			t.Errorf("%s failed:\n%s\nbefore:\n%s", fail, after, before)
		}
		if err := install(t, dir, one, two, &shop{}); err != nil {
			t.Errorf("%s: afterwards: %v", fail, err)
		}
		fresh := t.TempDir()
		if err := install(t, fresh, nil, two, &shop{}); err != nil {
			t.Fatal(err)
		}
		if got, want := tree(t, dir), tree(t, fresh); got != want {
			t.Errorf("%s: afterwards:\n%s\nwant\n%s", fail, got, want)
		}
	}
}

// What a package bundles comes and goes with it, and what is nested in it
// otherwise has a way of its own.
func TestWhatIsBundledGoesWithThePackageThatChanges(t *testing.T) {
	s := &shop{bundles: map[string][]string{
		"a@1.0.0": {"node_modules/b/1.js", "node_modules/b/node_modules/c/1.js", "node_modules/old/1.js", "node_modules/split/1.js"},
		"a@2.0.0": {"node_modules/b/1.js", "node_modules/new/1.js", "node_modules/joined/1.js"},
		"m@1.0.0": {"node_modules/n/1.js"},
	}}
	one := lock("a@1.0.0", "a//b@1.0.0 bundled", "a//b//c@1.0.0 bundled", "a//old@1.0.0 bundled", "a//split@1.0.0 bundled", "a//joined@1.0.0",
		"a//m@1.0.0", "a//m//n@1.0.0 bundled", "a//b//d@1.0.0")
	two := lock("a@2.0.0", "a//b@1.0.0 bundled", "a//new@1.0.0 bundled", "a//split@1.0.0", "a//joined@1.0.0 bundled",
		"a//m@1.0.0", "a//m//n@1.0.0 bundled", "a//b//d@1.0.0")
	fresh := map[*lockfile.Lockfile]string{}
	for _, l := range []*lockfile.Lockfile{one, two} {
		dir := t.TempDir()
		if err := install(t, dir, nil, l, s); err != nil {
			t.Fatal(err)
		}
		fresh[l] = tree(t, dir)
	}
	for _, way := range []struct {
		from, to *lockfile.Lockfile
		fail     []string
	}{
		{one, two, []string{"a@2.0.0", "split@1.0.0"}},
		{two, one, []string{"a@1.0.0", "joined@1.0.0"}},
	} {
		dir := t.TempDir()
		if err := install(t, dir, nil, way.from, s); err != nil {
			t.Fatal(err)
		}
		for _, fail := range way.fail {
			err := install(t, dir, way.from, way.to, &shop{bundles: s.bundles, fail: fail})
			if err == nil || err.Error() != "cannot be had" {
				t.Errorf("%s: %v", fail, err)
			}
			if got := tree(t, dir); got != fresh[way.from] {
				t.Errorf("%s failed:\n%s\nbefore:\n%s", fail, got, fresh[way.from])
			}
		}
		if err := install(t, dir, way.from, way.to, s); err != nil {
			t.Fatal(err)
		}
		if got := tree(t, dir); got != fresh[way.to] {
			t.Errorf("got\n%s\nwant\n%s", got, fresh[way.to])
		}
	}
}

// As npm 11.19.1 counts: what is bundled is no addition of its own, and counts as
// removed or changed where what bundles it is.
func TestWhatIsBundledIsCountedWhereItGoes(t *testing.T) {
	a1, a2 := []string{"a@1.0.0", "a//b@1.0.0 bundled", "a//b//c@1.0.0 bundled"}, []string{"a@2.0.0", "a//b bundled"}
	one, two := lock(a1...), lock(a2...)
	for _, l := range []*lockfile.Lockfile{one, two} { // what is bundled has no integrity
		for _, p := range l.Packages {
			if p.InBundle {
				p.Integrity = ""
			}
		}
	}
	two.Packages[1].Meta.Version = "2.0.0"
	for _, c := range []struct {
		name                    string
		have, want              *lockfile.Lockfile
		added, changed, removed int
	}{
		{"added", nil, one, 1, 0, 0},
		{"gone", one, lock(), 0, 0, 3},
		{"changed", one, two, 0, 2, 1},
		{"left", one, one, 0, 0, 0},
		{"not known of any more", one, lock("a@1.0.0"), 0, 0, 0},
	} {
		p := NewPlan(c.have, c.want, Options{})
		if p.Added != c.added || p.Changed != c.changed || p.Removed != c.removed {
			t.Errorf("%s: %d added, %d changed, %d removed, want %d, %d, %d", c.name, p.Added, p.Changed, p.Removed, c.added, c.changed, c.removed)
		}
	}
}

// As npm 11.19.1 does.
func TestWithoutBinLinksThoseOfWhatStaysAreLeft(t *testing.T) {
	one := lock("changes@1.0.0 bin:changes=cli.js", "goes@1.0.0 bin:goes=cli.js", "stays@1.0.0 bin:stays=cli.js")
	dir := t.TempDir()
	if err := install(t, dir, nil, one, &shop{}); err != nil {
		t.Fatal(err)
	}
	two := lock("changes@2.0.0 bin:changes=cli.js", "stays@1.0.0 bin:stays=cli.js", "new@1.0.0 bin:new=cli.js")
	a, err := NewPlan(one, two, Options{NoBins: true}).Apply(t.Context(), dir, &shop{}, ApplyOptions{Umask: 0o022, Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(filepath.Join(dir, "node_modules", ".bin"))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) != 1 || names[0] != "stays" {
		t.Errorf("links are there to %v, %v", names, err)
	}
}

// As npm 11.19.1 and 12.2.0 do.
func TestWhatStaysKeepsLinksToBinsThatTheLockDoesNotKnow(t *testing.T) {
	one := lock("a@1.0.0", "a//stays@1.0.0 bin:stays=cli.js", "a//goes@1.0.0 bin:goes=cli.js")
	two := lock("a@1.0.0", "a//stays@1.0.0")
	p := NewPlan(one, two, Options{})
	if len(p.OldBins) != 1 || p.OldBins[0].Path != "node_modules/a/node_modules/.bin/goes" {
		t.Errorf("links that go: %v", p.OldBins)
	}
}

func TestWhatIsLeftOutAfterAllHasNoBinAndIsNotCounted(t *testing.T) {
	want := lock("gone@1.0.0 bin:gone=cli.js", "here@1.0.0 bin:here=cli.js")
	dir := t.TempDir()
	p := NewPlan(nil, want, Options{})
	a, err := p.Apply(t.Context(), dir, &shop{}, ApplyOptions{Umask: 0o022, Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.LeaveOut(map[lockfile.Location]bool{"node_modules/gone": true}); err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); strings.Contains(got, ".bin/gone") || !strings.Contains(got, ".bin/here") {
		t.Error(got)
	}
	if p.Added != 1 || len(p.Steps) != 1 {
		t.Errorf("%d added in %d steps", p.Added, len(p.Steps))
	}
}

// Once what was in the way is gone, the next run removes it: also beside a nested
// package.
func TestWhatCannotBeRemovedIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	one := lock("a@1.0.0", "a//b@1.0.0", "c@1.0.0")
	if err := install(t, dir, nil, one, &shop{}); err != nil {
		t.Fatal(err)
	}
	for _, loc := range []string{"a/node_modules/b", "c"} {
		kept := filepath.Join(dir, "node_modules", filepath.FromSlash(loc), "kept")
		if err := os.MkdirAll(filepath.Join(kept, "x"), 0o755); err != nil {
			t.Fatal(err)
		}
		stick(t, kept)
	}
	if err := install(t, dir, one, lock("a@1.0.0", "a//b@2.0.0", "c@2.0.0"), &shop{}); err == nil {
		t.Fatal("everything could be removed")
	}
	left := func() (trash []string) {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "kept" {
				trash = append(trash, path)
			}
			return nil
		})
		return trash
	}
	all := left()
	if len(all) != 2 {
		t.Fatalf("left are %q", all)
	}
	for _, kept := range all {
		unstick(t, kept)
	}
	if some, err := Heal(dir); !some || err != nil {
		t.Errorf("healed: %v, %v", some, err)
	}
	got := tree(t, dir)
	if strings.Contains(got, trashName) || !strings.Contains(got, "b@2.0.0") {
		t.Errorf("there is\n%s", got)
	}
	if some, err := Heal(dir); some || err != nil {
		t.Errorf("healed again: %v, %v", some, err)
	}
}

func TestAPackageWithNestedOnesBecomesALinkAndBack(t *testing.T) {
	folders, link := lock("a@1.0.0", "a//b@1.0.0"), lock("a->packages/a", "./packages/a", "b@2.0.0")
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "packages", "a"), 0o755)
	if err := install(t, dir, nil, folders, &shop{}); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	if err := install(t, dir, folders, link, &shop{fail: "b@2.0.0"}); err == nil || err.Error() != "cannot be had" {
		t.Error(err)
	}
	if after := tree(t, dir); after != before {
		t.Errorf("after a failure:\n%s\nbefore:\n%s", after, before)
	}
	if err := install(t, dir, folders, link, &shop{}); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(filepath.Join(dir, "node_modules", "a")); to != "../packages/a" {
		t.Errorf("a leads to %q, %v", to, err)
	}
	if err := install(t, dir, link, folders, &shop{}); err != nil {
		t.Fatal(err)
	}
	if after := tree(t, dir); after != before {
		t.Errorf("and back:\n%s\nwant\n%s", after, before)
	}
}

// As npm 11.19.1 does: who comes last takes the path, and keeps it.
func TestBinsOfTheSameName(t *testing.T) {
	a, b, c := "a@1.0.0 bin:x=cli.js", "b@1.0.0 bin:x=cli.js", "c@1.0.0"
	dir := t.TempDir()
	link := func(want string) {
		t.Helper()
		if got, err := os.Readlink(filepath.Join(dir, "node_modules", ".bin", "x")); got != want {
			t.Errorf("the link says %q, want %q, %v", got, want, err)
		}
	}
	steps := []struct {
		packages []string
		link     string
	}{
		{[]string{a, b}, "../a/cli.js"},
		{[]string{b}, "../b/cli.js"},
		{[]string{a, b}, "../a/cli.js"},
		{[]string{a}, "../a/cli.js"},
		{[]string{a, b}, "../b/cli.js"},
		{[]string{a, b, c}, "../b/cli.js"},
	}
	var have *lockfile.Lockfile
	for _, s := range steps {
		want := lock(s.packages...)
		if err := install(t, dir, have, want, &shop{}); err != nil {
			t.Fatal(err)
		}
		link(s.link)
		have = want
	}
}

func TestAFailedFirstInstallLeavesNoFolders(t *testing.T) {
	dir := t.TempDir()
	l := lock("@s/a@1.0.0", "a@1.0.0 bin:a=cli.js", "a//b@1.0.0", "z@1.0.0")
	if err := install(t, dir, nil, l, &shop{fail: "z@1.0.0"}); err == nil || err.Error() != "cannot be had" {
		t.Fatal(err)
	}
	if got := tree(t, dir); got != "" {
		t.Errorf("left:\n%s", got)
	}
}

func TestAnOptionalPackageThatFailsIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	plan := NewPlan(nil, lock("a@1.0.0", "opt@1.0.0"), Options{})
	a, err := plan.Apply(t.Context(), dir, &shop{fail: "opt@1.0.0"}, ApplyOptions{
		Limit: 2, Failed: func(p *lockfile.Package, _ error) bool { return p.Location == "node_modules/opt" },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); strings.Contains(got, "opt") || !strings.Contains(got, "a@1.0.0") || len(a.Missing) != 1 {
		t.Errorf("got\n%s\nmissing %v", got, a.Missing)
	}
}

// A run that is killed is imitated by one whose process stops at a step: the
// state on disk at that moment is copied away and healed.
func TestARunThatWasKilledIsHealed(t *testing.T) {
	one := lock("a@1.0.0 bin:a=cli.js", "b@1.0.0", "b//c@1.0.0", "stays@1.0.0", "goes@1.0.0 bin:goes=cli.js")
	two := lock("a@2.0.0 bin:a=cli.js", "b@2.0.0", "b//c@1.0.0", "stays@1.0.0", "new@1.0.0 bin:new=cli.js")
	dir := t.TempDir()
	if err := install(t, dir, nil, one, &shop{}); err != nil {
		t.Fatal(err)
	}
	wantDir := t.TempDir()
	if err := install(t, wantDir, nil, two, &shop{}); err != nil {
		t.Fatal(err)
	}
	want := tree(t, wantDir)
	var copies []string
	s := &shop{onPlace: func(string) {
		to := t.TempDir()
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Error(err)
		}
		copies = append(copies, to)
	}}
	a, err := NewPlan(one, two, Options{}).Apply(t.Context(), dir, s, ApplyOptions{Umask: 0o022, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	last := t.TempDir()
	os.CopyFS(last, os.DirFS(dir))
	copies = append(copies, last)
	a.Commit()
	for i, c := range copies {
		healed, err := Heal(c)
		if err != nil || !healed {
			t.Fatalf("%d: %v, %v", i, healed, err)
		}
		// What is left is found by looking, as after any stranger's change.
		var have []string
		for _, p := range one.Packages {
			b, err := os.ReadFile(filepath.Join(c, filepath.FromSlash(string(p.Location)), "index.js"))
			if err == nil {
				at := strings.TrimPrefix(strings.ReplaceAll(string(p.Location), "/node_modules/", "//"), "node_modules/")
				_, version, _ := strings.Cut(string(b), "@")
				have = append(have, at+"@"+version)
			}
		}
		if !slices.Contains(have, "stays@1.0.0") {
			t.Errorf("%d: what was not touched is gone: %v", i, have)
		}
		if err := install(t, c, lock(have...), two, &shop{}); err != nil {
			t.Fatal(err)
		}
		if got := tree(t, c); got != want {
			t.Errorf("%d: got\n%s\nwant\n%s", i, got, want)
		}
	}
}

// A script that ran as root has left a folder that only root can empty.
func TestWhatCannotBeRemovedIsInNobodysWay(t *testing.T) {
	dir := t.TempDir()
	stuck := filepath.Join(dir, "node_modules", trashName, "0", "roots")
	if err := os.MkdirAll(filepath.Join(stuck, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	why := stick(t, stuck)
	was := lock("a@1.0.0", "b@1.0.0")
	if err := install(t, dir, nil, was, &shop{}); err != nil {
		t.Fatal(err)
	}
	for _, now := range []*lockfile.Lockfile{lock("a@2.0.0", "b@2.0.0"), lock("b@3.0.0")} {
		if err := install(t, dir, was, now, &shop{}); err == nil || !strings.Contains(err.Error(), why) {
			t.Fatalf("%v, want to hear of it", err)
		}
		was = now
	}
	for path, want := range map[string]bool{"a": false, "b/index.js": true, trashName + "/0": true, trashName + "/1": false, journalName: true} {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", path)); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if some, err := Heal(dir); !some || err != nil {
		t.Errorf("healed: %v, %v", some, err)
	}
	if some, err := Heal(dir); some || err != nil {
		t.Errorf("healed again: %v, %v", some, err)
	}
}

// readOnly takes the right to write from a folder.
func readOnly(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	return "permission denied"
}

func TestAStrangersLinkIsNotFollowed(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	t.Run("where a package goes", func(t *testing.T) {
		os.MkdirAll(filepath.Join(dir, "node_modules"), 0o755)
		os.Symlink(outside, filepath.Join(dir, "node_modules", "a"))
		if err := install(t, dir, nil, lock("a@1.0.0", "a//b@1.0.0"), &shop{}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("where a scope goes", func(t *testing.T) {
		os.Symlink(outside, filepath.Join(dir, "node_modules", "@s"))
		if err := install(t, dir, nil, lock("@s/a@1.0.0"), &shop{}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("where the bins go", func(t *testing.T) {
		os.RemoveAll(filepath.Join(dir, "node_modules", ".bin"))
		os.Symlink(outside, filepath.Join(dir, "node_modules", ".bin"))
		if err := install(t, dir, nil, lock("x@1.0.0 bin:x=cli.js"), &shop{}); err != nil {
			t.Fatal(err)
		}
	})
	if got := tree(t, outside); got != "" {
		t.Errorf("outside there is\n%s", got)
	}
}

// What could not be laid out is taken back, and no stranger's link leads that to
// a folder of the user's.
func TestNothingBehindAStrangersLinkIsTakenBack(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, dir string)
	}{
		{"when an install fails", func(t *testing.T, dir string) {
			s := &shop{fail: "b@1.0.0"}
			p := NewPlan(lock("a@1.0.0"), lock("a@1.0.0", "b@1.0.0", "a//docs@1.0.0"), Options{})
			if _, err := p.Apply(t.Context(), dir, s, ApplyOptions{Limit: 1}); err == nil {
				t.Error("no error")
			}
		}},
		{"where an optional package cannot be had", func(t *testing.T, dir string) {
			p := NewPlan(lock("a@1.0.0"), lock("a@1.0.0", "a//docs@1.0.0"), Options{})
			o := ApplyOptions{Limit: 1, Failed: func(*lockfile.Package, error) bool { return true }}
			if _, err := p.Apply(t.Context(), dir, &shop{fail: "docs@1.0.0"}, o); err != nil {
				t.Error(err)
			}
		}},
		{"where it is left out", func(t *testing.T, dir string) {
			a, err := NewPlan(lock("a@1.0.0"), lock("a@1.0.0", "b@1.0.0"), Options{}).Apply(t.Context(), dir, &shop{}, ApplyOptions{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			if err := a.LeaveOut(map[lockfile.Location]bool{"node_modules/a/node_modules/docs": true}); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, home := t.TempDir(), t.TempDir()
			os.MkdirAll(filepath.Join(dir, "node_modules", "a"), 0o755)
			os.Symlink(home, filepath.Join(dir, "node_modules", "a", "node_modules"))
			os.MkdirAll(filepath.Join(home, "docs"), 0o755)
			os.WriteFile(filepath.Join(home, "docs", "letter"), nil, 0o600)
			c.do(t, dir)
			if got := tree(t, home); !strings.Contains(got, "docs/letter") {
				t.Errorf("the user has\n%s", got)
			}
		})
	}
}

func TestPlacesThatAreRefused(t *testing.T) {
	for _, loc := range []string{
		"", "a", "node_modules", "node_modules/", "node_modules/..", "node_modules/../x", "node_modules/a/../../x", "/node_modules/a",
		"node_modules/.bin", "node_modules/@s", "node_modules/@s/..", "node_modules/a/b", "../node_modules/a", "node_modules/a\\b",
		"node_modules/node_modules/a", "packages/../../node_modules/a", "node_modules/a/node_modules", "node_modules//a",
	} {
		if CheckLocation(lockfile.Location(loc)) == nil {
			t.Errorf("%q is taken", loc)
		}
	}
	for _, loc := range []string{"node_modules/a", "node_modules/@s/a", "node_modules/a/node_modules/@s/b", "packages/w/node_modules/a"} {
		if err := CheckLocation(lockfile.Location(loc)); err != nil {
			t.Errorf("%q: %v", loc, err)
		}
	}
	t.Run("a package inside of a link", func(t *testing.T) {
		plan := NewPlan(nil, lock("w->packages/w", "w//a@1.0.0"), Options{})
		if _, err := plan.Apply(t.Context(), t.TempDir(), &shop{}, ApplyOptions{}); err == nil {
			t.Error("no error")
		}
	})
}

func TestWhatIsBundled(t *testing.T) {
	var got []string
	for _, s := range NewPlan(nil, lock("a@1.0.0", "a//b@1.0.0 bundled", "a//b//c@1.0.0 bundled", "mine@1.0.0 bundled", "mine//d@1.0.0 bundled"), Options{}).Steps {
		got = append(got, string(s.Package.Location))
	}
	want := []string{"node_modules/a", "node_modules/mine", "node_modules/mine/node_modules/d"}
	if !slices.Equal(got, want) {
		t.Errorf("steps for %v, want those that no dependency brings: %v", got, want)
	}
}

func TestBinsThatAreRefused(t *testing.T) {
	for _, b := range []string{"bin:../x=cli.js", "bin:x=../../cli.js", "bin:x=/etc/passwd", "bin:..=cli.js"} {
		if plan := NewPlan(nil, lock("a@1.0.0 "+b), Options{}); len(plan.Bins) > 0 {
			t.Errorf("%s: %v", b, plan.Bins)
		}
	}
}

func TestTheJournalOfAStrangerRemovesNothingElse(t *testing.T) {
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "node_modules", "a"), 0o755)
	os.MkdirAll(filepath.Join(dir, "src"), 0o755)
	journal := strings.Join([]string{"src", "..", "../x", "node_modules", "node_modules/../src", "node_modules/.bin/../../src", ".", ""}, "\n")
	os.WriteFile(filepath.Join(dir, "node_modules", journalName), []byte(journal), 0o644)
	if _, err := Heal(dir); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"src", "node_modules/a"} {
		if _, err := os.Stat(filepath.Join(dir, p)); err != nil {
			t.Errorf("%s is gone", p)
		}
	}
}

func FuzzCheckLocation(f *testing.F) {
	for _, s := range []string{"node_modules/a", "node_modules/@s/a/node_modules/b", "packages/w/node_modules/a", "node_modules/.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckLocation(lockfile.Location(s)) != nil {
			return
		}
		if !filepath.IsLocal(filepath.FromSlash(s)) || filepath.ToSlash(filepath.Clean(s)) != s {
			t.Errorf("%q is taken", s)
		}
	})
}

// Who else may write to a file of the project's is the project's affair.
func TestABinThatEverybodyMayRunKeepsItsMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	for mode, want := range map[fs.FileMode]fs.FileMode{0o775: 0o775, 0o777: 0o777, 0o664: 0o755, 0o711: 0o755} {
		dir := t.TempDir()
		file := filepath.Join(dir, "packages", "w", "cli.js")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("#!/usr/bin/env node\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if err := install(t, dir, nil, lock("./packages/w bin:w=cli.js", "w->packages/w bin:w=cli.js"), &shop{}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(filepath.Join(dir, "node_modules/.bin/w")); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := st.Mode().Perm(); got != want {
			t.Errorf("%o became %o, want %o", mode, got, want)
		}
	}
}
