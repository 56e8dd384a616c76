//go:build unix

package platform

import "golang.org/x/sys/unix"

// OSRelease returns the kernel's release as node's os.release() does:
// "6.8.0-45-generic"; "" if the system won't say.
func OSRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}
