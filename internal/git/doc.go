// Package git fetches packages that live in git repositories, as npm does:
// with the git program that is installed, asked as little as possible.
//
// A repository's refs are its Revs, one `git ls-remote`; a Rev is one ref and
// the commit it names. A Source is a spec brought to one commit: what the
// lockfile records as "resolved", and the host's tarball of it where there is
// one. A clone is a working folder with that commit checked out; what must be
// done before it can be packed is decided by NeedsPrepare and said by
// PrepareArgs.
//
// The package downloads no tarballs, runs no scripts and starts no npm: it
// says what the caller has to. It is one of the two packages that start
// processes, and the only one that starts git.
//
// Everything that comes in is a stranger's: the URL and the committish are from
// some dependency's package.json, the refs from some server. Nothing of it may
// become an option of git or a transport that runs commands.
//
// Sources: pacote lib/git.js, lib/util/add-git-sha.js, lib/fetcher.js;
// @npmcli/git lib/{clone,revs,lines-to-revs,make-error,opts,spawn}.js.
package git
