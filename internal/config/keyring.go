package config

import (
	"slices"
	"strings"
)

// keyringKey is the setting that has tokens kept in the keyring of the system.
const keyringKey = "keyring"

// UsesKeyring reports whether the user keeps tokens in the keyring.
func (c *Config) UsesKeyring() bool { return c.usesKeyring && c.env.Keyring != nil }

// wantsKeyring finds out whether the user keeps tokens in the keyring. A
// repository has no say in it: neither its .npmrc, nor the file that it names as
// the user's, nor a package.json's publishConfig.
func (c *Config) wantsKeyring() bool {
	for _, layer := range [...]Layer{CLI, Environment} {
		if v, ok := c.layers[layer].data.get(keyringKey); ok {
			return v.Truthy()
		}
	}
	if !c.chosenByProject(User) {
		return c.GetIn(keyringKey, User).Truthy()
	}
	file, _ := c.defaultOf("userconfig")
	data, err := readFile(file.String())
	if err != nil {
		return false
	}
	v, _ := parseINI(strings.ToValidUTF8(string(data), "\uFFFD")).get(keyringKey)
	return c.parseField(v, keyringKey, false, func(string) {}).Truthy()
}

// fromKeyring gives the token that the keyring has for a key of the walk that
// finds credentials. It is asked for the nerf darts of registries alone, which
// are what somebody can have logged in to.
func (c *Config) fromKeyring(key string) (string, error) {
	if !c.UsesKeyring() || !slices.ContainsFunc(c.Registries(), func(registry string) bool { return NerfDart(registry) == key }) {
		return "", nil
	}
	return c.env.Keyring(key)
}

// LeaveToKeyring takes a registry's token, and what else could log in in its
// place, out of the user's layer, and has that say that tokens are in the
// keyring: the next command would not look there otherwise.
func (c *Config) LeaveToKeyring(registry string) {
	for _, key := range [...]string{"_authToken", "_auth", "username", "_password"} {
		c.Delete(NerfDart(registry)+":"+key, User)
	}
	if !c.GetIn(keyringKey, User).Truthy() {
		c.Set(keyringKey, yes, User)
	}
}
