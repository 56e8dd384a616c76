package registry_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/registry"
)

func TestVerifyRemovesDocumentsThatAreNotAsStored(t *testing.T) {
	f := setup(t)
	for _, name := range []string{"a", "@s/b"} {
		if _, err := f.client(t).Packument(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	var entries []string
	err := filepath.WalkDir(f.cache, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			entries = append(entries, path)
		}
		return err
	})
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	whole := readFile(t, entries[0])
	other := readFile(t, entries[1])
	if !bytes.Contains(whole, []byte("@s/b")) {
		slices.Reverse(entries)
		whole, other = other, whole
	}
	verify := func() *registry.CheckedDocuments {
		t.Helper()
		c, err := registry.VerifyCache(t.Context(), f.cache)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := verify(); c.Documents != 2 || c.Bytes != int64(len(whole)+len(other)) || len(c.Removed) != 0 {
		t.Fatalf("%+v", c)
	}

	// The manifest of its only version is there twice, and the second is looked at.
	start := []byte(`{"name":"@s/b","version"`)
	manifest := bytes.Index(whole, start) + 1
	manifest += bytes.Index(whole[manifest:], start)
	flip := func(at int) []byte {
		b := slices.Clone(whole)
		b[at] ^= 1
		return b
	}
	for name, damaged := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)-1], "cut in its head": whole[:100], "of another address": other,
		"a manifest": flip(manifest), "the body": flip(len(whole) - 2), "the beginning": flip(3),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(entries[0], damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			if c := verify(); c.Documents != 1 || !slices.Equal(c.Removed, entries[:1]) {
				t.Errorf("%+v", c)
			}
			if _, err := os.Lstat(entries[0]); !os.IsNotExist(err) {
				t.Error("it is there still")
			}
		})
	}

	// What killed runs leave goes, what others are at work on stays.
	left, working := entries[1]+".1.a.tmp", entries[1]+".2.b.tmp"
	for _, path := range []string{left, working} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	if c := verify(); c.Documents != 1 || len(c.Removed) != 0 {
		t.Errorf("%+v", c)
	}
	files, _ := filepath.Glob(filepath.Dir(entries[1]) + "/*.tmp")
	if len(files) != 1 || !strings.HasSuffix(files[0], ".b.tmp") {
		t.Errorf("there are %q", files)
	}
}
