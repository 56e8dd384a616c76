package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/signature"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/internal/weburl"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

// signedPackage is an installed package whose registry may have signed it.
type signedPackage struct {
	name, version, location, registry, kind string

	installed           string // the integrity of what is there, "" where nobody knows
	integrity, resolved string
	signed              bool
	attestations        jsjson.Value // what the manifest says of them, undefined for none
	bundles             jsjson.Value // what the registry has
	invalid             *invalidSignature
}

// invalidSignature is a signature, or an attestation, of something else than what
// is served.
type invalidSignature struct {
	code, text, keyID, sig string
	predicateType          string // of an attestation
}

// runAuditSignatures checks that the registries have signed what is installed
// and, where a package has attestations, that those verify and speak of it (npm:
// lib/utils/verify-signatures.js and pacote lib/registry.js).
func runAuditSignatures(ctx context.Context, a *App) error {
	if a.Config.Global() {
		return &codedError{code: "EAUDITGLOBAL", text: "`npm audit signatures` does not support global packages"}
	}
	start := time.Now()
	t, err := a.look(lookOptions{legacyPeerDeps: a.Config.Bool("legacy-peer-deps")})
	if err != nil {
		return err
	}
	packages, any := t.signable(a)
	if !any {
		return errors.New("found no installed dependencies to audit")
	}
	v := &signatureVerifier{app: a, keys: map[string]*registryKeys{}, root: sync.OnceValues(func() (*provenance.Root, error) { return a.sigstoreRoot(ctx) })}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(20)
	for _, p := range packages {
		group.Go(func() error { return v.verify(gctx, p) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return v.report(packages, time.Since(start))
}

// signable lists the packages that a registry may have signed, each once; any
// says whether there is a dependency at all.
func (t *lookedAt) signable(a *App) (packages []*signedPackage, any bool) {
	only := t.filter(a, a.Config.Bool("include-workspace-root"))
	seen := map[string]bool{}
	for n := range t.root.Inventory {
		for e := range n.EdgesOut {
			if len(only) > 0 && !only[e.From().Target()] {
				continue
			}
			any = true
			if p := t.signedBy(a, e); p != nil && !seen[p.location] {
				seen[p.location] = true
				packages = append(packages, p)
			}
		}
	}
	return packages, any
}

// signedBy gives the package that a dependency leads to, nil where no registry
// has it.
func (t *lookedAt) signedBy(a *App, e *resolver.Edge) *signedPackage {
	n := e.To()
	if n == nil || n.IsWorkspace() || n.Version() == "" {
		return nil
	}
	s, err := spec.Resolve(e.Name, e.Spec(), t.dir)
	if err != nil || !s.Registry {
		return nil
	}
	name := e.Name
	if s.Type == spec.Alias {
		name = s.Sub.Name
	}
	for _, kind := range a.Config.Omit() {
		if kind == "dev" && n.Dev || kind == "optional" && n.Optional || kind == "peer" && n.Peer {
			return nil
		}
	}
	kind := "dependencies"
	switch {
	case e.Optional():
		kind = "optionalDependencies"
	case e.Peer():
		kind = "peerDependencies"
	case e.Type == resolver.Dev:
		kind = "devDependencies"
	}
	scope, _, scoped := strings.Cut(name, "/")
	if !scoped {
		scope = ""
	}
	return &signedPackage{name: name, version: n.Version(), location: n.Location(), kind: kind, registry: a.Config.Registry(scope), installed: n.Integrity()}
}

// signatureVerifier asks each registry for its keys once.
type signatureVerifier struct {
	app  *App
	root func() (*provenance.Root, error)
	mu   sync.Mutex
	keys map[string]*registryKeys
}

type registryKeys struct {
	once sync.Once
	all  []signature.Key
	err  error
}

// keysOf gives a registry's keys, none where it has none.
func (v *signatureVerifier) keysOf(ctx context.Context, address string) ([]signature.Key, error) {
	v.mu.Lock()
	k := v.keys[address]
	if k == nil {
		k = &registryKeys{}
		v.keys[address] = k
	}
	v.mu.Unlock()
	k.once.Do(func() {
		if u, ok := weburl.Parse(address); ok {
			if k.all = signature.Known(u.Host()); k.all != nil {
				return
			}
		}
		client, err := v.app.client()
		if err != nil {
			k.err = err
			return
		}
		v.app.log(levelVerbose, address+": the registry itself says what its keys are")
		res, err := client.Do(ctx, registry.Request{URL: "/-/npm/v1/keys", Registry: address})
		var refused *registry.Error
		switch {
		case errors.As(err, &refused) && (refused.Code() == "E404" || refused.Code() == "E400"):
		case err != nil:
			k.err = err
		default:
			doc, err := res.JSON()
			if err != nil {
				k.err = err
				return
			}
			k.all = signature.ParseKeys(doc)
		}
	})
	return k.all, k.err
}

func (v *signatureVerifier) verify(ctx context.Context, p *signedPackage) error {
	keys, err := v.keysOf(ctx, p.registry)
	if err != nil {
		return err
	}
	client, err := v.app.client()
	if err != nil {
		return err
	}
	doc, err := client.Packument(ctx, p.name)
	if err != nil {
		return err
	}
	raw, err := doc.FullManifest(p.version)
	if err != nil {
		return err
	}
	dist := raw.Value().Get("dist")
	p.resolved = str(dist, "tarball")
	p.integrity = integrity.Parse(str(dist, "integrity")).String()
	if p.integrity == "" {
		p.integrity = integrity.FromSHA1Hex(str(dist, "shasum")).String()
	}
	if p.integrity == "" {
		return nil
	}
	signatures, at := dist.Get("signatures").Items(), dist.Get("attestations")
	if _, err := integrity.Parse(p.installed).Merge(integrity.Parse(p.integrity)); err != nil && (len(signatures) > 0 || at.Truthy()) {
		p.invalid = &invalidSignature{code: "EINTEGRITYSIGNATURE", text: registry.Clean(fmt.Sprintf(
			"%s@%s is installed with the integrity %s, not with %s that the registry has signed", p.name, p.version, p.installed, p.integrity))}
		v.app.logPrefixed(levelWarn, "audit", p.invalid.text)
		return nil
	}
	published, _ := doc.Published(p.version)
	for _, s := range signatures {
		err := signature.Verify(keys, p.name+"@"+p.version, p.integrity, published, signature.Signature{KeyID: str(s, "keyid"), Sig: str(s, "sig")})
		var wrong *signature.Error
		switch {
		case err == nil:
			p.signed = true
		case errors.As(err, &wrong) && wrong.Code() == "EINTEGRITYSIGNATURE":
			p.invalid = &invalidSignature{code: wrong.Code(), text: wrong.Error(), keyID: wrong.KeyID, sig: wrong.Sig}
			return nil
		default:
			return err
		}
	}
	if at.Truthy() {
		return v.verifyAttestations(ctx, p, at, keys)
	}
	return nil
}

// report says what was found, as npm does.
func (v *signatureVerifier) report(packages []*signedPackage, took time.Duration) error {
	a := v.app
	slices.SortStableFunc(packages, func(x, y *signedPackage) int {
		return cmp.Or(collate.Compare(x.name, y.name), collate.Compare(x.location, y.location))
	})
	t := v.tally(packages)
	if t.audited == 0 && t.attested == 0 {
		return errors.New("found no dependencies to audit that were installed from a supported registry")
	}
	var status error
	if len(t.missing)+len(t.invalid) > 0 {
		status = statusError(1)
	}
	if a.json() {
		found := signaturesJSON(t.invalid, t.missing)
		if a.Config.Bool("include-attestations") {
			found = found.With("verified", attestationsJSON(packages))
		}
		a.printJSON(found)
		return status
	}
	a.printSignatures(t, took)
	return status
}

// signatureTally counts what was found.
type signatureTally struct {
	audited, verified, attested int
	missing, invalid            []*signedPackage
}

func (v *signatureVerifier) tally(packages []*signedPackage) *signatureTally {
	t := &signatureTally{}
	for _, p := range packages {
		hasKeys := len(v.keys[p.registry].all) > 0
		if hasKeys {
			t.audited++
		}
		switch {
		case p.invalid != nil:
			t.invalid = append(t.invalid, p)
		case p.signed:
			t.verified++
		case hasKeys:
			t.missing = append(t.missing, p)
		}
		if p.invalid == nil && p.attestations.Truthy() {
			t.attested++
		}
	}
	return t
}

// printSignatures says in words what was found (npm: lib/utils/verify-signatures.js).
func (a *App) printSignatures(t *signatureTally, took time.Duration) {
	i := a.ink()
	plural := ""
	if t.audited > 1 {
		plural = "s"
	}
	a.out("audited %d package%s in %ds\n", t.audited, plural, int(took.Seconds()))
	switch {
	case t.verified == 1:
		a.out("1 package has a %s registry signature\n", i.bold("verified"))
	case t.verified > 1:
		a.out("%d packages have %s registry signatures\n", t.verified, i.bold("verified"))
	}
	switch {
	case t.attested == 1:
		a.out("1 package has a %s attestation", i.bold("verified"))
	case t.attested > 1:
		a.out("%d packages have %s attestations", t.attested, i.bold("verified"))
	}
	if t.attested > 0 {
		if !a.Config.Bool("include-attestations") {
			a.out("(use --json --include-attestations to view attestation details)")
		}
		a.out("")
	}
	list := func(all []*signedPackage) {
		for _, p := range all {
			a.out("%s (%s)", i.red(term.SafeLine(p.name+"@"+p.version)), p.registry)
		}
	}
	if n := len(t.missing); n > 0 {
		has := "packages have"
		if n == 1 {
			has = "package has"
		}
		a.out("%d %s a %s registry signature but the registry is providing signing keys:\n", n, has, i.red("missing"))
		list(t.missing)
	}
	if len(t.invalid) == 0 {
		return
	}
	if len(t.missing) > 0 {
		a.out("")
	}
	for _, kind := range [...]struct{ code, what string }{{"EINTEGRITYSIGNATURE", "registry signature"}, {"EATTESTATIONVERIFY", "attestation"}} {
		some := slices.DeleteFunc(slices.Clone(t.invalid), func(p *signedPackage) bool { return p.invalid.code != kind.code })
		switch len(some) {
		case 0:
			continue
		case 1:
			a.out("1 package has an %s %s:\n", i.red("invalid"), kind.what)
		default:
			a.out("%d packages have %s %ss:\n", len(some), i.red("invalid"), kind.what)
		}
		list(some)
		a.out("")
	}
	if len(t.invalid) == 1 {
		a.out("Someone might have tampered with this package since it was published on the registry!\n")
	} else {
		a.out("Someone might have tampered with these packages since they were published on the registry!\n")
	}
}

// signaturesJSON is what --json prints; what nobody knows is left out.
func signaturesJSON(invalid, missing []*signedPackage) jsjson.Value {
	object := func(pairs ...string) jsjson.Value {
		var members []jsjson.Member
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i+1] != "" {
				members = append(members, text(pairs[i], pairs[i+1]))
			}
		}
		return jsjson.NewObject(members...)
	}
	var wrong, without []jsjson.Value
	for _, p := range invalid {
		wrong = append(wrong, object("code", p.invalid.code, "message", p.invalid.text, "integrity", p.integrity, "keyid", p.invalid.keyID,
			"location", p.location, "name", p.name, "registry", p.registry, "resolved", p.resolved, "signature", p.invalid.sig,
			"predicateType", p.invalid.predicateType, "type", p.kind, "version", p.version))
	}
	for _, p := range missing {
		without = append(without, object("integrity", p.integrity, "location", p.location, "name", p.name, "registry", p.registry,
			"resolved", p.resolved, "version", p.version))
	}
	return jsjson.NewObject(jsjson.Member{Key: "invalid", Value: jsjson.NewArray(wrong...)}, jsjson.Member{Key: "missing", Value: jsjson.NewArray(without...)})
}
