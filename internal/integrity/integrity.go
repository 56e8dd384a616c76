// Package integrity reads Subresource Integrity strings as npm's ssri does and
// checks bytes against them.
package integrity
