package cmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/term"
)

// What help prints goes to stdout: it was asked for. Lines fit 80 columns where
// the words allow it, and nothing depends on colour.

// topics are the commands in the order that a person looks for them. A command
// that stands nowhere here is listed last.
var topics = [...]struct {
	title string
	names []string
}{
	{"Install", []string{"install", "ci", "uninstall", "update", "dedupe", "prune", "rebuild", "link", "install-test", "install-ci-test", "import", "fetch", "patch"}},
	{"Run", []string{"run", "test", "start", "stop", "restart", "exec", "init"}},
	{"Look", []string{"ls", "ll", "explain", "outdated", "query", "view", "search", "find-dupes", "diff", "fund", "licenses", "sbom", "audit", "explore", "root", "prefix", "bin"}},
	{"Change", []string{"version", "pkg", "config", "get", "set", "cache", "store", "approve-scripts", "deny-scripts", "install-scripts", "edit"}},
	{"Publish", []string{"pack", "publish", "stage", "unpublish", "deprecate", "undeprecate", "dist-tag", "trust", "access", "owner", "team", "org"}},
	{"Account", []string{"login", "logout", "whoami", "token", "profile", "ping"}},
	{"Help", []string{"help", "help-search", "completion", "doctor", "docs", "bugs", "repo"}},
}

// exitAnnotation is the annotation of a command whose exit status says more than
// whether it went well.
const exitAnnotation = "exit"

const usualExit = "0 when all went well, 1 when something did not."

func newHelpCmd(a *App, root *cobra.Command) *cobra.Command {
	return declare(&cobra.Command{
		Use: "help [<command> | <key> | <word> ...]", Aliases: []string{"hlep"},
		Short: "Show how ibid, a command or a setting is used",
	}, []string{"long"}, func(c *cobra.Command, args []string) error { return runHelp(a, root, args) })
}

func newHelpSearchCmd(a *App, root *cobra.Command) *cobra.Command {
	var c *cobra.Command
	c = declare(&cobra.Command{Use: "help-search <text>", Short: "Search the help of all commands and settings"},
		[]string{"long"}, func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.usage(c, "")
			}
			a.searchHelp(root, args)
			return nil
		})
	return c
}

func runHelp(a *App, root *cobra.Command, args []string) error {
	if len(args) > 0 && strings.Trim(args[0], "0123456789") == "" {
		args = args[1:] // a section of the manual
	}
	if len(args) == 1 && args[0] == "npmrc" {
		args = []string{"config"} // npm's page about the files
	}
	switch len(args) {
	case 0:
		a.listCommands(root)
		return nil
	case 1:
		if args[0] == "npm" || args[0] == "ibid" {
			a.listCommands(root)
			return nil
		}
		if c, _ := find(root, args); c != nil {
			io.WriteString(a.Stdout, a.helpOf(c, true))
			return nil
		}
		if d := config.Lookup(strings.TrimLeft(args[0], "-")); d != nil {
			io.WriteString(a.Stdout, a.keyHelp(d))
			return nil
		}
	}
	a.searchHelp(root, args)
	return nil
}

// runRoot is ibid without a command.
func runRoot(a *App, root *cobra.Command) error {
	if a.Config.Bool("versions") {
		return listVersions(a, []string{a.Config.Prefix()})
	}
	a.listCommands(root)
	return statusError(1)
}

// listCommands says what there is, by topic; with --long how each is called.
func (a *App) listCommands(root *cobra.Command) {
	h := a.heading
	a.out(`%[1]s <command>

Usage:

%[1]s install        install what the project needs
%[1]s install <foo>  add the package <foo> to the project
%[1]s test           run the project's tests
%[1]s run <foo>      run the script <foo>
%[1]s <command> -h   how a command is called
%[1]s help <command> a command and its options in full
%[1]s help <key>     a setting in full
%[1]s -l             how all commands are called

Commands:
`, h)
	if a.Config.Bool("long") {
		for _, c := range commandList(root) {
			for i, line := range usageLines(c) {
				if i == 0 {
					a.out("  %-16s %s", c.Name(), h+" "+line)
				} else {
					a.out("  %-16s %s", "", h+" "+line)
				}
			}
		}
	} else {
		for _, t := range topicsOf(root) {
			for i, line := range wrap(strings.Join(t.names, ", "), 64) {
				title := ""
				if i == 0 {
					title = t.title
				}
				a.out("  %-10s %s", title, line)
			}
		}
	}
	a.out("\nSettings stand in %s or on the command line: %s <command> --key=value\n%s help config lists the keys\n\n%s@%s",
		a.Config.Source(config.User), h, h, h, a.version())
}

type topic struct {
	title string
	names []string
}

// topicsOf sorts the commands that there are into topics.
func topicsOf(root *cobra.Command) []topic {
	have := map[string]bool{}
	for _, c := range root.Commands() {
		if !c.Hidden {
			have[c.Name()] = true
		}
	}
	var out []topic
	for _, t := range topics {
		x := topic{title: t.title}
		for _, name := range t.names {
			if have[name] {
				x.names = append(x.names, name)
				delete(have, name)
			}
		}
		if len(x.names) > 0 {
			out = append(out, x)
		}
	}
	if len(have) > 0 {
		rest := topic{title: "Other"}
		for name := range have {
			rest.names = append(rest.names, name)
		}
		sort.Strings(rest.names)
		out = append(out, rest)
	}
	return out
}

func commandList(root *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, c := range root.Commands() {
		if !c.Hidden {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(x, y *cobra.Command) int { return strings.Compare(x.Name(), y.Name()) })
	return out
}

func usageLines(c *cobra.Command) []string { return strings.Split(c.Use, "\n") }

// keysAnnotation lists the settings that a command listens to.
const keysAnnotation = "keys"

// helpOf is a command's help: with long, each option in full and the rest that
// is known of the command.
func (a *App) helpOf(c *cobra.Command, long bool) string {
	var b bytes.Buffer
	width := a.helpWidth()
	fmt.Fprintf(&b, "%s\n\nUsage:\n%s\n", c.Short, strings.Join(a.callLines(c), "\n"))
	if c.HasSubCommands() {
		b.WriteString("\nSubcommands:\n")
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	if c.Long != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.Long))
	}
	writeOptions(&b, strings.Fields(c.Annotations[keysAnnotation]), long, width)
	fitted := fit(b.String(), width)
	b.Reset()
	b.WriteString(fitted)
	if long {
		// Not broken: an example is there to be copied.
		if c.Example != "" {
			fmt.Fprintf(&b, "\nExamples:\n%s\n", strings.ReplaceAll(c.Example, "  ibid ", "  "+a.heading+" "))
		} else if list := examplesOf(c); len(list) > 0 {
			fmt.Fprintf(&b, "\nExamples:\n")
			for _, x := range list {
				fmt.Fprintf(&b, "  %s %s\n", a.heading, x)
			}
		}
		exit := c.Annotations[exitAnnotation]
		if exit == "" {
			exit = usualExit
		}
		fmt.Fprintf(&b, "\nExit status:\n  %s\n", exit)
	}
	if len(c.Aliases) > 0 {
		noun := "aliases"
		if len(c.Aliases) == 1 {
			noun = "alias"
		}
		fmt.Fprintf(&b, "\n%s: %s\n", noun, strings.Join(c.Aliases, ", "))
	}
	if !long {
		fmt.Fprintf(&b, "\nRun \"%s help %s\" for more info\n", a.heading, canonical(c))
	}
	return b.String()
}

func writeOptions(b *bytes.Buffer, keys []string, long bool, width int) {
	var defs []*config.Definition
	for _, k := range keys {
		if d := config.Lookup(k); d != nil {
			defs = append(defs, d)
		}
	}
	if len(defs) == 0 {
		return
	}
	b.WriteString("\nOptions:\n")
	line := ""
	said := map[string]bool{}
	for _, d := range defs {
		if said[d.Key] {
			continue
		}
		word := "[" + d.Usage()
		for _, other := range d.Exclusive {
			said[other] = true
			word += "|" + config.Lookup(other).Usage()
		}
		word += "]"
		if line != "" && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	b.WriteString(line + "\n")
	for _, d := range defs {
		flag, description, def, typ := d.Help()
		fmt.Fprintf(b, "\n  %s\n", flag)
		if !long {
			description, _, _ = strings.Cut(description, "\n")
		}
		for _, l := range wrap(description, width-4) {
			fmt.Fprintf(b, "    %s\n", l)
		}
		if long && def != "" {
			fmt.Fprintf(b, "    Default: %s. Type: %s.\n", def, typ)
		}
	}
}

// keyHelp is all that is known of a setting.
func (a *App) keyHelp(d *config.Definition) string {
	flag, description, def, typ := d.Help()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", d.Key)
	for _, l := range wrap(description, a.helpWidth()-2) {
		fmt.Fprintf(&b, "  %s\n", l)
	}
	fmt.Fprintf(&b, "\n  Flag: %s\n  Default: %s\n  Type: %s\n", flag, def, typ)
	if d.Deprecated != "" {
		fmt.Fprintf(&b, "  Deprecated: %s\n", d.Deprecated)
	}
	fmt.Fprintf(&b, "\n  %s config set %s=<value> keeps it in .npmrc\n", a.heading, d.Key)
	return fit(b.String(), a.helpWidth())
}

// helpWidth is how wide lines of help are: lines of more than 80 columns are hard
// to read, and a terminal may have less.
func (a *App) helpWidth() int {
	if f, ok := a.Stdout.(*os.File); ok && term.IsTerminal(f) {
		return min(80, max(30, term.Width(f)))
	}
	return 80
}

// fit breaks lines that are too long where they have spaces; what follows is
// indented as the line is, or as its second column.
func fit(text string, width int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, end, _ := strings.Cut(line, "\n")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		for len(line) > width {
			if at := strings.Index(line[indent:], "  "); at > 0 {
				second := indent + at + len(line[indent+at:]) - len(strings.TrimLeft(line[indent+at:], " "))
				if second < width/2 {
					indent = second
				}
			}
			at := strings.LastIndexByte(line[:width+1], ' ')
			if at <= indent {
				if at = strings.IndexByte(line[indent:], ' '); at < 0 {
					break
				}
				at += indent
			}
			b.WriteString(line[:at] + "\n")
			line = strings.Repeat(" ", indent) + strings.TrimLeft(line[at:], " ")
		}
		b.WriteString(line + "\n" + end)
	}
	return b.String()
}

// wrap breaks text into lines of at most width columns where it has spaces.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			if line != "" && len(line)+1+len(word) > width {
				lines = append(lines, line)
				line = ""
			}
			line = strings.TrimSpace(line + " " + word)
		}
		lines = append(lines, line)
	}
	return lines
}

// usage is the error of a command that was called wrongly; what says how.
func (a *App) usage(c *cobra.Command, what string) error {
	if what == "" {
		what = c.Short
	}
	return &usageError{text: what, usage: strings.Join(a.callLines(c), "\n") + "\n" + a.heading + " help " + canonical(c) + " tells more"}
}

// callLines are the ways to call a command; of one that only has others below it,
// theirs.
func (a *App) callLines(c *cobra.Command) []string {
	lines := usageLines(c)
	var out []string
	if len(lines) == 1 && lines[0] == c.Name() && c.HasAvailableSubCommands() {
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				out = append(out, a.callLines(sub)...)
			}
		}
		return out
	}
	parent := ""
	for p := c.Parent(); p != nil && p.HasParent(); p = p.Parent() {
		parent = p.Name() + " " + parent
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, parent) {
			line = parent + line
		}
		out = append(out, a.heading+" "+line)
	}
	return out
}

// searchHelp lists where the words are found, best first (npm:
// lib/commands/help-search.js).
func (a *App) searchHelp(root *cobra.Command, words []string) {
	type hit struct {
		name         string
		lines        []string
		found, total int
		counts       string
	}
	var hits []hit
	look := func(name, text string) {
		h := hit{name: name}
		var counts []string
		lower := strings.ToLower(text)
		for _, w := range words {
			if n := strings.Count(lower, strings.ToLower(w)); n > 0 {
				h.found++
				h.total += n
				counts = append(counts, fmt.Sprintf("%s:%d", w, n))
			}
		}
		if h.found == 0 {
			return
		}
		sort.Strings(counts)
		h.counts = strings.Join(counts, " ")
		for line := range strings.SplitSeq(text, "\n") {
			for _, w := range words {
				if strings.Contains(strings.ToLower(line), strings.ToLower(w)) {
					h.lines = append(h.lines, strings.TrimSpace(line))
					break
				}
			}
		}
		hits = append(hits, h)
	}
	for _, c := range commandList(root) {
		look("help "+c.Name(), a.helpOf(c, true))
	}
	defs := config.Definitions()
	for i := range defs {
		look("help "+defs[i].Key, a.keyHelp(&defs[i]))
	}
	slices.SortStableFunc(hits, func(x, y hit) int {
		if x.found != y.found {
			return y.found - x.found
		}
		if x.total != y.total {
			return y.total - x.total
		}
		return len(y.lines) - len(x.lines)
	})
	if len(hits) == 0 {
		a.out("No matches in help for: %s\n", strings.Join(words, " "))
		return
	}
	rule := strings.Repeat("—", 80)
	long := a.Config.Bool("long")
	if !long {
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = fmt.Sprintf("%q", w)
		}
		a.out("Top hits for %s\n%s", strings.Join(quoted, " "), rule)
	}
	for _, h := range hits[:min(len(hits), 10)] {
		command := a.heading + " " + h.name
		gap := max(1, 80-len(command)-len(h.counts))
		a.out("%s%s%s", command, strings.Repeat(" ", gap), h.counts)
		if long {
			a.out("%s", strings.Repeat("-", 80))
			for _, line := range h.lines[:min(len(h.lines), 4)] {
				a.out("%s", line)
			}
			a.out("")
		}
	}
	if !long {
		a.out("%s\n(run with -l or --long to see more context)", rule)
	}
}

// unknownCommand says, as npm does, which commands were perhaps meant. A command
// of npm's that ibid does not have is given to npm.
func (a *App) unknownCommand(root *cobra.Command, words []string) error {
	if name := npmCommand(words[0]); name != "" && child(root, name) == nil {
		return a.fallback(name)
	}
	return a.sayUnknown(root, words[0], "")
}

// sayUnknown prints to stdout, as npm does; hint is for what is known of the
// word all the same.
func (a *App) sayUnknown(root *cobra.Command, word, hint string) error {
	a.out("Unknown command: %q", word)
	a.out("%s", a.didYouMean(root, word))
	a.out("To see a list of supported %s commands, run:\n  %s help", a.heading, a.heading)
	if a.json() {
		a.out("{\n  \"error\": {\n    \"code\": \"EUNKNOWNCOMMAND\",\n    \"summary\": \"\",\n    \"detail\": \"\"\n  }\n}")
	}
	if hint != "" {
		a.hint(hint)
	}
	return statusError(1)
}

// ownHelp has a text of npm's name the commands of the program that was called.
func (a *App) ownHelp(text string) string {
	return strings.NewReplacer("`npm help ", "`"+a.heading+" help ", "`npm config ", "`"+a.heading+" config ").Replace(text)
}

// nearFlags says which settings may have been meant by those that nobody knows.
func (a *App) nearFlags(unknown []string) []string {
	defs := config.Definitions()
	switch a.Command {
	case "run", "test", "start", "stop", "restart":
		defs = append(slices.Clone(defs), runFlags()...)
	}
	var hints []string
	for _, word := range unknown {
		if len(word) > longestName {
			continue
		}
		best, least := "", max(2, len(word)/4)+1
		for i := range defs {
			if n := editDistance(word, defs[i].Key); n < least && n < len(word)/2+1 {
				best, least = defs[i].Key, n
			}
		}
		if best != "" {
			hints = append(hints, word+" is perhaps "+best)
		}
	}
	return hints
}

// didYouMean lists commands, scripts and bins of the project whose name is
// nearly the word (npm: lib/utils/did-you-mean.js).
func (a *App) didYouMean(root *cobra.Command, word string) string {
	isClose := func(s string) bool {
		return len(word) <= longestName && len(s) <= longestName && float64(editDistance(word, s)) < float64(len(word))*0.4
	}
	var best []string
	for _, c := range commandList(root) {
		if isClose(c.Name()) && c.Name() != word {
			best = append(best, c.Name()+" # "+c.Short)
		}
	}
	if m := a.ownManifest(); m != nil {
		for _, s := range m.Scripts {
			switch s.Name {
			case "stop", "start", "test", "restart":
				continue
			}
			if isClose(s.Name) {
				best = append(best, fmt.Sprintf("run %s # run the %q package script", s.Name, s.Name))
			}
		}
		for _, b := range m.Bin {
			if isClose(b.Name) {
				best = append(best, fmt.Sprintf("exec %s # run the %q command from either this or a remote npm package", b.Name, b.Name))
			}
		}
	}
	if len(best) == 0 {
		return ""
	}
	which := "this"
	if len(best) > 1 {
		which = "one of these"
	}
	text := "\n\nDid you mean " + which + "?"
	for _, line := range best[:min(len(best), 3)] {
		text += "\n  " + a.heading + " " + line
	}
	return text
}
