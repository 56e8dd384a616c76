package main

import (
	"strings"
	"testing"
	"time"
)

func TestEarlierRunsStay(t *testing.T) {
	r := report{Commit: "abc"}
	one := func(who string, wall time.Duration) cell {
		return cell{Contender: who, Row: "cold", Runs: []measure{{Wall: wall}}}
	}
	at := &table{When: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Cells: []cell{one("ibid", time.Second), one("bun", 2*time.Second)}}
	var first, second strings.Builder
	r.times(&first, at, "# Benchmarks\n")
	r.Commit = "def"
	r.times(&second, at, "# Benchmarks\n"+first.String()+"\n## Growth\n\n| 2 | not | this |\n")
	const want = "| 2026-01-02 03:04 UTC | abc | 0.50 |\n| 2026-01-02 03:04 UTC | def | 0.50 |\n"
	if !strings.HasSuffix(second.String(), want) || strings.Count(second.String(), "\n| 2") != 2 {
		t.Errorf("got %s", second.String())
	}
}
