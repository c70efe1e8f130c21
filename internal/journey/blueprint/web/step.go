package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// stepView is the interaction card of a step: everything about it in one form.
type stepView struct {
	d        *blueprint.Document
	s        *blueprint.Step
	rev      int64
	may      bool
	vi       bool
	wrong    ui.FieldErrors
	findings []blueprint.Finding
	report   *conform.StepReport
	full     *conform.Report
	at, all  int
	before   string
	after    string
}

func (p Pages) step(w http.ResponseWriter, r *http.Request) error {
	j, err := p.Maps.Get(r.Context(), r.PathValue("journey"))
	if err != nil {
		return err
	}
	return p.renderStep(w, r, http.StatusOK, j.Draft, j.Rev, nil)
}

func (p Pages) renderStep(w http.ResponseWriter, r *http.Request, status int, d *blueprint.Document, rev int64, wrong ui.FieldErrors) error {
	ctx := r.Context()
	s := d.Step(r.PathValue("step"))
	if s == nil {
		return errs.NotFound("blueprint.error.target", "the map has no step %q", r.PathValue("step")).With("target", r.PathValue("step"))
	}
	v := &stepView{d: d, s: s, rev: rev, may: mayEdit(ctx), vi: strings.HasPrefix(i18n.Locale(ctx), "vi"), wrong: wrong}
	steps := d.Steps()
	v.all = len(steps)
	for i, x := range steps {
		if x.ID != s.ID {
			continue
		}
		v.at = i + 1
		if i > 0 {
			v.before = steps[i-1].ID
		}
		if i+1 < len(steps) {
			v.after = steps[i+1].ID
		}
	}
	counts, err := p.Conform.Events(ctx)
	if err != nil {
		return err
	}
	for _, f := range blueprint.Check(d, func(e string) int64 { return counts[e] }) {
		if f.Step == s.ID && f.Severity != blueprint.Fine {
			v.findings = append(v.findings, f)
		}
	}
	if full, err := p.Conform.Draft(ctx, d); err == nil && full.Cases > 0 {
		v.full, v.report = full, full.Step(s.ID)
	} else if err != nil && errs.KindOf(err) == errs.KindInternal {
		return err
	}
	name := nameOf(ctx, d)
	page := ui.Page{Title: stepName(ctx, s), At: NavAtlas, Crumbs: crumbs(ctx, ui.Link{Label: name, Href: homePath(d.Journey)}),
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "blueprint.step.place", "at", v.at, "all", v.all)), ui.Anchor(i18n.T(ctx, "blueprint.home.map"), homePath(d.Journey)+"/edit")}}
	if s.Expectation != "" {
		page.Promise = s.Expectation
	}
	if v.before != "" {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: "‹ " + i18n.T(ctx, "blueprint.step.before"), Href: stepPath(d.Journey, v.before), Kind: ui.BareButton})
	}
	if v.after != "" {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "blueprint.step.after") + " ›", Href: stepPath(d.Journey, v.after), Kind: ui.BareButton})
	}
	return ui.RenderStatus(w, r, status, stepPage(page, v))
}

// fieldsOfForm reads the fields of the step's form as JSON values.
func fieldsOfForm(r *http.Request) (map[string]any, error) {
	out := map[string]any{}
	for _, f := range []string{"name.en", "name.vi", "actor", "kind", "intent", "expectation", "owner", "shared", "branch"} {
		out[f] = strings.TrimSpace(r.FormValue(f))
	}
	for _, f := range []string{"channels", "events", "raci.responsible", "raci.accountable", "raci.consulted", "raci.informed"} {
		list := lines(r.FormValue(f))
		if list == nil {
			list = []string{}
		}
		out[f] = list
	}
	for _, f := range []string{"unseen", "optional", "moment"} {
		out[f] = r.FormValue(f) != ""
	}
	wait, err := parseWait(r.FormValue("max_wait"))
	if err != nil {
		return out, err
	}
	out["max_wait"] = wait
	for _, l := range blueprint.Layers {
		c := blueprint.Cell{Text: strings.TrimSpace(r.FormValue("layers." + string(l)))}
		if c.Text == "" && r.FormValue("none."+string(l)) != "" {
			c.None = true
		}
		out["layers."+string(l)] = c
	}
	hands := []blueprint.Handoff{}
	for i := range maxHandoffs {
		n := strconv.Itoa(i)
		h := blueprint.Handoff{When: strings.TrimSpace(r.FormValue("hand.when." + n)), To: strings.TrimSpace(r.FormValue("hand.to." + n)), Event: strings.TrimSpace(r.FormValue("hand.event." + n))}
		if h.Within, err = parseWait(r.FormValue("hand.within." + n)); err != nil {
			return out, err
		}
		if h != (blueprint.Handoff{}) {
			hands = append(hands, h)
		}
	}
	out["handoffs"] = hands
	return out, nil
}

// maxHandoffs is how many hand-off rules the form has room for.
const maxHandoffs = 4

// changes makes operations of the fields that differ from the document as it was
// when the form was drawn; those that the reader left alone stay as they are.
func changes(d *blueprint.Document, target string, fields map[string]any, names []string, base int64) ([]blueprint.Op, error) {
	var ops []blueprint.Op
	for _, f := range names {
		v, there := fields[f]
		if !there {
			continue
		}
		value, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		was, err := d.Field(target, f)
		if err != nil {
			return nil, err
		}
		if string(was) == "null" {
			was = json.RawMessage("[]")
		}
		if !bytes.Equal(was, value) {
			ops = append(ops, blueprint.Op{ID: uuid.Must(uuid.NewV7()).String(), Kind: blueprint.OpSet, Target: target, Field: f, Value: value, Base: base})
		}
	}
	return ops, nil
}

func (p Pages) saveStep(w http.ResponseWriter, r *http.Request) error {
	ctx, journey, id := r.Context(), r.PathValue("journey"), r.PathValue("step")
	base, err := strconv.ParseInt(r.FormValue("rev"), 10, 64)
	if err != nil {
		return errs.Invalid("blueprint.error.value", "rev", "the form has lost its revision").With("field", "rev")
	}
	j, err := p.Maps.Get(ctx, journey)
	if err != nil {
		return err
	}
	fields, err := fieldsOfForm(r)
	if err == nil {
		var ops []blueprint.Op
		// What was in the form when it was drawn is sent along, so that a field that
		// somebody else changed meanwhile is not taken for the reader's own change.
		ops, err = changes(j.Draft, "step/"+id, untouched(r, fields), blueprint.StepFields, base)
		if err == nil && len(ops) > 0 {
			_, err = p.Maps.Edit(ctx, journey, formClient+strconv.FormatInt(base, 10), ops)
		}
	}
	if err != nil {
		if k := errs.KindOf(err); k != errs.KindInvalid && k != errs.KindTooLarge {
			return err
		}
		d := j.Draft.Clone()
		if s := d.Step(id); s != nil { // what was typed stays
			ops, _ := changes(d, "step/"+id, fields, blueprint.StepFields, base)
			for _, o := range ops {
				_, _ = d.Apply(o)
			}
		}
		return p.renderStep(w, r, http.StatusUnprocessableEntity, d, base, ui.ErrorsFrom(ctx, err))
	}
	next := homePath(journey) + "/edit"
	if r.FormValue("then") != "" {
		next = stepPath(journey, r.FormValue("then"))
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// untouched leaves out the fields whose value is the one that the form was drawn
// with (hidden as was.FIELD).
func untouched(r *http.Request, fields map[string]any) map[string]any {
	out := map[string]any{}
	for f, v := range fields {
		if was := r.FormValue("was." + f); was != "" && was == jsonOf(v) {
			continue
		}
		out[f] = v
	}
	return out
}

// shape adds, moves and removes from plain forms.
func (p Pages) shape(w http.ResponseWriter, r *http.Request) error {
	ctx, journey := r.Context(), r.PathValue("journey")
	j, err := p.Maps.Get(ctx, journey)
	if err != nil {
		return err
	}
	o := blueprint.Op{ID: uuid.Must(uuid.NewV7()).String(), Base: j.Rev, Target: "step/" + r.FormValue("step")}
	switch r.FormValue("do") {
	case "add":
		name := strings.TrimSpace(r.FormValue("name"))
		if name == "" {
			name = i18n.T(ctx, "blueprint.say.fresh")
		}
		s := blueprint.Step{}
		if strings.HasPrefix(i18n.Locale(ctx), "vi") {
			s.Name.VI = name
		} else {
			s.Name.EN = name
		}
		o.Kind, o.Stage, o.Target = blueprint.OpAdd, r.FormValue("stage"), "step/s"+strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")[20:]
		if i := j.Draft.StageAt(o.Stage); i >= 0 && len(j.Draft.Stages[i].Steps) > 0 {
			o.After = j.Draft.Stages[i].Steps[len(j.Draft.Stages[i].Steps)-1].ID
		}
		o.Value = json.RawMessage(jsonOf(blueprint.Added{Step: &s}))
	case "stage":
		st := blueprint.Stage{Name: blueprint.Text{EN: r.FormValue("name"), VI: r.FormValue("name")}}
		o.Kind, o.Target = blueprint.OpAdd, "stage/g"+strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")[20:]
		if n := len(j.Draft.Stages); n > 0 {
			o.After = j.Draft.Stages[n-1].ID
		}
		o.Value = json.RawMessage(jsonOf(blueprint.Added{Stage: &st}))
	case "remove":
		o.Kind = blueprint.OpRemove
	case "left", "right":
		i, k := j.Draft.Place(r.FormValue("step"))
		if i < 0 {
			return errs.NotFound("blueprint.error.target", "the map has no step %q", r.FormValue("step")).With("target", r.FormValue("step"))
		}
		if !moveTo(&o, j.Draft, i, k, r.FormValue("do") == "right") {
			http.Redirect(w, r, homePath(journey)+"/edit", http.StatusSeeOther)
			return nil
		}
	default:
		return errs.Invalid("blueprint.error.op", "do", "%q is no change of shape", r.FormValue("do")).With("value", r.FormValue("do"))
	}
	if _, err := p.Maps.Edit(ctx, journey, formClient, []blueprint.Op{o}); err != nil {
		return err
	}
	http.Redirect(w, r, homePath(journey)+"/edit#steps", http.StatusSeeOther)
	return nil
}

// moveTo makes the operation that moves a step by one place; false at the ends.
func moveTo(o *blueprint.Op, d *blueprint.Document, stage, at int, right bool) bool {
	o.Kind = blueprint.OpMove
	steps := d.Stages[stage].Steps
	o.Stage = d.Stages[stage].ID
	switch {
	case right && at+1 < len(steps):
		o.After = steps[at+1].ID
	case right && stage+1 < len(d.Stages):
		o.Stage = d.Stages[stage+1].ID
	case !right && at > 1:
		o.After = steps[at-2].ID
	case !right && at == 1:
	case !right && stage > 0:
		before := d.Stages[stage-1]
		o.Stage = before.ID
		if n := len(before.Steps); n > 0 {
			o.After = before.Steps[n-1].ID
		}
	default:
		return false
	}
	return true
}

// was gives the hidden fields that say what the form was drawn with.
func (v *stepView) was() map[string]string {
	out := map[string]string{}
	for _, f := range blueprint.StepFields {
		raw, err := v.d.Field("step/"+v.s.ID, f)
		if err != nil {
			continue
		}
		if string(raw) == "null" {
			raw = json.RawMessage("[]")
		}
		out[f] = string(raw)
	}
	return out
}

func actorOptions(ctx context.Context) []ui.Option {
	out := []ui.Option{{Label: "–"}}
	for _, a := range blueprint.Actors {
		out = append(out, ui.Option{Value: string(a), Label: i18n.T(ctx, "blueprint.actor."+string(a))})
	}
	return out
}

func kindOptions(ctx context.Context) []ui.Option {
	return []ui.Option{{Label: "–"}, {Value: "action", Label: i18n.T(ctx, "blueprint.kind.action")}, {Value: "communication", Label: i18n.T(ctx, "blueprint.kind.communication")}}
}

func (v *stepView) handoff(i int) blueprint.Handoff {
	if i < len(v.s.Handoffs) {
		return v.s.Handoffs[i]
	}
	return blueprint.Handoff{}
}

// facts are how the step fares over the cases that are over.
func (v *stepView) facts(ctx context.Context) []ui.KeyValue {
	f, s := i18n.Fmt(ctx), v.report
	should := s.Done + s.Skipped
	kv := func(key, value string) ui.KeyValue { return ui.KeyValue{Key: key, Value: value} }
	out := []ui.KeyValue{kv(i18n.T(ctx, "blueprint.atlas.cases"), f.Int(int64(should)))}
	if should > 0 {
		out = append(out, kv(i18n.T(ctx, "blueprint.row.fit"), "**"+fitText(ctx, s.Fitness.Value)+"** ("+f.Interval(s.Fitness.Low, s.Fitness.High, 2)+")"))
	}
	out = append(out, kv(i18n.T(ctx, "blueprint.col.skipped"), f.Int(int64(s.Skipped))), kv(i18n.T(ctx, "blueprint.col.late"), f.Int(int64(s.Late))),
		kv(i18n.T(ctx, "blueprint.col.repeated"), f.Int(int64(s.Repeated))), kv(i18n.T(ctx, "blueprint.col.apart"), f.Int(int64(s.Apart))))
	if s.Waits > 0 {
		out = append(out, kv(i18n.T(ctx, "blueprint.col.wait"), f.Seconds(s.Median)), kv(i18n.T(ctx, "blueprint.col.p90"), f.Seconds(s.P90)))
	}
	return out
}
