package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/git"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/patches"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/spec"
)

// update moves a patch to another version of its package, by having git merge
// what the patch changed with what the version changed.
func (p *patcher) update(ctx context.Context, raw string) error {
	file, err := manifest.ReadFile(filepath.Join(p.root, "package.json"))
	if err != nil {
		return err
	}
	selectors := patchSelectors(file.Get("patchedDependencies"))
	entry, err := p.updated(raw, selectors)
	if err != nil {
		return err
	}
	base := patchVersion(entry.Path)
	if base == "" {
		return &codedError{code: "EPATCHBASE", text: entry.Path + ": the name does not say which version the patch was made for"}
	}
	versions := p.lockedVersions(entry.Name)
	version, err := p.updateTo(entry, versions)
	if err != nil {
		return err
	}
	key := entry.Name + "@" + version
	if version == base {
		return &codedError{code: "EPATCHNOOP", text: key + ": the patch is for this version already"}
	}
	if key != entry.Key && !file.Get("patchedDependencies", key).IsUndefined() {
		return &codedError{code: "EPATCHEXISTS", text: key + ": there is a patch for it", hints: []string{p.heading + " patch rm " + key}}
	}
	at, ok := patches.Contained(filepath.ToSlash(entry.Path))
	if !ok {
		return &codedError{code: "EPATCHUNSAFE", text: entry.Path + ": the patch lies outside of the project"}
	}
	patch, err := regular.ReadFile(filepath.Join(p.root, filepath.FromSlash(at)))
	if err != nil {
		return err
	}
	r, err := p.rebase(ctx, entry.Name, base, version, patch)
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	if r.conflicted {
		return p.leaveConflict(entry, version, r)
	}
	text, _, err := patches.Make(r.newDir, r.repo)
	if err != nil {
		return err
	}
	if text == "" {
		return &codedError{code: "EPATCHEMPTY", text: key + ": the patch changes nothing in it any more", hints: []string{p.heading + " patch rm " + entry.Key}}
	}
	rel, undo, err := p.writePatch(entry.Name, version, text)
	if err != nil {
		return err
	}
	file.Set(jsjson.NewString(rel), "patchedDependencies", key)
	orphan := ""
	if entry.Key != key && unusedSelector(patchSelectors(file.Get("patchedDependencies")), entry, versions) {
		orphan = dropSelector(file, entry.Key)
	}
	p.recordOnly()
	if err := p.record(ctx, file, undo); err != nil {
		return err
	}
	if err := p.removePatch(orphan); err != nil {
		return err
	}
	p.out("Updated %s -> %s (%s)", entry.Key, key, rel)
	return nil
}

// updated finds the patch that a spec means.
func (p *patcher) updated(raw string, selectors []patches.Selector) (*patches.Selector, error) {
	s, err := spec.Parse(raw, p.Cwd)
	if err != nil {
		return nil, err
	}
	notFound := func(what string) error {
		return &codedError{code: "EPATCHNOTFOUND", text: what + ": no patch is registered", hints: []string{p.heading + " patch ls"}}
	}
	if old := wantedSpec(s); old != "" {
		for i := range selectors {
			if selectors[i].Key == s.Name+"@"+old {
				return &selectors[i], nil
			}
		}
		return nil, notFound(s.Name + "@" + old)
	}
	var found *patches.Selector
	var keys []string
	for i := range selectors {
		if selectors[i].Name == s.Name {
			found = &selectors[i]
			keys = append(keys, found.Key)
		}
	}
	switch len(keys) {
	case 0:
		return nil, notFound(raw)
	case 1:
		return found, nil
	}
	return nil, &codedError{code: "EPATCHAMBIGUOUS", text: s.Name + ": there are several patches", detail: keys,
		hints: []string{p.heading + " patch update " + keys[0]}}
}

// updateTo is the version that a patch is moved to: that of --to, or the newest
// in the lock that the patch's selector has.
func (p *patcher) updateTo(entry *patches.Selector, versions []string) (string, error) {
	if to := p.Config.String("to"); to != "" {
		v, err := nodesemver.Parse(to, false)
		if err != nil {
			return "", &codedError{code: "EPATCHBADTO", text: fmt.Sprintf("--to %q: no version", to)}
		}
		if versions != nil && !slices.Contains(versions, v.String()) {
			p.logPrefixed(levelWarn, "patch", fmt.Sprintf("%s@%s is not installed: until it is, installs end with EPATCHUNUSED", entry.Name, v))
		}
		return v.String(), nil
	}
	if versions == nil {
		return "", &codedError{code: "EPATCHSTALE", text: entry.Name + ": there is no lock that can be read",
			hints: []string{p.heading + " install", "or --to <version>"}}
	}
	var best *nodesemver.Version
	for _, v := range versions {
		if entry.Spec != "" && !nodesemver.Satisfies(v, entry.Spec, false) {
			continue
		}
		if parsed, err := nodesemver.Parse(v, false); err == nil && (best == nil || nodesemver.Compare(parsed, best) > 0) {
			best = parsed
		}
	}
	if best == nil {
		return "", &codedError{code: "EPATCHSTALE", text: entry.Key + ": no installed version is one that the patch is for", hints: []string{"--to <version> names one"}}
	}
	return best.String(), nil
}

// unusedSelector says whether a selector goes now that another has come: one for
// one version does, another where it is the choice for nothing in the lock.
func unusedSelector(selectors []patches.Selector, entry *patches.Selector, versions []string) bool {
	if entry.Exact() {
		return true
	}
	if versions == nil {
		return false
	}
	for _, v := range versions {
		s, err := patches.Match(selectors, entry.Name, v)
		if err != nil || s != nil && s.Key == entry.Key {
			return false
		}
	}
	return true
}

// rebased is a patch merged into another version.
type rebased struct {
	work       string // all below is in it
	newDir     string // the version as published
	repo       string // with the patch's changes
	conflicted bool
}

// rebase merges what a patch changed in one version with another version.
func (p *patcher) rebase(ctx context.Context, name, base, version string, patch []byte) (_ *rebased, err error) {
	work, err := os.MkdirTemp("", "ibid-patch-rebase-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(work)
		}
	}()
	r := &rebased{work: work, newDir: filepath.Join(work, "new"), repo: filepath.Join(work, "repo")}
	baseDir, meta := filepath.Join(work, "base"), filepath.Join(work, "git")
	for _, d := range []string{baseDir, r.newDir, r.repo} {
		if err := os.Mkdir(d, 0o777); err != nil {
			return nil, err
		}
	}
	if err := p.extract(ctx, name, base, baseDir); err != nil {
		return nil, err
	}
	if err := p.extract(ctx, name, version, r.newDir); err != nil {
		return nil, err
	}
	tree := git.OpenWorktree(r.repo, p.Config.String("git"), p.rebaseEnviron(meta, r.repo))
	run := func(args ...string) error {
		args = append([]string{"-c", "user.name=npm", "-c", "user.email=npm@npmjs.com", "-c", "commit.gpgsign=false"}, args...)
		_, err := tree.Run(ctx, args...)
		return err
	}
	commit := func(message string) error {
		if err := run("add", "-Af"); err != nil {
			return err
		}
		return run("commit", "-qm", message, "--allow-empty")
	}
	if err := run("init", "-q", "-b", "base"); err != nil {
		return nil, err
	}
	if err := copyPackage(baseDir, r.repo); err != nil {
		return nil, err
	}
	if err := commit("base"); err != nil {
		return nil, err
	}
	if err := run("checkout", "-q", "-b", "theirs"); err != nil {
		return nil, err
	}
	dir, err := folder.Open(r.repo)
	if err != nil {
		return nil, err
	}
	err = patches.Apply(patch, dir)
	dir.Close()
	if err != nil {
		return nil, &codedError{code: "EPATCHBASE", text: fmt.Sprintf("%s@%s: the patch does not fit the version it was made for: %v", name, base, err)}
	}
	if err := commit("theirs"); err != nil {
		return nil, err
	}
	if err := run("checkout", "-q", "-b", "ours", "base"); err != nil {
		return nil, err
	}
	if err := run("rm", "-rqf", "."); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.repo, 0o777); err != nil { // git may remove a folder that it has emptied
		return nil, err
	}
	if err := copyPackage(r.newDir, r.repo); err != nil {
		return nil, err
	}
	if err := commit("ours"); err != nil {
		return nil, err
	}
	if merr := run("merge", "--no-edit", "theirs"); merr != nil {
		unmerged, err := tree.Run(ctx, "ls-files", "--unmerged")
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(unmerged) == "" {
			return nil, merr
		}
		r.conflicted = true
	}
	return r, nil
}

// rebaseEnviron is the user's environment without settings of git's. The
// repository lies beside the files: a folder .git among them, which a stranger
// could have packed, is no repository of ours.
func (p *patcher) rebaseEnviron(meta, repo string) []string {
	var env []string
	for _, e := range p.Environ {
		if !strings.HasPrefix(strings.ToUpper(e), "GIT_") {
			env = append(env, e)
		}
	}
	return append(env, "GIT_DIR="+meta, "GIT_WORK_TREE="+repo, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
}

// copyPackage copies the files of a package, but not what git would take for a
// repository.
func copyPackage(from, to string) error {
	return filepath.WalkDir(from, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, at)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		switch {
		case rel == ".":
			return nil
		case strings.EqualFold(e.Name(), ".git"):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir():
			return os.MkdirAll(dst, 0o777)
		case !e.Type().IsRegular():
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		data, err := regular.ReadFile(at)
		if err != nil {
			return err
		}
		return os.WriteFile(dst, data, info.Mode().Perm())
	})
}

// leaveConflict leaves what could not be merged for somebody to finish.
func (p *patcher) leaveConflict(entry *patches.Selector, version string, r *rebased) error {
	dir, err := p.editDir(entry.Name, version)
	if err != nil {
		return err
	}
	if err := copyPackage(r.repo, dir); err != nil {
		return err
	}
	m := marker{Name: entry.Name}
	if entry.Exact() {
		m.RemoveKey = &entry.Key
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, updateMarker), append(data, '\n'), 0o666); err != nil {
		return err
	}
	p.out("Patch did not apply cleanly to %s@%s.", entry.Name, version)
	p.out("Resolve the conflicts in: %s", dir)
	p.out("When done, run: %s patch commit %s", p.heading, dir)
	return nil
}
