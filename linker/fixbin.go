package linker

import (
	"io/fs"
	"os"
)

// FixBin makes a file fit to be started (npm: bin-links lib/fix-bin.js): a first
// line "#!…" ends in LF, and everybody may run the file whom umask lets.
func FixBin(file string, umask fs.FileMode) error {
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return nil
	}
	if err := fixShebang(file, st.Mode().Perm()); err != nil {
		return err
	}
	if want := 0o777 &^ umask; want&^st.Mode().Perm() != 0 {
		return os.Chmod(file, want)
	}
	return nil
}
