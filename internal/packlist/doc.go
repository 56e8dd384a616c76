// Package packlist chooses the files of a package folder that go into its
// tarball, exactly those that npm chooses.
//
// A Tree is a package folder with what packing must know of it: its
// package.json, its workspaces, and how to find the dependencies it bundles.
// Disk makes one; whoever has a dependency graph fills one in. Files walks it.
//
// The rules are those of npm-packlist (lib/index.js) on top of ignore-walk
// and minimatch. In short: every folder has a list of rule sets, in order of
// precedence; a rule is a glob that excludes, or with a ! in front includes
// again; the last rule that matches decides. Where package.json has "files",
// ignore files of the same folder don't count; an .npmignore beats a
// .gitignore. A few names are always in or always out. Some corners look like
// accidents, such as the lines of a package.json being read as rules in the
// folders of a project with workspaces: published packages depend on them, so
// they are kept, and said so where they are.
//
// The rules are npm 12's. It reads "files" as globs of what is on disk, where
// npm 11 made patterns of them, and leaves out what npm 11 doesn't know of:
// bun.lock, npm-shrinkwrap.json and the files of patchedDependencies. What it
// packs of the trees in testdata is recorded beside them.
//
// The package reads folders and ignore files. It knows nothing of tarballs
// and runs no scripts.
package packlist
