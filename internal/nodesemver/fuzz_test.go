package nodesemver

import "testing"

var seeds = []string{
	"", "*", "1.2.3", "v1.2.3-beta.1+b", "^1.2.3 || ~2.x", ">= 1.2.3 < 2", "1 - 2.3", "1.2.34.b", "~> 1", "> = 1",
	"<0.0.0-0", "1.2.3-", "= v1", "x.1", "^0.0.1-a", "9007199254740991.0.0", "||", "1.2.3\u00a0- 2", "*.* <=*", "+a.b",
}

// A version reads back as itself and compares with itself as equal.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, loose := range []bool{false, true} {
			v := parse(s, loose)
			if v == nil {
				continue
			}
			again := parse(v.String(), loose)
			if again == nil {
				if len(v.String()) > maxLength || hasLeadingZero(v.Prerelease()) {
					continue // loose text may get longer, or keep what strict text can't have
				}
				t.Fatalf("%q is %q, which is no version", s, v)
			}
			if again.String() != v.String() || Compare(v, again) != 0 {
				t.Fatalf("%q is %q is %q", s, v, again)
			}
			if !loose && parse(s, true) == nil {
				t.Fatalf("%q is strict but not loose", s)
			}
		}
		Coerce(s, Options{IncludePrerelease: true})
	})
}

// A range matches its lowest version and is part of itself. That it reads back
// as itself is not so: npm takes "00" for >=0.0.0 <1.0.0-0, and that for less.
func FuzzParseRange(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, "1.2.3")
		f.Add(s, "1.2.3-beta")
	}
	f.Fuzz(func(t *testing.T, s, version string) {
		v := parse(version, true)
		for _, o := range modes {
			r, err := ParseRange(s, o)
			if IsRange(s, o) != (err == nil) {
				t.Fatalf("%q: IsRange is wrong", s)
			}
			if err != nil {
				continue
			}
			if r.String() == "" {
				t.Fatalf("%q has no text", s)
			}
			if low := r.MinVersion(); low != nil && !r.Match(low) {
				t.Fatalf("%q does not match its lowest version %s", s, low)
			}
			if !Subset(r, r) {
				t.Fatalf("%q is not part of itself", s)
			}
			Intersects(r, r)
			if v != nil {
				r.Above(v)
				r.Below(v)
			}
		}
	})
}
