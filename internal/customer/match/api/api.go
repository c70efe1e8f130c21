// Package api offers the identity review under /api/v1: what waits, why, answers,
// and runs over all records.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/identity"
	"omote/internal/customer/match"
	"omote/internal/platform/auth"
	"omote/internal/platform/httpx"
)

// API holds the service that the operations call.
type API struct{ Match *match.Service }

// Register adds the operations.
func (a API) Register(api huma.API) {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/customer-reviews" + path, Tags: []string{"customer"}, Summary: summary}
	}
	read, edit := auth.Permission(identity.PermRead), auth.Permission(identity.PermEdit)
	httpx.Operation(api, op("list-customer-reviews", http.MethodGet, "", "Pairs of customers that may be one person, the likeliest first"), read, a.list)
	httpx.Operation(api, op("get-customer-review", http.MethodGet, "/{id}", "One pair: how likely, and what each field says"), read, a.get)
	httpx.Operation(api, op("answer-customer-review", http.MethodPost, "/{id}/answer", "Merge the two, or remember that they are two people"), edit, a.answer)
	httpx.Operation(api, op("undo-customer-review", http.MethodPost, "/{id}/undo", "Take an answer back; the pair waits again"), edit, a.undo)
	httpx.Operation(api, op("start-customer-match", http.MethodPost, "/runs", "Compare all records: learn, join what is surely one person, ask about the rest"), edit, a.start)
}

// CustomerReview is a pair and what became of it.
type CustomerReview struct {
	ID          string     `json:"id"`
	RecordA     string     `json:"record_a"`
	RecordB     string     `json:"record_b"`
	State       string     `json:"state" enum:"waiting,same,different,settled"`
	Probability float64    `json:"probability" doc:"that the two customers are one person, corrected by earlier answers"`
	Model       uint64     `json:"model" doc:"version of the model that said so"`
	Origin      string     `json:"origin" enum:"run,stream"`
	FoundAt     time.Time  `json:"found_at"`
	AnsweredAt  *time.Time `json:"answered_at,omitempty"`
	AnsweredBy  string     `json:"answered_by,omitempty"`
}

func view(p match.Pair) CustomerReview {
	r := CustomerReview{ID: p.ID, RecordA: p.RecordA, RecordB: p.RecordB, State: string(p.State), Probability: p.Probability, Model: p.Version, Origin: p.Origin,
		FoundAt: p.FoundAt.Time(), AnsweredBy: p.AnsweredBy}
	if p.AnsweredAt != nil {
		at := p.AnsweredAt.Time()
		r.AnsweredAt = &at
	}
	return r
}

// MatchRun is what the last run did.
type MatchRun struct {
	Version  uint64    `json:"version"`
	At       time.Time `json:"at"`
	Records  int64     `json:"records"`
	People   int64     `json:"people"`
	Merged   int64     `json:"merged" doc:"customers that came together"`
	Waiting  int64     `json:"waiting" doc:"pairs that a steward was asked about"`
	Coverage float64   `json:"coverage" doc:"estimated share of matching pairs that were compared"`
	Upper    float64   `json:"upper" doc:"probability from which on customers are joined without asking"`
	Lower    float64   `json:"lower" doc:"probability from which on a steward is asked"`
}

// ReviewQueue is what waits.
type ReviewQueue struct {
	Waiting int64            `json:"waiting" doc:"pairs in all"`
	Pairs   []CustomerReview `json:"pairs" doc:"the likeliest 50"`
	Running bool             `json:"running" doc:"a run is under way"`
	Last    *MatchRun        `json:"last_run,omitempty"`
	Answers int              `json:"answers" doc:"answers learnt from, at most 2000"`
}

type one[T any] struct{ Body T }

func (a API) list(ctx context.Context, _ *struct{}) (*one[ReviewQueue], error) {
	q, err := a.Match.Queue(ctx)
	if err != nil {
		return nil, err
	}
	out := ReviewQueue{Waiting: q.Waiting, Pairs: []CustomerReview{}, Running: q.Running, Answers: q.Answers}
	for _, p := range q.Pairs {
		out.Pairs = append(out.Pairs, view(p))
	}
	if m := q.Last; m != nil {
		out.Last = &MatchRun{m.Version, m.At.Time(), m.Records, m.People, m.Merged, m.Waiting, m.Coverage, m.Upper, m.Lower}
	}
	return &one[ReviewQueue]{out}, nil
}

// ExplainedReview is a pair with what each field says.
type ExplainedReview struct {
	CustomerReview
	CustomerA string          `json:"customer_a"`
	CustomerB string          `json:"customer_b"`
	RecordsA  int             `json:"records_a" doc:"records of the customer"`
	RecordsB  int             `json:"records_b"`
	Prior     float64         `json:"prior" doc:"bits of evidence before anything is compared"`
	Fields    []FieldLikeness `json:"fields" doc:"what each field of the two records says; identifiers are masked"`
}

// FieldLikeness is what one field says.
type FieldLikeness struct {
	Field string  `json:"field"`
	Left  string  `json:"left"`
	Right string  `json:"right"`
	Level string  `json:"level" doc:"how the two agree; missing when either says nothing"`
	Bits  float64 `json:"bits" doc:"evidence: above 0 for one person, below 0 against"`
	Rare  float64 `json:"rare,omitempty" doc:"part of bits that is there because the value is rare, or taken off because it is common"`
	Tied  float64 `json:"tied,omitempty" doc:"part of bits taken off because other fields say the same"`
}

// ByID names one pair.
type ByID struct {
	ID string `path:"id"`
}

func (a API) get(ctx context.Context, in *ByID) (*one[ExplainedReview], error) {
	d, err := a.Match.Get(ctx, in.ID, "")
	if err != nil {
		return nil, err
	}
	out := ExplainedReview{CustomerReview: view(d.Pair), CustomerA: d.CustomerA, CustomerB: d.CustomerB, RecordsA: d.RecordsA, RecordsB: d.RecordsB, Prior: d.Why.Prior, Fields: []FieldLikeness{}}
	for _, s := range d.Why.Steps {
		out.Fields = append(out.Fields, FieldLikeness{s.Field, s.Left, s.Right, s.Level, s.Bits, s.Rare, s.Tied})
	}
	return &one[ExplainedReview]{out}, nil
}

func (a API) answer(ctx context.Context, in *struct {
	ByID
	Body struct {
		Answer string `json:"answer" enum:"same,different"`
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}) (*one[CustomerReview], error) {
	p, err := a.Match.Answer(ctx, in.ID, match.Answer{Same: in.Body.Answer == "same", Reason: in.Body.Reason})
	if err != nil {
		return nil, err
	}
	return &one[CustomerReview]{view(p)}, nil
}

func (a API) undo(ctx context.Context, in *ByID) (*one[CustomerReview], error) {
	p, err := a.Match.Undo(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[CustomerReview]{view(p)}, nil
}

// MatchStarted names the job of a run.
type MatchStarted struct {
	Job string `json:"job"`
}

func (a API) start(ctx context.Context, in *struct {
	Body struct {
		Upper float64 `json:"upper,omitempty" doc:"default 0.99"`
		Lower float64 `json:"lower,omitempty" doc:"default 0.5"`
	}
}) (*one[MatchStarted], error) {
	l := match.Limits{Upper: in.Body.Upper, Lower: in.Body.Lower}
	if l != (match.Limits{}) {
		if l.Upper == 0 {
			l.Upper = match.Default.Upper
		}
		if l.Lower == 0 {
			l.Lower = min(match.Default.Lower, l.Upper)
		}
	}
	id, err := a.Match.Start(ctx, l)
	if err != nil {
		return nil, err
	}
	return &one[MatchStarted]{MatchStarted{id}}, nil
}
