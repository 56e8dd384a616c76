package linker

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/lockfile"
)

// SharedEntry is a folder of the linked layout's store that can be one that
// other projects have as well, since all that is in it is known: a package, and
// links to others of its kind.
type SharedEntry struct {
	Entry   string // "node_modules/.store/a@1.0.0-key"
	Package *lockfile.Package
	// ID is made of the package and all that it depends on.
	ID [sha256.Size]byte
	// Links lead from the folder's node_modules to other entries.
	Links []SharedLink
	// Bins are links in the folder's node_modules/.bin.
	Bins []Bin

	content []byte
	order   int // Tarjan's numbers
	low     int
	open    bool
}

// SharedLink is one dependency of a shared entry.
type SharedLink struct {
	Name string // in node_modules
	To   *SharedEntry
}

// Name is the package's folder in the entry's node_modules.
func (e *SharedEntry) Name() string { return e.Package.Location.Name() }

// SharedEntries finds the entries of a linked layout that can be shared. content
// names what a package is made of, nil where its files cannot be another's; who
// depends on such a one cannot be shared either, as its links would have to lead
// into the project.
func SharedEntries(wanted *lockfile.Lockfile, noBins bool, content func(*lockfile.Package) []byte) []*SharedEntry {
	byEntry := map[string]*SharedEntry{}
	members := map[string][]*lockfile.Package{}
	var all []*SharedEntry
	for _, p := range wanted.Packages {
		entry, _, ok := splitStore(string(p.Location))
		if !ok {
			continue
		}
		e := byEntry[entry]
		if e == nil {
			e = &SharedEntry{Entry: entry}
			byEntry[entry] = e
			all = append(all, e)
		}
		members[entry] = append(members[entry], p)
		if !p.Link {
			if e.Package == nil {
				e.Package, e.content = p, content(p)
			} else {
				e.content = nil
			}
		}
	}
	users := map[*SharedEntry][]*SharedEntry{}
	for _, e := range all {
		for _, p := range members[e.Entry] {
			if !p.Link {
				continue
			}
			target, inside, ok := splitStore(p.Resolved)
			to := byEntry[target]
			if !ok || to == nil || to.Package == nil || inside != "node_modules/"+to.Name() || CheckLocation(p.Location) != nil {
				e.content = nil
				continue
			}
			e.Links = append(e.Links, SharedLink{p.Location.Name(), to})
			users[to] = append(users[to], e)
		}
		slices.SortFunc(e.Links, func(a, b SharedLink) int { return cmp.Compare(a.Name, b.Name) })
	}
	var private []*SharedEntry
	for _, e := range all {
		if e.Package == nil || CheckLocation(e.Package.Location) != nil {
			e.content = nil
		}
		if e.content == nil {
			private = append(private, e)
		}
	}
	for len(private) > 0 {
		e := private[len(private)-1]
		private = private[:len(private)-1]
		for _, u := range users[e] {
			if u.content != nil {
				u.content = nil
				private = append(private, u)
			}
		}
	}
	out := all[:0]
	for _, e := range all {
		if e.content != nil {
			out = append(out, e)
		}
	}
	for _, e := range out {
		if !noBins {
			ps := members[e.Entry]
			sortByDepth(ps)
			e.Bins = bins(ps, nil, wanted)
		}
		e.identify()
	}
	identifyAll(out)
	return out
}

// identify adds to the content what else the entry is made of, but for what its
// links lead to.
func (e *SharedEntry) identify() {
	b := appendText(slices.Clip(e.content), e.Name())
	b = binary.AppendUvarint(b, uint64(len(e.Bins)))
	for _, bin := range e.Bins {
		b = appendText(appendText(b, strings.TrimPrefix(bin.Path, e.Entry+"/")), bin.Target)
	}
	e.content = binary.AppendUvarint(b, uint64(len(e.Links)))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// identifyAll gives each entry its ID, which holds those of its dependencies.
// Entries that depend on each other have them by the way that leads to each
// (Tarjan's strongly connected components, dependencies first).
func identifyAll(all []*SharedEntry) {
	next := 0
	var stack []*SharedEntry
	var visit func(e *SharedEntry)
	visit = func(e *SharedEntry) {
		next++
		e.order, e.low, e.open = next, next, true
		stack = append(stack, e)
		for _, l := range e.Links {
			switch {
			case l.To.order == 0:
				visit(l.To)
				e.low = min(e.low, l.To.low)
			case l.To.open:
				e.low = min(e.low, l.To.order)
			}
		}
		if e.low != e.order {
			return
		}
		i := slices.Index(stack, e)
		circle := slices.Clone(stack[i:])
		stack = stack[:i]
		for _, m := range circle {
			m.ID = m.hash()
		}
		for _, m := range circle {
			m.open = false
		}
	}
	for _, e := range all {
		if e.order == 0 {
			visit(e)
		}
	}
}

// hash walks from an entry through those that it is in a circle with, which are
// open still, in the order of their names; the way is the same in any project.
func (e *SharedEntry) hash() [sha256.Size]byte {
	b := []byte("ibid shared package 1\x00")
	number := map[*SharedEntry]uint64{e: 0}
	queue := []*SharedEntry{e}
	for len(queue) > 0 {
		x := queue[0]
		queue = queue[1:]
		b = append(b, x.content...)
		for _, l := range x.Links {
			b = appendText(appendText(b, l.Name), l.To.Name())
			if !l.To.open {
				b = append(append(b, 1), l.To.ID[:]...)
				continue
			}
			n, seen := number[l.To]
			if !seen {
				n = uint64(len(number))
				number[l.To] = n
				queue = append(queue, l.To)
			}
			b = binary.AppendUvarint(append(b, 0), n)
		}
	}
	return sha256.Sum256(b)
}

// Share is a folder of the store that is to be a link.
type Share struct {
	Entry  string
	Target string // an absolute path
}

// sharing are the folders that a plan has as links already.
type sharing map[string]bool

func (s sharing) add(p *Plan, x *lockfile.Package) {
	if !x.Link {
		p.Added++
	}
	entry, _, _ := splitStore(string(x.Location))
	if !s[entry] {
		s[entry] = true
		p.Shares = append(p.Shares, Share{entry, p.links[entry]})
	}
}

// shared says whether what is at a location lies in a folder that is a link.
func (p *Plan) shared(loc string) bool {
	if len(p.links) == 0 {
		return false
	}
	entry, _, ok := splitStore(loc)
	return ok && p.links[entry] != ""
}

// ReadShared finds the folders of the store in the project at dir that are
// links, and where they lead.
func ReadShared(dir string) map[string]string {
	l, err := openLayout(dir)
	if err != nil {
		return nil
	}
	defer l.close()
	r := linkedReader{l: l}
	out := map[string]string{}
	r.eachEntry(func(entry string) {
		if text, err := l.top.Readlink(entry); err == nil {
			out[entry] = text
		}
	})
	return out
}

// IsShared says whether what is at a location lies in one of the links that
// ReadShared found.
func IsShared(links map[string]string, loc lockfile.Location) bool {
	return (&Plan{links: links}).shared(string(loc))
}

// placeShares makes the links to shared packages.
func (a *Applied) placeShares() error {
	for _, s := range a.plan.Shares {
		a.root.spare()
		parent, name, err := a.parent(s.Entry)
		if err != nil {
			return err
		}
		a.made = append(a.made, s.Entry)
		if err := parent.Symlink(s.Target, name); err != nil {
			return err
		}
	}
	return nil
}
