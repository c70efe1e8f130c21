package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/erasure"
	"omote/internal/customer/request"
	"omote/internal/platform/httpx"
)

func (a API) registerRequests(api huma.API) {
	const requests, erasures = "Subject requests", "Erasure"
	httpx.Operation(api, op("list-subject-requests", http.MethodGet, "/subject-requests", requests, "Open requests, the nearest deadline first"), request.PermRead, a.listRequests)
	httpx.Operation(api, op("get-subject-request", http.MethodGet, "/subject-requests/{id}", requests, "One request with its steps", 404), request.PermRead, a.getRequest)
	httpx.Operation(api, op("open-subject-request", http.MethodPost, "/subject-requests", requests, "Take a request in; its clocks start"), request.PermEdit, a.openRequest)
	httpx.Operation(api, op("check-subject-request", http.MethodPost, "/subject-requests/{id}/check", requests, "Note how the person's identity was checked", 404, 409), request.PermEdit, a.checkRequest)
	httpx.Operation(api, op("reply-subject-request", http.MethodPost, "/subject-requests/{id}/reply", requests, "Note that the person was told how it is carried out", 404, 409), request.PermEdit, a.replyRequest)
	httpx.Operation(api, op("extend-subject-request", http.MethodPost, "/subject-requests/{id}/extend", requests, "Extend the deadline once", 404, 409), request.PermDecide, a.extendRequest)
	httpx.Operation(api, op("complete-subject-request", http.MethodPost, "/subject-requests/{id}/complete", requests, "End a request that was carried out", 404, 409), request.PermDecide, a.completeRequest)
	httpx.Operation(api, op("refuse-subject-request", http.MethodPost, "/subject-requests/{id}/refuse", requests, "End a request with the ground in law", 404, 409), request.PermDecide, a.refuseRequest)
	httpx.Operation(api, op("list-erasures", http.MethodGet, "/erasures", erasures, "Erasures, newest first"), erasure.PermRead, a.listErasures)
	httpx.Operation(api, op("get-erasure", http.MethodGet, "/erasures/{id}", erasures, "A certificate of erasure", 404), erasure.PermRead, a.getErasure)
	httpx.Operation(api, op("erase-again", http.MethodPost, "/erasures/again", erasures, "Apply the list of erasures to what stands here now"), erasure.PermRun, a.eraseAgain)
	httpx.Operation(api, op("erase-customer", http.MethodPost, "/customers/{id}/erasure", erasures, "Have a person forgotten in every place; begins when a second person has approved it", 409, 503), erasure.PermRun, a.erase)
}

// SubjectRequest is what a person asked for.
type SubjectRequest struct {
	ID           string        `json:"id"`
	Customer     string        `json:"customer"`
	Kind         string        `json:"kind"`
	State        string        `json:"state"`
	Jurisdiction string        `json:"jurisdiction"`
	Intake       string        `json:"intake"`
	Received     time.Time     `json:"received_at"`
	ReplyDue     *time.Time    `json:"reply_due,omitempty" doc:"first instant that is too late"`
	Due          *time.Time    `json:"due,omitempty" doc:"first instant that is too late"`
	Plan         *time.Time    `json:"plan,omitempty" doc:"what to plan for until counsel has confirmed the rule"`
	Ended        *time.Time    `json:"ended_at,omitempty"`
	Late         bool          `json:"late"`
	Rules        string        `json:"rules" doc:"pack under which it was received"`
	Erasure      string        `json:"erasure,omitempty"`
	Steps        []RequestStep `json:"steps,omitempty"`
}

// RequestStep is one thing that was done about a request.
type RequestStep struct {
	Act  string    `json:"act"`
	Note string    `json:"note,omitempty"`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a API) viewRequest(r request.Request) SubjectRequest {
	out := SubjectRequest{ID: r.ID, Customer: r.Customer, Kind: string(r.Kind), State: string(r.State), Jurisdiction: r.Jurisdiction, Intake: r.Intake, Received: r.Received,
		ReplyDue: moment(r.ReplyDue), Due: moment(r.Due), Plan: moment(r.Plan), Ended: moment(r.Ended), Late: r.Late(a.DB.Now().Time()), Rules: r.Rules, Erasure: r.Erasure}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, RequestStep{s.Act, s.Note, s.At, s.By})
	}
	return out
}

func (a API) listRequests(ctx context.Context, in *struct {
	All      bool   `query:"all" doc:"ended ones too, newest first"`
	Kind     string `query:"kind"`
	Customer string `query:"customer"`
	Limit    int    `query:"limit" default:"200" minimum:"1" maximum:"1000"`
}) (*list[SubjectRequest], error) {
	found, err := a.Requests.List(ctx, request.Filter{Open: !in.All, Kind: request.Kind(in.Kind), Customer: in.Customer}, in.Limit)
	var out []SubjectRequest
	for _, r := range found {
		out = append(out, a.viewRequest(r))
	}
	return listOf(out), err
}

// ByID names one thing.
type ByID struct {
	ID string `path:"id"`
}

func (a API) getRequest(ctx context.Context, in *ByID) (*one[SubjectRequest], error) {
	r, err := a.Requests.Get(ctx, in.ID)
	return &one[SubjectRequest]{a.viewRequest(r)}, err
}

func (a API) openRequest(ctx context.Context, in *struct {
	Body struct {
		Customer     string    `json:"customer"`
		Kind         string    `json:"kind" enum:"access,provide,correct,withdraw,object,restrict,erase"`
		Jurisdiction string    `json:"jurisdiction,omitempty" default:"VN"`
		Intake       string    `json:"intake,omitempty" enum:"branch,app,email,call,letter,web" default:"web"`
		Locale       string    `json:"locale,omitempty" enum:"vi,en" default:"vi"`
		ThirdParty   bool      `json:"third_party,omitempty"`
		Received     time.Time `json:"received_at,omitempty"`
		Wish         string    `json:"wish,omitempty" maxLength:"4000"`
	}
}) (*one[SubjectRequest], error) {
	b := in.Body
	r, err := a.Requests.Open(ctx, request.New{Customer: b.Customer, Kind: request.Kind(b.Kind), Jurisdiction: b.Jurisdiction, Intake: b.Intake, Locale: b.Locale,
		ThirdParty: b.ThirdParty, Received: b.Received, Wish: b.Wish})
	return &one[SubjectRequest]{a.viewRequest(r)}, err
}

func (a API) checkRequest(ctx context.Context, in *struct {
	ByID
	Body struct {
		Method string `json:"method" enum:"branch_document,app_session,callback,video_call,signed_letter"`
		Note   string `json:"note,omitempty" maxLength:"4000"`
	}
}) (*one[SubjectRequest], error) {
	if err := a.Requests.Check(ctx, in.ID, in.Body.Method, in.Body.Note); err != nil {
		return nil, err
	}
	return a.getRequest(ctx, &in.ByID)
}

func (a API) replyRequest(ctx context.Context, in *struct {
	ByID
	Body struct {
		Note string `json:"note,omitempty" maxLength:"4000"`
	}
}) (*one[SubjectRequest], error) {
	if err := a.Requests.Reply(ctx, in.ID, in.Body.Note); err != nil {
		return nil, err
	}
	return a.getRequest(ctx, &in.ByID)
}

func (a API) extendRequest(ctx context.Context, in *struct {
	ByID
	Body struct {
		Amount int    `json:"amount" minimum:"1" doc:"in the rule's unit"`
		Reason string `json:"reason" maxLength:"4000" doc:"that the person is told"`
	}
}) (*one[SubjectRequest], error) {
	if err := a.Requests.Extend(ctx, in.ID, in.Body.Amount, in.Body.Reason); err != nil {
		return nil, err
	}
	return a.getRequest(ctx, &in.ByID)
}

func (a API) completeRequest(ctx context.Context, in *struct {
	ByID
	Body struct {
		Answer string `json:"answer" maxLength:"4000"`
	}
}) (*one[SubjectRequest], error) {
	if err := a.Requests.Complete(ctx, in.ID, in.Body.Answer); err != nil {
		return nil, err
	}
	return a.getRequest(ctx, &in.ByID)
}

func (a API) refuseRequest(ctx context.Context, in *struct {
	ByID
	Body struct {
		Ground string `json:"ground" maxLength:"4000" doc:"in law"`
		Answer string `json:"answer" maxLength:"4000"`
	}
}) (*one[SubjectRequest], error) {
	if err := a.Requests.Refuse(ctx, in.ID, in.Body.Ground, in.Body.Answer); err != nil {
		return nil, err
	}
	return a.getRequest(ctx, &in.ByID)
}

// ErasureCertificate says what became of every place.
type ErasureCertificate struct {
	ID       string         `json:"id"`
	State    string         `json:"state" enum:"waiting,running,held,done" doc:"waiting: for a second person"`
	At       time.Time      `json:"ordered_at"`
	Finished *time.Time     `json:"finished_at,omitempty"`
	Complete *time.Time     `json:"complete_at,omitempty" doc:"when the last copy that expires by itself is gone"`
	Records  []string       `json:"records"`
	Held     []ErasureHeld  `json:"held,omitempty"`
	Lines    []ErasurePlace `json:"places"`
	Request  string         `json:"request,omitempty"`
	Proposal string         `json:"proposal,omitempty" doc:"what a second person decides before it begins"`
}

// ErasureHeld is a record that a legal hold keeps.
type ErasureHeld struct {
	Record string    `json:"record"`
	Reason string    `json:"reason"`
	Basis  string    `json:"basis"`
	Review time.Time `json:"review_at"`
}

// ErasurePlace is one place of a certificate.
type ErasurePlace struct {
	Place  string     `json:"place"`
	Action string     `json:"action" doc:"deleted, unlinked, expires, kept, again or pending"`
	Count  int64      `json:"count"`
	Until  *time.Time `json:"until,omitempty"`
}

func viewCertificate(c erasure.Certificate) ErasureCertificate {
	out := ErasureCertificate{ID: c.ID, State: string(c.State), At: c.At, Finished: moment(c.Finished), Complete: moment(c.Complete()), Records: c.Records,
		Lines: []ErasurePlace{}, Request: c.RequestID, Proposal: c.Proposal}
	for _, h := range c.Held {
		out.Held = append(out.Held, ErasureHeld{h.Record, string(h.Reason), h.Basis, h.Review})
	}
	for _, l := range c.Lines {
		out.Lines = append(out.Lines, ErasurePlace{l.Place, string(l.Action), l.Count, moment(l.Until)})
	}
	return out
}

func (a API) listErasures(ctx context.Context, in *struct {
	After string `query:"after"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}) (*list[ErasureCertificate], error) {
	all, err := a.Erasures.All(ctx, in.After, in.Limit)
	var out []ErasureCertificate
	for _, c := range all {
		out = append(out, viewCertificate(c))
	}
	return listOf(out), err
}

func (a API) getErasure(ctx context.Context, in *ByID) (*one[ErasureCertificate], error) {
	c, err := a.Erasures.Get(ctx, in.ID)
	return &one[ErasureCertificate]{viewCertificate(c)}, err
}

func (a API) erase(ctx context.Context, in *struct {
	ByCustomer
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"why; names nobody"`
	}
}) (*one[ErasureCertificate], error) {
	c, err := a.Erasures.Order(ctx, in.ID, "", in.Body.Reason)
	if err == nil && c.Proposal == "" {
		c, err = a.Erasures.Carry(ctx, c.ID)
	}
	return &one[ErasureCertificate]{viewCertificate(c)}, err
}

// ErasedAgain counts the erasures of the list that were applied.
type ErasedAgain struct {
	Applied int `json:"applied"`
}

func (a API) eraseAgain(ctx context.Context, _ *nothing) (*one[ErasedAgain], error) {
	n, err := a.Erasures.Again(ctx)
	return &one[ErasedAgain]{ErasedAgain{n}}, err
}
