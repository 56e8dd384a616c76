package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
)

func newViewCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "view [<package-spec>] [<field>[.<subfield>] ...]", Aliases: []string{"info", "show", "v"},
		Short:   "Show what the registry knows of a package",
		Example: "  ibid view react versions --json\n  ibid view react@18 dependencies",
	}, []string{"json", "workspace", "workspaces", "include-workspace-root"},
		func(c *cobra.Command, args []string) error { return runView(c.Context(), a, args) })
}

// runView follows npm's lib/commands/view.js.
func runView(ctx context.Context, a *App, args []string) error {
	arg, fields := ".", []string(nil)
	if len(args) > 0 {
		arg, fields = args[0], args[1:]
	}
	local := arg == "." || strings.HasPrefix(arg, ".@")
	if a.wantsWorkspaces() {
		if local {
			return viewWorkspaces(ctx, a, arg, fields)
		}
		a.log(levelWarn, "Ignoring workspaces for specified package(s)")
	}
	if local {
		if a.Config.Global() {
			return errors.New("Cannot use view command in global mode.")
		}
		m, err := manifest.ReadDir(a.Config.LocalPrefix())
		if err != nil {
			return err
		}
		if m.Name == "" {
			return errors.New(`Invalid package.json, no "name" field`)
		}
		arg = m.Name + arg[1:]
	}
	v, err := a.viewed(ctx, arg, fields)
	if err != nil {
		return err
	}
	return a.printViewed(v, "")
}

func viewWorkspaces(ctx context.Context, a *App, arg string, fields []string) error {
	p, err := a.project()
	if err != nil {
		return err
	}
	var names []string
	if a.Config.Bool("include-workspace-root") && p.manifest() != nil {
		names = append(names, p.manifest().Name)
	}
	for _, w := range p.selected {
		names = append(names, w.Name)
	}
	var doc, errs []jsjson.Member
	var failed error
	for _, name := range names {
		asked := name + arg[1:]
		if !a.json() && len(fields) > 0 {
			a.out("%s:", term.Safe(asked))
		}
		v, err := a.viewed(ctx, asked, fields)
		if errorCode(err) == "E404" {
			e := a.explained(err)
			if a.json() {
				errs = append(errs, jsjson.Member{Key: name, Value: e.json})
			} else {
				e.print(a)
			}
			failed = statusError(1)
			continue
		}
		if err != nil {
			return err
		}
		if a.json() {
			if res := v.json(); res.Truthy() {
				doc = append(doc, jsjson.Member{Key: asked, Value: res})
			}
		} else if err := a.printViewed(v, name); err != nil {
			return err
		}
	}
	if len(errs) > 0 {
		doc = append(doc, jsjson.Member{Key: "error", Value: jsjson.NewObject(errs...)})
	}
	if len(doc) > 0 {
		a.printJSON(jsjson.NewObject(doc...))
	}
	return failed
}

// view is what was asked for of one package.
type view struct {
	packument jsjson.Value // with the versions as a sorted list
	fields    []string
	versions  []string                // those that match, in the packument's order
	whole     []jsjson.Value          // packument and manifest in one, for each
	found     map[string]jsjson.Value // the fields of each version; nil without fields
}

// viewed asks the registry.
func (a *App) viewed(ctx context.Context, arg string, fields []string) (*view, error) {
	s, err := spec.Parse(arg, a.Config.LocalPrefix())
	if err != nil {
		return nil, err
	}
	target := s
	if s.Type == spec.Alias {
		target = s.Sub
	}
	if !target.Registry {
		return a.viewedElsewhere(ctx, s, fields)
	}
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	p, err := client.FreshPackument(ctx, target.Name)
	if err != nil {
		return nil, err
	}
	raw, err := p.Raw()
	if err != nil {
		return nil, err
	}
	doc, err := raw.Parse()
	if err != nil {
		return nil, err
	}
	wanted := a.Config.String("tag")
	if target.RawSpec != "*" {
		wanted = target.RawSpec
	}
	return makeView(doc, wanted, fields, a.json())
}

// viewedElsewhere makes a packument of a package.json, as pacote does.
func (a *App) viewedElsewhere(ctx context.Context, s *spec.Spec, fields []string) (*view, error) {
	m, err := a.packageManifest(ctx, s)
	if err != nil {
		return nil, err
	}
	parsed, err := manifest.Parse(jsjson.Append(nil, m, "", ""))
	if err != nil {
		return nil, err
	}
	m = normalContent(m, parsed)
	version := str(m, "version")
	// What npm notes where it has read it (pacote lib/file.js).
	tarball := jsjson.NewObject(textMember("tarball", "file:"+s.FetchSpec))
	if s.Type == spec.Directory {
		m = m.With("_integrity", jsjson.NewNull())
		tarball = tarball.With("integrity", jsjson.NewNull())
	}
	m = m.With("_resolved", jsjson.NewString(s.FetchSpec)).With("_from", jsjson.NewString(s.SaveSpec)).With("dist", tarball)
	doc := jsjson.NewObject(
		jsjson.Member{Key: "name", Value: m.Get("name")},
		jsjson.Member{Key: "dist-tags", Value: jsjson.NewObject(jsjson.Member{Key: a.Config.String("tag"), Value: jsjson.NewString(version)})},
		jsjson.Member{Key: "versions", Value: jsjson.NewObject(jsjson.Member{Key: version, Value: m})},
	)
	return makeView(doc, a.Config.String("tag"), fields, a.json())
}

func makeView(doc jsjson.Value, wanted string, fields []string, json bool) (*view, error) {
	if v := str(doc.Get("dist-tags"), wanted); v != "" {
		wanted = v
	}
	id := cmp.Or(str(doc, "_id"), str(doc, "name"))
	if u := doc.Get("time").Get("unpublished"); u.Truthy() {
		return nil, &codedError{code: "E404", text: "Unpublished on " + str(u, "time"),
			detail: []string{fmt.Sprintf("'%s' is not in this registry.", id)}}
	}
	versions := doc.Get("versions")
	doc = doc.With("versions", sortedVersions(versions))
	if !slices.Contains(fields, "readme") {
		doc = doc.Without("readme")
	}
	v := &view{packument: doc, fields: fields, found: map[string]jsjson.Value{}}
	for _, m := range versions.Members() {
		if !nodesemver.Satisfies(m.Key, wanted, true) {
			continue
		}
		all := jsjson.NewObject(slices.Concat(doc.Members(), m.Value.Members())...)
		version := str(m.Value, "version")
		v.versions = append(v.versions, version)
		v.whole = append(v.whole, all)
		for _, f := range fields {
			got, err := queryGet(all, f, !json)
			if err != nil {
				return nil, err
			}
			if len(got) > 0 {
				v.found[version] = jsjson.NewObject(slices.Concat(v.found[version].Members(), got)...)
			}
		}
	}
	if len(v.versions) == 0 && wanted != "latest" {
		return nil, &codedError{code: "E404", text: "No match found for version " + wanted,
			detail: []string{fmt.Sprintf("'%s@%s' is not in this registry.", id, wanted)},
			hints:  []string{"ibid view " + id + " versions dist-tags"}}
	}
	return v, nil
}

func sortedVersions(versions jsjson.Value) jsjson.Value {
	type pair struct {
		text string
		v    *nodesemver.Version
	}
	var all []pair
	for _, m := range versions.Members() {
		if nodesemver.Valid(m.Key, false) {
			if v, err := nodesemver.Parse(m.Key, true); err == nil {
				all = append(all, pair{m.Key, v})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return nodesemver.Compare(a.v, b.v) })
	out := make([]jsjson.Value, len(all))
	for i, p := range all {
		out[i] = jsjson.NewString(p.text)
	}
	return jsjson.NewArray(out...)
}

func (a *App) printViewed(v *view, workspace string) error {
	if a.json() {
		if res := v.json(); res.Truthy() {
			a.printJSON(res)
		}
		return nil
	}
	if len(v.fields) == 0 {
		for _, m := range v.whole {
			a.out("%s", a.ink().safe(v.pretty(m, a.ink(), a.Config.Bool("unicode"))))
		}
		return nil
	}
	if text := v.text(); text != "" {
		a.out("%s", term.Safe(text))
	}
	return nil
}

// entries gives what is to be printed of each version that has it.
func (v *view) entries() (versions []string, out [][]jsjson.Member) {
	for i, version := range v.versions {
		if slices.Contains(versions, version) {
			continue
		}
		members := v.found[version].Members()
		if len(v.fields) == 0 {
			members = v.whole[i].Members()
		} else if !v.found[version].IsObject() {
			continue
		}
		versions = append(versions, version)
		out = append(out, members)
	}
	return versions, out
}

// json gives npm's shape: a list of the versions, each an object, or the value of
// the only field. One value that is a list itself is not put into another.
func (v *view) json() jsjson.Value {
	_, entries := v.entries()
	var res []jsjson.Value
	for _, members := range entries {
		clean := make([]jsjson.Member, 0, len(members))
		for _, m := range members {
			clean = append(clean, jsjson.Member{Key: m.Key, Value: tidyPerson(m.Value)})
		}
		res = append(res, jsjson.NewObject(clean...))
	}
	if len(res) == 0 {
		return jsjson.Value{}
	}
	if first := res[0].Members(); len(first) == 1 {
		for i := range res {
			if res[i] = res[i].Get(first[0].Key); res[i].IsUndefined() && len(res) > 1 {
				res[i] = jsjson.NewNull()
			}
		}
	}
	if len(res) == 1 && (res[0].IsArray() || res[0].IsUndefined()) {
		return res[0]
	}
	return jsjson.NewArray(res...)
}

func (v *view) text() string {
	versions, entries := v.entries()
	many := len(versions) > 1
	named := false
	var lines []string
	name := cmp.Or(str(v.packument, "_id"), str(v.packument, "name"))
	for i, members := range entries {
		named = named || len(members) > 1
		for _, m := range members {
			d := tidyPerson(m.Value)
			text := d.Str()
			if many || named || !d.IsString() {
				text = inspect(d)
			}
			line := ""
			if many {
				line = name + "@" + versions[i] + " "
			}
			if named {
				line += m.Key + " = "
			}
			lines = append(lines, line+text)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// tidyPerson writes people as npm prints them: "Ann <ann@example.com>".
func tidyPerson(v jsjson.Value) jsjson.Value {
	if v.IsArray() {
		items := make([]jsjson.Value, v.Len())
		for i, item := range v.Items() {
			items[i] = tidyPerson(item)
		}
		return jsjson.NewArray(items...)
	}
	if !v.IsObject() {
		return v
	}
	email, site := v.Get("email").Truthy(), v.Get("url").Truthy()
	n := v.Len()
	if n <= 3 && v.Get("name").Truthy() &&
		(n == 1 || n == 3 && email && site || n == 2 && (email || site) || v.Get("trustedPublisher").Truthy()) {
		return jsjson.NewString(person(v, ink(false)))
	}
	return v
}

func person(v jsjson.Value, i ink) string {
	s := i.blue(v.Get("name").Text())
	if e := v.Get("email"); e.Truthy() {
		s += " <" + i.dim(e.Text()) + ">"
	}
	if u := v.Get("url"); u.Truthy() {
		s += " (" + u.Text() + ")"
	}
	return s
}

// pretty is the page that people get who ask for no field.
func (v *view) pretty(m jsjson.Value, i ink, unicode bool) string {
	p := v.packument
	deps := m.Get("dependencies").Members()
	license := licenseOf(m)
	if license == "" {
		license = "Proprietary"
	}
	painted := i.green(license)
	if strings.TrimSpace(strings.ToLower(license)) == "proprietary" {
		painted = i.red(license)
	}
	count := "none"
	if len(deps) > 0 {
		count = fmt.Sprint(len(deps))
	}
	out := []string{"", strings.Join([]string{
		i.underline(i.cyan(str(m, "name") + "@" + str(m, "version"))), painted,
		"deps: " + i.cyan(count), "versions: " + i.cyan(fmt.Sprint(p.Get("versions").Len())),
	}, " | ")}
	add := func(lines ...string) { out = append(out, lines...) }
	if d := m.Get("description"); d.Truthy() {
		add(d.Text())
	}
	site := m.Get("homepage")
	if site.Get("url").Truthy() {
		site = site.Get("url")
	}
	if site.Truthy() {
		add(i.blue(site.Text()))
	}
	if d := m.Get("deprecated"); d.Truthy() {
		sign := "!!"
		if unicode {
			sign = " ⚠️ "
		}
		add("\n" + i.paint("91", "DEPRECATED") + sign + " - " + d.Text())
	}
	if words := p.Get("keywords"); words.Len() > 0 && words.IsArray() {
		var all []string
		for _, k := range words.Items() {
			all = append(all, i.cyan(k.Text()))
		}
		add("\nkeywords: " + strings.Join(all, ", "))
	}
	if bins := m.Get("bin").Members(); len(bins) > 0 {
		var all []string
		for _, b := range bins {
			all = append(all, b.Key)
		}
		add("\nbin: " + i.cyan(strings.Join(all, ", ")))
	}
	dist := m.Get("dist")
	add("\ndist", ".tarball: "+i.blue(dist.Get("tarball").Text()), ".shasum: "+i.green(dist.Get("shasum").Text()))
	if s := dist.Get("integrity"); s.Truthy() {
		add(".integrity: " + i.green(s.Text()))
	}
	if s := dist.Get("unpackedSize"); s.Truthy() {
		add(".unpackedSize: " + i.blue(sizeText(s.Num())))
	}
	if len(deps) > 0 {
		var all []string
		for _, d := range deps[:min(24, len(deps))] {
			all = append(all, i.blue(d.Key)+": "+d.Value.Text())
		}
		add("\ndependencies:", strings.Join(all, ", "))
		if len(deps) > 24 {
			add(i.dim(fmt.Sprintf("(...and %d more.)", len(deps)-24)))
		}
	}
	if people := p.Get("maintainers").Items(); len(people) > 0 {
		add("\nmaintainers:")
		for _, u := range people {
			add("- " + person(u.Without("url"), i))
		}
	}
	tags := v.tags()
	add("\ndist-tags:")
	var all []string
	for _, t := range tags[:min(5, len(tags))] {
		all = append(all, i.blue(t.Key)+": "+t.Value.Text())
	}
	add(strings.Join(all, "\n"))
	if len(tags) > 5 {
		add(i.dim(fmt.Sprintf("(...and %d more.)", len(tags)-5)))
	}
	publisher := ""
	if u := m.Get("_npmUser"); u.Truthy() {
		publisher = person(u.Without("url"), i)
	}
	if publisher != "" || p.Get("time").Truthy() {
		line := "published"
		if t, err := time.Parse(time.RFC3339, str(p.Get("time"), str(m, "version"))); err == nil {
			line += " " + i.cyan(ago(t, time.Now()))
		}
		if publisher != "" {
			line += " by " + publisher
		}
		add("", line)
	}
	return strings.Join(out, "\n")
}

// tags gives the dist-tags, latest first, then the newest publication first.
func (v *view) tags() []jsjson.Member {
	times := v.packument.Get("time")
	at := func(m jsjson.Member) float64 {
		if m.Key == "latest" {
			return math.Inf(1)
		}
		if t, err := time.Parse(time.RFC3339, str(times, m.Value.Text())); err == nil {
			return float64(t.UnixMilli())
		}
		return 0
	}
	tags := slices.Clone(v.packument.Get("dist-tags").Members())
	slices.SortStableFunc(tags, func(a, b jsjson.Member) int {
		return cmp.Or(cmp.Compare(at(b), at(a)), cmp.Compare(b.Key, a.Key))
	})
	return tags
}

// licenseOf gives the licence a package.json names, "" for none.
func licenseOf(m jsjson.Value) string {
	l := m.Get("license")
	if l.IsObject() {
		return str(l, "type")
	}
	if !l.Truthy() {
		return ""
	}
	return l.Text()
}

// sizeText writes a size as npm does, in powers of a thousand.
func sizeText(n float64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", int64(n))
	case n < 999950:
		return fmt.Sprintf("%.1f kB", n/1000)
	case n < 999950000:
		return fmt.Sprintf("%.1f MB", n/1e6)
	}
	return fmt.Sprintf("%.1f GB", n/1e9)
}

// ago says in words how far t is from now (npm: tiny-relative-date).
func ago(t, now time.Time) string {
	const minute, hour, day, week, month, year = 60, 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400
	apart := func() int { return int(now.Sub(t).Abs().Round(time.Second).Seconds()) }
	s := apart()
	if s > day && s < week {
		// Days are counted from midnight to midnight.
		y, m, d := t.Local().Date()
		t = time.Date(y, m, d, 0, 0, 0, 0, time.Local)
		s = apart()
	}
	many := func(unit int, name string) string { return fmt.Sprintf("%d %ss", s/unit, name) }
	var words string
	switch {
	case s < 30:
		return "just now"
	case s < minute:
		words = many(1, "second")
	case s < 2*minute:
		words = "a minute"
	case s < hour:
		words = many(minute, "minute")
	case s < 2*hour:
		words = "an hour"
	case s < day:
		words = many(hour, "hour")
	case s < 2*day:
		if now.Before(t) {
			return "tomorrow"
		}
		return "yesterday"
	case s < week:
		words = many(day, "day")
	case s < 2*week:
		words = "a week"
	case s < month:
		words = many(week, "week")
	case s < 2*month:
		words = "a month"
	case s < year:
		words = many(month, "month")
	case s < 2*year:
		words = "a year"
	default:
		words = "over a year"
	}
	if now.Before(t) {
		return words + " from now"
	}
	return words + " ago"
}
