package app

import (
	"context"
	"strings"

	"omote/internal/customer/consent"
	"omote/internal/feedback/cases"
	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/platform/store"
)

// answersToCases opens, joins or reopens a case by a whole response, in the
// transaction that saves its last answer.
type answersToCases struct{ a *App }

// Answered implements survey.Follower.
func (f answersToCases) Answered(ctx context.Context, tx store.Tx, r survey.Followed) error {
	in := cases.Answered{CustomerID: r.Response.CustomerID, Ref: r.Response.ID, Instrument: r.Document.ID, Unit: r.Response.Unit, Product: r.Response.Product,
		Journey: r.Response.Journey, Locale: r.Response.Locale, Words: wordsOf(r), At: r.Response.Completed}
	if score := r.Document.Score(); score != nil && r.Response.Score != nil {
		points := float64(*r.Response.Score)
		in.Score, in.Top = &points, float64(score.Scale.Max)
	}
	for id, a := range r.Answers {
		if strings.HasSuffix(id, "_callback") && len(a.Chosen) == 1 && a.Chosen[0] == "yes" {
			in.CallMe = true
		}
	}
	for _, what := range r.Reactions {
		switch what.Do {
		case form.OpenCase:
			in.Asks = true
		case form.ReopenCase:
			in.Unsolved = true
		}
	}
	return f.a.services.cases.TakeAnswer(ctx, tx, in)
}

// wordsOf are the respondent's own words, in the order of the questions.
func wordsOf(r survey.Followed) string {
	var all []string
	for _, it := range r.Document.Items {
		if a := r.Answers[it.ID]; it.Type == form.Words && a.Text != "" {
			all = append(all, a.Text)
		}
	}
	return strings.Join(all, "\n")
}

// answersToConsent records the consent that an answer gives, where the installation
// has the purpose.
type answersToConsent struct{ a *App }

// Answered implements survey.Follower.
func (f answersToConsent) Answered(ctx context.Context, tx store.Tx, r survey.Followed) error {
	if r.Response.CustomerID == "" {
		return nil
	}
	for _, what := range r.Reactions {
		if what.Do != form.RecordConsent {
			continue
		}
		said := consent.Said{CustomerID: r.Response.CustomerID, Purpose: what.Purpose, Channel: consent.AnyChannel, Granted: true, Whole: true, Source: consent.FromCentre,
			Locale: r.Response.Locale, Evidence: "answer/" + r.Response.ID}
		if err := f.a.services.consents.RecordIn(ctx, tx, said); err != nil {
			return err
		}
	}
	return nil
}
