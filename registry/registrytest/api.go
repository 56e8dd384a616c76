package registrytest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// api answers what begins with "/-/".
func (r *Registry) api(q *http.Request, rest string, body []byte) *answer {
	if text, ok := r.answers[rest]; ok {
		return &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: text}
	}
	switch {
	case rest == "ping":
		return jsonAnswer(http.StatusOK, map[string]any{})
	case rest == "whoami":
		return jsonAnswer(http.StatusOK, map[string]string{"username": "tester"})
	case rest == "npm/v1/security/advisories/bulk", rest == "npm/v1/security/audits/quick", rest == "npm/v1/security/audits":
		return jsonAnswer(http.StatusOK, map[string]any{})
	case strings.HasPrefix(rest, "package/"):
		name, after := split("/" + strings.TrimPrefix(rest, "package/"))
		if after == "dist-tags" || strings.HasPrefix(after, "dist-tags/") {
			return r.distTags(q, name, strings.TrimPrefix(strings.TrimPrefix(after, "dist-tags"), "/"), body)
		}
	}
	return refuse(http.StatusNotFound, "Not found")
}

func (r *Registry) distTags(q *http.Request, name, tag string, body []byte) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	doc, ok := r.document(name, r.base())
	if !ok {
		return refuse(http.StatusNotFound, "Not found")
	}
	p := r.packages[name]
	switch q.Method {
	case http.MethodGet:
		return &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: jsjson.Append(nil, doc.Get("dist-tags"), "", "")}
	case http.MethodPut:
		v, err := jsjson.Parse(body)
		if err != nil || !v.IsString() {
			return refuse(http.StatusBadRequest, "not a version")
		}
		p.tags = slices.DeleteFunc(p.tags, func(m jsjson.Member) bool { return m.Key == tag })
		p.tags = append(p.tags, jsjson.Member{Key: tag, Value: v})
		return jsonAnswer(http.StatusCreated, map[string]bool{"ok": true})
	case http.MethodDelete:
		p.tags = slices.DeleteFunc(p.tags, func(m jsjson.Member) bool { return m.Key == tag })
		return jsonAnswer(http.StatusOK, map[string]bool{"ok": true})
	}
	return refuse(http.StatusMethodNotAllowed, "method not allowed")
}

// publish takes npm's publish document: versions with their tarballs attached,
// or a changed document without any.
func (r *Registry) publish(name string, body []byte) *answer {
	doc, err := jsjson.Parse(body)
	if err != nil {
		return refuse(http.StatusBadRequest, "not JSON")
	}
	attachments := doc.Get("_attachments").Members()
	for _, v := range doc.Get("versions").Members() {
		r.mu.Lock()
		p := r.packages[name]
		there := p != nil && p.versions[v.Key] != nil
		if there && len(attachments) > 0 {
			r.mu.Unlock()
			return refuse(http.StatusForbidden, "You cannot publish over the previously published versions: "+v.Key+".")
		}
		if there {
			// Deprecation and the like: the manifest changes, the bytes stay.
			p.versions[v.Key].manifest = v.Value
		}
		r.mu.Unlock()
		if there {
			continue
		}
		if len(attachments) == 0 {
			return refuse(http.StatusBadRequest, "no attachment")
		}
		tarball, err := base64.StdEncoding.DecodeString(attachments[0].Value.Get("data").Str())
		if err != nil {
			return refuse(http.StatusBadRequest, "attachment is not base64")
		}
		if err := r.AddTarball(name, v.Key, string(jsjson.Append(nil, v.Value, "", "")), tarball); err != nil {
			return refuse(http.StatusBadRequest, err.Error())
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.packageOf(name)
	for _, t := range doc.Get("dist-tags").Members() {
		p.tags = slices.DeleteFunc(p.tags, func(m jsjson.Member) bool { return m.Key == t.Key })
		p.tags = append(p.tags, t)
	}
	return jsonAnswer(http.StatusCreated, map[string]bool{"success": true})
}
