package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	zalando "github.com/zalando/go-keyring"
)

func TestATokenIsKeptUntilItIsDeleted(t *testing.T) {
	zalando.MockInit()
	s := System{Getenv: func(string) string { return "unix:path=nowhere" }}
	const dart = "//registry.example.com/"
	if token, err := s.Get(dart); token != "" || err != nil {
		t.Errorf("an empty keyring has %q, %v", token, err)
	}
	for _, token := range []string{"one", "two"} {
		if err := s.Set(dart, token); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(dart); got != token || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	for range 2 { // nothing to delete is no error
		if err := s.Delete(dart); err != nil {
			t.Error(err)
		}
	}
	if token, err := s.Get(dart); token != "" || err != nil {
		t.Errorf("%q, %v", token, err)
	}
}

func TestAKeyringThatFailsSaysSo(t *testing.T) {
	locked := errors.New("locked")
	zalando.MockInitWithError(locked)
	s := System{Getenv: func(string) string { return "unix:path=nowhere" }}
	if _, err := s.Get("//r/"); !errors.Is(err, locked) {
		t.Error(err)
	}
	if err := s.Set("//r/", "t"); !errors.Is(err, locked) {
		t.Error(err)
	}
	if err := s.Delete("//r/"); !errors.Is(err, locked) {
		t.Error(err)
	}
}

// Without a session bus nothing is started to have one.
func TestNoProgramIsStartedForABus(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only the Secret Service is reached by a bus")
	}
	if matches, _ := filepath.Glob("/run/user/" + "*/bus"); len(matches) > 0 {
		t.Skip("there is a session bus")
	}
	dir := t.TempDir()
	marker := filepath.Join(dir, "started")
	if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte("#!/bin/sh\n: > "+marker+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	_, err := System{Getenv: os.Getenv}.Get("//r/")
	if err == nil || !strings.Contains(err.Error(), "session bus") {
		t.Error(err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("dbus-launch was started")
	}
}
