//go:build !linux || !(amd64 || arm64)

package again

import "errors"

// Args are the arguments of this process, where nothing else was made ready.
func Args() []string { return nil }

// This is the call that this process is; here nothing is kept for any.
func This() (Call, bool) { return Call{}, false }

// Look takes the mark of a path as it is now.
func Look(path string) (Mark, error) { return Mark{Path: path}, errors.ErrUnsupported }

// Try answers the call, if it can.
func (c *Call) Try() bool { return false }
