package resolver

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/lockfile"
)

// Random registries and projects: what is decided without a conflict must
// work for require, and be the same when it is loaded from its own lock.
func TestRandomProjects(t *testing.T) {
	decided := 0
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		names := make([]string, 4+rnd.IntN(10))
		for i := range names {
			names[i] = string(rune('a'+i)) + strings.Repeat("x", i%2)
		}
		ranges := []string{"1", "2", "^1", "1||2", "*", ">=1", "^2", "~1.1", "3"}
		// wishes gives so many dependencies, of each name one at most.
		wishes := func(n int, kinds ...string) string {
			s := ""
			for _, i := range rnd.Perm(len(names))[:n] {
				s += " " + kinds[rnd.IntN(len(kinds))] + names[i] + "@" + ranges[rnd.IntN(len(ranges))]
			}
			return s
		}
		var text strings.Builder
		for _, name := range names {
			for _, v := range []string{"1.0.0", "1.1.0", "2.0.0", "3.0.0"}[:1+rnd.IntN(4)] {
				fmt.Fprintf(&text, "%s@%s", name, v)
				text.WriteString(wishes(rnd.IntN(4), "", "", "", "peer:", "peer?:", "opt:"))
				text.WriteString("\n")
			}
		}
		deps := wishes(1+rnd.IntN(4), "", "", "dev:", "opt:", "peer:")
		fail := func(format string, args ...any) {
			t.Helper()
			t.Errorf("seed %d: install %s from\n%s%s", seed, deps, text.String(), fmt.Sprintf(format, args...))
		}

		stuck := time.AfterFunc(5*time.Minute, func() {
			panic(fmt.Sprintf("seed %d: install %s from\n%s does not end", seed, deps, text.String()))
		})
		r := newToy(t, text.String())
		req := project(t, deps)
		req.PreferDedupe = rnd.IntN(4) == 0
		if rnd.IntN(5) == 0 {
			req.Strategy = Nested
		}
		res, err := r.resolve(req)
		stuck.Stop()
		if err != nil {
			if code := codeOf(err); code != "ERESOLVE" && code != "ETARGET" && code != "E404" {
				fail("%v", err)
			}
			continue
		}
		if len(res.Warnings) > 0 {
			continue // conflicts that were let pass
		}
		decided++
		// With prefer-dedupe npm, too, loses dependencies in such tangles.
		if problems := checkRequire(res.Tree, false); len(problems) > 0 && !req.PreferDedupe {
			fail("%s\nrequire: %v", draw(res.Tree), problems)
		}
		if strings.Contains(draw(res.Tree), "extraneous") {
			continue // pruned when it is loaded
		}
		lock := res.Lockfile().Encode()
		again, err := lockfile.Parse(lock, "package-lock.json")
		if err != nil {
			fail("%v", err)
			continue
		}
		req.Lock = again
		res2, err := r.resolve(req)
		if err != nil {
			fail("again: %v", err)
			continue
		}
		if got := res2.Lockfile().Encode(); string(got) != string(lock) {
			fail("first\n%s\nagain\n%s", draw(res.Tree), draw(res2.Tree))
		}
	}
	if decided < 50 {
		t.Errorf("only %d of the projects came out", decided)
	}
}
