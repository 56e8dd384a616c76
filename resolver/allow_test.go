package resolver

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
)

// watched notes whatever it is asked for.
type watched struct{ asked []string }

func (w *watched) Manifest(_ context.Context, s *spec.Spec, _ Wish) (*Fetched, error) {
	w.asked = append(w.asked, s.String())
	return nil, errors.New("asked")
}

func (w *watched) Content(context.Context, Wanted) (fs.FS, error) { return nil, errors.New("asked") }

func TestWhatIsNotAllowedIsNotAskedFor(t *testing.T) {
	for _, arg := range []string{
		"github:u/p", "name@github:u/p", "git+https://example.com/x.git", "https://example.com/x.tgz", "name@https://example.com/x.tgz",
	} {
		w := &watched{}
		_, err := Resolve(t.Context(), w, Request{
			Dir: t.TempDir(), Manifest: &manifest.Manifest{Name: "app", Version: "1.0.0"}, Add: []string{arg},
			AllowGit: AllowNone, AllowRemote: AllowNone,
		})
		var refused *AllowError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", arg, err)
		}
		if len(w.asked) > 0 {
			t.Errorf("%s: asked for %v", arg, w.asked)
		}
	}
}
