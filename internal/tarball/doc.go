// Package tarball reads and writes the tarballs that packages travel in.
//
// An Archive is a tarball that was inflated and understood but not written
// anywhere: the inflated bytes, and the Entries, the regular files that npm
// would leave on disk. Read makes one and Write lays one out in a folder.
// Everything that a stranger can choose is decided in Read, without touching
// the disk: after it, every path is relative, stays inside the folder, is
// there once, and has only folders above it. Write trusts that, and therefore
// needs no stat and no second look.
//
// A Warning is an entry that npm leaves out or changes while it goes on; the
// Archive is good without it. An Error is damage or an attack: nothing of
// the archive may be used.
//
// The rules are pacote's (lib/fetcher.js, the options given to tar) and
// node-tar's (parse, header, pax, unpack): one leading path component is
// dropped whatever its name is, only regular files count (folders exist
// because of the files in them), links and devices are dropped, a .gitignore
// becomes an .npmignore, and the first of two kinds that want one name keeps
// it. Where npm would do harm this package doesn't follow: setuid, setgid and
// sticky bits are taken off, and limits bound what is inflated.
//
// The package knows nothing of integrity, of the store, and of which files
// belong in a package: internal/packlist chooses them.
package tarball
