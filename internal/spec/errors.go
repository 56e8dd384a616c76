package spec

import (
	"fmt"
	"strings"
)

// NameError says that a package's name breaks the rules.
type NameError struct {
	Name     string
	Raw      string   // the spec the name is part of
	Problems []string // npm's sentences
}

func (e *NameError) Error() string {
	return fmt.Sprintf("Invalid package name %s of package %s: %s.", quote(e.Name), quote(e.Raw), strings.Join(e.Problems, "; "))
}

// Code returns npm's error code.
func (e *NameError) Code() string { return "EINVALIDPACKAGENAME" }

// TagError says that a text is no version, no range and can't be a tag.
type TagError struct {
	Tag string
	Raw string
}

func (e *TagError) Error() string {
	return fmt.Sprintf("Invalid tag name %s of package %s: Tags may not have any characters that encodeURIComponent encodes.", quote(e.Tag), quote(e.Raw))
}

// Code returns npm's error code.
func (e *TagError) Code() string { return "EINVALIDTAGNAME" }

// Hints say how what was perhaps meant is written.
func (e *TagError) Hints() []string {
	if scope := strings.TrimSuffix(e.Tag, "/"); strings.HasPrefix(scope, "@") && e.Raw == e.Tag && !strings.ContainsAny(scope, "/ ") {
		return []string{scope + " is a scope: its packages are " + scope + "/NAME"}
	}
	name, ok := strings.CutSuffix(e.Raw, "@"+e.Tag)
	if !ok || name == "" || e.Tag == "" {
		return nil
	}
	return []string{quote(e.Tag) + " is no version, no range such as ^1.2.3, and no tag: ibid view " + name + " versions dist-tags  lists what there is"}
}

// ProtocolError says that a URL has a scheme that npm doesn't install from,
// such as "workspace:" or "link:".
type ProtocolError struct {
	Protocol string // with its colon
	Spec     string
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("Unsupported URL Type %s: %s", quote(e.Protocol), e.Spec)
}

// Code returns npm's error code.
func (e *ProtocolError) Code() string { return "EUNSUPPORTEDPROTOCOL" }

// URLError says that a text looks like a URL but is none.
type URLError struct {
	Spec string
}

func (e *URLError) Error() string { return "Invalid URL" }

// Code returns node's error code, which is what npm shows.
func (e *URLError) Code() string { return "ERR_INVALID_URL" }

// Error is what else can be wrong with a spec. npm has no code for these.
type Error struct {
	Raw     string
	Problem string // npm's sentence
}

func (e *Error) Error() string { return e.Problem }

// quote puts npm's plain quotes around a text.
func quote(s string) string { return `"` + s + `"` }
