package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/regular"
)

// nodeVersion gives the version of the node on PATH, "" where there is none.
// Starting node takes longer than a whole install, so what it said is kept
// beside the store for as long as the binary stays the same file.
func (a *App) nodeVersion() string {
	a.nodeOnce.Do(func() { a.node = a.findNodeVersion() })
	return a.node
}

func (a *App) findNodeVersion() string {
	node := a.Config.NodePath()
	if node == "" {
		return ""
	}
	st, err := os.Stat(node)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", node, st.Size(), st.ModTime().UnixNano()))
	memo := filepath.Join(a.storeDir(), "node", hex.EncodeToString(sum[:8]))
	if b, err := regular.ReadOwn(memo, 64); err == nil {
		return strings.TrimSpace(string(b))
	}
	version, err := lifecycle.NodeVersion(context.Background(), node)
	if err != nil {
		a.log(levelVerbose, err.Error())
		return ""
	}
	_ = keepFile(memo, []byte(version+"\n"), 0o755, 0o644)
	return version
}

// nodeBehind is config.Env.Node. What decides in each folder anew which node it
// starts (volta, asdf, mise) is asked each time.
func (a *App) nodeBehind(program, file string) string {
	if !isShim(file) {
		return file
	}
	version, node, err := lifecycle.NodeBehind(context.Background(), program)
	if err != nil {
		node = program
	}
	a.shim = true
	a.nodeOnce.Do(func() { a.node = version })
	return node
}

// isShim says whether a program, no link, starts one of several nodes rather than
// being one: a script, something of another name, or what version managers have in
// folders of these names.
func isShim(program string) bool {
	switch strings.TrimSuffix(strings.ToLower(filepath.Base(program)), ".exe") {
	case "node", "nodejs":
	default:
		return true
	}
	for dir := range strings.SplitSeq(strings.ToLower(filepath.ToSlash(filepath.Dir(program))), "/") {
		if dir == "shims" || strings.TrimPrefix(dir, ".") == "volta" {
			return true
		}
	}
	var start [2]byte
	f, err := os.Open(program)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = io.ReadFull(f, start[:])
	return err == nil && string(start[:]) == "#!"
}
