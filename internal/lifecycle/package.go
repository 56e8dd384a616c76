package lifecycle

import (
	"strconv"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// Package is what a script's environment says of the package it belongs to.
type Package struct {
	Name, Version string
	Config        jsjson.Raw // package.json's config; a lockfile has none
	Engines       jsjson.Raw
	Bin           []manifest.Bin
}

// ID is npm's _id: "name@version" where the package has both, else "".
func (p *Package) ID() string {
	if p.Name == "" || p.Version == "" {
		return ""
	}
	return p.Name + "@" + p.Version
}

// Env gives the npm_package_* variables (run-script lib/package-envs.js, npm's
// RFC 183): name, version, and config, engines and bin flattened with "_".
func (p *Package) Env() []string {
	var env []string
	if p.Name != "" {
		env = append(env, "npm_package_name="+p.Name)
	}
	if p.Version != "" {
		env = append(env, "npm_package_version="+p.Version)
	}
	env = appendFlat(env, "npm_package_config", p.Config)
	env = appendFlat(env, "npm_package_engines", p.Engines)
	for _, bin := range p.Bin {
		env = append(env, "npm_package_bin_"+bin.Name+"="+bin.Path)
	}
	return env
}

// appendFlat parses late: most packages have none of it.
func appendFlat(env []string, key string, raw jsjson.Raw) []string {
	if raw == "" {
		return env
	}
	value, err := raw.Parse()
	if err != nil {
		return env
	}
	return appendValue(env, key, value)
}

func appendValue(env []string, key string, v jsjson.Value) []string {
	switch v.Kind() {
	case jsjson.Undefined:
		return env
	case jsjson.Object:
		for _, m := range v.Members() {
			env = appendValue(env, key+"_"+m.Key, m.Value)
		}
		return env
	case jsjson.Array:
		for i, item := range v.Items() {
			env = appendValue(env, key+"_"+strconv.Itoa(i), item)
		}
		return env
	default:
		return append(env, key+"="+scalarText(v))
	}
}

// scalarText is JavaScript's String(v), but null and false are "".
func scalarText(v jsjson.Value) string {
	switch v.Kind() {
	case jsjson.String:
		return v.Str()
	case jsjson.Number:
		return js.FormatNumber(v.Num())
	case jsjson.Bool:
		if v.Bool() {
			return "true"
		}
	}
	return ""
}
