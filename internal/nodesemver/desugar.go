package nodesemver

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// parseSet reads what stands between two "||" (npm: Range.parseRange). Its
// result is empty when loose mode has dropped everything.
func parseSet(text string, o Options) ([]Comparator, error) {
	text = stripBuilds(text)
	text = replaceHyphen(text, o)
	text = trimOperators(text)
	text = trimTildes(text)
	text = trimCarets(text)

	var space [4]string
	words := space[:0]
	for word := range strings.SplitSeq(text, " ") {
		words = desugar(words, word, o)
	}
	words = dropInnerEmpty(words)

	var set []Comparator
	for _, word := range words {
		// At or above the very lowest version is any version.
		if word == ">=0.0.0" && !o.IncludePrerelease || word == ">=0.0.0-0" && o.IncludePrerelease {
			word = ""
		}
		c, ok := parseComparator(word, o.Loose)
		if !ok {
			if o.Loose && !looksLikeComparator(word) {
				continue
			}
			return nil, &SyntaxError{What: "comparator", Text: word}
		}
		if set == nil {
			set = make([]Comparator, 0, len(words))
		}
		set = append(set, c)
	}
	return reduceSet(set), nil
}

// reduceSet drops doubles, and "any" beside others. One "nothing" makes the
// whole set nothing.
func reduceSet(set []Comparator) []Comparator {
	for i, c := range set {
		if !c.any() && c.nothing() {
			return set[i : i+1]
		}
	}
	kept := set[:0]
	if len(set) <= 8 {
		for _, c := range set {
			if !slices.ContainsFunc(kept, c.equal) {
				kept = append(kept, c)
			}
		}
	} else {
		seen := make(map[string]bool, len(set)) // a stranger may write very many
		for _, c := range set {
			if text := c.String(); !seen[text] {
				seen[text] = true
				kept = append(kept, c)
			}
		}
	}
	if len(kept) > 1 {
		kept = slices.DeleteFunc(kept, Comparator.any)
	}
	return kept
}

func (c Comparator) equal(d Comparator) bool {
	if c.any() || d.any() {
		return c.any() && d.any()
	}
	return c.op == d.op && c.version.String() == d.version.String()
}

// parseComparator reads an operator and a whole version, or "".
func parseComparator(word string, loose bool) (Comparator, bool) {
	if word == "" {
		return Comparator{}, true
	}
	end := scanOperator(word, 0)
	v := parse(word[end:], loose)
	if v == nil {
		return Comparator{}, false
	}
	return Comparator{op: operatorOf(word[:end]), version: v}, true
}

// looksLikeComparator tells a comparator whose numbers are too large, which
// is an error in loose mode as well, from what loose mode drops.
func looksLikeComparator(word string) bool {
	i := scanDecoration(word, scanOperator(word, 0))
	_, end := scanTriple(word, i, true, true)
	return end == len(word)
}

// stripBuilds removes all build metadata.
func stripBuilds(s string) string {
	if strings.IndexByte(s, '+') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if end := scanBuild(s, i); end >= 0 {
			i = end
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// replaceHyphen rewrites "1.2 - 3.4" as ">=1.2.0 <3.5.0-0". Only a range that
// is nothing else is a hyphen range.
func replaceHyphen(s string, o Options) string {
	if !strings.Contains(s, " - ") {
		return s
	}
	start := 0
	if s[0] == ' ' {
		start = 1
	}
	from, i := scanXRange(s, start, o.Loose, true)
	if i < 0 || !strings.HasPrefix(s[i:], " - ") {
		return s
	}
	fromText := s[start:i]
	toStart := i + len(" - ")
	to, end := scanXRange(s, toStart, o.Loose, true)
	if end < 0 || s[end:] != "" && s[end:] != " " {
		return s
	}
	toText := s[toStart:end]

	lowest := ""
	if o.IncludePrerelease {
		lowest = "-0"
	}
	var lower, upper string
	switch {
	case isX(from.major):
	case isX(from.minor):
		lower = ">=" + from.major + ".0.0" + lowest
	case isX(from.patch):
		lower = ">=" + from.major + "." + from.minor + ".0" + lowest
	case from.pre != "":
		lower = ">=" + fromText
	default:
		lower = ">=" + fromText + lowest
	}
	switch {
	case isX(to.major):
	case isX(to.minor):
		upper = "<" + next(to.major) + ".0.0-0"
	case isX(to.patch):
		upper = "<" + to.major + "." + next(to.minor) + ".0-0"
	case to.pre != "":
		upper = "<=" + to.major + "." + to.minor + "." + to.patch + "-" + to.pre
	case o.IncludePrerelease:
		upper = "<" + to.major + "." + to.minor + "." + next(to.patch) + "-0"
	default:
		upper = "<=" + toText
	}
	return js.Trim(lower + " " + upper)
}

// trimOperators removes the space between an operator and its version. What
// counts as a version here is loose or an x-range, whatever the mode.
func trimOperators(s string) string {
	if !strings.ContainsAny(s, " ") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		start := i
		if s[i] == ' ' {
			i++
		}
		op := i
		i = scanOperator(s, i)
		opEnd := i
		if i > op && i < len(s) && s[i] == ' ' {
			i++
		}
		version := i
		end := scanOperand(s, i)
		if end < 0 {
			// No version ends this run of spaces and signs, wherever in it one
			// starts to look.
			end = max(scanDecoration(s, i), start+1)
			b.WriteString(s[start:end])
			i = end
			continue
		}
		b.WriteString(s[start:opEnd])
		b.WriteString(s[version:end])
		i = end
	}
	return b.String()
}

// scanOperand reads a loose version or a strict x-range.
func scanOperand(s string, i int) int {
	if _, end := scanTriple(s, scanDecoration(s, i), true, false); end >= 0 {
		return end
	}
	_, end := scanXRange(s, i, false, false)
	return end
}

// trimTildes writes "~ 1" and "~> 1" as "~1".
func trimTildes(s string) string {
	if !strings.Contains(s, "~ ") && !strings.Contains(s, "~> ") {
		return s
	}
	// In this order: "~> " is not a "~ ".
	var b strings.Builder
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "~> "):
			b.WriteByte('~')
			i += 3
		case strings.HasPrefix(s[i:], "~ "):
			b.WriteByte('~')
			i += 2
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}

// trimCarets writes "^ 1" as "^1".
func trimCarets(s string) string { return strings.ReplaceAll(s, "^ ", "^") }

// dropInnerEmpty drops empty words except at the ends, where they mean "any":
// npm joins the words with spaces and splits them again.
func dropInnerEmpty(words []string) []string {
	first, last := 0, len(words)-1
	for first < len(words) && words[first] == "" {
		first++
	}
	for last >= 0 && words[last] == "" {
		last--
	}
	kept := words[:0]
	for i, w := range words {
		if w != "" || i < first || i > last {
			kept = append(kept, w)
		}
	}
	return kept
}

// desugar appends to words what one word means in plain comparators. What it
// can't read it leaves alone.
func desugar(words []string, word string, o Options) []string {
	if word == "" {
		return append(words, "")
	}
	switch word[0] {
	case '^':
		if p, end := scanXRange(word, 1, o.Loose, true); end == len(word) {
			return appendCaret(words, p, o)
		}
	case '~':
		start := 1
		if strings.HasPrefix(word, "~>") {
			start = 2
		}
		if p, end := scanXRange(word, start, o.Loose, true); end == len(word) {
			return appendTilde(words, p, o)
		}
	default:
		op := scanOperator(word, 0)
		if p, end := scanXRange(word, op, o.Loose, true); end == len(word) {
			return appendXRange(words, word, word[:op], p, o)
		}
	}
	return append(words, replaceStar(word))
}

func appendTilde(words []string, p parts, o Options) []string {
	lowest := ""
	if o.IncludePrerelease {
		lowest = "-0"
	}
	switch {
	case isX(p.major):
		return append(words, "")
	case isX(p.minor):
		return append(words, ">="+p.major+".0.0"+lowest, "<"+next(p.major)+".0.0-0")
	case isX(p.patch):
		return append(words, ">="+p.major+"."+p.minor+".0"+lowest, "<"+p.major+"."+next(p.minor)+".0-0")
	}
	return append(words, p.atLeast(), "<"+p.major+"."+next(p.minor)+".0-0")
}

func appendCaret(words []string, p parts, o Options) []string {
	lowest := ""
	if o.IncludePrerelease {
		lowest = "-0"
	}
	// "0" is compared as text: a loose "00" is a major version like others.
	switch {
	case isX(p.major):
		return append(words, "")
	case isX(p.minor):
		return append(words, ">="+p.major+".0.0"+lowest, "<"+next(p.major)+".0.0-0")
	case isX(p.patch):
		lower := ">=" + p.major + "." + p.minor + ".0" + lowest
		if p.major == "0" {
			return append(words, lower, "<0."+next(p.minor)+".0-0")
		}
		return append(words, lower, "<"+next(p.major)+".0.0-0")
	case p.major != "0":
		return append(words, p.atLeast(), "<"+next(p.major)+".0.0-0")
	case p.minor != "0":
		return append(words, p.atLeast(), "<0."+next(p.minor)+".0-0")
	}
	return append(words, p.atLeast(), "<0.0."+next(p.patch)+"-0")
}

// atLeast is the lower bound of a complete version, build metadata dropped.
func (p parts) atLeast() string {
	text := ">=" + p.major + "." + p.minor + "." + p.patch
	if p.pre != "" {
		text += "-" + p.pre
	}
	return text
}

// appendXRange reads an operator and a version of which parts may be missing.
func appendXRange(words []string, word, op string, p parts, o Options) []string {
	xMajor := isX(p.major)
	xMinor := xMajor || isX(p.minor)
	xPatch := xMinor || isX(p.patch)
	if xMajor && !isX(p.minor) || isX(p.minor) && !isX(p.patch) {
		return append(words, replaceStar(word)) // "*.1" and "1.x.3" have no meaning
	}
	if !xPatch {
		return append(words, word)
	}
	if xMajor {
		if op == ">" || op == "<" {
			return append(words, "<0.0.0-0")
		}
		return append(words, "")
	}
	lowest := ""
	if o.IncludePrerelease {
		lowest = "-0"
	}
	major, minor := p.major, p.minor
	if xMinor {
		minor = "0"
	}
	switch op {
	case "", "=":
		if xMinor {
			return append(words, ">="+major+".0.0"+lowest, "<"+next(major)+".0.0-0")
		}
		return append(words, ">="+major+"."+minor+".0"+lowest, "<"+major+"."+next(minor)+".0-0")
	case ">", "<=":
		// Above 1.2 is from 1.3 on, up to 1.2 is below 1.3.
		if xMinor {
			major = next(major)
		} else {
			minor = next(minor)
		}
		if op == ">" {
			op = ">="
		} else {
			op = "<"
		}
	}
	if op == "<" {
		lowest = "-0"
	}
	return append(words, op+major+"."+minor+".0"+lowest)
}

// replaceStar removes the first star with its operator.
func replaceStar(word string) string {
	star := strings.IndexByte(word, '*')
	if star < 0 {
		return word
	}
	start := star
	if start > 0 && word[start-1] == '=' {
		start--
	}
	if start > 0 && (word[start-1] == '<' || word[start-1] == '>') {
		start--
	}
	return word[:start] + word[star+1:]
}

// next adds one to a number as JavaScript does and prints: what is too large
// comes out too large, or as "1e+21", which is no number to npm.
func next(number string) string {
	if len(number) <= 15 {
		n, _ := strconv.ParseUint(number, 10, 64)
		return strconv.FormatUint(n+1, 10)
	}
	f, _ := strconv.ParseFloat(number, 64)
	f++
	if f < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
