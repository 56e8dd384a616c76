package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// shape is a package, or a project with workspaces.
type shape struct {
	name  string
	args  []string // of publish
	files map[string]string
}

// shapes are what is published, in this order.
func shapes() []shape {
	pkg := func(name, more string, files ...string) shape {
		s := shape{name: strings.ReplaceAll(strings.TrimPrefix(name, "@"), "/", "-"), files: map[string]string{}}
		if more != "" {
			more = ",\n  " + more
		}
		s.files["package.json"] = fmt.Sprintf("{\n  \"name\": %q,\n  \"version\": \"1.0.0\"%s\n}\n", name, more)
		for i := 0; i+1 < len(files); i += 2 {
			s.files[files[i]] = files[i+1]
		}
		return s
	}
	with := func(s shape, args ...string) shape {
		s.args = args
		return s
	}
	return []shape{
		pkg("plain", "", "index.js", "module.exports = 1\n"),
		pkg("@ibid-shapes/scoped", `"publishConfig": {"access": "public"}`, "index.js", "", "README.md", "# Scoped\n\nWhat it is.\n"),
		pkg("readme", `"license": "MIT"`, "readme.markdown", "# Readme\n\nFirst words.\n\nMore.\n"),
		pkg("one-bin", `"bin": "cli.js"`, "cli.js", "#!/usr/bin/env node\n"),
		pkg("many-bins", `"bin": {"shapes-a": "./bin/a.js", "shapes-b": "bin/b.js"}`, "bin/a.js", "#!/usr/bin/env node\n", "bin/b.js", "#!/usr/bin/env node\n"),
		pkg("bin-folder", `"directories": {"bin": "./commands"}`, "commands/shapes-only", "#!/usr/bin/env node\n"),
		pkg("some-files", `"files": ["lib", "!lib/*.map"]`, "lib/a.js", "", "lib/a.js.map", "{}", "other.js", ""),
		pkg("ignored", `"main": "main.js"`, ".npmignore", "*.log\n!keep.log\n", "a.log", "", "keep.log", "", "main.js", ""),
		pkg("typed", `"main": "./lib/index.js"`, "lib/index.js", "", "lib/index.d.ts", "export {}\n"),
		pkg("esm", `"type": "module", "exports": {".": {"import": "./index.mjs", "types": "./index.d.mts"}}`, "index.mjs", "", "index.d.mts", ""),
		pkg("people", `"author": "Ann <ann@example.com> (https://example.com)", "contributors": ["Bob"], "repository": "ibid-shapes/people", "keywords": "a, b"`, "index.js", ""),
		pkg("authors", `"homepage": "example.com"`, "AUTHORS", "Ann <ann@example.com>\n# nobody\nBob\n"),
		pkg("unicode", `"description": "Größe ✓ 漢字 👋"`, "ä/漢字.js", "// 漢字\n"),
		pkg("depends", `"dependencies": {"plain": "^1.0.0"}, "peerDependencies": {"esm": "1"}, "peerDependenciesMeta": {"esm": {"optional": true}}, "optionalDependencies": {"typed": "*"}`, "index.js", "require('plain')\n"),
		pkg("engines", `"engines": {"node": ">=4"}, "funding": "https://example.com/fund", "os": ["!none"]`, "index.js", ""),
		pkg("bundles", `"dependencies": {"inner": "1"}, "bundleDependencies": ["inner"]`, "index.js", "", "node_modules/inner/package.json", `{"name":"inner","version":"1.2.3"}`, "node_modules/inner/index.js", ""),
		pkg("manual", `"man": ["./doc/a.1"]`, "doc/a.1", ".TH A 1\n"),
		with(pkg("tagged", "", "index.js", ""), "--tag", "next"),
		with(pkg("before", "", "package.json", "{\"name\":\"before\",\"version\":\"2.0.0-beta.1\",\"publishConfig\":{\"tag\":\"beta\"}}"), "--access", "public"),
		pkg("scripted", `"scripts": {"prepublishOnly": "echo one > one.txt", "prepack": "echo two > two.txt", "prepare": "echo three > three.txt", "postpack": "echo 4 > four.txt", "postpublish": "echo 5"}`, "index.js", ""),
		pkg("long", "", "a/"+strings.Repeat("long-folder/", 9)+"file-with-a-long-name.js", ""),
		pkg("patched", `"patchedDependencies": {"plain@1.0.0": "patches/plain.patch"}`, "patches/plain.patch", "", "index.js", ""),
		{name: "workspaces", args: []string{"--workspaces"}, files: map[string]string{
			"package.json":            `{"name":"shapes-root","version":"1.0.0","private":true,"workspaces":["packages/*"]}`,
			"packages/a/package.json": `{"name":"@ibid-shapes/a","version":"1.0.0","dependencies":{"@ibid-shapes/b":"^1.0.0"}}`,
			"packages/b/package.json": `{"name":"@ibid-shapes/b","version":"1.0.0"}`,
			"packages/b/index.js":     "", "packages/c/package.json": `{"name":"@ibid-shapes/c","version":"1.0.0","private":true}`,
		}},
	}
}

// published are the names of all packages that are there afterwards.
func published() []string {
	var names []string
	for _, s := range shapes() {
		switch s.name {
		case "workspaces":
			names = append(names, "@ibid-shapes/a", "@ibid-shapes/b")
		case "ibid-shapes-scoped":
			names = append(names, "@ibid-shapes/scoped")
		default:
			names = append(names, s.name)
		}
	}
	return names
}

func (s shape) write(dir string) error {
	for name, text := range s.files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
