// Package registry asks a registry in npm's protocol for packuments and
// tarballs, with npm's retries, caching and credentials, and picks versions as
// npm-pick-manifest does.
//
// A Client is one run's view of the registries that the configuration names:
// connections, proxies and trust, the cache, and a memo that asks for each
// packument once. A Packument is everything a registry says of one package. It
// is held as an index: the list of versions and where each one's manifest is,
// reduced to the fields that a lockfile or a resolver can need. The manifests
// stay in the cache's file until somebody asks for one, and the rest of the
// document is never decoded; see index.go for the file's format.
// PickVersion chooses one version of a Packument, and a PickError says why none
// can be had. An Error is an answer, or the lack of one, with npm's code.
//
// Everything a registry sends is a stranger's: bodies are read through limits,
// what is printed is stripped of control characters, and credentials go to no
// host but the one that they were configured for.
//
// The package refuses to know of trees, of node_modules and of where settings
// come from: Options holds the values, package config finds them. No other
// package speaks HTTP.
package registry
