package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// extraPackage is what the add and remove rows add and remove. It is made up,
// and depends on one more made-up package.
const extraPackage = "bench-extra"

// A sample is a project to install.
type sample struct {
	name       string
	root       map[string]any
	workspaces map[string]map[string]any
}

// small has about a hundred packages.
var small = []string{"express", "axios", "formik", "react", "react-dom", "react-router-dom", "zod", "qs", "uuid", "yup", "@types/react"}

const (
	monorepoWorkspaces = 50
	monorepoMadeUp     = 3800
)

// samples reads the recorded application and makes the smaller and the bigger project from it.
func samples(shared string, wanted []string) ([]sample, error) {
	b, err := os.ReadFile(filepath.Join(shared, "bench", "package.json"))
	if err != nil {
		return nil, err
	}
	var app struct {
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if err := json.Unmarshal(b, &app); err != nil {
		return nil, err
	}
	scripts := map[string]string{"nothing": ":"}
	var out []sample
	for _, size := range wanted {
		s := sample{name: size, root: map[string]any{"name": "bench-project", "version": "1.0.0", "scripts": scripts}}
		switch size {
		case "100":
			deps := map[string]string{}
			for _, name := range small {
				deps[name] = app.Dependencies[name]
			}
			s.root["dependencies"] = deps
		case "1300":
			s.root["dependencies"], s.root["devDependencies"] = app.Dependencies, app.DevDependencies
		case "5000":
			s.spread(app.Dependencies, app.DevDependencies)
		default:
			return nil, fmt.Errorf("size %q: not 100, 1300 or 5000", size)
		}
		out = append(out, s)
	}
	return out, nil
}

// spread makes a monorepo: the root has what the application has, and each
// workspace a few of the same dependencies, its share of the made-up packages,
// and the workspace before it.
func (s *sample) spread(deps, dev map[string]string) {
	s.root["private"] = true
	s.root["workspaces"] = []string{"packages/*"}
	// all at the root: peers must find the versions that are recorded
	s.root["dependencies"], s.root["devDependencies"] = deps, dev
	s.workspaces = map[string]map[string]any{}
	var names []string
	for name := range deps {
		names = append(names, name)
	}
	sort.Strings(names)
	for i := range monorepoWorkspaces {
		mine := map[string]string{}
		for j := i; j < len(names); j += monorepoWorkspaces {
			mine[names[j]] = deps[names[j]]
		}
		// every tenth made-up package is asked for; it depends on the nine after it
		for j := i * 10; j < monorepoMadeUp; j += monorepoWorkspaces * 10 {
			mine[madeUpName(j)] = "^1.0.0"
		}
		if i > 0 {
			mine[fmt.Sprintf("@bench/workspace-%02d", i-1)] = "1.0.0"
		}
		name := fmt.Sprintf("workspace-%02d", i)
		s.workspaces[name] = map[string]any{"name": "@bench/" + name, "version": "1.0.0", "dependencies": mine}
	}
}

// write lays the project out. pnpm reads its workspaces from a file of its own.
func (s sample) write(dir string, pnpm bool) error {
	if err := writeManifest(dir, s.root); err != nil {
		return err
	}
	for name, m := range s.workspaces {
		if err := writeManifest(filepath.Join(dir, "packages", name), m); err != nil {
			return err
		}
	}
	if pnpm && len(s.workspaces) > 0 {
		return os.WriteFile(filepath.Join(dir, "pnpm-workspace.yaml"), []byte("packages:\n  - packages/*\nlinkWorkspacePackages: true\n"), 0o644)
	}
	return nil
}

func writeManifest(dir string, m map[string]any) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "package.json"), append(b, '\n'), 0o644)
}

func madeUpName(i int) string { return fmt.Sprintf("bench-made-up-%04d", i) }

// writeOverlay publishes the made-up packages in a folder that the recorded
// registry serves over its recording.
func writeOverlay(dir string, monorepo bool) error {
	if err := publish(dir, extraPackage, map[string]string{"bench-extra-leaf": "^1.0.0"}); err != nil {
		return err
	}
	if err := publish(dir, "bench-extra-leaf", nil); err != nil {
		return err
	}
	if !monorepo {
		return nil
	}
	for i := range monorepoMadeUp {
		deps := map[string]string{}
		if i%10 == 0 {
			for j := i + 1; j < min(i+10, monorepoMadeUp); j++ {
				deps[madeUpName(j)] = "^1.0.0"
			}
		}
		if err := publish(dir, madeUpName(i), deps); err != nil {
			return err
		}
	}
	return nil
}

// publish writes one package of twelve small files.
func publish(dir, name string, deps map[string]string) error {
	manifest := map[string]any{"name": name, "version": "1.0.0", "license": "MIT", "main": "index.js"}
	if deps != nil {
		manifest["dependencies"] = deps
	}
	m, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{"package/package.json": m, "package/index.js": []byte("module.exports = '" + name + "'\n")}
	for i := range 10 {
		files[fmt.Sprintf("package/lib/part-%d.js", i)] = []byte("// " + strings.Repeat(fmt.Sprintf("%s %d\n// ", name, i), 60) + "\n")
	}
	tgz, err := pack(files)
	if err != nil {
		return err
	}
	sum := sha512.Sum512(tgz)
	file := name + "-1.0.0.tgz"
	// the host is one whose tarball addresses the server points at itself
	manifest["dist"] = map[string]any{
		"tarball":   "https://registry.npmjs.org/" + name + "/-/" + file,
		"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
	doc, err := json.Marshal(map[string]any{"_id": name, "name": name, "dist-tags": map[string]string{"latest": "1.0.0"},
		"versions": map[string]any{"1.0.0": manifest}, "time": map[string]string{"1.0.0": "2025-01-01T00:00:00.000Z"}})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, name, "-"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, name, "-", file), tgz, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".json"), doc, 0o644)
}

func pack(files map[string][]byte) ([]byte, error) {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for _, name := range names {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), ModTime: time.Unix(499162500, 0)}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
