package lockfile

import (
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// LegacyEntry is one package in the "dependencies" of versions 1 and 2. The
// resolver makes the tree, since only it knows the edges (npm: shrinkwrap.js
// #buildLegacyLockfile).
type LegacyEntry struct {
	Name        string // its key: the folder's name in node_modules
	Version     string // a version, "file:…", a URL or "npm:name@version"
	From        string
	Resolved    string
	Integrity   string
	Bundled     bool
	Extraneous  bool
	Peer        bool
	DevOptional bool
	Dev         bool
	Optional    bool

	HasRequires  bool // "requires" is written, even if it is empty
	Requires     manifest.Deps
	Dependencies []*LegacyEntry // nested in its own node_modules
}

// SetLegacy makes entries the legacy tree of the lock; without entries it has
// none.
func (f *Lockfile) SetLegacy(entries []*LegacyEntry) {
	f.Legacy = ""
	if len(entries) > 0 {
		f.Legacy = legacyObject(entries).Raw()
	}
}

func legacyObject(entries []*LegacyEntry) jsjson.Value {
	members := make([]jsjson.Member, len(entries))
	for i, e := range entries {
		members[i] = jsjson.Member{Key: e.Name, Value: e.value()}
	}
	return jsjson.NewObject(members...)
}

func (e *LegacyEntry) value() jsjson.Value {
	var members []jsjson.Member
	str := func(key, text string) {
		if text != "" {
			members = append(members, jsjson.Member{Key: key, Value: jsjson.NewString(text)})
		}
	}
	flag := func(key string, on bool) {
		if on {
			members = append(members, jsjson.Member{Key: key, Value: jsjson.NewBool(true)})
		}
	}
	str("version", e.Version)
	str("from", e.From)
	flag("bundled", e.Bundled)
	str("resolved", e.Resolved)
	str("integrity", e.Integrity)
	flag("extraneous", e.Extraneous)
	flag("peer", e.Peer)
	flag("devOptional", e.DevOptional)
	flag("dev", e.Dev)
	flag("optional", e.Optional)
	if e.HasRequires || len(e.Requires) > 0 {
		requires := make([]jsjson.Member, len(e.Requires))
		for i, dep := range e.Requires {
			requires[i] = jsjson.Member{Key: dep.Name, Value: jsjson.NewString(dep.Spec)}
		}
		members = append(members, jsjson.Member{Key: "requires", Value: jsjson.NewObject(requires...)})
	}
	if len(e.Dependencies) > 0 {
		members = append(members, jsjson.Member{Key: "dependencies", Value: legacyObject(e.Dependencies)})
	}
	return jsjson.NewObject(members...)
}
