package cmd

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/resolver"
	"github.com/ibid-pm/ibid/resolver/query"
)

func newSbomCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "sbom", Short: "Write a bill of materials: which packages the project is made of",
		Example: "  ibid sbom --sbom-format=cyclonedx --omit=dev\n  ibid sbom --sbom-format=spdx",
	}, []string{"omit", "package-lock-only", "sbom-format", "sbom-type", "workspace", "workspaces"},
		func(*cobra.Command, []string) error { return runSbom(a) })
}

// runSbom follows npm's lib/commands/sbom.js.
func runSbom(a *App) error {
	format := a.Config.String("sbom-format")
	if format == "" {
		return &usageError{text: "Must specify --sbom-format flag with one of: cyclonedx, spdx.", usage: a.heading + " sbom --sbom-format=<cyclonedx|spdx>"}
	}
	lockOnly := a.Config.Bool("package-lock-only")
	t, err := a.look(lookOptions{lockOnly: lockOnly, scan: !lockOnly, legacyPeerDeps: a.Config.Bool("legacy-peer-deps")})
	if err != nil {
		if lockOnly {
			return &usageError{text: "A package lock or shrinkwrap file is required in package-lock-only mode", usage: a.heading + " sbom"}
		}
		return err
	}
	s, err := query.Parse(t.billSelector(a))
	if err != nil {
		return err
	}
	items, err := s.Run(query.Options{Target: t.root, Content: t.content})
	if err != nil {
		return err
	}
	b := &bill{tree: t, kind: a.Config.String("sbom-type"), lockOnly: lockOnly, in: map[*resolver.Node]bool{}}
	var problems []string
	for _, it := range items {
		b.nodes = append(b.nodes, it.Node)
		b.in[it.Node] = true
		for e := range it.Node.EdgesOut {
			problem := ""
			switch {
			case e.Missing() && !e.Optional():
				problem = "missing: " + e.Name + "@" + e.Spec() + ", required by " + e.From().ID()
			case e.Error() == resolver.EdgeInvalid:
				wanted := e.Spec()
				if wanted == "" {
					wanted = "*"
				}
				problem = "invalid: " + e.To().ID() + ", " + wanted + " required by " + e.From().ID()
			}
			if problem != "" && !slices.Contains(problems, problem) {
				problems = append(problems, problem)
			}
		}
	}
	if len(problems) > 0 {
		return &codedError{code: "ESBOMPROBLEMS", text: strings.Join(problems, "\n")}
	}
	a.Config.Set("json", config.NewBool(true), config.CLI)
	doc := b.spdx
	if format == "cyclonedx" {
		doc = b.cyclonedx
	}
	a.printJSONText(jsjson.Append(nil, doc(), "  ", "\n"))
	return nil
}

// billSelector says which packages belong in the bill.
func (t *lookedAt) billSelector(a *App) string {
	omits := ""
	for _, o := range a.Config.Omit() {
		omits += ":not(." + o + ")"
	}
	switch {
	case len(t.selected) > 0:
		var parts []string
		for _, n := range t.workspaceNodes() {
			parts = append(parts, "#"+n.Name, "#"+n.Name+" *"+omits)
		}
		return ":root," + strings.Join(parts, ",")
	case !a.Config.WorkspacesEnabled():
		return ":root,:root > :not(.workspace)" + omits + ",:root > :not(.workspace) *" + omits + ",:extraneous"
	}
	return ":root,:root *" + omits + ",:extraneous"
}

// bill is a bill of materials in the making.
type bill struct {
	tree     *lookedAt
	nodes    []*resolver.Node // by location
	in       map[*resolver.Node]bool
	kind     string // sbom-type
	lockOnly bool
}

// unique gives the packages other than the root, each once by an id.
func (b *bill) unique(id func(*resolver.Node) string) []*resolver.Node {
	var out []*resolver.Node
	seen := map[string]bool{}
	for _, n := range b.nodes {
		if n.IsRoot() || n.IsLink() || seen[id(n)] {
			continue
		}
		seen[id(n)] = true
		out = append(out, n)
	}
	return out
}

func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func text(key, s string) jsjson.Member {
	return jsjson.Member{Key: key, Value: jsjson.NewString(s)}
}

// purl gives the package URL of a node (npm: npm-package-arg toPurl).
func purl(n *resolver.Node) string {
	name, version := n.Package.Name, n.Package.Version
	if name == "" {
		name = n.Name
	}
	out := "pkg:npm/" + strings.Replace(name, "@", "%40", 1)
	if version != "" {
		out += "@" + url.QueryEscape(version)
	}
	if isGit(n.Resolved()) {
		out += "?vcs_url=" + strings.ReplaceAll(url.QueryEscape(n.Resolved()), "+", "%20")
	}
	return out
}

// hash gives the algorithm and the digest of what was installed.
func hashOf(n *resolver.Node) (algorithm, hexDigest string, ok bool) {
	best := integrity.Parse(n.Integrity()).Strongest()
	if len(best) == 0 {
		return "", "", false
	}
	digest, err := base64.StdEncoding.DecodeString(best[0].Digest)
	if err != nil {
		return "", "", false
	}
	return string(best[0].Algorithm), hex.EncodeToString(digest), true
}

func cyclonedxID(n *resolver.Node) string {
	name := n.Package.Name
	if name == "" {
		name = "null"
	}
	return name + "@" + n.Version()
}

func (b *bill) cyclonedx() jsjson.Value {
	nodes := b.unique(cyclonedxID)
	var components, deps []jsjson.Value
	root := b.tree.root
	for _, n := range nodes {
		components = append(components, b.component(n, ""))
	}
	for _, n := range append([]*resolver.Node{root}, nodes...) {
		var on []string
		for e := range n.EdgesOut {
			if to := e.To(); to != nil && b.in[to] && !slices.Contains(on, cyclonedxID(to)) {
				on = append(on, cyclonedxID(to))
			}
		}
		deps = append(deps, jsjson.NewObject(text("ref", cyclonedxID(n)), jsjson.Member{Key: "dependsOn", Value: texts(on)}))
	}
	phase := "build"
	if b.lockOnly {
		phase = "pre-build"
	}
	return jsjson.NewObject(
		text("$schema", "http://cyclonedx.org/schema/bom-1.5.schema.json"),
		text("bomFormat", "CycloneDX"),
		text("specVersion", "1.5"),
		text("serialNumber", "urn:uuid:"+uuid()),
		jsjson.Member{Key: "version", Value: jsjson.NewNumber(1)},
		jsjson.Member{Key: "metadata", Value: jsjson.NewObject(
			text("timestamp", timestamp()),
			jsjson.Member{Key: "lifecycles", Value: jsjson.NewArray(jsjson.NewObject(text("phase", phase)))},
			jsjson.Member{Key: "tools", Value: jsjson.NewArray(jsjson.NewObject(text("vendor", "npm"), text("name", "cli"), text("version", compatible)))},
			jsjson.Member{Key: "component", Value: b.component(root, b.kind)},
		)},
		jsjson.Member{Key: "components", Value: jsjson.NewArray(components...)},
		jsjson.Member{Key: "dependencies", Value: jsjson.NewArray(deps...)},
	)
}

func timestamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func (b *bill) component(n *resolver.Node, kind string) jsjson.Value {
	m := b.tree.content(n)
	if kind == "" {
		kind = "library"
	}
	scope := "required"
	if n.Optional || n.DevOptional {
		scope = "optional"
	}
	out := []jsjson.Member{text("bom-ref", cyclonedxID(n)), text("type", kind), text("name", n.PackageName()), text("version", n.Version()), text("scope", scope)}
	if author := authorOf(m); author != "" {
		out = append(out, text("author", author))
	}
	if d := str(m, "description"); d != "" {
		out = append(out, text("description", d))
	}
	var props, refs []jsjson.Value
	prop := func(on bool, name string) {
		if on {
			props = append(props, jsjson.NewObject(text("name", "cdx:npm:package:"+name), text("value", "true")))
		}
	}
	prop(n.Dev, "development")
	private := m.Get("private")
	prop(private.Kind() == jsjson.Bool && private.Bool(), "private")
	prop(n.Extraneous, "extraneous")
	prop(n.InBundle(), "bundled")
	ref := func(kind, address string) {
		if address != "" {
			refs = append(refs, jsjson.NewObject(text("type", kind), text("url", address)))
		}
	}
	if !n.IsLink() {
		ref("distribution", n.Resolved())
	}
	ref("vcs", str(m.Get("repository"), "url"))
	ref("website", str(m, "homepage"))
	ref("issue-tracker", str(m.Get("bugs"), "url"))
	out = append(out, text("purl", purl(n)), jsjson.Member{Key: "properties", Value: jsjson.NewArray(props...)},
		jsjson.Member{Key: "externalReferences", Value: jsjson.NewArray(refs...)})
	if algorithm, digest, ok := hashOf(n); ok {
		out = append(out, jsjson.Member{Key: "hashes", Value: jsjson.NewArray(jsjson.NewObject(
			text("alg", "SHA-"+strings.TrimPrefix(algorithm, "sha")), text("content", digest)))})
	}
	switch license := licenseIn(m); {
	case license == "" || !spdxExpression(license):
	case strings.ContainsAny(license, " ("):
		out = append(out, jsjson.Member{Key: "licenses", Value: jsjson.NewArray(jsjson.NewObject(text("expression", license)))})
	default:
		out = append(out, jsjson.Member{Key: "licenses", Value: jsjson.NewArray(jsjson.NewObject(
			jsjson.Member{Key: "license", Value: jsjson.NewObject(text("id", license))}))})
	}
	return jsjson.NewObject(out...)
}

// authorOf gives who wrote a package, as its package.json says it.
func authorOf(m jsjson.Value) string {
	v := m.Get("author")
	if v.IsObject() {
		return str(v, "name")
	}
	return v.Str()
}

func spdxID(n *resolver.Node) string {
	return "SPDXRef-Package-" + strings.ReplaceAll(strings.TrimPrefix(n.Package.Name, "@"), "/", ".") + "-" + n.Version()
}

func (b *bill) spdx() jsjson.Value {
	root := b.tree.root
	relation := func(from, to, kind string) jsjson.Value {
		return jsjson.NewObject(text("spdxElementId", from), text("relatedSpdxElement", to), text("relationshipType", kind))
	}
	relations := []jsjson.Value{relation("SPDXRef-DOCUMENT", spdxID(root), "DESCRIBES")}
	seen := map[*resolver.Node]bool{}
	for _, n := range b.nodes {
		if n = n.Target(); n == nil || seen[n] {
			continue
		}
		seen[n] = true
		known := map[string]bool{}
		for e := range n.EdgesOut {
			to := e.To()
			if to == nil || !b.in[to] {
				continue
			}
			kind := "DEPENDENCY_OF"
			switch e.Type {
			case resolver.Peer:
				kind = "PREREQUISITE_FOR"
			case resolver.Optional:
				kind = "OPTIONAL_DEPENDENCY_OF"
			case resolver.Dev:
				kind = "DEV_DEPENDENCY_OF"
			}
			if key := spdxID(to) + "|" + kind; !known[key] {
				known[key] = true
				relations = append(relations, relation(spdxID(to), spdxID(n), kind))
			}
		}
	}
	for _, n := range b.nodes {
		if n.Extraneous {
			relations = append(relations, relation(spdxID(n), spdxID(root), "OPTIONAL_DEPENDENCY_OF"))
		}
	}
	packages := []jsjson.Value{b.spdxPackage(root, b.kind)}
	for _, n := range b.unique(spdxID) {
		packages = append(packages, b.spdxPackage(n, ""))
	}
	id := root.ID()
	escaped := strings.Replace(root.Package.Name, "/", "%2f", 1)
	return jsjson.NewObject(
		text("spdxVersion", "SPDX-2.3"),
		text("dataLicense", "CC0-1.0"),
		text("SPDXID", "SPDXRef-DOCUMENT"),
		text("name", id),
		text("documentNamespace", "http://spdx.org/spdxdocs/"+escaped+"-"+root.Version()+"-"+uuid()),
		jsjson.Member{Key: "creationInfo", Value: jsjson.NewObject(text("created", timestamp()),
			jsjson.Member{Key: "creators", Value: texts([]string{"Tool: npm/cli-" + compatible})})},
		jsjson.Member{Key: "documentDescribes", Value: texts([]string{spdxID(root)})},
		jsjson.Member{Key: "packages", Value: jsjson.NewArray(packages...)},
		jsjson.Member{Key: "relationships", Value: jsjson.NewArray(relations...)},
	)
}

func (b *bill) spdxPackage(n *resolver.Node, kind string) jsjson.Value {
	m := b.tree.content(n)
	location := n.Location()
	if n.IsWorkspace() {
		for l := range n.LinksIn {
			location = l.Location()
			break
		}
	}
	orNone := func(s string) string {
		if s == "" {
			return "NOASSERTION"
		}
		return s
	}
	out := []jsjson.Member{text("name", n.Package.Name), text("SPDXID", spdxID(n)), text("versionInfo", n.Version()), text("packageFileName", location)}
	if d := str(m, "description"); d != "" {
		out = append(out, text("description", d))
	}
	if kind != "" {
		out = append(out, text("primaryPackagePurpose", strings.ToUpper(kind)))
	}
	resolved := n.Resolved()
	if n.IsLink() {
		resolved = ""
	}
	out = append(out, text("downloadLocation", orNone(resolved)),
		jsjson.Member{Key: "filesAnalyzed", Value: jsjson.NewBool(false)},
		text("homepage", orNone(str(m, "homepage"))), text("licenseDeclared", orNone(licenseIn(m))),
		jsjson.Member{Key: "externalRefs", Value: jsjson.NewArray(jsjson.NewObject(
			text("referenceCategory", "PACKAGE-MANAGER"), text("referenceType", "purl"), text("referenceLocator", purl(n))))})
	if algorithm, digest, ok := hashOf(n); ok {
		out = append(out, jsjson.Member{Key: "checksums", Value: jsjson.NewArray(jsjson.NewObject(
			text("algorithm", strings.ToUpper(algorithm)), text("checksumValue", digest)))})
	}
	return jsjson.NewObject(out...)
}

// spdxExpression says whether a text has the form of an SPDX expression of
// licences that are in common use. A name that only looks like a licence is
// left out of the bill, as npm leaves it.
func spdxExpression(s string) bool {
	depth, wantID := 0, true
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "(" && wantID:
			depth++
		case w == ")" && !wantID && depth > 0:
			depth--
		case (w == "AND" || w == "OR") && !wantID:
			wantID = true
		case w == "WITH" && !wantID && i+1 < len(words):
			i++
		case wantID && spdxLicense(strings.TrimSuffix(w, "+")):
			wantID = false
		default:
			return false
		}
	}
	return depth == 0 && !wantID
}

// spdxLicense knows the identifiers that nearly all packages have.
func spdxLicense(s string) bool {
	if strings.HasPrefix(s, "LicenseRef-") {
		return true
	}
	switch s {
	case "MIT", "MIT-0", "ISC", "Apache-2.0", "Apache-1.1", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "0BSD", "BSD-4-Clause",
		"Unlicense", "CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-SA-3.0", "CC-BY-SA-2.5", "WTFPL", "Zlib", "Python-2.0", "PSF-2.0", "BlueOak-1.0.0",
		"MPL-1.1", "MPL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "Artistic-1.0", "Artistic-2.0", "AFL-2.0", "AFL-2.1", "AFL-3.0", "BSL-1.0", "Beerware",
		"GPL-1.0", "GPL-2.0", "GPL-3.0", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later",
		"LGPL-2.0", "LGPL-2.1", "LGPL-3.0", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later",
		"AGPL-1.0", "AGPL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "MS-PL", "MS-RL", "NCSA", "OFL-1.1", "OSL-3.0", "PostgreSQL", "Ruby", "UPL-1.0", "X11",
		"Unicode-DFS-2016", "Unicode-3.0", "CDDL-1.0", "CDDL-1.1", "CPAL-1.0", "ODC-By-1.0", "ODbL-1.0", "Vim", "W3C", "JSON", "BUSL-1.1", "SSPL-1.0", "Elastic-2.0", "curl", "FSFAP", "TCL", "NTP", "HPND", "ICU", "libpng-2.0", "bzip2-1.0.6", "OpenSSL":
		return true
	}
	return false
}
