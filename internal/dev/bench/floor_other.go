//go:build !linux

package main

import "errors"

func measureFloor(string, string, []string, int) (*floor, error) {
	return nil, errors.New("the floor is measured on Linux only")
}
