package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/resolver"
)

// fixTime is how long a way out of a conflict is searched for.
const fixTime = 10 * time.Second

// conflictError is a conflict of the tree as a person reads it: who cannot live
// together, each with its chain from the project, and a way out that was tried.
type conflictError struct {
	*resolver.ConflictError
	analysis *resolver.Analysis
	report   string // npm's explanation, in a file
}

func (e *conflictError) Unwrap() error { return e.ConflictError }

func (e *conflictError) Error() string {
	a := e.analysis
	if len(a.Sides) == 0 {
		return e.Stage
	}
	if len(a.Sides) == 1 {
		return fmt.Sprintf("%s: nothing satisfies %s", a.Package, a.Sides[0].Wish)
	}
	wishes := make([]string, len(a.Sides))
	for i, s := range a.Sides {
		wishes[i] = strings.TrimPrefix(s.Wish, a.Package+"@")
	}
	return fmt.Sprintf("%s: no version is both %s", a.Package, strings.Join(wishes, " and "))
}

func (e *conflictError) Detail() []string {
	var out []string
	for _, s := range e.analysis.Sides {
		out = append(out, strings.Join(s.Chain, " › "))
	}
	if e.report != "" {
		out = append(out, "npm's full explanation: "+e.report)
	}
	return out
}

func (e *conflictError) Hints() []string {
	f := e.analysis.Fix
	switch {
	case f == nil:
		return []string{"no change of two versions and no override was found that resolves; --legacy-peer-deps leaves peers to you"}
	case len(f.Add) > 0:
		flag := ""
		switch f.SaveType {
		case resolver.SaveDev:
			flag = "-D "
		case resolver.SaveOptional:
			flag = "-O "
		case resolver.SavePeer:
			flag = "--save-peer "
		}
		if f.Workspace != "" {
			flag = "-w " + quoteWord(f.Workspace) + " " + flag
		}
		words := make([]string, len(f.Add))
		for i, add := range f.Add {
			words[i] = quoteWord(add)
		}
		return []string{"this resolves: ibid install " + flag + strings.Join(words, " ")}
	}
	key := "overrides"
	for _, k := range f.Override {
		if strings.ContainsAny(k, ".[]@/") {
			key += `["` + k + `"]`
		} else {
			key += "." + k
		}
	}
	return []string{"this resolves: ibid pkg set " + quoteWord(key+"="+f.OverrideValue) + " && ibid install"}
}

// quoteWord makes a word that can be pasted into a shell.
func quoteWord(s string) string {
	if strings.ContainsAny(s, " \"'$<>|&;()*?[]^~#`\\") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// explainConflict makes a conflict readable; any other error stays as it is.
func (a *App) explainConflict(ctx context.Context, err error) error {
	var c *resolver.ConflictError
	if !errors.As(err, &c) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, fixTime)
	defer cancel()
	return &conflictError{ConflictError: c, analysis: c.Analyze(ctx), report: a.writeReport(c)}
}

// writeReport keeps npm's explanation where npm keeps it, and gives the path.
func (a *App) writeReport(c *resolver.ConflictError) string {
	dir := a.logsDir()
	path := filepath.Join(dir, a.logStamp()+"-eresolve-report.txt")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return ""
	}
	if err := writeOwn(path, []byte(c.ReportFile())); err != nil {
		return ""
	}
	return path
}
