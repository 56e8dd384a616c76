package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/lifecycle"
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
	real, err := filepath.EvalSymlinks(node)
	if err != nil {
		return ""
	}
	st, err := os.Stat(real)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", real, st.Size(), st.ModTime().UnixNano()))
	memo := filepath.Join(a.storeDir(), "node", hex.EncodeToString(sum[:8]))
	if b, err := os.ReadFile(memo); err == nil {
		return strings.TrimSpace(string(b))
	}
	version, err := lifecycle.NodeVersion(context.Background(), node)
	if err != nil {
		a.log(levelVerbose, err.Error())
		return ""
	}
	if os.MkdirAll(filepath.Dir(memo), 0o755) == nil {
		tmp := memo + ".tmp"
		if os.WriteFile(tmp, []byte(version+"\n"), 0o644) == nil {
			os.Rename(tmp, memo)
		}
	}
	return version
}
