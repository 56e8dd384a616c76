// Package collate compares strings as JavaScript's Intl.Collator("en") does,
// the order in which npm sorts nearly everything it writes.
package collate
