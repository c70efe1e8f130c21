// Package apidoc shows the API as a page that people can read, made from the
// OpenAPI document that programs read.
package apidoc

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// operation is one line of the reference.
type operation struct {
	method, path, summary, permission string
	inputs                            []ui.KeyValue
}

// group is the operations of one tag.
type group struct {
	name       string
	operations []operation
}

// Page serves the reference of an API.
func Page(doc *huma.OpenAPI) httpx.Handler {
	groups := groupsOf(doc)
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		page := ui.Page{Title: i18n.T(ctx, "app.api.title"), Finding: i18n.T(ctx, "app.api.finding"), Meta: []ui.Item{
			ui.Anchor("OpenAPI 3.1", "/api/openapi.json"), ui.Text(i18n.T(ctx, "app.api.version", "version", doc.Info.Version))}}
		return ui.Render(w, r, referencePage(page, groups))
	}
}

func groupsOf(doc *huma.OpenAPI) []group {
	byTag := map[string]*group{}
	for path, item := range doc.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			if op == nil {
				continue
			}
			tag := "Other"
			if len(op.Tags) > 0 {
				tag = op.Tags[0]
			}
			if byTag[tag] == nil {
				byTag[tag] = &group{name: tag}
			}
			byTag[tag].operations = append(byTag[tag].operations, describe(method, path, op))
		}
	}
	var groups []group
	for _, g := range byTag {
		slices.SortFunc(g.operations, func(a, b operation) int {
			return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
		})
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b group) int { return strings.Compare(a.name, b.name) })
	return groups
}

func describe(method, path string, op *huma.Operation) operation {
	o := operation{method: method, path: path, summary: op.Summary}
	o.permission, _ = op.Extensions["x-permission"].(string)
	for _, p := range op.Parameters {
		text := p.Description
		if p.Schema != nil {
			text = strings.TrimSpace(p.Schema.Type + " " + text)
		}
		o.inputs = append(o.inputs, ui.KeyValue{Key: p.Name, Value: text})
	}
	if op.RequestBody != nil {
		for kind := range op.RequestBody.Content {
			o.inputs = append(o.inputs, ui.KeyValue{Key: "body", Value: kind})
		}
	}
	return o
}
