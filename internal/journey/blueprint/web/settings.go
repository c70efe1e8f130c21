package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"omote/internal/journey/blueprint"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// settingsFields are the fields of the form of the whole journey.
var settingsFields = []string{"name.vi", "name.en", "promise.vi", "promise.en", "owner", "parent", "timeout", "start", "success", "failure", "exceptions", "cost", "metrics", "segments", "personas"}

type settingsView struct {
	d     *blueprint.Document
	rev   int64
	vi    bool
	wrong ui.FieldErrors
	was   map[string]string
	tops  []ui.Option // journeys of which this may be a part
	// segments can be chosen; none where the reader may not know of them.
	segments []ui.Option
}

func (p Pages) settings(w http.ResponseWriter, r *http.Request) error {
	j, err := p.Maps.Get(r.Context(), r.PathValue("journey"))
	if err != nil {
		return err
	}
	return p.renderSettings(w, r, http.StatusOK, j.Draft, j.Rev, nil)
}

func (p Pages) renderSettings(w http.ResponseWriter, r *http.Request, status int, d *blueprint.Document, rev int64, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := &settingsView{d: d, rev: rev, vi: strings.HasPrefix(i18n.Locale(ctx), "vi"), wrong: wrong, was: map[string]string{}, tops: []ui.Option{{Label: i18n.T(ctx, "blueprint.settings.top")}}}
	all, err := p.Maps.List(ctx)
	if err != nil {
		return err
	}
	for _, j := range all {
		if j.Draft.Journey != d.Journey {
			v.tops = append(v.tops, ui.Option{Value: j.Draft.Journey, Label: nameOf(ctx, j.Draft)})
		}
	}
	if v.segments, err = p.segmentOptions(ctx, d); err != nil {
		return err
	}
	for _, f := range settingsFields {
		raw, err := d.Field("journey", f)
		if err != nil {
			return err
		}
		text := string(raw)
		if text == "null" {
			text = "[]"
		}
		v.was[f] = text
	}
	page := ui.Page{Title: i18n.T(ctx, "blueprint.settings.title", "name", nameOf(ctx, d)), At: NavAtlas, Crumbs: crumbs(ctx, ui.Link{Label: nameOf(ctx, d), Href: homePath(d.Journey)})}
	return ui.RenderStatus(w, r, status, settingsPage(page, v))
}

func (p Pages) saveSettings(w http.ResponseWriter, r *http.Request) error {
	ctx, journey := r.Context(), r.PathValue("journey")
	base, err := strconv.ParseInt(r.FormValue("rev"), 10, 64)
	if err != nil {
		return errs.Invalid("blueprint.error.value", "rev", "the form has lost its revision").With("field", "rev")
	}
	j, err := p.Maps.Get(ctx, journey)
	if err != nil {
		return err
	}
	fields := map[string]any{}
	for _, f := range []string{"name.en", "name.vi", "promise.en", "promise.vi", "owner", "parent", "cost"} {
		fields[f] = strings.TrimSpace(r.FormValue(f))
	}
	for _, f := range []string{"start", "success", "failure", "exceptions", "metrics", "segments"} {
		list := lines(strings.Join(r.Form[f], "\n"))
		if list == nil {
			list = []string{}
		}
		fields[f] = list
	}
	fields["personas"] = personasOf(r.FormValue("personas"))
	var timeout blueprint.Duration
	if timeout, err = parseWait(r.FormValue("timeout")); err == nil {
		fields["timeout"] = timeout
		var ops []blueprint.Op
		ops, err = changes(j.Draft, "journey", untouched(r, fields), settingsFields, base)
		if err == nil && len(ops) > 0 {
			_, err = p.Maps.Edit(ctx, journey, formClient+strconv.FormatInt(base, 10), ops)
		}
	}
	if err != nil {
		if k := errs.KindOf(err); k != errs.KindInvalid && k != errs.KindTooLarge {
			return err
		}
		d := j.Draft.Clone()
		ops, _ := changes(d, "journey", fields, settingsFields, base)
		for _, o := range ops {
			_, _ = d.Apply(o) // what was typed stays in the form
		}
		return p.renderSettings(w, r, http.StatusUnprocessableEntity, d, base, ui.ErrorsFrom(ctx, err))
	}
	http.Redirect(w, r, homePath(journey)+"/edit", http.StatusSeeOther)
	return nil
}

// segmentOptions are the segments that a journey can be designed for: those in use,
// and those that the design names although they no longer are.
func (p Pages) segmentOptions(ctx context.Context, d *blueprint.Document) (out []ui.Option, err error) {
	if p.Segments == nil {
		return nil, nil
	}
	list, err := p.Segments(ctx)
	if errs.KindOf(err) == errs.KindDenied {
		return nil, nil
	}
	if err != nil || len(list) == 0 {
		return nil, err
	}
	for _, s := range list {
		out = append(out, ui.Option{Value: s.ID, Label: s.Name.In(i18n.Locale(ctx))})
	}
	slices.SortFunc(out, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	for _, id := range d.Segments {
		if !slices.ContainsFunc(out, func(o ui.Option) bool { return o.Value == id }) {
			out = append(out, ui.Option{Value: id, Label: i18n.T(ctx, "blueprint.settings.segment_gone", "id", id)})
		}
	}
	return out, nil
}

// personasOf reads one persona a line, "name: story".
func personasOf(text string) []blueprint.Persona {
	out := []blueprint.Persona{}
	for line := range strings.Lines(text) {
		name, story, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, blueprint.Persona{Name: name, Story: strings.TrimSpace(story)})
		}
	}
	return out
}

func personasText(list []blueprint.Persona) string {
	var b strings.Builder
	for _, p := range list {
		b.WriteString(p.Name)
		if p.Story != "" {
			b.WriteString(": " + p.Story)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
