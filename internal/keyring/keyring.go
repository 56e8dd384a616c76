// Package keyring keeps the tokens of registries in the keyring of the system:
// the Secret Service on Linux and the BSDs, the Keychain on macOS, the
// Credential Manager on Windows.
//
// A token is found by the nerf dart of its registry, "//registry.npmjs.org/";
// the service that all of them belong to is "ibid". The package does not know
// when a token is kept there rather than in a file, and reads no configuration.
// It does not time out: the system may ask the person to unlock the keyring.
package keyring

import (
	"errors"

	zalando "github.com/zalando/go-keyring"
)

const service = "ibid"

// A System is the keyring of the person who runs the program.
type System struct {
	// Getenv gives the variables that say where the keyring is reached.
	Getenv func(string) string
}

// Get gives the token that is kept for a nerf dart, "" for none.
func (s System) Get(dart string) (string, error) {
	if err := s.reachable(); err != nil {
		return "", err
	}
	token, err := zalando.Get(service, dart)
	if errors.Is(err, zalando.ErrNotFound) {
		return "", nil
	}
	return token, err
}

// Set keeps a token for a nerf dart, in the place of one that is there.
func (s System) Set(dart, token string) error {
	if err := s.reachable(); err != nil {
		return err
	}
	return zalando.Set(service, dart, token)
}

// Delete forgets the token of a nerf dart, if there is one.
func (s System) Delete(dart string) error {
	if err := s.reachable(); err != nil {
		return err
	}
	if err := zalando.Delete(service, dart); !errors.Is(err, zalando.ErrNotFound) {
		return err
	}
	return nil
}
