//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A generator makes one project out of one seed, always the same one.
type generator struct {
	*rand.Rand
	pool   *pool
	recent bool // this project prefers new versions: fewer conflicts
	stored bool // only what can really be installed from the recording
}

// The second word of the generator's state: another number means other projects.
const generation = 2

func newGenerator(p *pool, seed, kind uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, generation<<8|kind)), pool: p}
	g.recent = g.chance(55)
	return g
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func oneOf[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// lockProject is a package.json to be resolved from nothing.
func (p *pool) lockProject(seed uint64) project {
	g := newGenerator(p, seed, 0)
	root, files := g.manifests()
	command := append([]string{"install", "--package-lock-only", "--ignore-scripts"}, g.flags()...)
	files["package.json"] = g.file(root)
	if g.chance(10) {
		files[".npmrc"] = file{Text: g.npmrc()}
	}
	return project{Files: files, Commands: [][]string{command}}
}

// sequenceProject is a package.json and an install with five commands after it.
func (p *pool) sequenceProject(seed uint64, tree bool) project {
	g := newGenerator(p, seed, 1)
	g.stored = tree
	// a project that cannot be resolved fails six times in the same way
	g.recent = g.recent || tree || g.chance(75)
	root, files := g.manifests()
	files["package.json"] = g.file(root)
	how := []string{"--ignore-scripts"}
	if !tree {
		how = append(how, "--package-lock-only")
	}
	if g.chance(10) {
		how = append(how, "--legacy-peer-deps")
	}
	commands := [][]string{append([]string{"install"}, how...)}
	direct := directNames(root)
	for range 5 {
		commands = append(commands, append(g.command(&direct, files), how...))
	}
	return project{Files: files, Commands: commands, Tree: tree}
}

func directNames(root object) []string {
	var names []string
	for _, section := range sections {
		for _, m := range root.object(section) {
			names = append(names, m.Key)
		}
	}
	return names
}

var sections = []string{"dependencies", "devDependencies", "optionalDependencies", "peerDependencies"}

func (g *generator) command(direct *[]string, files map[string]file) []string {
	pick := func() string {
		if len(*direct) == 0 {
			return g.pkg().Name
		}
		return oneOf(g, *direct)
	}
	var workspaces []string
	for name := range files {
		if dir, ok := strings.CutSuffix(name, "/package.json"); ok {
			workspaces = append(workspaces, dir)
		}
	}
	slices.Sort(workspaces)
	switch n := g.IntN(100); {
	case n < 34: // add
		p := g.pkg()
		arg := p.Name
		if g.chance(60) || g.stored || !p.Open {
			arg += "@" + g.argRange(p)
		}
		if g.chance(6) {
			alias := "renamed-" + p.bare()
			arg = alias + "@npm:" + arg
			*direct = append(*direct, alias)
		} else {
			*direct = append(*direct, p.Name)
		}
		args := []string{"install", arg}
		if g.chance(15) {
			q := g.pkg()
			args = append(args, q.Name+"@"+g.argRange(q))
			*direct = append(*direct, q.Name)
		}
		switch m := g.IntN(100); {
		case m < 25:
			args = append(args, "-D")
		case m < 33:
			args = append(args, "-O")
		case m < 38:
			args = append(args, "--save-peer")
		case m < 42:
			args = append(args, "-E")
		case m < 45:
			args = append(args, "--no-save")
		}
		if len(workspaces) > 0 && g.chance(30) {
			args = append(args, "-w", oneOf(g, workspaces))
		}
		return args
	case n < 54:
		return []string{"uninstall", pick()}
	case n < 68:
		return []string{"update", pick()}
	case n < 78:
		return []string{"update"}
	case n < 82:
		return []string{"update", "--save"}
	case n < 90:
		return []string{"dedupe"}
	case n < 95:
		return []string{"prune"}
	default:
		return []string{"install"}
	}
}

// argRange is a range as it is typed on a command line.
func (g *generator) argRange(p *poolPackage) string {
	r := g.versionRange(p)
	if r == "" {
		return "*"
	}
	return r
}

func (g *generator) pkg() *poolPackage {
	if g.stored {
		return &g.pool.stored[g.IntN(len(g.pool.stored))]
	}
	return &g.pool.all[g.IntN(len(g.pool.all))]
}

// bare is the name without its scope.
func (p *poolPackage) bare() string {
	return p.Name[strings.LastIndexByte(p.Name, '/')+1:]
}

func (g *generator) version(p *poolPackage) string {
	list := p.Versions
	if g.stored {
		return oneOf(g, p.Stored)
	}
	if g.recent && len(list) > 3 && g.chance(85) {
		list = list[len(list)-3:]
	}
	return oneOf(g, list)
}

func (g *generator) versionRange(p *poolPackage) string {
	v := g.version(p)
	core, _, _ := strings.Cut(v, "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.SplitN(core, ".", 3)
	n := g.IntN(200)
	if g.stored {
		n = g.IntN(128) // ranges that lead to what is stored
	} else if !p.Open && !g.chance(3) {
		n = oneOf(g, []int{g.IntN(128), 138 + g.IntN(14), 167 + g.IntN(17), 191 + g.IntN(9)})
	}
	switch {
	case n < 90:
		return "^" + v
	case n < 110:
		return "~" + v
	case n < 128:
		return v
	case n < 138:
		return ">=" + v
	case n < 144:
		return parts[0] + ".x"
	case n < 148:
		return parts[0] + "." + parts[1]
	case n < 152:
		return parts[0]
	case n < 160:
		return "*"
	case n < 162:
		return ""
	case n < 167:
		if len(p.Tags) > 0 {
			return oneOf(g, p.Tags)
		}
		return "latest"
	case n < 179:
		return "^" + v + " || ^" + g.version(p)
	case n < 184:
		if w := g.version(p); slices.Index(p.Versions, w) < slices.Index(p.Versions, v) && g.chance(95) {
			return w + " - " + v
		} else {
			return v + " - " + w
		}
	case n < 188:
		return "<=" + v
	case n < 191:
		if v == p.Versions[len(p.Versions)-1] {
			return ">=" + v
		}
		return ">" + v
	case n < 194:
		return ">=" + parts[0] + ".0.0 <=" + v
	case n < 196:
		return "v" + v
	case n < 197:
		return "^" + v + "-0"
	case n < 199:
		return "~" + parts[0]
	default:
		switch g.IntN(8) {
		case 0:
			return ">=9999"
		case 1:
			return "no-such-tag"
		}
		return "^" + parts[0]
	}
}

// manifests makes the root's package.json and the files of its workspaces.
func (g *generator) manifests() (object, map[string]file) {
	files := map[string]file{}
	var root object
	if g.chance(92) {
		root.set("name", oneOf(g, []string{"app", "@acme/app", "zoo", "my-project"}))
	}
	if g.chance(90) {
		root.set("version", oneOf(g, []string{"1.0.0", "0.0.0", "2.3.4-beta.1"}))
	}
	if g.chance(20) {
		root.set("private", true)
	}
	if g.chance(25) {
		root.set("license", oneOf(g, []string{"MIT", "ISC", "UNLICENSED"}))
	}
	if g.chance(12) {
		root.set("engines", object{{"node", oneOf(g, []string{">=18", ">=8", "^20.0.0", ">=99"})}})
	}
	if g.chance(8) {
		root.set("scripts", object{{"test", ":"}, {"postinstall", "exit 0"}})
	}
	if g.chance(5) {
		root.set("bin", object{{"app-cli", "cli.js"}})
	}
	count := 2 + g.IntN(9)
	if g.chance(15) {
		count += g.IntN(5)
	}
	chosen := g.sections(&root, count)

	if g.chance(20) {
		names := []string{"a", "b", "c", "d"}[:2+g.IntN(3)]
		patterns := []string{"packages/*"}
		if g.chance(25) {
			patterns = nil
			for _, n := range names {
				patterns = append(patterns, "packages/"+n)
			}
		}
		root.set("workspaces", patterns)
		for i, n := range names {
			var w object
			w.set("name", "@acme/"+n)
			if g.chance(92) {
				w.set("version", oneOf(g, []string{"1.0.0", "1.2.3", "0.1.0"}))
			}
			g.sections(&w, 1+g.IntN(4))
			if i > 0 && g.chance(55) { // a cross link
				section := oneOf(g, sections[:2])
				deps := w.object(section)
				deps.set("@acme/"+names[i-1], oneOf(g, []string{"*", "*", "^1.0.0", "1.x", ">=0", "file:../" + names[i-1]}))
				w.set(section, deps)
			}
			files["packages/"+n+"/package.json"] = g.file(w)
		}
		if g.chance(25) {
			deps := root.object("dependencies")
			deps.set("@acme/"+names[0], oneOf(g, []string{"*", "^1.0.0", "file:packages/" + names[0]}))
			root.set("dependencies", deps)
		}
	}
	if g.chance(28) {
		if o := g.overrides(chosen, root); len(o) > 0 {
			root.set("overrides", o)
		}
	}
	return root, files
}

// sections fills the four dependency sections and gives the packages it took.
func (g *generator) sections(m *object, count int) []*poolPackage {
	var chosen []*poolPackage
	var deps [4]object
	add := func(p *poolPackage) {
		chosen = append(chosen, p)
		section := 0
		switch n := g.IntN(100); {
		case n < 30:
			section = 1
		case n < 38:
			section = 2
		case n < 47:
			section = 3
		}
		name, want := p.Name, g.versionRange(p)
		if g.chance(4) {
			name, want = "renamed-"+p.bare(), "npm:"+p.Name+"@"+g.argRange(p)
		}
		deps[section].set(name, want)
		if section != 0 && g.chance(12) { // in two sections
			deps[oneOf(g, []int{0, 1, 2, 3})].set(name, g.versionRange(p))
		}
	}
	for len(chosen) < count {
		p := g.pkg()
		add(p)
		// relatives of what was taken, in versions that may not suit it
		for _, names := range [][]string{p.Peers, p.Deps} {
			if len(names) == 0 || !g.chance(35) {
				continue
			}
			if q := g.pool.byName[oneOf(g, names)]; q != nil && (!g.stored || len(q.Stored) > 0) {
				add(q)
			}
		}
	}
	if g.chance(1) {
		deps[g.IntN(3)].set("no-such-package-here", "^1.0.0")
	}
	order := []int{0, 1, 2, 3}
	if g.chance(20) {
		g.Shuffle(4, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	for _, i := range order {
		if len(deps[i]) == 0 {
			continue
		}
		if g.chance(15) {
			g.Shuffle(len(deps[i]), func(a, b int) { deps[i][a], deps[i][b] = deps[i][b], deps[i][a] })
		} else {
			slices.SortFunc(deps[i], func(a, b member) int { return strings.Compare(a.Key, b.Key) })
		}
		m.set(sections[i], deps[i])
		if i == 3 && g.chance(50) {
			var meta object
			for _, d := range deps[i] {
				if g.chance(50) {
					meta.set(d.Key, object{{"optional", true}})
				}
			}
			if g.chance(10) {
				meta.set(g.pkg().Name, object{{"optional", true}})
			}
			if len(meta) > 0 {
				m.set("peerDependenciesMeta", meta)
			}
		}
	}
	return chosen
}

// overrides takes rules for packages that the chosen ones depend on.
func (g *generator) overrides(chosen []*poolPackage, root object) object {
	var rules object
	for range 1 + g.IntN(3) {
		p := oneOf(g, chosen)
		target := p
		if names := append(slices.Clone(p.Deps), p.Peers...); len(names) > 0 && g.chance(85) {
			if q := g.pool.byName[oneOf(g, names)]; q != nil {
				target = q
			}
		}
		if g.stored && len(target.Stored) == 0 {
			continue
		}
		// npm refuses a rule for a direct dependency that asks for something else
		if slices.Contains(directNames(root), target.Name) && !g.chance(5) {
			continue
		}
		want := g.version(target)
		switch n := g.IntN(10); {
		case n < 3:
			want = "^" + want
		case n < 4:
			want = "*"
		case n < 5:
			want = "npm:" + target.Name + "@" + want
		case n < 7:
			// npm wants a direct dependency behind $; others are an error, which is a case too
			direct := root.object("dependencies")
			if len(direct) == 0 {
				continue
			}
			want = "$" + oneOf(g, direct).Key
			if g.chance(5) {
				want = "$not-there"
			}
		}
		key := target.Name
		if g.chance(25) {
			key += "@" + g.argRange(target)
		}
		if target != p && g.chance(40) {
			outer := p.Name
			if g.chance(25) {
				outer += "@" + g.argRange(p)
			}
			inner := rules.object(outer)
			if g.chance(15) {
				inner.set(".", g.version(p))
			}
			inner.set(key, want)
			rules.set(outer, inner)
			continue
		}
		if _, taken := rules.get(key); !taken {
			rules.set(key, want)
		}
	}
	return rules
}

func (g *generator) flags() []string {
	var flags []string
	for _, f := range []struct {
		percent int
		flag    string
	}{
		{10, "--legacy-peer-deps"},
		{4, "--strict-peer-deps"},
		{8, "--force"},
		{5, "--prefer-dedupe"},
		{4, "--omit=dev"},
		{3, "--omit=optional"},
		{3, "--omit=peer"},
		{3, "--install-strategy=nested"},
		{3, "--install-strategy=shallow"},
		{2, "--engine-strict"},
		{2, "--lockfile-version=2"},
		{1, "--lockfile-version=1"},
	} {
		if g.chance(f.percent) {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

func (g *generator) npmrc() string {
	return oneOf(g, []string{
		"legacy-peer-deps=true\n",
		"prefer-dedupe = true\n",
		"omit[]=dev\n",
		"save-exact=true\n",
		"install-strategy=nested\n",
		"engine-strict=true\n",
		"omit-lockfile-registry-resolved=true\n",
		"; nothing here\n",
		fmt.Sprintf("before=%s\n", oneOf(g, []string{"2024-06-01", "2025-06-01", "2023-01-01"})),
	})
}

func (g *generator) file(m object) file {
	f := file{Manifest: m, Indent: "  ", Newline: true}
	switch n := g.IntN(100); {
	case n < 6:
		f.Indent = "\t"
	case n < 10:
		f.Indent = "    "
	}
	if g.chance(6) {
		f.Newline = false
	}
	return f
}
