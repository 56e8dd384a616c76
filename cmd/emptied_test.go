package cmd

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestAFullDiskSaysWhatWasChanged(t *testing.T) {
	err := fmt.Errorf("a@1.0.0: unpacking: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	if got := strings.Join(hintsFor(err), ""); !strings.Contains(got, "nothing was changed") {
		t.Error(got)
	}
	got := strings.Join(hintsFor(&emptiedError{err}), "")
	if !strings.Contains(got, "node_modules had been emptied") || strings.Contains(got, "nothing was changed") {
		t.Error(got)
	}
}
