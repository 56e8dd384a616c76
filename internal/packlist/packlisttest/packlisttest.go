// Package packlisttest unpacks the trees in packlist's testdata: small packages
// with traps for whoever chooses what is published.
package packlisttest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// A Tree is a package on disk.
type Tree struct {
	Name string `json:"name"` // of the file that it comes from
	Path string `json:"path"` // what is to be packed
	// Prefix and Workspaces are packlist's options: the project's folder and
	// those of its workspaces, where the tree has some.
	Prefix     string   `json:"prefix,omitempty"`
	Workspaces []string `json:"workspaces,omitempty"`

	Names map[string]string `json:"-"` // the workspaces' folders by name
}

// Unpack writes the tree in file, a txtar archive, below dir. The lines after
// the first of its comment do what files can't:
//
//	symlink <path> <target>     link <path> <existing>     mkdir <path>
//	write <path> <content>      chmod <mode> <path>
//	workspaces <name>=<path>…   pack <path>
func Unpack(dir, file string) (*Tree, error) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	at := func(p string) string { return filepath.Join(dir, filepath.FromSlash(p)) }
	write := func(p, content string) error {
		if err := os.MkdirAll(filepath.Dir(at(p)), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(at(p), []byte(content), 0o644); err != nil {
			return err
		}
		return os.Chmod(at(p), 0o644)
	}
	for _, f := range a.Files {
		// txtar ends every file with a line break; a file of one line has none.
		content := string(f.Data)
		if strings.Count(content, "\n") == 1 {
			content = strings.TrimSuffix(content, "\n")
		}
		if err := write(f.Name, content); err != nil {
			return nil, err
		}
	}
	t := &Tree{Name: strings.TrimSuffix(filepath.Base(file), ".txtar"), Path: dir}
	_, directives, _ := strings.Cut(string(a.Comment), "\n")
	for line := range strings.Lines(directives) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		var err error
		switch f[0] {
		case "symlink":
			err = os.Symlink(f[2], at(f[1]))
		case "link":
			err = os.Link(at(f[2]), at(f[1]))
		case "mkdir":
			err = os.MkdirAll(at(f[1]), 0o777)
		case "write":
			err = write(f[1], f[2])
		case "chmod":
			var mode uint64
			if mode, err = strconv.ParseUint(f[1], 8, 32); err == nil {
				err = chmod(at(f[2]), uint32(mode))
			}
		case "workspaces":
			t.Prefix, t.Names = dir, map[string]string{}
			for _, ws := range f[1:] {
				name, p, _ := strings.Cut(ws, "=")
				t.Workspaces = append(t.Workspaces, at(p))
				t.Names[name] = at(p)
			}
		case "pack":
			t.Path, t.Names = at(f[1]), nil
		default:
			err = fmt.Errorf("unknown directive %q", line)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return t, nil
}

// chmod sets all twelve bits.
func chmod(path string, mode uint32) error {
	m := os.FileMode(mode & 0o777)
	for bit, flag := range map[uint32]os.FileMode{0o4000: os.ModeSetuid, 0o2000: os.ModeSetgid, 0o1000: os.ModeSticky} {
		if mode&bit != 0 {
			m |= flag
		}
	}
	return os.Chmod(path, m)
}
