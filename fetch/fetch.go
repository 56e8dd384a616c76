// Package fetch brings packages into the store: it downloads tarballs, several
// at a time, checks them against what was locked, and has them unpacked.
//
// A Request names one package's tarball; a Getter asks the network for it. Each
// tarball is downloaded once, by whichever goroutine or process comes first.
// The package does not know why a package is wanted nor where it will lie.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/ibid-pm/ibid/internal/inflate"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/internal/tarball"
)

// Getter asks the network, or a folder or git, for tarballs. It is called from
// several goroutines.
type Getter interface {
	// Tarball gives the bytes of a request's tarball. They are the caller's,
	// who may hand their memory out again through alloc, which gives an empty
	// slice with room for size bytes; it may be nil and need not be used. Where
	// size is large it waits for its turn.
	Tarball(ctx context.Context, r *Request, alloc func(size int) []byte) ([]byte, error)
}

// Request is one package's tarball.
type Request struct {
	// ID is how messages call it: "name@version".
	ID string
	// Name is the package's name in its registry; it chooses the credentials.
	Name string
	// URL is where the tarball is, as resolved; Source is another place that
	// the Getter understands, for what has no URL.
	URL string
	// Integrity is what was locked: SRI, "" where nothing is known.
	Integrity string
	// Published is what the registry says of the tarball, where the Getter had
	// to ask it first: the Getter sets it.
	Published string
	// Ref is a name under which the store may know the tarball when there is
	// no integrity: a git URL with its commit. "" for none.
	Ref string
	// Bins are the files that have to be executable.
	Bins []string
	// HostedGit: a git host's archive, in which .gitignore keeps its name.
	HostedGit bool
}

// Event is one step of one package, for progress.
type Event struct {
	ID         string
	Downloaded int64 // bytes of the tarball, which was fetched
	Unpacked   bool
	// Took is how long it took to fetch it, and to wait for a processor to
	// verify it.
	Took time.Duration
}

// Options configures a Fetcher.
type Options struct {
	Store  *store.Store
	Getter Getter
	// Offline: what the store does not have cannot be had.
	Offline bool
	Limits  tarball.Limits
	// Made says how the Getter makes what has a Ref, where that depends on more
	// than the Ref: "unprepared". It is asked when there is a Ref; nil is "".
	Made func() string
	// Downloads is how many tarballs are asked for at once; 0 is 64.
	Downloads int
	// Processors is how many tarballs are unpacked at once; 0 is all there are.
	Processors int
	Logger     *slog.Logger
	// Report is called from several goroutines; nil is silence.
	Report func(Event)
}

// Fetcher brings packages into the store. Its methods may be called from
// several goroutines.
type Fetcher struct {
	o      Options
	cpu    *semaphore.Weighted // unpacking: no more at once than there are processors
	large  *semaphore.Weighted // unpacking of large tarballs
	slots  *semaphore.Weighted // downloads that may be under way
	queue  *semaphore.Weighted // bytes that may wait for a processor
	held   *semaphore.Weighted // bytes of large tarballs that may be in memory
	memory memory

	mu                         sync.Mutex
	calls                      map[string]*call
	smallBuffers, largeBuffers []*tarball.Buffer
	// learned keeps the integrity of what was requested without one.
	learned map[string]string
}

type call struct{ done chan struct{} }

// New gives a Fetcher.
func New(o Options) *Fetcher {
	if o.Downloads <= 0 {
		o.Downloads = 64
	}
	if o.Processors <= 0 {
		o.Processors = runtime.GOMAXPROCS(0)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Report == nil {
		o.Report = func(Event) {}
	}
	return &Fetcher{
		o:       o,
		cpu:     semaphore.NewWeighted(int64(o.Processors)),
		large:   semaphore.NewWeighted(1),
		slots:   semaphore.NewWeighted(int64(o.Downloads)),
		queue:   semaphore.NewWeighted(mostWaiting),
		held:    semaphore.NewWeighted(mostHeld),
		calls:   map[string]*call{},
		learned: map[string]string{},
	}
}

// Background leaves room for what is more urgent than fetching, to decide what
// to fetch, until end is called: half of the processors and two thirds of the
// downloads. It is called before anything is fetched.
func (f *Fetcher) Background() (end func()) {
	cpus, slots := int64(f.o.Processors/2), int64(f.o.Downloads*2/3)
	f.cpu.TryAcquire(cpus)
	f.slots.TryAcquire(slots)
	return sync.OnceFunc(func() {
		f.cpu.Release(cpus)
		f.slots.Release(slots)
	})
}

// OfflineError says that something is not in the store and may not be fetched.
type OfflineError struct{ ID, URL string }

func (e *OfflineError) Error() string {
	return fmt.Sprintf("%s: not in the store, and the network may not be asked (offline)", e.ID)
}

// Code is npm's code for it.
func (e *OfflineError) Code() string { return "ENOTCACHED" }

// Hints say how it comes into the store.
func (e *OfflineError) Hints() []string {
	return []string{"run the same command once without --offline, or with --prefer-offline"}
}

// IntegrityError says that what a server sent is not what was locked.
type IntegrityError struct {
	ID, URL   string
	Want, Got string
	Page      bool // it is an HTML page
}

func (e *IntegrityError) Error() string {
	return fmt.Sprintf("%s: these are not the bytes that were locked: expected %s, got %s", e.ID, e.Want, e.Got)
}

// Code is npm's code for it.
func (e *IntegrityError) Code() string { return "EINTEGRITY" }

// Hints are what a person can do about it: it was asked for twice already.
func (e *IntegrityError) Hints() []string {
	if e.Page {
		return []string{"it is an HTML page: something answered in the place of the registry, a login page or a proxy?"}
	}
	return []string{"somebody changed either the package or the lock: find out who before you install it; ibid view " + e.ID + " dist.integrity is what the registry says"}
}

// variant names the trees of a request's tarball.
func (f *Fetcher) variant(r *Request) store.Variant {
	flags := ""
	if r.HostedGit {
		flags = "git"
	}
	return f.o.Store.VariantOf(r.Bins, flags)
}

// Tree gives the package's files on loan, fetching and unpacking what is
// missing. The caller returns it. An error names the package.
func (f *Fetcher) Tree(ctx context.Context, r *Request) (*store.Tree, error) {
	unlock, err := f.enter(ctx, r)
	if err != nil {
		return nil, err
	}
	defer unlock()
	d, known := f.digest(r)
	v := f.variant(r)
	if known {
		t, err := f.o.Store.Borrow(d, v)
		if err == nil {
			return t, nil
		}
		if !errors.Is(err, store.ErrMissing) {
			return nil, fmt.Errorf("%s: taking it from the store: %w", r.ID, err)
		}
	}
	var tree *store.Tree
	err = f.withTarball(ctx, r, func(d store.Digest, tgz []byte) error {
		large := tarball.InflatedSize(tgz) > largeTarball
		buf := f.buffer(large)
		defer f.reuse(buf, large)
		a, err := f.read(r, tgz, buf)
		if err != nil {
			return err
		}
		tree, err = f.o.Store.Unpack(d, v, a)
		if err != nil {
			return fmt.Errorf("%s: unpacking: %w", r.ID, err)
		}
		f.o.Report(Event{ID: r.ID, Unpacked: true})
		return nil
	})
	return tree, err
}

// Stored gives the package's files on loan where the store has them, unseen (see
// store.BorrowUnseen); store.ErrMissing where it has not.
func (f *Fetcher) Stored(ctx context.Context, r *Request) (*store.Tree, error) {
	unlock, err := f.enter(ctx, r)
	if err != nil {
		return nil, err
	}
	defer unlock()
	d, known := f.digest(r)
	if !known {
		return nil, store.ErrMissing
	}
	t, err := f.o.Store.BorrowUnseen(d, f.variant(r))
	if err != nil && !errors.Is(err, store.ErrMissing) {
		return nil, fmt.Errorf("%s: taking it from the store: %w", r.ID, err)
	}
	return t, err
}

// MayHaveTree says whether Tree may find the package's files in the store,
// without looking at them.
func (f *Fetcher) MayHaveTree(r *Request) bool {
	d, known := f.digest(r)
	return known && f.o.Store.MayHaveTree(d, f.variant(r))
}

// Extract unpacks the package straight into a folder, for files that must
// belong to one project alone.
func (f *Fetcher) Extract(ctx context.Context, r *Request, write func(*tarball.Archive) error) error {
	unlock, err := f.enter(ctx, r)
	if err != nil {
		return err
	}
	defer unlock()
	return f.withTarball(ctx, r, func(_ store.Digest, tgz []byte) error {
		large := tarball.InflatedSize(tgz) > largeTarball
		buf := f.buffer(large)
		defer f.reuse(buf, large)
		a, err := f.read(r, tgz, buf)
		if err != nil {
			return err
		}
		return write(a)
	})
}

// Ensure brings the tarball into the store without unpacking it, and gives its
// integrity as the lockfile writes it.
func (f *Fetcher) Ensure(ctx context.Context, r *Request) (string, error) {
	unlock, err := f.enter(ctx, r)
	if err != nil {
		return "", err
	}
	defer unlock()
	if d, known := f.digest(r); known && f.o.Store.HasTarball(d) {
		return f.Integrity(r), nil
	}
	err = f.withTarball(ctx, r, func(store.Digest, []byte) error { return nil })
	return f.Integrity(r), err
}

// Integrity gives what was found for a request that had none, once it was
// fetched; else what the request says.
func (f *Fetcher) Integrity(r *Request) string {
	if r.Integrity != "" {
		return r.Integrity
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.learned[f.name(r)]
}

// buffer gives memory for an inflated tarball; no more of it is in use at once
// than there are processors. Small ones have room for any tarball that is not
// large from the start, and large ones for any that is accepted: what they never
// fill costs nothing, and none is copied when it grows.
func (f *Fetcher) buffer(large bool) *tarball.Buffer {
	f.mu.Lock()
	defer f.mu.Unlock()
	list, size := f.buffers(large)
	if n := len(*list); n > 0 {
		b := (*list)[n-1]
		*list = (*list)[:n-1]
		return b
	}
	return tarball.NewBuffer(inflate.Room(size))
}

// reuse takes a buffer back. A large one gives its memory to the system: there are
// few large tarballs among many others, and it may be as much as all the rest.
func (f *Fetcher) reuse(b *tarball.Buffer, large bool) {
	if large {
		b.Clear()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	list, _ := f.buffers(large)
	*list = append(*list, b)
}

func (f *Fetcher) buffers(large bool) (list *[]*tarball.Buffer, size int) {
	if large {
		return &f.largeBuffers, roomForAny(f.o.Limits)
	}
	return &f.smallBuffers, largeTarball + 4<<10 // the decoder wants some more
}

// roomForAny is the room for any tarball, where it is the address alone that it takes:
// Windows promises the memory as well, and a narrow machine has not the addresses.
func roomForAny(l tarball.Limits) int {
	if runtime.GOOS == "windows" || math.MaxInt == math.MaxInt32 {
		return 4 * largeTarball
	}
	return int(l.Room())
}

func (f *Fetcher) read(r *Request, tgz []byte, buf *tarball.Buffer) (*tarball.Archive, error) {
	bins := make(map[string]bool, len(r.Bins))
	for _, b := range r.Bins {
		bins[b] = true
	}
	a, err := tarball.Read(tgz, tarball.Options{Bins: bins, HostedGit: r.HostedGit, Limits: f.o.Limits, Buffer: buf})
	if err != nil {
		return nil, fmt.Errorf("%s: unpacking: %w", r.ID, err)
	}
	for _, w := range a.Warnings {
		f.o.Logger.Debug("tarball", "package", r.ID, "warning", w.String())
	}
	return a, nil
}

// name is what a request is called among requests: those of one name wait for
// each other.
func (f *Fetcher) name(r *Request) string {
	switch {
	case r.Integrity != "":
		return r.Integrity
	case r.Ref != "":
		return f.ref(r)
	case r.URL != "":
		return r.URL
	}
	return "id:" + r.ID
}

// ref is the Ref that the store knows.
func (f *Fetcher) ref(r *Request) string {
	if r.Ref == "" || f.o.Made == nil {
		return r.Ref
	}
	return strings.TrimSuffix(r.Ref+" "+f.o.Made(), " ")
}

// enter lets one goroutine at a time work on a tarball.
func (f *Fetcher) enter(ctx context.Context, r *Request) (func(), error) {
	name := f.name(r)
	for {
		f.mu.Lock()
		other := f.calls[name]
		if other == nil {
			mine := &call{done: make(chan struct{})}
			f.calls[name] = mine
			f.mu.Unlock()
			return func() {
				f.mu.Lock()
				delete(f.calls, name)
				f.mu.Unlock()
				close(mine.done)
			}, nil
		}
		f.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// digest says which tarball of the store a request means, if that is known
// before it is fetched.
func (f *Fetcher) digest(r *Request) (store.Digest, bool) {
	strongest := integrity.Parse(r.Integrity).Strongest()
	var first *store.Digest
	for _, h := range strongest {
		if h.Algorithm != "sha512" {
			break
		}
		raw := h.Bytes()
		if len(raw) != len(store.Digest{}) {
			continue
		}
		d := store.Digest(raw)
		if first == nil {
			first = &d
		}
		if len(strongest) > 1 && f.o.Store.HasTarball(d) {
			return d, true
		}
	}
	if first != nil {
		return *first, true
	}
	for _, ref := range []string{r.Integrity, f.ref(r)} {
		if ref == "" {
			continue
		}
		if d, err := f.o.Store.Ref(ref); err == nil {
			return d, true
		}
	}
	if r.Integrity == "" && f.o.Offline {
		if d, err := f.o.Store.Ref(f.name(r)); err == nil {
			return d, true
		}
	}
	f.mu.Lock()
	learned := f.learned[f.name(r)]
	f.mu.Unlock()
	if r.Integrity == "" && learned != "" {
		return f.digest(&Request{Integrity: learned})
	}
	return store.Digest{}, false
}

// withTarball calls use with a tarball's verified bytes, which it must not keep.
func (f *Fetcher) withTarball(ctx context.Context, r *Request, use func(store.Digest, []byte) error) error {
	if d, known := f.digest(r); known {
		done, err := f.fromStore(ctx, r, d, use)
		if done || err != nil {
			return err
		}
	}
	release, err := f.o.Store.LockDownload(ctx, f.name(r))
	if err != nil {
		return fmt.Errorf("%s: locking its download: %w", r.ID, err)
	}
	defer release()
	if d, known := f.digest(r); known { // another process was quicker
		done, err := f.fromStore(ctx, r, d, use)
		if done || err != nil {
			return err
		}
	}
	if f.o.Offline && !strings.HasPrefix(r.URL, "file:") {
		return &OfflineError{ID: r.ID, URL: r.URL}
	}
	return f.download(ctx, r, use)
}

func (f *Fetcher) fromStore(ctx context.Context, r *Request, d store.Digest, use func(store.Digest, []byte) error) (done bool, err error) {
	// Who has to download does not wait for a processor first.
	if !f.o.Store.HasTarball(d) {
		return false, nil
	}
	if err := f.cpu.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer f.cpu.Release(1)
	tgz, err := f.o.Store.Tarball(d)
	var damaged *store.IntegrityError
	switch {
	case errors.Is(err, store.ErrMissing):
		return false, nil
	case errors.As(err, &damaged):
		f.o.Logger.Warn("store: a damaged tarball is fetched again", "package", r.ID, "path", damaged.Path)
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s: reading it from the store: %w", r.ID, err)
	}
	f.learn(r, d)
	return true, use(d, tgz)
}

func (f *Fetcher) learn(r *Request, d store.Digest) {
	if r.Integrity != "" {
		return
	}
	f.mu.Lock()
	f.learned[f.name(r)] = integrity.FromSum("sha512", d[:]).String()
	f.mu.Unlock()
}

func (f *Fetcher) download(ctx context.Context, r *Request, use func(store.Digest, []byte) error) error {
	// Bytes that do not match what was locked, or are no archive, may have been
	// damaged on the way: ask once more, as npm does, before saying that they
	// are not the ones.
	for try := 0; ; try++ {
		if err := f.slots.Acquire(ctx, 1); err != nil {
			return err
		}
		start := time.Now()
		alloc, forget := f.alloc(ctx)
		tgz, err := f.o.Getter.Tarball(ctx, r, alloc)
		// While this one waits for a processor another may come, unless so much
		// waits already that the processors have enough to do.
		var leave func()
		if err == nil {
			leave, err = f.line(ctx, tgz)
		}
		f.slots.Release(1)
		if err != nil {
			forget()
			if strings.HasPrefix(err.Error(), r.ID+": ") { // as where a registry has no such version
				return err
			}
			return fmt.Errorf("%s: %w", r.ID, err)
		}
		err = f.accept(ctx, r, tgz, start, use)
		f.memory.put(tgz)
		forget()
		leave()
		var wrong *IntegrityError
		var damaged *tarball.Error
		if try == 0 && (errors.As(err, &wrong) || errors.As(err, &damaged) && damaged.Damaged()) {
			f.o.Logger.Warn("tarball data seems to be corrupted, trying again", "package", r.ID)
			continue
		}
		return err
	}
}

// mostWaiting is how many bytes of tarballs may wait for a processor, or be at one:
// a tenth of a second's work. From a registry nearby they come faster than they are
// unpacked.
const mostWaiting = 8 << 20

// Of tarballs of more than largeDownload bytes so many are in memory at once that they
// are no more than mostHeld, and of those that are larger than a quarter of it one.
const (
	largeDownload = 8 << 20
	mostHeld      = 256 << 20
)

// alloc gives memory for one tarball, which waits where that is large, until forget
// is called.
func (f *Fetcher) alloc(ctx context.Context) (alloc func(size int) []byte, forget func()) {
	var has int64
	alloc = func(size int) []byte {
		if size > largeDownload+1 && has == 0 {
			want := int64(size)
			if want > mostHeld/4 {
				want = mostHeld
			}
			if f.held.Acquire(ctx, want) != nil {
				return nil // reading ends with the context as well
			}
			has = want
		}
		return f.memory.get(size)
	}
	return alloc, func() { f.held.Release(has) }
}

// largeTarball is the inflated size in bytes from which on only one tarball is
// unpacked at a time.
const largeTarball = 8 << 20

// line has a tarball join those that wait for a processor, until leave is called. A
// large one joins when it is its turn: several in line would fill it, and all but
// one of the processors would have nothing to do.
func (f *Fetcher) line(ctx context.Context, tgz []byte) (leave func(), err error) {
	done := func() {}
	if tarball.InflatedSize(tgz) > largeTarball {
		if err := f.large.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		done = func() { f.large.Release(1) }
	}
	size := min(int64(len(tgz)), mostWaiting/2) // the largest one leaves room for others
	if err := f.queue.Acquire(ctx, size); err != nil {
		done()
		return nil, err
	}
	return func() {
		f.queue.Release(size)
		done()
	}, nil
}

// accept verifies, keeps and uses what was received.
func (f *Fetcher) accept(ctx context.Context, r *Request, tgz []byte, start time.Time, use func(store.Digest, []byte) error) error {
	if err := f.cpu.Acquire(ctx, 1); err != nil {
		return err
	}
	defer f.cpu.Release(1)
	d := store.Sum(tgz)
	if err := verify(r, d, tgz); err != nil {
		return err
	}
	if err := f.o.Store.PutTarball(d, tgz); err != nil {
		return fmt.Errorf("%s: keeping it in the store: %w", r.ID, err)
	}
	if err := f.remember(r, d); err != nil {
		return fmt.Errorf("%s: keeping it in the store: %w", r.ID, err)
	}
	f.o.Report(Event{ID: r.ID, Downloaded: int64(len(tgz)), Took: time.Since(start)})
	return use(d, tgz)
}

func verify(r *Request, d store.Digest, tgz []byte) error {
	if err := verifyAgainst(r, r.Integrity, d, tgz); err != nil {
		return err
	}
	return verifyAgainst(r, r.Published, d, tgz)
}

func verifyAgainst(r *Request, sri string, d store.Digest, tgz []byte) error {
	if sri == "" {
		return nil
	}
	strongest := integrity.Parse(sri).Strongest()
	if len(strongest) == 0 { // text that holds no hash we know: npm takes it for none
		return nil
	}
	var got integrity.Hash
	if strongest[0].Algorithm == "sha512" {
		got = integrity.FromSum("sha512", d[:])
	} else {
		got = integrity.Sum(strongest[0].Algorithm, tgz)
	}
	for _, h := range strongest {
		if h.Digest == got.Digest {
			return nil
		}
	}
	page := bytes.HasPrefix(bytes.TrimLeft(tgz[:min(len(tgz), 256)], " \t\r\n"), []byte("<"))
	return &IntegrityError{ID: r.ID, URL: r.URL, Want: strongest[0].String(), Got: got.String(), Page: page}
}

// remember keeps the other names of a tarball.
func (f *Fetcher) remember(r *Request, d store.Digest) error {
	f.learn(r, d)
	if r.Integrity != "" {
		if s := integrity.Parse(r.Integrity).Strongest(); len(s) > 0 && s[0].Algorithm == "sha512" {
			return nil
		}
		return f.o.Store.PutRef(r.Integrity, d)
	}
	return f.o.Store.PutRef(f.name(r), d)
}
