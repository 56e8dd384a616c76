package tarball_test

import (
	"testing"
	"testing/fstest"

	"github.com/ibid-pm/ibid/internal/tarball"
	tt "github.com/ibid-pm/ibid/internal/tarball/tarballtest"
)

func TestFSIsAFileSystem(t *testing.T) {
	tgz := tt.Package("package.json", "{}", "lib/a.js", "1", "node_modules/x/package.json", "{}")
	a, err := tarball.Read(tgz, tarball.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := a.FS()
	clear(a.Data) // somebody else's now
	if err := fstest.TestFS(files, "package.json", "lib/a.js", "node_modules/x/package.json"); err != nil {
		t.Error(err)
	}
}
