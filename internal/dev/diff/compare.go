//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
)

// compare names the first difference between npm's result and the candidate's,
// or says "" if there is none.
func compare(p project, npm, got result) string {
	for i := range npm.Steps {
		if d := compareStep(npm.Steps[i], got.Steps[i]); d != "" {
			if len(npm.Steps) == 1 {
				return d
			}
			return fmt.Sprintf("step %d (%s): %s", i+1, strings.Join(p.Commands[i], " "), d)
		}
	}
	return ""
}

func compareStep(npm, got step) string {
	if (npm.Exit == 0) != (got.Exit == 0) || npm.Exit != got.Exit && npm.Code == "" {
		return fmt.Sprintf("npm exits %d %s, candidate %d %s%s", npm.Exit, npm.Code, got.Exit, got.Code, firstError(got.Log))
	}
	if npm.Code != got.Code {
		return fmt.Sprintf("npm's error code is %s, candidate's %q%s", npm.Code, got.Code, firstError(got.Log))
	}
	for _, name := range union(npm.Files, got.Files) {
		want, have := npm.Files[name], got.Files[name]
		if want == have {
			continue
		}
		_, inNPM := npm.Files[name]
		_, inGot := got.Files[name]
		switch {
		case !inGot:
			return name + " is missing"
		case !inNPM:
			return name + " is there, npm leaves none"
		}
		return name + ": " + firstDifference(want, have)
	}
	if !reflect.DeepEqual(npm.Tree, got.Tree) {
		return "tree: " + firstLine(npm.Tree, got.Tree)
	}
	return ""
}

func firstError(log string) string {
	for _, line := range strings.Split(log, "\n") {
		if strings.Contains(line, "error") && !strings.Contains(line, "error code") || strings.HasPrefix(line, "panic:") {
			return " (" + strings.TrimSpace(line) + ")"
		}
	}
	return ""
}

func union(a, b map[string]string) []string {
	var names []string
	for n := range a {
		names = append(names, n)
	}
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names
}

func firstLine(want, have []string) string {
	has := map[string]bool{}
	for _, l := range have {
		has[l] = true
	}
	for _, l := range want {
		if !has[l] {
			return "npm has " + l
		}
		delete(has, l)
	}
	for _, l := range have {
		if has[l] {
			return "npm does not have " + l
		}
	}
	return "order"
}

// firstDifference names the JSON path where two documents part.
func firstDifference(want, have string) string {
	var a, b object2
	if json.Unmarshal([]byte(want), &a) != nil || json.Unmarshal([]byte(have), &b) != nil {
		return "not both are JSON objects"
	}
	if d := a.difference(b, ""); d != "" {
		return d
	}
	i := 0
	for i < len(want) && i < len(have) && want[i] == have[i] {
		i++
	}
	return fmt.Sprintf("same JSON, bytes differ at %d", i)
}

// object2 is any JSON object with its order kept.
type object2 struct {
	keys   []string
	values map[string]json.RawMessage
}

func (o *object2) UnmarshalJSON(data []byte) error {
	o.values = map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &o.values); err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		o.keys = append(o.keys, key.(string))
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return err
		}
	}
	return nil
}

func (o object2) difference(got object2, path string) string {
	missing, extra := 0, 0
	first := ""
	note := func(s string) {
		if first == "" {
			first = s
		}
	}
	for _, k := range o.keys {
		at := path + "[" + k + "]"
		have, ok := got.values[k]
		if !ok {
			missing++
			note(fmt.Sprintf("%s: npm %s, candidate has none", at, short(o.values[k])))
			continue
		}
		want := o.values[k]
		if string(want) == string(have) {
			continue
		}
		var a, b object2
		if json.Unmarshal(want, &a) == nil && json.Unmarshal(have, &b) == nil {
			if d := a.difference(b, at); d != "" {
				note(d)
			}
			continue
		}
		note(fmt.Sprintf("%s: npm %s, candidate %s", at, short(want), short(have)))
	}
	for _, k := range got.keys {
		if _, ok := o.values[k]; !ok {
			extra++
			note(fmt.Sprintf("%s[%s]: npm has none, candidate %s", path, k, short(got.values[k])))
		}
	}
	if first == "" && !reflect.DeepEqual(o.keys, got.keys) {
		for i := range o.keys {
			if o.keys[i] != got.keys[i] {
				return fmt.Sprintf("%s order: npm %s, candidate %s", path, o.keys[i], got.keys[i])
			}
		}
	}
	if missing+extra > 1 && strings.HasSuffix(path, "[packages]") {
		first += fmt.Sprintf(" (%d entries missing, %d extra)", missing, extra)
	}
	return first
}

func short(v json.RawMessage) string {
	s := strings.Join(strings.Fields(string(v)), " ")
	if len(s) > 100 {
		s = s[:97] + "..."
	}
	return s
}
