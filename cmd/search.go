package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newSearchCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "search <term> ...", Aliases: []string{"find", "s", "se"}, Short: "Search the registry for packages"},
		[]string{"json", "color", "parseable", "description", "searchlimit", "searchopts", "searchexclude", "registry", "prefer-online",
			"prefer-offline", "offline"},
		func(c *cobra.Command, args []string) error { return runSearch(c.Context(), a, args) })
}

// runSearch follows npm's lib/commands/search.js and libnpmsearch.
func runSearch(ctx context.Context, a *App, args []string) error {
	var words []string
	for _, w := range args {
		if w != "" {
			words = append(words, strings.ToLower(w))
		}
	}
	if len(words) == 0 {
		return errors.New("search must be called with arguments")
	}
	hide, err := exclusions(strings.ToLower(a.Config.String("searchexclude")))
	if err != nil {
		return err
	}
	found, err := a.search(ctx, words)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(p jsjson.Value) bool { return hide(searchedWords(p)) })
	switch {
	case a.json():
		// npm writes the list one package a line.
		if len(found) == 0 {
			a.out("\n[]\n")
			return nil
		}
		var lines [][]byte
		for _, p := range found {
			lines = append(lines, jsjson.Append(nil, p, "", ""))
		}
		a.printJSONText(fmt.Appendf(nil, "[\n\n%s\n]\n", bytes.Join(lines, []byte("\n\n,\n\n"))))
	case a.Config.Bool("parseable"):
		for _, p := range found {
			a.out("%s", term.Safe(searchLine(p)))
		}
	case len(found) == 0:
		var quoted []string
		for _, w := range args {
			quoted = append(quoted, string(jsjson.AppendString(nil, w)))
		}
		a.out("No matches found for %s", strings.Join(quoted, " "))
	default:
		for _, p := range found {
			a.out("%s", a.ink().safe(searchText(p, words, a.ink())))
		}
	}
	return nil
}

func (a *App) search(ctx context.Context, words []string) ([]jsjson.Value, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	res, err := client.Do(ctx, registry.Request{URL: "/-/v1/search?" + a.searchQuery(words), Registry: a.Config.Registry("")})
	if err != nil {
		return nil, err
	}
	doc, err := res.JSON()
	if err != nil {
		return nil, err
	}
	var out []jsjson.Value
	for _, o := range doc.Get("objects").Items() {
		if p := o.Get("package"); p.IsObject() {
			out = append(out, p)
		}
	}
	return out, nil
}

// searchQuery is what libnpmsearch asks, in its order.
func (a *App) searchQuery(words []string) string {
	from := "0"
	quality, popularity, maintenance := "0.65", "0.98", "0.5"
	if opts, err := url.ParseQuery(a.Config.String("searchopts")); err == nil {
		for key, value := range map[string]*string{"from": &from, "quality": &quality, "popularity": &popularity, "maintenance": &maintenance} {
			if opts.Has(key) {
				*value = opts.Get(key)
			}
		}
		switch opts.Get("sortBy") {
		case "optimal":
			quality, popularity, maintenance = "0.65", "0.98", "0.5"
		case "quality":
			quality, popularity, maintenance = "1", "0", "0"
		case "popularity":
			quality, popularity, maintenance = "0", "1", "0"
		case "maintenance":
			quality, popularity, maintenance = "0", "0", "1"
		}
	}
	e := url.QueryEscape
	return "text=" + e(strings.Join(words, " ")) + "&size=" + strconv.Itoa(a.Config.Int("searchlimit")) + "&from=" + e(from) +
		"&quality=" + e(quality) + "&popularity=" + e(popularity) + "&maintenance=" + e(maintenance)
}

// exclusions says what searchexclude hides: words, or /patterns/.
func exclusions(text string) (func(words string) bool, error) {
	var tests []func(string) bool
	for _, word := range strings.Fields(text) {
		if pattern, ok := strings.CutPrefix(word, "/"); ok {
			re, err := regexp.Compile(strings.TrimSuffix(pattern, "/"))
			if err != nil {
				return nil, errors.New("searchexclude: " + err.Error())
			}
			tests = append(tests, re.MatchString)
			continue
		}
		tests = append(tests, func(s string) bool { return strings.Contains(s, word) })
	}
	return func(words string) bool {
		return slices.ContainsFunc(tests, func(t func(string) bool) bool { return t(words) })
	}, nil
}

func searchedWords(p jsjson.Value) string {
	words := []string{str(p, "name")}
	for _, m := range p.Get("maintainers").Items() {
		words = append(words, str(m, "username"))
	}
	for _, k := range keywordsOf(p) {
		words = append(words, strings.TrimSpace(k))
	}
	return strings.ToLower(strings.Join(words, " "))
}

func keywordsOf(p jsjson.Value) []string {
	k := p.Get("keywords")
	if k.IsString() {
		return strings.Fields(strings.ReplaceAll(k.Str(), ",", " "))
	}
	var out []string
	for _, w := range k.Items() {
		out = append(out, w.Text())
	}
	return out
}

func searchDate(p jsjson.Value) string {
	t, err := time.Parse(time.RFC3339, str(p, "date"))
	if err != nil {
		return "prehistoric"
	}
	return t.UTC().Format(time.DateOnly)
}

// searchLine is the parseable form: columns between tabs.
func searchLine(p jsjson.Value) string {
	var out []string
	for _, c := range []string{str(p, "name"), str(p, "description"), searchDate(p), str(p, "version"), strings.Join(keywordsOf(p), ",")} {
		if c != "" {
			out = append(out, strings.ReplaceAll(c, "\t", " "))
		}
	}
	// The keywords' column is there even if it is empty.
	if len(keywordsOf(p)) == 0 {
		out = append(out, "")
	}
	return strings.Join(out, "\t")
}

func searchText(p jsjson.Value, words []string, i ink) string {
	name := i.mark(str(p, "name"), words, i.blue)
	if slices.Contains(words, str(p, "name")) {
		name = i.cyan(str(p, "name"))
	}
	out := name + "\n"
	if d := str(p, "description"); d != "" {
		out += i.mark(d, words, func(s string) string { return s }) + "\n"
	}
	by := i.yellow("???")
	if u := str(p.Get("publisher"), "username"); u != "" {
		by = i.blue(u)
	}
	out += "Version " + i.blue(str(p, "version")) + " published " + i.blue(searchDate(p)) + " by " + by + "\n"
	var people []string
	for _, m := range p.Get("maintainers").Items() {
		people = append(people, str(m, "username"))
	}
	out += "Maintainers: " + strings.Join(people, " ") + "\n"
	if k := keywordsOf(p); len(k) > 0 {
		for j, w := range k {
			if slices.Contains(words, w) {
				k[j] = i.cyan(w)
			}
		}
		out += "Keywords: " + strings.Join(k, " ") + "\n"
	}
	return out + i.blue("https://npm.im/"+str(p, "name")) + "\n"
}

// mark colours the words in a text, and has the rest as rest makes it.
func (i ink) mark(text string, words []string, rest func(string) string) string {
	lower := strings.ToLower(text)
	if !i || len(lower) != len(text) {
		return rest(text)
	}
	var out strings.Builder
	plain := 0
	for at := 0; at < len(text); {
		longest := 0
		for _, w := range words {
			if strings.HasPrefix(lower[at:], w) {
				longest = max(longest, len(w))
			}
		}
		if longest == 0 {
			at++
			continue
		}
		out.WriteString(rest(text[plain:at]) + i.cyan(text[at:at+longest]))
		at += longest
		plain = at
	}
	return out.String() + rest(text[plain:])
}
