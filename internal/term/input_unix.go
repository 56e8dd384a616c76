//go:build unix

package term

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// WaitInput waits until somebody has typed something on a terminal, or until ctx
// ends. It reads nothing: what is not read belongs to the next question.
func WaitInput(ctx context.Context, f *os.File) error {
	fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLIN}}
	for ctx.Err() == nil {
		n, err := unix.Poll(fds, 100)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if err == nil && n > 0 {
			return nil
		}
	}
	return ctx.Err()
}
