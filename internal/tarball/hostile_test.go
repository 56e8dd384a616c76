package tarball_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/tarball"
	tt "github.com/ibid-pm/ibid/internal/tarball/tarballtest"
)

var record = flag.String("record", "", "npm's folder: record what it makes of the archives in testdata/npm.json")

// An archive is one tarball that no honest tool makes, or that some tool made oddly.
type archive struct {
	name string // a sentence
	tgz  []byte
	o    tarball.Options

	// says is what a person reads: warnings, one a line, or the error.
	says string

	// files is what is unpacked, "path mode content" a line, where npm
	// can't be asked (other platforms, limits of our own) or where we
	// differ on purpose; why says so. Otherwise npm's result counts.
	files, why string
}

var (
	gz   = tt.Gzip
	tar  = tt.Tar
	file = tt.File
)

func gzFile(name, body string) []byte { return gz(tar(file(name, body))) }

func with(e tt.Entry, change func(*tt.Entry)) tt.Entry {
	change(&e)
	return e
}

func typed(t byte, name, link, body string) tt.Entry {
	return tt.Entry{Name: name, Type: t, Link: link, Body: body}
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func archives() []archive {
	ok := file("package/ok", "ok")
	var list []archive
	group := func(as ...archive) { list = append(list, as...) }

	// Paths that lead outside.
	group(
		archive{name: "a path climbs out of the package", tgz: gz(tar(file("package/../../etc/passwd", "x"), ok)),
			says: `"package/../../etc/passwd": path contains ".."`},
		archive{name: "a path climbs and comes back", tgz: gz(tar(file("package/a/../b", "x"), ok)),
			says: `"package/a/../b": path contains ".."`},
		archive{name: "a path ends in two dots", tgz: gz(tar(file("package/a/..", "x"), ok)),
			says: `"package/a/..": path contains ".."`},
		archive{name: "the component that is dropped is two dots", tgz: gzFile("../x", "x")},
		archive{name: "an absolute path loses its root like any first component", tgz: gzFile("/etc/passwd", "x")},
		archive{name: "an absolute path below the first component", tgz: gzFile("package//etc/passwd", "x"),
			says: `"package//etc/passwd": path is absolute; unpacked without "/"`},
		archive{name: "three slashes", tgz: gzFile("package///etc/passwd", "x"),
			says: `"package///etc/passwd": path is absolute; unpacked without "//"`},
		archive{name: "a drive letter", tgz: gzFile("package/C:/Windows/x", "x"),
			says: `"package/C:/Windows/x": path is absolute; unpacked without "C:/"`},
		archive{name: "a path relative to a drive", tgz: gzFile("package/c:x", "x"),
			says: `"package/c:x": path is absolute; unpacked without "c:"`},
		archive{name: "a path that climbs on a drive", tgz: gz(tar(file("package/c:../x", "x"), ok)),
			says: `"package/c:../x": path contains ".."`},
		archive{name: "one drive after another", tgz: gzFile("package/C:/D:/E:x", "x"),
			says: `"package/C:/D:/E:x": path is absolute; unpacked without "C:/D:/E:"`},
		archive{name: "a network share", tgz: gzFile(`package/\\server\share\x`, "x"),
			says: `"package/\\\\server\\share\\x": path is absolute; unpacked without "\\\\server\\share\\"`},
		archive{name: "a Windows namespace path", tgz: gzFile("package///?/C:/x", "x"),
			says: `"package///?/C:/x": path is absolute; unpacked without "//?/C:/"`},
		archive{name: "a drive with backslashes", tgz: gzFile(`package/C:\x`, "x"),
			says: `"package/C:\\x": path is absolute; unpacked without "C:\\"`},
		archive{name: "climbing by backslashes", tgz: gz(tar(file(`package/a\..\..\x`, "x"), ok)),
			says: `"package/a\\..\\..\\x": path contains ".."`},
		archive{name: "a backslash is a letter on POSIX", tgz: gzFile(`package/a\b`, "x")},
		archive{name: "climbing in a pax path", tgz: gz(tar(tt.Pax("path", "package/../../x"), file("package/y", "x"), ok)),
			says: `"package/../../x": path contains ".."`},
		archive{name: "climbing in a GNU long name", tgz: gz(tar(tt.LongName("package/../../x"), file("package/y", "x"), ok)),
			says: `"package/../../x": path contains ".."`},
		archive{name: "climbing in the ustar prefix", tgz: gz(tar(tt.Entry{Prefix: "package/..", Name: "x", Body: "x"}, ok)),
			says: `"package/../x": path contains ".."`},
		archive{name: "a NUL smuggled past the end of a name by a line break", tgz: gz(tar(file("package/a\x00b\nc\x00d", "x"), ok)),
			says:  "entry \"package/a\\nc\\x00d" + strings.Repeat(`\x00`, 85) + "\": path contains a NUL",
			files: "", why: "npm ends with an exception of fs"},
		archive{name: "a name after a NUL", tgz: gzFile("package/a\x00../../b", "x")},
		archive{name: "control characters in a name don't reach the terminal", tgz: gz(tar(file("package/\x1b[2J\x1b]0;owned\a/../x", "x"), file("package/\x1b[31mred\nnpm error", "y"))),
			says: `"package/\x1b[2J\x1b]0;owned\a/../x": path contains ".."`},
		archive{name: "direction overrides in a name are shown as such", tgz: gz(tar(file("package/\u202etxt.exe/..", "x"), ok)),
			says: `"package/\u202etxt.exe/..": path contains ".."`},
		archive{name: "dots that are names", tgz: gz(tar(file("package/...", "1"), file("package/.../..a", "2"), file("package/.a", "3"), file("package/b..", "4"), file("package/.. /c", "5"))),
			says: `"package/.../..a": left out: an earlier entry is a file where this one needs a folder`},
		archive{name: "dots and slashes that mean nothing", tgz: gz(tar(file("package/./a", "1"), file("package/b//c", "2"), file("package/d/././e", "3")))},
		archive{name: "nothing left of a path", tgz: gz(tar(file("package", "1"), file("package/.", "2"), ok)),
			says: "\"package\": nothing is left of the path without its first component\n\"package/.\": nothing is left of the path without its first component"},
		archive{name: "several first components", tgz: gz(tar(file("a/x", "1"), file("b/y", "2"), file("./z", "3")))},
		archive{name: "bytes that are not UTF-8", tgz: gz(tar(file("package/\xff\xe2\x82x", "1"), file("package/\xf0\x9f\x98.", "2"), file("package/\xed\xa0\x80", "3"), file("package/\xc0\xaf", "4")))},
	)

	// Links and other things that are not files.
	group(
		archive{name: "a symbolic link", tgz: gz(tar(typed('2', "package/passwd", "/etc/passwd", ""), ok)),
			says: `"package/passwd": symbolic links are not unpacked`},
		archive{name: "a hard link", tgz: gz(tar(typed('1', "package/passwd", "/etc/passwd", ""), ok)),
			says: `"package/passwd": hard links are not unpacked`},
		archive{name: "a link and a write through it", tgz: gz(tar(typed('2', "package/a", "/tmp", ""), file("package/a/x", "x"))),
			says: `"package/a": symbolic links are not unpacked`},
		archive{name: "a link and a file of the same name", tgz: gz(tar(typed('2', "package/a", "../../x", ""), file("package/a", "x"))),
			says: `"package/a": symbolic links are not unpacked`},
		archive{name: "a file and a hard link in its place", tgz: gz(tar(ok, typed('1', "package/ok", "package/other", ""))),
			says: `"package/ok": hard links are not unpacked`},
		archive{name: "a hard link with content", tgz: gz(tar(typed('1', "package/l", "package/ok", "content"), ok)),
			says: `"package/l": hard links are not unpacked`},
		archive{name: "a link without a target", tgz: gz(tar(typed('2', "package/l", "", ""), ok)),
			says: `"package/l": header skipped: a link without a target`},
		archive{name: "a file with a link target", tgz: gz(tar(typed('0', "package/l", "x", ""), ok)),
			says: `"package/l": header skipped: a link target on what isn't a link`},
		archive{name: "a file whose pax header has a link target outside", tgz: gz(tar(tt.Pax("linkpath", "../../x"), file("package/l", "x"), ok)),
			says: `"package/l": its extended header names a link target outside of the package`},
		archive{name: "a file whose pax header has a link target inside", tgz: gz(tar(tt.Pax("linkpath", "../x"), file("package/a/l", "x"), ok))},
		archive{name: "a GNU long link target", tgz: gz(tar(typed('K', "././@LongLink", "", strings.Repeat("../", 60)+"\x00"), typed('2', "package/l", "../", ""), ok)),
			says: `"package/l": symbolic links are not unpacked`},
		archive{name: "a character device", tgz: gz(tar(typed('3', "package/null", "", ""), ok)),
			says: `"package/null": character devices are not unpacked`},
		archive{name: "a block device", tgz: gz(tar(typed('4', "package/sda", "", ""), ok)),
			says: `"package/sda": block devices are not unpacked`},
		archive{name: "a named pipe", tgz: gz(tar(typed('6', "package/pipe", "", ""), ok)),
			says: `"package/pipe": named pipes are not unpacked`},
		archive{name: "a contiguous file", tgz: gz(tar(typed('7', "package/c", "", "c")))},
		archive{name: "a file of the time before POSIX", tgz: gz(tar(tt.Entry{Name: "package/v7", Type: tt.OldType, NoUstar: true, Body: "v7"}))},
		archive{name: "a folder written as a file with a slash", tgz: gz(tar(tt.Entry{Name: "package/d/", Type: tt.OldType, NoUstar: true}, ok))},
		archive{name: "a sparse file", tgz: gz(tar(typed('S', "package/s", "", "12345"), ok)),
			says: `"package/s": sparse files are not unpacked`},
		archive{name: "a file continued from another volume", tgz: gz(tar(typed('M', "package/s", "", "12345"), ok)),
			says: `"package/s": continued files are not unpacked`},
		archive{name: "a volume label", tgz: gz(tar(typed('V', "label", "", ""), ok)),
			says: `"label": volume labels are not unpacked`},
		archive{name: "a type nobody knows", tgz: gz(tar(typed('Z', "package/z", "", "12345"), ok)),
			says: `"package/z": entries of this type are not unpacked`},
		archive{name: "a folder dump with content", tgz: gz(tar(typed('D', "package/d", "", "Yx\x00"), ok))},
		archive{name: "empty folders", tgz: gz(tar(typed('5', "package/d/", "", ""), typed('5', "package/e/f", "", ""), ok))},
		archive{name: "folders alone", tgz: gz(tar(typed('5', "package/d/", "", "")))},
	)

	// Modes.
	mode := func(m int64) tt.Entry { return tt.Entry{Name: "package/x", Mode: m, Body: "x"} }
	group(
		archive{name: "setuid", tgz: gz(tar(mode(0o4755))),
			says:  `"package/x": unpacked without the mode bits 4000 (setuid, setgid, sticky)`,
			files: "x 0755 x", why: "npm makes a setuid file"},
		archive{name: "setgid and sticky", tgz: gz(tar(mode(0o3600))),
			says:  `"package/x": unpacked without the mode bits 3000 (setuid, setgid, sticky)`,
			files: "x 0644 x", why: "npm keeps these bits"},
		archive{name: "mode 0600", tgz: gz(tar(mode(0o600)))},
		archive{name: "mode 0755", tgz: gz(tar(mode(0o755)))},
		archive{name: "mode 0111 and file type bits", tgz: gz(tar(mode(0o100111)))},
		archive{name: "mode zero", tgz: gz(tar(tt.Entry{Name: "package/x", ModeField: "0000000\x00", Body: "x"}))},
		archive{name: "no mode", tgz: gz(tar(tt.Entry{Name: "package/x", ModeField: "\x00", Body: "x"}))},
		archive{name: "a mode that isn't a number", tgz: gz(tar(tt.Entry{Name: "package/x", ModeField: "rwxr-xr", Body: "x"}))},
		archive{name: "a negative mode", tgz: gz(tar(tt.Entry{Name: "package/x", ModeField: "-1\x00", Body: "x"})),
			says:  `"package/x": unpacked without the mode bits 7000 (setuid, setgid, sticky)`,
			files: "x 0755 x", why: "npm keeps setuid, setgid and sticky bits"},
		archive{name: "a mode in binary", tgz: gz(tar(tt.Entry{Name: "package/x", ModeField: tt.Base256(0o755, 8), Body: "x"}))},
		archive{name: "a mode in broken binary", tgz: gz(tar(tt.Entry{Name: "package/x", ModeField: "\x90\x00\x00\x00\x00\x00\x00\x00", Body: "x"}, ok)),
			says: `"package/x": header skipped: invalid base-256 number` + "\n" + `"x": header skipped: checksum failure`},
	)

	// Sizes.
	sized := func(field, body string) tt.Entry { return tt.Entry{Name: "package/x", SizeField: field, Body: body} }
	group(
		archive{name: "a negative size", tgz: gz(tar(sized("-0000000001\x00", ""), ok))},
		archive{name: "a negative size in binary", tgz: gz(tar(sized(tt.Base256(-512, 12), ""), ok))},
		archive{name: "a size in binary", tgz: gz(tar(sized(tt.Base256(3, 12), "abc"), ok))},
		archive{name: "a size of four petabytes", tgz: gz(tar(sized(tt.Base256(1<<52, 12), "abc"), ok)),
			says: `entry "package/x": archive ends early: needs 4503599627370496 more bytes, only 2560 are left`},
		archive{name: "a size that overflows", tgz: gz(tar(sized(tt.Base256(1<<62, 12), ""), ok)),
			says: `"package/x": header skipped: number beyond 2^53`},
		archive{name: "a size of twelve 255s", tgz: gz(tar(sized(strings.Repeat("\xff", 12), ""), ok))},
		archive{name: "eight gigabytes that aren't there", tgz: gz(tar(sized("77777777777\x00", "abc"), ok)),
			says: `entry "package/x": archive ends early: needs 8589934592 more bytes, only 2560 are left`},
		archive{name: "a size in pax that isn't there", tgz: gz(tar(tt.Pax("size", "9007199254740991"), ok)),
			says: `entry "package/ok": archive ends early: needs 9007199254740992 more bytes, only 1536 are left`},
		archive{name: "an infinite size in pax", tgz: gz(tar(tt.Pax("size", "Infinity"), ok)),
			says: `entry "package/ok": archive ends early: needs +Inf more bytes, only 1536 are left`},
		archive{name: "a negative size in pax", tgz: gz(tar(tt.Pax("size", "-1"), ok))},
		archive{name: "a size in pax that isn't a number", tgz: gz(tar(tt.Pax("size", "1_0"), ok))},
		archive{name: "half a byte more in pax", tgz: gz(tar(tt.Pax("size", "1.5"), ok))},
		archive{name: "an empty size in pax", tgz: gz(tar(tt.Pax("size", ""), tt.Entry{Name: "package/x"}, ok))},
		archive{name: "a hexadecimal size in pax", tgz: gz(tar(tt.Pax("size", "0x2"), ok))},
		archive{name: "a smaller size in pax hides an entry from other readers", tgz: gz(tar(tt.Pax("size", "0"),
			file("package/x", string(tt.Blocks(file("package/hidden", "")))), ok))},
		archive{name: "a size in a pax header isn't for the GNU name after it", tgz: gz(tar(tt.Pax("size", "3"), tt.LongName("package/long"), file("package/short", "abc"), ok))},
		archive{name: "a global size is for every file", tgz: gz(tar(tt.GlobalPax("size", "2"), file("package/a", "abc"), file("package/b", "abc")))},
		archive{name: "a folder with a size has no content", tgz: gz(tar(with(typed('5', "package/d/", "", ""), func(e *tt.Entry) { e.SizeField = "00000001000\x00" }), ok))},
		archive{name: "a folder with content", tgz: gz(tar(typed('5', "package/d/", "", "content"), ok)),
			says: `"content": header skipped: checksum failure`},
	)

	// Damage.
	body := strings.Repeat("0123456789", 200)
	cut := func(p []byte, n int) []byte { return p[:len(p)-n] }
	two := tar(file("package/a", "a"), file("package/b", "b"))
	group(
		archive{name: "cut in a file", tgz: gz(cut(tt.Blocks(file("package/a", body)), 1000)),
			says: `entry "package/a": archive ends early: needs 2048 more bytes, only 1048 are left`},
		archive{name: "cut in the padding", tgz: gz(cut(tt.Blocks(ok, file("package/a", "a")), 1)),
			says: `entry "package/a": archive ends early: needs 512 more bytes, only 511 are left`},
		archive{name: "cut in a header", tgz: gz(append(tt.Blocks(ok), tt.Blocks(ok)[:300]...))},
		archive{name: "no end", tgz: gz(tt.Blocks(ok))},
		archive{name: "one zero block in the middle", tgz: gz(cat(tt.Blocks(ok), make([]byte, 512), tar(file("package/b", "b"))))},
		archive{name: "entries after the end", tgz: gz(cat(tar(ok), tar(file("package/b", "b"))))},
		archive{name: "rubbish after the end", tgz: gz(cat(tar(ok), []byte(strings.Repeat("rubbish", 500))))},
		archive{name: "rubbish before an entry", tgz: gz(cat([]byte(strings.Repeat("rubbish.", 64)), tar(ok))),
			says: fmt.Sprintf("%q: header skipped: checksum failure", strings.Repeat("rubbish.", 20)[:100])},
		archive{name: "a wrong checksum", tgz: gz(tar(with(file("package/a", ""), func(e *tt.Entry) { e.Spoil = func(b []byte) { b[148] = '7' } }), ok)),
			says: `"package/a": header skipped: checksum failure`},
		archive{name: "a wrong checksum in the only entry", tgz: gz(tar(with(file("package/a", ""), func(e *tt.Entry) { e.Spoil = func(b []byte) { b[0] = 'P' } }))),
			says: `not a tar archive: no valid entry in 1536 bytes`},
		archive{name: "a checksum of signed bytes", tgz: gz(tar(with(file("package/\xc3\xa9", ""), func(e *tt.Entry) {
			e.Spoil = func(b []byte) {
				sum := 8 * int(' ')
				for i, c := range b {
					if i < 148 || i >= 156 {
						sum += int(int8(c))
					}
				}
				copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
			}
		}), ok)), says: `"package/é": header skipped: checksum failure`},
		archive{name: "a checksum without an end runs into the type", tgz: gz(tar(with(file("package/a", ""), func(e *tt.Entry) {
			e.Spoil = func(b []byte) { copy(b[148:156], "00"+string(b[148:154])) }
		}), ok)), says: `"package/a": header skipped: checksum failure`},
		archive{name: "an empty archive", tgz: gz(tar()), says: `not a tar archive: no valid entry in 1 KiB`},
		archive{name: "an empty file", tgz: []byte{}, says: `not a tar archive: no valid entry in 0 bytes`},
		archive{name: "a web page", tgz: []byte("<!DOCTYPE html><title>502 Bad Gateway</title>" + strings.Repeat(" ", 600)),
			says: `not a tar archive: no valid entry in 645 bytes`},
		archive{name: "a web page that is gzipped", tgz: gz([]byte("<!DOCTYPE html><title>502 Bad Gateway</title>" + strings.Repeat("page ", 600))),
			says: `not a tar archive: no valid entry in 3045 bytes`},
		archive{name: "a tar that isn't gzipped", tgz: two},
		archive{name: "gzip cut in the middle", tgz: cut(gz(two), 30), says: `gzip stream ends early`},
		archive{name: "gzip without its checksum", tgz: cut(gz(two), 8), says: `gzip stream ends early: its checksum is missing`},
		archive{name: "gzip with half a checksum", tgz: cut(gz(two), 6), says: `gzip stream ends early: its checksum is missing`},
		archive{name: "gzip with another checksum", tgz: spoil(gz(two), -8), says: `gzip checksum doesn't match the content`},
		archive{name: "gzip with another length", tgz: spoil(gz(two), -4), says: `gzip length doesn't match the content`},
		archive{name: "gzip whose deflate data are rubbish", tgz: cat(gz(two)[:10], bytes.Repeat([]byte{0xff}, 100)), says: `gzip stream is damaged`},
		archive{name: "gzip and zeros", tgz: cat(gz(two), make([]byte, 700))},
		archive{name: "gzip and rubbish", tgz: cat(gz(two), []byte("rubbish that is no gzip")), says: `bytes after the gzip stream are not another one`},
		archive{name: "gzip and one byte", tgz: cat(gz(two), []byte("x")), says: `gzip stream ends in its header`},
		archive{name: "gzip and the start of gzip", tgz: cat(gz(two), []byte{0x1f, 0x8b, 8, 0}), says: `gzip stream ends in its header`},
		archive{name: "two gzip members", tgz: cat(gz(tt.Blocks(ok)), gz(two))},
		archive{name: "a member cut in two", tgz: cat(gz(two[:700]), gz(two[700:]))},
		archive{name: "gzip with a name, a comment and extra bytes", tgz: gzipWith(two, "name", "comment", []byte("extra"))},
		archive{name: "gzip of another method", tgz: at(gz(two), 2, 7), says: `gzip stream uses an unknown compression method`},
		archive{name: "gzip with unknown flags", tgz: at(gz(two), 3, 0x80), says: `gzip header has unknown flags`},
		archive{name: "only a gzip header", tgz: gz(two)[:5], says: `gzip stream ends in its header`},
		archive{name: "a trailer that claims four gigabytes", tgz: putLength(gz(two), 1<<32-1), says: `gzip length doesn't match the content`},
		archive{name: "a zstd archive", tgz: []byte("\x28\xb5\x2f\xfd" + strings.Repeat("x", 600)), says: `compressed with zstd; packages are gzipped`},
	)

	// Bombs.
	group(
		archive{name: "a small archive that becomes huge", tgz: gzBest(tar(file("package/zeros", strings.Repeat("\x00", 40<<20)))),
			says: `unpacks to more than 1000 times its size of 40856 bytes, as archives made to fill disks do`},
		archive{name: "a large archive that takes all memory", tgz: gzBest(tar(file("package/zeros", strings.Repeat("\x00", 4<<20)))), o: tarball.Options{Limits: tarball.Limits{Large: 2 << 20}},
			says: `unpacks to more than 100 times its size of 4165 bytes, as archives made to fill disks do`},
		archive{name: "more bytes than allowed", tgz: gz(tar(file("package/a", strings.Repeat("ab", 1<<20)))), o: tarball.Options{Limits: tarball.Limits{Bytes: 1 << 20}},
			says: `unpacks to more than 1 MiB`, why: "a limit of our own"},
		archive{name: "more bytes than allowed without gzip", tgz: tar(file("package/a", strings.Repeat("ab", 1<<20))), o: tarball.Options{Limits: tarball.Limits{Bytes: 1 << 20}},
			says: `unpacks to more than 1 MiB`, why: "a limit of our own"},
		archive{name: "more files than allowed", tgz: gz(tar(many(50)...)), o: tarball.Options{Limits: tarball.Limits{Files: 49}},
			says: `has more than 49 files and folders`, why: "a limit of our own"},
		archive{name: "more folders than allowed", tgz: gz(tar(tt.Pax("path", "package/"+strings.Repeat("d/", 50)+"f"), ok)), o: tarball.Options{Limits: tarball.Limits{Files: 49}},
			says: `has more than 49 files and folders`, why: "a limit of our own"},
		archive{name: "longer paths than allowed", tgz: gz(tar(tt.Pax("path", "package/"+strings.Repeat("dd/", 1000)+"f"), ok)), o: tarball.Options{Limits: tarball.Limits{Paths: 1 << 20}},
			says: `the paths of its files and folders are more than 1 MiB long`, why: "a limit of our own"},
		archive{name: "a thousand and more folders deep", tgz: gz(tar(tt.Pax("path", "package/"+strings.Repeat("d/", 1024)+"f"), file("x", "x"), ok)),
			says: fmt.Sprintf("%s: path is 1025 folders deep, more than 1024", short("package/"+strings.Repeat("d/", 1024)+"f"))},
		archive{name: "a path that no system call takes", tgz: gz(tar(tt.Pax("path", "package/"+strings.Repeat(strings.Repeat("d", 200)+"/", 30)+"f"), file("x", "x"), ok)),
			says:  fmt.Sprintf("%s: path has 6031 bytes, more than 4095", short("package/"+strings.Repeat(strings.Repeat("d", 200)+"/", 30)+"f")),
			files: "ok 0644 ok", why: "npm leaves the upper folders, empty"},
		archive{name: "a name that no filesystem takes", tgz: gz(tar(tt.Pax("path", "package/a/"+strings.Repeat("n", 256)), file("x", "x"), ok)),
			says: fmt.Sprintf("%s: a name in the path has more than 255 bytes", short("package/a/"+strings.Repeat("n", 256)))},
		archive{name: "the longest name", tgz: gz(tar(tt.Pax("path", "package/a/"+strings.Repeat("n", 255)), file("x", "x")))},
		archive{name: "an extended header of more than a megabyte is ignored", tgz: gz(tar(tt.Pax("comment", strings.Repeat("ab", 1<<19), "path", "package/y"), file("package/x", "x")))},
		archive{name: "ten thousand rubbish headers", tgz: gz(cat(bytes.Repeat([]byte(strings.Repeat("rubbish.", 64)), 10000), tar(ok))),
			says: strings.Repeat(fmt.Sprintf("%q: header skipped: checksum failure\n", strings.Repeat("rubbish.", 20)[:100]), 100) + "and 9900 more like these"},
		archive{name: "an archive in an archive", tgz: gz(gz(two)), says: fmt.Sprintf(`not a tar archive: no valid entry in %d bytes`, len(gz(two)))},
	)

	// Two entries, one name.
	group(
		archive{name: "a file twice", tgz: gz(tar(file("package/a", "first and longer"), file("package/b", "b"), file("package/a", "second"))),
			says: `"package/a": is in the archive twice; the later one is kept`},
		archive{name: "a file twice with another mode", tgz: gz(tar(file("package/a", "first"), tt.Entry{Name: "package/a", Mode: 0o755, Body: "second"})),
			says: `"package/a": is in the archive twice; the later one is kept`},
		archive{name: "a file twice, then contiguous", tgz: gz(tar(file("package/a", "first"), tt.Entry{Name: "package/a", Type: '7', Mode: 0o755, Body: "second"})),
			says: `"package/a": is in the archive twice; the later one is kept`},
		archive{name: "a file twice by different spellings", tgz: gz(tar(file("package/d/a", "first"), file("other/./d//a", "second"))),
			says: `"other/./d//a": is in the archive twice; the later one is kept`},
		archive{name: "a file, then a folder of its name", tgz: gz(tar(file("package/a", "a"), file("package/a/b", "b"), file("package/a/c/d", "d"))),
			says: "\"package/a/b\": left out: an earlier entry is a file where this one needs a folder\n\"package/a/c/d\": left out: an earlier entry is a file where this one needs a folder"},
		archive{name: "a folder, then a file of its name", tgz: gz(tar(file("package/a/b", "b"), file("package/a", "a"))),
			says: `"package/a": left out: an earlier entry needs a folder of this name`},
		archive{name: "names that differ in case are two files on POSIX", tgz: gz(tar(file("package/README", "1"), file("package/readme", "2"))),
			o: tarball.Options{Flavour: tarball.POSIX}},
		archive{name: "names that differ in normalisation are two files on POSIX", tgz: gz(tar(file("package/caf\u00e9", "1"), file("package/cafe\u0301", "2"))),
			o: tarball.Options{Flavour: tarball.POSIX}},
		archive{name: "names that differ in case are one file on a Mac", tgz: gz(tar(file("package/README", "1"), file("package/readme", "2"))),
			o: tarball.Options{Flavour: tarball.Mac}, why: "another platform", files: "README 0644 2",
			says: `"package/readme": is the same file as "README" here; the later one is kept`},
		archive{name: "names that differ in normalisation are one file on a Mac", tgz: gz(tar(file("package/caf\u00e9", "1"), file("package/cafe\u0301", "2"))),
			o: tarball.Options{Flavour: tarball.Mac}, why: "another platform", files: "caf\u00e9 0644 2",
			says: "\"package/cafe\u0301\": is the same file as \"caf\u00e9\" here; the later one is kept"},
		archive{name: "folders that differ in case are one on Windows", tgz: gz(tar(file("package/Lib/a", "1"), file("package/lib/b", "2"), file("package/LIB", "3"))),
			o: tarball.Options{Flavour: tarball.Windows}, why: "another platform", files: "Lib/a 0644 1\nLib/b 0644 2",
			says: `"package/LIB": left out: an earlier entry needs a folder of this name`},
		archive{name: "a .gitignore becomes an .npmignore", tgz: gz(tar(file("package/.gitignore", "g"), file("package/d/.gitignore", "h")))},
		archive{name: "a .gitignore after an .npmignore is left out", tgz: gz(tar(file("package/.npmignore", "n"), file("package/.gitignore", "g"))),
			says: `"package/.gitignore": left out: there is an .npmignore beside it`},
		archive{name: "a .gitignore before an .npmignore is overwritten", tgz: gz(tar(file("package/.gitignore", "g"), file("package/.npmignore", "n"))),
			says: `"package/.npmignore": is in the archive twice; the later one is kept`},
		archive{name: "an .npmignore of another first component doesn't count", tgz: gz(tar(file("a/.npmignore", "n"), file("package/.gitignore", "g"))),
			says: `"package/.npmignore": is in the archive twice; the later one is kept`},
		archive{name: "a git host's archive keeps its .gitignore", tgz: gz(tar(file("repo-1/.npmignore", "n"), file("repo-1/.gitignore", "g"))),
			o: tarball.Options{HostedGit: true}, why: "pacote's git fetcher asks for it", files: ".gitignore 0644 g\n.npmignore 0644 n"},
	)

	// Names that Windows has other ideas about.
	windows := tarball.Options{Flavour: tarball.Windows}
	win := func(name, path, says string) archive {
		files := ""
		if says == "" {
			files = strings.TrimPrefix(path, "package/") + " 0644 x\n"
		} else {
			says = fmt.Sprintf("%q: %s", path, says)
		}
		return archive{name: name, tgz: gz(tar(file(path, "x"), ok)), o: windows, why: "another platform", says: says, files: files + "ok 0644 ok"}
	}
	device := "the name belongs to a device on Windows"
	group(
		win("the console as a file", "package/CON", device),
		win("a device with an extension", "package/lib/aux.js", device),
		win("a device with two extensions and blanks", "package/nul  .tar.gz", device),
		win("a device as a folder", "package/prn/x", device),
		win("a serial port", "package/com1", device),
		win("a serial port with a raised digit", "package/COM².txt", device),
		win("a word that begins like a device", "package/console.log", ""),
		win("ten printers are too many", "package/lpt10", ""),
		win("a name that ends in a dot", "package/x.", "a name that ends in a dot or a blank can't be used on Windows"),
		win("a folder that ends in a blank", "package/x /y", "a name that ends in a dot or a blank can't be used on Windows"),
		win("a quote", `package/a"b`, "a character in the name can't be used on Windows"),
		win("two dots and a blank climb nowhere", "package/.. /y", "a name that ends in a dot or a blank can't be used on Windows"),
		archive{name: "a stream of another file", tgz: gzFile("package/file:stream", "x"), o: windows, why: "another platform", files: "file\uf03astream 0644 x"},
		archive{name: "characters that Windows forbids", tgz: gzFile("package/a<b>c|d?e", "x"), o: windows, why: "another platform", files: "a\uf03cb\uf03ec\uf07cd\uf03fe 0644 x"},
		archive{name: "backslashes separate on Windows", tgz: gzFile(`package\d\x`, "x"), o: windows, why: "another platform", files: "d/x 0644 x"},
		archive{name: "backslashes climb on Windows", tgz: gz(tar(file(`package\..\..\x`, "x"), ok)), o: windows, why: "another platform", files: "ok 0644 ok",
			says: `"package/../../x": path contains ".."`},
		archive{name: "a drive on Windows", tgz: gzFile(`package/C:\Windows\x`, "x"), o: windows, why: "another platform", files: "Windows/x 0644 x",
			says: `"package/C:/Windows/x": path is absolute; unpacked without "C:/"`},
	)

	// Extended headers.
	group(
		archive{name: "a pax path", tgz: gz(tar(tt.Pax("path", "package/"+strings.Repeat("long/", 30)+"é"), file("x", "x")))},
		archive{name: "a pax path wins over the ustar prefix", tgz: gz(tar(tt.Pax("path", "package/pax"), tt.Entry{Prefix: "pre", Name: "x", Body: "x"}))},
		archive{name: "a prefix of 130 bytes and times", tgz: gz(tar(with(tt.Entry{Prefix: "package/d", Name: "x", Body: "x"}, func(e *tt.Entry) {
			e.Raw = func(b []byte) { copy(b[476:488], "03740000000\x00"); copy(b[488:500], "03740000000\x00") }
		})))},
		archive{name: "a prefix of 155 bytes", tgz: gz(tar(tt.Entry{Prefix: "package/" + strings.Repeat("p", 147), Name: "x", Body: "x"}))},
		archive{name: "a prefix in GNU's old format isn't one", tgz: gz(tar(with(file("package/x", "x"), func(e *tt.Entry) {
			e.Raw = func(b []byte) { copy(b[257:265], "ustar  \x00"); copy(b[345:], "03740000000\x00") }
		})))},
		archive{name: "a global path is ignored", tgz: gz(tar(tt.GlobalPax("path", "package/global", "comment", "0123456789abcdef"), ok))},
		archive{name: "two pax headers add up", tgz: gz(tar(tt.Pax("path", "package/one"), tt.Pax("size", "1"), file("package/x", "xyz")))},
		archive{name: "a GNU name after a pax path wins", tgz: gz(tar(tt.Pax("path", "package/pax"), tt.LongName("package/gnu"), file("package/x", "x")))},
		archive{name: "a pax path after a GNU name wins", tgz: gz(tar(tt.LongName("package/gnu"), tt.Pax("path", "package/pax"), file("package/x", "x")))},
		archive{name: "an extended header is for one entry", tgz: gz(tar(tt.Pax("path", "package/pax"), file("package/x", "x"), file("package/y", "y")))},
		archive{name: "a folder uses up an extended header", tgz: gz(tar(tt.Pax("path", "package/pax"), typed('5', "package/d/", "", ""), file("package/y", "y")))},
		archive{name: "a header that isn't one doesn't use up an extended header", tgz: gz(tar(tt.Pax("path", "package/pax"), typed('0', "package/x", "link", ""), file("package/y", "y"))),
			says: `"package/pax": header skipped: a link target on what isn't a link`},
		archive{name: "pax records with wrong lengths", tgz: gz(tar(tt.Entry{Name: "p", Type: 'x', Body: "99 path=package/a\n5 path=package/b\npath=package/c\n"}, ok))},
		archive{name: "a pax record without a key", tgz: gz(tar(tt.Entry{Name: "p", Type: 'x', Body: "5 =x\n"}, ok))},
		archive{name: "a pax record whose length has zeros in front", tgz: gz(tar(tt.Entry{Name: "p", Type: 'x', Body: "0020 path=package/a\n"}, ok))},
		archive{name: "a pax path with a line break", tgz: gz(tar(tt.Pax("path", "package/a\nb"), ok))},
		archive{name: "a pax path with a NUL", tgz: gz(tar(tt.Pax("path", "package/a\x00b"), ok))},
		archive{name: "an empty pax path spoils all that follows", tgz: gz(tar(tt.Pax("path", ""), file("package/x", ""), ok)),
			says: "header skipped: it has no path\nheader skipped: it has no path\nheader skipped: checksum failure"},
		archive{name: "a pax path that ends in a slash is a folder", tgz: gz(tar(tt.Pax("path", "package/d/"), file("package/x", ""), ok))},
		archive{name: "a Solaris extended header", tgz: gz(tar(tt.Entry{Name: "p", Type: 'X', Body: tt.Records("path", "package/solaris")}, ok))},
		archive{name: "an old GNU long name", tgz: gz(tar(tt.Entry{Name: "p", Type: 'N', Body: "package/old\x00"}, ok))},
		archive{name: "an empty extended header", tgz: gz(tar(tt.Entry{Name: "p", Type: 'x'}, ok))},
		archive{name: "extended headers alone", tgz: gz(tar(tt.Pax("path", "package/x")))},
		archive{name: "empty extended headers alone", tgz: gz(tar(tt.Entry{Name: "p", Type: 'x'})), says: `not a tar archive: no valid entry in 1536 bytes`},
		archive{name: "an extended header without a name", tgz: gz(tar(with(tt.Pax("path", "package/x"), func(e *tt.Entry) { e.Name = "" }), ok)),
			says: `header skipped: it has no path` + "\n" + `"18 path=package/x\n": header skipped: checksum failure`},
		archive{name: "an owner in broken binary", tgz: gz(tar(with(file("package/x", ""), func(e *tt.Entry) { e.Raw = func(b []byte) { b[108] = 0x81 } }), ok)),
			says: `"package/x": header skipped: invalid base-256 number`},
		archive{name: "an owner in broken binary that pax corrects", tgz: gz(tar(tt.Pax("uid", "0"), with(file("package/x", ""), func(e *tt.Entry) { e.Raw = func(b []byte) { b[108] = 0x81 } }), ok))},
	)
	return list
}

func many(n int) []tt.Entry {
	var all []tt.Entry
	for i := range n {
		all = append(all, file(fmt.Sprintf("package/%d", i), ""))
	}
	return all
}

// short is how messages show a long path.
func short(path string) string {
	return `"` + path[:100] + "…" + path[len(path)-100:] + `"`
}

func spoil(p []byte, i int) []byte {
	p[len(p)+i] ^= 0x55
	return p
}

func at(p []byte, i int, c byte) []byte {
	p[i] = c
	return p
}

func putLength(p []byte, n uint32) []byte {
	binary.LittleEndian.PutUint32(p[len(p)-4:], n)
	return p
}

func gzBest(p []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(p)
	_ = w.Close()
	return b.Bytes()
}

func gzipWith(p []byte, name, comment string, extra []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = name, comment, extra
	_, _ = w.Write(p)
	_ = w.Close()
	return b.Bytes()
}

// npmResult is what npm made of an archive (testdata/extract.cjs).
type npmResult struct {
	Files    map[string]string `json:"files"`
	Dirs     []string          `json:"dirs"`
	Warnings []string          `json:"warnings"`
	Error    string            `json:"error"`
}

func id(name string) string { return strings.ReplaceAll(name, " ", "-") }

func TestHostile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the expectations were recorded on Linux")
	}
	all := archives()
	if *record != "" {
		recordNPM(t, all)
	}
	var npm struct{ Cases map[string]npmResult }
	data, err := os.ReadFile("testdata/npm.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &npm); err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		t.Run(a.name, func(t *testing.T) {
			said, files, dirs := unpack(t, a)
			if said != a.says {
				t.Errorf("says\n%s\nwant\n%s", said, a.says)
			}
			if a.why != "" {
				if files != a.files {
					t.Errorf("unpacked\n%s\nwant\n%s", files, a.files)
				}
				return
			}
			want, known := npm.Cases[id(a.name)]
			if !known {
				t.Fatal("npm was not asked; run with -record")
			}
			if want.Error != "" {
				if files != "" || dirs != "" {
					t.Errorf("unpacked\n%s\nwhere npm fails with %s", files, want.Error)
				}
				return
			}
			var lines []string
			for path, what := range want.Files {
				lines = append(lines, path+" "+what)
			}
			sort.Strings(lines)
			if w := strings.Join(lines, "\n"); files != w {
				t.Errorf("unpacked\n%q\nnpm\n%q\nnpm's warnings %q", files, w, want.Warnings)
			}
			if w := strings.Join(want.Dirs, "\n"); dirs != w {
				t.Errorf("folders\n%s\nnpm\n%s", dirs, w)
			}
		})
	}
}

// unpack reads an archive, writes it, and looks at what is there.
func unpack(t *testing.T, a archive) (said, files, dirs string) {
	arch, err := tarball.Read(a.tgz, a.o)
	if err != nil {
		var e *tarball.Error
		if !errors.As(err, &e) || e.Code() == "" || len(e.Hints()) == 0 {
			t.Errorf("%v is no *Error with a code and a hint", err)
		}
		return err.Error(), "", ""
	}
	var lines []string
	for _, w := range arch.Warnings {
		lines = append(lines, w.String())
	}
	said = strings.Join(lines, "\n")

	parent := t.TempDir()
	dir := filepath.Join(parent, "package")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := tarball.Write(dir, arch); err != nil {
		t.Fatal(err)
	}
	if beside, _ := os.ReadDir(parent); len(beside) != 1 {
		t.Errorf("something appeared outside of the package: %v", beside)
	}
	lines = lines[:0]
	var folders []string
	onDisk := 0
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			folders = append(folders, rel)
			return nil
		}
		if !d.Type().IsRegular() {
			t.Errorf("%q is not a regular file", rel)
		}
		onDisk++
		fi, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		what := string(content)
		if len(what) > 60 {
			what = fmt.Sprintf("%d bytes", len(what))
		}
		lines = append(lines, fmt.Sprintf("%s %04o %s", rel, fi.Mode().Perm(), what))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if onDisk != len(arch.Files) || len(folders) != len(arch.Dirs) {
		t.Errorf("the archive has %d files and %d folders, the disk %d and %d", len(arch.Files), len(arch.Dirs), onDisk, len(folders))
	}
	sort.Strings(lines)
	sort.Strings(folders)
	return said, strings.Join(lines, "\n"), strings.Join(folders, "\n")
}

// recordNPM asks npm about every archive that it can be asked about.
func recordNPM(t *testing.T, all []archive) {
	dir := t.TempDir()
	for _, a := range all {
		if a.why == "" {
			if err := os.WriteFile(filepath.Join(dir, id(a.name)+".tgz"), a.tgz, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.Command("node", "testdata/extract.cjs", *record, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/npm.json", out, 0o666); err != nil {
		t.Fatal(err)
	}
}
