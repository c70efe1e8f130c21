package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"omote/internal/customer/identity"
	"omote/internal/customer/profile"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// identityView explains why records are one customer.
type identityView struct {
	pages    Pages
	ctx      context.Context
	customer *profile.Customer
	history  identity.History
	past     []profile.Former
	names    map[string]string // actors
	edit     bool
	wrong    ui.FieldErrors
	other    string // what was typed to merge with
	reason   string
}

func (p Pages) identity(w http.ResponseWriter, r *http.Request) error {
	return p.renderIdentity(w, r, http.StatusOK, identityView{})
}

func (p Pages) renderIdentity(w http.ResponseWriter, r *http.Request, status int, v identityView) error {
	ctx := r.Context()
	v.pages, v.ctx, v.edit = p, ctx, auth.Can(ctx, identity.PermEdit)
	var err error
	if v.history, err = p.Identity.History(ctx, r.PathValue("id")); err != nil {
		return err
	}
	id := v.history.Customer
	if id != r.PathValue("id") && status == http.StatusOK {
		http.Redirect(w, r, identityPath(id), http.StatusSeeOther)
		return nil
	}
	name := i18n.T(ctx, "customer.nameless")
	if auth.Can(ctx, profile.PermRead) {
		if v.customer, err = p.Profile.Get(ctx, id); err != nil {
			return err
		}
		if v.past, err = p.Profile.Past(ctx, id); err != nil {
			return err
		}
		if v.customer.Name != "" {
			name = v.customer.Name
		}
	}
	var refs []string
	for _, a := range v.history.Acts {
		refs = append(refs, a.MadeBy, a.UndoneBy)
	}
	for _, e := range v.history.Edges {
		refs = append(refs, e.MadeBy)
	}
	v.names = p.actors(ctx, slices.Compact(slices.Sorted(slices.Values(refs)))...)
	page := ui.Page{Title: i18n.T(ctx, "customer.identity.title", "name", name), At: ui.NavCustomers, Finding: v.finding(),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "customer.list.title"), Href: listPath}, {Label: name, Href: customerPath(id)}}}
	return ui.RenderStatus(w, r, status, identityPage(page, &v))
}

func (v *identityView) finding() string {
	if len(v.history.Records) == 1 {
		return i18n.T(v.ctx, "customer.identity.single")
	}
	return i18n.T(v.ctx, "customer.identity.finding", "count", len(v.history.Records), "reasons", v.reasons())
}

// reasons are the words of the standing evidence, each once.
func (v *identityView) reasons() string {
	var out []string
	for _, e := range v.history.Edges {
		if text := word(v.ctx, "reason", e.Reason); e.ToVersion == nil && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return strings.Join(out, "; ")
}

// label names a record as people know it: its system and the end of its number.
func (v *identityView) label(record string) string {
	if v.customer != nil {
		for _, r := range v.customer.Records {
			if r.RecordID != record {
				continue
			}
			if r.Anonymous {
				return i18n.T(v.ctx, "customer.device") + " " + record[len(record)-4:]
			}
			external := r.External.Plain
			if i := strings.LastIndexByte(external, ':'); i >= 0 {
				external = external[i+1:]
			}
			return word(v.ctx, "system", r.System) + " " + external
		}
	}
	return i18n.T(v.ctx, "customer.record") + " …" + record[max(0, len(record)-6):]
}

func (v *identityView) labels(records []string) string {
	out := make([]string, 0, len(records))
	for i, id := range records {
		if i == 4 && len(records) > 5 {
			out = append(out, i18n.T(v.ctx, "customer.identity.more", "count", len(records)-i))
			break
		}
		out = append(out, v.label(id))
	}
	return strings.Join(out, ", ")
}

func (v *identityView) by(ref string) string {
	if name := v.names[ref]; name != "" {
		return name
	}
	if strings.HasPrefix(ref, "process:") {
		return i18n.T(v.ctx, "customer.identity.system")
	}
	if strings.HasPrefix(ref, "local:") {
		return i18n.T(v.ctx, "customer.identity.operator")
	}
	return ref
}

// because says what ties a record to the others.
func (v *identityView) because(record string) string {
	var out []string
	for _, e := range v.history.Edges {
		if e.ToVersion != nil || e.RecordA != record && e.RecordB != record {
			continue
		}
		other := e.RecordA
		if other == record {
			other = e.RecordB
		}
		out = append(out, word(v.ctx, "reason", e.Reason)+" ("+v.label(other)+")")
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > 3 {
		out = append(out[:3], i18n.T(v.ctx, "customer.identity.more", "count", len(out)-3))
	}
	return strings.Join(out, "; ")
}

func (v *identityView) records() ui.TableProps {
	ctx := v.ctx
	columns := []ui.Column{{Key: "record", Label: i18n.T(ctx, "customer.record")}, {Key: "why", Label: i18n.T(ctx, "customer.identity.why"), Wide: true},
		{Key: "first", Label: i18n.T(ctx, "customer.first_seen"), Numeric: true}, {Key: "last", Label: i18n.T(ctx, "customer.last_seen"), Numeric: true},
		{Key: "events", Label: i18n.T(ctx, "customer.events"), Numeric: true}}
	t := ui.TableProps{ID: "records", Label: i18n.T(ctx, "customer.identity.records"), Columns: columns, Selectable: false}
	for i, r := range v.customer.Records {
		why := v.because(r.RecordID)
		sub := ""
		if r.RecordID == v.history.Customer && len(v.customer.Records) > 1 {
			sub = i18n.T(ctx, "customer.identity.anchor")
		}
		if why == "" && i == 0 {
			why = "–"
		}
		t.Rows = append(t.Rows, ui.Row{ID: r.RecordID, Cells: []ui.Cell{{Text: v.label(r.RecordID), Sub: sub}, {Text: why},
			{Text: v.pages.date(ctx, r.FirstSeen)}, {Text: v.pages.date(ctx, r.LastSeen)}, {Text: i18n.Fmt(ctx).Int(r.Events)}}})
	}
	return t
}

// lineage shows each attribute with who states what and why one was chosen.
func (v *identityView) lineage() ui.TableProps {
	ctx := v.ctx
	columns := []ui.Column{{Key: "attribute", Label: i18n.T(ctx, "customer.identity.attribute")}, {Key: "value", Label: i18n.T(ctx, "customer.identity.value"), Wide: true},
		{Key: "decided", Label: i18n.T(ctx, "customer.identity.decided")}, {Key: "since", Label: i18n.T(ctx, "customer.identity.since"), Numeric: true},
		{Key: "others", Label: i18n.T(ctx, "customer.identity.others"), Wide: true}}
	t := ui.TableProps{ID: "lineage", Label: i18n.T(ctx, "customer.identity.lineage"), Columns: columns}
	for i := range v.customer.Attributes {
		a := &v.customer.Attributes[i]
		var others []string
		for _, o := range a.Others {
			others = append(others, o.Value+" ("+systems(ctx, o.Systems())+")")
		}
		for _, f := range v.past {
			if f.Attribute == a.Rule.Name {
				others = append(others, i18n.T(ctx, "customer.identity.was", "value", f.Value, "date", v.pages.date(ctx, f.From)))
			}
		}
		source := a.Source()
		t.Rows = append(t.Rows, ui.Row{ID: a.Rule.Name, Cells: []ui.Cell{{Text: word(ctx, "attribute", a.Rule.Name)}, {Text: v.pages.value(ctx, a), Sub: systems(ctx, a.Systems())},
			{Text: word(ctx, "criterion", string(a.Decided))}, {Text: v.pages.date(ctx, source.Since)}, {Text: strings.Join(others, "; "), Mute: true}}})
	}
	return t
}

func (v *identityView) acts() ui.TableProps {
	ctx := v.ctx
	columns := []ui.Column{{Key: "at", Label: i18n.T(ctx, "customer.timeline.at"), Narrow: true}, {Key: "what", Label: i18n.T(ctx, "customer.identity.decision"), Wide: true},
		{Key: "by", Label: i18n.T(ctx, "customer.identity.by")}, {Key: "undo", Label: ""}}
	t := ui.TableProps{ID: "acts", Label: i18n.T(ctx, "customer.identity.acts"), Columns: columns}
	for _, a := range v.history.Acts {
		sides := v.history.ActRecords[a.ID]
		what := ui.Cell{Text: i18n.T(ctx, "customer.identity.act."+string(a.Kind), "left", v.labels(sides[0]), "right", v.labels(sides[1])), Sub: a.Reason}
		undo := ui.Cell{}
		switch {
		case a.UndoneAt != nil:
			undo = ui.Cell{Text: i18n.T(ctx, "customer.identity.undone", "name", v.by(a.UndoneBy), "date", v.pages.date(ctx, *a.UndoneAt)), Sub: a.UndoneReason, Mute: true}
		case v.edit && v.history.Undoable(a.ID):
			undo = ui.Cell{Node: undoForm(v.history.Customer, a.ID)}
		}
		t.Rows = append(t.Rows, ui.Row{ID: a.ID, Cells: []ui.Cell{{Text: v.pages.dateTime(ctx, a.At.Time())}, what, {Text: v.by(a.MadeBy)}, undo}})
	}
	return t
}

func (v *identityView) evidence() ui.TableProps {
	ctx := v.ctx
	columns := []ui.Column{{Key: "at", Label: i18n.T(ctx, "customer.timeline.at"), Narrow: true}, {Key: "pair", Label: i18n.T(ctx, "customer.identity.pair"), Wide: true},
		{Key: "why", Label: i18n.T(ctx, "customer.identity.why")}, {Key: "state", Label: i18n.T(ctx, "customer.identity.state")}}
	t := ui.TableProps{ID: "evidence", Label: i18n.T(ctx, "customer.identity.evidence"), Columns: columns}
	for i, e := range v.history.Edges {
		if i == 50 {
			t.Foot = i18n.T(ctx, "customer.identity.more", "count", len(v.history.Edges)-i)
			break
		}
		state := i18n.T(ctx, "customer.identity.stands")
		if e.ToVersion != nil {
			state = i18n.T(ctx, "customer.identity.ended", "date", v.pages.date(ctx, *e.EndedAt))
		}
		t.Rows = append(t.Rows, ui.Row{ID: e.RecordA + e.RecordB + e.Reason + e.Evidence, Cells: []ui.Cell{{Text: v.pages.date(ctx, e.At)},
			{Text: v.label(e.RecordA) + " = " + v.label(e.RecordB)}, {Text: word(ctx, "reason", e.Reason)}, {Text: state, Mute: e.ToVersion != nil}}})
	}
	for _, f := range v.history.Refused {
		t.Rows = append(t.Rows, ui.Row{ID: "refused" + f.RecordA + f.RecordB + f.Reason + f.Evidence, Cells: []ui.Cell{{Text: v.pages.date(ctx, f.At)},
			{Text: v.label(f.RecordA) + " ≠ " + v.label(f.RecordB)}, {Text: word(ctx, "reason", f.Reason)}, {Text: word(ctx, "refusal", string(f.Why)), Care: true}}})
	}
	for _, s := range v.history.Shared {
		t.Rows = append(t.Rows, ui.Row{ID: "shared" + s.Rule + strings.Join(s.Records, ""), Cells: []ui.Cell{{Text: ""}, {Text: v.labels(s.Records)},
			{Text: word(ctx, "reason", s.Rule)}, {Text: i18n.T(ctx, "customer.identity.shared."+s.Why, "count", s.Holders), Care: true}}})
	}
	return t
}

func (p Pages) merge(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := identityView{other: strings.TrimSpace(r.FormValue("other")), reason: r.FormValue("reason")}
	other, err := p.resolve(ctx, v.other)
	if err == nil {
		pair := identity.Pair{A: r.PathValue("id"), B: other}
		if r.FormValue("what") == "reject" {
			_, err = p.Identity.Reject(ctx, pair, v.reason)
		} else {
			_, err = p.Identity.Merge(ctx, pair, v.reason)
		}
	}
	return p.decided(w, r, v, err)
}

// resolve finds the customer that was typed: an id, an address of a page, or a
// number that one customer alone has.
func (p Pages) resolve(ctx context.Context, text string) (string, error) {
	if i := strings.Index(text, listPath+"/"); i >= 0 {
		text = text[i+len(listPath)+1:]
		text, _, _ = strings.Cut(text, "/")
		text, _, _ = strings.Cut(text, "?")
		text, _, _ = strings.Cut(text, "#")
	}
	if len(text) == 36 && strings.Count(text, "-") == 4 {
		return text, nil
	}
	found, err := p.Profile.Find(ctx, text, 2)
	if err != nil {
		return "", err
	}
	if len(found.Items) != 1 {
		return "", errs.Invalid("customer.identity.error.other", "other", "%d customers fit", len(found.Items)).With("count", len(found.Items))
	}
	return found.Items[0].ID, nil
}

func (p Pages) unmerge(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("customer.identity.error.split", "records", "the form cannot be read").Because(err)
	}
	_, err := p.Identity.Unmerge(r.Context(), r.PathValue("id"), r.Form["record"], r.FormValue("reason"))
	return p.decided(w, r, identityView{}, err)
}

func (p Pages) undo(w http.ResponseWriter, r *http.Request) error {
	reason := r.FormValue("reason")
	if strings.TrimSpace(reason) == "" {
		reason = i18n.T(r.Context(), "customer.identity.undo.reason")
	}
	_, err := p.Identity.Undo(r.Context(), r.FormValue("act"), reason)
	return p.decided(w, r, identityView{}, err)
}

// decided shows the page again, or what was wrong.
func (p Pages) decided(w http.ResponseWriter, r *http.Request, v identityView, err error) error {
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindTooLarge, errs.KindConflict, errs.KindNotFound:
		v.wrong = ui.ErrorsFrom(r.Context(), err)
		return p.renderIdentity(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, identityPath(r.PathValue("id")), http.StatusSeeOther)
	return nil
}

// choices are the records as cards to choose from.
func (v *identityView) choices() (out []ui.Option) {
	for _, id := range v.history.Records {
		out = append(out, ui.Option{Value: id, Label: v.label(id), Note: v.because(id)})
	}
	return out
}
