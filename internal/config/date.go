package config

import (
	"math"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/js"
)

// parseDate is JavaScript's Date.parse as V8 has it (dateparser-inl.h): first the
// ISO form, then a lenient reading of months, times and zones in nearly any
// order, which takes RFC 2822 dates and "1/2/2024". The result is milliseconds
// since 1970, NaN for what is no date. A date without a time is UTC in the ISO
// form and local otherwise.
func parseDate(s string) float64 {
	p := dateParser{in: dateScanner{s: s}, zoneHour: unset, zoneMinute: unset, hourOffset: unset, namedMonth: unset}
	p.in.scan()
	if !p.parse() {
		return math.NaN()
	}
	return p.milliseconds()
}

const unset = math.MinInt32

type dateTokenKind uint8

const (
	dateEnd dateTokenKind = iota
	dateNumber
	dateSymbol
	dateSpace
	dateMonth
	dateAMPM
	dateZone
	dateTimeT
	dateWord
	dateOther
)

type dateToken struct {
	kind   dateTokenKind
	value  int // number; keyword's value; symbol's character
	length int // characters
}

func (t dateToken) symbol(c byte) bool { return t.kind == dateSymbol && t.value == int(c) }
func (t dateToken) sign() bool         { return t.symbol('+') || t.symbol('-') }
func (t dateToken) fixed(n int) bool   { return t.kind == dateNumber && t.length == n }
func (t dateToken) zulu() bool         { return t.kind == dateZone && t.length == 1 }

func (t dateToken) signValue() int {
	if t.value == '-' {
		return -1
	}
	return 1
}

type dateScanner struct {
	s    string
	pos  int
	peek dateToken
}

func (in *dateScanner) next() dateToken {
	t := in.peek
	in.scan()
	return t
}

func (in *dateScanner) skip(c byte) bool {
	if in.peek.symbol(c) {
		in.scan()
		return true
	}
	return false
}

func (in *dateScanner) scan() {
	s, start := in.s, in.pos
	if start >= len(s) {
		in.peek = dateToken{}
		return
	}
	c := s[start]
	switch {
	case c >= '0' && c <= '9':
		i := start
		for i < len(s) && s[i] == '0' {
			i++
		}
		n, digits := 0, 0
		for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			if digits < 9 { // the rest is ignored
				n = n*10 + int(s[i]-'0')
			}
			digits++
		}
		in.pos = i
		in.peek = dateToken{dateNumber, n, i - start}
		return
	case c == ':' || c == '-' || c == '+' || c == '.' || c == ')':
		in.pos++
		in.peek = dateToken{dateSymbol, int(c), 1}
		return
	}
	if r := firstRune(s[start:]); js.Space(r) {
		i := start
		for i < len(s) && js.Space(firstRune(s[i:])) {
			i += len(string(firstRune(s[i:])))
		}
		in.pos = i
		in.peek = dateToken{kind: dateSpace, length: i - start}
		return
	}
	if c >= 'A' {
		var word [3]byte
		i, n := start, 0
		for i < len(s) && s[i] >= 'A' && !js.Space(firstRune(s[i:])) {
			if n < 3 {
				word[n] = s[i] | 0x20
			}
			n++
			i++
		}
		in.pos = i
		in.peek = dateKeyword(word, n)
		return
	}
	if c == '(' {
		depth, i := 0, start
		for i < len(s) {
			if s[i] == '(' {
				depth++
			} else if s[i] == ')' {
				depth--
			}
			i++
			if depth == 0 {
				break
			}
		}
		in.pos = i
		in.peek = dateToken{kind: dateOther}
		return
	}
	in.pos++
	in.peek = dateToken{kind: dateOther}
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func dateKeyword(word [3]byte, n int) dateToken {
	w := string(word[:min(n, 3)])
	if n >= 3 {
		if i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", w); i >= 0 && i%3 == 0 {
			return dateToken{dateMonth, i/3 + 1, n}
		}
	}
	if n <= 3 {
		switch w {
		case "am":
			return dateToken{dateAMPM, 0, n}
		case "pm":
			return dateToken{dateAMPM, 12, n}
		case "ut", "utc", "z", "gmt":
			return dateToken{dateZone, 0, n}
		case "cdt", "est":
			return dateToken{dateZone, -5, n}
		case "cst", "mdt":
			return dateToken{dateZone, -6, n}
		case "edt":
			return dateToken{dateZone, -4, n}
		case "mst", "pdt":
			return dateToken{dateZone, -7, n}
		case "pst":
			return dateToken{dateZone, -8, n}
		case "t":
			return dateToken{dateTimeT, 0, n}
		}
	}
	return dateToken{dateWord, 0, n}
}

type dateParser struct {
	in         dateScanner
	day        []int // up to three numbers
	namedMonth int
	iso        bool
	clock      []int // up to hour, minute, second, millisecond
	hourOffset int   // 0 or 12 after am or pm
	zoneSign   int   // 0: local
	zoneHour   int
	zoneMinute int
}

func between(n, lo, hi int) bool { return n >= lo && n <= hi }

func (p *dateParser) addDay(n int) bool {
	if len(p.day) == 3 {
		return false
	}
	p.day = append(p.day, n)
	return true
}

func (p *dateParser) addClock(n int) bool {
	if len(p.clock) == 4 {
		return false
	}
	p.clock = append(p.clock, n)
	return true
}

func (p *dateParser) finishClock(n int) bool {
	ok := p.addClock(n)
	for len(p.clock) < 4 {
		p.clock = append(p.clock, 0)
	}
	return ok
}

func (p *dateParser) clockExpects(n int) bool {
	return len(p.clock) == 1 && between(n, 0, 59) || len(p.clock) == 2 && between(n, 0, 59) || len(p.clock) == 3 && between(n, 0, 999)
}

func (p *dateParser) setZone(hours int) {
	p.zoneSign = 1
	if hours < 0 {
		p.zoneSign, hours = -1, -hours
	}
	p.zoneHour, p.zoneMinute = hours, 0
}

func milliseconds(t dateToken) int {
	n, length := t.value, t.length
	switch {
	case length == 1:
		return n * 100
	case length == 2:
		return n * 10
	case length > 3:
		for length = min(length, 9); length > 3; length-- {
			n /= 10
		}
	}
	return n
}

// parseISO reads the ISO form as far as it goes, and returns the first token
// that does not belong to it. After a T nothing but the ISO form is a date.
func (p *dateParser) parseISO() (next dateToken, ok bool) {
	in := &p.in
	switch {
	case in.peek.sign():
		sign := in.next()
		if !in.peek.fixed(6) {
			return sign, true
		}
		year := in.next().value
		if sign.signValue() < 0 && year == 0 {
			return sign, true // there is no year -0
		}
		p.addDay(sign.signValue() * year)
	case in.peek.fixed(4):
		p.addDay(in.next().value)
	default:
		return in.next(), true
	}
	if in.skip('-') {
		if !in.peek.fixed(2) || !between(in.peek.value, 1, 12) {
			return in.next(), true
		}
		p.addDay(in.next().value)
		if in.skip('-') {
			if !in.peek.fixed(2) || !between(in.peek.value, 1, 31) {
				return in.next(), true
			}
			p.addDay(in.next().value)
		}
	}
	if in.peek.kind != dateTimeT {
		if in.peek.kind != dateEnd {
			return in.next(), true
		}
	} else {
		in.next()
		if !in.peek.fixed(2) || !between(in.peek.value, 0, 24) {
			return dateToken{}, false
		}
		midnight := in.peek.value == 24
		p.addClock(in.next().value)
		if !in.skip(':') {
			return dateToken{}, false
		}
		if !in.peek.fixed(2) || !between(in.peek.value, 0, 59) || midnight && in.peek.value > 0 {
			return dateToken{}, false
		}
		p.addClock(in.next().value)
		if in.skip(':') {
			if !in.peek.fixed(2) || !between(in.peek.value, 0, 59) || midnight && in.peek.value > 0 {
				return dateToken{}, false
			}
			p.addClock(in.next().value)
			if in.skip('.') {
				if in.peek.kind != dateNumber || midnight && in.peek.value > 0 {
					return dateToken{}, false
				}
				p.addClock(milliseconds(in.next()))
			}
		}
		if in.peek.zulu() {
			in.next()
			p.setZone(0)
		} else if in.peek.sign() {
			p.zoneSign = in.next().signValue()
			if in.peek.fixed(4) {
				n := in.next().value
				if !between(n/100, 0, 23) || !between(n%100, 0, 59) {
					return dateToken{}, false
				}
				p.zoneHour, p.zoneMinute = n/100, n%100
			} else {
				if !in.peek.fixed(2) || !between(in.peek.value, 0, 23) {
					return dateToken{}, false
				}
				p.zoneHour = in.next().value
				if !in.skip(':') {
					return dateToken{}, false
				}
				if !in.peek.fixed(2) || !between(in.peek.value, 0, 59) {
					return dateToken{}, false
				}
				p.zoneMinute = in.next().value
			}
		}
		if in.peek.kind != dateEnd {
			return dateToken{}, false
		}
	}
	if p.zoneHour == unset && len(p.clock) == 0 {
		p.setZone(0)
	}
	p.iso = true
	return dateToken{}, true
}

func (p *dateParser) parse() bool {
	in := &p.in
	token, ok := p.parseISO()
	if !ok {
		return false
	}
	hasNumber := len(p.day) > 0
	for ; token.kind != dateEnd; token = in.next() {
		switch {
		case token.kind == dateNumber:
			hasNumber = true
			n := token.value
			switch {
			case in.peek.symbol(':'):
				in.next()
				if in.skip(':') {
					if len(p.clock) > 0 {
						return false
					}
					p.addClock(n)
					p.addClock(0)
				} else {
					if !p.addClock(n) {
						return false
					}
					in.skip('.')
				}
			case in.peek.symbol('.') && p.clockExpects(n):
				in.next()
				p.addClock(n)
				if in.peek.kind != dateNumber {
					return false
				}
				p.finishClock(milliseconds(in.next()))
			default:
				in.skip('.')
				switch {
				case p.zoneHour != unset && p.zoneMinute == unset && between(n, 0, 59):
					p.zoneMinute = n
				case p.clockExpects(n):
					p.finishClock(n)
					// What follows a time must end it.
					if k := in.peek; k.kind != dateEnd && k.kind != dateSpace && !k.zulu() && !k.sign() {
						return false
					}
				default:
					if !p.addDay(n) {
						return false
					}
					in.skip('-')
				}
			}
		case token.kind == dateAMPM && len(p.clock) > 0:
			p.hourOffset = token.value
		case token.kind == dateMonth:
			p.namedMonth = token.value
			in.skip('-')
		case token.kind == dateZone && hasNumber:
			p.setZone(token.value)
		case token.kind >= dateMonth && token.kind <= dateWord:
			// Words are allowed before the first number only.
			if hasNumber || in.peek.kind == dateNumber {
				return false
			}
		case token.sign() && (p.zoneHour == 0 && p.zoneMinute == 0 || len(p.clock) > 0):
			p.zoneSign = token.signValue()
			n, length := 0, 0
			if in.peek.kind == dateNumber {
				t := in.next()
				n, length = t.value, t.length
			}
			hasNumber = true
			switch {
			case in.peek.symbol(':'):
				p.zoneHour, p.zoneMinute = n, unset
			case length == 1 || length == 2:
				p.zoneHour, p.zoneMinute = n, 0
			case length == 3 || length == 4:
				p.zoneHour, p.zoneMinute = n/100, n%100
			default:
				return false
			}
		case (token.sign() || token.symbol(')')) && hasNumber:
			return false
		}
	}
	return true
}

func (p *dateParser) milliseconds() float64 {
	if len(p.day) < 1 {
		return math.NaN()
	}
	for len(p.day) < 3 {
		p.day = append(p.day, 1)
	}
	var year, month, day int
	switch isDay := between(p.day[0], 1, 31); {
	case p.namedMonth != unset && !isDay:
		year, month, day = p.day[0], p.namedMonth, p.day[1]
	case p.namedMonth != unset:
		year, month, day = p.day[1], p.namedMonth, p.day[0]
	case p.iso || !isDay:
		year, month, day = p.day[0], p.day[1], p.day[2]
	default:
		year, month, day = p.day[2], p.day[0], p.day[1]
	}
	if !p.iso {
		switch {
		case between(year, 0, 49):
			year += 2000
		case between(year, 50, 99):
			year += 1900
		}
	}
	if !between(month, 1, 12) || !between(day, 1, 31) || !between(year, -400000, 400000) {
		return math.NaN()
	}
	for len(p.clock) < 4 {
		p.clock = append(p.clock, 0)
	}
	hour, minute, second, ms := p.clock[0], p.clock[1], p.clock[2], p.clock[3]
	if p.hourOffset != unset {
		if !between(hour, 0, 12) {
			return math.NaN()
		}
		hour = hour%12 + p.hourOffset
	}
	if !between(hour, 0, 23) || !between(minute, 0, 59) || !between(second, 0, 59) || !between(ms, 0, 999) {
		if hour != 24 || minute > 0 || second > 0 || ms > 0 {
			return math.NaN()
		}
	}
	seconds := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix()
	if p.zoneSign != 0 {
		seconds -= int64(p.zoneSign * (max(p.zoneHour, 0)*3600 + max(p.zoneMinute, 0)*60))
	} else {
		seconds = fromLocal(seconds)
	}
	t := float64(seconds)*1000 + float64(ms)
	if math.Abs(t) > 8.64e15 {
		return math.NaN()
	}
	return t
}

// fromLocal returns the time at which clocks here show seconds, counted as if
// they were UTC. A time that clocks skip or show twice is read with the offset
// from before the change, as JavaScript does.
func fromLocal(seconds int64) int64 {
	offset := func(t int64) int64 {
		_, o := time.Unix(t, 0).Zone()
		return int64(o)
	}
	before, after := offset(seconds-86400), offset(seconds+86400)
	if before != after && offset(seconds-before) != before && offset(seconds-after) == after {
		return seconds - after
	}
	return seconds - before
}

// formatDate is Date.prototype.toString, without the name of any zone but UTC:
// Go does not know them.
func formatDate(ms float64) string {
	if math.IsNaN(ms) {
		return "Invalid Date"
	}
	t := time.UnixMilli(int64(ms))
	text := t.Format("Mon Jan 02 2006 15:04:05 GMT-0700")
	if name, _ := t.Zone(); name == "UTC" {
		text += " (Coordinated Universal Time)"
	}
	return text
}
