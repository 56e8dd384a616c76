package nodesemver

// maxCoerced is how many digits a number may have that Coerce picks.
const maxCoerced = 16

// Coerce finds the first thing in a text that could be a version: "v2" and
// "release 1.2" have one. With IncludePrerelease, prerelease and build belong
// to it (npm: functions/coerce.js, left to right). Nil if there is none.
func Coerce(s string, o Options) *Version {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) || i > 0 && isDigit(s[i-1]) {
			continue
		}
		if p, ok := scanCoercible(s, i, o.IncludePrerelease); ok {
			text := p.major + "." + p.minor + "." + p.patch
			if p.pre != "" {
				text += "-" + p.pre
			}
			if p.build != "" {
				text += "+" + p.build
			}
			return parse(text, o.Loose)
		}
	}
	return nil
}

// scanCoercible reads up to three numbers. One that is too long ends the match
// before its dot, and spoils it where it is the first.
func scanCoercible(s string, i int, full bool) (p parts, ok bool) {
	p = parts{minor: "0", patch: "0"}
	end := scanCoercedNumber(s, i)
	if end < 0 {
		return p, false
	}
	p.major = s[i:end]
	for _, field := range [2]*string{&p.minor, &p.patch} {
		if end >= len(s) || s[end] != '.' {
			break
		}
		next := scanCoercedNumber(s, end+1)
		if next < 0 {
			break
		}
		*field = s[end+1 : next]
		end = next
	}
	if !full {
		return p, true
	}
	// A digit right after a prerelease ("-01") means that its last identifier
	// was not one.
	if end < len(s) && s[end] == '-' {
		for start, at := end+1, end+1; ; {
			next := scanPrereleaseIDStrict(s, at)
			if next < 0 || next < len(s) && isDigit(s[next]) {
				break
			}
			p.pre, end = s[start:next], next
			if next >= len(s) || s[next] != '.' {
				break
			}
			at = next + 1
		}
	}
	if next := scanBuild(s, end); next >= 0 {
		p.build = s[end+1 : next]
	}
	return p, true
}

func scanCoercedNumber(s string, i int) int {
	start := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == start || i-start > maxCoerced {
		return -1
	}
	return i
}
