package cmd

import (
	"context"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newStageCmd(a *App) *cobra.Command {
	c := declare(&cobra.Command{
		Use:   "stage",
		Short: "Upload packages that a person approves before they are published",
		Long: "CI stages, without a one-time password; a person looks at what was staged, and approves or rejects it\n" +
			"with theirs.",
		Example: "  ibid stage publish\n  ibid stage list\n  ibid stage download 8b9b3f4e-1c2d-4e5f-8a9b-0c1d2e3f4a5b\n  ibid stage approve 8b9b3f4e-1c2d-4e5f-8a9b-0c1d2e3f4a5b",
	}, nil, func(c *cobra.Command, _ []string) error { return a.usage(c, "") })
	add := func(use, short string, keys []string, run func(ctx context.Context, c *cobra.Command, args []string) error) {
		c.AddCommand(declare(&cobra.Command{Use: use, Short: short}, keys,
			func(c *cobra.Command, args []string) error { return run(c.Context(), c, args) }))
	}
	publishKeys := []string{"tag", "access", "dry-run", "otp", "workspace", "workspaces", "include-workspace-root", "provenance", "json", "ignore-scripts"}
	add("publish [<package-spec>]", "Stage a package", publishKeys, func(ctx context.Context, c *cobra.Command, args []string) error {
		return (&publisher{app: a, stage: true}).run(ctx, c, args)
	})
	add("list [<package-spec>]", "List what is staged", []string{"json", "registry"}, func(ctx context.Context, c *cobra.Command, args []string) error {
		return a.listStaged(ctx, c, args)
	})
	for _, x := range []struct {
		verb, short string
		keys        []string
		run         func(ctx context.Context, id string) error
	}{
		{"view", "Show what is staged under an id", []string{"json", "registry"}, a.viewStaged},
		{"approve", "Publish what is staged under an id", []string{"otp", "registry"}, a.approveStaged},
		{"reject", "Remove what is staged under an id", []string{"otp", "registry"}, a.rejectStaged},
		{"download", "Download the tarball that is staged under an id", []string{"json", "registry"}, a.downloadStaged},
	} {
		add(x.verb+" <stage-id>", x.short, x.keys, func(ctx context.Context, c *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return a.usage(c, "Missing required <stage-id>")
			case len(args) > 1:
				return a.usage(c, unknownWords(args[1:]))
			}
			if err := checkUUID(args[0], "stage-id"); err != nil {
				return err
			}
			return x.run(ctx, args[0])
		})
	}
	return c
}

func unknownWords(words []string) string {
	plural := ""
	if len(words) > 1 {
		plural = "s"
	}
	return "Unknown positional argument" + plural + ": " + strings.Join(words, ", ")
}

// checkUUID refuses what is no UUID: it becomes part of an address.
func checkUUID(value, name string) error {
	ok := len(value) == len("01234567-0123-0123-0123-0123456789ab")
	for i := 0; ok && i < len(value); i++ {
		switch i {
		case 8, 13, 18, 23:
			ok = value[i] == '-'
		default:
			ok = strings.IndexByte("0123456789abcdefABCDEF", value[i]) >= 0
		}
	}
	if !ok {
		return &codedError{text: name + " must be a valid UUID"}
	}
	return nil
}

// upload sends the package to the registry, to be published at once or to be
// staged. Staging never asks for a one-time password: whoever approves has one.
func (r *release) upload(ctx context.Context) error {
	a, name := r.app, r.contents.name
	bundle, err := r.provenance(ctx)
	if err != nil {
		return err
	}
	body, err := r.document(bundle)
	if err != nil {
		return err
	}
	q := registry.Request{Method: "PUT", URL: registry.EscapeName(name), Registry: r.registry, Package: name, Body: body}
	if !r.publisher.stage {
		_, err := a.ask2FA(ctx, q)
		return err
	}
	q.Method, q.URL = "POST", "/-/stage/package/"+registry.EscapeName(name)
	v, err := a.api(ctx, q)
	if err != nil {
		return err
	}
	if id := v.Get("stageId"); id.IsString() {
		r.stageID = id.Str()
	}
	return nil
}

// tellUploaded says that it is done.
func (r *release) tellUploaded() {
	a, id := r.app, term.SafeLine(r.contents.id())
	switch {
	case !r.publisher.stage:
		a.out("+ %s", id)
		return
	case r.stageID != "":
		a.out("+ %s (staged with id %s)", id, term.SafeLine(r.stageID))
	default:
		a.out("+ %s (staged)", id)
	}
	a.logPrefixed(levelNotice, "stage", "package "+id+" has been staged with tag "+term.SafeLine(r.tag))
}

// staged is a request for what is staged under an id; "" asks for all.
func (a *App) staged(method, id, rest string) registry.Request {
	r := registry.Request{Method: method, URL: "/-/stage", Registry: a.Config.String("registry")}
	if id != "" {
		r.URL += "/" + id + rest
	}
	return r
}

func (a *App) listStaged(ctx context.Context, c *cobra.Command, args []string) error {
	only := ""
	if len(args) > 0 {
		s, err := spec.Parse(args[0], a.Config.Cwd())
		if err != nil {
			return err
		}
		if s.RawSpec != "*" {
			return a.usage(c, "Version specifiers are not supported for listing staged packages")
		}
		only = s.Name
	}
	items, err := a.stagedItems(ctx, only)
	if err != nil {
		return err
	}
	switch {
	case a.json():
		a.printJSONText(jsjson.Append(nil, jsjson.NewArray(items...), "  ", "\n"))
	case len(items) == 0 && only != "":
		a.out("No staged versions of package name \"%s\".", term.SafeLine(only))
	case len(items) == 0:
		a.out("No staged packages found.")
	default:
		for i, item := range items {
			if i > 0 {
				a.out("")
			}
			a.tellStaged(item)
		}
	}
	return nil
}

// stagedItems asks for one page after the other, as long as there is more. A
// registry that goes on without end is not believed.
func (a *App) stagedItems(ctx context.Context, only string) ([]jsjson.Value, error) {
	const perPage, most = 100, 1000
	var items []jsjson.Value
	for page := 0; page < most; page++ {
		r := a.staged("GET", "", "")
		// The order of the query is npm's.
		r.URL += "?page=" + strconv.Itoa(page) + "&perPage=" + strconv.Itoa(perPage)
		if only != "" {
			r.URL += "&package=" + url.QueryEscape(only)
		}
		v, err := a.api(ctx, r)
		if err != nil {
			return nil, err
		}
		some := v.Get("items")
		if !some.IsArray() {
			return nil, &codedError{text: "the registry's answer has no list of what is staged"}
		}
		items = append(items, some.Items()...)
		if total := v.Get("total"); total.Kind() == jsjson.Number && float64(len(items)) >= total.Num() || len(some.Items()) < perPage {
			break
		}
	}
	return items, nil
}

func (a *App) viewStaged(ctx context.Context, id string) error {
	item, err := a.api(ctx, a.staged("GET", id, ""))
	if err != nil {
		return err
	}
	if a.json() {
		a.printJSONText(jsjson.Append(nil, item, "  ", "\n"))
		return nil
	}
	a.tellStaged(item)
	return nil
}

// tellStaged shows a staged package (npm: lib/utils/key-values.js).
func (a *App) tellStaged(item jsjson.Value) {
	i := a.ink()
	line := func(key, value string) {
		a.out("%s: %s", i.cyan(term.SafeLine(key)), i.green(term.SafeLine(value)))
	}
	known := []jsjson.Member{
		{Key: "id"}, {Key: "packageName", Value: jsjson.NewString("package name")}, {Key: "version"}, {Key: "status"}, {Key: "tag"},
		{Key: "createdAt", Value: jsjson.NewString("date staged")}, {Key: "actor", Value: jsjson.NewString("staged by")}, {Key: "shasum"},
	}
	isKnown := map[string]bool{"actorType": true}
	for _, k := range known {
		isKnown[k.Key] = true
		v := item.Get(k.Key)
		if v.Kind() <= jsjson.Null {
			continue
		}
		name, value := k.Key, v.Text()
		if k.Value.IsString() {
			name = k.Value.Str()
		}
		if kind := item.Get("actorType"); k.Key == "actor" && kind.Truthy() {
			value += " (" + kind.Text() + ")"
		}
		line(name, value)
	}
	for _, m := range item.Members() {
		if !isKnown[m.Key] && m.Value.Kind() > jsjson.Null {
			line(m.Key, m.Value.Text())
		}
	}
}

func (a *App) approveStaged(ctx context.Context, id string) error {
	a.log(levelNotice, "Approving staged package "+id)
	if _, err := a.ask2FA(ctx, a.staged("POST", id, "/approve")); err != nil {
		return err
	}
	a.out("Staged package %s approved and published successfully.", id)
	return nil
}

func (a *App) rejectStaged(ctx context.Context, id string) error {
	a.log(levelNotice, "Rejecting staged package "+id)
	a.log(levelWarn, "Rejecting will permanently delete this staged publish record and tarball from the registry.")
	if _, err := a.ask2FA(ctx, a.staged("DELETE", id, "")); err != nil {
		return err
	}
	a.out("Staged package %s has been rejected.", id)
	return nil
}

// downloadStaged writes the tarball to the current folder. The registry chooses
// the package's name, and so part of the file's: it must be one.
func (a *App) downloadStaged(ctx context.Context, id string) error {
	a.log(levelNotice, "Downloading staged package "+id)
	r := a.staged("GET", id, "/tarball")
	r.MaxBody = maxTarball
	res, err := a.send(ctx, r)
	if err != nil {
		return err
	}
	m, err := packedManifest(res.Body)
	if err != nil {
		return err
	}
	name, version := m.Get("name").Text(), m.Get("version").Text()
	contents, err := readContents(name, version, res.Body)
	if err != nil {
		return err
	}
	file := strings.Replace(strings.Replace(name, "@", "", 1), "/", "-", 1) + "-" + version + "-" + id + ".tgz"
	if file != filepath.Base(file) || strings.ContainsAny(file, `/\:`) || !filepath.IsLocal(file) {
		return &codedError{code: "EINVALIDPACKAGENAME", text: "the tarball's package.json has a name or version that cannot be part of a file's name: " + term.SafeLine(name+"@"+version)}
	}
	if a.json() {
		a.printJSONText(jsjson.Append(nil, jsjson.NewObject(jsjson.Member{Key: name, Value: contents.json()}), "  ", "\n"))
	} else {
		a.tellContents(contents)
	}
	if err := writeOwn(filepath.Join(a.Config.Cwd(), file), res.Body); err != nil {
		return err
	}
	if !a.json() {
		a.out("%s", term.SafeLine(file))
	}
	return nil
}

// packedManifest is the package.json of a tarball.
func packedManifest(tgz []byte) (jsjson.Value, error) {
	archive, err := tarball.Read(tgz, tarball.Options{})
	if err != nil {
		return jsjson.Value{}, err
	}
	for _, e := range archive.Files {
		if e.Path == "package.json" {
			return jsjson.Parse(archive.Content(e))
		}
	}
	return jsjson.Value{}, &codedError{text: "Could not read package.json from tarball"}
}
