package registry

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/folder"
)

// A basis is what all answers of a Client came from: entries of the cache, each
// with a mark of its file as it was, and when all of them are fresh. In little
// endian it is
//
//	since, until   8 bytes each: Unix ms from which on and before which all are fresh
//	entries        of each
//	               a byte for the form, two for the length of the package's name, the name
//	               inode, size, modified, changed: 8 bytes each, times in Unix ns
type basis struct {
	since, until int64
	entries      []basisEntry
}

type basisEntry struct {
	name string
	form form
	mark mark
}

// mark is a file as it was. What is done to the file moves changed, which nobody
// can set.
type mark struct {
	ino           uint64
	size          int64
	mtime, change int64
}

const (
	basisHead  = 16
	basisFixed = 3 + 32
)

func (b *basis) encode() []byte {
	le := binary.LittleEndian
	out := make([]byte, 0, basisHead+len(b.entries)*(basisFixed+24))
	out = le.AppendUint64(out, uint64(b.since))
	out = le.AppendUint64(out, uint64(b.until))
	for i := range b.entries {
		e := &b.entries[i]
		out = append(out, byte(e.form))
		out = le.AppendUint16(out, uint16(len(e.name)))
		out = append(out, e.name...)
		for _, n := range [...]uint64{e.mark.ino, uint64(e.mark.size), uint64(e.mark.mtime), uint64(e.mark.change)} {
			out = le.AppendUint64(out, n)
		}
	}
	return out
}

func decodeBasis(in []byte) (*basis, bool) {
	le := binary.LittleEndian
	if len(in) < basisHead {
		return nil, false
	}
	b := &basis{since: int64(le.Uint64(in)), until: int64(le.Uint64(in[8:]))}
	for in = in[basisHead:]; len(in) > 0; {
		if len(in) < basisFixed {
			return nil, false
		}
		f, n := form(in[0]), int(le.Uint16(in[1:]))
		if f > abbreviated || len(in) < basisFixed+n {
			return nil, false
		}
		e := basisEntry{name: string(in[3 : 3+n]), form: f}
		in = in[3+n:]
		e.mark = mark{le.Uint64(in), int64(le.Uint64(in[8:])), int64(le.Uint64(in[16:])), int64(le.Uint64(in[24:]))}
		in = in[32:]
		b.entries = append(b.entries, e)
	}
	return b, true
}

// Basis gives what all packuments came from that this Client has given, for
// Stands; nil where that cannot be told, or where the cache would not give the same
// again. What decides by an error must not go by it: there is nothing of those.
func (c *Client) Basis() []byte {
	if c.opts.CacheDir == "" {
		return nil
	}
	asked, ok := c.answered()
	if !ok {
		return nil
	}
	b := basis{since: math.MinInt64, until: math.MaxInt64}
	for at, p := range asked {
		b.entries = append(b.entries, basisEntry{name: p.name, form: at.form})
	}
	slices.SortFunc(b.entries, func(a, b basisEntry) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.form, b.form))
	})
	var mu sync.Mutex
	since := time.Now().Add(-folder.ClockSlack).UnixNano()
	if !c.eachEntry(b.entries, func(i int, top *folder.Folder, path string) bool {
		e := &b.entries[i]
		slot, m, ok := asked[c.address(e.name, e.form)].inFile(top, path, since)
		e.mark = m
		mu.Lock()
		defer mu.Unlock()
		b.since = max(b.since, slot.received)
		b.until = min(b.until, slot.received+slot.lifetime-int64(slot.age)*1000)
		return ok && !slot.broken && !slot.mustRevalidate
	}) {
		return nil
	}
	return b.encode()
}

// answered gives the packuments that were given; not ok where one is still asked
// for, or does not lie in the cache.
func (c *Client) answered() (map[address]*Packument, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[address]*Packument, len(c.packuments))
	for at, f := range c.packuments {
		select {
		case <-f.done:
		default:
			return nil, false
		}
		if f.err != nil {
			continue
		}
		if f.p.path == "" || len(f.p.name) > maxKey {
			return nil, false
		}
		all[at] = f.p
	}
	return all, true
}

// inFile says how fresh the packument is by its file, and the file's mark; not ok
// where that has another document by now, or changed since, when it may have got
// another one without its mark telling.
func (p *Packument) inFile(top *folder.Folder, path string, since int64) (s slot, m mark, ok bool) {
	file, err := top.OpenFile(path)
	if err != nil {
		return s, m, false
	}
	defer file.Close()
	var start [beginning]byte
	if file.ReadFull(start[:]) != nil || binary.LittleEndian.Uint32(start[sumAt:]) != p.index.sum {
		return s, m, false
	}
	var st folder.Stat
	if file.Stat(&st) != nil || st.Ctime == 0 || max(st.Ctime, st.Mtime) > since {
		return s, m, false
	}
	return decodeSlot(start[slotAt : slotAt+slotSize]), markOf(&st), true
}

func markOf(st *folder.Stat) mark { return mark{st.Ino, st.Size, st.Mtime, st.Ctime} }

// Stands says whether this Client would answer now all that another one was
// asked, and with the same: its packuments lie in the cache as they did, and are
// fresh where they have to be.
func (c *Client) Stands(encoded []byte) bool {
	b, ok := decodeBasis(encoded)
	if !ok || c.opts.CacheDir == "" {
		return false
	}
	switch c.opts.Mode {
	case CacheDefault:
		if now := c.opts.Now().UnixMilli(); now < b.since || now >= b.until {
			return false
		}
	case PreferOnline:
		return false
	}
	return c.eachEntry(b.entries, func(i int, top *folder.Folder, path string) bool {
		var st folder.Stat
		return top.Lstat(path, &st) == nil && st.Mode.IsRegular() && markOf(&st) == b.entries[i].mark
	})
}

// askedAhead is how many questions AskAhead has under way.
const askedAhead = 64

// AskAhead asks for all packuments that a basis has, on the guess that they are
// wanted again; where the cache is stale, nobody then waits for one before the next
// is asked for. It returns when all are there, or ctx is done.
func (c *Client) AskAhead(ctx context.Context, encoded []byte) {
	b, ok := decodeBasis(encoded)
	if !ok {
		return
	}
	var group errgroup.Group
	group.SetLimit(askedAhead)
	for _, e := range b.entries {
		if ctx.Err() == nil && e.form == full {
			group.Go(func() error {
				_, _ = c.Guess(ctx, e.name)
				return nil
			})
		}
	}
	_ = group.Wait()
}

// eachEntry says whether the files of all entries fit, on all processors.
func (c *Client) eachEntry(entries []basisEntry, fits func(i int, top *folder.Folder, path string) bool) bool {
	top, err := folder.Open(filepath.Join(c.opts.CacheDir, cacheFormat))
	if err != nil {
		return false
	}
	defer top.Close()
	var group errgroup.Group
	size := (len(entries) + c.opts.Decoders - 1) / c.opts.Decoders
	for from := 0; from < len(entries); from += size {
		group.Go(func() error {
			for i := from; i < min(from+size, len(entries)); i++ {
				u, err := url.Parse(c.address(entries[i].name, entries[i].form).url)
				if err != nil || !fits(i, top, entryName(cacheKey(u, entries[i].form))) {
					return errMisfit
				}
			}
			return nil
		})
	}
	return group.Wait() == nil
}

var errMisfit = errors.New("not as it was")
