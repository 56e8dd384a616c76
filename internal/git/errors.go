package git

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// kind sorts git's failures as @npmcli/git lib/errors.js does.
type kind uint8

const (
	unknown    kind = iota
	connection      // worth another try
	pathspec        // no such ref; another URL won't have it either
)

// Error is a git command that failed. Its texts have no credentials.
type Error struct {
	Repo    string // the repository's URL, "" where the command had none
	Command string // "git --no-replace-objects ls-remote …"
	Stderr  string // trimmed; long output keeps its end
	Status  int    // git's exit status; -1 when it was ended or didn't start
	Err     error
	Hint    string // what a person can do, where whoever asked git knows

	kind kind
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Repo != "" {
		b.WriteString(e.Repo + ": ")
	}
	switch e.kind {
	case connection:
		b.WriteString("a git connection error occurred")
	case pathspec:
		b.WriteString("the git reference could not be found")
	default:
		b.WriteString("an unknown git error occurred")
	}
	if line := firstLine(e.Stderr); line != "" {
		b.WriteString(": " + line)
	} else if e.Err != nil {
		b.WriteString(": " + Redact(e.Err.Error()))
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Hints are Hint, or none.
func (e *Error) Hints() []string {
	if e.Hint == "" {
		return nil
	}
	return []string{e.Hint}
}

// Code gives git's exit status, which is what npm prints as the code.
func (e *Error) Code() string {
	if e.Status > 0 {
		return strconv.Itoa(e.Status)
	}
	return ""
}

// Connection says whether the network was to blame and the time may do better.
func (e *Error) Connection() bool { return e.kind == connection }

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		// What git is doing is not why it failed.
		if line != "" && !strings.HasPrefix(line, "Cloning into ") {
			return line
		}
	}
	return ""
}

// MissingError says that there is no git program.
type MissingError struct{ Err error }

func (e *MissingError) Error() string { return "no git binary found in $PATH" }
func (e *MissingError) Unwrap() error { return e.Err }

// Code gives ENOGIT.
func (e *MissingError) Code() string { return "ENOGIT" }

// Hints say what can be done.
func (e *MissingError) Hints() []string {
	return []string{"install git, or name the program: ibid config set git=/path/to/git"}
}

// CheckoutError says that a clone has another commit than was resolved: the
// branch moved meanwhile, or the server's answers don't fit together.
type CheckoutError struct {
	Repo            string
	Expected, Found string // commit hashes
}

func (e *CheckoutError) Error() string {
	return fmt.Sprintf("%s: commit mismatch: expected SHA %s and cloned HEAD %s", e.Repo, e.Expected, e.Found)
}

// Code gives EGITCHECKOUT.
func (e *CheckoutError) Code() string { return "EGITCHECKOUT" }

// TargetError says that no tag satisfies a "#semver:" range.
type TargetError struct {
	Name     string // the package's, may be ""
	Repo     string
	Wanted   string
	Versions []string // the versions that the tags name, in the server's order
}

func (e *TargetError) Error() string {
	subject := e.Name
	if subject == "" {
		subject = e.Repo
	}
	if len(e.Versions) == 0 {
		return fmt.Sprintf("%s@%s: no versions available: no tag of the repository is a version", subject, e.Wanted)
	}
	return fmt.Sprintf("%s@%s: no matching version: %d tags are versions, none satisfies", subject, e.Wanted, len(e.Versions))
}

// Code gives npm-pick-manifest's: ETARGET, or ENOVERSIONS where a range had no
// version at all to choose from.
func (e *TargetError) Code() string {
	wanted := strings.TrimSpace(e.Wanted)
	if len(e.Versions) > 0 || nodesemver.Valid(wanted, true) {
		return "ETARGET"
	}
	if _, err := nodesemver.ParseRange(wanted, nodesemver.Options{Loose: true}); err != nil {
		return "ETARGET"
	}
	return "ENOVERSIONS"
}

// UnsafeError refuses a URL, ref or path that git would take for something
// else.
type UnsafeError struct {
	What string // "repository URL", "committish", "path"
	Text string // without credentials
	Why  string
}

func (e *UnsafeError) Error() string {
	return fmt.Sprintf("%s: refusing this git %s: %s", e.Text, e.What, e.Why)
}

// Code gives EGITUNSAFE. npm has none: it lets git find out.
func (e *UnsafeError) Code() string { return "EGITUNSAFE" }

func isPathspec(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.kind == pathspec
}

// kindOf reads git's stderr (@npmcli/git lib/make-error.js).
func kindOf(stderr string) kind {
	for _, s := range []string{
		"remote error: Internal Server Error",
		"The remote end hung up unexpectedly",
		"Connection timed out",
		"Operation timed out",
		"Connection reset by peer",
		"SSL_ERROR_SYSCALL",
		"The requested URL returned error: 503",
	} {
		if strings.Contains(stderr, s) {
			return connection
		}
	}
	for line := range strings.Lines(stderr) {
		if _, after, ok := strings.Cut(line, "Failed to connect to "); ok && strings.Contains(after, " Timed out") {
			return connection
		}
		if _, after, ok := strings.Cut(line, "pathspec "); ok && strings.Contains(after, " did not match any file(s) known to git") {
			return pathspec
		}
		// The same, said by git when it is told that no file can be meant.
		if strings.HasPrefix(line, "fatal: invalid reference: ") || strings.HasPrefix(line, "fatal: reference is not a tree: ") {
			return pathspec
		}
	}
	return unknown
}
