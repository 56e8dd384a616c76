// Package lifecycle runs the scripts of packages the way npm does.
//
// A script is one command line of a package.json's "scripts", run by a shell
// in the package's folder for an event ("preinstall", "test"). Run runs one.
// A Builder runs those of freshly installed dependencies, event by event. A
// Policy (npm's allowScripts) says which dependencies may run any. Open starts
// the person's browser.
//
// The package knows no trees, no registries and no configuration: what it
// needs of them it is given. It prints nothing; banners and warnings are text
// for the caller. It is one of the two packages that start processes, and the
// only one that makes up an environment for them.
//
// Sources: @npmcli/run-script, @npmcli/promise-spawn, @npmcli/node-gyp,
// @npmcli/arborist lib/arborist/rebuild.js, lib/script-allowed.js,
// lib/install-scripts.js, lib/unreviewed-scripts.js, and npm's
// lib/utils/allow-scripts-writer.js and resolve-allow-scripts.js.
package lifecycle
