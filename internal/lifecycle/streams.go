package lifecycle

import (
	"io"
	"os"
	"os/exec"
	"reflect"
	"sync"
)

// streams are the pipes between a script and the writers that aren't files.
// os/exec would make them too, but then gives no way out of waiting for a
// grandchild that keeps them open, except one that also cuts off the output
// of a script that ends before its children do.
type streams struct {
	children []*os.File // the script's ends
	readers  []*os.File
	writers  []io.Writer
	wg       sync.WaitGroup
	err      error
	errMu    sync.Mutex
}

func (s *streams) connect(cmd *exec.Cmd, stdout, stderr io.Writer) {
	if f := s.end(stdout); f != nil {
		cmd.Stdout = f
	}
	if stdout != nil && sameWriter(stdout, stderr) {
		cmd.Stderr = cmd.Stdout
		return
	}
	if f := s.end(stderr); f != nil {
		cmd.Stderr = f
	}
}

// sameWriter keeps both streams in order when they go to one place.
func sameWriter(a, b io.Writer) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

func (s *streams) end(w io.Writer) *os.File {
	if w == nil || s.err != nil {
		return nil
	}
	if f, ok := w.(*os.File); ok {
		return f
	}
	r, c, err := os.Pipe()
	if err != nil {
		s.err = err
		return nil
	}
	s.readers = append(s.readers, r)
	s.writers = append(s.writers, w)
	s.children = append(s.children, c)
	return c
}

// started begins reading; the script has its ends.
func (s *streams) started() {
	for _, c := range s.children {
		_ = c.Close()
	}
	s.children = nil
	for i, r := range s.readers {
		s.wg.Go(func() {
			_, err := io.Copy(s.writers[i], r)
			if err == nil {
				return
			}
			s.errMu.Lock()
			if s.err == nil {
				s.err = err
			}
			s.errMu.Unlock()
			// The script must not block on a reader that gave up.
			_, _ = io.Copy(io.Discard, r)
		})
	}
}

func (s *streams) wait() {
	s.wg.Wait()
	for _, r := range s.readers {
		_ = r.Close()
	}
}

// abandon closes all ends; readers return.
func (s *streams) abandon() {
	for _, f := range s.children {
		_ = f.Close()
	}
	for _, f := range s.readers {
		_ = f.Close()
	}
}
