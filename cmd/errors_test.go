package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/spec"
)

func TestCalledAsNPMSystemErrorsHaveNodesNumbers(t *testing.T) {
	missing := &fs.PathError{Op: "open", Path: "package.json", Err: syscall.Errno(2)}
	_, folder := (&App{}).packageManifest(t.Context(), &spec.Spec{Type: spec.Directory, FetchSpec: t.TempDir()})
	for _, c := range []struct {
		name, heading string
		err           error
		want          int
	}{
		{"a missing file", "npm", missing, 254},
		{"one with words of ibid's own", "npm", &codedError{code: "ENOENT", text: "no package.json", cause: missing}, 254},
		{"a folder to be looked at that has none", "npm", folder, 254},
		{"one that is ibid's own", "npm", &codedError{code: "ENOENT", text: "no package.json"}, 254},
		{"for ibid it is an error like any other", "ibid", missing, 1},
		{"the network's have none with npm", "npm", &net.OpError{Op: "dial", Err: syscall.Errno(111)}, 1},
		{"what is no system's", "npm", errors.New("other"), 1},
		{"a script's own status", "npm", statusError(7), 7},
	} {
		if got := (&App{heading: c.heading}).status(c.err); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAHintNamesFoldersThatAreThere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(dir, "no", "such", "folder")
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"what was to be made", &fs.PathError{Op: "mkdir", Path: deep, Err: syscall.EACCES}, "ls -ld " + dir + " shows who may write there"},
		{"what was to be created", &fs.PathError{Op: "open", Path: deep, Err: syscall.EACCES}, "ls -ld " + dir + " shows who may write there"},
		{"what was to be removed", &fs.PathError{Op: "remove", Path: file, Err: syscall.EPERM}, "ls -ld " + dir + " shows who may write there"},
		{"what was to be read", &fs.PathError{Op: "open", Path: file, Err: syscall.EACCES}, "ls -ld " + file + " shows who may read it"},
		{"what was to be moved", &os.LinkError{Op: "rename", Old: deep, New: filepath.Join(dir, "file", "x"), Err: syscall.EACCES}, "ls -ld " + dir + " shows who may write there"},
		{"a path of nobody knows where", &fs.PathError{Op: "mkdir", Path: "x", Err: syscall.EACCES}, ""},
		{"a full disk", &fs.PathError{Op: "write", Path: deep, Err: syscall.ENOSPC}, "the disk is full: nothing was changed; free some room where " + dir + " is and run the same command again"},
		{"a disk for reading", &fs.PathError{Op: "mkdir", Path: deep, Err: syscall.EROFS}, dir + " is on a file system that may only be read: copy the project to one that may be written to, or mount this one so; --cache <folder> moves the cache"},
		{"too many open files", &fs.PathError{Op: "open", Path: file, Err: syscall.EMFILE}, fmt.Sprintf("a process may have %d files open here: run ulimit -n 1024 first, where that is allowed, or add --maxsockets=4", folder.MaxOpen())},
		{"a quota", &fs.PathError{Op: "write", Path: file, Err: syscall.EDQUOT}, "your quota of the disk is used up: nothing was changed; free some room where " + dir + " is and run the same command again"},
	} {
		if got := strings.Join(hintsFor(fmt.Errorf("a@1.0.0: %w", c.err)), "\n"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// A script's status is a number in JSON, as npm's is.
func TestTheCodeOfAScriptIsANumber(t *testing.T) {
	for code, want := range map[string]string{"3": `{"code":3,"summary":"x","detail":""}`, "E3": `{"code":"E3","summary":"x","detail":""}`, "": `{"summary":"x","detail":""}`} {
		got := string(jsjson.Append(nil, (&App{}).explained(&codedError{code: code, text: "x"}).json, "", ""))
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
