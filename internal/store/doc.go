// Package store keeps every package ever downloaded, once for each user, and
// lends unpacked copies of them to projects.
//
// A Tarball is the truth: the bytes as they were downloaded, in a file named by
// their SHA-512. It is checked against that name, and by the caller against
// the lockfile's integrity, each time it is unpacked. A Ref is a second name
// for a tarball: another hash (a lock that knows only SHA-1), or a git commit.
//
// A Tree is an unpacked tarball, ready to be hard-linked into a project: a
// folder and a Seal beside it. Trees are disposable. A tree is lent to one
// project at a time: while any of its files has a second link, another project
// gets a tree of its own. So an edit in one project's node_modules never
// reaches another project, and what a project did to a tree that it gave back
// is seen: the seal says when the tree was written and how large its files are,
// and a file born, changed, resized or re-moded since then, or missing, spoils
// the tree, which is then made again from its tarball.
//
// A Seal carries a MAC under a key that is kept outside the store and names
// its own inode, so a store that was copied, restored from an archive or
// rewritten holds no valid seal and is unpacked again from verified tarballs.
//
// Whatever can be opened is whole: files appear under their last name only when
// complete, and a tree counts only when its seal does. Several processes may
// use one store; a tree is locked while it is examined and linked. Only Prune,
// Clean and the replacement of a spoilt tree remove anything.
//
// The package knows no registry, no lockfile and no node_modules.
// docs/store.md describes the files.
package store
