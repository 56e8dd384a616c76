package lifecycle

import (
	"context"
	"fmt"
	"os/exec"
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
