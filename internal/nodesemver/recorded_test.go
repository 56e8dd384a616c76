package nodesemver

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var recording = flag.String("recording", "testdata/semver.jsonl", "what testdata/record.js has written")

var modes = [4]Options{{}, {Loose: true}, {IncludePrerelease: true}, {Loose: true, IncludePrerelease: true}}

// cell is one value of a recorded row as text, null as "null".
type cell struct{ any }

func (c cell) String() string {
	if c.any == nil {
		return "null"
	}
	return fmt.Sprint(c.any)
}

func (c cell) list() []*Version {
	var list []*Version
	for _, v := range c.any.([]any) {
		list = append(list, parse(v.(string), false))
	}
	return list
}

func textOf(v *Version) string {
	if v == nil {
		return "null"
	}
	return v.String()
}

// bits answers a question in all four modes as the recording does.
func bits(f func(o Options) (bool, error)) string {
	answer := ""
	for _, o := range modes {
		switch ok, err := f(o); {
		case err != nil:
			answer += "E"
		case ok:
			answer += "T"
		default:
			answer += "F"
		}
	}
	return answer
}

func both(a, b string, o Options, f func(a, b *Range) bool) (bool, error) {
	x, err := ParseRange(a, o)
	if err != nil {
		return false, err
	}
	y, err := ParseRange(b, o)
	if err != nil {
		return false, err
	}
	return f(x, y), nil
}

func outsideOf(version, rng string, o Options, f func(*Range, *Version) bool) (bool, error) {
	v, err := Parse(version, o.Loose)
	if err != nil {
		return false, err
	}
	r, err := ParseRange(rng, o)
	if err != nil {
		return false, err
	}
	return f(r, v), nil
}

// answers gives ours for a row: its arguments are consumed, what is left is
// npm's.
func answers(kind string, row []cell) (ours []string, npms []cell) {
	switch kind {
	case "valid":
		s := row[0].String()
		for _, read := range []func(string, bool) (*Version, error){Parse, Clean} {
			for _, loose := range []bool{false, true} {
				v, err := read(s, loose)
				if err != nil {
					v = nil
				}
				ours = append(ours, textOf(v))
			}
		}
		if v := parse(s, true); v != nil {
			return append(ours, v.Build()), row[1:]
		}
		return append(ours, "null"), row[1:]
	case "compare":
		a, b := parse(row[0].String(), true), parse(row[1].String(), true)
		if a == nil || b == nil {
			return []string{"no version", "", ""}, row[2:]
		}
		diff := Diff(a, b)
		if diff == "" || row[4].any == nil {
			diff = "null"
		}
		return []string{fmt.Sprint(Compare(a, b)), fmt.Sprint(CompareBuild(a, b)), diff}, row[2:]
	case "range":
		for _, o := range modes {
			text, ok := ValidRange(row[0].String(), o)
			if !ok {
				text = "null"
			}
			if IsRange(row[0].String(), o) != ok {
				text += ", but IsRange says otherwise"
			}
			ours = append(ours, text)
		}
		return ours, row[1:]
	case "min":
		for _, o := range modes {
			r, err := ParseRange(row[0].String(), o)
			if err != nil {
				ours = append(ours, "E")
			} else {
				ours = append(ours, textOf(r.MinVersion()))
			}
		}
		return ours, row[1:]
	case "satisfies":
		return []string{bits(func(o Options) (bool, error) {
			return SatisfiesWith(row[0].String(), row[1].String(), o), nil
		})}, row[2:]
	case "outside":
		return []string{
			bits(func(o Options) (bool, error) {
				return outsideOf(row[0].String(), row[1].String(), o, (*Range).Above)
			}),
			bits(func(o Options) (bool, error) {
				return outsideOf(row[0].String(), row[1].String(), o, (*Range).Below)
			}),
		}, row[2:]
	case "intersects":
		return []string{bits(func(o Options) (bool, error) {
			return both(row[0].String(), row[1].String(), o, Intersects)
		})}, row[2:]
	case "subset":
		return []string{bits(func(o Options) (bool, error) {
			if row[0].String() == row[1].String() {
				return true, nil // npm compares the texts before it reads them
			}
			return both(row[0].String(), row[1].String(), o, Subset)
		})}, row[2:]
	case "inc":
		base := BaseZero
		switch row[3].String() {
		case "1":
			base = BaseOne
		case "false":
			base = BaseNone
		}
		v, err := parse(row[0].String(), false).Inc(row[1].String(), row[2].String(), base)
		if err != nil {
			return []string{"map[error:" + err.Error() + "]"}, row[4:]
		}
		return []string{v.String()}, row[4:]
	case "coerce":
		return []string{
			textOf(Coerce(row[0].String(), Options{})),
			textOf(Coerce(row[0].String(), Options{Loose: true, IncludePrerelease: true})),
		}, row[1:]
	case "max":
		for _, pick := range []func(*Range, []*Version) *Version{(*Range).MaxSatisfying, (*Range).MinSatisfying} {
			for _, o := range modes {
				r, err := ParseRange(row[1].String(), o)
				if err != nil {
					ours = append(ours, "null")
					continue
				}
				v := pick(r, row[0].list())
				if v == nil {
					ours = append(ours, "null")
				} else {
					ours = append(ours, v.Raw())
				}
			}
		}
		return ours, row[2:]
	case "simplify":
		r, err := ParseRange(row[1].String(), modes[3])
		if err != nil {
			return []string{row[1].String()}, row[2:]
		}
		list := row[0].list()
		slices.SortStableFunc(list, Compare)
		texts := make([]string, len(list))
		for i, v := range list {
			texts[i] = v.String()
		}
		return []string{r.Simplify(list, texts)}, row[2:]
	}
	return nil, nil
}

func TestAnswersAreNodeSemvers(t *testing.T) {
	f, err := os.Open(*recording)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	counts := map[string]int{}
	for first := true; lines.Scan(); first = false {
		if first {
			continue // who was asked
		}
		var raw []any
		if err := json.Unmarshal(lines.Bytes(), &raw); err != nil {
			t.Fatal(err)
		}
		kind := raw[0].(string)
		counts[kind]++
		row := make([]cell, 0, len(raw)-1)
		for _, c := range raw[1:] {
			row = append(row, cell{c})
		}
		ours, npms := answers(kind, row)
		if len(ours) != len(npms) {
			t.Fatalf("%s has %d answers, want %d", kind, len(ours), len(npms))
		}
		for i := range ours {
			if ours[i] != npms[i].String() {
				t.Errorf("%s\n answer %d is %q", strings.TrimSpace(lines.Text()), i+1, ours[i])
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Log(counts)
}
