package tarball

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// An Entry is one regular file of an Archive.
type Entry struct {
	Path   string      // relative to the package's folder, cleaned, with slashes
	Mode   fs.FileMode // permission bits before the process umask; nothing else is ever set
	Size   int64       // bytes
	Offset int         // where the content starts in Archive.Data
}

// An Archive is a tarball in memory. It is not changed after Read returned
// it, except that Write may resolve collisions that only the filesystem can see.
type Archive struct {
	// Data is the inflated tarball. If Options.Buffer was given it is the
	// buffer's memory, good until the buffer is used again.
	Data     []byte
	Files    []Entry  // in the order of the archive, each path once
	Dirs     []string // all folders that Files need, sorted, parents before children
	Warnings []Warning
}

// Content returns the bytes of e. They are part of a.Data.
func (a *Archive) Content(e Entry) []byte {
	return a.Data[e.Offset : e.Offset+int(e.Size)]
}

// Size returns the number of bytes in all files.
func (a *Archive) Size() int64 {
	var n int64
	for i := range a.Files {
		n += a.Files[i].Size
	}
	return n
}

// A Warning tells about an entry that was left out or changed.
type Warning struct {
	Code   string // node-tar's, such as TAR_ENTRY_ERROR
	Path   string // as the archive has it; may contain anything
	Reason string // a clause, lower case: "links are not unpacked"
}

// String is safe to print: control characters in the path are escaped.
func (w Warning) String() string {
	if w.Path == "" {
		return w.Reason
	}
	return quote(w.Path) + ": " + w.Reason
}

// Limits bound what a tarball may become. A zero field means the default.
type Limits struct {
	Bytes      int64 // inflated bytes; default 2 GiB
	Ratio      int   // inflated bytes per byte of the tarball; default 1000, as node-tar
	Large      int64 // inflated bytes from which on LargeRatio counts; default 256 MiB
	LargeRatio int   // the same as Ratio, for what is large and takes memory; default 100
	Files      int   // files and folders together; default 1,000,000
	Paths      int64 // bytes of all their paths; default 256 MiB
	PathDepth  int   // components of a path; deeper entries are left out; default 1024, as node-tar
	PathLength int   // bytes of a path; longer entries are left out; default 4095, Linux's PATH_MAX
}

const (
	defaultBytes      = 2 << 30
	defaultRatio      = 1000
	defaultLarge      = 256 << 20
	defaultLargeRatio = 100
	defaultFiles      = 1_000_000
	defaultPaths      = 256 << 20
	defaultPathDepth  = 1024
	defaultPathLength = 4095

	// ratioGrace bytes may be inflated from any tarball, however small: some
	// published packages are an ordinary file of blanks.
	ratioGrace = 1 << 20

	// maxName is the longest name of one file on every filesystem in use.
	// npm finds out by ENAMETOOLONG and leaves the entry out with a warning.
	maxName = 255

	// maxMeta is node-tar's maxMetaEntrySize: longer pax and GNU headers are ignored.
	maxMeta = 1 << 20
)

// Room is how much memory a tarball may be inflated into within the limits, with what
// the decoder wants besides.
func (l Limits) Room() int64 { return l.orDefault().Bytes + slack }

func (l Limits) orDefault() Limits {
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	if l.Ratio <= 0 {
		l.Ratio = defaultRatio
	}
	if l.Large <= 0 {
		l.Large = defaultLarge
	}
	if l.LargeRatio <= 0 {
		l.LargeRatio = defaultLargeRatio
	}
	if l.Files <= 0 {
		l.Files = defaultFiles
	}
	if l.Paths <= 0 {
		l.Paths = defaultPaths
	}
	if l.PathDepth <= 0 {
		l.PathDepth = defaultPathDepth
	}
	if l.PathLength <= 0 {
		l.PathLength = defaultPathLength
	}
	return l
}

// Options say how Read understands a tarball. The zero value is right for a
// package without bins on this machine.
type Options struct {
	// Bins are the values of the manifest's bin map. A file whose path after
	// the first component equals one of them, byte for byte, gets +x
	// (pacote lib/util/is-package-bin.js). nil for file: and remote
	// tarballs, whose manifest npm doesn't know yet.
	Bins map[string]bool

	// HostedGit keeps .gitignore files: the tarball is a git host's archive
	// of a repository (pacote's allowGitIgnore).
	HostedGit bool

	// Umask is npm's config key umask, not the process's, which the kernel
	// applies later. The default is 0.
	Umask fs.FileMode

	// Flavour chooses the rules for names. The default is Host.
	Flavour Flavour

	Limits Limits

	// Buffer is reused for Archive.Data. nil allocates.
	Buffer *Buffer
}

// Codes of an Error. Z_DATA_ERROR and Z_BUF_ERROR are zlib's, which npm shows.
const (
	CodeBadArchive = "TAR_BAD_ARCHIVE" // not a tar archive, or cut short
	CodeEntry      = "TAR_ENTRY_ERROR" // an entry that no honest archive has
	CodeBomb       = "ETARBOMB"        // beyond a limit
	CodeZData      = "Z_DATA_ERROR"    // gzip stream damaged
	CodeZBuf       = "Z_BUF_ERROR"     // gzip stream cut short
)

// An Error means that a tarball is damaged or hostile and that nothing was
// taken from it. The caller adds which package it is.
type Error struct {
	code   string
	Entry  string // the entry's path as the archive has it, or ""; may contain anything
	Reason string // a clause, lower case
	hint   string
}

// Code returns one of the Code constants.
func (e *Error) Code() string { return e.code }

// Damaged says whether the bytes may have been changed on their way here, rather
// than made so.
func (e *Error) Damaged() bool {
	return e.code == CodeBadArchive || e.code == CodeZData || e.code == CodeZBuf
}

// Error is safe to print: control characters are escaped.
func (e *Error) Error() string {
	if e.Entry != "" {
		return "entry " + quote(e.Entry) + ": " + e.Reason
	}
	return e.Reason
}

// Hints say what a person can do about it.
func (e *Error) Hints() []string {
	if e.hint != "" {
		return []string{e.hint}
	}
	switch e.code {
	case CodeBomb:
		return []string{"nothing was unpacked; if you trust this package, report it to its maintainer"}
	default:
		return []string{"the tarball is damaged, both times that it was asked for: report it to the package's maintainer"}
	}
}

func bad(code, format string, args ...any) *Error {
	return &Error{code: code, Reason: fmt.Sprintf(format, args...)}
}

// quote makes a stranger's text safe for a terminal and keeps it short.
func quote(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most/2], "") + "…" + strings.ToValidUTF8(s[len(s)-most/2:], "")
	}
	return strconv.Quote(s)
}

// clip lets go of the middle of a very long text, which quote wouldn't show.
func clip(s string) string {
	if len(s) <= 4096 {
		return s
	}
	return s[:100] + "…" + s[len(s)-100:]
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return strconv.FormatInt(n>>30, 10) + " GiB"
	case n >= 1<<20 && n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + " MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
