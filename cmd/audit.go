package cmd

import (
	"context"
	"sort"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/registry"
)

// bulkAdvisories asks the registry which advisories there are for versions of
// packages; the answer has a list for each name that has any.
func (a *App) bulkAdvisories(ctx context.Context, packages map[string][]string) (jsjson.Value, error) {
	client, err := a.client()
	if err != nil {
		return jsjson.Value{}, err
	}
	names := make([]string, 0, len(packages))
	for name := range packages {
		names = append(names, name)
	}
	sort.Strings(names)
	w := jsjson.NewWriter(nil, "", "")
	w.Object()
	for _, name := range names {
		w.Key(name)
		w.Array()
		for _, v := range packages[name] {
			w.Str(v)
		}
		w.End()
	}
	w.End()
	res, err := client.Do(ctx, registry.Request{
		Method: "POST", URL: "/-/npm/v1/security/advisories/bulk", Registry: a.Config.Registry(""), Body: w.Bytes(), Gzip: true,
	})
	if err != nil {
		return jsjson.Value{}, err
	}
	return jsjson.Parse(res.Body)
}
