// Package registrytest is an npm registry for tests, in the test's own
// process.
//
// It is filled from folders, one for each version, as a test's archive has
// them: registry/<name>@<version>/package.json and the package's other files,
// and optionally registry/<name>.json, a merge patch (RFC 7386) for the
// package's document: dist-tags, time, deprecations, anything. Documents and
// tarballs are computed from these and are the same in every run.
//
//	reg := registrytest.New(t)
//	reg.AddDir("testdata/registry")
//	client := registry.New(registry.Options{Registry: reg.URL})
//
// A Fault makes answers go wrong in one of the ways that networks and
// registries have. Requests tells what was asked for.
//
// The package knows nothing of clients, and imports none of ibid's packages
// but the leaves that it computes documents with.
package registrytest
