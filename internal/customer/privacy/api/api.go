// Package api offers consent, contact policy and subject requests under /api/v1.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/consent"
	"omote/internal/customer/contact"
	"omote/internal/customer/erasure"
	"omote/internal/customer/request"
	"omote/internal/platform/httpx"
	"omote/internal/platform/store"
)

// API is the operations.
type API struct {
	DB       *store.DB
	Consents *consent.Service
	Contacts *contact.Service
	Requests *request.Service
	Erasures *erasure.Service
	// BaseURL is where customers reach the preference centre.
	BaseURL string
}

// op is an operation of a tag.
func op(id, method, path, tag, summary string, errors ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Tags: []string{tag}, Summary: summary, Errors: errors}
}

// one is an answer with one thing in it.
type one[T any] struct{ Body T }

// list is an answer with several.
type list[T any] struct {
	Body struct {
		Items []T `json:"items"`
	}
}

func listOf[T any](items []T) *list[T] {
	out := &list[T]{}
	out.Body.Items = items
	if items == nil {
		out.Body.Items = []T{}
	}
	return out
}

type nothing struct{}

// ByCustomer names a customer, or one of their records.
type ByCustomer struct {
	ID string `path:"id" maxLength:"100" doc:"the customer, or one of their records"`
}

// Register adds the typed operations.
func (a API) Register(api huma.API) {
	a.registerRequests(api)
	const consents, contacts = "Consent", "Contact policy"
	httpx.Operation(api, op("list-purposes", http.MethodGet, "/purposes", consents, "Purposes in their newest version"), consent.PermRead, a.purposes)
	httpx.Operation(api, op("save-purpose", http.MethodPut, "/purposes/{id}", consents, "Save a new version of a purpose", 409), consent.PermPurpose, a.savePurpose)
	httpx.Operation(api, op("get-consent", http.MethodGet, "/customers/{id}/consent", consents, "Where a customer stands, with every decision and statement"), consent.PermRead, a.standing)
	httpx.Operation(api, op("record-consent", http.MethodPost, "/customers/{id}/consent", consents, "Keep what a customer said; in force when this answers"), consent.PermEdit, a.record)
	httpx.Operation(api, op("decide-consent", http.MethodGet, "/customers/{id}/consent/decision", consents, "May this customer's data be used, and why"), consent.PermRead, a.decide)
	httpx.Operation(api, op("make-preference-link", http.MethodPost, "/customers/{id}/consent/link", consents, "Make the customer's own link to the preference centre"), consent.PermEdit, a.link)
	httpx.Operation(api, op("get-contact-policy", http.MethodGet, "/contact-policy", contacts, "The contact policy in force"), contact.PermRead, a.policy)
	httpx.Operation(api, op("save-contact-policy", http.MethodPut, "/contact-policy", contacts, "Put a new version into force", 409), contact.PermEdit, a.savePolicy)
	httpx.Operation(api, op("explain-contact", http.MethodGet, "/customers/{id}/contact-decision", contacts, "Why a customer may or may not be contacted: every rule's word"), contact.PermRead, a.explain)
	httpx.Operation(api, op("list-contacts", http.MethodGet, "/customers/{id}/contacts", contacts, "The last decisions about a customer"), contact.PermRead, a.history)
	httpx.Operation(api, op("reserve-contact", http.MethodPost, "/customers/{id}/contacts", contacts, "Decide about a contact and reserve its place"), contact.PermReserve, a.reserve)
	httpx.Operation(api, op("release-contact", http.MethodDelete, "/customers/{id}/contacts/{ref}", contacts, "Give a place back: the contact did not happen"), contact.PermReserve, a.release)
}

// ConsentPurpose is a version of what customer data is used for.
type ConsentPurpose struct {
	ID       string   `json:"id" readOnly:"true"`
	Version  int      `json:"version" doc:"in a change: the version it was made from, 0 for a new purpose"`
	Basis    string   `json:"basis" enum:"consent,legitimate_interest,contract,legal_obligation"`
	Channels []string `json:"channels"`
	LabelEN  string   `json:"label_en"`
	LabelVI  string   `json:"label_vi"`
	TextEN   string   `json:"text_en" doc:"what the person is shown"`
	TextVI   string   `json:"text_vi"`
	Renew    bool     `json:"renew,omitempty" doc:"grants to earlier versions no longer count"`
	Since    int      `json:"since,omitempty" readOnly:"true" doc:"first version whose grants count"`
	Citation string   `json:"citation,omitempty"`
}

func viewPurpose(p consent.Purpose) ConsentPurpose {
	return ConsentPurpose{ID: p.ID, Version: p.Version, Basis: string(p.Basis), Channels: p.Channels, LabelEN: p.Label.EN, LabelVI: p.Label.VI,
		TextEN: p.Text.EN, TextVI: p.Text.VI, Renew: p.Renew, Since: p.Since, Citation: p.Citation}
}

func (a API) purposes(ctx context.Context, _ *nothing) (*list[ConsentPurpose], error) {
	all, err := a.Consents.Purposes(ctx)
	var out []ConsentPurpose
	for _, p := range all {
		out = append(out, viewPurpose(p))
	}
	return listOf(out), err
}

func (a API) savePurpose(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body ConsentPurpose
}) (*one[ConsentPurpose], error) {
	b := in.Body
	saved, err := a.Consents.SavePurpose(ctx, consent.Purpose{ID: in.ID, Version: b.Version, Basis: consent.Basis(b.Basis), Channels: b.Channels,
		Label: consent.Words{EN: b.LabelEN, VI: b.LabelVI}, Text: consent.Words{EN: b.TextEN, VI: b.TextVI}, Renew: b.Renew, Citation: b.Citation})
	return &one[ConsentPurpose]{viewPurpose(saved)}, err
}

// ConsentDecision is whether data may be used, and why.
type ConsentDecision struct {
	Purpose string     `json:"purpose"`
	Channel string     `json:"channel"`
	Allowed bool       `json:"allowed"`
	Reason  string     `json:"reason" doc:"granted, not_objected, contract, legal_obligation, unknown, withdrawn, objected, text_outdated, restricted, channel_not_offered or purpose_unknown"`
	Basis   string     `json:"basis,omitempty"`
	Version int        `json:"version,omitempty" doc:"of the purpose"`
	SaidAt  *time.Time `json:"said_at,omitempty" doc:"when the statement that decided was made"`
}

func viewDecision(d consent.Decision) ConsentDecision {
	out := ConsentDecision{Purpose: d.Purpose, Channel: d.Channel, Allowed: d.Allowed, Reason: string(d.Reason), Basis: string(d.Basis), Version: d.Version}
	if d.Statement != nil {
		at := d.Statement.At.Time()
		out.SaidAt = &at
	}
	return out
}

// ConsentStatement is one thing a customer said.
type ConsentStatement struct {
	Record      string    `json:"record"`
	Purpose     string    `json:"purpose"`
	Channel     string    `json:"channel"`
	Granted     bool      `json:"granted"`
	Whole       bool      `json:"whole" doc:"said for all records of the person"`
	At          time.Time `json:"at"`
	ReceivedAt  time.Time `json:"received_at"`
	Source      string    `json:"source"`
	TextVersion int       `json:"text_version"`
	Locale      string    `json:"locale,omitempty"`
	Evidence    string    `json:"evidence,omitempty"`
	By          string    `json:"by"`
}

// ConsentStanding is where a customer stands.
type ConsentStanding struct {
	CustomerID string             `json:"customer_id"`
	Records    int                `json:"records"`
	Restricted bool               `json:"restricted"`
	Decisions  []ConsentDecision  `json:"decisions"`
	Said       []ConsentStatement `json:"said"`
}

func (a API) standing(ctx context.Context, in *ByCustomer) (*one[ConsentStanding], error) {
	s, err := a.Consents.Standing(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := ConsentStanding{CustomerID: s.CustomerID, Records: s.Records, Restricted: s.Restricted, Decisions: []ConsentDecision{}, Said: []ConsentStatement{}}
	for _, p := range s.Purposes {
		for _, d := range p.Decisions {
			out.Decisions = append(out.Decisions, viewDecision(d))
		}
	}
	for _, t := range s.Said {
		out.Said = append(out.Said, ConsentStatement{Record: t.RecordID, Purpose: t.Purpose, Channel: t.Channel, Granted: t.Granted, Whole: t.Whole, At: t.At.Time(),
			ReceivedAt: t.Received.Time(), Source: string(t.Source), TextVersion: t.TextVersion, Locale: t.Locale, Evidence: t.Evidence.Plain, By: t.MadeBy})
	}
	return &one[ConsentStanding]{out}, nil
}

func (a API) record(ctx context.Context, in *struct {
	ByCustomer
	Body struct {
		Statements []struct {
			Purpose     string    `json:"purpose" doc:"a purpose's id; * in a no to everything"`
			Channel     string    `json:"channel,omitempty" default:"*"`
			Granted     bool      `json:"granted"`
			Whole       bool      `json:"whole,omitempty" doc:"the person spoke for all their records"`
			At          time.Time `json:"at,omitempty" doc:"when it was said; now by default"`
			TextVersion int       `json:"text_version,omitempty" minimum:"0"`
			Locale      string    `json:"locale,omitempty" maxLength:"10"`
			Evidence    string    `json:"evidence,omitempty" maxLength:"2000" doc:"what proves it; kept encrypted"`
		} `json:"statements" minItems:"1" maxItems:"100"`
	}
}) (*one[ConsentStanding], error) {
	var said []consent.Said
	for _, s := range in.Body.Statements {
		each := consent.Said{CustomerID: in.ID, Purpose: s.Purpose, Channel: s.Channel, Granted: s.Granted, Whole: s.Whole, Source: consent.FromAPI,
			TextVersion: s.TextVersion, Locale: s.Locale, Evidence: s.Evidence}
		if each.Channel == "" {
			each.Channel = consent.AnyChannel
		}
		if !s.At.IsZero() {
			each.At = store.At(s.At)
		}
		said = append(said, each)
	}
	if err := a.Consents.Record(ctx, said...); err != nil {
		return nil, err
	}
	return a.standing(ctx, &in.ByCustomer)
}

func (a API) decide(ctx context.Context, in *struct {
	ByCustomer
	Purpose string `query:"purpose" required:"true"`
	Channel string `query:"channel" required:"true"`
}) (*one[ConsentDecision], error) {
	d, err := a.Consents.Check(ctx, in.ID, in.Purpose, in.Channel)
	return &one[ConsentDecision]{viewDecision(d)}, err
}

// PreferenceLink is a customer's own way to the preference centre.
type PreferenceLink struct {
	URL string `json:"url" doc:"whoever has it may read and change what this customer allows, for 180 days"`
}

func (a API) link(ctx context.Context, in *ByCustomer) (*one[PreferenceLink], error) {
	token, err := a.Consents.Link(ctx, in.ID)
	return &one[PreferenceLink]{PreferenceLink{a.BaseURL + "/preferences/" + token}}, err
}
