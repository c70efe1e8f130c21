package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/analytics/assess"
	"omote/internal/governance/maturity"
	"omote/internal/platform/approval"
	"omote/internal/platform/httpx"
)

// registerMaturity adds the operations of the maturity assessment.
func (a API) registerMaturity(api huma.API) {
	httpx.Operation(api, get("list-maturity", "maturity", "Maturity assessments, oldest first"), maturity.PermRead, a.listMaturity)
	httpx.Operation(api, get("get-maturity", "maturity/{id}", "One assessment; its result once it is published"), maturity.PermRead, a.getMaturity)
	httpx.Operation(api, post("begin-maturity", "maturity", "Open an assessment"), maturity.PermEdit, a.beginMaturity)
	httpx.Operation(api, post("rate-maturity", "maturity/{id}/ratings", "Answer for the group of one's role; answering again replaces it"), maturity.PermRate, a.rateMaturity)
	httpx.Operation(api, post("enter-maturity-sheets", "maturity/{id}/sheets", "Enter paper sheets of a group without accounts"), maturity.PermEdit, a.enterSheets)
	httpx.Operation(api, post("prove-maturity", "maturity/{id}/proofs", "Hand in evidence for an indicator"), maturity.PermEdit, a.proveMaturity)
	httpx.Operation(api, post("close-maturity", "maturity/{id}/close", "Close the rating and ask a second person to publish the result"), maturity.PermEdit, a.closeMaturity)
}

// MaturityRound is an assessment.
type MaturityRound struct {
	ID      string          `json:"id"`
	Title   Bilingual       `json:"title"`
	State   string          `json:"state" enum:"open,waiting,published"`
	Until   time.Time       `json:"until"`
	Closed  *time.Time      `json:"closed,omitempty"`
	Raters  map[string]int  `json:"raters,omitempty" doc:"answers by group"`
	Result  *MaturityResult `json:"result,omitempty" doc:"once it is published"`
	Version int             `json:"instrument_version"`
}

// MaturityResult is what was found.
type MaturityResult struct {
	Stage      int                 `json:"stage"`
	Claimed    float64             `json:"claimed" doc:"what raters said"`
	Score      float64             `json:"score" doc:"what evidence allows"`
	Low        float64             `json:"low" doc:"of the 90 % interval"`
	High       float64             `json:"high"`
	Raters     int                 `json:"raters"`
	Weakest    string              `json:"weakest_pillar"`
	Indicators []MaturityIndicator `json:"indicators"`
}

// MaturityIndicator is one indicator's level.
type MaturityIndicator struct {
	ID           string   `json:"id"`
	Claimed      float64  `json:"claimed"`
	Score        float64  `json:"score"`
	Low          float64  `json:"low"`
	High         float64  `json:"high"`
	Grade        int      `json:"grade" doc:"0 assertion, 1 document, 2 record, 3 computed by the system"`
	Seen         int      `json:"seen,omitempty" doc:"level that the system sees by itself"`
	Share        *float64 `json:"share,omitempty" doc:"what it saw"`
	Contradicted bool     `json:"contradicted" doc:"the system sees at least a level less than was said"`
	Agreement    float64  `json:"agreement"`
	Polarised    bool     `json:"polarised"`
	Confidence   float64  `json:"confidence"`
	Priority     float64  `json:"priority"`
	N            int      `json:"n"`
}

func viewMaturity(d maturity.Doc) MaturityRound {
	v := MaturityRound{ID: d.ID, Title: Bilingual(d.Body.Title), State: d.State, Until: d.Body.Until, Version: d.Body.Instrument}
	if !d.Body.Closed.IsZero() {
		v.Closed = &d.Body.Closed
	}
	if o := d.Body.Outcome; o != nil && d.State == maturity.Published {
		v.Result = viewResult(o)
	}
	return v
}

func viewResult(o *assess.Outcome) *MaturityResult {
	r := &MaturityResult{Stage: o.Stage, Claimed: o.Claimed, Score: o.Overall, Low: o.Low, High: o.High, Raters: o.Raters, Weakest: o.Weakest, Indicators: []MaturityIndicator{}}
	for _, i := range o.Indicators {
		if !i.Known {
			continue
		}
		one := MaturityIndicator{ID: i.Indicator, Claimed: i.Claimed, Score: i.Score, Low: i.Low, High: i.High, Grade: i.Grade, Seen: i.Auto, Contradicted: i.Contradicted(), Agreement: i.Agreement,
			Polarised: i.Polarised, Confidence: i.Confidence, Priority: i.Priority, N: i.N}
		if i.Auto > 0 {
			one.Share = &i.Check.Value
		}
		r.Indicators = append(r.Indicators, one)
	}
	return r
}

type maturityList struct {
	Body struct {
		Items []MaturityRound `json:"items"`
	}
}

func (a API) listMaturity(ctx context.Context, _ *struct{}) (*maturityList, error) {
	all, err := a.Maturity.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &maturityList{}
	out.Body.Items = []MaturityRound{}
	for _, d := range all {
		out.Body.Items = append(out.Body.Items, viewMaturity(d))
	}
	return out, nil
}

type maturityID struct {
	ID string `path:"id"`
}

func (a API) getMaturity(ctx context.Context, in *maturityID) (*one[MaturityRound], error) {
	v, err := a.Maturity.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := viewMaturity(v.Doc)
	out.Raters = map[string]int{}
	for _, p := range v.Progress {
		out.Raters[p.Group] = p.N
	}
	return &one[MaturityRound]{out}, nil
}

func (a API) beginMaturity(ctx context.Context, in *struct {
	Body struct {
		Title   Bilingual          `json:"title"`
		Until   time.Time          `json:"until"`
		Targets map[string]float64 `json:"targets,omitempty" doc:"level aimed at, by indicator; default 4"`
	}
}) (*one[MaturityRound], error) {
	d, err := a.Maturity.Begin(ctx, approval.Text(in.Body.Title), in.Body.Until, in.Body.Targets)
	if err != nil {
		return nil, err
	}
	return &one[MaturityRound]{viewMaturity(d)}, nil
}

func (a API) rateMaturity(ctx context.Context, in *struct {
	maturityID
	Body struct {
		Answers map[string]int `json:"answers" doc:"1 to 5 by indicator; -1 does not know, -2 does not apply"`
	}
}) (*struct{}, error) {
	return nil, a.Maturity.Rate(ctx, in.ID, in.Body.Answers)
}

func (a API) enterSheets(ctx context.Context, in *struct {
	maturityID
	Body struct {
		Group  string           `json:"group"`
		Sheets []map[string]int `json:"sheets" minItems:"1" maxItems:"500"`
	}
}) (*struct{}, error) {
	return nil, a.Maturity.EnterSheets(ctx, in.ID, in.Body.Group, in.Body.Sheets)
}

func (a API) proveMaturity(ctx context.Context, in *struct {
	maturityID
	Body struct {
		Indicator string `json:"indicator"`
		Grade     int    `json:"grade" minimum:"0" maximum:"2"`
		Note      string `json:"note"`
	}
}) (*struct{}, error) {
	return nil, a.Maturity.Prove(ctx, in.ID, in.Body.Indicator, in.Body.Grade, in.Body.Note)
}

func (a API) closeMaturity(ctx context.Context, in *maturityID) (*one[AddedID], error) {
	q, err := a.Maturity.Close(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[AddedID]{AddedID{q.ID}}, nil
}
