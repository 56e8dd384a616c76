package cmd

import (
	"archive/tar"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/term"
)

// secret is a file about to be packed that looks as if nobody else should see it.
type secret struct{ path, why string }

// warnSecrets says which of the files that are packed look like secrets.
func (a *App) warnSecrets(t *tarballContents, tgz []byte) []secret {
	found, err := findSecrets(t.name, tgz)
	if err != nil {
		a.log(levelVerbose, err.Error())
	}
	for _, s := range found {
		a.logPrefixed(levelWarn, "secrets", fmt.Sprintf("%s is packed and %s", term.SafeLine(s.path), s.why))
	}
	if len(found) > 0 {
		a.hint("leave them out with \"files\" in package.json or with an .npmignore")
	}
	return found
}

// secretsUpTo bounds the files that are searched for secrets.
const secretsUpTo = 1 << 20

// findSecrets looks at names and contents of a tarball's files, bundled
// dependencies left out.
func findSecrets(name string, tgz []byte) ([]secret, error) {
	var found []secret
	err := eachPacked(name, tgz, func(h *tar.Header, r io.Reader) error {
		path := strings.TrimPrefix(h.Name, "package/")
		if strings.HasPrefix(path, "node_modules/") {
			return nil
		}
		if why := secretName(path); why != "" {
			found = append(found, secret{path, why})
			return nil
		}
		if h.Size > secretsUpTo {
			return nil
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if why := secretContent(data); why != "" {
			found = append(found, secret{path, why})
		}
		return nil
	})
	slices.SortFunc(found, func(x, y secret) int { return cmp.Compare(x.path, y.path) })
	return found, err
}

// secretName says what a file's name gives away, "" for nothing.
func secretName(path string) string {
	base := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	if base == ".env" || strings.HasPrefix(base, ".env.") {
		switch strings.TrimPrefix(base, ".env.") {
		case "example", "sample", "template", "dist", "defaults", "schema":
			return ""
		}
		return "is an environment file"
	}
	switch base {
	case "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519":
		return "is a private SSH key"
	case ".npmrc", ".netrc", "_netrc", ".pypirc", ".git-credentials", ".htpasswd", ".dockercfg":
		return "usually holds credentials"
	}
	switch filepath.Ext(base) {
	case ".p12", ".pfx", ".jks", ".keystore", ".kdbx":
		return "is a store of keys"
	}
	return ""
}

// secretContent says what a file's content gives away, "" for nothing.
func secretContent(data []byte) string {
	if i := bytes.Index(data, []byte("-----BEGIN ")); i >= 0 {
		head := data[i:min(len(data), i+64)]
		end := bytes.Index(head, []byte("PRIVATE KEY-----"))
		// A program that knows how keys look has the line, but no key behind it.
		if end >= 0 {
			body := bytes.TrimLeft(data[i+end+len("PRIVATE KEY-----"):], "\r\n \\nr")
			if wordLength(body, 48) >= 40 {
				return "holds a private key"
			}
		}
	}
	for _, t := range [...]struct {
		prefix string
		length int // of what follows
		why    string
	}{
		{"npm_", 36, "holds what looks like an npm token"},
		{"ghp_", 36, "holds what looks like a GitHub token"},
		{"gho_", 36, "holds what looks like a GitHub token"},
		{"ghs_", 36, "holds what looks like a GitHub token"},
		{"github_pat_", 82, "holds what looks like a GitHub token"},
		{"glpat-", 20, "holds what looks like a GitLab token"},
		{"AKIA", 16, "holds what looks like an AWS key"},
	} {
		rest := data
		for {
			i := bytes.Index(rest, []byte(t.prefix))
			if i < 0 {
				break
			}
			alone := i == 0 || !wordByte(rest[i-1])
			rest = rest[i+len(t.prefix):]
			if alone && wordLength(rest, t.length+1) == t.length && bytes.ContainsAny(rest[:t.length], "0123456789") {
				return t.why
			}
		}
	}
	return ""
}

// wordLength counts the letters and digits that data starts with, up to most.
func wordLength(data []byte, most int) int {
	n := 0
	for n < len(data) && n < most && (wordByte(data[n]) || data[n] == '+' || data[n] == '/' || data[n] == '-') {
		n++
	}
	return n
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
