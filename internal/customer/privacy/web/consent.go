package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"omote/internal/customer/consent"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func (p Pages) purposeList(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Consents.Purposes(ctx)
	if err != nil {
		return err
	}
	asks := 0
	columns := []ui.Column{
		{Key: "purpose", Label: i18n.T(ctx, "customer.consent.purpose"), Wide: true},
		{Key: "basis", Label: i18n.T(ctx, "customer.consent.basis")},
		{Key: "silence", Label: i18n.T(ctx, "customer.consent.silence")},
		{Key: "channels", Label: i18n.T(ctx, "customer.consent.channels")},
		{Key: "version", Label: i18n.T(ctx, "customer.consent.version"), Numeric: true},
	}
	rows := ui.TableProps{Label: i18n.T(ctx, "customer.consent.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, "")}
	for _, each := range all {
		if each.Asks() {
			asks++
		}
		silence := "customer.consent.silence.yes"
		if each.Basis == consent.ByConsent {
			silence = "customer.consent.silence.no"
		}
		var channels []string
		for _, c := range each.Channels {
			channels = append(channels, channelName(ctx, c))
		}
		rows.Rows = append(rows.Rows, ui.Row{ID: each.ID, Cells: []ui.Cell{
			{Text: each.Label.In(i18n.Locale(ctx)), Sub: each.ID, Href: consentPath + "/purposes/" + each.ID},
			{Text: i18n.T(ctx, "customer.consent.basis."+string(each.Basis))}, {Text: i18n.T(ctx, silence)},
			{Text: strings.Join(channels, ", ")}, {Text: strconv.Itoa(each.Version), Sub: ui.When(ctx, each.Created.Time())}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.consent.title"), At: NavPrivacy,
		Finding: i18n.T(ctx, "customer.consent.finding", "asks", asks, "all", len(all))}
	if auth.Can(ctx, consent.PermPurpose) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "customer.consent.new"), Href: consentPath + "/purposes/new"}}
	}
	return ui.Render(w, r, purposesPage(page, rows))
}

// find leads from a customer id that was typed to their page.
func (p Pages) find(w http.ResponseWriter, r *http.Request) error {
	id := strings.TrimSpace(r.URL.Query().Get("customer"))
	if id == "" {
		return seeOther(w, r, consentPath)
	}
	return seeOther(w, r, standingPath(id))
}

// purposeForm is a purpose as it is edited.
type purposeForm struct {
	p        consent.Purpose
	fresh    bool
	edit     bool
	wrong    ui.FieldErrors
	versions []consent.Purpose
}

func (p Pages) purposeShow(w http.ResponseWriter, r *http.Request) error {
	f := purposeForm{edit: auth.Can(r.Context(), consent.PermPurpose)}
	if id := r.PathValue("id"); id == "new" {
		f.fresh, f.p = true, consent.Purpose{Basis: consent.ByConsent, Channels: slices.Clone(consent.Channels)}
	} else {
		var err error
		if f.versions, err = p.Consents.Versions(r.Context(), id); err != nil {
			return err
		}
		f.p = f.versions[0]
		f.p.Renew = false
	}
	return p.renderPurpose(w, r, http.StatusOK, f)
}

func (p Pages) renderPurpose(w http.ResponseWriter, r *http.Request, status int, f purposeForm) error {
	ctx := r.Context()
	page := ui.Page{Title: f.p.Label.In(i18n.Locale(ctx)), At: NavPrivacy, Crumbs: []ui.Link{{Label: i18n.T(ctx, "customer.consent.title"), Href: consentPath}},
		Finding: i18n.T(ctx, "customer.consent.edit.finding")}
	if f.fresh {
		page.Title = i18n.T(ctx, "customer.consent.new")
	}
	return ui.RenderStatus(w, r, status, purposePage(page, f))
}

func (p Pages) purposeSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("id")
	f := purposeForm{edit: true, fresh: id == "new"}
	if f.fresh {
		id = r.PostForm.Get("id")
	}
	version, _ := strconv.Atoi(r.PostForm.Get("version")) // 0 for a new one
	f.p = consent.Purpose{ID: id, Version: version, Basis: consent.Basis(r.PostForm.Get("basis")), Channels: r.PostForm["channels"],
		Label: consent.Words{EN: r.PostForm.Get("label.en"), VI: r.PostForm.Get("label.vi")}, Text: consent.Words{EN: r.PostForm.Get("text.en"), VI: r.PostForm.Get("text.vi")},
		Renew: r.PostForm.Get("renew") == "1", Citation: r.PostForm.Get("citation")}
	if _, err := p.Consents.SavePurpose(ctx, f.p); correctable(err) {
		f.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderPurpose(w, r, httpStatus(err), f)
	} else if err != nil {
		return err
	}
	return seeOther(w, r, consentPath)
}

func httpStatus(err error) int {
	if errs.KindOf(err) == errs.KindConflict {
		return http.StatusConflict
	}
	return http.StatusUnprocessableEntity
}

// desk is where a customer stands, for staff.
type desk struct {
	standing consent.Standing
	edit     bool
	wrong    ui.FieldErrors
	link     string
	said     ui.TableProps
}

func (p Pages) standing(w http.ResponseWriter, r *http.Request) error {
	return p.renderStanding(w, r, http.StatusOK, desk{})
}

func (p Pages) renderStanding(w http.ResponseWriter, r *http.Request, status int, d desk) error {
	ctx := r.Context()
	var err error
	if d.standing, err = p.Consents.Standing(ctx, r.PathValue("id")); err != nil {
		return err
	}
	d.edit = auth.Can(ctx, consent.PermEdit)
	allowed := 0
	for _, each := range d.standing.Purposes {
		if each.Purpose.Basis == consent.ByConsent && each.Allowed() {
			allowed++
		}
	}
	columns := []ui.Column{
		{Key: "at", Label: i18n.T(ctx, "customer.consent.said.at")},
		{Key: "what", Label: i18n.T(ctx, "customer.consent.said.what"), Wide: true},
		{Key: "source", Label: i18n.T(ctx, "customer.consent.said.source")},
		{Key: "evidence", Label: i18n.T(ctx, "customer.consent.said.evidence")},
		{Key: "by", Label: i18n.T(ctx, "customer.consent.said.by")},
	}
	d.said = ui.TableProps{ID: "said", Label: i18n.T(ctx, "customer.consent.said"), Columns: columns, Query: ui.QueryTable(r, "said", columns, ""),
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFirst, Title: i18n.T(ctx, "customer.consent.said.none"), Text: i18n.T(ctx, "customer.consent.said.none.text")})}
	for _, t := range d.standing.Said {
		d.said.Rows = append(d.said.Rows, ui.Row{ID: t.ID, Cells: []ui.Cell{{Text: ui.When(ctx, t.At.Time())}, {Text: p.statement(ctx, d.standing, t), Sub: statementNote(ctx, t)},
			{Text: i18n.T(ctx, "customer.consent.source."+string(t.Source))}, {Node: ui.Small(t.Evidence.Plain)}, {Text: p.who(ctx, t.MadeBy)}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.consent.of.title"), At: ui.NavCustomers, Finding: i18n.T(ctx, "customer.consent.of.finding", "count", allowed),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "customer.consent.title"), Href: consentPath}},
		Meta:   []ui.Item{ui.Text(short(d.standing.CustomerID)), ui.Text(i18n.T(ctx, "customer.consent.of.records", "count", d.standing.Records))}}
	if d.standing.Restricted {
		page.Meta = append(page.Meta, ui.Care(i18n.T(ctx, "customer.consent.reason.restricted")))
	}
	return ui.RenderStatus(w, r, status, standingPage(page, d))
}

// statement says what a person said, in words.
func (p Pages) statement(ctx context.Context, s consent.Standing, t consent.Statement) string {
	purpose := t.Purpose
	if t.Purpose == consent.AllPurposes {
		purpose = i18n.T(ctx, "customer.consent.everything")
	} else if i := slices.IndexFunc(s.Purposes, func(ps consent.PurposeStanding) bool { return ps.Purpose.ID == t.Purpose }); i >= 0 {
		purpose = s.Purposes[i].Purpose.Label.In(i18n.Locale(ctx))
	}
	key := "customer.consent.said.no"
	if t.Granted {
		key = "customer.consent.said.yes"
	}
	return i18n.T(ctx, key, "purpose", purpose, "channel", channelName(ctx, t.Channel))
}

func statementNote(ctx context.Context, t consent.Statement) string {
	parts := []string{i18n.T(ctx, "customer.consent.said.one")}
	if t.Whole {
		parts[0] = i18n.T(ctx, "customer.consent.said.whole")
	}
	if t.TextVersion > 0 {
		parts = append(parts, i18n.T(ctx, "customer.consent.said.text", "version", t.TextVersion))
	}
	return strings.Join(parts, " · ")
}

func (p Pages) standingSay(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	ctx := r.Context()
	purpose, version, _ := strings.Cut(r.PostForm.Get("purpose"), "/")
	shown, _ := strconv.Atoi(version) // none where all is refused
	said := consent.Said{CustomerID: r.PathValue("id"), Purpose: purpose, Channel: r.PostForm.Get("channel"), Granted: r.PostForm.Get("word") == "yes", Whole: true,
		Source: consent.FromStaff, TextVersion: shown, Locale: i18n.Locale(ctx), Evidence: strings.TrimSpace(r.PostForm.Get("evidence"))}
	if said.Evidence == "" {
		err := errs.Invalid("customer.consent.error.no_evidence", "evidence", "a member of staff says what proves the statement")
		return p.renderStanding(w, r, http.StatusUnprocessableEntity, desk{wrong: ui.ErrorsFrom(ctx, err)})
	}
	if err := p.Consents.Record(ctx, said); correctable(err) {
		return p.renderStanding(w, r, httpStatus(err), desk{wrong: ui.ErrorsFrom(ctx, err)})
	} else if err != nil {
		return err
	}
	return seeOther(w, r, standingPath(r.PathValue("id")))
}

// standingLink makes the customer's own link and shows it once.
func (p Pages) standingLink(w http.ResponseWriter, r *http.Request) error {
	token, err := p.Consents.Link(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.renderStanding(w, r, http.StatusOK, desk{link: prefsPath + "/" + token})
}
