package cmd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

// A precedent is a tree that was decided before where neither a lock nor a
// node_modules had a say, as the lock that was written then. As long as the
// project's manifests, the configuration and the machine are the same, and the
// registries' metadata lies in the cache as it did and is fresh, deciding anew would
// end in the same tree; so that lock is gone by as if it were there.
//
// It is kept beside the standing, for one project each; nothing is lost with it.
type precedent struct {
	app    *App
	client *registry.Client
	file   string
	// settings are the configuration and the machine.
	settings string
	key      [sha256.Size]byte // of the manifests, the configuration and the machine
	text     []byte            // the lock, where there is one to go by
	unfit    atomic.Bool       // more had a say than is looked at, or something was said
}

const precedentMagic = "ibid precedent 1\n"

// precedent is that of a project that starts empty; nil where nothing can be one.
func (a *App) precedent(client *registry.Client, p *project, c change, empty bool) *precedent {
	if !empty || !c.bare || p.file == nil || p.lock != nil || p.yarn != nil || !a.Config.PackageLock() || !a.savesLock(c) || a.linked() || a.json() || !a.Config.Before().IsZero() {
		return nil
	}
	for _, w := range p.workspaces {
		// What it has installed of its own has a say.
		if _, err := os.Lstat(filepath.Join(w.Path, "node_modules")); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	pr := &precedent{
		app: a, client: client,
		file:     filepath.Join(a.standingDir(), standingName([]byte(p.dir))+"-lock"),
		settings: fmt.Sprintf("%s\x00%v", a.configKey(), a.environment()),
	}
	pr.key = pr.keyOf(p)
	return pr
}

// keyOf is the key of a project as its manifests are now.
func (pr *precedent) keyOf(p *project) (key [sha256.Size]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", p.dir, pr.settings)
	add := func(dir string) {
		text, err := regular.ReadFile(filepath.Join(dir, "package.json"))
		fmt.Fprintf(h, "%x\x00%v\x00", sha256.Sum256(text), err)
	}
	add(p.dir)
	for _, w := range p.workspaces {
		fmt.Fprintf(h, "%s\x00%s\x00", w.Name, w.Path)
		add(w.Path)
	}
	h.Sum(key[:0])
	return key
}

// recall has the project go by the lock that was decided before, if there is one.
// If the metadata must be asked for anew, it is from now on, until stop is called.
func (pr *precedent) recall(ctx context.Context, p *project) (stop func()) {
	stop = func() {}
	if pr == nil {
		return stop
	}
	data, err := regular.ReadOwn(pr.file, regular.MaxSize)
	if err != nil {
		return stop
	}
	basis, text, ok := decodePrecedent(data, pr.key)
	if !ok {
		return stop
	}
	if !pr.client.Stands(basis) {
		ctx, cancel := context.WithCancel(ctx)
		var asking sync.WaitGroup
		asking.Go(func() { pr.client.AskAhead(ctx, basis) })
		return func() { cancel(); asking.Wait() }
	}
	if lock, err := lockfile.Parse(text, p.lockPath); err == nil {
		p.lock, pr.text = lock, text
		pr.app.logPrefixed(levelVerbose, "reify", "decided before, of the same files, configuration and metadata")
	}
	return stop
}

// A precedent's file is its magic, its key, the length of the basis in decimal and
// a line break, the basis, the lock, and the SHA-256 of all that.
func encodePrecedent(key [sha256.Size]byte, basis, text []byte) []byte {
	b := make([]byte, 0, len(precedentMagic)+len(key)+len(basis)+len(text)+sha256.Size+24)
	b = append(append(b, precedentMagic...), key[:]...)
	b = append(fmt.Appendf(b, "%d\n", len(basis)), basis...)
	b = append(b, text...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func decodePrecedent(data []byte, key [sha256.Size]byte) (basis, text []byte, ok bool) {
	head := append([]byte(precedentMagic), key[:]...)
	if !bytes.HasPrefix(data, head) || len(data) < len(head)+sha256.Size {
		return nil, nil, false
	}
	end := len(data) - sha256.Size
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return nil, nil, false
	}
	length, rest, ok := bytes.Cut(data[len(head):end], []byte{'\n'})
	n, err := strconv.Atoi(string(length))
	if !ok || err != nil || n < 0 || n > len(rest) {
		return nil, nil, false
	}
	return rest[:n], rest[n:], true
}

// observe has the precedent know what goes into a decision.
func (pr *precedent) observe(src *source, r *resolver.Request) {
	if pr == nil {
		return
	}
	src.elsewhere = func() { pr.unfit.Store(true) }
	warn := r.Warn
	r.Warn = func(w resolver.Warning) {
		if w.Heading != "EBADENGINE" { // which is said of a lock's packages as well
			pr.unfit.Store(true)
		}
		warn(w)
	}
}

// overruled says that the lock that was gone by is not what comes out, so that all
// has to be decided anew.
func (pr *precedent) overruled(o *outcome) bool {
	if pr == nil || pr.text == nil || bytes.Equal(pr.text, o.lockText()) {
		return false
	}
	pr.text = nil
	return true
}

// keep keeps what was decided for the next time. That it cannot be kept
// costs time, nothing else.
func (pr *precedent) keep(o *outcome) {
	if pr == nil || pr.text != nil || pr.unfit.Load() || o.result.Missed() || o.patches != nil || o.result.ExtensionsHash() != "" {
		return
	}
	for n := range o.result.Tree.Inventory {
		if n.IsLink() && !o.project.isWorkspace(n.Realpath()) {
			return
		}
	}
	basis := pr.client.Basis()
	if basis == nil || pr.keyOf(o.project) != pr.key {
		return
	}
	if err := keepFile(pr.file, encodePrecedent(pr.key, basis, o.lockText()), 0o755, 0o600); err != nil {
		pr.app.log(levelVerbose, "remembering what was decided: "+err.Error())
	}
}
