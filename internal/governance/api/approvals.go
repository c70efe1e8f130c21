// Package api offers the governance module's operations under /api/v1.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/governance"
	"omote/internal/platform/approval"
	"omote/internal/platform/httpx"
)

// API holds the services that the operations call.
type API struct {
	*governance.Governance
	Approvals *approval.Service
}

// Register adds the operations.
func (a API) Register(api huma.API) {
	httpx.Operation(api, huma.Operation{OperationID: "list-approvals", Method: http.MethodGet, Path: "/api/v1/approvals", Tags: []string{"governance"},
		Summary: "What waits for the caller's decision, what the caller proposed, and what was decided"}, approval.PermRead, a.listApprovals)
	httpx.Operation(api, huma.Operation{OperationID: "get-approval", Method: http.MethodGet, Path: "/api/v1/approvals/{id}", Tags: []string{"governance"},
		Summary: "One proposal with its payload"}, approval.PermRead, a.getApproval)
	httpx.Operation(api, huma.Operation{OperationID: "decide-approval", Method: http.MethodPost, Path: "/api/v1/approvals/{id}/decision", Tags: []string{"governance"},
		Summary: "Approve or refuse a proposal of somebody else; an approval is carried out at once"}, approval.PermDecide, a.decideApproval)
	httpx.Operation(api, huma.Operation{OperationID: "withdraw-approval", Method: http.MethodPost, Path: "/api/v1/approvals/{id}/withdrawal", Tags: []string{"governance"},
		Summary: "Take one's own proposal back"}, approval.PermRead, a.withdrawApproval)
	a.registerSteering(api)
	a.registerMaturity(api)
}

// Approval is a proposal and what became of it.
type Approval struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind" doc:"what is proposed, such as council.decision"`
	Object     string          `json:"object" doc:"kind/id of the thing"`
	Version    int             `json:"version,omitempty"`
	Unit       string          `json:"unit" doc:"path of the subtree it reaches"`
	Title      Bilingual       `json:"title"`
	Details    []Bilingual     `json:"details"`
	Page       string          `json:"page,omitempty"`
	Payload    json.RawMessage `json:"payload,omitempty" doc:"what is carried out, exactly as proposed"`
	Digest     string          `json:"digest" doc:"SHA-256 of the payload"`
	Permission string          `json:"permission" doc:"what the checker needs"`
	Maker      string          `json:"maker"`
	ProposedAt time.Time       `json:"proposed_at"`
	ExpiresAt  time.Time       `json:"expires_at"`
	State      string          `json:"state" enum:"waiting,approved,refused,withdrawn,expired"`
	Checker    string          `json:"checker,omitempty"`
	DecidedAt  *time.Time      `json:"decided_at,omitempty"`
	Reason     string          `json:"reason,omitempty"`
}

func viewApproval(r approval.Request, whole bool) Approval {
	v := Approval{ID: r.ID, Kind: r.Kind, Object: r.Object, Version: r.Version, Unit: r.Unit, Title: Bilingual(r.Title), Details: []Bilingual{},
		Page: r.Href, Digest: r.Digest, Permission: string(r.Permission), Maker: r.Maker, ProposedAt: r.Proposed, ExpiresAt: r.Expires, State: string(r.State),
		Checker: r.Checker, Reason: r.Reason}
	for _, d := range r.Details {
		v.Details = append(v.Details, Bilingual(d))
	}
	if whole {
		v.Payload = r.Payload
	}
	if !r.Decided.IsZero() {
		v.DecidedAt = &r.Decided
	}
	return v
}

// Bilingual is a text in both languages.
type Bilingual struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// ByID names one thing.
type ByID struct {
	ID string `path:"id"`
}

type one[T any] struct{ Body T }

type approvalsOutput struct {
	Body struct {
		Waiting []Approval `json:"waiting" doc:"for the caller's decision, the first to expire first"`
		Mine    []Approval `json:"mine" doc:"proposed by the caller, newest first"`
		Past    []Approval `json:"past" doc:"decided within the caller's sight, newest first"`
	}
}

func (a API) listApprovals(ctx context.Context, _ *struct{}) (*approvalsOutput, error) {
	l, err := a.Approvals.List(ctx)
	if err != nil {
		return nil, err
	}
	view := func(items []approval.Item) []Approval {
		out := []Approval{}
		for _, it := range items {
			out = append(out, viewApproval(it.Request, false))
		}
		return out
	}
	out := &approvalsOutput{}
	out.Body.Waiting, out.Body.Mine, out.Body.Past = view(l.Waiting), view(l.Mine), view(l.Past)
	return out, nil
}

func (a API) getApproval(ctx context.Context, in *ByID) (*one[Approval], error) {
	r, err := a.Approvals.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[Approval]{viewApproval(r, true)}, nil
}

func (a API) decideApproval(ctx context.Context, in *struct {
	ByID
	Body struct {
		Verdict string `json:"verdict" enum:"approve,refuse"`
		Reason  string `json:"reason,omitempty" maxLength:"2000" doc:"needed to refuse"`
	}
}) (*one[Approval], error) {
	r, err := a.Approvals.Decide(ctx, in.ID, in.Body.Verdict == "approve", in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &one[Approval]{viewApproval(r, true)}, nil
}

func (a API) withdrawApproval(ctx context.Context, in *struct {
	ByID
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"2000"`
	}
}) (*struct{}, error) {
	return nil, a.Approvals.Withdraw(ctx, in.ID, in.Body.Reason)
}
