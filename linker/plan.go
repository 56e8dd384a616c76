package linker

import (
	"path"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/lockfile"
)

// Action says what happens to one location.
type Action uint8

const (
	Keep Action = iota
	Add
	Change
	Remove
)

// Step is what happens to one location.
type Step struct {
	Action Action
	// Package is the wanted one; for Remove it is the installed one.
	Package *lockfile.Package
	// Was is the installed one, nil for Add.
	Was *lockfile.Package

	keeps []lockfile.Location // nested ones that stay when this one goes
}

// Bin is one link in a .bin folder.
type Bin struct {
	Path   string // of the link, relative to the project: "node_modules/.bin/x"
	Target string // the link's text: "../x/cli.js"
	File   string // the file meant, relative to the project
	Owner  *lockfile.Package

	// Fresh says that the owner is laid out by the plan: the link is its own
	// then, whatever there was.
	Fresh bool
	// Others are the texts of links that others want at the path: one that is
	// there stays unless the owner is fresh.
	Others []string
}

// Plan is all that has to be done, in the order in which it is decided:
// shallow before deep, then by location.
type Plan struct {
	Steps []Step // without Keep
	// Bins are wanted, all of them; OldBins are what the installed packages
	// had and nobody wants any more.
	Bins    []Bin
	OldBins []Bin
	// Orphans are what a linked layout has left; they go before all else.
	Orphans []string
	// Shares are folders of the store that become links to shared packages.
	Shares []Share

	// Within go or change with what they lie in, a package that bundles them or a
	// linked layout's store: they are counted, and nothing else is to be done.
	Within []Step

	links   map[string]string            // Options.Shared
	linksTo map[lockfile.Location]string // Options.LinksTo

	Added, Changed, Removed int
}

// Options changes what a plan contains.
type Options struct {
	NoBins bool // bin-links=false
	Linked bool // wanted is a linked layout, whose links npm does not count
	// Again are installed packages to lay out once more although they look the
	// same.
	Again map[lockfile.Location]bool
	// Orphans are as ReadLinked and StoreLeft give them.
	Orphans []string
	// Shared are the folders of the store that are links, by where they lead:
	// nothing is ever written through them.
	Shared map[string]string
	// LinksTo says, in the project's paths, where links lead that lead elsewhere
	// than their lock says.
	LinksTo map[lockfile.Location]string
}

// NewPlan compares what is installed with what is wanted. Either may be nil.
// wanted holds only what belongs on this machine: no omitted and no inert
// packages.
func NewPlan(installed, wanted *lockfile.Lockfile, o Options) *Plan {
	p := &Plan{Orphans: o.Orphans, links: o.Shared, linksTo: o.LinksTo}
	inside := foldersInside(installed, wanted)
	targets := append(outerTargets(installed), outerTargets(wanted)...)
	have := map[lockfile.Location]*lockfile.Package{}
	var old, within []*lockfile.Package
	if installed != nil {
		for _, x := range installed.Packages {
			switch {
			case !inModules(x.Location) || targets.have(x.Location) || inside[x.Location]:
			case bundled(x, installed):
				within = append(within, x)
			default:
				have[x.Location] = x
				old = append(old, x)
			}
		}
	}
	sortByDepth(old)
	sortByDepth(within)
	var want []*lockfile.Package
	if wanted != nil {
		for _, x := range wanted.Packages {
			if inModules(x.Location) && !targets.have(x.Location) && !inside[x.Location] {
				want = append(want, x)
			}
		}
	}
	sortByDepth(want)
	wanting := make(map[lockfile.Location]*lockfile.Package, len(want))
	sharing := sharing{}
	for _, x := range want {
		wanting[x.Location] = x
		if bundled(x, wanted) {
			continue
		}
		was := have[x.Location]
		if p.shared(string(x.Location)) {
			if was == nil {
				sharing.add(p, x)
			}
			continue
		}
		switch {
		case was == nil:
			p.Steps = append(p.Steps, Step{Action: Add, Package: x})
			if !storeLink(x) && !(o.Linked && x.Link) {
				p.Added++
			}
		case !same(was, x), o.Again[x.Location]:
			p.Steps = append(p.Steps, Step{Action: Change, Package: x, Was: was})
			p.Changed++
		}
	}
	for _, x := range old {
		if wanting[x.Location] != nil {
			continue
		}
		if inStore(x) {
			if _, inside, _ := splitStore(string(x.Location)); inside != "" {
				p.goesWithin(x) // with all of the store
			}
			continue
		}
		p.Steps = append(p.Steps, Step{Action: Remove, Package: x, Was: x})
		p.Removed++
	}
	p.countWithin(within, wanting)
	p.keep(want, wanted, have)
	ours := func(x *lockfile.Package) bool { return p.shared(string(x.Location)) }
	if !o.NoBins {
		fresh := make(map[*lockfile.Package]bool, len(p.Steps))
		for i := range p.Steps {
			fresh[p.Steps[i].Package] = true
		}
		p.Bins = bins(slices.DeleteFunc(want, ours), fresh, wanted, installed)
	}
	if installed != nil {
		wanted := map[string]bool{}
		for i := range p.Bins {
			wanted[p.Bins[i].Path] = true
		}
		// What nothing is done to keeps its links, whatever bins the lock gives it: an old
		// one gives none, and npm asks for none of what lies in a folder.
		for _, b := range bins(p.unchanged(old, wanting), nil, installed) {
			wanted[b.Path] = true
		}
		for _, b := range bins(slices.DeleteFunc(old, ours), nil, installed) {
			if !wanted[b.Path] {
				p.OldBins = append(p.OldBins, b)
			}
		}
	}
	return p
}

// countWithin counts what was bundled by a package that goes or changes
// (npm: arborist lib/diff.js walks what such a package had).
func (p *Plan) countWithin(within []*lockfile.Package, wanting map[lockfile.Location]*lockfile.Package) {
	if len(within) == 0 {
		return
	}
	moving := map[lockfile.Location]bool{}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Action != Add {
			moving[s.Package.Location] = true
		}
	}
	for _, x := range within {
		at := around(x.Location)
		for at != "" && !moving[at] {
			at = around(at)
		}
		switch now := wanting[x.Location]; {
		case at == "":
		case now == nil:
			p.goesWithin(x)
		case !same(x, now):
			p.Within = append(p.Within, Step{Action: Change, Package: now, Was: x})
			p.Changed++
		}
	}
}

func (p *Plan) goesWithin(x *lockfile.Package) {
	p.Within = append(p.Within, Step{Action: Remove, Package: x, Was: x})
	p.Removed++
}

// unchanged gives those of the installed packages that are wanted as they are.
func (p *Plan) unchanged(old []*lockfile.Package, wanting map[lockfile.Location]*lockfile.Package) []*lockfile.Package {
	steps := make(map[*lockfile.Package]bool, len(p.Steps))
	for i := range p.Steps {
		steps[p.Steps[i].Was] = true
	}
	var out []*lockfile.Package
	for _, x := range old {
		if wanting[x.Location] != nil && !steps[x] {
			out = append(out, x)
		}
	}
	return out
}

// keep notes for each package that changes which of those nested in it stay.
// What it has bundled does not: that comes and goes with its files.
func (p *Plan) keep(want []*lockfile.Package, wanted *lockfile.Lockfile, have map[lockfile.Location]*lockfile.Package) {
	steps := map[lockfile.Location]*Step{}
	changes := false
	for i := range p.Steps {
		s := &p.Steps[i]
		steps[s.Package.Location] = s
		changes = changes || s.Action == Change && !s.Package.Link
	}
	if !changes {
		return
	}
	stays := map[lockfile.Location]bool{}
	for _, x := range want { // shallow before deep
		if have[x.Location] == nil || steps[x.Location] != nil || bundled(x, wanted) {
			continue
		}
		stays[x.Location] = true
		for at := around(x.Location); at != "" && !stays[at]; at = around(at) {
			if s := steps[at]; s != nil {
				s.keeps = append(s.keeps, x.Location)
				break
			}
		}
	}
}

// around is the location of the package that a package is nested in, "" for none.
func around(l lockfile.Location) lockfile.Location {
	i := strings.LastIndex(string(l), "/node_modules/")
	if i < 0 {
		return ""
	}
	return l[:i]
}

// bundled says whether a package comes and goes with a dependency that bundles
// it. What the project itself bundles is installed like anything else.
func bundled(p *lockfile.Package, lock *lockfile.Lockfile) bool {
	if !p.InBundle {
		return false
	}
	loc := string(p.Location)
	i := strings.Index(loc, "node_modules/") + len("node_modules/")
	nested := strings.Index(loc[i:], "/node_modules/")
	if nested < 0 {
		return false
	}
	outermost := lock.Get(lockfile.Location(loc[:i+nested]))
	return outermost == nil || !outermost.InBundle
}

// outside are folders outside of the project that links in it lead to: a global
// package, for one. What lies there is its owner's affair.
type outside []string

func outerTargets(lock *lockfile.Lockfile) outside {
	var o outside
	if lock == nil {
		return nil
	}
	for _, p := range lock.Packages {
		if p.Link && (p.Resolved == ".." || strings.HasPrefix(p.Resolved, "../")) {
			o = append(o, p.Resolved)
		}
	}
	return o
}

func (o outside) have(l lockfile.Location) bool {
	return slices.ContainsFunc(o, func(target string) bool {
		rest, ok := strings.CutPrefix(string(l), target)
		return ok && (rest == "" || rest[0] == '/')
	})
}

// foldersInside gives the folders inside of packages that links lead to: they are
// there with the package, or not at all.
func foldersInside(locks ...*lockfile.Lockfile) map[lockfile.Location]bool {
	var out map[lockfile.Location]bool
	for _, lock := range locks {
		if lock == nil {
			continue
		}
		for _, p := range lock.Packages {
			to := lockfile.Location(p.Resolved)
			if !p.Link || !inModules(to) || strings.HasPrefix(p.Resolved, storeDir+"/") || CheckLocation(to) == nil {
				continue
			}
			if out == nil {
				out = map[lockfile.Location]bool{}
			}
			out[to] = true
		}
	}
	return out
}

// inModules tells a package in a node_modules from the root, a workspace or the
// target of a link, which nobody lays out.
func inModules(l lockfile.Location) bool {
	s := string(l)
	return strings.HasPrefix(s, "node_modules/") || strings.Contains(s, "/node_modules/")
}

// same says whether what lies there is what is wanted (npm: arborist
// lib/diff.js, getAction).
func same(was, want *lockfile.Package) bool {
	if was.Link != want.Link {
		return false
	}
	if want.Link {
		return was.Resolved == want.Resolved
	}
	if version(was) != version(want) || was.Name() != want.Name() || patch(was) != patch(want) {
		return false
	}
	if was.Integrity == "" && want.Integrity == "" {
		return was.Resolved == want.Resolved || was.Resolved == "" || want.Resolved == ""
	}
	return was.Integrity == want.Integrity || sharesHash(was.Integrity, want.Integrity)
}

// patch is the integrity of the patch that a package has, "" for none.
func patch(p *lockfile.Package) string {
	if p.Patched == "" {
		return ""
	}
	return p.Patched.Value().Get("integrity").Str()
}

// sharesHash says whether two integrity strings have a hash in common.
func sharesHash(a, b string) bool {
	for x := range strings.FieldsSeq(a) {
		for y := range strings.FieldsSeq(b) {
			if x == y {
				return true
			}
		}
	}
	return false
}

func version(p *lockfile.Package) string {
	if p.Meta == nil {
		return ""
	}
	return p.Meta.Version
}

func depth(l lockfile.Location) int { return strings.Count(string(l), "node_modules/") }

// sortByDepth puts packages into npm's order of building: shallow first, then
// by path. A lock has them in the order of their paths, which is kept.
func sortByDepth(ps []*lockfile.Package) {
	var levels [][]*lockfile.Package
	for _, p := range ps {
		d := depth(p.Location)
		for len(levels) <= d {
			levels = append(levels, nil)
		}
		levels[d] = append(levels[d], p)
	}
	ps = ps[:0]
	byPath := func(a, b *lockfile.Package) int {
		return collate.Compare(string(a.Location), string(b.Location))
	}
	for _, level := range levels {
		if !slices.IsSortedFunc(level, byPath) {
			slices.SortStableFunc(level, byPath)
		}
		ps = append(ps, level...)
	}
}

// bins lists the links that the packages want. The first to want a path has it,
// the first fresh one where there is any: npm links the bins of what it has just
// laid out. The first of the locks that has what a link leads to says which bins
// that has: a link that nobody wants any more may stay, and the lock then says
// nothing of its target.
func bins(ps []*lockfile.Package, fresh map[*lockfile.Package]bool, locks ...*lockfile.Lockfile) []Bin {
	var out []Bin
	taken := map[string]int{}
	for _, p := range ps {
		meta := p.Meta
		if p.Link { // a link's bins are its target's
			meta = nil
			for _, lock := range locks {
				if lock == nil {
					continue
				}
				if target := lock.Get(lockfile.Location(p.Resolved)); target != nil {
					meta = target.Meta
					break
				}
			}
		}
		if meta == nil {
			continue
		}
		for _, b := range binsOf(p, meta) {
			b.Fresh = fresh[p]
			i, ok := taken[b.Path]
			switch {
			case !ok:
				taken[b.Path] = len(out)
				out = append(out, b)
			case b.Fresh && !out[i].Fresh:
				b.Others = append(out[i].Others, out[i].Target)
				out[i] = b
			default:
				out[i].Others = append(out[i].Others, b.Target)
			}
		}
	}
	return out
}

func binsOf(p *lockfile.Package, meta *manifest.Manifest) []Bin {
	loc := string(p.Location)
	i := strings.LastIndex(loc, "node_modules/")
	modules, name := loc[:i+len("node_modules")], loc[i+len("node_modules/"):]
	out := make([]Bin, 0, len(meta.Bin))
	for _, b := range meta.Bin {
		if !safeBin(b) {
			continue
		}
		out = append(out, Bin{
			Path:   modules + "/.bin/" + b.Name,
			Target: "../" + name + "/" + b.Path,
			File:   loc + "/" + b.Path,
			Owner:  p,
		})
	}
	return out
}

// safeBin refuses a bin that would lie outside .bin or point outside its
// package. Manifests are cleaned when they are read; a lockfile is a stranger's.
func safeBin(b manifest.Bin) bool {
	if b.Name == "" || b.Name == "." || b.Name == ".." || strings.ContainsAny(b.Name, "/\\\x00") {
		return false
	}
	if b.Path == "" || strings.ContainsAny(b.Path, "\\\x00") || path.IsAbs(b.Path) {
		return false
	}
	clean := path.Clean(b.Path)
	return clean == b.Path && clean != ".." && !strings.HasPrefix(clean, "../")
}
