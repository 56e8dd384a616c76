package resolver

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkFlatTree decides trees of packages that all end up side by side, each
// wanted by a few others: the time for one must not grow with their number.
func BenchmarkFlatTree(b *testing.B) {
	for _, size := range []int{500, 2000, 8000} {
		var text, root strings.Builder
		for i := range size {
			fmt.Fprintf(&text, "p%d@1.0.0 p%d@1 p%d@1 p%d@1\n", i, (i+1)%size, (i*7+3)%size, (i*13+5)%size)
			if i%50 == 0 {
				fmt.Fprintf(&root, " p%d@1", i)
			}
		}
		r := newToy(b, text.String())
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				if _, err := r.resolve(project(b, root.String())); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/package")
		})
	}
}
