//go:build !unix && !windows

package platform

// OSRelease is unknown here.
func OSRelease() string { return "" }
