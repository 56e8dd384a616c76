package lifecycle

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// keptOutput is how much of a hidden script's stdout, and of its stderr, is
// kept for the case that it fails: what matters stands at the end.
const keptOutput = 1 << 20

// tail keeps the end of what is written to it.
type tail struct {
	buf     []byte
	dropped int64
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > keptOutput {
		t.dropped += int64(len(p) - keptOutput)
		p = p[len(p)-keptOutput:]
	}
	t.buf = append(t.buf, p...)
	// Moving down only when twice full keeps the copying linear.
	if len(t.buf) > 2*keptOutput {
		drop := len(t.buf) - keptOutput
		t.dropped += int64(drop)
		t.buf = append(t.buf[:0], t.buf[drop:]...)
	}
	return n, nil
}

func (t *tail) String() string {
	buf, dropped := t.buf, t.dropped
	if len(buf) > keptOutput {
		dropped += int64(len(buf) - keptOutput)
		buf = buf[len(buf)-keptOutput:]
	}
	s := strings.TrimSpace(string(buf))
	if dropped > 0 {
		return fmt.Sprintf("[%d bytes before this]\n%s", dropped, s)
	}
	return s
}

// PrefixWriter puts a prefix before every line, so that the output of scripts
// that run at the same time can be told apart. Only whole lines reach W, each
// in one Write; several PrefixWriters on one W share a Mutex.
type PrefixWriter struct {
	W      io.Writer
	Prefix string
	Mutex  *sync.Mutex // nil when nobody else writes to W

	mu   sync.Mutex
	rest []byte
}

// longestLine is where a line is broken that never ends.
const longestLine = 64 << 10

// Write takes any part of the output.
func (w *PrefixWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			w.rest = append(w.rest, p...)
			if len(w.rest) > longestLine {
				return n, w.line()
			}
			return n, nil
		}
		w.rest = append(w.rest, p[:i]...)
		p = p[i+1:]
		if err := w.line(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Close writes a last line that has no end. It does not close W.
func (w *PrefixWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) == 0 {
		return nil
	}
	return w.line()
}

func (w *PrefixWriter) line() error {
	line := make([]byte, 0, len(w.Prefix)+len(w.rest)+1)
	line = append(line, w.Prefix...)
	line = append(line, w.rest...)
	line = append(line, '\n')
	w.rest = w.rest[:0]
	if w.Mutex != nil {
		w.Mutex.Lock()
		defer w.Mutex.Unlock()
	}
	_, err := w.W.Write(line)
	return err
}
