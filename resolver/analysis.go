package resolver

// Analysis is a conflict in few words: who cannot live together, and what to
// do about it.
type Analysis struct {
	// Package is what is in dispute.
	Package string
	// Sides are the smallest set of wishes that cannot all be met; none of
	// them can be left out.
	Sides []Side
	// Fix is a change that was tried and resolves; nil if none was found.
	Fix *Fix
}

// Side is one wish in a conflict.
type Side struct {
	Wish  string   // "react@^18.0.0"
	Peer  bool     // a peer's wish
	Chain []string // of dependents, the project first, the wish last
}

// Fix is a change of the project that makes it resolve.
type Fix struct {
	// Add are specs to install: "widgets@^3.0.0".
	Add []string
	// Override is an entry for package.json's overrides: name and range.
	OverrideName, OverrideSpec string
}
