// Package registry asks a registry in npm's protocol for packuments and
// tarballs, with npm's retries, caching and credentials, and picks versions as
// npm-pick-manifest does. It refuses to know of trees and of node_modules.
package registry
