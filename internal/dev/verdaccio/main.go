// Verdaccio publishes packages of many shapes to two real registry servers, to
// one with a candidate and to the other with npm, changes them there, and
// installs them again:
//
//	go run ./internal/dev/verdaccio -pm ./ibid -npm "node .../npm-cli.js" -verdaccio node_modules/verdaccio
//
// What the two servers hold afterwards must be the same apart from times,
// revisions and who published, and what either published the other installs.
// Verdaccio listens on loopback, with a configuration and a storage of its own
// in the scratch folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	pm := flag.String("pm", "", "the candidate's `command`")
	npm := flag.String("npm", "npm", "npm's `command`")
	verdaccio := flag.String("verdaccio", "", "the `folder` of the installed package")
	scratch := flag.String("scratch", "", "`folder` to work in (default: a new temporary one, removed afterwards)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *pm, *npm, *verdaccio, *scratch); err != nil {
		fmt.Fprintln(os.Stderr, "verdaccio:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, pm, npm, verdaccio, scratch string) (err error) {
	if pm == "" || verdaccio == "" {
		return errors.New("-pm and -verdaccio are needed")
	}
	if scratch == "" {
		if scratch, err = os.MkdirTemp("", "verdaccio-"); err != nil {
			return err
		}
		defer os.RemoveAll(scratch)
	}
	if scratch, err = filepath.Abs(scratch); err != nil {
		return err
	}
	ours, err := newSide(ctx, "candidate", pm, verdaccio, scratch)
	if err != nil {
		return err
	}
	defer ours.stop()
	theirs, err := newSide(ctx, "npm", npm, verdaccio, scratch)
	if err != nil {
		return err
	}
	defer theirs.stop()

	if err := accounts(ctx, ours, theirs); err != nil {
		return err
	}
	for _, s := range []*side{ours, theirs} {
		if err := s.publishAll(ctx); err != nil {
			return err
		}
		if err := s.change(ctx); err != nil {
			return err
		}
	}
	if err := sameStorage(ours, theirs); err != nil {
		return err
	}
	if err := sameAnswers(ctx, ours, theirs); err != nil {
		return err
	}
	return installAll(ctx, ours, theirs)
}

// side is a program with a home and a server of its own.
type side struct {
	name    string
	command []string
	home    string
	dir     string // its packages
	server  *server
}

func newSide(ctx context.Context, name, command, verdaccio, scratch string) (*side, error) {
	s := &side{name: name, command: strings.Fields(command), home: filepath.Join(scratch, name, "home"), dir: filepath.Join(scratch, name, "packages")}
	for i, word := range s.command {
		if i == 0 && !strings.ContainsRune(word, filepath.Separator) {
			continue
		}
		abs, err := filepath.Abs(word)
		if err != nil {
			return nil, err
		}
		s.command[i] = abs
	}
	if err := os.MkdirAll(s.home, 0o755); err != nil {
		return nil, err
	}
	var err error
	if s.server, err = start(ctx, verdaccio, filepath.Join(scratch, name, "server")); err != nil {
		return nil, err
	}
	token, err := s.server.addUser(ctx, "ann", "a-password")
	if err != nil {
		s.stop()
		return nil, err
	}
	rc := fmt.Sprintf("registry=%s\n%s:_authToken=%s\n", s.server.url, strings.TrimPrefix(s.server.url, "http:"), token)
	return s, os.WriteFile(filepath.Join(s.home, ".npmrc"), []byte(rc), 0o600)
}

func (s *side) stop() { s.server.stop() }
