package minimatch

import (
	"strconv"
	"strings"
)

// maxAlternatives and maxText bound what a few braces can become.
const (
	maxAlternatives = 10000
	maxText         = 1 << 20
)

// Braces expands a{b,c}d to abd and acd, and {1..3} to 1, 2 and 3, as bash does;
// sets without a comma or a range stay. Each result is given once.
func Braces(s string) []string {
	if !strings.Contains(s, "{") || !strings.Contains(s, "}") {
		return []string{s}
	}
	if strings.HasPrefix(s, "{}") {
		s = `\{\}` + s[2:]
	}
	var out []string
	seen := make(map[string]bool)
	for _, e := range expandBraces(s, true, 0) {
		if !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	return out
}

// expandBraces expands the first set of s and what follows it.
func expandBraces(s string, top bool, depth int) []string {
	open, end := balanced(s)
	if open < 0 || depth > 100 {
		return []string{s}
	}
	pre, body, post := s[:open], s[open+1:end], s[end+1:]
	if strings.HasSuffix(pre, "$") {
		return prefixAll(s[:end+1], expandBraces(post, false, depth+1))
	}
	values, isRange := sequence(body)
	if !isRange {
		parts := commaParts(body)
		if len(parts) == 1 {
			// "a{b}c" stays, but "{a},b}" is read from its outer brace.
			if strings.Contains(post, ",") && strings.Contains(post, "}") && !strings.Contains(post[:strings.Index(post, "}")], "{") {
				return expandBraces(pre+`\{`+body+`\}`+post, top, depth+1)
			}
			inner := expandBraces(body, false, depth+1)
			if len(inner) == 1 {
				return prefixAll(pre+"{"+inner[0]+"}", expandBraces(post, false, depth+1))
			}
			for i := range inner {
				inner[i] = "{" + inner[i] + "}"
			}
			values = inner
		} else {
			for _, part := range parts {
				values = append(values, expandBraces(part, false, depth+1)...)
				if len(values) > maxAlternatives {
					break
				}
			}
		}
	}
	var out []string
	size := 0
	tails := expandBraces(post, false, depth+1)
	for _, v := range values {
		for _, tail := range tails {
			e := pre + v + tail
			if top && !isRange && e == "" {
				continue
			}
			if size += len(e); len(out) >= maxAlternatives || size > maxText {
				return out
			}
			out = append(out, e)
		}
	}
	return out
}

func prefixAll(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

// balanced finds the first { that has its }, skipping escaped ones.
func balanced(s string) (open, end int) {
	for start := 0; start < len(s); start++ {
		if s[start] == '\\' {
			start++
			continue
		}
		if s[start] != '{' {
			continue
		}
		depth := 0
		for i := start; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '{':
				depth++
			case '}':
				if depth--; depth == 0 {
					return start, i
				}
			}
		}
	}
	return -1, -1
}

// commaParts splits at the commas that are in no inner set.
func commaParts(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth <= 0 {
				parts = append(parts, s[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, s[start:])
}

// sequence expands 1..9, 01..10..3, a..e.
func sequence(body string) ([]string, bool) {
	n := strings.Split(body, "..")
	if len(n) != 2 && len(n) != 3 {
		return nil, false
	}
	step := 1
	if len(n) == 3 {
		var ok bool
		if step, ok = number(n[2]); !ok {
			return nil, false
		}
		step = max(step, -step, 1)
	}
	from, fromOK := number(n[0])
	to, toOK := number(n[1])
	letters := false
	if !fromOK || !toOK {
		if len(n[0]) != 1 || len(n[1]) != 1 || !isLetter(n[0][0]) || !isLetter(n[1][0]) {
			return nil, false
		}
		from, to, letters = int(n[0][0]), int(n[1][0]), true
	}
	if to < from {
		step = -step
	}
	width := 0
	for _, s := range n {
		if t := strings.TrimPrefix(s, "-"); len(t) > 1 && t[0] == '0' {
			width = max(len(n[0]), len(n[1]))
		}
	}
	out := []string{}
	for i := from; (step > 0 && i <= to || step < 0 && i >= to) && len(out) < maxAlternatives; i += step {
		switch {
		case letters && i == '\\':
			out = append(out, "")
		case letters:
			out = append(out, string(rune(i)))
		default:
			s := strconv.Itoa(i)
			if pad := width - len(s); pad > 0 {
				sign := ""
				if i < 0 {
					sign, s = "-", s[1:]
				}
				s = sign + strings.Repeat("0", pad) + s
			}
			out = append(out, s)
		}
	}
	return out, true
}

func number(s string) (int, bool) {
	t := strings.TrimPrefix(s, "-")
	for i := range len(t) {
		if t[i] < '0' || t[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && t != "" && len(t) < 9
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
