// Package patches is about the "patchedDependencies" of a project: which patch
// is for which package, what a patch does to a package's folder, and how one is
// made of an edited folder.
//
// A Selector is one member of "patchedDependencies": a name, perhaps with a
// version or range behind an @, and the path of a patch in the project. A patch
// is a unified diff whose paths have "a/" and "b/" in front.
//
// It follows npm 12 (arborist lib/patch.js and lib/patched-dependencies.js,
// npm lib/utils/patch-diff.js), and is stricter in what a patch may touch: the
// package's own files only, no link followed, and nothing in a node_modules
// inside of it, which other packages share.
//
// The package knows nothing of trees, lockfiles and registries.
package patches
