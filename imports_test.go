package ibid_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ibid-pm/ibid"

// stages says which stages each stage may import; every stage may also import
// the leaves. A stage that needs another states so as an interface, and cmd
// hands in the real thing.
var stages = map[string][]string{
	"resolver": {"registry", "lockfile"},
	"fetch":    {"lockfile"},
	"linker":   {"lockfile"},
	"registry": {},
	"lockfile": {},
}

// A power is something that only its owners may use, so that a reader knows
// where to look for it.
type power struct {
	name    string
	owners  []string // folders, with all below them
	imports []string // packages that are the power itself
	uses    []string // qualified names that exercise it
	why     string
}

var powers = []power{
	{
		name: "command line", owners: []string{"cmd"}, imports: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "flag"},
		why: "flags are declared once, from internal/config's table",
	},
	{
		name: "ending the process", owners: []string{"cmd"}, uses: []string{"os.Exit", "syscall.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln"},
		why: "libraries return errors; one function in cmd maps them to an exit status",
	},
	{
		name: "standard streams", owners: []string{"cmd"},
		uses: []string{"os.Stdin", "os.Stdout", "os.Stderr", "fmt.Print", "fmt.Printf", "fmt.Println", "log.Print", "log.Printf", "log.Println"},
		why:  "data goes to stdout and everything else to stderr, and only cmd can know which is which",
	},
	{
		name: "environment", owners: []string{"cmd", "internal/config", "internal/lifecycle", "internal/git"},
		uses: []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv", "os.Setenv", "os.Unsetenv", "syscall.Getenv", "syscall.Environ"},
		why:  "settings come from internal/config; lifecycle and git touch only what a child of theirs inherits",
	},
	{
		name: "starting processes", owners: []string{"internal/lifecycle", "internal/git"}, imports: []string{"os/exec"},
		// cmd may become another program (npm, where ibid lacks a command): syscall.Exec is not among these
		uses: []string{"os.StartProcess", "syscall.ForkExec", "syscall.StartProcess"},
		why:  "whether a stranger's text can choose a command is asked in two places only",
	},
	{
		name: "HTTP", owners: []string{"registry"}, imports: []string{"net/http"},
		why: "credentials, redirects, proxies and limits have one owner",
	},
	{
		name: "Masterminds/semver", owners: []string{"internal/nodesemver"}, imports: []string{"github.com/Masterminds/semver/v3"},
		why: "its versions are npm's, its ranges are not",
	},
}

// A listed package is what go list says of one.
type listed struct {
	ImportPath                         string
	Dir                                string
	Imports, TestImports, XTestImports []string
}

func (p listed) folder() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// below tells whether a folder is root or inside it.
func below(folder, root string) bool { return folder == root || strings.HasPrefix(folder, root+"/") }

// forTests tells whether a folder builds things for tests: registrytest and its like.
func forTests(folder string) bool { return strings.HasSuffix(path.Base(folder), "test") }

func TestStagesDoNotImportEachOther(t *testing.T) {
	for _, p := range listPackages(t) {
		from := p.folder()
		for _, imported := range p.Imports {
			to := strings.TrimPrefix(imported, module+"/")
			if to == imported {
				continue
			}
			if why := forbidden(from, to); why != "" {
				t.Errorf("%s imports %s: %s", from, to, why)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			to := strings.TrimPrefix(imported, module+"/")
			if from != "" && !below(from, "cmd") && below(to, "cmd") {
				t.Errorf("the tests of %s import %s: only the root's tests drive the whole program", from, to)
			}
		}
	}
}

// forbidden says why the package in folder from may not import the one in to, or "".
func forbidden(from, to string) string {
	if below(from, "internal/dev") {
		return "" // dev programs are not shipped
	}
	stage, _, _ := strings.Cut(from, "/")
	target, _, _ := strings.Cut(to, "/")
	switch {
	case below(to, "internal/dev"):
		return "dev programs are not shipped"
	case forTests(to) && !forTests(from):
		return "it is for tests"
	case target == "cmd" && stage != "cmd":
		return "nothing imports cmd"
	case stage == "cmd" || forTests(from):
		return ""
	case target == "internal":
		return ""
	case stage == "internal":
		return "a leaf knows nothing of the stages"
	case stage == target || slices.Contains(stages[stage], target):
		return ""
	}
	if _, known := stages[stage]; !known {
		return stage + " is not a stage: name it in imports_test.go, or make it a leaf"
	}
	return "state what is needed as an interface beside the code that uses it; cmd hands in the real thing"
}

func TestForbiddenImportsAreTold(t *testing.T) {
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"cmd", "resolver", true},
		{"cmd/ibid", "cmd", true},
		{"resolver", "registry", true},
		{"linker", "lockfile", true},
		{"linker", "internal/folder", true},
		{"internal/manifest", "internal/spec", true},
		{"internal/dev/bench", "registry", true},
		{"registry/registrytest", "registry", true},
		{"linker", "fetch", false},
		{"fetch", "registry", false},
		{"lockfile", "registry", false},
		{"internal/store", "lockfile", false},
		{"resolver", "cmd", false},
		{"cmd", "internal/dev/recording", false},
		{"cmd", "registry/registrytest", false},
		{"newstage", "lockfile", false},
	} {
		if why := forbidden(c.from, c.to); (why == "") != c.allowed {
			t.Errorf("%s imports %s: allowed should be %v, got %q", c.from, c.to, c.allowed, why)
		}
	}
}

func TestEachPowerHasOneOwner(t *testing.T) {
	eachSource(t, func(name string, file *ast.File, fset *token.FileSet) {
		folder := path.Dir(name)
		for _, p := range powers {
			if slices.ContainsFunc(p.owners, func(o string) bool { return below(folder, o) }) {
				continue
			}
			for _, imported := range file.Imports {
				if to, err := strconv.Unquote(imported.Path.Value); err == nil && slices.Contains(p.imports, to) {
					t.Errorf("%s imports %s: %s belongs to %s: %s", fset.Position(imported.Pos()), to, p.name, strings.Join(p.owners, ", "), p.why)
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if of, ok := s.X.(*ast.Ident); ok && slices.Contains(p.uses, of.Name+"."+s.Sel.Name) {
					t.Errorf("%s uses %s.%s: %s belongs to %s: %s", fset.Position(s.Pos()), of.Name, s.Sel.Name, p.name, strings.Join(p.owners, ", "), p.why)
				}
				return true
			})
		}
	})
}

func TestPackagesAreNamedAndStartWithoutWork(t *testing.T) {
	eachSource(t, func(name string, file *ast.File, fset *token.FileSet) {
		if slices.Contains([]string{"utils", "util", "common", "helpers", "helper", "types", "misc", "shared"}, file.Name.Name) {
			t.Errorf("%s: package %s: the name says nothing of what it is about", name, file.Name.Name)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" && path.Dir(name) != "cmd/first" {
				t.Errorf("%s: init runs before every command, --version too", fset.Position(f.Pos()))
			}
		}
	})
}

// What cmd/first imports is made ready before it is: with package os it would
// come after most of TLS.
func TestFirstComesEarly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./cmd/first").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		switch root, _, _ := strings.Cut(p, "/"); root {
		case "internal", "runtime", "unsafe", "errors", "sync", "syscall", "iter", "cmp", "slices", "math":
		default:
			if !strings.HasPrefix(p, module+"/") {
				t.Errorf("cmd/first imports %s", p)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	documented := map[string]bool{}
	eachSource(t, func(name string, file *ast.File, _ *token.FileSet) {
		folder := path.Dir(name)
		documented[folder] = documented[folder] || file.Doc != nil
	})
	for folder, is := range documented {
		if !is {
			t.Errorf("%s: no file has a package comment", folder)
		}
	}
}

// eachSource parses every shipped source file, for whatever platform.
func eachSource(t *testing.T, do func(name string, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		if d.IsDir() {
			base := d.Name()
			if name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules" || forTests(base)) ||
				slashed == "internal/dev" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		do(slashed, file, fset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
