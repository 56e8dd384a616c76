package tarball

import (
	"fmt"
	"io/fs"
	"math"
	"sort"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// maxWarnings bounds what a hostile archive can make us remember.
const maxWarnings = 100

// Read inflates and understands a package tarball. Nothing is written. The
// error is an *Error.
func Read(tgz []byte, o Options) (*Archive, error) {
	data, err := Inflate(tgz, o.Limits, o.Buffer)
	if err != nil {
		return nil, err
	}
	return readTar(data, o)
}

// parser walks the blocks of an archive. It keeps node-tar's states only
// where they can be seen from outside.
type parser struct {
	Options
	arch  *Archive
	ex    *pax // describes the next entry
	gex   *pax // describes all later entries
	files map[string]int
	dirs  map[string]string // key → path as first seen
	last  string            // directory of the last file, known to be in dirs

	ignores map[string]bool // .npmignore files seen, by their path in the archive
	missed  int             // warnings beyond maxWarnings
	paths   int64           // bytes of the paths of all files and folders
}

func readTar(data []byte, o Options) (*Archive, error) {
	o.Limits = o.Limits.orDefault()
	o.Flavour = o.Flavour.resolve()
	p := &parser{
		Options: o,
		arch:    &Archive{Data: data},
		files:   make(map[string]int),
		dirs:    make(map[string]string),
	}
	valid := false // some header was one
	nulls := 0
	pos := 0
scan:
	for pos+block <= len(data) {
		h, err := decodeHeader(data[pos:], p.ex, p.gex)
		pos += block
		switch {
		case err != nil:
			nulls = 0
			p.warn("TAR_ENTRY_INVALID", h.path, "header skipped: "+err.Error())
			continue
		case h.null:
			if nulls++; nulls == 2 {
				break scan
			}
			continue
		}
		nulls = 0
		link := h.kind == kindLink || h.kind == kindSymlink
		switch {
		case h.path == "":
			p.warn("TAR_ENTRY_INVALID", "", "header skipped: it has no path")
			continue
		case link && !h.linkpath:
			p.warn("TAR_ENTRY_INVALID", h.path, "header skipped: a link without a target")
			continue
		case !link && h.kind != kindPax && h.kind != kindGlobalPax && h.linkpath:
			p.warn("TAR_ENTRY_INVALID", h.path, "header skipped: a link target on what isn't a link")
			continue
		}

		// From here on the header is one, and what it claims to hold must be there.
		stored := block * math.Ceil(h.size/block)
		if stored > float64(len(data)-pos) {
			return nil, &Error{code: CodeBadArchive, Entry: clip(h.path), Reason: fmt.Sprintf(
				"archive ends early: needs %.0f more bytes, only %d are left", stored, len(data)-pos)}
		}
		body := data[pos : pos+int(h.size)]
		offset := pos
		pos += int(stored)

		if h.kind.meta() {
			// node-tar doesn't count an archive of empty meta entries alone.
			valid = valid || len(body) > 0
			if len(body) > 0 && len(body) <= maxMeta {
				p.describe(h.kind, body)
			}
			continue
		}
		valid = true
		err = p.entry(h, offset)
		p.ex = nil
		if err != nil {
			return nil, err
		}
	}
	if !valid {
		return nil, bad(CodeBadArchive, "not a tar archive: no valid entry in %s", size(int64(len(data))))
	}
	if p.missed > 0 {
		p.arch.Warnings = append(p.arch.Warnings, Warning{"TAR_ENTRY_INFO", "", fmt.Sprintf("and %d more like these", p.missed)})
	}
	p.arch.Dirs = make([]string, 0, len(p.dirs))
	for _, d := range p.dirs {
		p.arch.Dirs = append(p.arch.Dirs, d)
	}
	// "a" sorts before "a/b": parents come first.
	sort.Strings(p.arch.Dirs)
	return p.arch, nil
}

func (p *parser) warn(code, path, reason string) {
	if len(p.arch.Warnings) >= maxWarnings {
		p.missed++
		return
	}
	p.arch.Warnings = append(p.arch.Warnings, Warning{code, clip(path), reason})
}

// describe keeps what a meta entry says for the entries it is about.
func (p *parser) describe(k kind, body []byte) {
	switch k {
	case kindPax, kindOldPax:
		p.ex = parsePax(body, p.ex)
	case kindGlobalPax:
		p.gex = parsePax(body, p.gex)
	default:
		ex := new(pax)
		if p.ex != nil {
			*ex = *p.ex
		}
		text := cutNUL(js.ValidText(string(body)))
		if k == kindLongLink {
			ex.linkpath, ex.hasLink = text, true
		} else {
			ex.path, ex.hasPath = text, true
		}
		p.ex = ex
	}
}

// entry takes in what isn't a meta entry. Only regular files stay.
func (p *parser) entry(h header, offset int) error {
	path := h.path
	if p.ex != nil && p.ex.hasPath {
		path = p.ex.path
	}
	if p.Flavour == Windows {
		path = strings.ReplaceAll(path, `\`, "/")
	}
	switch h.kind {
	case kindFile, kindContiguous:
	case kindDirectory, kindDumpDir:
		return nil // folders come from the files in them
	default:
		p.warn("TAR_ENTRY_UNSUPPORTED", path, h.kind.String()+" are not unpacked")
		return nil
	}

	mode := fs.FileMode(h.mode&0o7777|0o666) &^ (p.Umask & 0o777)
	if len(p.Bins) > 0 && p.Bins[withoutFirst(path)] {
		mode |= 0o111
	}
	mode |= 0o600
	if special := mode & 0o7000; special != 0 {
		p.warn("TAR_ENTRY_INFO", path, fmt.Sprintf("unpacked without the mode bits %04o (setuid, setgid, sticky)", uint32(special)))
		mode &= 0o777
	}

	switch base(path) {
	case ".npmignore":
		if p.ignores == nil {
			p.ignores = make(map[string]bool)
		}
		p.ignores[path] = true
	case ".gitignore":
		if p.HostedGit {
			break
		}
		if stem, ok := strings.CutSuffix(path, ".gitignore"); ok {
			path = stem + ".npmignore"
		}
		if p.ignores[path] {
			p.warn("TAR_ENTRY_INFO", h.path, "left out: there is an .npmignore beside it")
			return nil
		}
	}

	clean, parent, note, ok := cleanPath(path, p.Flavour, p.Limits)
	if note != nil {
		if note.code == CodeEntry && !ok && strings.IndexByte(path, 0) >= 0 {
			return &Error{code: CodeEntry, Entry: clip(path), Reason: note.reason}
		}
		p.warn(note.code, path, note.reason)
	}
	if !ok {
		if parent != "" {
			_, _, err := p.mkdir(parent)
			return err
		}
		return nil
	}
	if target := p.linkpath(); target != "" && escapes(clean, target) {
		// npm drops a file whose extended header has a link target that leads outside.
		p.warn("TAR_ENTRY_ERROR", path, "its extended header names a link target outside of the package")
		return nil
	}
	return p.add(clean, Entry{Mode: mode, Size: int64(h.size), Offset: offset}, h.kind, path)
}

// linkpath is the link target that extended headers give the entry.
func (p *parser) linkpath() string {
	// The global header is applied last.
	if p.gex != nil && p.gex.hasLink {
		return p.gex.linkpath
	}
	if p.ex != nil && p.ex.hasLink {
		return p.ex.linkpath
	}
	return ""
}

// escapes says whether target, seen from the file path, contains ".." and
// leads outside.
func escapes(path, target string) bool {
	_, target = splitRoot(target)
	if !climbs(target) {
		return false
	}
	depth := strings.Count(path, "/")
	for name := range strings.FieldsFuncSeq(target, func(r rune) bool { return r == '/' || r == '\\' }) {
		switch name {
		case ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

// add puts a file where it belongs, among those that are there already.
func (p *parser) add(path string, e Entry, k kind, raw string) error {
	dir, name := split(path)
	if dir != p.last {
		actual, ok, err := p.mkdir(dir)
		if err != nil {
			return err
		}
		if !ok {
			p.warn("TAR_ENTRY_ERROR", raw, "left out: an earlier entry is a file where this one needs a folder")
			return nil
		}
		if actual != dir {
			dir = actual
			path = dir + "/" + name
		} else {
			p.last = dir
		}
	}
	key := p.Flavour.key(path)
	if _, isDir := p.dirs[key]; isDir {
		p.warn("TAR_ENTRY_ERROR", raw, "left out: an earlier entry needs a folder of this name")
		return nil
	}
	if i, twice := p.files[key]; twice {
		old := &p.arch.Files[i]
		if old.Path == path {
			p.warn("TAR_ENTRY_INFO", raw, "is in the archive twice; the later one is kept")
		} else {
			p.warn("TAR_ENTRY_INFO", raw, "is the same file as "+quote(old.Path)+" here; the later one is kept")
		}
		// npm writes into the file that is there, whose mode and spelling
		// stay, unless the later entry is of the contiguous kind.
		if k != kindContiguous {
			e.Mode, path = old.Mode, old.Path
		}
		e.Path = path
		*old = e
		return nil
	}
	e.Path = path
	p.files[key] = len(p.arch.Files)
	p.arch.Files = append(p.arch.Files, e)
	return p.count(path)
}

// count takes in the path of one more file or folder. A path of a thousand folders is
// a thousand paths, each with those above it.
func (p *parser) count(path string) error {
	if p.paths += int64(len(path)); p.paths > p.Limits.Paths {
		return bad(CodeBomb, "the paths of its files and folders are more than %s long", size(p.Limits.Paths))
	}
	if len(p.arch.Files)+len(p.dirs) > p.Limits.Files {
		return bad(CodeBomb, "has more than %d files and folders", p.Limits.Files)
	}
	return nil
}

// mkdir notes that dir and its parents are needed and returns dir as the
// filesystem will know it. ok is false if a file is in the way.
func (p *parser) mkdir(dir string) (actual string, ok bool, err error) {
	if dir == "" {
		return "", true, nil
	}
	key := p.Flavour.key(dir)
	if actual, ok := p.dirs[key]; ok {
		return actual, true, nil
	}
	parent, name := split(dir)
	up, ok, err := p.mkdir(parent)
	if !ok || err != nil {
		return "", false, err
	}
	if up != parent {
		dir = up + "/" + name
		key = p.Flavour.key(dir)
	}
	if _, isFile := p.files[key]; isFile {
		return "", false, nil
	}
	p.dirs[key] = dir
	return dir, true, p.count(dir)
}

// split cuts a clean path before its last component.
func split(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// base is the last component of a path, slashes at the end not counting.
func base(path string) string {
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// withoutFirst drops the first component, as pacote's is-package-bin.js.
func withoutFirst(path string) string {
	i := strings.IndexAny(path, `/\`)
	if i >= 0 && path[i] == '/' {
		return path[i+1:]
	}
	return path
}
