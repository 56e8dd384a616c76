package tarball

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ibid-pm/ibid/internal/js"
)

// packTime is the mtime of every entry that npm packs, 1985-10-26T08:15:00Z:
// zip can't have the Unix epoch (pacote lib/util/tar-create-options.js).
const packTime = 499162500

// PackOptions say how to pack.
type PackOptions struct {
	// Bins are the values of the manifest's bin map. npm makes a file
	// executable when its path without the first component is one of them,
	// although paths have no package/ in front when it asks: so cli.js gets
	// +x and bin/cli.js doesn't.
	Bins map[string]bool

	// Contents are packed instead of what the files have, by their path in
	// the list. npm 12 packs package.json without patchedDependencies.
	Contents map[string][]byte
}

// Pack makes the tarball of files, paths relative to dir with slashes in the
// order they are to have, exactly as npm pack does: the same tar archive, and
// the same gzip stream as Node's zlib makes at level 9. Errors are of reading
// files.
func Pack(dir string, files []string, o PackOptions) ([]byte, error) {
	archive, err := PackTar(dir, files, o)
	if err != nil {
		return nil, err
	}
	return Gzip(archive), nil
}

// PackTar is the archive within Pack's tarball (node-tar's pack.js,
// write-entry.js, header.js and pax.js, portable, with the prefix package/).
func PackTar(dir string, files []string, o PackOptions) ([]byte, error) {
	var out []byte
	first := make(map[fileID]string) // where a file with several names was packed
	for _, name := range files {
		path := strings.TrimPrefix(name, "./")
		full := filepath.Join(dir, filepath.FromSlash(name))
		fi, err := os.Lstat(full)
		if err != nil {
			return nil, err
		}
		if !fi.Mode().IsRegular() {
			return nil, &fs.PathError{Op: "pack", Path: full, Err: errors.New("not a regular file")}
		}
		_, stored := splitRoot(path)
		mode := uint32(fi.Mode().Perm()) | special(fi.Mode())
		if o.Bins[withoutFirst(name)] {
			mode |= 0o111
		}
		e := packed{path: "package/" + stored, mode: int64(mode|0o600) &^ 0o22, kind: kindFile, size: fi.Size()}

		content, replaced := o.Contents[name]
		if replaced {
			e.size = int64(len(content))
		} else if id, ok := linked(fi); ok {
			if target, seen := first[id]; seen {
				// Another name of a file in the archive becomes a link, which
				// npm then won't unpack; so it goes with npm.
				e.kind, e.size, e.link = kindLink, 0, "package/"+target
				out = e.append(out)
				continue
			}
			first[id] = path
		}
		out = e.append(out)
		if replaced {
			out = pad(append(out, content...))
			continue
		}
		if e.size == 0 {
			continue
		}
		if out, err = appendFile(out, full, e.size); err != nil {
			return nil, err
		}
		out = pad(out)
	}
	return append(out, make([]byte, 2*block)...), nil
}

func special(m fs.FileMode) (bits uint32) {
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return bits
}

// appendFile reads a file that must have the size it had a moment ago.
func appendFile(out []byte, path string, size int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	at := len(out)
	out = append(out, make([]byte, size)...)
	if _, err := io.ReadFull(f, out[at:]); err != nil {
		return nil, &fs.PathError{Op: "pack", Path: path, Err: fmt.Errorf("file became shorter: %w", err)}
	}
	return out, nil
}

func pad(out []byte) []byte {
	if n := len(out) % block; n != 0 {
		out = append(out, make([]byte, block-n)...)
	}
	return out
}

// packed is an entry to be written.
type packed struct {
	path, link string
	mode       int64
	kind       kind
	size       int64
}

// append writes the header, with an extended one in front where it can't say
// everything.
func (e packed) append(out []byte) []byte {
	var b [block]byte
	if e.encode(b[:]) {
		out = e.appendPax(out)
	}
	return append(out, b[:]...)
}

// encode writes the header block; more says that something didn't fit.
func (e packed) encode(b []byte) (more bool) {
	path, prefix, more := splitPath(e.path)
	more = putText(b[0:100], path) || more
	more = putNumber(b[100:108], e.mode) || more
	more = putNumber(b[124:136], e.size) || more
	putNumber(b[136:148], packTime)
	b[156] = byte(e.kind)
	more = putText(b[157:257], e.link) || more
	copy(b[257:265], "ustar\x0000")
	putNumber(b[329:337], 0)
	putNumber(b[337:345], 0)
	more = putText(b[345:500], prefix) || more
	putNumber(b[148:156], checksum(b))
	return more
}

// appendPax writes the extended header.
func (e packed) appendPax(out []byte) []byte {
	var body []byte
	field := func(key, value string) {
		rest := " " + key + "=" + value + "\n"
		digits := int(math.Log(float64(len(rest)))/math.Log(10)) + 1
		if len(rest)+digits >= int(math.Pow10(digits)) {
			digits++
		}
		body = append(strconv.AppendInt(body, int64(digits+len(rest)), 10), rest...)
	}
	field("path", e.path)
	if e.kind == kindLink {
		field("linkpath", e.link)
	}
	field("mtime", strconv.Itoa(packTime))
	field("size", strconv.FormatInt(e.size, 10))

	name := e.path[strings.LastIndexByte(e.path, '/')+1:]
	h := packed{path: cutUTF16("PaxHeader/"+name, 99), mode: 0o644, kind: kindPax, size: int64(len(body))}
	var b [block]byte
	h.encode(b[:])
	return pad(append(append(out, b[:]...), body...))
}

// splitPath divides a path between the header's path and prefix fields. more
// says that it doesn't fit.
func splitPath(p string) (path, prefix string, more bool) {
	const pathSize, prefixSize = 100, 155
	if len(p) < pathSize {
		return p, "", false
	}
	i := strings.LastIndexByte(p, '/')
	if i < 0 {
		return cutUTF16(p, pathSize-1), "", true
	}
	prefix, path = p[:i], p[i+1:]
	for {
		if len(prefix) <= prefixSize {
			if len(path) <= pathSize {
				return path, prefix, false
			}
			return cutUTF16(path, pathSize-1), prefix, true
		}
		i := strings.LastIndexByte(prefix, '/')
		if i < 0 {
			return cutUTF16(p, pathSize-1), "", true
		}
		path = prefix[i+1:] + "/" + path
		prefix = prefix[:i]
	}
}

// cutUTF16 is s.slice(0, n), which counts as JavaScript does.
func cutUTF16(s string, n int) string {
	for i, r := range s {
		if n -= utf16.RuneLen(r); n < 0 {
			return s[:i]
		}
	}
	return s
}

// putText writes as many whole characters as fit, and says whether the
// header alone isn't enough: node-tar wants pax for all that isn't ASCII.
func putText(f []byte, s string) (more bool) {
	n := 0
	for n < len(s) {
		_, w := utf8.DecodeRuneInString(s[n:])
		if n+w > len(f) {
			break
		}
		n += w
	}
	copy(f, s[:n])
	return js.Length(s) != len(s) || len(s) > len(f)
}

// putNumber writes octal digits, a blank if there is room, and a NUL; or base
// 256, and says that pax should say it too.
func putNumber(f []byte, n int64) (more bool) {
	most := int64(1)<<(3*(len(f)-1)) - 1
	if n > most {
		for i := len(f) - 1; i > 0; i-- {
			f[i] = byte(n)
			n >>= 8
		}
		f[0] = 0x80
		return true
	}
	s := strconv.FormatInt(n, 8)
	if len(s) < len(f)-1 {
		s = strings.Repeat("0", len(f)-2-len(s)) + s + " "
	}
	copy(f, s)
	f[len(f)-1] = 0
	return false
}
