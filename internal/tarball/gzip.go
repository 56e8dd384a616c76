package tarball

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// Gzip compresses data into the bytes that Node's zlib makes of it at level 9
// and npm puts into its tarballs, so that a package packed by either has the
// same integrity. The method is zlib's (deflate_slow and trees of version
// 1.3), which decides the same however the data arrives, with the hash
// function of Chromium's zlib, which Node has. Recorded with Node 20.20 (zlib
// 1.3.1-e00f703) in testdata/gzip.json; a Node whose zlib hashes otherwise, or
// was built with the system's, writes other bytes, and so does its npm.
func Gzip(data []byte) []byte {
	out := make([]byte, 0, len(data)/4+64)
	// The last two bytes: slowest compression, and an unknown system, as
	// minizlib's portable option has it.
	out = append(out, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255)
	d := newDeflater(data, out)
	d.run()
	out = binary.LittleEndian.AppendUint32(d.out, crc32.ChecksumIEEE(data))
	return binary.LittleEndian.AppendUint32(out, uint32(len(data)))
}

const (
	minMatch  = 3
	maxMatch  = 258
	window    = 1 << 15
	maxDist   = window - (maxMatch + minMatch + 1)
	tooFar    = 4096 // farther than this, three bytes are not worth a match
	hashBits  = 15
	goodMatch = 32   // with one of this length already, search a quarter
	maxChain  = 4096 // strings to look at
	symbols   = 1<<14 - 1
)

// deflater holds all data at once: positions are indexes into data, and none
// ever slides.
type deflater struct {
	data []byte // with maxMatch zeros behind n
	n    int
	head []int32 // hash → last position of it; 0 is none, as in zlib
	prev []int32 // position & window-1 → previous one of the same hash

	matchStart int

	// The block being gathered.
	start   int
	syms    []symbol
	lit     tree
	dist    tree
	lengths tree

	out  []byte
	bits uint64
	nbit uint
}

// symbol is a literal byte (dist 0) or a match, its length less minMatch.
type symbol struct {
	dist uint16
	lc   uint8
}

func newDeflater(data, out []byte) *deflater {
	d := &deflater{
		data: append(append(make([]byte, 0, len(data)+maxMatch+16), data...), make([]byte, maxMatch+16)...),
		n:    len(data),
		head: make([]int32, 1<<hashBits),
		prev: make([]int32, window),
		syms: make([]symbol, 0, symbols),
		out:  out,
	}
	if d.n > 2*window-(maxMatch+minMatch+1) {
		// The hash of the last three bytes takes in one more. In zlib's
		// window, once it slid, that is what was there before.
		d.data[d.n] = data[d.n-window]
	}
	d.lit.init(literalTree)
	d.dist.init(distanceTree)
	d.lengths.init(lengthTree)
	d.initBlock()
	return d
}

// hash is that of Chromium's zlib (contrib/optimizations/insert_string.h). It
// takes four bytes, where zlib's takes three: matches of three bytes are found
// by accident only, which is most of the difference between the two.
func hash(p []byte) uint32 {
	return (binary.LittleEndian.Uint32(p)*66521 + 66521) >> 16 & (1<<hashBits - 1)
}

// insert puts the string at pos into its chain and returns the one before.
func (d *deflater) insert(pos int) int {
	h := hash(d.data[pos:])
	before := d.head[h]
	d.prev[pos&(window-1)] = before
	d.head[h] = int32(pos)
	return int(before)
}

func (d *deflater) run() {
	pos := 0
	matchLength, available := minMatch-1, false
	for pos < d.n {
		look := d.n - pos
		before := 0
		if look >= minMatch {
			before = d.insert(pos)
		}
		// A match is only taken when the next byte doesn't start a longer one.
		prevLength, prevMatch := matchLength, d.matchStart
		matchLength = minMatch - 1
		if before != 0 && prevLength < maxMatch && pos-before <= maxDist {
			matchLength = d.longest(pos, before, prevLength, look)
			if matchLength == minMatch && pos-d.matchStart > tooFar {
				matchLength = minMatch - 1
			}
		}
		switch {
		case prevLength >= minMatch && matchLength <= prevLength:
			last := pos + look - minMatch
			full := d.tally(pos-1-prevMatch, prevLength-minMatch)
			end := pos + prevLength - 2
			for pos < end {
				if pos++; pos <= last {
					d.insert(pos)
				}
			}
			available, matchLength = false, minMatch-1
			pos++
			if full {
				d.flush(pos, false)
			}
		case available:
			if d.tally(0, int(d.data[pos-1])) {
				d.flush(pos, false)
			}
			pos++
		default:
			available = true
			pos++
		}
	}
	if available {
		d.tally(0, int(d.data[pos-1]))
	}
	d.flush(pos, true)
}

// longest looks along the chain from cur for the longest match of the string
// at pos that is longer than best.
func (d *deflater) longest(pos, cur, best, look int) int {
	chain := maxChain
	if best >= goodMatch {
		chain >>= 2
	}
	nice := min(maxMatch, look)
	limit := max(pos-maxDist, 0)
	data, prev := d.data, d.prev[:window]
	scan := data[pos : pos+maxMatch+8]
	first := binary.LittleEndian.Uint16(scan)
	last := binary.LittleEndian.Uint16(scan[best-1:])
	for {
		if binary.LittleEndian.Uint16(data[cur+best-1:]) == last && binary.LittleEndian.Uint16(data[cur:]) == first {
			n := common(data[cur:cur+maxMatch+8], scan)
			if n > best {
				d.matchStart = cur
				best = n
				if n >= nice {
					break
				}
				last = binary.LittleEndian.Uint16(scan[best-1:])
			}
		}
		cur = int(prev[cur&(window-1)])
		if chain--; cur <= limit || chain == 0 {
			break
		}
	}
	return min(best, look)
}

// common is how many of the first maxMatch bytes a and b have in common.
func common(a, b []byte) int {
	for n := 0; n < maxMatch; n += 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return min(n+bits.TrailingZeros64(x)>>3, maxMatch)
		}
	}
	return maxMatch
}

// tally adds a symbol to the block and says whether it is full.
func (d *deflater) tally(dist, lc int) bool {
	d.syms = append(d.syms, symbol{uint16(dist), uint8(lc)})
	if dist == 0 {
		d.lit.freq[lc]++
	} else {
		d.lit.freq[lengthCode(lc)]++
		d.dist.freq[distCode(dist-1)]++
	}
	return len(d.syms) == symbols
}

func (d *deflater) initBlock() {
	clear(d.lit.freq[:])
	clear(d.dist.freq[:])
	clear(d.lengths.freq[:])
	d.lit.freq[endBlock] = 1
	d.syms = d.syms[:0]
}

// flush writes the block d.start:end in the shortest of three ways.
func (d *deflater) flush(end int, last bool) {
	var lastBit uint64
	if last {
		lastBit = 1
	}
	var size sizes
	d.lit.build(&size)
	d.dist.build(&size)

	d.lit.scan(func(sym, count int, _ uint64, _ uint) { d.lengths.freq[sym] += uint16(count) })
	d.dist.scan(func(sym, count int, _ uint64, _ uint) { d.lengths.freq[sym] += uint16(count) })
	d.lengths.build(&size)
	most := len(lengthOrder) - 1
	for ; most >= 3 && d.lengths.len[lengthOrder[most]] == 0; most-- {
	}
	size.dynamic += 3*(most+1) + 5 + 5 + 4

	stored := end - d.start
	static, best := (size.static+3+7)>>3, (size.dynamic+3+7)>>3
	if static <= best {
		best = static
	}
	switch {
	case stored+4 <= best:
		d.put(lastBit, 3)
		d.align()
		d.out = binary.LittleEndian.AppendUint16(d.out, uint16(stored))
		d.out = binary.LittleEndian.AppendUint16(d.out, ^uint16(stored))
		d.out = append(d.out, d.data[d.start:end]...)
	case static == best:
		d.put(1<<1|lastBit, 3)
		d.putSymbols(literalTree.code[:], literalTree.len[:], distanceTree.code[:], distanceTree.len[:])
	default:
		d.put(2<<1|lastBit, 3)
		d.put(uint64(d.lit.max+1-257), 5)
		d.put(uint64(d.dist.max), 5)
		d.put(uint64(most+1-4), 4)
		for _, sym := range lengthOrder[:most+1] {
			d.put(uint64(d.lengths.len[sym]), 3)
		}
		send := func(sym, count int, extra uint64, n uint) {
			for range count {
				d.put(uint64(d.lengths.code[sym]), uint(d.lengths.len[sym]))
			}
			d.put(extra, n)
		}
		d.lit.scan(send)
		d.dist.scan(send)
		d.putSymbols(d.lit.code[:], d.lit.len[:], d.dist.code[:], d.dist.len[:])
	}
	d.initBlock()
	d.start = end
	if last {
		d.align()
	}
}

func (d *deflater) putSymbols(litCode []uint16, litLen []uint8, distCodes []uint16, distLen []uint8) {
	for _, s := range d.syms {
		if s.dist == 0 {
			d.put(uint64(litCode[s.lc]), uint(litLen[s.lc]))
			continue
		}
		c := lengthCode(int(s.lc))
		d.put(uint64(litCode[c]), uint(litLen[c]))
		if n := lengthExtra[c-257]; n > 0 {
			d.put(uint64(s.lc)-uint64(lengthBase[c-257]), uint(n))
		}
		dist := int(s.dist) - 1
		c = distCode(dist)
		d.put(uint64(distCodes[c]), uint(distLen[c]))
		if n := distExtra[c]; n > 0 {
			d.put(uint64(dist-int(distBase[c])), uint(n))
		}
	}
	d.put(uint64(litCode[endBlock]), uint(litLen[endBlock]))
}

func (d *deflater) put(v uint64, n uint) {
	d.bits |= v << d.nbit
	d.nbit += n
	for d.nbit >= 8 {
		d.out = append(d.out, byte(d.bits))
		d.bits >>= 8
		d.nbit -= 8
	}
}

func (d *deflater) align() {
	if d.nbit > 0 {
		d.out = append(d.out, byte(d.bits))
	}
	d.bits, d.nbit = 0, 0
}
