//go:build !linux

package cmd

// largePages does nothing: these systems choose the size of pages themselves.
func largePages() {}
