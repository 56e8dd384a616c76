// Package query finds nodes of a tree with npm's selectors, which are CSS's
// grown to speak of packages (npm: @npmcli/query and arborist's
// lib/query-selector-all.js).
//
// A Selector is a parsed query: alternatives, each a row of simple selectors
// ("#name", ".dev", "[license=MIT]", ":semver(^1)") and combinators (">", " ",
// "~"). Run walks the row from left to right and narrows the items as it goes.
// An Item is a node, or a dependency that is nowhere.
//
// What a package.json says comes from a Content function; versions and
// advisories, which need a registry, from functions that are called only if a
// selector asks for them. A query is a person's text, what it is held against
// is a stranger's: no pattern here backtracks.
package query
