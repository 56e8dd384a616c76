// Package resolver decides which packages a project gets and where in
// node_modules each of them goes: npm's ideal tree, in npm's order, so that
// the lockfile written from it is npm's byte for byte (npm:
// @npmcli/arborist).
//
// A Node is one package in one place; its location is its path relative to
// the project. A Link is a Node whose content is at another Node, its target.
// An Edge is one entry of one node's dependency maps; it runs from the node
// that declares it to the node that require would find. A top is a node with
// no parent: the root, a workspace, the target of a link. A virtual root is
// a stand-in for a dependent, in which the peers of a dependency are brought
// together before any of them is placed in the real tree.
//
// The words of placement are npm's: a dependency may be placed in a target as
// OK, KEEP, REPLACE or not at all, CONFLICT.
//
// There are three ways to a tree: LoadVirtual from a lockfile, LoadActual from
// a node_modules folder, Resolve from wishes. Where the packages come from is
// the business of a Source; what becomes of the tree is that of fetch and the
// linker. Nothing here writes a file.
//
// Waiting is concurrent, deciding is not: manifests are fetched ahead by
// several goroutines, but one alone reads them and builds the tree, in an
// order that depends on nothing but the manifests.
package resolver
