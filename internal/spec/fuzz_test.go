package spec

import (
	"strings"
	"testing"
)

// Whatever is written, both flavours answer, and what they save reads back as
// the same kind of thing in the same place.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"foo", "foo@^1", "@a/b@next", "a/b#semver:^1", "git@github.com:a/b.git#x", "git+ssh://git@h:a/b#path:x", "file:../x", "./x.tgz",
		`C:\x`, `\\server\share\x`, "~/x", "npm:x@1", "https://x.y/z.tgz#f", "gist:abc", "gitlab:a/b/c", "file://../x", "git+file://c:/x",
		"http://[::1]:80/x", "https://0x7f.1/", "git:/..//p", "file:%2e%2e/x", "a@b.c:d", "workspace:*", "é/ü#%zz",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		for _, p := range []Parser{
			{Home: "/home/me", Cwd: "/cwd"},
			{Home: `C:\Users\me`, Cwd: `C:\cwd`, Windows: true},
		} {
			where := p.Cwd
			s, err := p.Parse(arg, where)
			if err != nil {
				if strings.TrimSpace(err.Error()) == "" {
					t.Fatalf("%q: an error without words", arg)
				}
				continue
			}
			_ = s.String()
			_ = s.EscapedName()
			if s.Name != "" && !ValidForOldPackages(s.Name) {
				t.Fatalf("%q has the name %q", arg, s.Name)
			}
			if s.Type == File || s.Type == Directory {
				if !p.flavour().isAbs(s.FetchSpec) {
					t.Fatalf("%q is at %q", arg, s.FetchSpec)
				}
				again, err := p.Resolve("", s.SaveSpec, where)
				if err != nil {
					t.Fatalf("%q is saved as %q: %v", arg, s.SaveSpec, err)
				}
				_ = again
			}
			if h := s.Hosted; h != nil {
				for _, form := range []Format{{}, {NoGitPlus: true}, {NoCommittish: true}} {
					_ = h.Format(form) + h.SSH(form) + h.SSHURL(form) + h.HTTPS(form) + h.Git(form) + h.Shortcut(form) + h.Path(form)
					_ = h.Browse("a", "b", form) + h.BrowseFile("a", "b", form) + h.File("a", form) + h.Edit("a", form) + h.Docs(form)
				}
				_ = h.Tarball() + h.Bugs()
			}
		}
	})
}

// The short cut for common names agrees with the rules.
func FuzzName(f *testing.F) {
	for _, s := range []string{"a", "@a/b", ".a", "@a/.b", "node_modules", "@/a", "a/b", "_a", "@a/_b", "@-/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if ValidForOldPackages(name) != ValidateName(name).ForOldPackages() {
			t.Fatalf("%q: the short cut says %v", name, isPlainName(name))
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	for _, s := range []string{"^1.2.3", "1.2.3", "latest", "github:a/b#v1", "file:../x", "npm:x@^1"} {
		b.Run(s, func(b *testing.B) {
			p := Parser{Home: "/home/me", Cwd: "/cwd"}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = p.Resolve("name", s, "/cwd")
			}
		})
	}
}
