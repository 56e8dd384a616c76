// Command resolve decides a project's tree and writes its package-lock.json,
// as install --package-lock-only does, without the rest of the program: it is
// for working on package resolver.
//
//	resolve [-registry URL] [-cache DIR] [-repeat N] DIR [ADD...]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/platform"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/workspaces"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

func main() {
	var req resolver.Request
	registryURL := flag.String("registry", registry.DefaultRegistry, "`URL` of the registry")
	cache := flag.String("cache", "", "folder for packuments")
	repeat := flag.Int("repeat", 1, "resolve so often and print the times")
	cpu := flag.String("cpuprofile", "", "write a profile")
	npmVersion := flag.String("npm", "11.19.1", "npm's version")
	node := flag.String("node", "", "node's version")
	verbose := flag.Bool("v", false, "print warnings")
	strategy := flag.String("install-strategy", "hoisted", "")
	flag.BoolVar(&req.LegacyPeerDeps, "legacy-peer-deps", false, "")
	flag.BoolVar(&req.StrictPeerDeps, "strict-peer-deps", false, "")
	flag.BoolVar(&req.PreferDedupe, "prefer-dedupe", false, "")
	flag.BoolVar(&req.Force, "force", false, "")
	flag.BoolVar(&req.EngineStrict, "engine-strict", false, "")
	flag.IntVar(&req.LockfileVersion, "lockfile-version", 0, "")
	tag := flag.String("tag", "", "")
	flag.Parse()
	dir, err := filepath.Abs(flag.Arg(0))
	check(err)
	req.Dir = dir
	req.SavePrefix = "^"
	req.Host = platform.Host()
	req.Host.Node, req.Host.NPM = *node, *npmVersion
	req.Complete = true
	switch *strategy {
	case "nested":
		req.Strategy = resolver.Nested
	case "shallow":
		req.Strategy = resolver.Shallow
	}
	if flag.NArg() > 1 {
		req.Add = flag.Args()[1:]
	}
	if *verbose {
		req.Warn = func(w resolver.Warning) {
			fmt.Fprintln(os.Stderr, "warn", w.Heading, w.Message)
			if w.Conflict != nil {
				fmt.Fprintln(os.Stderr, w.Conflict.Report(4))
			}
		}
	}

	if *cpu != "" {
		f, err := os.Create(*cpu)
		check(err)
		check(pprof.StartCPUProfile(f))
		defer pprof.StopCPUProfile()
	}
	client := registry.New(registry.Options{Registry: *registryURL, CacheDir: *cache, MaxSockets: 32})
	src := source{client: client, url: *registryURL, pick: registry.PickOptions{DefaultTag: *tag, NodeVersion: *node, NPMVersion: *npmVersion}}
	for range *repeat {
		start := time.Now()
		res, _ := resolve(src, req)
		if *repeat > 1 || *verbose {
			fmt.Fprintln(os.Stderr, time.Since(start).Round(10*time.Microsecond))
		}
		if *repeat == 1 {
			edits, err := res.Save()
			check(err)
			for _, e := range edits {
				f, err := manifest.ReadOrCreateFile(filepath.Join(e.Dir, "package.json"))
				check(err)
				f.UpdateDependencies(e.Dependencies)
				check(f.Save())
			}
			lock := res.Lockfile()
			check(os.WriteFile(lockfile.FileToWrite(dir), lock.Encode(), 0o644))
			if y := res.YarnLock(); y != nil {
				check(os.WriteFile(filepath.Join(dir, lockfile.YarnName), y.Encode(), 0o644))
			}
		}
	}
}

func resolve(src source, req resolver.Request) (*resolver.Result, *lockfile.Lockfile) {
	f, err := manifest.ReadFile(filepath.Join(req.Dir, "package.json"))
	if err == nil {
		req.Manifest = f.Manifest()
		req.Indent, req.Newline = f.Format()
		req.HasFormat = true
		all, err := workspaces.Map(req.Dir, req.Manifest.Workspaces)
		check(err)
		if len(all) > 0 {
			req.Workspaces = resolver.NewWorkspaceMap(all)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		check(err)
	}
	lock, err := lockfile.Load(req.Dir)
	if err == nil {
		req.Lock = lock
	}
	if yarn, err := lockfile.LoadYarn(req.Dir); err == nil {
		req.Yarn = yarn
	}
	res, err := resolver.Resolve(context.Background(), src, req)
	check(err)
	return res, res.Lockfile()
}

func check(err error) {
	if err == nil {
		return
	}
	var coded interface{ Code() string }
	if errors.As(err, &coded) {
		fmt.Fprintln(os.Stderr, "error code", coded.Code())
	}
	fmt.Fprintln(os.Stderr, "error", err)
	var conflict *resolver.ConflictError
	if errors.As(err, &conflict) {
		fmt.Fprintln(os.Stderr, conflict.Report(4))
	}
	os.Exit(1)
}

// source is the registry, and folders and tarballs on this machine.
type source struct {
	client *registry.Client
	url    string
	pick   registry.PickOptions
}

func (s source) Manifest(ctx context.Context, want *spec.Spec, wish resolver.Wish) (*resolver.Fetched, error) {
	switch {
	case want.Registry:
		name, inner := want.Name, want
		if want.Sub != nil {
			name, inner = want.Sub.Name, want.Sub
		}
		p, err := s.client.Packument(ctx, name)
		if err != nil {
			return nil, err
		}
		pick := s.pick
		pick.Before = wish.Before
		picked, err := registry.PickVersion(p, inner, pick)
		if err != nil {
			return nil, err
		}
		m := picked.Manifest
		return &resolver.Fetched{Manifest: m, Resolved: m.Dist.Tarball, Integrity: m.Dist.Integrity}, nil
	case want.Type == spec.Directory:
		m, err := manifest.ReadDir(want.FetchSpec)
		if err != nil {
			return nil, err
		}
		return &resolver.Fetched{Manifest: m, Resolved: "file:" + want.FetchSpec}, nil
	case want.Type == spec.File:
		return s.tarball(want.FetchSpec)
	}
	if want.Type == spec.Remote {
		data, err := s.client.ReadTarball(ctx, registry.TarballRequest{URL: s.local(want.FetchSpec)}, nil)
		if err != nil {
			return nil, err
		}
		return unpacked(data, want.FetchSpec)
	}
	return nil, fmt.Errorf("%s: cannot fetch %s specs", want, want.Type)
}

func (s source) tarball(path string) (*resolver.Fetched, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return unpacked(data, "file:"+path)
}

// unpacked reads the manifest in a tarball that came from elsewhere.
func unpacked(data []byte, resolved string) (*resolver.Fetched, error) {
	files, err := untar(data)
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(files, "package.json")
	if err != nil {
		return nil, err
	}
	m, err := manifest.ParsePackageJSON(text)
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(files, lockfile.ShrinkwrapName); err == nil {
		m = m.Clone()
		m.HasShrinkwrap = true
	}
	return &resolver.Fetched{Manifest: m, Resolved: resolved, Integrity: integrity.SRI{integrity.Sum("sha512", data)}.String()}, nil
}

func (s source) Content(ctx context.Context, w resolver.Wanted) (fs.FS, error) {
	data, err := s.client.ReadTarball(ctx, registry.TarballRequest{URL: s.local(w.Resolved)}, nil)
	if err != nil {
		return nil, err
	}
	return untar(data)
}

func (s source) local(resolved string) string {
	u, _ := registry.NewHostReplacer(s.url, "npmjs").Replace(resolved)
	return u
}

func untar(data []byte) (fs.FS, error) {
	a, err := tarball.Read(data, tarball.Options{})
	if err != nil {
		return nil, err
	}
	return a.FS(), nil
}
