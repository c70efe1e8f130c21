package web

import (
	"encoding/json"
	"net/http"

	"omote/internal/feedback/form"
	"omote/internal/platform/errs"
)

// appAnswer is what the bank's own app sends: some or all answers at once, under
// the signed part of a link.
type appAnswer struct {
	Token   string              `json:"token"`
	Visit   string              `json:"visit"` // UUID that the app keeps, for open links and anonymous questionnaires
	Locale  string              `json:"locale"`
	Answers map[string][]string `json:"answers"` // by question; a matrix or pair has question.row
}

// appNext is what it gets.
type appNext struct {
	Visit    string `json:"visit"`
	Complete bool   `json:"complete"`
	Next     string `json:"next,omitempty"` // the question that is asked next
}

func (p Pages) appAnswer(w http.ResponseWriter, r *http.Request) error {
	var in appAnswer
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPost)).Decode(&in); err != nil {
		return errs.Invalid("feedback.form.error.answer", "", "the answers are no JSON of the form token, visit, locale, answers")
	}
	v, err := p.Surveys.Begin(r.Context(), in.Token, in.Visit)
	if err != nil {
		return err
	}
	values := map[string]form.Values{}
	for i := range v.Version.Document.Items {
		if it := &v.Version.Document.Items[i]; form.Map(in.Answers).HasAny(it.Fields()) {
			values[it.ID] = form.Map(in.Answers)
		}
	}
	if len(values) == 0 {
		return errs.Invalid("feedback.survey.error.item", "answers", "no answer to a question of this questionnaire")
	}
	if in.Locale != "en" {
		in.Locale = "vi"
	}
	if err := p.Surveys.Take(r.Context(), v, in.Locale, values); err != nil {
		return err
	}
	out := appNext{Visit: v.Visit}
	if next := v.Version.Document.Next(v.Seed(), v.Answers()); next != nil {
		out.Next = next.ID
	} else {
		out.Complete = true
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(out)
}
