package tarball

import (
	"errors"
	"io/fs"

	"github.com/ibid-pm/ibid/internal/folder"
)

// write makes all names relative to the open folder. Those that a file's name leads
// through were made a moment ago, or seen to be folders, in a folder that is ours:
// none can be a link.
func write(dir string, a *Archive) error {
	root, err := folder.Open(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, d := range a.Dirs {
		err := root.Mkdir(d)
		if errors.Is(err, fs.ErrExist) {
			// The filesystem takes two names for one. Nothing else may be
			// there, above all no link.
			var st folder.Stat
			if serr := root.Lstat(d, &st); serr == nil && st.Mode.IsDir() {
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	var gone map[int]bool
	for i := range a.Files {
		e := &a.Files[i]
		err := root.WriteFile(e.Path, a.Content(*e), e.Mode)
		if errors.Is(err, fs.ErrExist) {
			if gone == nil {
				gone = make(map[int]bool)
			}
			if err := a.taken(i, gone, root.Remove); err != nil {
				return pathError("open", dir, e.Path, err)
			}
			err = root.WriteFile(e.Path, a.Content(*e), e.Mode)
		}
		if err != nil {
			return err
		}
	}
	a.drop(gone)
	return nil
}
