// Package ibid is the map of the source and holds no code; the program is
// cmd/ibid.
//
// An install goes through the packages in this order:
//
//	cmd        reads the command line and tells the story (cmd/reify.go)
//	resolver   decides which packages there are and where: Resolve
//	registry   answers its questions: Client.Packument, Pick
//	lockfile   is what was decided: Lockfile, the contract between the stages
//	linker     compares it with what is installed and carries it out: NewPlan, Plan.Apply
//	fetch      brings the tarballs that are missing: Fetcher.Tree
//
// These are the stages. They do not import each other, apart from lockfile,
// which is what they exchange: what one needs of another it states as an
// interface, and cmd hands in the real thing.
//
// Below them are the leaves in internal, each about one subject: config,
// manifest, spec, nodesemver, integrity, store, tarball, lifecycle, git and
// others. A leaf knows no stage.
//
// docs/architecture.md says more; imports_test.go keeps it true.
package ibid
