package ibid_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ibid-pm/ibid/cmd"
	"github.com/ibid-pm/ibid/cmd/again"
	"github.com/ibid-pm/ibid/registry/registrytest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ibid":  func() { first(); os.Exit(cmd.Main(cmd.System())) },
		"ibidx": func() { first(); os.Exit(cmd.MainX(cmd.System())) },
	})
}

// first does as package first.
func first() {
	if call, ok := again.This(); ok && call.Try() {
		os.Exit(0)
	}
}

// TestScript tells the stories in testdata/script. Each has the packages below
// its registry folder in a registry of its own, an empty home, and none of the
// caller's configuration.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds:                registrytest.Commands(),
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("%s is no condition", name)
			}
			return os.Geteuid() == 0, nil // may write what nobody may
		},
	})
}

func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.MkdirAll(home, 0o777); err != nil {
		return err
	}
	for key, value := range map[string]string{
		"HOME":                    home,
		"npm_config_cache":        filepath.Join(home, "cache"),
		"npm_config_userconfig":   filepath.Join(home, ".npmrc"),
		"npm_config_globalconfig": filepath.Join(home, "npmrc"),
		"npm_config_prefix":       filepath.Join(home, "global"),
		"NO_COLOR":                "1",
	} {
		env.Setenv(key, value)
	}
	if runtime.GOOS == "windows" {
		env.Setenv("USERPROFILE", home)
	}
	_, err := registrytest.Script(env)
	return err
}
