package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// run gives what the program printed to stdout, with the server's address
// replaced.
func (s *side) run(ctx context.Context, dir string, args ...string) (string, error) {
	return s.runAt(ctx, s.server, dir, args...)
}

// runAt is run with another side's server.
func (s *side) runAt(ctx context.Context, at *server, dir string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, s.command[0], append(slices.Clone(s.command[1:]), args...)...)
	c.Dir = dir
	c.Env = s.environ(s.home, at)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("%s: %s in %s: %w\n%s", s.name, strings.Join(args, " "), dir, err, stderr.Bytes())
	}
	return strings.ReplaceAll(string(out), at.url, "REGISTRY/"), err
}

// environ is that of somebody with a home, who publishes to a server.
func (s *side) environ(home string, at *server) []string {
	var env []string
	for _, kv := range os.Environ() {
		if key, _, _ := strings.Cut(strings.ToLower(kv), "="); !strings.HasPrefix(key, "npm_config_") && key != "ci" {
			env = append(env, kv)
		}
	}
	return append(env, "HOME="+home, "USERPROFILE="+home, "npm_config_cache="+filepath.Join(home, "cache"),
		"npm_config_userconfig="+filepath.Join(home, ".npmrc"), "npm_config_registry="+at.url, "npm_config_update_notifier=false",
		"npm_config_fund=false", "npm_config_audit=false", "NO_COLOR=1")
}

func (s *side) publishAll(ctx context.Context) error {
	for _, shape := range shapes() {
		dir := filepath.Join(s.dir, shape.name)
		if err := shape.write(dir); err != nil {
			return err
		}
		if _, err := s.run(ctx, dir, append([]string{"publish"}, shape.args...)...); err != nil {
			return err
		}
	}
	fmt.Printf("%s: published %d packages\n", s.name, len(published()))
	return nil
}

// change does all to the packages that can be done without an organisation.
func (s *side) change(ctx context.Context) error {
	plain := filepath.Join(s.dir, "plain")
	for _, step := range []struct {
		version string // that plain has from now on
		args    []string
		fails   bool
	}{
		{"", []string{"publish"}, true}, // it is there
		{"1.1.0", []string{"publish", "--tag", "next"}, false},
		{"", []string{"dist-tag", "add", "plain@1.0.0", "old"}, false},
		{"", []string{"dist-tag", "rm", "plain", "next"}, false},
		{"", []string{"dist-tag", "add", "@ibid-shapes/scoped@1.0.0", "stable"}, false},
		{"", []string{"deprecate", "plain@1.0.0", "use 1.1.0"}, false},
		{"", []string{"deprecate", "esm", "not any more"}, false},
		{"", []string{"undeprecate", "esm"}, false},
		{"1.2.0", []string{"publish"}, false},
		{"", []string{"unpublish", "plain@1.2.0"}, false},
		{"", []string{"unpublish", "manual", "--force"}, false},
	} {
		if step.version != "" {
			text := fmt.Sprintf("{\n  \"name\": \"plain\",\n  \"version\": %q\n}\n", step.version)
			if err := os.WriteFile(filepath.Join(plain, "package.json"), []byte(text), 0o644); err != nil {
				return err
			}
		}
		_, err := s.run(ctx, plain, step.args...)
		if step.fails && err == nil {
			return fmt.Errorf("%s: %s should fail", s.name, strings.Join(step.args, " "))
		}
		var exit *exec.ExitError
		if err != nil && !(step.fails && errors.As(err, &exit)) {
			return err
		}
	}
	return nil
}

// sameStorage compares what the servers keep.
func sameStorage(ours, theirs *side) error {
	got, err := ours.server.stored()
	if err != nil {
		return err
	}
	want, err := theirs.server.stored()
	if err != nil {
		return err
	}
	if len(want) == 0 {
		return errors.New("the server keeps nothing")
	}
	var bad []string
	for name := range want {
		switch {
		case got[name] == "":
			bad = append(bad, name+" is missing")
		case got[name] != want[name] && strings.HasSuffix(name, ".tgz"):
			bad = append(bad, name+" has other bytes")
		case got[name] != want[name]:
			bad = append(bad, fmt.Sprintf("%s is\n%s\nnpm's is\n%s", name, got[name], want[name]))
		}
	}
	for name := range got {
		if want[name] == "" {
			bad = append(bad, name+" is too many")
		}
	}
	if len(bad) > 0 {
		slices.Sort(bad)
		return errors.New("the servers keep other things:\n" + strings.Join(bad, "\n"))
	}
	fmt.Printf("%d stored documents and tarballs are the same\n", len(want))
	return nil
}

// stored are the documents and tarballs, without what must differ: times,
// revisions, the server's address, and the version of who published.
func (s *server) stored() (map[string]string, error) {
	all := map[string]string{}
	err := filepath.WalkDir(s.storage, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		rel, err := filepath.Rel(s.storage, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if d.Name() == "package.json" {
			doc, err := jsjson.Parse(bytes.ReplaceAll(data, []byte(s.url), []byte("REGISTRY/")))
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			versions := doc.Get("versions")
			for _, m := range versions.Members() {
				versions = versions.With(m.Key, m.Value.Without("_npmVersion"))
			}
			doc = doc.With("versions", versions).Without("time").Without("_rev")
			data = jsjson.Append(nil, doc, "  ", "\n")
		}
		all[filepath.ToSlash(rel)] = string(data)
		return nil
	})
	return all, err
}

// sameAnswers compares what the programs say of what is there.
func sameAnswers(ctx context.Context, ours, theirs *side) error {
	questions := [][]string{
		{"whoami"}, {"dist-tag", "ls", "plain"}, {"dist-tag", "ls", "before"}, {"owner", "ls", "plain"},
		{"view", "plain", "versions", "dist-tags"}, {"view", "plain@1.0.0", "deprecated"}, {"view", "esm", "deprecated"},
		{"view", "@ibid-shapes/a", "dependencies"}, {"view", "people", "author", "contributors", "repository.url"},
		{"view", "bundles", "dist.integrity", "bundleDependencies"}, {"view", "unicode", "description"},
	}
	for _, q := range questions {
		got, err := ours.run(ctx, ours.home, q...)
		if err != nil {
			return err
		}
		want, err := theirs.run(ctx, theirs.home, q...)
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s prints\n%s\nnpm prints\n%s", strings.Join(q, " "), got, want)
		}
	}
	fmt.Printf("%d questions have the same answers\n", len(questions))
	return nil
}

// installAll has each side install what the other published, and compares locks.
func installAll(ctx context.Context, ours, theirs *side) error {
	var deps []string
	for _, name := range published() {
		want := "*"
		switch name {
		case "before":
			want = "beta"
		case "tagged":
			want = "next"
		case "plain":
			want = "1.0.0"
		case "manual": // unpublished
			continue
		}
		deps = append(deps, fmt.Sprintf("    %q: %q", name, want))
	}
	slices.Sort(deps)
	project := "{\n  \"name\": \"all\",\n  \"version\": \"1.0.0\",\n  \"dependencies\": {\n" + strings.Join(deps, ",\n") + "\n  }\n}\n"
	locks := map[string]string{}
	for _, try := range []struct {
		who, from *side
	}{{theirs, theirs}, {theirs, ours}, {ours, theirs}, {ours, ours}} {
		name := try.who.name + " from " + try.from.name + "'s"
		dir := filepath.Join(filepath.Dir(try.who.dir), "install from "+try.from.name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(project), 0o644); err != nil {
			return err
		}
		if _, err := try.who.runAt(ctx, try.from.server, dir, "install"); err != nil {
			return err
		}
		lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
		if err != nil {
			return err
		}
		locks[name] = strings.ReplaceAll(strings.ReplaceAll(string(lock), try.from.server.url, "REGISTRY/"), filepath.Base(dir), "project")
		if want := locks["npm from npm's"]; locks[name] != want {
			return fmt.Errorf("%s has the lock\n%s\nnpm's from its own is\n%s", name, locks[name], want)
		}
	}
	fmt.Printf("%d installs have the same lock of %d packages\n", len(locks), len(deps))
	return nil
}
