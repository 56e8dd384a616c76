package linker

import (
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/lockfile"
)

func TestAPatchThatComesOrGoesLaysThePackageOutAnew(t *testing.T) {
	with := func(integrity string) *lockfile.Lockfile {
		l := lock("a@1.0.0", "b@1.0.0")
		if integrity != "" {
			l.Packages[0].Patched = jsjson.Raw(`{"path": "patches/a.patch", "integrity": "` + integrity + `"}`)
		}
		return l
	}
	for _, c := range []struct {
		name     string
		old, new string
		again    map[lockfile.Location]bool
		changed  int
	}{
		{name: "no patch", changed: 0},
		{name: "the same patch", old: "sha512-1", new: "sha512-1", changed: 0},
		{name: "a patch comes", new: "sha512-1", changed: 1},
		{name: "a patch goes", old: "sha512-1", changed: 1},
		{name: "a patch changes", old: "sha512-1", new: "sha512-2", changed: 1},
		{name: "nobody knows whether a patch was there", again: map[lockfile.Location]bool{"node_modules/a": true}, changed: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p := NewPlan(with(c.old), with(c.new), Options{Again: c.again}); p.Changed != c.changed || p.Added+p.Removed > 0 {
				t.Errorf("%d packages change, %d expected", p.Changed, c.changed)
			}
		})
	}
}
