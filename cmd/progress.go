package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// What a run says while it works, all of it on stderr: on a terminal the last
// line tells the phase, counts, bytes and rate, and is gone when there is
// something else to say. Elsewhere nothing is told, so that logs stay short.
// Both tell what is waited for once nothing has moved for three seconds; who
// looks at a log of CI wants to know that most of all.

const (
	// showAfter is how long a run may take before its progress is shown.
	showAfter = 300 * time.Millisecond
	// waitAfter is how long nothing has to move before that is told.
	waitAfter = 3 * time.Second
	// workAfter is the same where ibid waits for nobody: it is at work itself.
	workAfter = 10 * time.Second
	// helpAfter is when a person is told what to look at.
	helpAfter = 30 * time.Second

	drawEvery = 100 * time.Millisecond
	lookEvery = 250 * time.Millisecond
	// rateOver is the time that a rate is taken over.
	rateOver = 3 * time.Second
)

// tellAgain are the times after which a wait that goes on is told once more,
// where it is not on the line of a terminal; after the last, each time it has
// passed again.
var tellAgain = [...]time.Duration{waitAfter, 10 * time.Second, 30 * time.Second, time.Minute}

// progress knows how far a run is. Its methods may be called from several
// goroutines, and on nil, which shows nothing.
type progress struct {
	app   *App
	live  bool // a terminal's last line is ours
	tries int  // how often a request is tried
	now   func() time.Time
	every time.Duration // how often somebody looks; 0 for never

	signs atomic.Uint64 // of life
	bytes atomic.Int64
	done  atomic.Int64

	mu    sync.Mutex
	phase string
	total int64  // 0 where it is not known
	unit  string // what is counted; "" for nothing
	begun time.Time
	waits []*wait       // the oldest first
	held  int           // others who write to the terminal
	stop  chan struct{} // nil while nobody looks

	// of the goroutine that ticks
	seen    uint64
	quiet   time.Time // when the last sign was seen
	told    int
	helped  bool
	frame   int
	samples []sample
}

// wait is one thing that is waited for.
type wait struct {
	key   string
	what  string
	since time.Time
	until time.Time // of a pause before it is tried again
}

type sample struct {
	at    time.Time
	bytes int64
}

func (a *App) newProgress() *progress {
	p := &progress{app: a, tries: a.Config.Int("fetch-retries") + 1, now: time.Now, every: lookEvery}
	if a.Config.Progress() && a.level >= levelNotice && !a.json() {
		p.live, p.every = true, drawEvery
	}
	return p
}

// start says what a run does from now on, and how much of it there is.
func (p *progress) start(phase string, total int, unit string) {
	if p == nil {
		return
	}
	p.signs.Add(1)
	p.done.Store(0)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase, p.total, p.unit = phase, int64(total), unit
	p.run()
}

// finish ends what start began: nothing is shown any more.
func (p *progress) finish() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.phase = ""
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
	p.mu.Unlock()
	p.app.outMu.Lock()
	p.app.clearProgress()
	p.app.outMu.Unlock()
}

// step says that n more are done.
func (p *progress) step(n int) {
	if p == nil {
		return
	}
	p.signs.Add(1)
	p.done.Add(int64(n))
}

// received says that n bytes came over the network.
func (p *progress) received(n int) {
	if p == nil {
		return
	}
	p.signs.Add(1)
	p.bytes.Add(int64(n))
}

// await says that something is waited for until the function is called.
func (p *progress) await(what string) (done func()) {
	if p == nil {
		return func() {}
	}
	w := &wait{what: what}
	p.add(w)
	return func() { p.drop(func(x *wait) bool { return x == w }) }
}

func (p *progress) add(w *wait) {
	p.signs.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	w.since = p.now()
	p.waits = append(p.waits, w)
	p.run()
}

func (p *progress) drop(which func(*wait) bool) {
	p.signs.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.waits, which); i >= 0 {
		p.waits = slices.Delete(p.waits, i, i+1)
	}
}

// request hears of requests.
func (p *progress) request(e registry.Event) {
	if p == nil {
		return
	}
	key := e.Method + " " + e.URL
	is := func(w *wait) bool { return w.key == key }
	switch e.Kind {
	case registry.RequestStarted:
		if e.Attempt > 1 {
			p.drop(is)
		}
		p.add(&wait{key: key, what: fmt.Sprintf("%s (try %d of %d)", key, e.Attempt, max(p.tries, e.Attempt))})
	case registry.RequestRetried:
		p.drop(is)
		p.add(&wait{key: key, until: p.now().Add(e.Wait), what: fmt.Sprintf("%s: %s; try %d of %d", key, whyRetried(e.Err), e.Attempt+1, max(p.tries, e.Attempt+1))})
	case registry.RequestDone:
		p.drop(is)
	}
}

// whyRetried is a failure without what names the request.
func whyRetried(err error) string {
	var r *registry.Error
	switch {
	case !errors.As(err, &r):
		return err.Error()
	case r.Status != 0:
		return strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, r.StatusText))
	case r.Err != nil:
		return r.Err.Error()
	}
	return r.ErrCode
}

// hold lets somebody else write to the terminal until the function is called.
func (p *progress) hold() (release func()) {
	if p == nil {
		return func() {}
	}
	add := func(n int) {
		p.signs.Add(1)
		p.mu.Lock()
		p.held += n
		p.mu.Unlock()
	}
	add(1)
	p.app.outMu.Lock()
	p.app.clearProgress()
	p.app.outMu.Unlock()
	return func() { add(-1) }
}

// run has somebody look from time to time. mu is held.
func (p *progress) run() {
	if p.stop != nil {
		return
	}
	stop := make(chan struct{})
	p.begun, p.stop = p.now(), stop
	if p.every == 0 {
		return
	}
	go func() {
		ticker := time.NewTicker(p.every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.tick(p.now())
			case <-stop:
				return
			}
		}
	}()
}

// tick shows what there is to show at a time.
func (p *progress) tick(now time.Time) {
	if n := p.signs.Load(); n != p.seen {
		p.seen, p.quiet, p.told, p.helped = n, now, 0, false
	}
	p.mu.Lock()
	if p.stop == nil || p.held > 0 || len(p.waits) == 0 && p.phase == "" {
		p.mu.Unlock()
		return
	}
	waiting, network := "", len(p.waits) > 0 && p.waits[0].key != ""
	still := now.Sub(p.quiet)
	if still >= waitAfter && (len(p.waits) > 0 || still >= workAfter) {
		waiting = p.waitText(now, still)
	}
	line := ""
	if p.live && p.phase != "" && now.Sub(p.begun) >= showAfter {
		line = p.line(now)
	}
	p.mu.Unlock()
	if line != "" {
		p.draw(line, waiting)
	} else if waiting != "" && still >= p.nextTell() {
		for p.nextTell() <= still {
			p.told++
		}
		p.app.logPrefixed(levelNotice, "", waiting)
	}
	if still >= helpAfter && network && !p.helped {
		p.helped = true
		p.app.hint(p.app.heading + " doctor looks at what may be wrong with the connection")
	}
}

func (p *progress) nextTell() time.Duration {
	if last := len(tellAgain) - 1; p.told > last {
		return tellAgain[last] * time.Duration(p.told-last+1)
	}
	return tellAgain[p.told]
}

// waitText says what is waited for. mu is held.
func (p *progress) waitText(now time.Time, still time.Duration) string {
	text := fmt.Sprintf("waiting for %d s: ", int(still.Seconds()))
	if len(p.waits) == 0 {
		return text + "still " + p.phase
	}
	w := p.waits[0]
	text += term.SafeLine(w.what)
	if left := w.until.Sub(now); left > 0 {
		text += fmt.Sprintf(" in %d s", int(left.Seconds())+1)
	}
	if n := len(p.waits) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

var (
	brailleFrames = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
	asciiFrames   = []string{"-", `\`, "|", "/"}
)

// line is the terminal's last line. mu is held.
func (p *progress) line(now time.Time) string {
	frames := asciiFrames
	if p.app.Config.Bool("unicode") {
		frames = brailleFrames
	}
	p.frame++
	parts := []string{frames[p.frame%len(frames)] + " " + p.phase}
	done := p.done.Load()
	switch {
	case p.unit == "":
	case p.total > 0:
		parts = append(parts, fmt.Sprintf("%d of %d %s", min(done, p.total), p.total, p.unit))
	case done > 0:
		parts = append(parts, fmt.Sprintf("%d %s", done, p.unit))
	}
	if bytes := p.bytes.Load(); bytes > 0 {
		parts = append(parts, sizeText(float64(bytes)))
		if rate := p.rate(now, bytes); rate > 0 {
			parts = append(parts, sizeText(float64(rate))+"/s")
		}
	}
	return strings.Join(parts, " · ")
}

// rate is how many bytes came in a second, lately.
func (p *progress) rate(now time.Time, bytes int64) int64 {
	p.samples = append(p.samples, sample{now, bytes})
	for len(p.samples) > 2 && now.Sub(p.samples[0].at) > rateOver {
		p.samples = p.samples[1:]
	}
	first := p.samples[0]
	took := now.Sub(first.at).Seconds()
	if took <= 0 {
		return 0
	}
	return int64(float64(bytes-first.bytes) / took)
}

const clearLine = "\r\x1b[2K"

// draw shows the line, with what is waited for behind it. Where there is no room
// for both, only the phase stays before that.
func (p *progress) draw(line, waiting string) {
	file, _ := p.app.Stderr.(*os.File)
	width := term.Width(file) - 1
	if waiting != "" {
		if utf8.RuneCountInString(line+" · "+waiting) > width {
			line, _, _ = strings.Cut(line, " · ")
		}
		line += " · " + waiting
	}
	if r := []rune(line); len(r) > width {
		line = string(r[:max(width-1, 0)]) + "…"
	}
	p.app.outMu.Lock()
	defer p.app.outMu.Unlock()
	p.mu.Lock()
	gone := p.stop == nil || p.held > 0
	p.mu.Unlock()
	if gone {
		return
	}
	io.WriteString(p.app.Stderr, clearLine+line)
	p.app.shown = true
}

// clearProgress takes the line away for what is to be written. outMu is held.
func (a *App) clearProgress() {
	if a.shown {
		io.WriteString(a.Stderr, clearLine)
		a.shown = false
	}
}
