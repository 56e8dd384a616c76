package inflate

import "encoding/binary"

// block decodes a compressed block with the tables that are set.
func (d *Decoder) block(s *state) error {
	for {
		done, err := d.fast(s)
		if err != nil || done {
			return err
		}
		// Near the end of input or output: one symbol with every check, which
		// also makes room.
		if done, err = d.careful(s); err != nil || done {
			return err
		}
	}
}

// fast decodes while there are plenty of input and room. It says whether the
// block ended.
//
// Most of the time goes into branches that the processor guesses wrong, so a
// match of up to 32 bytes, as nearly all are, is copied without asking how long
// it is, and the next symbol is looked up before that: neither has to wait for
// the other.
func (d *Decoder) fast(s *state) (done bool, err error) {
	src, out := s.src, s.out
	// Only the lowest byte of have counts: what else an entry has may be
	// subtracted along.
	pos, at, buffer, have := s.pos, s.at, s.bits, s.n
	inEnd, outEnd := len(src)-16, min(len(out), s.limit)-slack
	start := s.start
	if pos > inEnd || at > outEnd {
		return false, nil
	}

	// At least 56 bits: bytes that fit only in part are read again later.
	buffer |= binary.LittleEndian.Uint64(src[pos:]) << (have & 63)
	pos += int(^have>>3) & 7
	have |= 56
	e := d.literals[buffer&(1<<literalBits-1)]
loop:
	for {
		// buffer has 56 bits, and e is what they begin with.
		if e&isLiteral != 0 {
			buffer >>= e & 63
			have -= uint(e)
			out[at] = byte(e >> 16)
			at++
			if e = d.literals[buffer&(1<<literalBits-1)]; e&isLiteral != 0 {
				buffer >>= e & 63
				have -= uint(e)
				out[at] = byte(e >> 16)
				at++
				if e = d.literals[buffer&(1<<literalBits-1)]; e&isLiteral != 0 {
					buffer >>= e & 63
					have -= uint(e)
					out[at] = byte(e >> 16)
					at++
					if pos > inEnd || at > outEnd {
						break
					}
					buffer |= binary.LittleEndian.Uint64(src[pos:]) << (have & 63)
					pos += int(^have>>3) & 7
					have |= 56
					e = d.literals[buffer&(1<<literalBits-1)]
					continue
				}
			}
			// Two literals took 22 bits at most; a match may need 48.
			if uint8(have) < 48 {
				buffer |= binary.LittleEndian.Uint64(src[pos:]) << (have & 63)
				pos += int(^have>>3) & 7
				have |= 56
			}
		}
		if e&isLonger != 0 {
			buffer >>= literalBits
			have -= literalBits
			e = d.literals[(e>>16+uint32(buffer)&(1<<(e>>8&31)-1))&(literalSize-1)]
		}
		saved := buffer
		buffer >>= e & 63
		have -= uint(e)
		if e&(isLiteral|isEnd) != 0 || e == 0 {
			switch {
			case e&isLiteral != 0:
				out[at] = byte(e >> 16)
				at++
				if pos > inEnd || at > outEnd {
					break loop
				}
				buffer |= binary.LittleEndian.Uint64(src[pos:]) << (have & 63)
				pos += int(^have>>3) & 7
				have |= 56
				e = d.literals[buffer&(1<<literalBits-1)]
				continue
			case e&isEnd != 0:
				done = true
			default:
				err = ErrCorrupt
			}
			break loop
		}
		length := int(e>>16) + int(saved&(1<<(e&63)-1)>>(e>>8&63))

		e = d.distances[buffer&(1<<distanceBits-1)]
		if e&isLonger != 0 {
			buffer >>= distanceBits
			have -= distanceBits
			e = d.distances[(e>>16+uint32(buffer)&(1<<(e>>8&31)-1))&(distanceSize-1)]
		}
		if e == 0 {
			err = ErrCorrupt
			break
		}
		saved = buffer
		buffer >>= e & 63
		have -= uint(e)
		distance := int(e>>16) + int(saved&(1<<(e&63)-1)>>(e>>8&63))

		from := at - distance
		if from < start {
			err = ErrCorrupt
			break
		}
		end := at + length
		more := pos <= inEnd && end <= outEnd
		if more {
			buffer |= binary.LittleEndian.Uint64(src[pos:]) << (have & 63)
			pos += int(^have>>3) & 7
			have |= 56
			e = d.literals[buffer&(1<<literalBits-1)]
		}
		switch {
		case distance >= 8:
			// What is written too much is written over.
			for {
				to, of := out[at:at+32:at+32], out[from:from+32:from+32]
				binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(of))
				binary.LittleEndian.PutUint64(to[8:], binary.LittleEndian.Uint64(of[8:]))
				binary.LittleEndian.PutUint64(to[16:], binary.LittleEndian.Uint64(of[16:]))
				binary.LittleEndian.PutUint64(to[24:], binary.LittleEndian.Uint64(of[24:]))
				if at, from = at+32, from+32; at >= end {
					break
				}
			}
		case distance == 1:
			word := uint64(out[from]) * 0x0101010101010101
			for ; at < end; at += 8 {
				binary.LittleEndian.PutUint64(out[at:], word)
			}
		default:
			for at < end {
				out[at] = out[from]
				at++
				from++
			}
		}
		at = end
		if !more {
			break
		}
	}
	s.pos, s.at, s.bits, s.n = pos, at, buffer, uint(uint8(have))
	return done, err
}

// careful decodes one symbol.
func (d *Decoder) careful(s *state) (bool, error) {
	e, err := s.symbol(d.literals[:], literalBits)
	if err != nil {
		return false, err
	}
	switch {
	case e == 0:
		return false, ErrCorrupt
	case e&isEnd != 0:
		return true, nil
	case e&isLiteral != 0:
		if err := s.grow(1); err != nil {
			return false, err
		}
		s.out[s.at] = byte(e >> 16)
		s.at++
		return false, nil
	}
	more, err := s.take(extra(e))
	if err != nil {
		return false, err
	}
	length := int(e>>16) + int(more)
	if e, err = s.symbol(d.distances[:], distanceBits); err != nil {
		return false, err
	}
	if e == 0 {
		return false, ErrCorrupt
	}
	if more, err = s.take(extra(e)); err != nil {
		return false, err
	}
	from := s.at - int(e>>16) - int(more)
	if from < s.start {
		return false, ErrCorrupt
	}
	if err := s.grow(length); err != nil {
		return false, err
	}
	for range length {
		s.out[s.at] = s.out[from]
		s.at++
		from++
	}
	return false, nil
}

// extra is how many extra bits follow the code of an entry.
func extra(e uint32) uint { return uint(e&63 - e>>8&31) }

// symbol takes a code, with as many bits as there are: the last code may end
// with the last bit.
func (s *state) symbol(table []uint32, width uint) (uint32, error) {
	_ = s.need(15)
	e := table[s.bits&(1<<width-1)]
	n := uint(e >> 8 & 31)
	if e&isLonger != 0 {
		e = table[(e>>16&0xfff)+uint32(s.bits>>width)&(1<<(e>>8&31)-1)]
		n = width + uint(e>>8&31)
	}
	if e == 0 {
		if s.n < 15 {
			return 0, ErrShort
		}
		return 0, nil
	}
	if n > s.n {
		return 0, ErrShort
	}
	s.bits >>= n
	s.n -= n
	return e, nil
}
