package cmd

import (
	"context"
	"sync"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/keyring"
	"github.com/ibid-pm/ibid/internal/term"
)

// A Keyring keeps tokens by the nerf darts of registries. Get gives "" for none,
// and Delete of what is not there is no error.
type Keyring interface {
	Get(dart string) (token string, err error)
	Set(dart, token string) error
	Delete(dart string) error
}

// tokens is what a run knows of the keyring: each token is asked for once.
type tokens struct {
	mu    sync.Mutex
	known map[string]keptToken
}

type keptToken struct {
	token string
	err   error
}

// keyring gives the keyring of the person who runs ibid.
func (a *App) keyring() Keyring {
	if a.Keyring != nil {
		return a.Keyring
	}
	return keyring.System{Getenv: a.Config.Getenv}
}

// keptToken gives the token that the keyring has for a nerf dart. Others who ask
// wait meanwhile: there may be a person who has to unlock the keyring, once.
func (a *App) keptToken(ctx context.Context, dart string) (string, error) {
	a.tokens.mu.Lock()
	defer a.tokens.mu.Unlock()
	k, ok := a.tokens.known[dart]
	if !ok {
		k.err = a.withKeyring(ctx, func(ring Keyring) (err error) {
			k.token, err = ring.Get(dart)
			return err
		})
		if a.tokens.known == nil {
			a.tokens.known = map[string]keptToken{}
		}
		a.tokens.known[dart] = k
	}
	return k.token, k.err
}

// withKeyring does something with the keyring, and stops waiting for it when the
// run ends.
func (a *App) withKeyring(ctx context.Context, do func(Keyring) error) error {
	done := make(chan error, 1)
	go func() { done <- do(a.keyring()) }()
	select {
	case err := <-done:
		if err == nil {
			return nil
		}
		return &codedError{code: "EKEYRING", text: "the keyring, where your tokens are kept, cannot be used: " + term.SafeLine(err.Error()), cause: err, hints: []string{
			"unlock it, or run " + a.heading + " in a session that has one",
			"--no-keyring goes on without it: `" + a.heading + " login --no-keyring` keeps a token in your .npmrc, where it can be read",
		}}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keepToken keeps the token of a registry where the user wants it: in the user's
// .npmrc, or in the keyring and nowhere else.
func (a *App) keepToken(ctx context.Context, reg, token string) error {
	cfg := a.Config
	if !cfg.UsesKeyring() {
		return cfg.SetLogin(reg, config.Login{Token: token})
	}
	if err := a.withKeyring(ctx, func(ring Keyring) error { return ring.Set(config.NerfDart(reg), token) }); err != nil {
		// Nobody has the token now: the registry need not accept it any more.
		if revoked := a.revoke(ctx, reg, token); revoked != nil {
			a.log(levelWarn, "the registry keeps a token that nobody has: "+a.heading+" token list shows it")
		}
		return err
	}
	cfg.LeaveToKeyring(reg)
	return nil
}
