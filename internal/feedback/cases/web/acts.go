package web

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"omote/internal/feedback/cases"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
)

func followUpState(f cases.FollowUp) string {
	if f.Answer == "" {
		return "waiting"
	}
	return f.Answer
}

// act carries one act of the case page out.
func (p Pages) act(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	if err := r.ParseForm(); err != nil {
		return err
	}
	to := casePath(id)
	var err error
	switch r.PathValue("act") {
	case "take":
		err = p.Cases.Assign(ctx, id, me(ctx))
	case "assign":
		err = p.Cases.Assign(ctx, id, r.FormValue("owner"))
	case "watch":
		err = p.Cases.Watch(ctx, id, r.FormValue("on") == "1")
	case "contact":
		err = p.Cases.RecordContact(ctx, id, cases.Contact{Reached: r.FormValue("reached") == "1", Channel: r.FormValue("channel"), Words: trim(r.FormValue("words"))})
	case "note":
		var mentions []string
		if m := r.FormValue("mention"); m != "" {
			mentions = append(mentions, m)
		}
		err = p.Cases.Note(ctx, id, r.FormValue("words"), mentions...)
	case "macro":
		err = p.Cases.RunMacro(ctx, id, r.FormValue("macro"))
	case "mark":
		err = p.Cases.Mark(ctx, id, r.FormValue("mark"))
	case "severity":
		err = p.Cases.SetSeverity(ctx, id, cases.Severity(r.FormValue("severity")))
	case "gesture":
		err = p.give(r, id)
	case "close":
		_, err = p.Cases.Close(ctx, id, p.resolution(r))
	case "reopen":
		err = p.Cases.Reopen(ctx, id, r.FormValue("reason"))
	case "acknowledge":
		err = p.Cases.Acknowledge(ctx, id, r.FormValue("escalation"))
	case "link", "merge":
		var other cases.View
		if other, err = p.Cases.Get(ctx, r.FormValue("other")); err != nil {
			break
		}
		if r.PathValue("act") == "link" {
			err = p.Cases.Link(ctx, id, other.ID)
		} else if err = p.Cases.Merge(ctx, id, other.ID); err == nil {
			to = casePath(other.ID)
		}
	case "split":
		var made string
		if made, err = p.Cases.Split(ctx, id, cases.Complaint, r.FormValue("title"), ""); err == nil {
			to = casePath(made)
		}
	default:
		return errs.NotFound("http.error.not_found", "there is no such act")
	}
	if errs.KindOf(err) == errs.KindNotFound && r.FormValue("other") != "" {
		err = errs.Invalid("feedback.case.error.other", "other", "there is no such case")
	}
	return back(w, r, to, err)
}

func (p Pages) resolution(r *http.Request) cases.Resolution {
	return cases.Resolution{Cause: r.FormValue("cause"), Actions: r.Form["actions"], Words: trim(r.FormValue("words")), Owner: ui.ChromeFrom(r.Context()).Person.Name}
}

// give reads a gesture: an amount as a person of the bank types it.
func (p Pages) give(r *http.Request, id string) error {
	content, err := p.Cases.Content(r.Context())
	if err != nil {
		return err
	}
	currency := content.Wallet.Currency
	digits := strings.NewReplacer(".", "", ",", "", " ", "", "\u00a0", "").Replace(r.FormValue("amount"))
	minor, err := money.Parse(digits, currency)
	if err != nil {
		return errs.Invalid("feedback.case.error.amount", "amount", "%q is no amount", r.FormValue("amount"))
	}
	return p.Cases.Give(r.Context(), id, cases.Grant{Kind: r.FormValue("kind"), Amount: money.Amount{Minor: minor, Currency: currency}, Reason: r.FormValue("reason"), Related: r.FormValue("related") == "1"})
}

// clockAct pauses, resumes, extends or swaps a clock.
func (p Pages) clockAct(w http.ResponseWriter, r *http.Request) error {
	ctx, id, k := r.Context(), r.PathValue("id"), r.PathValue("clock")
	var err error
	switch r.PathValue("act") {
	case "pause":
		err = p.Cases.Pause(ctx, id, k, r.FormValue("reason"))
	case "resume":
		err = p.Cases.Resume(ctx, id, k)
	case "extend":
		err = p.Cases.ExtendClock(ctx, id, k, r.FormValue("reason"))
	case "swap":
		err = p.Cases.Swap(ctx, id, k, r.FormValue("rule"), r.FormValue("anew") == "1", r.FormValue("reason"))
	default:
		return errs.NotFound("http.error.not_found", "there is no such act")
	}
	return back(w, r, casePath(id)+"#clocks", err)
}

type letterView struct {
	showView
	letter cases.Letter
	text   cases.LetterText
	wrong  ui.FieldErrors
}

// letter shows a letter filled in, to be read and changed before it goes.
func (p Pages) letter(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	text, err := p.Cases.Draft(ctx, r.PathValue("id"), r.PathValue("letter"), "…", ui.ChromeFrom(ctx).Person.Name)
	if err != nil {
		return err
	}
	return p.renderLetter(w, r, http.StatusOK, text, nil)
}

func (p Pages) renderLetter(w http.ResponseWriter, r *http.Request, status int, text cases.LetterText, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v, err := p.view(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	lv := letterView{showView: v, text: text, wrong: wrong}
	for _, l := range v.content.Letters {
		if l.ID == r.PathValue("letter") {
			lv.letter = l
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "feedback.case.letter.title"), At: ui.NavCases, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}, {Label: v.Ref(), Href: casePath(v.ID)}},
		Finding: i18n.T(ctx, "feedback.case.letter.finding", "locale", i18n.T(ctx, "feedback.case.locale."+v.Locale))}
	return ui.RenderStatus(w, r, status, letterPage(page, lv))
}

func (p Pages) sendLetter(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	text := cases.LetterText{Subject: trim(r.FormValue("subject")), Body: trim(r.FormValue("body"))}
	if strings.Contains(text.Body, "…") {
		err := errs.Invalid("feedback.case.error.letter_gap", "body", "the letter still has a gap: …")
		return p.renderLetter(w, r, http.StatusUnprocessableEntity, text, ui.ErrorsFrom(ctx, err))
	}
	if err := p.Cases.SendLetter(ctx, id, r.PathValue("letter"), text); err != nil {
		if !refused(err) {
			return err
		}
		return p.renderLetter(w, r, http.StatusUnprocessableEntity, text, ui.ErrorsFrom(ctx, err))
	}
	return seeOther(w, r, casePath(id))
}

// attach keeps an uploaded file.
func (p Pages) attach(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	name, media, content, err := readUpload(r, "file")
	if err == nil {
		_, err = p.Cases.Attach(r.Context(), id, name, media, content)
	}
	return back(w, r, casePath(id), err)
}

// readUpload reads one file of a form, no more than a case takes.
func readUpload(r *http.Request, field string) (name, media string, content []byte, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return "", "", nil, errs.Invalid("feedback.case.error.file_name", field, "no file was sent")
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return "", "", nil, errs.Invalid("feedback.case.error.file_name", field, "no file was sent")
		}
		if err != nil {
			return "", "", nil, errs.Invalid("feedback.case.error.file_name", field, "the file did not arrive whole")
		}
		if part.FormName() != field {
			continue
		}
		content, err := io.ReadAll(io.LimitReader(part, cases.MaxFile+1))
		if err != nil {
			return "", "", nil, errs.Invalid("feedback.case.error.file_name", field, "the file did not arrive whole")
		}
		return part.FileName(), part.Header.Get("Content-Type"), content, nil
	}
}

// file hands a file out, always as a download: nothing that a customer sent is
// ever shown as a page of the bank.
func (p Pages) file(w http.ResponseWriter, r *http.Request) error {
	f, err := p.Cases.ReadFile(r.Context(), r.PathValue("id"), r.PathValue("file"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name.Plain}))
	w.Header().Set("Content-Length", fmt.Sprint(len(f.Content)))
	_, err = w.Write(f.Content)
	return err
}
