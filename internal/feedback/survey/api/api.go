// Package api is the operations of surveys: questionnaires, asking by hand, and
// results.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/store"
)

// API is the operations.
type API struct {
	Surveys *survey.Service
	DB      *store.DB
	Clock   clock.Clock
}

// Survey is a version of a questionnaire.
type Survey struct {
	ID       string          `json:"id"`
	Version  int64           `json:"version"`
	State    string          `json:"state" enum:"draft,live,retired"`
	Document json.RawMessage `json:"document" doc:"the questionnaire"`
}

// Estimate is a figure with its interval.
type Estimate struct {
	Value  float64 `json:"value"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	N      int64   `json:"n"`
	Level  float64 `json:"level"`
	Method string  `json:"method"`
}

// ItemResult is a question's answers.
type ItemResult struct {
	Item     string           `json:"item"`
	Part     string           `json:"part,omitempty" doc:"row of a matrix, or side of a pair"`
	N        int64            `json:"n"`
	Few      bool             `json:"few,omitempty" doc:"an anonymous group below its minimum: nothing is shown"`
	Estimate *Estimate        `json:"estimate,omitempty"`
	Answers  map[string]int64 `json:"answers,omitempty"`
}

type listOut struct {
	Body struct {
		Items []Survey `json:"items"`
	}
}

type one struct {
	ID string `path:"id"`
}

type saveIn struct {
	ID   string `path:"id"`
	Body struct {
		Base     int64           `json:"base" doc:"version that the document was made from; 0 for a new one"`
		Note     string          `json:"note,omitempty"`
		Document json.RawMessage `json:"document"`
	}
}

type surveyOut struct{ Body Survey }

type inviteIn struct {
	ID   string `path:"id"`
	Body struct {
		Cause     string   `json:"cause" doc:"names the round: the same cause asks a customer once" minLength:"1"`
		Customers []string `json:"customers" maxItems:"1000" doc:"ids of customers or of their records"`
	}
}

type inviteOut struct {
	Body struct {
		Added int `json:"added"`
	}
}

type importIn struct {
	Body struct {
		Name    string `json:"name,omitempty" doc:"file name; .lss is read as LimeSurvey, else as a table" maxLength:"200"`
		Content string `json:"content" doc:"the file's text" maxLength:"5242880"`
		ID      string `json:"id,omitempty" doc:"id of the new questionnaire; made of the title where missing" maxLength:"64"`
		Check   bool   `json:"check,omitempty" doc:"tell what would become of it and save nothing"`
	}
}

// SurveyImport is what became of a questionnaire of another program.
type SurveyImport struct {
	ID        string       `json:"id"`
	Questions int          `json:"questions" doc:"carried over"`
	Left      int          `json:"left" doc:"questions left behind"`
	Notes     []SurveyNote `json:"notes" doc:"what was changed or left behind"`
}

// SurveyNote is one thing that could not be carried over as it stood.
type SurveyNote struct {
	At     string `json:"at,omitempty" doc:"the question's code in the file"`
	Code   string `json:"code" enum:"type,condition,language,part,markup,piping,rule,id,branch,row"`
	Detail string `json:"detail,omitempty"`
}

type importOut struct{ Body SurveyImport }

type resultIn struct {
	ID   string `path:"id"`
	Days int    `query:"days" default:"90" minimum:"1" maximum:"3660"`
	By   string `query:"by" enum:",unit,via,journey,product,channel" doc:"split the score by a dimension"`
}

type resultOut struct {
	Body struct {
		Survey string       `json:"survey"`
		Done   int64        `json:"done"`
		Items  []ItemResult `json:"items"`
		Groups []group      `json:"groups,omitempty"`
		Latest *time.Time   `json:"latest,omitempty"`
	}
}

type group struct {
	Value    string    `json:"value"`
	N        int64     `json:"n"`
	Few      bool      `json:"few,omitempty"`
	Estimate *Estimate `json:"estimate,omitempty"`
}

// Register adds the operations.
func (a API) Register(api huma.API) {
	op := func(method, id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/surveys" + path, Tags: []string{"Surveys"}, Summary: summary,
			Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}}
	}
	httpx.Operation(api, op(http.MethodGet, "list-surveys", "", "List questionnaires"), survey.PermRead, a.list)
	httpx.Operation(api, op(http.MethodPost, "import-survey", "/import", "Make a draft of a questionnaire of LimeSurvey (.lss) or of a CSV table"), survey.PermEdit, a.importFile)
	httpx.Operation(api, op(http.MethodPut, "save-survey", "/{id}", "Save a questionnaire as draft"), survey.PermEdit, a.save)
	httpx.Operation(api, op(http.MethodPost, "publish-survey", "/{id}/publish", "Propose the draft for approval"), survey.PermEdit, a.publish)
	httpx.Operation(api, op(http.MethodPost, "close-survey", "/{id}/close", "Close the live questionnaire"), survey.PermEdit, a.close)
	httpx.Operation(api, op(http.MethodPost, "invite-to-survey", "/{id}/invitations", "Ask customers; the contact policy decides about each"), survey.PermEdit, a.invite)
	httpx.Operation(api, op(http.MethodGet, "survey-result", "/{id}/result", "Weighted results with intervals"), survey.PermRead, a.result)
}

func (a API) list(ctx context.Context, _ *struct{}) (*listOut, error) {
	all, err := a.Surveys.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Items = make([]Survey, 0, len(all))
	for _, v := range all {
		s, err := surveyOf(v)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, s)
	}
	return out, nil
}

func surveyOf(v *survey.Version) (Survey, error) {
	raw, err := json.Marshal(v.Document)
	return Survey{ID: v.Document.ID, Version: v.Version, State: string(v.State), Document: raw}, err
}

func (a API) save(ctx context.Context, in *saveIn) (*surveyOut, error) {
	d := &form.Document{}
	if err := json.Unmarshal(in.Body.Document, d); err != nil {
		return nil, errs.Invalid("feedback.form.error.document", "document", "the document cannot be read: %v", err)
	}
	if d.ID != in.ID {
		return nil, errs.Invalid("feedback.form.error.document", "document", "the document's id %q is not that of the address", d.ID)
	}
	v, err := a.Surveys.Save(ctx, d, in.Body.Base, in.Body.Note)
	if err != nil {
		return nil, err
	}
	s, err := surveyOf(v)
	return &surveyOut{s}, err
}

func (a API) importFile(ctx context.Context, in *importIn) (*importOut, error) {
	im, err := a.Surveys.Import(ctx, in.Body.Name, []byte(in.Body.Content), in.Body.ID, in.Body.Check)
	if err != nil {
		return nil, err
	}
	out := &importOut{SurveyImport{ID: im.Document.ID, Questions: im.Carried, Left: im.Left, Notes: []SurveyNote{}}}
	for _, n := range im.Notes {
		out.Body.Notes = append(out.Body.Notes, SurveyNote(n))
	}
	return out, nil
}

func (a API) publish(ctx context.Context, in *one) (*struct{}, error) {
	_, err := a.Surveys.Publish(ctx, in.ID)
	return nil, err
}

func (a API) close(ctx context.Context, in *one) (*struct{}, error) {
	return nil, a.Surveys.Close(ctx, in.ID)
}

func (a API) invite(ctx context.Context, in *inviteIn) (*inviteOut, error) {
	if err := auth.Require(ctx, survey.PermEdit, ""); err != nil {
		return nil, err
	}
	out := &inviteOut{}
	err := a.DB.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		out.Body.Added, err = a.Surveys.Invite(ctx, tx, in.ID, in.Body.Cause, in.Body.Customers...)
		return err
	})
	return out, err
}

func (a API) result(ctx context.Context, in *resultIn) (*resultOut, error) {
	now := a.Clock.Now()
	p := survey.Period{From: now.AddDate(0, 0, -in.Days), To: now}
	r, err := a.Surveys.Result(ctx, in.ID, p)
	if err != nil {
		return nil, err
	}
	out := &resultOut{}
	out.Body.Survey, out.Body.Done = in.ID, r.Done
	if !r.Latest.IsZero() {
		out.Body.Latest = &r.Latest
	}
	for _, it := range r.Items {
		one := ItemResult{Item: it.Item.ID, Part: it.Part, N: it.N, Few: it.Few, Answers: map[string]int64{}}
		if it.Item.Scale != nil && !it.Few && it.N > 0 {
			e := estimateOf(it.Estimate.Value, it.Estimate.Low, it.Estimate.High, it.Estimate.N, it.Estimate.Level, it.Estimate.Method)
			one.Estimate = &e
		}
		for _, c := range it.Answers {
			one.Answers[c.Answer] = c.N
		}
		out.Body.Items = append(out.Body.Items, one)
	}
	if in.By == "" {
		return out, nil
	}
	groups, err := a.Surveys.Groups(ctx, in.ID, in.By, p)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		one := group{Value: g.Value, N: g.N, Few: g.Few}
		if !g.Few && g.N > 0 {
			e := estimateOf(g.Estimate.Value, g.Estimate.Low, g.Estimate.High, g.Estimate.N, g.Estimate.Level, g.Estimate.Method)
			one.Estimate = &e
		}
		out.Body.Groups = append(out.Body.Groups, one)
	}
	return out, nil
}

func estimateOf(value, low, high float64, n int64, level float64, method string) Estimate {
	return Estimate{Value: value, Low: low, High: high, N: n, Level: level, Method: method}
}
