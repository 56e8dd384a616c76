package cmd

import (
	"bytes"
	"strings"
	"testing"
)

func TestALinkCalledIbidxIsIbidx(t *testing.T) {
	for name, want := range map[string]string{"ibidx": "exec -- <package>", "npx": "exec -- <package>", "ibid": "Usage"} {
		var out, log bytes.Buffer
		exit := Main(Env{Argv: []string{"bin/" + name, "--help"}, Environ: []string{"HOME=" + t.TempDir()}, Cwd: t.TempDir(), Stdout: &out, Stderr: &log})
		if exit != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%s --help: %d, %s%s", name, exit, out.String(), log.String())
		}
	}
}
