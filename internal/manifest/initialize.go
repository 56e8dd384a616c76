package manifest

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// Complete gives the package.json of the package in dir the form in which
// "init" writes it (npm: init-package-json lib/init-package-json.js): what the
// files tell is filled in, and what is only for registries is left out again.
// An error is a *FieldError.
func Complete(dir string, content jsjson.Value) (jsjson.Value, error) {
	e := editor{v: content}
	for _, m := range e.v.Members() {
		if strings.HasPrefix(m.Key, "_") {
			e.remove(m.Key)
		}
	}
	if !e.v.Has("bundleDependencies") && e.v.Has("bundledDependencies") {
		e.set("bundleDependencies", e.get("bundledDependencies"))
	}
	e.remove("bundledDependencies")
	e.expandBundle(true)
	e.addScripts(dir)
	e.fixScripts(true)
	e.addReadme(dir)
	if e.get("bin").Truthy() {
		e.fixBin()
	}
	if err := e.addTypes(dir); err != nil {
		return content, err
	}
	switch funding := e.get("funding"); {
	case funding.IsString() && funding.Truthy():
		e.set("funding", fundingURL(funding))
	case funding.IsArray():
		list := make([]jsjson.Value, funding.Len())
		for i, item := range funding.Items() {
			list[i] = fundingURL(item)
		}
		e.set("funding", jsjson.NewArray(list...))
	}
	e.fixRepository()
	e.fixDependencies()
	e.normalizeData()
	for _, key := range []string{"readme", "readmeFilename", "gitHead", "_id"} {
		e.remove(key)
	}
	if author := e.get("author"); author.IsObject() {
		e.set("author", jsjson.NewString(personText(author)))
	}
	if !e.get("repository").Truthy() {
		e.remove("repository")
	}
	if optional := e.get("optionalDependencies"); optional.IsObject() && e.get("dependencies").IsObject() {
		deps := e.get("dependencies")
		for _, m := range optional.Members() {
			deps = deps.Without(m.Key)
		}
		e.set("dependencies", deps)
	}
	if deps := e.get("dependencies"); deps.IsObject() && deps.Len() == 0 {
		e.remove("dependencies")
	}
	return e.v, nil
}

func fundingURL(v jsjson.Value) jsjson.Value {
	if v.IsString() {
		return jsjson.NewObject(jsjson.Member{Key: "url", Value: v})
	}
	return v
}

// personText writes {name, email, url} as people do: "Name <email> (url)".
func personText(p jsjson.Value) string {
	text := p.Get("name").Text()
	if email := p.Get("email"); email.Truthy() {
		text += " <" + email.Text() + ">"
	}
	if url := p.Get("url"); url.Truthy() {
		text += " (" + url.Text() + ")"
	}
	return text
}
