package term

import (
	"context"
	"os"

	"golang.org/x/sys/windows"
)

// WaitInput waits until something has happened on a console, most likely that
// somebody has typed, or until ctx ends. It reads nothing: what is not read
// belongs to the next question.
func WaitInput(ctx context.Context, f *os.File) error {
	for ctx.Err() == nil {
		event, err := windows.WaitForSingleObject(windows.Handle(f.Fd()), 100)
		if err != nil {
			return err
		}
		if event == windows.WAIT_OBJECT_0 {
			return nil
		}
	}
	return ctx.Err()
}
