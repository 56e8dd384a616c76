//go:build !unix || darwin

package keyring

func (System) reachable() error { return nil }
