package git

import (
	"context"
	"strings"

	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// RefType says what a ref is.
type RefType uint8

const (
	OtherRef RefType = iota
	HeadRef
	TagRef
	BranchRef
	PullRef // refs/pull/N/head and /merge
)

// Rev is one ref of a repository and the commit it names.
type Rev struct {
	SHA    string // hex digits; of an annotated tag, the commit's
	Ref    string // as users write it: "v1.0.0", "main", "pull/7", "HEAD"
	RawRef string // "refs/tags/v1.0.0"
	Type   RefType
}

// Revs are the refs of a repository, a packument of sorts: tags that are
// versions are its versions. Read-only.
type Revs struct {
	refs     map[string]*Rev   // by Ref and by RawRef; the later in the list wins
	shas     map[string]string // the first ref of a commit
	versions map[string]*Rev   // by normalised version
	order    []string          // the versions as the server listed them
	distTags map[string]string // latest, HEAD
}

// longestRef is more than any server lets one create.
const longestRef = 4096

// ParseRevs reads the output of git ls-remote (@npmcli/git
// lib/lines-to-revs.js). Lines that aren't a commit and a ref are passed over,
// so are refs that could be taken for an option.
func ParseRevs(output string) *Revs {
	r := &Revs{refs: make(map[string]*Rev), shas: make(map[string]string), versions: make(map[string]*Rev), distTags: make(map[string]string)}
	var refs []string // keys of r.refs in the order they came
	add := func(key string, rev *Rev) {
		if _, there := r.refs[key]; !there {
			refs = append(refs, key)
		}
		r.refs[key] = rev
	}
	for line := range strings.Lines(output) {
		rev := parseRev(line)
		if rev == nil {
			continue
		}
		add(rev.Ref, rev)
		add(rev.RawRef, rev)
		if rev.Type != TagRef || strings.HasSuffix(rev.Ref, "^{}") {
			continue
		}
		if version := tagVersion(rev.Ref); version != "" {
			if _, there := r.versions[version]; !there {
				r.order = append(r.order, version)
			}
			r.versions[version] = rev
		}
	}
	r.peel(refs)
	for _, key := range refs {
		if rev := r.refs[key]; rev != nil && r.shas[rev.SHA] == "" {
			r.shas[rev.SHA] = key
		}
	}
	r.tag()
	return r
}

func parseRev(line string) *Rev {
	fields := strings.Fields(line)
	if len(fields) < 2 || !isHex(fields[0]) || len(fields[1]) > longestRef {
		return nil
	}
	sha, raw := fields[0], fields[1]
	rev := &Rev{SHA: sha, Ref: raw, RawRef: raw}
	switch {
	case strings.HasPrefix(raw, "refs/tags/"):
		rev.Type, rev.Ref = TagRef, raw[len("refs/tags/"):]
	case strings.HasPrefix(raw, "refs/heads/"):
		rev.Type, rev.Ref = BranchRef, raw[len("refs/heads/"):]
	case strings.HasPrefix(raw, "refs/pull/"):
		rev.Type, rev.Ref = PullRef, strings.TrimSuffix(raw[len("refs/"):], "/head")
	case raw == "HEAD":
		rev.Type = HeadRef
	case !strings.HasPrefix(raw, "refs/"):
		return nil
	}
	if rev.Ref == "" || rev.Ref[0] == '-' {
		return nil
	}
	return rev
}

// peel gives annotated tags the commit they point to: the list has them twice,
// the second time as "v1.0.0^{}".
func (r *Revs) peel(refs []string) {
	for _, key := range refs {
		name, peeled := strings.CutSuffix(key, "^{}")
		if !peeled {
			continue
		}
		if tag := r.refs[name]; tag != nil {
			tag.SHA = r.refs[key].SHA
			delete(r.refs, key)
		}
	}
}

// tag makes up dist-tags: latest is the version on the ref "latest" if there is
// one, else the version on HEAD.
func (r *Revs) tag() {
	latest, head := r.refs["latest"], r.refs["HEAD"]
	for _, version := range r.order {
		switch rev := r.versions[version]; {
		case latest != nil && rev.SHA == latest.SHA:
			r.distTags["latest"] = version
		case head != nil && rev.SHA == head.SHA:
			r.distTags["HEAD"] = version
			if latest == nil {
				r.distTags["latest"] = version
			}
		}
	}
}

// tagVersion gives the normalised version at the end of a tag's name, "" if
// there is none: "release-v1.2.3-beta" has "1.2.3-beta".
func tagVersion(tag string) string {
	for i := range len(tag) {
		text := tag[i:]
		text = strings.TrimPrefix(text, "v")
		if !endsAsVersion(text) {
			continue
		}
		// npm looks no further than the first place that fits.
		if v, err := nodesemver.Clean(text, true); err == nil && v != nil {
			return v.String()
		}
		return ""
	}
	return ""
}

// endsAsVersion matches ^\d+\.\d+\.\d+(?:[-+].+)?$.
func endsAsVersion(s string) bool {
	for part := range 3 {
		if part > 0 {
			if s == "" || s[0] != '.' {
				return false
			}
			s = s[1:]
		}
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == 0 {
			return false
		}
		s = s[n:]
	}
	return s == "" || (len(s) > 1 && (s[0] == '-' || s[0] == '+'))
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) >= 40 && len(s) <= 64
}

// Ref gives the rev that name stands for: a branch, tag, pull request, full
// ref; "" is HEAD. nil if there is none.
func (r *Revs) Ref(name string) *Rev {
	if name == "" {
		name = "HEAD"
	}
	return r.refs[name]
}

// Commit gives a ref that is at the commit, nil if none is.
func (r *Revs) Commit(sha string) *Rev {
	if key, ok := r.shas[sha]; ok {
		return r.refs[key]
	}
	return nil
}

// Versions are the versions that tags name, as the server listed them.
func (r *Revs) Versions() []string { return r.order }

// Pick chooses a version's rev: the range's, "latest" if that satisfies it,
// else the newest (npm-pick-manifest, for what a repository has of a
// packument). It gives nil when nothing satisfies.
func (r *Revs) Pick(wanted string) *Rev {
	wanted = strings.TrimSpace(wanted)
	if nodesemver.Valid(wanted, true) {
		v, err := nodesemver.Clean(wanted, true)
		if err != nil || v == nil {
			return nil
		}
		return r.versions[v.String()]
	}
	rng, err := nodesemver.ParseRange(wanted, nodesemver.Options{Loose: true})
	if err != nil {
		return r.versions[r.distTags[wanted]]
	}
	if latest := r.distTags["latest"]; latest != "" && (wanted == "*" || rng.MatchString(latest)) {
		return r.versions[latest]
	}
	var best *nodesemver.Version
	for _, text := range r.order {
		v, err := nodesemver.Parse(text, true)
		if err == nil && rng.Match(v) && (best == nil || nodesemver.Compare(v, best) > 0) {
			best = v
		}
	}
	if best == nil {
		return nil
	}
	return r.versions[best.String()]
}

// revsCall is one repository's list, asked for once.
type revsCall struct {
	done chan struct{}
	revs *Revs
	err  error
}

// Revs asks the repository for its refs. The answer is kept for the Client's
// life; a failure isn't.
func (c *Client) Revs(ctx context.Context, repo string) (*Revs, error) {
	url, err := repoURL(repo)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	call := c.revs[url]
	if call == nil {
		call = &revsCall{done: make(chan struct{})}
		c.revs[url] = call
		c.mu.Unlock()
		var out string
		if out, call.err = c.run(ctx, url, "", "ls-remote", "--", url); call.err == nil {
			call.revs = ParseRevs(out)
		} else {
			c.mu.Lock()
			delete(c.revs, url)
			c.mu.Unlock()
		}
		close(call.done)
		return call.revs, call.err
	}
	c.mu.Unlock()
	select {
	case <-call.done:
		return call.revs, call.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
