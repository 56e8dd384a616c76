package nodesemver

// The scanners below are node-semver's grammar (internal/re.js), one function
// per production. Each takes a text and an offset and returns the offset after
// the match that a backtracking regular expression finds first, or -1. They
// hardly ever look back, so they are linear.

// maxDigits and maxIdentifier are node-semver's limits for one number and one
// identifier; longer runs don't match.
const (
	maxDigits     = 256
	maxIdentifier = 250
)

// operator is the comparison in front of a version. Its zero value is the
// empty operator, which means "equal".
type operator uint8

const (
	opEqual operator = iota
	opGT
	opGE
	opLT
	opLE
)

func (op operator) String() string {
	switch op {
	case opGT:
		return ">"
	case opGE:
		return ">="
	case opLT:
		return "<"
	case opLE:
		return "<="
	}
	return ""
}

// scanOperator reads "", "=", "<", "<=", ">" or ">=" and says where it ends.
func scanOperator(s string, i int) int {
	if i < len(s) && (s[i] == '<' || s[i] == '>') {
		i++
	}
	if i < len(s) && s[i] == '=' {
		i++
	}
	return i
}

func operatorOf(s string) operator {
	switch s {
	case ">":
		return opGT
	case ">=":
		return opGE
	case "<":
		return opLT
	case "<=":
		return opLE
	}
	return opEqual
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isIdentByte(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-'
}

// scanNumber reads a numeric identifier. Strictly, a leading zero ends it.
func scanNumber(s string, i int, loose bool) int {
	if i >= len(s) || !isDigit(s[i]) {
		return -1
	}
	if !loose && s[i] == '0' {
		return i + 1
	}
	start := i
	for i < len(s) && isDigit(s[i]) && i-start < maxDigits {
		i++
	}
	return i
}

// scanDotted reads a dotted list of identifiers, each read by one.
func scanDotted(s string, i int, one func(string, int) int) int {
	end := one(s, i)
	if end < 0 {
		return -1
	}
	for end < len(s) && s[end] == '.' {
		next := one(s, end+1)
		if next < 0 {
			break
		}
		end = next
	}
	return end
}

func scanPrereleaseIDStrict(s string, i int) int { return scanPrereleaseID(s, i, false) }
func scanPrereleaseIDLoose(s string, i int) int  { return scanPrereleaseID(s, i, true) }

// scanPrereleaseID reads one identifier of a prerelease: a number, or a word
// with at least one letter or hyphen.
func scanPrereleaseID(s string, i int, loose bool) int {
	digits := i
	for digits < len(s) && isDigit(s[digits]) && digits-i < maxDigits {
		digits++
	}
	if digits < len(s) && isIdentByte(s[digits]) && !isDigit(s[digits]) {
		end := digits + 1
		for end < len(s) && isIdentByte(s[end]) && end-digits <= maxIdentifier {
			end++
		}
		return end
	}
	return scanNumber(s, i, loose)
}

// scanPrerelease reads a prerelease with its hyphen and returns where its
// identifiers start and end. Loosely the hyphen may be missing, and a hyphen
// with nothing behind it is itself an identifier.
func scanPrerelease(s string, i int, loose bool) (start, end int) {
	if !loose {
		if i >= len(s) || s[i] != '-' {
			return i, -1
		}
		return i + 1, scanDotted(s, i+1, scanPrereleaseIDStrict)
	}
	if i < len(s) && s[i] == '-' {
		if end := scanDotted(s, i+1, scanPrereleaseIDLoose); end >= 0 {
			return i + 1, end
		}
	}
	return i, scanDotted(s, i, scanPrereleaseIDLoose)
}

func scanBuildID(s string, i int) int {
	start := i
	for i < len(s) && isIdentByte(s[i]) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// scanBuild reads build metadata with its plus sign.
func scanBuild(s string, i int) int {
	if i >= len(s) || s[i] != '+' {
		return -1
	}
	return scanDotted(s, i+1, scanBuildID)
}

// parts is the text of a version or of an x-range. What is absent is empty.
type parts struct {
	major, minor, patch string
	pre, build          string
}

// scanTail reads what follows a patch number: optional prerelease, optional
// build. The number ends at i.
//
// Where the match must reach the end of a word (whole), a loose number gives
// back its last digit if a dot follows it: "1.2.34.b" is 1.2.3-4.b.
func (p *parts) scanTail(s string, i int, loose, whole bool) int {
	if loose && whole && i < len(s) && s[i] == '.' && len(p.patch) > 1 {
		p.patch = p.patch[:len(p.patch)-1]
		i--
	}
	if start, end := scanPrerelease(s, i, loose); end >= 0 {
		p.pre = s[start:end]
		i = end
	}
	if end := scanBuild(s, i); end >= 0 {
		p.build = s[i+1 : end]
		i = end
	}
	return i
}

// scanTriple reads major.minor.patch and what follows it.
func scanTriple(s string, i int, loose, whole bool) (p parts, end int) {
	for n, field := range [3]*string{&p.major, &p.minor, &p.patch} {
		if n > 0 {
			if i >= len(s) || s[i] != '.' {
				return p, -1
			}
			i++
		}
		end := scanNumber(s, i, loose)
		if end < 0 {
			return p, -1
		}
		*field = s[i:end]
		i = end
	}
	return p, p.scanTail(s, i, loose, whole)
}

// scanDecoration skips what loose versions and all x-ranges allow in front: a
// run of "v", "=" and white space.
func scanDecoration(s string, i int) int {
	for i < len(s) {
		if s[i] == 'v' || s[i] == '=' {
			i++
			continue
		}
		n := spaceAt(s, i)
		if n == 0 {
			break
		}
		i += n
	}
	return i
}

// scanXPart reads a number or one of the wild cards x, X and *.
func scanXPart(s string, i int, loose bool) int {
	if i < len(s) && (s[i] == 'x' || s[i] == 'X' || s[i] == '*') {
		return i + 1
	}
	return scanNumber(s, i, loose)
}

// scanXRange reads a version of which parts may be missing or wild.
func scanXRange(s string, i int, loose, whole bool) (p parts, end int) {
	i = scanDecoration(s, i)
	end = scanXPart(s, i, loose)
	if end < 0 {
		return p, -1
	}
	p.major = s[i:end]
	for n, field := range [2]*string{&p.minor, &p.patch} {
		if end >= len(s) || s[end] != '.' {
			return p, end
		}
		next := scanXPart(s, end+1, loose)
		if next < 0 {
			return p, end
		}
		*field = s[end+1 : next]
		end = next
		if n == 1 {
			end = p.scanTail(s, end, loose, whole)
		}
	}
	return p, end
}

// isX reports whether a part is missing or wild.
func isX(part string) bool {
	return part == "" || part == "x" || part == "X" || part == "*"
}
