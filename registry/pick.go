package registry

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// PickOptions says what decides between versions that fit. The zero value is
// npm's default without a date and without knowing node.
type PickOptions struct {
	DefaultTag string    // tag; "" is "latest"
	Before     time.Time // versions published later don't count; zero is no limit

	// NodeVersion and NPMVersion are what "engines" is held against; "" holds
	// it against nothing. A mismatch only makes a version less welcome.
	NodeVersion string
	NPMVersion  string

	// Avoid is a range of versions to take only when nothing else fits. With
	// AvoidStrict versions outside the wanted range are looked at then.
	Avoid       string
	AvoidStrict bool

	IncludeStaged bool // versions that are staged but not published count too
}

// Picked is the version that PickVersion chose.
type Picked struct {
	Version  string // its key in the packument
	Manifest *manifest.Manifest

	ShouldAvoid            bool // it is one to avoid, but nothing else fits
	OutsideDependencyRange bool // AvoidStrict left the range
	IsSemVerMajor          bool // and the major version with it
}

// PickVersion chooses a version of p for wanted: the one that npm would install
// (npm: npm-pick-manifest). A range takes the default tag's version when that
// satisfies it, even if a higher one does as well. The answer is remembered:
// the same question gives the same *Picked. Errors are *PickError.
func PickVersion(p *Packument, wanted *spec.Spec, o PickOptions) (*Picked, error) {
	s := wanted
	if s.Type == spec.Alias && s.Sub != nil {
		s = s.Sub
	}
	return PickText(p, s.FetchSpec, o)
}

// PickText is PickVersion for the text of a version, range or tag.
func PickText(p *Packument, wanted string, o PickOptions) (*Picked, error) {
	if o.DefaultTag == "" {
		o.DefaultTag = "latest"
	}
	key := pickKey{wanted, o}
	if a, ok := p.picks.get(key); ok {
		return a.picked, a.err
	}
	picked, err := pick(p, wanted, o)
	return p.picks.put(key, pickAnswer{picked, err})
}

type pickKey struct {
	wanted string
	o      PickOptions
}

type pickAnswer struct {
	picked *Picked
	err    error
}

// pickMemo remembers answers: a popular package is asked for with the same
// range by many dependents.
type pickMemo struct {
	mu      sync.Mutex
	answers map[pickKey]pickAnswer
}

func (m *pickMemo) get(k pickKey) (pickAnswer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.answers[k]
	return a, ok
}

// put keeps the first answer, so that every caller has the same one.
func (m *pickMemo) put(k pickKey, a pickAnswer) (*Picked, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.answers[k]; ok {
		return old.picked, old.err
	}
	if m.answers == nil {
		m.answers = map[pickKey]pickAnswer{}
	}
	m.answers[k] = a
	return a.picked, a.err
}

func pick(p *Packument, wanted string, o PickOptions) (*Picked, error) {
	if !o.Before.IsZero() || p.index.oddTimes {
		if p.timeMap(); p.timesErr != nil {
			return nil, p.timesErr
		}
	}
	picked, err := (&picker{p: p, o: o, wanted: wanted}).pick(wanted)
	if err != nil {
		return nil, err
	}
	restrictions := p.extras()
	if picked != nil && !restrictions.isRestricted(picked.Manifest.Version) {
		return picked, nil
	}
	e := newPickError("ETARGET", p, wanted, o)
	if picked != nil {
		e.ErrCode = "E403"
		e.Policy = Clean(restrictions.message)
	}
	return nil, e
}

// picker holds one question while it is answered.
type picker struct {
	p      *Packument
	o      PickOptions
	wanted string
}

// pick gives nil where nothing fits.
func (k *picker) pick(wanted string) (*Picked, error) {
	if k.o.AvoidStrict {
		return k.strict(wanted)
	}
	p, o := k.p, k.o
	w := p.wishes.get(wanted)
	r := w.r
	switch {
	case wanted == "":
		wanted = "*"
		r = p.wishes.get(wanted).r
	case w.kind == spec.Tag:
		version, ok := p.DistTag(wanted)
		if !ok {
			return nil, nil
		}
		if k.inTime(version) {
			return k.take(version)
		}
		// The highest one before the tag that was there in time.
		return k.pick("<=" + version)
	case w.kind == spec.Version:
		if !k.inTime(w.version) {
			return nil, nil
		}
		return k.take(w.version)
	}
	extra := p.extras()
	if version, ok := p.DistTag(o.DefaultTag); ok && !extra.isRestricted(version) && !k.avoid(version) {
		// npm looks at the range first; where there is no such version the
		// answer is the same.
		if i := p.find(version); i >= 0 && (wanted == "*" || p.inRange(r, i)) && k.inTime(version) && !extra.isStaged(version, o) {
			ok, err := k.welcome(i)
			if err != nil {
				return nil, err
			}
			if ok {
				return k.at(i)
			}
		}
	}
	return k.best(r, extra)
}

// strict looks outside the wanted range for a version that need not be
// avoided.
func (k *picker) strict(wanted string) (*Picked, error) {
	loose := *k
	loose.o.AvoidStrict = false
	result, err := loose.pick(wanted)
	if err != nil || result == nil || !result.ShouldAvoid {
		return result, err
	}
	for _, outside := range []struct {
		wanted string
		major  bool
	}{{"^" + result.Version, false}, {"*", true}} {
		other, err := loose.pick(outside.wanted)
		if err != nil {
			return nil, err
		}
		if other != nil && !other.ShouldAvoid {
			found := *other
			found.OutsideDependencyRange = true
			found.IsSemVerMajor = outside.major
			return &found, nil
		}
	}
	e := newPickError("ETARGET", k.p, wanted, k.o)
	e.NoneAvoidable = true
	return nil, e
}

// best is the highest version in the range, of those that deserve it most.
func (k *picker) best(r *semverRange, extra *extra) (*Picked, error) {
	p := k.p
	const top = 1<<6 - 1
	bestAt, bestMerit, any := -1, -1, false
	dated := !k.o.Before.IsZero() || p.index.oddTimes
	// From the end, where the newest are, so that few of the others have to be
	// looked at; of equal ones the first counts, hence the <= below.
	for i := p.index.count() - 1; i >= 0; i-- {
		if dated && !k.inTime(p.version(i)) {
			continue
		}
		any = true
		if bestMerit == top && p.compare(i, bestAt) < 0 || !p.inRange(r, i) {
			continue
		}
		merit, err := k.merit(i, extra)
		if err != nil {
			return nil, err
		}
		if merit > bestMerit || merit == bestMerit && p.compare(i, bestAt) >= 0 {
			bestAt, bestMerit = i, merit
		}
	}
	var bestExtra *extraVersion
	for _, list := range [][]extraVersion{extra.stagedFor(k.o), extra.restricted} {
		for j := range list {
			e := &list[j]
			if !k.inTime(e.version) {
				continue
			}
			any = true
			v, err := nodesemver.Parse(e.version, true)
			if err != nil || !r.exact.Match(v) {
				continue
			}
			m, err := e.manifest()
			if err != nil {
				return nil, err
			}
			merit := k.meritOf(e.version, m.Deprecated != "", k.engineOK(m), extra)
			higher := bestAt < 0 && bestExtra == nil
			if !higher {
				current := ""
				if bestExtra != nil {
					current = bestExtra.version
				} else {
					current = p.version(bestAt)
				}
				c, err := nodesemver.Parse(current, true)
				higher = err != nil || nodesemver.Compare(v, c) > 0
			}
			if merit > bestMerit || merit == bestMerit && higher {
				bestExtra, bestMerit = e, merit
			}
		}
	}
	if !any {
		return nil, newPickError("ENOVERSIONS", p, k.wanted, k.o)
	}
	switch {
	case bestExtra != nil:
		m, err := bestExtra.manifest()
		if err != nil {
			return nil, err
		}
		return k.decorate(bestExtra.version, m), nil
	case bestAt >= 0:
		return k.at(bestAt)
	}
	return nil, nil
}

// merit orders versions before their numbers do: bits from high to low, in
// npm's order.
func (k *picker) merit(i int, extra *extra) (int, error) {
	p := k.p
	flags := p.index.row(i).flags()
	deprecated, engine := flags&flagDeprecated != 0, true
	if flags&(flagEngines|flagLook) != 0 {
		m, err := p.manifestAt(i)
		if err != nil {
			return 0, err
		}
		engine = k.engineOK(m)
		if flags&flagLook != 0 {
			deprecated = m.Deprecated != ""
		}
	}
	return k.meritOf(p.version(i), deprecated, engine, extra), nil
}

func (k *picker) meritOf(version string, deprecated, engine bool, extra *extra) int {
	merit := 0
	for _, good := range []bool{
		!k.avoid(version), !extra.isRestricted(version), !extra.isStaged(version, k.o), !deprecated && engine, engine, !deprecated,
	} {
		merit <<= 1
		if good {
			merit |= 1
		}
	}
	return merit
}

// welcome says whether the default tag's version is taken without looking at
// others: not deprecated, engines in order.
func (k *picker) welcome(i int) (bool, error) {
	flags := k.p.index.row(i).flags()
	if flags&flagLook == 0 && flags&flagDeprecated != 0 {
		return false, nil
	}
	if flags&(flagEngines|flagLook) == 0 {
		return true, nil
	}
	m, err := k.p.manifestAt(i)
	if err != nil {
		return false, err
	}
	return m.Deprecated == "" && k.engineOK(m), nil
}

// engineOK holds "engines" against node and npm (npm: npm-install-checks
// checkEngine).
func (k *picker) engineOK(m *manifest.Manifest) bool {
	if m.Engines == "" || k.o.NodeVersion == "" && k.o.NPMVersion == "" {
		return true
	}
	fits := true
	eachMember(m.Engines, func(key string, s *jsjson.Scanner) {
		version := ""
		switch key {
		case "node":
			version = k.o.NodeVersion
		case "npm":
			version = k.o.NPMVersion
		}
		switch {
		case version == "":
			s.Skip()
		case s.Kind() == jsjson.String:
			if wanted := s.Str(); wanted != "" && !k.p.wishes.engine(version, wanted) {
				fits = false
			}
		case s.Raw().Truthy():
			fits = false // no range at all
		}
	})
	return fits
}

func (k *picker) avoid(version string) bool {
	return k.o.Avoid != "" && nodesemver.SatisfiesWith(version, k.o.Avoid, nodesemver.Options{Loose: true, IncludePrerelease: true})
}

// inTime says whether a version was published before the date; what has no
// time was. A time that is no date is not before any: npm doesn't take such a
// version even where no date is given.
func (k *picker) inTime(version string) bool {
	if k.o.Before.IsZero() && !k.p.index.oddTimes {
		return true
	}
	text := k.p.timeMap()[version]
	if text == "" {
		return true
	}
	t, ok := parseDate(text)
	return ok && (k.o.Before.IsZero() || !t.After(k.o.Before))
}

// take gives a version by its name, wherever it is listed.
func (k *picker) take(version string) (*Picked, error) {
	if i := k.p.find(version); i >= 0 {
		return k.at(i)
	}
	extra := k.p.extras()
	for _, list := range [][]extraVersion{extra.stagedFor(k.o), extra.restricted} {
		for j := range list {
			if e := &list[j]; e.version == version {
				m, err := e.manifest()
				if err != nil {
					return nil, err
				}
				return k.decorate(version, m), nil
			}
		}
	}
	return nil, nil
}

func (k *picker) at(i int) (*Picked, error) {
	m, err := k.p.manifestAt(i)
	if err != nil {
		return nil, err
	}
	return k.decorate(k.p.version(i), m), nil
}

func (k *picker) decorate(version string, m *manifest.Manifest) *Picked {
	return &Picked{Version: version, Manifest: m, ShouldAvoid: k.avoid(m.Version)}
}

// semver gives a version as parsed, nil where it is none.
func (p *Packument) semver(i int) *nodesemver.Version {
	p.parsedOnce.Do(func() { p.parsed = make([]parsedVersion, p.index.count()) })
	e := &p.parsed[i]
	if v := e.v.Load(); v != nil || e.bad.Load() {
		return v
	}
	v, err := nodesemver.Parse(p.version(i), true)
	if err != nil {
		e.bad.Store(true)
		return nil
	}
	e.v.Store(v)
	return v
}

// compare orders two versions of the index, without parsing where their
// numbers tell.
func (p *Packument) compare(i, j int) int {
	a, b := p.index.row(i), p.index.row(j)
	if (a.flags()|b.flags())&flagOdd == 0 {
		if c := a.numbers().compare(b.numbers()); c != 0 {
			return c
		}
		switch aPre, bPre := a.flags()&flagPre != 0, b.flags()&flagPre != 0; {
		case !aPre && !bPre:
			return 0
		case aPre && !bPre:
			return -1
		case bPre && !aPre:
			return 1
		}
	}
	v, w := p.semver(i), p.semver(j)
	switch {
	case v == nil && w == nil:
		return 0
	case v == nil:
		return -1
	case w == nil:
		return 1
	}
	return nodesemver.Compare(v, w)
}

// eachMember walks over a raw object; member takes each value.
func eachMember(raw jsjson.Raw, member func(key string, s *jsjson.Scanner)) {
	if raw.Kind() != jsjson.Object {
		return
	}
	s := raw.Scanner()
	s.Object()
	for s.More() {
		member(s.Key(), s)
	}
}

// extra holds the versions that some registries list apart: staged ones, and
// those that a policy forbids.
type extra struct {
	staged     []extraVersion
	restricted []extraVersion
	message    string
}

type extraVersion struct {
	version string
	raw     jsjson.Raw
}

func (e *extraVersion) manifest() (*manifest.Manifest, error) { return manifest.Parse([]byte(e.raw)) }

var noExtra = &extra{}

func (p *Packument) extras() *extra {
	p.extraOnce.Do(func() {
		p.extra = noExtra
		if len(p.index.staged) == 0 && len(p.index.restrictions) == 0 {
			return
		}
		p.extra = &extra{}
		p.extra.staged, _ = extraVersions(string(p.index.staged))
		p.extra.restricted, p.extra.message = extraVersions(string(p.index.restrictions))
	})
	return p.extra
}

func extraVersions(raw string) (list []extraVersion, message string) {
	if raw == "" {
		return nil, ""
	}
	s := jsjson.Raw(raw).Scanner()
	if s.Kind() != jsjson.Object {
		return nil, ""
	}
	s.Object()
	for s.More() {
		switch s.Key() {
		case "message":
			if s.Kind() == jsjson.String {
				message = s.Str()
			} else {
				s.Skip()
			}
		case "versions":
			list = nil
			if s.Kind() != jsjson.Object {
				s.Skip()
				continue
			}
			s.Object()
			for s.More() {
				version := s.Key()
				if s.Kind() == jsjson.Object {
					list = append(list, extraVersion{version, s.Raw()})
				} else {
					s.Skip()
				}
			}
		default:
			s.Skip()
		}
	}
	return list, message
}

func (x *extra) stagedFor(o PickOptions) []extraVersion {
	if !o.IncludeStaged {
		return nil
	}
	return x.staged
}

func (x *extra) isStaged(version string, o PickOptions) bool {
	return has(x.stagedFor(o), version)
}

func (x *extra) isRestricted(version string) bool { return has(x.restricted, version) }

func has(list []extraVersion, version string) bool {
	for i := range list {
		if list[i].version == version {
			return true
		}
	}
	return false
}

// PickError says that no version can be taken.
type PickError struct {
	ErrCode string // ETARGET, ENOVERSIONS or E403
	Name    string
	Wanted  string    // version, range or tag
	Type    spec.Type // of Wanted
	Before  time.Time
	Avoid   string

	DefaultTag    string
	DistTags      []DistTag
	Versions      []string   // all of them, in the packument's order
	Newest        string     // the default tag's version, else the highest; "" for none
	NewestAt      string     // when that was published, as the registry writes it; "" where it doesn't
	RuledOut      []RuledOut // those that Wanted accepts and something else forbids
	Policy        string     // E403: the registry's reason
	NoneAvoidable bool       // AvoidStrict: every version is one to avoid
}

// RuledOut is a version that was wanted and can't be had.
type RuledOut struct {
	Version   string
	Published string // as the registry writes it; "" where it doesn't
	Reason    Reason
}

// Reason is why a version can't be had.
type Reason uint8

const (
	TooNew     Reason = iota // published after Before
	Restricted               // the registry's policy forbids it
	Avoided                  // it is in the range to avoid
)

// Code gives npm's error code.
func (e *PickError) Code() string { return e.ErrCode }

// Error says which package, what was wanted, and what there is.
func (e *PickError) Error() string {
	id := Clean(e.Name) + "@" + Clean(e.Wanted)
	switch {
	case e.ErrCode == "E403" && e.Policy != "":
		return id + ": forbidden by the registry's policy: " + e.Policy
	case e.ErrCode == "E403":
		return id + ": forbidden by the registry's policy"
	case e.NoneAvoidable:
		return id + ": every version is to be avoided (" + Clean(e.Avoid) + ")"
	case len(e.Versions) == 0:
		return id + ": the package has no versions"
	}
	var b strings.Builder
	if e.isTag() {
		return id + ": no such tag; known: " + e.someTags()
	}
	b.WriteString(id + ": no matching version")
	if !e.Before.IsZero() {
		b.WriteString(" published before " + e.Before.UTC().Format(time.RFC3339))
	}
	if n := len(e.RuledOut); n > 0 {
		first := e.RuledOut[n-1]
		fmt.Fprintf(&b, "; %s was published %s", Clean(first.Version), Clean(first.Published))
		if n > 1 {
			fmt.Fprintf(&b, ", and %d more are too new", n-1)
		}
	} else if e.Newest != "" {
		b.WriteString("; newest is " + Clean(e.Newest))
	}
	return b.String()
}

// isTag says whether a tag was wanted, and is not among those that there are.
func (e *PickError) isTag() bool {
	known := slices.ContainsFunc(e.DistTags, func(t DistTag) bool { return t.Tag == e.Wanted })
	return e.ErrCode == "ETARGET" && e.Type == spec.Tag && len(e.DistTags) > 0 && !known && e.Before.IsZero()
}

// someTags lists the package's tags; some packages have one for each branch.
func (e *PickError) someTags() string {
	var tags []string
	for _, t := range e.DistTags[:min(len(e.DistTags), 10)] {
		tags = append(tags, Clean(t.Tag))
	}
	text := strings.Join(tags, ", ")
	if more := len(e.DistTags) - len(tags); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Detail says how old the newest version is that Error names.
func (e *PickError) Detail() []string {
	day, _, dated := strings.Cut(e.NewestAt, "T")
	if !dated || len(e.RuledOut) > 0 || e.ErrCode != "ETARGET" || e.NoneAvoidable || e.isTag() {
		return nil
	}
	return []string{Clean(e.Newest) + " was published " + Clean(day)}
}

// Summary is npm's own sentence.
func (e *PickError) Summary() string {
	id := e.Name + "@" + e.Wanted
	if !e.Before.IsZero() {
		// JavaScript's toLocaleString, in the language that npm is used in.
		id += " with a date before " + e.Before.Local().Format("1/2/2006, 3:04:05 PM")
	}
	switch {
	case e.NoneAvoidable:
		return "No avoidable versions for " + Clean(e.Name)
	case e.ErrCode == "ENOVERSIONS":
		return "No versions available for " + Clean(e.Name)
	case e.ErrCode == "E403":
		return "Could not download " + Clean(id) + " due to policy violations:\n" + e.Policy
	}
	return "No matching version found for " + Clean(id) + "."
}

func newPickError(code string, p *Packument, wanted string, o PickOptions) *PickError {
	e := &PickError{
		ErrCode: code, Name: p.name, Wanted: wanted, Type: p.wishes.get(wanted).kind, Before: o.Before, Avoid: o.Avoid,
		DefaultTag: o.DefaultTag, DistTags: p.DistTags(), Versions: p.Versions(),
	}
	if e.Newest, _ = p.DistTag(o.DefaultTag); e.Newest == "" {
		best := -1
		for i := range p.index.count() {
			if best < 0 || p.compare(i, best) > 0 {
				best = i
			}
		}
		if best >= 0 {
			e.Newest = e.Versions[best]
		}
	}
	e.NewestAt, _ = p.Time(e.Newest)
	if o.Before.IsZero() {
		return e
	}
	k := &picker{p: p, o: o}
	accepts := func(version string) bool { return nodesemver.Satisfies(version, wanted, true) }
	if tagged, ok := p.DistTag(wanted); ok {
		accepts = func(version string) bool { return version == tagged }
	}
	for _, version := range e.Versions {
		if accepts(version) && !k.inTime(version) {
			at, _ := p.Time(version)
			e.RuledOut = append(e.RuledOut, RuledOut{Version: version, Published: at, Reason: TooNew})
		}
	}
	return e
}
