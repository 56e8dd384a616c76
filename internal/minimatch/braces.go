package minimatch

import (
	"strconv"
	"strings"
)

const (
	maxExpansions     = 100_000
	maxExpansionBytes = 4_000_000
)

// Escaped characters while braces are expanded. They can't be in a pattern
// line: lines end at \n, and these are noncharacters.
const (
	escSlash  = "\ufdd0"
	escOpen   = "\ufdd1"
	escClose  = "\ufdd2"
	escComma  = "\ufdd3"
	escPeriod = "\ufdd4"
)

// Braces lists what a glob with {a,b} and {1..3} stands for, each once, as
// brace-expansion 5 does, which follows Bash.
func Braces(pattern string) []string {
	if !hasBraces(pattern) {
		return []string{pattern}
	}
	if strings.HasPrefix(pattern, "{}") {
		// Bash leaves a leading {} alone.
		pattern = `\{\}` + pattern[2:]
	}
	escaped := strings.NewReplacer(`\\`, escSlash, `\{`, escOpen, `\}`, escClose, `\,`, escComma, `\.`, escPeriod).Replace(pattern)
	out := expand(escaped, true)
	back := strings.NewReplacer(escSlash, `\`, escOpen, "{", escClose, "}", escComma, ",", escPeriod, ".")
	once := out[:0]
	seen := make(map[string]bool, len(out))
	for _, s := range out {
		if s = back.Replace(s); !seen[s] {
			seen[s] = true
			once = append(once, s)
		}
	}
	return once
}

// hasBraces says whether there is a { with a } after it and no { between.
func hasBraces(s string) bool {
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return false
		}
		s = s[i+1:]
		next := strings.IndexAny(s, "{}")
		if next < 0 {
			return false
		}
		if s[next] == '}' {
			return true
		}
		s = s[next:]
	}
}

// balanced finds the first pair of braces that belong together.
func balanced(s string) (pre, body, post string, ok bool) {
	var open []int
	left, right := len(s), -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			open = append(open, i)
		case '}':
			if len(open) == 0 {
				continue
			}
			if len(open) == 1 {
				b := open[0]
				return s[:b], s[b+1 : i], s[i+1:], true
			}
			b := open[len(open)-1]
			open = open[:len(open)-1]
			if b < left {
				left, right = b, i
			}
		}
	}
	if len(open) > 0 && right >= 0 {
		return s[:left], s[left+1 : right], s[right+1:], true
	}
	return "", "", "", false
}

// combine appends every value to every beginning, within limits.
func combine(begin []string, pre string, values []string, dropEmpty bool) []string {
	var out []string
	n := 0
	for _, b := range begin {
		for _, v := range values {
			s := b + pre + v
			if dropEmpty && s == "" {
				continue
			}
			if len(out) >= maxExpansions || n+len(s) > maxExpansionBytes {
				return out
			}
			out = append(out, s)
			n += len(s)
		}
	}
	return out
}

var none = []string{""}

func expand(s string, top bool) []string {
	acc := []string{""}
	dropEmpty, first := false, true
	for {
		pre, body, post, ok := balanced(s)
		if !ok {
			return combine(acc, s, none, dropEmpty)
		}
		if strings.HasSuffix(pre, "$") {
			acc = combine(acc, pre+"{"+body+"}", none, dropEmpty && post == "")
			first = false
			if post == "" {
				return acc
			}
			s = post
			continue
		}
		values, sequence := expandSequence(body)
		if !sequence && !strings.Contains(body, ",") {
			if closesLater(post) {
				// {a},b}
				s = pre + "{" + body + escClose + post
				top = true
				continue
			}
			return combine(acc, pre+"{"+body+"}"+post, none, dropEmpty)
		}
		if first {
			dropEmpty = top && !sequence
			first = false
		}
		if !sequence {
			parts := commaParts(body)
			if len(parts) == 1 {
				// x{{a,b}}y is x{a}y x{b}y
				parts = expand(parts[0], false)
				for i, p := range parts {
					parts[i] = "{" + p + "}"
				}
				if len(parts) == 1 {
					acc = combine(acc, pre+parts[0], none, dropEmpty && post == "")
					if post == "" {
						return acc
					}
					s = post
					continue
				}
			}
			n := 0
		collect:
			for _, p := range parts {
				for _, v := range expandOr(p) {
					if len(values) >= maxExpansions || n+len(v) > maxExpansionBytes {
						break collect
					}
					values = append(values, v)
					n += len(v)
				}
			}
		}
		acc = combine(acc, pre, values, dropEmpty && post == "")
		if post == "" {
			return acc
		}
		s = post
	}
}

// expandOr expands one member of a set; an empty member stays.
func expandOr(s string) []string {
	if s == "" {
		return none
	}
	return expand(s, false)
}

// closesLater is the test /,(?!,).*\}/.
func closesLater(post string) bool {
	for i := 0; i < len(post); i++ {
		if post[i] == ',' && (i+1 == len(post) || post[i+1] != ',') {
			return strings.IndexByte(post[i+1:], '}') >= 0
		}
	}
	return false
}

// commaParts splits at commas that are not inside of braces.
func commaParts(s string) []string {
	if s == "" {
		return []string{""}
	}
	pre, body, post, ok := balanced(s)
	if !ok {
		return strings.Split(s, ",")
	}
	parts := strings.Split(pre, ",")
	parts[len(parts)-1] += "{" + body + "}"
	if post != "" {
		after := commaParts(post)
		parts[len(parts)-1] += after[0]
		parts = append(parts, after[1:]...)
	}
	return parts
}

// expandSequence lists 1..5, 01..10..2 and a..e.
func expandSequence(body string) ([]string, bool) {
	n := strings.Split(body, "..")
	if len(n) != 2 && len(n) != 3 {
		return nil, false
	}
	step := 1
	if len(n) == 3 {
		if !integer(n[2]) {
			return nil, false
		}
		v, _ := strconv.Atoi(n[2])
		step = max(v, -v, 1)
	}
	alpha := len(n[0]) == 1 && len(n[1]) == 1 && isLetter(n[0][0]) && isLetter(n[1][0])
	if !alpha && (!integer(n[0]) || !integer(n[1])) {
		return nil, false
	}
	var from, to int
	if alpha {
		from, to = int(n[0][0]), int(n[1][0])
	} else {
		from, _ = strconv.Atoi(n[0])
		to, _ = strconv.Atoi(n[1])
	}
	padded := false
	for _, s := range n {
		digits := strings.TrimPrefix(s, "-")
		padded = padded || len(digits) > 1 && digits[0] == '0'
	}
	width := max(len(n[0]), len(n[1]))
	if to < from {
		step = -step
	}
	var out []string
	total := 0
	for i := from; (step > 0 && i <= to || step < 0 && i >= to) && len(out) < maxExpansions; i += step {
		var s string
		if alpha {
			if s = string(rune(i)); s == `\` {
				s = ""
			}
		} else {
			s = strconv.Itoa(i)
			if need := width - len(s); padded && need > 0 {
				zeros := strings.Repeat("0", need)
				if i < 0 {
					s = "-" + zeros + s[1:]
				} else {
					s = zeros + s
				}
			}
		}
		if total += len(s); total > maxExpansionBytes {
			break
		}
		out = append(out, s)
	}
	return out, true
}

func integer(s string) bool {
	s = strings.TrimPrefix(s, "-")
	// Longer numbers would be sequences without end; take them as text.
	if s == "" || len(s) > 15 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
