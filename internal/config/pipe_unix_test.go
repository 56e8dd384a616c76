//go:build unix

package config

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A project can bring a pipe that nobody writes to, or name one.
func TestAPipeIsNotWaitedFor(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip(err)
	}
	read := make(chan error)
	go func() {
		c := load(t, nil, nil, map[string]string{"project/package.json": "{}", "project/.npmrc": "userconfig=" + pipe + "\ncafile=" + pipe + "\n"})
		_, err := c.CAs()
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it is waited for")
	}
}
