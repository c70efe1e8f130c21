package web

import (
	"context"
	"encoding/json"
	"net/http"

	"omote/internal/journey/blueprint"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// diffView sets two versions of a map side by side.
type diffView struct {
	p        Pages
	j        blueprint.Journey
	versions []blueprint.Version
	from, to *blueprint.Document
	fromName string
	toName   string
	toNumber int // 0: the draft
	ops      []blueprint.Op
	review   *blueprint.Version
	cannot   string // why the reader may not decide, translated; empty: they may
	findings []blueprint.Finding
	names    map[string]string
	wrong    ui.FieldErrors
}

func (p Pages) diff(w http.ResponseWriter, r *http.Request) error {
	return p.renderDiff(w, r, http.StatusOK, nil)
}

func (p Pages) renderDiff(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx, id := r.Context(), r.PathValue("journey")
	v := &diffView{p: p, wrong: wrong}
	var err error
	if v.j, err = p.Maps.Get(ctx, id); err != nil {
		return err
	}
	if v.versions, err = p.Maps.Versions(ctx, id); err != nil {
		return err
	}
	var refs []string
	v.to, v.toName = v.j.Draft, i18n.T(ctx, "blueprint.state.draft")
	v.from = &blueprint.Document{Journey: id, Name: v.j.Draft.Name}
	v.fromName = i18n.T(ctx, "blueprint.diff.nothing")
	from, to := number(r, "from"), number(r, "to")
	if from == 0 {
		from = v.j.LiveVersion
	}
	for i := range v.versions {
		x := &v.versions[i]
		refs = append(refs, x.ProposedBy, x.DecidedBy)
		if x.State == blueprint.Review {
			v.review = x
		}
		if x.Number == from {
			v.from, v.fromName = x.Document, i18n.T(ctx, "blueprint.version.n", "version", x.Number)
		}
		if x.Number == to {
			v.to, v.toName, v.toNumber = x.Document, i18n.T(ctx, "blueprint.version.n", "version", x.Number), x.Number
		}
	}
	v.names = p.Names(ctx, refs...)
	v.ops = blueprint.Diff(v.from, v.to)
	v.findings = blueprint.Check(v.to, nil)
	if v.review != nil {
		if err := p.Maps.MayDecide(ctx, *v.review); err != nil {
			v.cannot = i18n.Error(ctx, err)
			if errs.KindOf(err) == errs.KindInternal {
				return err
			}
		}
	}
	name := nameOf(ctx, v.to)
	page := ui.Page{Title: i18n.T(ctx, "blueprint.diff.title", "from", v.fromName, "to", v.toName), At: NavAtlas, Crumbs: crumbs(ctx, ui.Link{Label: name, Href: homePath(id)}),
		Finding: i18n.T(ctx, "blueprint.diff.finding", "count", len(v.ops), "name", name)}
	page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "blueprint.home.map"), Href: homePath(id) + "/edit", Key: "E"}}
	return ui.RenderStatus(w, r, status, diffPage(page, v))
}

// line is one difference as people read it.
type diffLine struct {
	Where, What, Was, Is string
}

func (v *diffView) lines(ctx context.Context) []diffLine {
	return linesOf(ctx, v.from, v.to, v.ops)
}

func linesOf(ctx context.Context, from, to *blueprint.Document, ops []blueprint.Op) (out []diffLine) {
	for _, o := range ops {
		named := to
		kind, id := blueprint.Describe(o.Target)
		if kind == "step" && to.Step(id) == nil || kind == "stage" && to.StageAt(id) < 0 {
			named = from
		}
		l := diffLine{Where: targetName(ctx, named, o.Target), What: i18n.T(ctx, "blueprint.op."+string(o.Kind))}
		if o.Kind == blueprint.OpSet {
			l.What = fieldName(ctx, o.Field)
			was, err := from.Field(o.Target, o.Field)
			if err != nil || string(was) == "null" {
				was = json.RawMessage(`""`)
			}
			l.Was, l.Is = choiceValue(ctx, o.Field, was), choiceValue(ctx, o.Field, o.Value)
		}
		out = append(out, l)
	}
	return out
}

func (v *diffView) wrongs() (n int) {
	for _, f := range v.findings {
		if f.Severity == blueprint.Wrong {
			n++
		}
	}
	return n
}

func (v *diffView) who(ctx context.Context, ref string) string { return whoIs(ctx, v.names, ref) }

// history lists the versions.
func (v *diffView) history(ctx context.Context) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "versions", Label: i18n.T(ctx, "blueprint.versions"), Columns: []ui.Column{{Key: "n", Label: i18n.T(ctx, "blueprint.versions.n")},
		{Key: "state", Label: i18n.T(ctx, "blueprint.atlas.state")}, {Key: "by", Label: i18n.T(ctx, "blueprint.versions.by")}, {Key: "decided", Label: i18n.T(ctx, "blueprint.versions.decided")}}}
	for _, x := range v.versions {
		decided := ui.Cell{}
		if !x.DecidedAt.IsZero() {
			decided = ui.Cell{Text: v.who(ctx, x.DecidedBy), Sub: f.Date(x.DecidedAt.In(v.p.Zone))}
			if x.Decision != "" {
				decided.Sub += " · " + x.Decision
			}
		}
		t.Rows = append(t.Rows, ui.Row{ID: itoa(x.Number), Cells: []ui.Cell{{Text: i18n.T(ctx, "blueprint.version.n", "version", x.Number), Sub: x.Note, Href: homePath(v.j.Draft.Journey) + "/diff?to=" + itoa(x.Number)},
			{Text: i18n.T(ctx, "blueprint.version."+string(x.State))}, {Text: v.who(ctx, x.ProposedBy), Sub: f.Date(x.ProposedAt.In(v.p.Zone))}, decided}})
	}
	return t
}

func (p Pages) propose(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("journey")
	v, err := p.Maps.Propose(ctx, id, r.FormValue("note"))
	if err != nil {
		if k := errs.KindOf(err); k == errs.KindInvalid || k == errs.KindConflict {
			return p.renderDiff(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(ctx, err))
		}
		return err
	}
	http.Redirect(w, r, homePath(id)+"/diff?to="+itoa(v.Number), http.StatusSeeOther)
	return nil
}

func (p Pages) decide(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("journey")
	verdict := approval.Refuse
	if r.FormValue("verdict") == "approve" && r.FormValue("refuse") == "" {
		verdict = approval.Approve
	}
	if err := p.Maps.Decide(ctx, id, verdict, r.FormValue("reason")); err != nil {
		if errs.KindOf(err) == errs.KindInvalid {
			return p.renderDiff(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(ctx, err))
		}
		return err
	}
	http.Redirect(w, r, homePath(id), http.StatusSeeOther)
	return nil
}

func (p Pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("journey")
	if err := p.Maps.Withdraw(r.Context(), id, r.FormValue("reason")); err != nil {
		return err
	}
	http.Redirect(w, r, homePath(id)+"/edit", http.StatusSeeOther)
	return nil
}

// improvements previews what a journey can take over from its template.
func (p Pages) improvements(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("journey")
	j, err := p.Maps.Get(ctx, id)
	if err != nil {
		return err
	}
	m, err := p.Maps.Improvements(ctx, id)
	if err != nil {
		return err
	}
	name := nameOf(ctx, j.Draft)
	page := ui.Page{Title: i18n.T(ctx, "blueprint.improve.title", "name", name), At: NavAtlas, Crumbs: crumbs(ctx, ui.Link{Label: name, Href: homePath(id)}),
		Finding: i18n.T(ctx, "blueprint.improve.finding", "count", len(m.Taken), "clashes", len(m.Clashes))}
	return ui.Render(w, r, improvePage(page, j, m))
}

// offer is a change of the template that a bank may take over.
type offer struct {
	diffLine
	key string
}

func offers(ctx context.Context, ours *blueprint.Document, m blueprint.Improvements) (out []offer) {
	for i, l := range linesOf(ctx, ours, m.Document, m.Taken) {
		out = append(out, offer{l, m.Taken[i].Key()})
	}
	return out
}

// clashes are the places that both changed: ours stays unless theirs is ticked.
func clashes(ctx context.Context, ours *blueprint.Document, m blueprint.Improvements) (out []offer) {
	for _, c := range m.Clashes {
		l := diffLine{Where: targetName(ctx, ours, c.Target), What: i18n.T(ctx, "blueprint.op."+string(c.Op.Kind)), Was: choiceValue(ctx, c.Field, c.Ours)}
		if c.Op.Kind == blueprint.OpSet {
			l.What, l.Is = fieldName(ctx, c.Field), choiceValue(ctx, c.Field, c.Theirs)
		}
		out = append(out, offer{l, c.Op.Key()})
	}
	return out
}

func (p Pages) inherit(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("journey")
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("blueprint.error.value", "take", "the form cannot be read").Because(err)
	}
	if _, err := p.Maps.Inherit(r.Context(), id, formClient, blueprint.Choice{Seen: r.Form["seen"], Take: r.Form["take"]}); err != nil {
		return err
	}
	http.Redirect(w, r, homePath(id)+"/edit", http.StatusSeeOther)
	return nil
}
