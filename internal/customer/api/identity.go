package api

import (
	"context"
	"time"

	"omote/internal/customer/identity"
)

// History explains a customer.
type History struct {
	Customer string    `json:"customer"`
	Records  []string  `json:"records" doc:"the first one lends the customer its id"`
	Edges    []Edge    `json:"edges" doc:"why records are one person, newest first"`
	Acts     []Act     `json:"decisions" doc:"what people decided, newest first"`
	Refused  []Refused `json:"refused" doc:"pairs that evidence proposed and that were not merged"`
	Shared   []Shared  `json:"shared" doc:"identifiers that do not link"`
}

// Edge says why two records are one person.
type Edge struct {
	RecordA string     `json:"record_a"`
	RecordB string     `json:"record_b"`
	Reason  string     `json:"reason"`
	Detail  string     `json:"detail,omitempty"`
	By      string     `json:"by"`
	At      time.Time  `json:"at"`
	From    uint64     `json:"from_version"`
	To      *uint64    `json:"to_version"`
	EndedAt *time.Time `json:"ended_at,omitempty"`
}

// Act is a decision of a person.
type Act struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind" enum:"merge,unmerge,reject"`
	Version  uint64     `json:"version"`
	Reason   string     `json:"reason"`
	By       string     `json:"by"`
	At       time.Time  `json:"at"`
	Left     []string   `json:"left" doc:"records of one side"`
	Right    []string   `json:"right"`
	Undone   *time.Time `json:"undone_at,omitempty"`
	UndoneBy string     `json:"undone_by,omitempty"`
	UndoWhy  string     `json:"undone_reason,omitempty"`
	Undoable bool       `json:"undoable" doc:"it stands, and no later decision about the same records does"`
}

// Refused is a pair that was not merged.
type Refused struct {
	RecordA string    `json:"record_a"`
	RecordB string    `json:"record_b"`
	Reason  string    `json:"reason"`
	Why     string    `json:"why" enum:"rejected,contradiction,too_many,shared_device"`
	At      time.Time `json:"at"`
}

// Shared is an identifier that does not link.
type Shared struct {
	Rule    string   `json:"rule"`
	Why     string   `json:"why" enum:"many,contradiction"`
	Holders int64    `json:"holders"`
	Records []string `json:"records"`
}

type historyOutput struct{ Body History }

func (a API) history(ctx context.Context, in *customerPath) (*historyOutput, error) {
	h, err := a.Identity.History(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &historyOutput{History{Customer: h.Customer, Records: h.Records, Edges: []Edge{}, Acts: []Act{}, Refused: []Refused{}, Shared: []Shared{}}}
	for _, e := range h.Edges {
		x := Edge{RecordA: e.RecordA, RecordB: e.RecordB, Reason: e.Reason, Detail: e.Detail, By: e.MadeBy, At: e.At.Time(), From: e.FromVersion, To: e.ToVersion}
		if e.EndedAt != nil {
			x.EndedAt = when(*e.EndedAt)
		}
		out.Body.Edges = append(out.Body.Edges, x)
	}
	for i := range h.Acts {
		x := act(&h.Acts[i])
		x.Left, x.Right, x.Undoable = h.ActRecords[x.ID][0], h.ActRecords[x.ID][1], h.Undoable(x.ID)
		out.Body.Acts = append(out.Body.Acts, x)
	}
	for _, r := range h.Refused {
		out.Body.Refused = append(out.Body.Refused, Refused{r.RecordA, r.RecordB, r.Reason, string(r.Why), r.At.Time()})
	}
	for _, s := range h.Shared {
		out.Body.Shared = append(out.Body.Shared, Shared(s))
	}
	return out, nil
}

func act(a *identity.Act) Act {
	x := Act{ID: a.ID, Kind: string(a.Kind), Version: a.Version, Reason: a.Reason, By: a.MadeBy, At: a.At.Time(), Left: []string{}, Right: []string{},
		UndoneBy: a.UndoneBy, UndoWhy: a.UndoneReason}
	if a.UndoneAt != nil {
		x.Undone = when(*a.UndoneAt)
	}
	return x
}

type actOutput struct{ Body Act }

type pairInput struct {
	customerPath
	Body struct {
		Other  string `json:"other" doc:"the other customer, by any of its records"`
		Reason string `json:"reason" doc:"why, for whoever asks later"`
	}
}

func (in *pairInput) pair() identity.Pair { return identity.Pair{A: in.ID, B: in.Body.Other} }

func done(a identity.Act, err error) (*actOutput, error) {
	if err != nil {
		return nil, err
	}
	return &actOutput{act(&a)}, nil
}

func (a API) merge(ctx context.Context, in *pairInput) (*actOutput, error) {
	return done(a.Identity.Merge(ctx, in.pair(), in.Body.Reason))
}

func (a API) reject(ctx context.Context, in *pairInput) (*actOutput, error) {
	return done(a.Identity.Reject(ctx, in.pair(), in.Body.Reason))
}

func (a API) unmerge(ctx context.Context, in *struct {
	customerPath
	Body struct {
		Records []string `json:"records" minItems:"1" doc:"the records that leave"`
		Reason  string   `json:"reason"`
	}
}) (*actOutput, error) {
	return done(a.Identity.Unmerge(ctx, in.ID, in.Body.Records, in.Body.Reason))
}

func (a API) undo(ctx context.Context, in *struct {
	Act  string `path:"act"`
	Body struct {
		Reason string `json:"reason"`
	}
}) (*actOutput, error) {
	return done(a.Identity.Undo(ctx, in.Act, in.Body.Reason))
}
