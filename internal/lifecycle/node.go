package lifecycle

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// NodeVersion asks a node binary for its version: "20.20.2".
func NodeVersion(ctx context.Context, node string) (string, error) {
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s: asking for its version: %w", node, err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), nil
}

// NodeBehind asks the node that a program starts for its version and for its file,
// which is program itself where the node does not say.
func NodeBehind(ctx context.Context, program string) (version, file string, err error) {
	out, err := exec.CommandContext(ctx, program, "-p", `process.version + "\n" + process.execPath`).Output()
	if err != nil {
		return "", "", fmt.Errorf("%s: asking for its version: %w", program, err)
	}
	version, file, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	if file = strings.TrimSpace(file); !filepath.IsAbs(file) {
		file = program
	}
	return strings.TrimPrefix(strings.TrimSpace(version), "v"), file, nil
}
