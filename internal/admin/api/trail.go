package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
)

// AuditLine is one act in the audit trail.
type AuditLine struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor" doc:"account:…, key:… or process:…"`
	Unit    string    `json:"unit"`
	Purpose string    `json:"purpose,omitempty"`
	Action  string    `json:"action"`
	Object  string    `json:"object"`
	Reason  string    `json:"reason,omitempty"`
	Changed []string  `json:"changed,omitempty"`
	Before  string    `json:"before,omitempty" doc:"keyed digest of what the object held"`
	After   string    `json:"after,omitempty"`
	Batch   int64     `json:"batch,omitempty" doc:"number of the seal; absent until sealed"`
}

func viewLine(l audit.Line) AuditLine {
	return AuditLine{l.ID, l.At, l.Actor, l.Unit, l.Purpose, l.Action, l.Object, l.Reason, l.Changed, l.Before, l.After, l.Batch}
}

func (a API) listTrail(ctx context.Context, in *struct {
	Paging
	Actor  string    `query:"actor"`
	Action string    `query:"action" doc:"an action, or its beginning up to a dot"`
	Object string    `query:"object" doc:"an object, or its beginning up to a slash"`
	From   time.Time `query:"from"`
	Before time.Time `query:"before"`
}) (*list[AuditLine], error) {
	p, err := a.Trail.List(ctx, audit.Filter{Actor: in.Actor, Action: in.Action, Object: in.Object, From: in.From, Before: in.Before,
		After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listOf(p.Items, p.Next, 0, viewLine), nil
}

// AuditHead is the signed seal of one batch of entries, as it is exported.
type AuditHead audit.Head

// AuditProblem is something wrong with the trail.
type AuditProblem struct {
	Fault string `json:"fault" enum:"edited,deleted,added,head_edited,head_missing,broken,bad_signer,orphans,truncated,rewritten,stale"`
	Batch int64  `json:"batch,omitempty"`
	Text  string `json:"text"`
}

// AuditReport is the outcome of a verification.
type AuditReport struct {
	Sound    bool           `json:"sound"`
	Heads    int64          `json:"heads"`
	Entries  int64          `json:"entries"`
	Unsealed int64          `json:"unsealed"`
	LastHash string         `json:"last_hash,omitempty" doc:"hash of the newest head"`
	Problems []AuditProblem `json:"problems"`
}

func (a API) verifyTrail(ctx context.Context, in *struct {
	Body struct {
		Heads []AuditHead `json:"heads,omitempty" doc:"heads that were exported before"`
	}
}) (*one[AuditReport], error) {
	heads := make([]audit.Head, len(in.Body.Heads))
	for i, h := range in.Body.Heads {
		heads[i] = audit.Head(h)
	}
	r, err := a.Trail.Verify(ctx, heads...)
	if err != nil {
		return nil, err
	}
	v := AuditReport{Sound: r.Sound(), Heads: r.Heads, Entries: r.Entries, Unsealed: r.Unsealed, Problems: []AuditProblem{}}
	if r.Last != nil {
		v.LastHash = r.Last.Hash
	}
	for _, p := range r.Problems {
		v.Problems = append(v.Problems, AuditProblem{string(p.Fault), p.Batch, p.Text})
	}
	return &one[AuditReport]{v}, nil
}

// heads streams heads as lines of JSON: GET /api/v1/audit/heads?after=12.
func (a API) heads(w http.ResponseWriter, r *http.Request) error {
	after := int64(0)
	if v := r.FormValue("after"); v != "" {
		var err error
		if after, err = strconv.ParseInt(v, 10, 64); err != nil {
			return errs.Invalid("admin.audit.error.after", "after", "after is not the number of a head")
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	return a.Trail.Export(r.Context(), w, after)
}
