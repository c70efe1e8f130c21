package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/assets"
)

// draft is a document on the editor's page.
type draft struct {
	doc   *form.Document
	base  int64
	isNew bool
	state survey.State
	wrong ui.FieldErrors
	// place is the question that the preview shows.
	place int
}

// blank is what a new questionnaire begins as.
func blank() *form.Document {
	return &form.Document{ID: "", Kind: "transactional", Anonymity: form.Known, Close: form.Text{VI: "Cảm ơn {you}.", EN: "Thank you."},
		Items: []form.Item{{ID: "score", Type: form.Rating, Required: true, Scale: scale5()}}, Asking: form.Asking{Contact: "survey", ValidFor: 7 * 24 * time.Hour, Delay: time.Hour,
			Channels: []string{"email"}}}
}

func scale5() *form.Scale {
	return &form.Scale{Min: 1, Max: 5, Labels: map[int]form.Text{1: {VI: "Rất không hài lòng", EN: "Very unhappy"}, 5: {VI: "Rất hài lòng", EN: "Very happy"}}}
}

func (p Pages) edit(w http.ResponseWriter, r *http.Request) error {
	d := &draft{doc: blank(), isNew: true, state: survey.Draft}
	if id := r.PathValue("id"); id != "new" {
		versions, err := p.Surveys.Versions(r.Context(), id)
		if err != nil {
			return err
		}
		d = &draft{doc: versions[0].Document, base: versions[0].Version, state: versions[0].State}
	}
	d.place, _ = strconv.Atoi(r.URL.Query().Get("at"))
	return p.renderEdit(w, r, d)
}

func (p Pages) renderEdit(w http.ResponseWriter, r *http.Request, d *draft) error {
	ctx := r.Context()
	// The preview is the respondent's own page, in a frame of this one.
	w.Header().Set("Content-Security-Policy", assets.ContentSecurityPolicy+"; frame-src 'self'")
	page := ui.Page{Title: i18n.T(ctx, "feedback.survey.edit.title"), At: ui.NavSurveys, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.survey.list.title"), Href: listPath}},
		Finding: i18n.T(ctx, "feedback.survey.edit.finding"), Toast: p.published(ctx, r)}
	if !d.isNew {
		page.Title = d.doc.Name.In(i18n.Locale(ctx))
		page.Crumbs = append(page.Crumbs, ui.Link{Label: page.Title, Href: surveyPath(d.doc.ID)})
	}
	return ui.Render(w, r, editPage(page, d))
}

// maxEdit bounds a posted document.
const maxEdit = 2 << 20

func (p Pages) save(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxEdit)
	if err := r.ParseForm(); err != nil {
		return errs.TooLarge("feedback.form.error.document", "the questionnaire is too long")
	}
	base, _ := strconv.ParseInt(r.PostForm.Get("base"), 10, 64)
	d := &draft{base: base, isNew: r.PathValue("id") == "new", state: survey.Draft}
	d.doc = documentOf(r)
	if !d.isNew {
		versions, err := p.Surveys.Versions(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		keepRest(d.doc, versions[0].Document)
	}
	if act := r.PostForm.Get("act"); act != "" && act != "save" {
		d.act(act)
		return p.renderEdit(w, r, d)
	}
	_, err := p.Surveys.Save(r.Context(), d.doc, base, r.PostForm.Get("note"))
	if k := errs.KindOf(err); k == errs.KindInvalid || k == errs.KindConflict {
		d.wrong = ui.FieldErrors{{Field: "items", Text: err.Error()}}
		w.WriteHeader(http.StatusUnprocessableEntity)
		return p.renderEdit(w, r, d)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, surveyPath(d.doc.ID)+"/edit?done=saved", http.StatusSeeOther)
	return nil
}

// documentOf reads the editor's form: questions are q.0.…, q.1.… in order.
func documentOf(r *http.Request) *form.Document {
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	text := func(name string) form.Text { return form.Text{VI: get(name + ".vi"), EN: get(name + ".en")} }
	hours := func(name string) time.Duration {
		n, _ := strconv.ParseFloat(strings.Replace(get(name), ",", ".", 1), 64)
		return time.Duration(n * float64(time.Hour))
	}
	d := &form.Document{ID: get("id"), Kind: get("kind"), Name: text("name"), Purpose: text("purpose"), Close: text("close"), Anonymity: form.Anonymity(get("anonymity"))}
	if d.Anonymity == form.Anonymous {
		d.MinGroup = 10
	}
	share, _ := strconv.ParseFloat(strings.Replace(get("sample"), ",", ".", 1), 64)
	d.Asking = form.Asking{Contact: get("contact"), Sample: share / 100, Delay: hours("delay"), ValidFor: hours("valid_for"), Remind: hours("remind"),
		Channels: r.PostForm["channels"], Events: lines(get("events")), Segments: lines(get("segments")), Audience: get("audience"), Every: 24 * hours("every")}
	called, _ := strconv.ParseFloat(strings.Replace(get("follow_up"), ",", ".", 1), 64)
	d.Asking.FollowUp = called / 100
	for _, p := range triples(get("shares")) {
		share, _ := strconv.ParseFloat(strings.Replace(strings.TrimSuffix(p[2], "%"), ",", ".", 1), 64)
		d.Asking.Shares = append(d.Asking.Shares, form.Share{Dim: p[0], Value: p[1], Share: share / 100})
	}
	for _, p := range triples(get("quotas")) {
		n, _ := strconv.Atoi(p[2])
		d.Asking.Quotas = append(d.Asking.Quotas, form.Quota{Dim: p[0], Value: p[1], Daily: n})
	}
	for n := 0; r.PostForm.Has("q." + strconv.Itoa(n) + ".id"); n++ {
		at := "q." + strconv.Itoa(n)
		it := form.Item{ID: get(at + ".id"), Type: form.Type(get(at + ".type")), Text: text(at + ".text"), Help: text(at + ".help"), Required: get(at+".required") != "",
			ShowIf: get(at + ".show_if"), Dim: get(at + ".dim"), Shuffle: get(at+".shuffle") != "", Options: options(get(at + ".options")), Rows: options(get(at + ".rows"))}
		it.Max, _ = strconv.Atoi(get(at + ".max"))
		it.MaxKB, _ = strconv.Atoi(get(at + ".max_kb"))
		if it.Type.Scored() || it.Type == form.Matrix || it.Type == form.Paired {
			it.Scale = scaleOf(get(at+".min"), get(at+".maxp"), text(at+".low"), text(at+".high"))
		}
		if it.Type == form.NPS {
			it.Scale.Min, it.Scale.Max = 0, 10
		}
		if it.Type == form.Paired {
			it.Second = scale5()
		}
		d.Items = append(d.Items, it)
	}
	return d
}

// keepRest takes over what the page does not show from the version before.
func keepRest(d, before *form.Document) {
	d.ID, d.Dimensions, d.Draw, d.Reactions, d.Address = before.ID, before.Dimensions, before.Draw, before.Reactions, before.Address
	if d.Anonymity == form.Anonymous && before.MinGroup > 0 {
		d.MinGroup = before.MinGroup
	}
	for i := range d.Items {
		it := &d.Items[i]
		old := before.Item(it.ID)
		if old == nil || old.Type != it.Type {
			continue
		}
		it.Pattern, it.Reverse = old.Pattern, old.Reverse
		if old.Second != nil {
			it.Second = old.Second
		}
		if it.Scale != nil && old.Scale != nil && it.Scale.Min == old.Scale.Min && it.Scale.Max == old.Scale.Max {
			for v, t := range old.Scale.Labels {
				if v != old.Scale.Min && v != old.Scale.Max {
					it.Scale.Labels[v] = t
				}
			}
			it.Scale.ID = old.Scale.ID
		}
		for k := range it.Options {
			for _, o := range old.Options {
				if o.ID == it.Options[k].ID {
					it.Options[k].Last, it.Options[k].Family = o.Last, o.Family
				}
			}
		}
	}
}

func scaleOf(low, high string, lowText, highText form.Text) *form.Scale {
	s := &form.Scale{Labels: map[int]form.Text{}}
	s.Min, _ = strconv.Atoi(low)
	s.Max, _ = strconv.Atoi(high)
	for v, t := range map[int]form.Text{s.Min: lowText, s.Max: highText} {
		if t.VI != "" || t.EN != "" {
			s.Labels[v] = t
		}
	}
	return s
}

func lines(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// options reads lines of the form "id | tiếng Việt | English".
func options(text string) (out []form.Option) {
	for _, line := range lines(text) {
		parts := strings.SplitN(line, "|", 3)
		for len(parts) < 3 {
			parts = append(parts, "")
		}
		out = append(out, form.Option{ID: strings.TrimSpace(parts[0]), Text: form.Text{VI: strings.TrimSpace(parts[1]), EN: strings.TrimSpace(parts[2])}})
	}
	return out
}

func optionLines(all []form.Option) string {
	var b strings.Builder
	for _, o := range all {
		b.WriteString(o.ID + " | " + o.Text.VI + " | " + o.Text.EN + "\n")
	}
	return b.String()
}

// act changes the list of questions on the page: add, drop.N, up.N, down.N.
func (d *draft) act(act string) {
	verb, at, _ := strings.Cut(act, ".")
	n, _ := strconv.Atoi(at)
	items := d.doc.Items
	switch {
	case verb == "add" && len(items) < form.MaxItems:
		d.doc.Items = append(items, form.Item{ID: freeID(d.doc), Type: form.Words})
		n = len(d.doc.Items) - 1
	case verb == "drop" && n < len(items) && len(items) > 1:
		d.doc.Items = append(items[:n:n], items[n+1:]...)
		n = max(0, n-1)
	case verb == "up" && n > 0 && n < len(items):
		items[n-1], items[n] = items[n], items[n-1]
		n--
	case verb == "down" && n+1 < len(items):
		items[n+1], items[n] = items[n], items[n+1]
		n++
	}
	d.place = n
}

func freeID(d *form.Document) string {
	for n := len(d.Items) + 1; ; n++ {
		if id := "q" + strconv.Itoa(n); d.Item(id) == nil {
			return id
		}
	}
}

func (p Pages) publish(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Surveys.Publish(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	http.Redirect(w, r, surveyPath(r.PathValue("id"))+"?done=proposed", http.StatusSeeOther)
	return nil
}

func (p Pages) close(w http.ResponseWriter, r *http.Request) error {
	if err := p.Surveys.Close(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	http.Redirect(w, r, surveyPath(r.PathValue("id"))+"?done=closed", http.StatusSeeOther)
	return nil
}

// preview is the respondent's page of one question of the newest version. What is
// tapped there is recorded nowhere.
func (p Pages) preview(w http.ResponseWriter, r *http.Request) error {
	versions, err := p.Surveys.Versions(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	d := versions[0].Document
	place, _ := strconv.Atoi(r.URL.Query().Get("at"))
	place = min(max(place, 0), len(d.Items)-1)
	head(w)
	lang := language(r)
	r = r.WithContext(p.speak(r))
	next := with(surveyPath(d.ID)+"/preview", "at", strconv.Itoa((place+1)%len(d.Items)))
	a := asked{Lang: lang, Bank: p.Bank, Doc: d, Item: &d.Items[place], Place: place + 1, Of: len(d.Items), Action: with(next, "lang", lang), preview: true}
	a.Other, a.OtherHref = "English", with(with(surveyPath(d.ID)+"/preview", "at", strconv.Itoa(place)), "lang", "en")
	if lang == "en" {
		a.Other, a.OtherHref = "Tiếng Việt", with(with(surveyPath(d.ID)+"/preview", "at", strconv.Itoa(place)), "lang", "vi")
	}
	a.fill = func(t form.Text) string {
		return d.Fill(t, form.Reader{Locale: lang, Bank: p.Bank, Fills: map[string]string{"thing": "…", "do_thing": "…"}})
	}
	a.Text, a.Help, a.Options = a.fill(a.Item.Text), a.fill(a.Item.Help), a.Item.Options
	return ui.Render(w, r, questionPage(a))
}
