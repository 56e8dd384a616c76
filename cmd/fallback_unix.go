//go:build !windows

package cmd

import (
	"fmt"
	"os"
	"syscall"
)

// runInstead makes this process the program; it only returns when that fails.
func runInstead(program string, args, environ []string, dir string) error {
	if err := os.Chdir(dir); err != nil {
		return err
	}
	err := syscall.Exec(program, append([]string{program}, args...), environ)
	return fmt.Errorf("%s: starting: %w", program, err)
}
