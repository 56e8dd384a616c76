// Package recording starts a recorded registry for the dev programs.
//
// A recording is a folder of packuments and tarballs that replay-registry
// (in the shared folder, tools/replay-registry) serves from disk. The shared
// folder is only read: what the server derives from the documents goes to a
// scratch folder of ours, which links to the recording's two halves.
//
// The package knows nothing of package managers or of what they ask for.
package recording

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Options says what to serve and how.
type Options struct {
	// Shared is the shared folder: it holds tools/replay-registry and bench/registry.
	Shared string
	// Cache is the recording; empty means Shared/bench/registry.
	Cache string
	// Scratch is a folder of the caller's for the program, its log and what it derives.
	Scratch string

	Listen    string        // address; empty means a free port on loopback
	Rewrite   bool          // point dist.tarball at this server instead of the public host
	Latency   time.Duration // waited before each answer
	Bandwidth string        // of one link shared by all connections, as in "500Mbit"
	Overlay   string        // folder of patches served over the recording
	Record    bool          // ask the upstream registry for what is not recorded
	Log       string        // file that gets a line for each request
}

// Registry is a running server.
type Registry struct {
	// URL has no slash at its end.
	URL string

	cmd  *exec.Cmd
	done chan struct{}
}

// Stats are the server's counters since it started or was reset.
type Stats struct {
	Packuments    int64 `json:"packuments"`
	Tarballs      int64 `json:"tarballs"`
	NotModified   int64 `json:"not_modified"`
	NotFound      int64 `json:"not_found"`
	OfflineMisses int64 `json:"offline_misses"`
	BytesSent     int64 `json:"bytes_sent"`
	Connections   int64 `json:"connections"`
}

// Build compiles replay-registry into scratch, once, and gives its path.
func Build(ctx context.Context, shared, scratch string) (string, error) {
	exe, err := filepath.Abs(filepath.Join(scratch, "replay-registry"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(exe); err == nil {
		return exe, nil
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", exe, ".")
	build.Dir = filepath.Join(shared, "tools", "replay-registry")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building replay-registry in %s: %w\n%s", build.Dir, err, out)
	}
	return exe, nil
}

// Start serves the recording until Close or until ctx ends.
func Start(ctx context.Context, o Options) (*Registry, error) {
	if o.Cache == "" {
		o.Cache = filepath.Join(o.Shared, "bench", "registry")
	}
	cache, err := mirror(o.Cache, filepath.Join(o.Scratch, "recording"), o.Record)
	if err != nil {
		return nil, fmt.Errorf("recording %s: %w", o.Cache, err)
	}
	exe, err := Build(ctx, o.Shared, o.Scratch)
	if err != nil {
		return nil, err
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	ready := filepath.Join(o.Scratch, fmt.Sprintf("registry-%d-%d.url", os.Getpid(), time.Now().UnixNano()))
	args := []string{"-cache", cache, "-listen", o.Listen, "-ready-file", ready, fmt.Sprintf("-rewrite=%v", o.Rewrite)}
	if !o.Record {
		args = append(args, "-offline")
	}
	if o.Latency > 0 {
		args = append(args, "-latency", o.Latency.String())
	}
	if o.Bandwidth != "" {
		args = append(args, "-bandwidth", o.Bandwidth)
	}
	if o.Overlay != "" {
		args = append(args, "-overlay", o.Overlay)
	}
	if o.Log != "" {
		args = append(args, "-log", o.Log)
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &Registry{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // it is told to stop, or said above why it could not start
		close(r.done)
	}()
	defer os.Remove(ready)
	for deadline := time.Now().Add(20 * time.Second); ; {
		url, err := os.ReadFile(ready)
		if err == nil {
			r.URL = strings.TrimSpace(string(url))
			return r, nil
		}
		select {
		case <-r.done:
			return nil, fmt.Errorf("replay-registry ended at once: %s", strings.TrimSpace(said.String()))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			r.Close()
			return nil, errors.New("replay-registry is not ready after 20 s")
		}
	}
}

// mirror makes a folder that looks like the recording but takes the server's own files.
func mirror(recording, scratch string, record bool) (string, error) {
	if record {
		return recording, os.MkdirAll(recording, 0o755)
	}
	recording, err := filepath.Abs(recording)
	if err != nil {
		return "", err
	}
	for _, half := range []string{"packuments", "tarballs"} {
		if _, err := os.Stat(filepath.Join(recording, half)); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return "", err
	}
	for _, half := range []string{"packuments", "tarballs"} {
		link := filepath.Join(scratch, half)
		if to, err := os.Readlink(link); err == nil && to == filepath.Join(recording, half) {
			continue
		}
		_ = os.Remove(link) // it may not be there
		if err := os.Symlink(filepath.Join(recording, half), link); err != nil {
			return "", err
		}
	}
	return scratch, nil
}

// Close stops the server and waits for it.
func (r *Registry) Close() {
	_ = r.cmd.Process.Signal(os.Interrupt)
	select {
	case <-r.done:
	case <-time.After(5 * time.Second):
		_ = r.cmd.Process.Kill()
		<-r.done
	}
}

// Stats reads the counters.
func (r *Registry) Stats() (Stats, error) { return r.control("stats") }

// Reset sets the counters to zero.
func (r *Registry) Reset() error {
	_, err := r.control("reset")
	return err
}

func (r *Registry) control(what string) (s Stats, err error) {
	resp, err := http.Get(r.URL + "/-/replay/" + what)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(body, &s)
}
