// Package config reads npm's configuration: flags, npm_config_* variables,
// .npmrc files and defaults, in one table of definitions.
//
// A Definition describes one key: its types, default, short description,
// single-letter flag. A Layer is one source of values: cli, env, project, user,
// global, builtin, default, highest first. Each key is looked up layer by layer
// and the first layer that has it wins whole; lists are never merged. A Value
// is what a key holds: JavaScript's null, boolean, number, string, date, or a
// list of them, because npm's rules for typing are JavaScript's.
//
// [Load] builds a [Config] from the arguments, the environment and the files.
// Nothing is printed: what npm would log is kept as [Warning]s. [Config.Validate]
// then drops values that their definition does not allow and refuses
// credentials that belong to no host; npm's "config" command skips it so that a
// broken file can be repaired.
//
// Credentials are found by nerf dart: a URL without its protocol and without
// what follows the last slash, "//host/path/". [Config.Auth] says what may be
// sent with a request, and to whom.
//
// # What a repository's .npmrc may do
//
// The project's .npmrc is written by whoever wrote the repository. npm lets it
// set every key, and so does ibid, with these exceptions: "prefix" is reported
// as an error, "extension-file" is honored only there and on the command line,
// allow-unused-patches and ignore-patch-failures only on the command line. It
// can therefore name the git and node-gyp programs and the shell of scripts; reading a
// stranger's repository is safe, installing in it runs what it asks for. Two
// things are ibid's own: a variable whose name says that it is a secret
// (NPM_TOKEN, AWS_SECRET_ACCESS_KEY) is not expanded into a registry's URL in a
// project's file, where it could only leak; and a password is never exported to
// scripts. A project's file may still pair a host of its choice with
// ${NPM_TOKEN} as its token: that is npm's documented way to authenticate in CI,
// and the reason to read a .npmrc before installing with secrets at hand.
//
// The package knows nothing of commands, of HTTP, or of the terminal.
package config
