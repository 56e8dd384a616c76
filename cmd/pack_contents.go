package cmd

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/term"
)

// tarballContents says what is in a tarball (npm: lib/utils/tar.js).
type tarballContents struct {
	name, version string
	filename      string
	size          int   // of the tarball
	unpacked      int64 // of its files together
	shasum        string
	integrity     string
	files         []packedFile
	bundled       []string // names of bundled dependencies
}

type packedFile struct {
	path string
	size int64
	mode int64
}

func (t *tarballContents) id() string { return t.name + "@" + t.version }

func readContents(name, version string, tgz []byte) (*tarballContents, error) {
	t := &tarballContents{
		name: name, version: version, size: len(tgz),
		filename:  tarballName(name, version),
		shasum:    integrity.Sum("sha1", tgz).Hex(),
		integrity: integrity.SRI{integrity.Sum("sha512", tgz)}.String(),
	}
	err := eachPacked(name, tgz, func(h *tar.Header, _ io.Reader) error {
		if rest, ok := strings.CutPrefix(h.Name, "package/node_modules/"); ok && rest != "" {
			if dep := bundledName(rest); dep != "" && !slices.Contains(t.bundled, dep) {
				t.bundled = append(t.bundled, dep)
			}
		}
		t.unpacked += h.Size
		t.files = append(t.files, packedFile{strings.TrimPrefix(h.Name, "package/"), h.Size, h.Mode})
		return nil
	})
	if err != nil {
		return nil, err
	}
	sortPacked(t.files)
	return t, nil
}

// eachPacked calls visit for each entry of a tarball.
func eachPacked(name string, tgz []byte, visit func(*tar.Header, io.Reader) error) error {
	data, err := tarball.Inflate(tgz, tarball.Limits{}, nil)
	if err != nil {
		return fmt.Errorf("%s: reading its tarball: %w", name, err)
	}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: reading its tarball: %w", name, err)
		}
		if err := visit(h, r); err != nil {
			return err
		}
	}
}

// bundledName is the package that a path below node_modules belongs to.
func bundledName(path string) string {
	name, rest, _ := strings.Cut(path, "/")
	if strings.HasPrefix(name, "@") {
		second, _, _ := strings.Cut(rest, "/")
		if second == "" {
			return name
		}
		return name + "/" + second
	}
	return name
}

// sortPacked puts files into the order in which npm lists them: names that start
// with a capital, or with no letter at all, before the others; digits count as
// the numbers that they write.
func sortPacked(files []packedFile) {
	type key struct {
		lower bool
		text  string
	}
	keys := make(map[string]key, len(files))
	for _, f := range files {
		var first string
		for _, r := range f.path {
			if r <= 0xFFFF { // JavaScript sees half a character beyond, which has no case
				first = string(r)
			}
			break
		}
		keys[f.path] = key{first != strings.ToUpper(first) || slices.ContainsFunc(widening[:], func(r [2]rune) bool {
			return first != "" && r[0] <= []rune(first)[0] && []rune(first)[0] <= r[1]
		}), padNumbers(f.path)}
	}
	slices.SortStableFunc(files, func(x, y packedFile) int {
		kx, ky := keys[x.path], keys[y.path]
		if kx.lower != ky.lower {
			if kx.lower {
				return 1
			}
			return -1
		}
		return collate.Compare(kx.text, ky.text)
	})
}

// widening are the characters that JavaScript's toUpperCase makes several of,
// as it does "FI" of "ﬁ"; strings.ToUpper has one for one.
var widening = [...][2]rune{
	{0xdf, 0xdf}, {0x149, 0x149}, {0x1f0, 0x1f0}, {0x390, 0x390}, {0x3b0, 0x3b0}, {0x587, 0x587}, {0x1e96, 0x1e9a}, {0x1f50, 0x1f50},
	{0x1f52, 0x1f52}, {0x1f54, 0x1f54}, {0x1f56, 0x1f56}, {0x1f80, 0x1faf}, {0x1fb2, 0x1fb4}, {0x1fb6, 0x1fb7}, {0x1fbc, 0x1fbc},
	{0x1fc2, 0x1fc4}, {0x1fc6, 0x1fc7}, {0x1fcc, 0x1fcc}, {0x1fd2, 0x1fd3}, {0x1fd6, 0x1fd7}, {0x1fe2, 0x1fe4}, {0x1fe6, 0x1fe7},
	{0x1ff2, 0x1ff4}, {0x1ff6, 0x1ff7}, {0x1ffc, 0x1ffc}, {0xfb00, 0xfb06}, {0xfb13, 0xfb17},
}

// padNumbers gives every number in s the same width, so that comparing texts
// compares numbers.
func padNumbers(s string) string {
	const width = 24
	var b strings.Builder
	for i := 0; i < len(s); {
		n := i
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == i {
			b.WriteByte(s[i])
			i++
			continue
		}
		digits := strings.TrimLeft(s[i:n], "0")
		b.WriteString(strings.Repeat("0", max(0, width-len(digits))))
		b.WriteString(digits)
		i = n
	}
	return b.String()
}

// json is the tarball as --json shows it.
func (t *tarballContents) json() jsjson.Value {
	files := make([]jsjson.Value, len(t.files))
	for i, f := range t.files {
		files[i] = jsjson.NewObject(
			jsjson.Member{Key: "path", Value: jsjson.NewString(f.path)},
			jsjson.Member{Key: "size", Value: jsjson.NewNumber(float64(f.size))},
			jsjson.Member{Key: "mode", Value: jsjson.NewNumber(float64(f.mode))},
		)
	}
	bundled := make([]jsjson.Value, len(t.bundled))
	for i, name := range t.bundled {
		bundled[i] = jsjson.NewString(name)
	}
	return jsjson.NewObject(
		jsjson.Member{Key: "id", Value: jsjson.NewString(t.id())},
		jsjson.Member{Key: "name", Value: jsjson.NewString(t.name)},
		jsjson.Member{Key: "version", Value: jsjson.NewString(t.version)},
		jsjson.Member{Key: "size", Value: jsjson.NewNumber(float64(t.size))},
		jsjson.Member{Key: "unpackedSize", Value: jsjson.NewNumber(float64(t.unpacked))},
		jsjson.Member{Key: "shasum", Value: jsjson.NewString(t.shasum)},
		jsjson.Member{Key: "integrity", Value: jsjson.NewString(t.integrity)},
		jsjson.Member{Key: "filename", Value: jsjson.NewString(t.filename)},
		jsjson.Member{Key: "files", Value: jsjson.NewArray(files...)},
		jsjson.Member{Key: "entryCount", Value: jsjson.NewNumber(float64(len(t.files)))},
		jsjson.Member{Key: "bundled", Value: jsjson.NewArray(bundled...)},
	)
}

// tellContents lists a tarball for people.
func (a *App) tellContents(t *tarballContents) {
	say := func(format string, args ...any) { a.log(levelNotice, fmt.Sprintf(format, args...)) }
	mark := "package:"
	if a.Config.Bool("unicode") {
		mark = "📦 "
	}
	say("")
	say("%s %s", mark, term.SafeLine(t.id()))
	say("Tarball Contents")
	for _, f := range t.files {
		if !strings.HasPrefix(f.path, "node_modules/") {
			say("%s %s", formatBytes(f.size, ""), term.SafeLine(f.path))
		}
	}
	if len(t.bundled) > 0 {
		say("Bundled Dependencies")
		for _, name := range t.bundled {
			say("%s", term.SafeLine(name))
		}
	}
	say("Tarball Details")
	say("name: %s", term.SafeLine(t.name))
	say("version: %s", term.SafeLine(t.version))
	say("filename: %s", term.SafeLine(t.filename))
	say("package size: %s", formatBytes(int64(t.size), " "))
	say("unpacked size: %s", formatBytes(t.unpacked, " "))
	say("shasum: %s", t.shasum)
	say("integrity: %s[...]%s", t.integrity[:20], t.integrity[80:])
	if len(t.bundled) > 0 {
		say("bundled deps: %d", len(t.bundled))
		say("bundled files: 0") // npm counts them among the package's own
		say("own files: %d", len(t.files))
	}
	say("total files: %d", len(t.files))
	say("")
}

// formatBytes writes a size for people (npm: lib/utils/format-bytes.js).
func formatBytes(n int64, space string) string {
	switch f := float64(n); {
	case n < 1000:
		return strconv.FormatInt(n, 10) + space + "B"
	case n < 999950:
		return strconv.FormatFloat(f/1e3, 'f', 1, 64) + space + "kB"
	case n < 999950000:
		return strconv.FormatFloat(f/1e6, 'f', 1, 64) + space + "MB"
	default:
		return strconv.FormatFloat(f/1e9, 'f', 1, 64) + space + "GB"
	}
}
