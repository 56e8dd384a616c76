package tarball

import "math/bits"

const (
	literals = 286
	endBlock = 256

	repeatLast  = 16 // 3–6 times the length before
	repeatZero  = 17 // 3–10 zeros
	repeatZeros = 18 // 11–138 zeros
)

// lengthOrder is the order in which the lengths of lengths are sent.
var lengthOrder = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// Match lengths, less three, and distances, less one, by code.
var (
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	lengthBase  = [29]uint16{0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 255}
	distExtra   = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	distBase    = [30]uint16{0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576}
	codeExtra   = [19]uint8{repeatLast: 2, repeatZero: 3, repeatZeros: 7}
)

// lengthCode is the literal/length symbol of a match length less three.
func lengthCode(lc int) int {
	if lc == 255 {
		return 285
	}
	if lc < 8 {
		return 257 + lc
	}
	n := bits.Len(uint(lc)) - 3
	return 257 + 4*n + lc>>n
}

// distCode is the symbol of a distance less one.
func distCode(d int) int {
	if d < 4 {
		return d
	}
	n := bits.Len(uint(d)) - 2
	return 2*n + d>>n
}

// A shape is what is fixed about one of deflate's three trees.
type shape struct {
	elems  int
	extra  []uint8
	base   int // first symbol with extra bits
	most   int // longest code
	static bool
	len    [literals + 2]uint8
	code   [literals + 2]uint16
}

var (
	literalTree = fixed(shape{elems: literals, extra: lengthExtra[:], base: 257, most: 15, static: true}, 288, func(n int) uint8 {
		switch {
		case n < 144:
			return 8
		case n < 256:
			return 9
		case n < 280:
			return 7
		}
		return 8
	})
	distanceTree = fixed(shape{elems: 30, extra: distExtra[:], most: 15, static: true}, 30, func(int) uint8 { return 5 })
	lengthTree   = &shape{elems: 19, extra: codeExtra[:], most: 7}
)

func fixed(s shape, n int, length func(int) uint8) *shape {
	var count [16]int
	for i := range n {
		s.len[i] = length(i)
		count[s.len[i]]++
	}
	assign(s.len[:n], s.code[:n], count)
	return &s
}

// assign gives codes to symbols by their lengths, reversed for writing.
func assign(lens []uint8, codes []uint16, count [16]int) {
	var next [16]uint16
	code := 0
	for b := 1; b <= 15; b++ {
		code = (code + count[b-1]) << 1
		next[b] = uint16(code)
	}
	for i, l := range lens {
		if l != 0 {
			codes[i] = bits.Reverse16(next[l]) >> (16 - l)
			next[l]++
		}
	}
}

// sizes counts the bits of a block written with its own trees or the fixed ones.
type sizes struct{ dynamic, static int }

const heapSize = 2*literals + 1

// A tree is built from the frequencies of a block, by zlib's own method:
// another one would give other, equally good codes.
type tree struct {
	*shape
	freq [heapSize]uint16
	len  [literals + 2]uint8
	code [literals + 2]uint16
	max  int // largest symbol that has a code

	dad   [heapSize]uint16
	depth [heapSize]uint8
	bits  [heapSize]uint8
	heap  [heapSize]int
	n     int // of heap; its elements are heap[1:n+1]
}

func (t *tree) init(s *shape) { t.shape = s }

func (t *tree) smaller(n, m int) bool {
	return t.freq[n] < t.freq[m] || t.freq[n] == t.freq[m] && t.depth[n] <= t.depth[m]
}

func (t *tree) down(k int) {
	v := t.heap[k]
	for j := k << 1; j <= t.n; j <<= 1 {
		if j < t.n && t.smaller(t.heap[j+1], t.heap[j]) {
			j++
		}
		if t.smaller(v, t.heap[j]) {
			break
		}
		t.heap[k] = t.heap[j]
		k = j
	}
	t.heap[k] = v
}

func (t *tree) build(size *sizes) {
	t.n = 0
	t.max = -1
	sorted := heapSize
	for s := range t.elems {
		if t.freq[s] != 0 {
			t.n++
			t.heap[t.n] = s
			t.max = s
			t.depth[s] = 0
		} else {
			t.len[s] = 0
		}
	}
	// There must be two codes, if only because old decoders want them.
	for t.n < 2 {
		s := 0
		if t.max < 2 {
			t.max++
			s = t.max
		}
		t.n++
		t.heap[t.n] = s
		t.freq[s] = 1
		t.depth[s] = 0
		size.dynamic--
		if t.static {
			size.static -= int(t.shape.len[s])
		}
	}
	for k := t.n / 2; k >= 1; k-- {
		t.down(k)
	}
	node := t.elems
	for {
		a := t.heap[1]
		t.heap[1] = t.heap[t.n]
		t.n--
		t.down(1)
		b := t.heap[1]
		sorted--
		t.heap[sorted] = a
		sorted--
		t.heap[sorted] = b
		t.freq[node] = t.freq[a] + t.freq[b]
		t.depth[node] = max(t.depth[a], t.depth[b]) + 1
		t.dad[a], t.dad[b] = uint16(node), uint16(node)
		t.heap[1] = node
		node++
		t.down(1)
		if t.n < 2 {
			break
		}
	}
	sorted--
	t.heap[sorted] = t.heap[1]
	count := t.limit(sorted, size)
	clear(t.freq[t.elems:])
	assign(t.len[:t.max+1], t.code[:t.max+1], count)
}

// limit finds the code lengths, none longer than the shape allows. sorted is
// where in the heap the nodes begin, by falling frequency.
func (t *tree) limit(sorted int, size *sizes) (count [16]int) {
	overflow := 0
	t.bits[t.heap[sorted]] = 0
	h := sorted + 1
	for ; h < heapSize; h++ {
		n := t.heap[h]
		b := int(t.bits[t.dad[n]]) + 1
		if b > t.most {
			b = t.most
			overflow++
		}
		t.bits[n] = uint8(b)
		if n >= t.elems {
			continue
		}
		t.len[n] = uint8(b)
		count[b]++
		x := 0
		if n >= t.base {
			x = int(t.extra[n-t.base])
		}
		f := int(t.freq[n])
		size.dynamic += f * (b + x)
		if t.static {
			size.static += f * (int(t.shape.len[n]) + x)
		}
	}
	if overflow == 0 {
		return count
	}
	for ; overflow > 0; overflow -= 2 {
		b := t.most - 1
		for count[b] == 0 {
			b--
		}
		count[b]--
		count[b+1] += 2
		count[t.most]--
	}
	for b := t.most; b != 0; b-- {
		for n := count[b]; n != 0; {
			h--
			m := t.heap[h]
			if m >= t.elems {
				continue
			}
			if int(t.len[m]) != b {
				size.dynamic += (b - int(t.len[m])) * int(t.freq[m])
				t.len[m] = uint8(b)
			}
			n--
		}
	}
	return count
}

// scan tells the run-length coded lengths of t: a symbol, how often, and
// extra bits after it.
func (t *tree) scan(emit func(sym, count int, extra uint64, bits uint)) {
	last, next := -1, int(t.len[0])
	count, most, least := 0, 7, 4
	if next == 0 {
		most, least = 138, 3
	}
	for n := 0; n <= t.max; n++ {
		cur := next
		next = -2
		if n < t.max {
			next = int(t.len[n+1])
		}
		count++
		if count < most && cur == next {
			continue
		}
		switch {
		case count < least:
			emit(cur, count, 0, 0)
		case cur != 0:
			if cur != last {
				emit(cur, 1, 0, 0)
				count--
			}
			emit(repeatLast, 1, uint64(count-3), 2)
		case count <= 10:
			emit(repeatZero, 1, uint64(count-3), 3)
		default:
			emit(repeatZeros, 1, uint64(count-11), 7)
		}
		count, last = 0, cur
		switch {
		case next == 0:
			most, least = 138, 3
		case cur == next:
			most, least = 6, 3
		default:
			most, least = 7, 4
		}
	}
}
