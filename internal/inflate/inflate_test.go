package inflate

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	kgzip "github.com/klauspost/compress/gzip"
)

// texts are of every kind that takes another way through the decoder.
func texts() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	few := make([]byte, 100_000)
	for i := range few {
		few[i] = "abcd"[r.IntN(4)]
	}
	// Many symbols of very different frequency make long codes.
	var skewed bytes.Buffer
	for i := range 256 {
		for range 1 << min(i/8, 14) {
			skewed.WriteByte(byte(i))
		}
	}
	long := skewed.Bytes()
	r.Shuffle(len(long), func(i, j int) { long[i], long[j] = long[j], long[i] })
	var json bytes.Buffer
	for i := range 3000 {
		fmt.Fprintf(&json, `{"name":"pkg","version":"1.%d.%d","dist":{"shasum":"%016x"}},`, i/10, i%10, r.Uint64())
	}
	return map[string][]byte{
		"nothing": {}, "a byte": {'x'}, "a run": bytes.Repeat([]byte{'z'}, 70_000), "pairs": bytes.Repeat([]byte("ab"), 40_000),
		"sevens": bytes.Repeat([]byte("abcdefg"), 9_000), "noise": noise, "few letters": few, "long codes": long, "JSON": json.Bytes(),
	}
}

func TestWhatIsCompressedComesBack(t *testing.T) {
	var d Decoder
	for name, text := range texts() {
		for _, level := range []int{flate.NoCompression, flate.HuffmanOnly, 1, 6, 9} {
			t.Run(fmt.Sprintf("%s at level %d", name, level), func(t *testing.T) {
				var b bytes.Buffer
				w, _ := gzip.NewWriterLevel(&b, level)
				w.Name, w.Comment, w.Extra = "name", "comment", []byte("extra")
				_, _ = w.Write(text)
				_ = w.Close()
				for _, dst := range [][]byte{nil, make([]byte, 0, len(text)), make([]byte, 0, len(text)+slack), []byte("before")} {
					got, err := d.Gunzip(dst, b.Bytes(), len(dst)+len(text))
					if err != nil || !bytes.Equal(got, append(bytes.Clone(dst), text...)) {
						t.Fatalf("%d bytes, want %d: %v", len(got), len(text)+len(dst), err)
					}
				}
				if len(text) > 0 {
					if got, err := d.Gunzip(nil, b.Bytes(), len(text)-1); !errors.Is(err, ErrTooLarge) || len(got) >= len(text) {
						t.Errorf("over the limit: %d bytes, %v", len(got), err)
					}
				}
			})
		}
	}
}

func TestSeveralMembersAreOneText(t *testing.T) {
	member := func(s string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(s))
		_ = w.Close()
		return b.Bytes()
	}
	two := append(member("one "), member("two")...)
	var d Decoder
	for _, c := range []struct {
		name string
		src  []byte
		text string
		err  error
	}{
		{"two members", two, "one two", nil},
		{"padding", append(bytes.Clone(two), 0, 0, 0), "one two", nil},
		{"something else behind", append(bytes.Clone(two), "junk"...), "one two", ErrHeader},
		{"half a checksum", two[:len(two)-5], "one two", ErrShort},
		{"another checksum", append(bytes.Clone(two[:len(two)-8]), 1, 2, 3, 4, 3, 0, 0, 0), "one two", ErrChecksum},
		{"nothing", nil, "", ErrHeader},
		{"half a header", two[:5], "", ErrShort},
		{"a reserved flag", append([]byte{0x1f, 0x8b, 8, 0x80}, two[4:]...), "", ErrHeader},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := d.Gunzip(nil, c.src, 1<<20)
			if string(got) != c.text || !errors.Is(err, c.err) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestEveryBeginningEndsEarly(t *testing.T) {
	for name, text := range texts() {
		text = text[:min(len(text), 3000)]
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 6)
		_, _ = w.Write(text)
		_ = w.Close()
		var d Decoder
		for n := range b.Len() {
			got, _, err := d.Decode(nil, b.Bytes()[:n], 1<<20)
			if !errors.Is(err, ErrShort) || !bytes.HasPrefix(text, got) {
				t.Fatalf("%s: the first %d of %d bytes: %v", name, n, b.Len(), err)
			}
		}
	}
}

// FuzzDecode holds the decoder against the standard library's.
func FuzzDecode(f *testing.F) {
	for _, text := range texts() {
		for _, level := range []int{0, 1, 6, flate.HuffmanOnly} {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, level)
			_, _ = w.Write(text[:min(len(text), 2000)])
			_ = w.Close()
			f.Add(b.Bytes())
		}
	}
	f.Add([]byte{0x03, 0x00})
	f.Add([]byte("\x05\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x0b\x00\x00"))
	f.Fuzz(func(t *testing.T, src []byte) {
		const limit = 1 << 20
		var d Decoder
		got, n, err := d.Decode(nil, src, limit)
		in := bytes.NewReader(src)
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(in), limit+1))
		if len(want) > limit {
			if !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrShort) {
				t.Fatalf("over the limit: %v", err)
			}
			return
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error is %v, the standard library's %v", err, wantErr)
		}
		if err == nil && (!bytes.Equal(got, want) || n != len(src)-in.Len()) {
			t.Fatalf("%d bytes of %d, the standard library has %d of %d", len(got), n, len(want), len(src)-in.Len())
		}
	})
}

func corpus(b *testing.B) (zipped [][]byte, size int64) {
	files, _ := filepath.Glob("../../../shared/bench/registry/packuments/*/*.json.gz")
	if strings.HasSuffix(b.Name(), "Tarballs") {
		files, _ = filepath.Glob("../../../shared/bench/registry/tarballs/*/*.tgz")
		if len(files) == 0 {
			files, _ = filepath.Glob("../../../shared/bench/registry/tarballs/*/*")
		}
	}
	if len(files) == 0 {
		b.Skip("no recording beside the repository")
	}
	var d Decoder
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		text, err := d.Gunzip(nil, src, 1<<30)
		if err != nil {
			continue
		}
		zipped = append(zipped, src)
		size += int64(len(text))
	}
	return zipped, size
}

func BenchmarkDecoder(b *testing.B) {
	for _, kind := range []string{"Packuments", "Tarballs"} {
		b.Run(kind, func(b *testing.B) {
			zipped, size := corpus(b)
			b.SetBytes(size)
			var d Decoder
			var dst []byte
			for b.Loop() {
				for _, src := range zipped {
					var err error
					if dst, err = d.Gunzip(dst[:0], src, 1<<30); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkKlauspost(b *testing.B) {
	for _, kind := range []string{"Packuments", "Tarballs"} {
		b.Run(kind, func(b *testing.B) {
			zipped, size := corpus(b)
			b.SetBytes(size)
			var r kgzip.Reader
			buf := make([]byte, 64<<20)
			for b.Loop() {
				for _, src := range zipped {
					if err := r.Reset(bytes.NewReader(src)); err != nil {
						b.Fatal(err)
					}
					for {
						if _, err := r.Read(buf); err != nil {
							if err != io.EOF {
								b.Fatal(err)
							}
							break
						}
					}
				}
			}
		})
	}
}
