package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// A floor is the time of the work that cannot be left out, measured bare.
type floor struct {
	Dirs     int           `json:"dirs"`
	Files    int           `json:"files"`
	Tarballs int           `json:"tarballs"`
	Warm     time.Duration `json:"warm"`    // mkdir and linkat of all paths
	Inflate  time.Duration `json:"inflate"` // reading, sha512, inflating and walking the tarballs
	Write    time.Duration `json:"write"`   // mkdir, open, write and close of all files
	Cold     time.Duration `json:"cold"`    // the three together
}

// lockTarballs finds the recorded tarballs that a package-lock.json names, in
// the recording or in the overlay, and counts the lock's packages.
func lockTarballs(lock, recording, overlay string) (paths []string, packages int, err error) {
	b, err := os.ReadFile(lock)
	if err != nil {
		return nil, 0, err
	}
	var l struct {
		Packages map[string]struct {
			Resolved string `json:"resolved"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, 0, err
	}
	stored := map[string]string{}
	for _, pattern := range []string{filepath.Join(recording, "tarballs", "*", "*.tgz"), filepath.Join(overlay, "*", "-", "*.tgz")} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, 0, err
		}
		for _, path := range found {
			name := filepath.Base(path)
			if whole, err := url.PathUnescape(name); err == nil {
				name = whole
			}
			if strings.HasPrefix(path, overlay+string(filepath.Separator)) {
				name = filepath.Base(filepath.Dir(filepath.Dir(path))) + "/-/" + name
			}
			stored[name] = path
		}
	}
	seen := map[string]bool{}
	for at, p := range l.Packages {
		if at != "" {
			packages++
		}
		u, err := url.Parse(p.Resolved)
		if err != nil {
			continue
		}
		if path := stored[strings.TrimPrefix(u.Path, "/")]; path != "" && !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	return paths, packages, nil
}
