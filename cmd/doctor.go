package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newDoctorCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:         "doctor [connection] [registry] [versions] [environment] [permissions] [cache]",
		Short:       "Check that everything ibid needs is there and works",
		Annotations: map[string]string{exitAnnotation: "1 when a check failed."},
	}, []string{"registry"}, func(c *cobra.Command, args []string) error { return runDoctor(c.Context(), a, args) })
}

// checkup is one thing that doctor looks at. It gives what it found, or what is
// wrong.
type checkup struct {
	title  string
	topics []string
	run    func(ctx context.Context, a *App) (found string, err error)
}

func checkups() []checkup {
	return []checkup{
		{"Connecting to the registry", []string{"connection", "ping", "registry"}, checkPing},
		{"Checking the configured registry", []string{"environment", "registry"}, checkRegistry},
		{"Checking the version of node", []string{"versions"}, checkNode},
		{"Checking for git on PATH", []string{"environment"}, checkGit},
		{"Checking for the global bin folder on PATH", []string{"environment"}, checkBin},
		{"Checking permissions of the store", []string{"permissions", "cache"}, writable(func(a *App) string { return a.storeDir() })},
		{"Checking permissions of node_modules", []string{"permissions"}, writable(func(a *App) string {
			return filepath.Join(a.Config.LocalPrefix(), "node_modules")
		})},
		{"Checking permissions of global packages", []string{"permissions"}, writable(func(a *App) string { return a.Config.GlobalDir() })},
	}
}

func runDoctor(ctx context.Context, a *App, args []string) error {
	var known []string
	for _, c := range checkups() {
		known = append(known, c.topics...)
	}
	for _, arg := range args {
		if !slices.Contains(known, arg) {
			return &usageError{text: "doctor does not know " + arg, usage: a.heading + " doctor [connection] [registry] [versions] [environment] [permissions] [cache]"}
		}
	}
	i := a.ink()
	failed := false
	for _, c := range checkups() {
		if len(args) > 0 && !slices.ContainsFunc(c.topics, func(t string) bool { return slices.Contains(args, t) }) {
			continue
		}
		found, err := c.run(ctx, a)
		word := i.green("Ok")
		if err != nil {
			failed = true
			word, found = i.red("Not ok"), err.Error()
		}
		a.out("%s\n%s", c.title, word)
		if found != "" {
			a.out("%s", term.Safe(found))
		}
		a.out("")
	}
	if failed {
		return &codedError{text: "some problems were found; each is shown where it was looked for"}
	}
	return nil
}

func checkPing(ctx context.Context, a *App) (string, error) {
	start := time.Now()
	if _, err := a.ping(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s answered in %d ms", config.Redact(a.Config.Registry("")), time.Since(start).Milliseconds()), nil
}

func checkRegistry(_ context.Context, a *App) (string, error) {
	r := a.Config.Registry("")
	if r == registry.DefaultRegistry {
		return "using the default registry (" + r + ")", nil
	}
	return "using " + config.Redact(r) + ", which is not the default (" + registry.DefaultRegistry + ")", nil
}

func checkNode(_ context.Context, a *App) (string, error) {
	version := a.nodeVersion()
	switch {
	case version == "":
		return "", fmt.Errorf("no node on PATH: scripts of packages cannot run")
	case !nodesemver.SatisfiesWith(version, ">=18", nodesemver.Options{IncludePrerelease: true}):
		return "", fmt.Errorf("node %s gets no more fixes; a version that is maintained is on https://nodejs.org/", version)
	}
	return "node " + version, nil
}

func checkGit(_ context.Context, a *App) (string, error) {
	name := "git"
	if runtime.GOOS == "windows" {
		name = "git.exe"
	}
	for _, dir := range filepath.SplitList(a.Config.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && !st.IsDir() && (st.Mode()&0o111 != 0 || runtime.GOOS == "windows") {
			return path, nil
		}
	}
	return "", fmt.Errorf("no git on PATH: dependencies from git cannot be installed")
}

func checkBin(_ context.Context, a *App) (string, error) {
	bin := a.Config.GlobalBin()
	for _, dir := range filepath.SplitList(a.Config.Getenv("PATH")) {
		if filepath.Clean(dir) == filepath.Clean(bin) {
			return bin, nil
		}
	}
	return "", fmt.Errorf("add %s to PATH to run what is installed globally", bin)
}

// writable checks that a folder, or the nearest one above it that is there,
// takes new files.
func writable(folder func(*App) string) func(context.Context, *App) (string, error) {
	return func(_ context.Context, a *App) (string, error) {
		dir := nearestFolder(folder(a))
		f, err := os.CreateTemp(dir, ".ibid-doctor-")
		if err != nil {
			return "", fmt.Errorf("%s: %s", dir, strings.TrimPrefix(err.Error(), "open "))
		}
		f.Close()
		return dir, os.Remove(f.Name())
	}
}
