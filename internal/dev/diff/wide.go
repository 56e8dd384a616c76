//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
)

// Wide projects have what the registry's packages cannot show: folders and
// tarballs of the project's own, with bundled packages and locks in them, made
// for other machines; locks of older formats and of yarn; edits by hand.

// A local is a package of the project's own.
type local struct {
	name, path string // path is of the folder or of the tarball
	version    string
}

// wideProject is a project with locals and a sequence of commands.
func (p *pool) wideProject(seed uint64, tree bool) project {
	g := newGenerator(p, seed, 2)
	g.stored = tree
	g.recent = g.recent || tree || g.chance(60)
	root, files := g.manifests()
	locals := g.locals(&root, files)
	if g.chance(12) {
		g.bundleSome(&root)
	}
	files["package.json"] = g.file(root)
	if g.chance(15) {
		files[".npmrc"] = file{Text: g.npmrc()}
	}
	direct := directNames(root)
	switch n := g.IntN(100); {
	case n < 12:
		files["yarn.lock"] = file{Text: g.yarnLock(root)}
	case n < 18:
		files["npm-shrinkwrap.json"] = file{Text: oneOf(g, []string{
			"{}\n", "{\"lockfileVersion\": 2, \"packages\": {}}\n", "{\n\t\"name\": \"old\",\n\t\"lockfileVersion\": 1\n}\n"})}
	case n < 22:
		files["package-lock.json"] = file{Text: oneOf(g, []string{
			"{}\n", "{\"lockfileVersion\": 3, \"requires\": true, \"packages\": {}}", "{\"name\": \"x\", \"lockfileVersion\": 1, \"dependencies\": {}}\n"})}
	}
	how := []string{"--ignore-scripts"}
	if !tree {
		how = append(how, "--package-lock-only")
	}
	commands := [][]string{slices.Concat([]string{"install"}, how, g.wideFlags(true))}
	for range 2 + g.IntN(3) {
		var c []string
		switch n := g.IntN(100); {
		case n < 25 && len(locals) > 0:
			l := oneOf(g, locals)
			arg := oneOf(g, []string{"./" + l.path, "file:" + l.path, "./" + l.path, l.name + "@file:" + l.path, l.name})
			c = append([]string{"install", arg}, oneOf(g, [][]string{nil, nil, {"-D"}, {"-O"}, {"--save-peer"}, {"--save-bundle"}, {"-E"}, {"--no-save"}})...)
			direct = append(direct, l.name)
		case n < 40 && len(direct) > 0:
			// an edit by hand
			name := oneOf(g, direct)
			section := oneOf(g, sections)
			if q := p.byName[name]; q != nil && g.chance(75) && (!g.stored || len(q.Stored) > 0) {
				commands = append(commands, []string{"pkg", "set", section + "[" + name + "]=" + g.argRange(q)})
			} else {
				commands = append(commands, []string{"pkg", "delete", section + "[" + name + "]"})
			}
			c = []string{"install"}
		default:
			c = g.command(&direct, files)
		}
		commands = append(commands, slices.Concat(c, how, g.wideFlags(false)))
	}
	return project{Files: files, Commands: commands, Tree: tree}
}

func (g *generator) wideFlags(first bool) []string {
	var flags []string
	for _, f := range []struct {
		percent int
		flag    string
	}{
		{6, "--legacy-peer-deps"},
		{3, "--strict-peer-deps"},
		{6, "--force"},
		{8, "--prefer-dedupe"},
		{4, "--omit=dev"},
		{3, "--omit=optional"},
		{5, "--install-strategy=nested"},
		{4, "--install-strategy=shallow"},
		{3, "--engine-strict"},
		{6, "--lockfile-version=2"},
		{6, "--lockfile-version=1"},
		{2, "--lockfile-version=3"},
		{8, "--install-links"},
		{3, "--no-package-lock"},
		{4, "--omit-lockfile-registry-resolved"},
		{2, "--save-prefix=~"},
		{2, "--no-save"},
		{3, "--os=darwin"},
		{3, "--cpu=arm64"},
		{3, "--before=2025-03-01"},
	} {
		percent := f.percent
		if first && strings.HasPrefix(f.flag, "--lockfile-version") {
			percent *= 3
		}
		if g.chance(percent) {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

// locals makes folders and tarballs, and has the root and one another want them.
func (g *generator) locals(root *object, files map[string]file) []local {
	var all []local
	for i := range 1 + g.IntN(4) {
		l := local{name: oneOf(g, []string{"lib-", "@acme/lib-", "zlib-"}) + string(rune('a'+i)), version: oneOf(g, []string{"1.0.0", "0.3.1", "2.0.0-rc.1"})}
		bare := l.name[strings.LastIndexByte(l.name, '/')+1:]
		l.path = "libs/" + bare
		tarball := g.chance(45)
		if tarball {
			l.path = fmt.Sprintf("vendor/%s-%s.tgz", bare, l.version)
		}
		m := object{{"name", l.name}}
		if g.chance(93) {
			m.set("version", l.version)
		}
		if g.chance(85) {
			g.sections(&m, 1+g.IntN(3))
		}
		if g.chance(25) {
			m.set("bin", object{{bare, "cli.js"}})
		}
		if g.chance(15) {
			m.set(oneOf(g, []string{"os", "cpu", "os", "libc"}), []string{oneOf(g, []string{"linux", "darwin", "x64", "arm64", "!win32", "glibc", "musl"})})
		}
		if g.chance(12) {
			m.set("engines", object{{"node", oneOf(g, []string{">=99", "^20", ">=10", "*"})}})
		}
		if g.chance(12) {
			m.set("scripts", object{{"postinstall", "exit 0"}})
		}
		// one wants another, by a path from its own folder
		if len(all) > 0 && g.chance(35) {
			other := oneOf(g, all)
			section := oneOf(g, sections[:3])
			deps := m.object(section)
			want := "*"
			if !tarball {
				want = "file:../../" + other.path
			}
			deps.set(other.name, want)
			m.set(section, deps)
		}
		if tarball {
			files[l.path] = g.packed(m)
		} else {
			files[l.path+"/package.json"] = g.file(m)
		}
		all = append(all, l)
		if g.chance(75) {
			section := oneOf(g, []string{"dependencies", "dependencies", "devDependencies", "optionalDependencies", "peerDependencies"})
			deps := root.object(section)
			deps.set(l.name, oneOf(g, []string{"file:" + l.path, "file:./" + l.path, "./" + l.path}))
			root.set(section, deps)
		}
	}
	return all
}

// packed is a tarball of a package, perhaps with others bundled in it, or with a lock.
func (g *generator) packed(m object) file {
	f := file{Packed: map[string]file{}}
	if g.chance(35) {
		var bundled []string
		for i := range 1 + g.IntN(2) {
			name := fmt.Sprintf("inner-%c", 'a'+i)
			inner := object{{"name", name}, {"version", oneOf(g, []string{"1.0.0", "1.2.0"})}}
			if g.chance(30) {
				g.sections(&inner, 1)
			}
			f.Packed["node_modules/"+name+"/package.json"] = g.file(inner)
			if g.chance(85) {
				bundled = append(bundled, name)
			}
			deps := m.object("dependencies")
			deps.set(name, "^1.0.0")
			m.set("dependencies", deps)
		}
		if len(bundled) > 0 {
			m.set(oneOf(g, []string{"bundleDependencies", "bundledDependencies"}), bundled)
		} else {
			m.set("bundleDependencies", true)
		}
	}
	f.Packed["package.json"] = g.file(m)
	return f
}

// bundleSome has the root bundle some of what it depends on.
func (g *generator) bundleSome(root *object) {
	deps := root.object("dependencies")
	var names []string
	for _, d := range deps {
		if g.chance(50) {
			names = append(names, d.Key)
		}
	}
	if len(names) > 0 {
		root.set("bundleDependencies", names)
	}
}

// yarnLock pins some of the root's dependencies as yarn 1 does.
func (g *generator) yarnLock(root object) string {
	var b strings.Builder
	b.WriteString("# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n")
	seen := map[string]bool{}
	for _, section := range sections {
		for _, d := range root.object(section) {
			want, _ := d.Value.(string)
			p := g.pool.byName[d.Key]
			if p == nil || seen[d.Key+want] || g.chance(25) {
				continue
			}
			seen[d.Key+want] = true
			fmt.Fprintf(&b, "\n%q:\n  version %q\n", d.Key+"@"+want, g.version(p))
		}
	}
	return b.String()
}
