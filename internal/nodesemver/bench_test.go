package nodesemver

import "testing"

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{"1.2.3", "18.3.0-canary-12345abc-20240101", "v1.2.3"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parse(s, true)
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, p := range [][2]string{{"1.2.3", "1.2.4"}, {"1.2.3-beta.9", "1.2.3-beta.10"}} {
		x, y := parse(p[0], true), parse(p[1], true)
		b.Run(p[0], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Compare(x, y)
			}
		})
	}
}

func BenchmarkParseRange(b *testing.B) {
	for _, s := range []string{"^1.2.3", "~1.2", "*", "^16.8.0 || ^17.0.0 || ^18.0.0", ">= 1.2.3 < 2", "1.2 - 3"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = ParseRange(s, Options{Loose: true})
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	v := parse("18.2.0", true)
	for _, s := range []string{"^18.0.0", "^16.8.0 || ^17.0.0 || ^18.0.0"} {
		r, err := ParseRange(s, Options{Loose: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Match(v)
			}
		})
	}
}
