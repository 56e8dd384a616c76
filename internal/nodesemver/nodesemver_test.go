package nodesemver

import "testing"

func TestSmoke(t *testing.T) {
	for _, c := range [][2]string{{"^1.2.3", ">=1.2.3 <2.0.0-0"}, {"> = 1", ">=1.0.0 <2.0.0-0"}, {"1.2 - 3.4 || 5", ">=1.2.0 <3.5.0-0||>=5.0.0 <6.0.0-0"}, {"", "*"}, {"~ 1.2.3beta", ">=1.2.3-beta <1.3.0-0"}} {
		got, ok := ValidRange(c[0], Options{Loose: true})
		if !ok || got != c[1] {
			t.Errorf("%q: %q %v", c[0], got, ok)
		}
	}
}
