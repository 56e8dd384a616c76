//go:build unix

package lifecycle

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func opener(t *testing.T, dir, name string) (file, seen string) {
	t.Helper()
	file, seen = filepath.Join(dir, name), filepath.Join(dir, "seen")
	if err := os.WriteFile(file, []byte("#!/bin/sh\nprintf %s \"$*\" >\""+seen+"\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file, seen
}

// An address is one word for the browser, whatever a shell would read in it.
func TestAnAddressIsGivenToTheBrowser(t *testing.T) {
	const address = "https://registry.example/login?a=1&b=$(touch x);'\"`id`"
	dir := t.TempDir()
	file, seen := opener(t, dir, "browser")
	for _, c := range []struct{ name, command, want string }{
		{"a program", file, address},
		{"a command", file + " --new-tab", "--new-tab " + address},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Open(t.Context(), address, c.command, []string{"PATH=" + os.Getenv("PATH")}); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(seen); err != nil || string(got) != c.want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	t.Run("the system's", func(t *testing.T) {
		if runtime.GOOS == "darwin" {
			t.Skip("it is not on the PATH")
		}
		opener(t, dir, "xdg-open")
		if err := Open(t.Context(), address, "", []string{"PATH=.:" + dir + ":" + os.Getenv("PATH")}); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(seen); err != nil || string(got) != address {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestNoBrowserIsAnErrorOfItsOwn(t *testing.T) {
	if err := Open(t.Context(), "https://x", "a-program-that-nobody-has", []string{"PATH=" + os.Getenv("PATH")}); !errors.Is(err, ErrNoOpener) {
		t.Error(err)
	}
	if runtime.GOOS != "darwin" {
		if err := Open(t.Context(), "https://x", "", []string{"PATH=" + t.TempDir()}); !errors.Is(err, ErrNoOpener) {
			t.Error(err)
		}
	}
}

// A browser that stays open is not waited for longer than somebody cares.
func TestABrowserIsLeftToItself(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Open(ctx, "https://x", "sleep 5; true", []string{"PATH=" + os.Getenv("PATH")}); err != nil {
		t.Error(err)
	}
}
