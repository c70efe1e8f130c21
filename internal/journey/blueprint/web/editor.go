package web

import (
	"github.com/a-h/templ"

	"omote/analytics/text/normalise"

	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"omote/internal/journey/blueprint"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// editorView is what the editor shows.
type editorView struct {
	p        Pages
	j        blueprint.Journey
	d        *blueprint.Document
	vi       bool
	may      bool
	findings []blueprint.Finding
	comments []blueprint.Comment
	choices  []blueprint.Conflict
	names    map[string]string
	events   []EventInfo
	counts   map[string]int64
	review   *blueprint.Version
	better   int // improvements of the template
	stamp    string
}

func (p Pages) editor(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, err := p.loadEditor(ctx, r.PathValue("journey"))
	if err != nil {
		return err
	}
	if r.URL.Query().Get("part") == "map" {
		return ui.Render(w, r, v.body())
	}
	name := nameOf(ctx, v.d)
	page := ui.Page{Title: i18n.T(ctx, "blueprint.editor.title", "name", name), At: NavAtlas, Crumbs: crumbs(ctx, ui.Link{Label: name, Href: homePath(v.d.Journey)}),
		Scripts: []string{"map.js"}, Keys: editorKeys(ctx)}
	wrong, open := v.count(blueprint.Wrong), v.count(blueprint.Open)
	page.Finding = i18n.T(ctx, "blueprint.editor.finding", "count", wrong, "open", open)
	if wrong == 0 {
		page.Finding = i18n.T(ctx, "blueprint.editor.ready", "count", open)
	}
	page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "blueprint.diff.see"), Href: homePath(v.d.Journey) + "/diff", Key: "C"}}
	if v.may {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "blueprint.settings.open"), Href: homePath(v.d.Journey) + "/settings", Key: "D"})
	}
	return ui.Render(w, r, editorPage(page, v))
}

// editorKeys are the keys of the editor, for the list that "?" opens.
func editorKeys(ctx context.Context) []ui.Shortcut {
	k := func(text string, keys ...string) ui.Shortcut {
		return ui.Shortcut{Keys: keys, Text: i18n.T(ctx, "blueprint.keys."+text)}
	}
	return []ui.Shortcut{k("move", "←", "↑", "↓", "→"), k("edit", "Enter"), k("bind", "E"), k("add", "N"), k("stage", "Shift N"), k("shift", "Alt ←", "Alt →"), k("none", "0"),
		k("empty", "."), k("optional", "O"), k("alternative", "A"), k("parallel", "P"), k("loop", "L"), k("card", "S"), k("talk", "M"), k("remove", "Del"), k("undo", "Z"), k("redo", "Shift Z")}
}

func (p Pages) loadEditor(ctx context.Context, journey string) (*editorView, error) {
	j, err := p.Maps.Get(ctx, journey)
	if err != nil {
		return nil, err
	}
	v := &editorView{p: p, j: j, d: j.Draft, vi: strings.HasPrefix(i18n.Locale(ctx), "vi"), may: mayEdit(ctx)}
	if v.events, v.counts, err = p.eventList(ctx); err != nil {
		return nil, err
	}
	v.findings = blueprint.Check(v.d, func(e string) int64 { return v.counts[e] })
	if v.comments, err = p.Maps.Comments(ctx, journey); err != nil {
		return nil, err
	}
	if v.choices, err = p.Maps.Conflicts(ctx, journey); err != nil {
		return nil, err
	}
	if v.stamp, err = p.Maps.Stamp(ctx, journey); err != nil {
		return nil, err
	}
	versions, err := p.Maps.Versions(ctx, journey)
	if err != nil {
		return nil, err
	}
	refs := []string{j.UpdatedBy}
	for i := range versions {
		if versions[i].State == blueprint.Review {
			v.review = &versions[i]
			refs = append(refs, versions[i].ProposedBy)
		}
	}
	if v.may && v.d.Template != "" {
		better, err := p.Maps.Improvements(ctx, journey)
		if err != nil {
			return nil, err
		}
		v.better = len(better.Taken)
	}
	for _, c := range v.comments {
		refs = append(refs, c.Actor)
	}
	for _, c := range v.choices {
		refs = append(refs, c.Actor, c.By)
	}
	v.names = p.Names(ctx, refs...)
	return v, nil
}

// eventList gives the events that can be bound, most frequent first: those that
// the tracking plan declares and those that have come in.
func (p Pages) eventList(ctx context.Context) ([]EventInfo, map[string]int64, error) {
	counts, err := p.Conform.Events(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, err := p.Events(ctx)
	if err != nil {
		return nil, nil, err
	}
	known := map[string]bool{}
	for _, e := range list {
		known[e.Name] = true
	}
	for name := range counts {
		if name != "" && !known[name] {
			list = append(list, EventInfo{Name: name, Label: blueprint.Text{EN: name, VI: name}})
		}
	}
	slices.SortFunc(list, func(a, b EventInfo) int {
		return cmp.Or(cmp.Compare(counts[b.Name], counts[a.Name]), cmp.Compare(a.Name, b.Name))
	})
	return list, counts, nil
}

func (v *editorView) count(s blueprint.Severity) (n int) {
	for _, f := range v.findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// nameField is the field of names in the reader's language.
func (v *editorView) nameField() string {
	if v.vi {
		return "name.vi"
	}
	return "name.en"
}

func (v *editorView) who(ctx context.Context, ref string) string { return whoIs(ctx, v.names, ref) }

// whoIs names an actor; the platform's own work is the system.
func whoIs(ctx context.Context, names map[string]string, ref string) string {
	if strings.HasPrefix(ref, "process:") {
		return i18n.T(ctx, "blueprint.system")
	}
	return cmp.Or(names[ref], ref)
}

// findingsShown is how many findings stand open; the others are folded.
const findingsShown = 7

func (v *editorView) shown() int {
	return min(len(v.findings), max(findingsShown, v.count(blueprint.Wrong)))
}

// openComments counts the open comments on a step; "" is the whole map.
func (v *editorView) openComments(step string) (n int) {
	for _, c := range v.comments {
		if c.Step == step && c.Resolved.IsZero() {
			n++
		}
	}
	return n
}

func jsonOf(x any) string {
	raw, err := json.Marshal(x)
	if err != nil {
		return "null" // texts and lists of them
	}
	return string(raw)
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return ""
}

// numbered gives the place of a step among all, from 1.
func (v *editorView) numbered(id string) int {
	for i, s := range v.d.Steps() {
		if s.ID == id {
			return i + 1
		}
	}
	return 0
}

// marks are what a step's head says beside its name.
func (v *editorView) marks(ctx context.Context, s *blueprint.Step) string {
	var out []string
	if s.Optional {
		out = append(out, i18n.T(ctx, "blueprint.mark.optional"))
	}
	if g := v.d.GroupOf(s); g.ID != "" {
		out = append(out, i18n.T(ctx, "blueprint.mode."+string(g.Mode)))
	}
	if s.Moment {
		out = append(out, i18n.T(ctx, "blueprint.mark.moment"))
	}
	return strings.Join(out, " · ")
}

// roleLine says who acts, and where.
func roleLine(ctx context.Context, s *blueprint.Step) string {
	var out []string
	if s.Actor != "" {
		out = append(out, i18n.T(ctx, "blueprint.actor."+string(s.Actor)))
	}
	for _, c := range s.Channels {
		out = append(out, channelName(ctx, c))
	}
	return strings.Join(out, ", ")
}

// knownChannels have a name in both languages; others are shown as they are.
var knownChannels = []string{"mobile_app", "web", "branch", "sms", "push", "email", "call", "contact_centre", "atm", "pos", "ecommerce", "courier", "back_office",
	"transfer", "mobile_wallet", "auto_debit", "statement", "post", "letter", "social"}

func channelName(ctx context.Context, c string) string {
	if slices.Contains(knownChannels, c) {
		return i18n.T(ctx, "blueprint.channel."+c)
	}
	return c
}

// findingText says what a check found, and findingNote what to do.
func findingText(ctx context.Context, d *blueprint.Document, f blueprint.Finding) string {
	layer := ""
	if f.Layer != "" {
		layer = i18n.T(ctx, "blueprint.layer."+string(f.Layer))
	}
	step := ""
	if f.Step != "" {
		step = stepNamed(ctx, d, f.Step)
	}
	return i18n.T(ctx, "blueprint.check."+f.Code, "step", step, "layer", layer, "name", f.Name, "count", f.Count, "all", f.All,
		"time", duration(ctx, f.Time), "limit", duration(ctx, f.Limit))
}

// cellField leads from a finding to the cell it is about.
func cellField(f blueprint.Finding) string {
	switch {
	case f.Layer != "":
		return "layers." + string(f.Layer)
	case f.Code == "wait_over_timeout":
		return "max_wait"
	case f.Code == "unbound" || f.Code == "never_seen" || f.Code == "event_twice" || f.Code == "wants_failure":
		return "events"
	}
	return ""
}

// choiceValue writes a value of an open choice for reading.
func choiceValue(ctx context.Context, field string, raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return i18n.T(ctx, "blueprint.value.gone")
	}
	var text string
	var list []string
	var cell blueprint.Cell
	var group blueprint.Group
	var yes bool
	switch {
	case json.Unmarshal(raw, &text) == nil:
		if field == "actor" && text != "" {
			return i18n.T(ctx, "blueprint.actor."+text)
		}
		var d blueprint.Duration
		if (field == "max_wait" || field == "timeout") && json.Unmarshal(raw, &d) == nil {
			text = duration(ctx, d)
		}
	case json.Unmarshal(raw, &list) == nil:
		text = strings.Join(list, ", ")
	case json.Unmarshal(raw, &yes) == nil:
		if yes {
			return i18n.T(ctx, "blueprint.value.yes")
		}
		return i18n.T(ctx, "blueprint.value.no")
	case field == "group" && json.Unmarshal(raw, &group) == nil:
		if group.ID != "" {
			text = i18n.T(ctx, "blueprint.mode."+string(group.Mode))
		}
	case strings.HasPrefix(field, "layers.") && json.Unmarshal(raw, &cell) == nil:
		if cell.None {
			return i18n.T(ctx, "blueprint.none")
		}
		text = cell.Text
	default:
		text = string(raw)
	}
	if text == "" {
		return i18n.T(ctx, "blueprint.value.empty")
	}
	return text
}

// fieldName is what a field is called.
func fieldName(ctx context.Context, field string) string {
	if layer, ok := strings.CutPrefix(field, "layers."); ok {
		return i18n.T(ctx, "blueprint.layer."+layer)
	}
	if field == "" {
		return i18n.T(ctx, "blueprint.field.place")
	}
	return i18n.T(ctx, "blueprint.field."+field)
}

// targetName is what the target of an operation is called.
func targetName(ctx context.Context, d *blueprint.Document, target string) string {
	switch kind, id := blueprint.Describe(target); kind {
	case "step":
		return i18n.T(ctx, "blueprint.target.step", "name", stepNamed(ctx, d, id))
	case "stage":
		if i := d.StageAt(id); i >= 0 {
			return i18n.T(ctx, "blueprint.target.stage", "name", cmp.Or(in(ctx, d.Stages[i].Name), id))
		}
		return i18n.T(ctx, "blueprint.target.stage", "name", id)
	}
	return i18n.T(ctx, "blueprint.target.journey")
}

// cell gives the attributes by which the script knows a cell.
func (v *editorView) cell(ctx context.Context, s *blueprint.Step, field, kind string, value any, row string) templ.Attributes {
	return templ.Attributes{"data-target": "step/" + s.ID, "data-field": field, "data-kind": kind, "data-value": jsonOf(value), "tabindex": "-1",
		"aria-label": i18n.T(ctx, row) + ", " + stepName(ctx, s)}
}

// says are the words that the script needs.
func (v *editorView) says(ctx context.Context) templ.Attributes {
	out := templ.Attributes{}
	for _, word := range []string{"saving", "saved", "failed", "waiting", "conflict", "with", "fresh"} {
		out["data-"+word] = i18n.T(ctx, "blueprint.say."+word)
	}
	out["data-fresh-stage"] = i18n.T(ctx, "blueprint.say.fresh_stage")
	out["data-no-next"] = i18n.T(ctx, "blueprint.say.no_next")
	return out
}

// choiceOf writes what an operation wanted that waits for a choice.
func choiceOf(ctx context.Context, c blueprint.Conflict) string {
	switch c.Op.Kind {
	case blueprint.OpRemove:
		return i18n.T(ctx, "blueprint.value.remove")
	case blueprint.OpMove:
		return i18n.T(ctx, "blueprint.value.move")
	}
	return choiceValue(ctx, c.Op.Field, c.Op.Value)
}

func foldText(text string) string { return normalise.Fold(text) }
