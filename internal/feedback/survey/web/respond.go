package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// visitCookie keeps which response of an open link or an anonymous questionnaire
// is this browser's.
const visitCookie = "omote_visit"

// maxPost bounds a posted page: a long text in any alphabet, and nothing more.
const maxPost = 64 << 10

// asked is one question as the page shows it.
type asked struct {
	Lang, Bank, Action, Other, OtherHref string
	Doc                                  *form.Document
	Item                                 *form.Item
	Text, Help                           string
	Options                              []form.Option
	Answer                               form.Answer
	Chosen                               string // preselected, not yet recorded
	Place, Of                            int
	Back                                 string
	Wrong                                string
	Again                                string // refresh of a tablet
	fill                                 func(form.Text) string
	preview                              bool // taps go on and are recorded nowhere
}

func (p Pages) question(w http.ResponseWriter, r *http.Request) error {
	v, err := p.Surveys.Begin(r.Context(), r.PathValue("token"), visitOf(r))
	if err != nil {
		return p.closed(w, r, err)
	}
	p.keepVisit(w, r, v)
	return p.render(w, r, v, r.URL.Query().Get("q"), "")
}

// answer records what was posted and goes on. A page posted twice counts once.
func (p Pages) answer(w http.ResponseWriter, r *http.Request) error {
	if err := p.parse(w, r); err != nil {
		return p.closed(w, r, err)
	}
	v, err := p.Surveys.Begin(r.Context(), r.PathValue("token"), visitOf(r))
	if err != nil {
		return p.closed(w, r, err)
	}
	p.keepVisit(w, r, v)
	item := r.PostForm.Get("q")
	var values form.Values = postedForm(r.PostForm)
	if r.PostForm.Get("skip") != "" {
		values = form.Map{}
	}
	if name, content, fileErr := sentFile(r, item); fileErr != nil {
		return fileErr
	} else if content != nil && r.PostForm.Get("skip") == "" {
		err = p.Surveys.TakeFile(r.Context(), v, language(r), item, name, content)
	} else {
		err = p.Surveys.Take(r.Context(), v, language(r), map[string]form.Values{item: values})
	}
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindTooLarge:
		if v.Version.Document.Item(item) != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return p.render(w, r, v, item, i18n.Error(p.speak(r), err))
		}
	case errs.KindConflict:
		err = nil // over: the page says so
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, p.action(r), http.StatusSeeOther)
	return nil
}

// parse reads what was posted: a short form, or one with a file.
func (p Pages) parse(w http.ResponseWriter, r *http.Request) (err error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		r.Body = http.MaxBytesReader(w, r.Body, form.MaxFileKB<<10+maxPost)
		if err = r.ParseMultipartForm(1 << 20); err != nil {
			return errs.TooLarge("feedback.form.error.file_size", "the file is too large").With("max", form.MaxFileKB>>10)
		}
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxPost)
	if err = r.ParseForm(); err != nil {
		return errs.TooLarge("feedback.form.error.words", "the page is too long").With("max", form.MaxWords)
	}
	return nil
}

// sentFile gives the file that was chosen for a question; nil when there is none.
func sentFile(r *http.Request, item string) (name string, content []byte, err error) {
	if r.MultipartForm == nil {
		return "", nil, nil
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	for _, h := range r.MultipartForm.File[item] {
		if h.Size == 0 {
			continue
		}
		f, err := h.Open()
		if err != nil {
			return "", nil, fmt.Errorf("read the file: %w", err)
		}
		defer f.Close()
		content, err = io.ReadAll(f)
		return h.Filename, content, err
	}
	return "", nil, nil
}

func (p Pages) action(r *http.Request) string {
	a := "/s/" + r.PathValue("token")
	if l := r.URL.Query().Get("lang"); l != "" {
		a += "?lang=" + url.QueryEscape(language(r))
	}
	return a
}

// postedForm makes a posted form the values of answers.
type postedForm url.Values

// Get implements form.Values.
func (f postedForm) Get(name string) string { return url.Values(f).Get(name) }

// All implements form.Values.
func (f postedForm) All(name string) []string { return f[name] }

func (p Pages) render(w http.ResponseWriter, r *http.Request, v *survey.Session, item, wrong string) error {
	head(w)
	r = r.WithContext(p.speak(r))
	d, seed, answers := v.Version.Document, v.Seed(), v.Answers()
	a := asked{Lang: language(r), Bank: p.Bank, Action: p.action(r), Doc: d, Wrong: wrong}
	a.Other, a.OtherHref = "English", "/s/"+v.Token+"?lang=en"
	if a.Lang == "en" {
		a.Other, a.OtherHref = "Tiếng Việt", "/s/"+v.Token+"?lang=vi"
	}
	a.fill = func(t form.Text) string {
		return d.Fill(t, form.Reader{Locale: a.Lang, Bank: p.Bank, Fills: p.Surveys.Things.Fills(v.Journey(), a.Lang, fills(d, a.Lang, answers))})
	}
	if v.Over != "" {
		return ui.Render(w, r, overPage(a, v.Over))
	}
	shown := d.Shown(seed, answers)
	a.Item = d.Next(seed, answers)
	for i, it := range shown {
		if it.ID == item { // going back
			a.Item = shown[i]
		}
	}
	if a.Again = again(v, a.Item); a.Item == nil {
		return ui.Render(w, r, thanksPage(a))
	}
	for i, it := range shown {
		if it == a.Item {
			a.Place = i + 1
			if i > 0 {
				a.Back = with(a.Action, "q", shown[i-1].ID)
			}
		}
	}
	a.Of = max(len(shown), a.Place)
	a.Text, a.Help, a.Options, a.Answer = a.fill(a.Item.Text), a.fill(a.Item.Help), a.Item.Ordered(seed, v.Via()), answers[a.Item.ID]
	if chosen := r.URL.Query().Get(a.Item.ID); chosen != "" {
		if _, err := a.Item.Check(form.Map{a.Item.ID: {chosen}}); err == nil {
			a.Chosen = chosen
		}
	}
	return ui.Render(w, r, questionPage(a))
}

// with puts a parameter on an address.
func with(address, name, value string) string {
	sep := "?"
	if strings.Contains(address, "?") {
		sep = "&"
	}
	return address + sep + name + "=" + url.QueryEscape(value)
}

// fills pipes earlier answers into later questions.
func fills(d *form.Document, lang string, answers form.Answers) map[string]string {
	out := map[string]string{}
	for id, a := range answers {
		switch it := d.Item(id); {
		case a.Number != nil:
			out["answer."+id] = strconv.Itoa(*a.Number)
		case len(a.Chosen) > 0:
			for _, o := range it.Options {
				if o.ID == a.Chosen[0] {
					out["answer."+id] = o.Text.In(lang)
				}
			}
		}
	}
	return out
}

// pressed tells whether a point or option is chosen, from an answer or a link.
func (a asked) pressed(value string) bool {
	switch {
	case a.Chosen != "":
		return a.Chosen == value
	case a.Answer.Number != nil:
		return strconv.Itoa(*a.Answer.Number) == value
	}
	for _, c := range a.Answer.Chosen {
		if c == value {
			return true
		}
	}
	return false
}

// rowPoint is the point that was given to a row of a matrix or a side of a pair; "" for
// none.
func (a asked) rowPoint(field string) string {
	part, _ := strings.CutPrefix(field, a.Item.ID+".")
	switch {
	case a.Item.Type == form.Paired && a.Answer.Number != nil && part == "importance":
		return strconv.Itoa(*a.Answer.Number)
	case a.Item.Type == form.Paired && a.Answer.Second != nil && part == "satisfaction":
		return strconv.Itoa(*a.Answer.Second)
	}
	if p, ok := a.Answer.Rows[part]; ok {
		return strconv.Itoa(p)
	}
	return ""
}

// place is the place that an option was given in a ranking; 0 for none.
func (a asked) place(option string) int { return slices.Index(a.Answer.Chosen, option) + 1 }

func (a asked) end(v int) string { return a.fill(a.Item.Scale.Labels[v]) }

func (p Pages) closed(w http.ResponseWriter, r *http.Request, err error) error {
	if errs.KindOf(err) != errs.KindNotFound && errs.KindOf(err) != errs.KindTooLarge {
		return err
	}
	head(w)
	r = r.WithContext(p.speak(r))
	status := http.StatusNotFound
	if errs.KindOf(err) == errs.KindTooLarge {
		status = http.StatusRequestEntityTooLarge
	}
	w.WriteHeader(status)
	return ui.Render(w, r, messagePage(asked{Lang: language(r), Bank: p.Bank}, i18n.Error(r.Context(), err)))
}

func visitOf(r *http.Request) string {
	c, err := r.Cookie(visitCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

func (p Pages) keepVisit(w http.ResponseWriter, r *http.Request, v *survey.Session) {
	if v.Visit != visitOf(r) {
		http.SetCookie(w, &http.Cookie{Name: visitCookie, Value: v.Visit, Path: "/s/" + v.Token, HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
			MaxAge: 30 * 86400})
	}
}

func (p Pages) askStop(w http.ResponseWriter, r *http.Request) error {
	v, err := p.Surveys.Begin(r.Context(), r.PathValue("token"), visitOf(r))
	if err != nil {
		return p.closed(w, r, err)
	}
	head(w)
	r = r.WithContext(p.speak(r))
	a := asked{Lang: language(r), Bank: p.Bank, Action: "/s/" + v.Token + "/stop"}
	return ui.Render(w, r, stopPage(a))
}

// stop ends the asking: by the page's button, or by a mail program's one click.
func (p Pages) stop(w http.ResponseWriter, r *http.Request) error {
	v, err := p.Surveys.Begin(r.Context(), r.PathValue("token"), visitOf(r))
	if err != nil {
		return p.closed(w, r, err)
	}
	if v.Customer != "" {
		if err := p.Stop.StopSurveys(r.Context(), v.Entity, v.Customer, language(r)); err != nil {
			return err
		}
	}
	head(w)
	r = r.WithContext(p.speak(r))
	a := asked{Lang: language(r), Bank: p.Bank}
	return ui.Render(w, r, messagePage(a, i18n.T(r.Context(), "feedback.survey.page.stopped")))
}

// confirms tells whether the page needs a button to go on: a single tap answers
// the others.
func (a asked) confirms() bool {
	switch a.Item.Type {
	case form.NPS, form.Rating, form.Stars, form.Faces, form.Single, form.YesNo:
		return false
	}
	return true
}

// mark is how a point looks.
func (a asked) mark(v int) string {
	s := a.Item.Scale
	switch a.Item.Type {
	case form.Stars:
		return strings.Repeat("★", v-s.Min+1)
	case form.Faces:
		faces := []string{"😞", "🙁", "😐", "🙂", "😊"}
		return faces[(v-s.Min)*(len(faces)-1)/(s.Max-s.Min)]
	}
	if s.Min < 0 && v > 0 {
		return "+" + strconv.Itoa(v)
	}
	return strconv.Itoa(v)
}

// pointLabel is what a screen reader says of a point.
func (a asked) pointLabel(v int) string {
	if label := a.end(v); label != "" {
		return strconv.Itoa(v) + ", " + label
	}
	return strconv.Itoa(v)
}

// speak gives a context in the page's language.
func (p Pages) speak(r *http.Request) context.Context {
	return i18n.With(r.Context(), p.Texts.Localizer(language(r)))
}

// encoding of the page's form: a file needs its own.
func (a asked) encoding() templ.Attributes {
	if a.Item.Type == form.File && !a.preview {
		return templ.Attributes{"enctype": "multipart/form-data"}
	}
	return nil
}

// method of the page's form. A preview's form goes on to the next question: a GET
// form drops the address's own parameters, so it carries the place itself.
func (a asked) method() string {
	if a.preview {
		return "get"
	}
	return "post"
}
