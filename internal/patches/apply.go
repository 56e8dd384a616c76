package patches

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/unidiff"
)

// Error says why a patch cannot be applied.
type Error struct {
	// Unsafe: the patch names something that it must not touch. Else it does
	// not fit.
	Unsafe bool
	File   string // as the patch names it, "" where that is not known
	Why    string
	Err    error // the system's reason, or nil
}

func (e *Error) Error() string {
	text := e.Why
	if e.File != "" {
		text = e.File + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}
func (e *Error) Unwrap() error { return e.Err }

// Code is npm's.
func (e *Error) Code() string {
	if e.Unsafe {
		return "EPATCHUNSAFE"
	}
	return "EPATCHFAILED"
}

// Apply changes the files of a package's folder as a patch says. A file that
// changes is a new one after it: whoever shared the old one keeps it as it was.
// Errors are *Error, or the system's where a file that fits cannot be written;
// what comes before the one that fails is done.
func Apply(patch []byte, dir *folder.Folder) error {
	files, err := unidiff.Parse(string(patch))
	if err != nil {
		return &Error{Why: "reading the patch", Err: err}
	}
	for i := range files {
		f := &files[i]
		if len(f.Hunks) == 0 && noFile(f.OldName) && noFile(f.NewName) {
			continue // what stands behind the last file
		}
		if err := applyFile(f, dir); err != nil {
			return err
		}
	}
	return nil
}

// noFile says whether a name means that the file is not there before, or after.
func noFile(name string) bool {
	return name == "" || name == "/dev/null" || name == ".dev/null" || strings.HasSuffix(name, "/.dev/null")
}

func applyFile(f *unidiff.File, dir *folder.Folder) error {
	comes, goes := noFile(f.OldName), noFile(f.NewName)
	name := f.NewName
	if goes {
		name = f.OldName
	}
	if strings.HasPrefix(name, "a/") || strings.HasPrefix(name, "b/") {
		name = name[2:]
	}
	if name == "" {
		return &Error{Why: "the patch names no file"}
	}
	at, ok := Contained(name)
	if !ok {
		return &Error{Unsafe: true, File: name, Why: "the path leads out of the package"}
	}
	if slices.ContainsFunc(strings.Split(at, "/"), func(part string) bool { return strings.EqualFold(part, "node_modules") }) {
		return &Error{Unsafe: true, File: name, Why: "the path leads into another package"}
	}
	fail := func(why string, err error) error { return &Error{File: name, Why: why, Err: err} }
	system := func(why string, err error) error { return fmt.Errorf("%s: %s: %w", name, why, err) }
	parent, err := openParent(dir, path.Dir(at), comes && !goes)
	if err != nil {
		return fail("its folder cannot be opened", err)
	}
	if parent != dir {
		defer parent.Close()
	}
	base := path.Base(at)
	if comes && !goes {
		var st folder.Stat
		if err := parent.Lstat(base, &st); err == nil {
			return fail("the patch adds a file that is there already", nil)
		}
		text, ok := unidiff.Apply("", f.Hunks)
		if !ok {
			return fail("the patch does not fit", nil)
		}
		if err := parent.WriteFile(base, []byte(text), 0o666); err != nil {
			return system("adding the file", err)
		}
		return nil
	}
	var st folder.Stat
	if err := parent.Lstat(base, &st); err != nil {
		return fail("the file that the patch is for is missing", err)
	}
	if !st.Mode.IsRegular() {
		return fail("the patch is for something that is no file", nil)
	}
	source, err := parent.ReadFile(base)
	if err != nil {
		return system("reading the file", err)
	}
	text, ok := unidiff.Apply(string(source), f.Hunks)
	if !ok {
		return fail("the patch does not fit", nil)
	}
	if err := parent.Remove(base); err != nil {
		return system("changing the file", err)
	}
	if goes {
		return nil
	}
	if err := parent.WriteFile(base, []byte(text), 0o600); err != nil {
		return system("changing the file", err)
	}
	if err := parent.Chmod(base, st.Mode.Perm()); err != nil {
		return system("changing the file", err)
	}
	return nil
}

// openParent opens a folder below dir, link by none, and with create makes what
// is missing. Where it is not dir itself the caller closes it.
func openParent(dir *folder.Folder, p string, create bool) (*folder.Folder, error) {
	at := dir
	if p == "." {
		return at, nil
	}
	for _, part := range strings.Split(p, "/") {
		next, err := at.Child(part)
		if errors.Is(err, fs.ErrNotExist) && create {
			if err = at.Mkdir(part); err == nil || errors.Is(err, fs.ErrExist) {
				next, err = at.Child(part)
			}
		}
		if at != dir {
			at.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		at = next
	}
	return at, nil
}
