package api

import (
	"context"
	"time"

	"omote/internal/customer/contact"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// ContactPolicy is a version of the contact policy.
type ContactPolicy struct {
	Version int    `json:"version" doc:"in a change: the version it was made from"`
	Note    string `json:"note,omitempty" maxLength:"500" doc:"why it was changed"`
	Policy  string `json:"policy" maxLength:"65536" doc:"the policy in YAML; docs/reference/consent.md describes it"`
	Waits   string `json:"waits,omitempty" doc:"id of the proposal that a second person decides before the version is in force"`
}

func viewPolicy(p *contact.Policy, err error) (*one[ContactPolicy], error) {
	if err != nil {
		return nil, err
	}
	text, err := p.YAML()
	return &one[ContactPolicy]{ContactPolicy{p.Version, p.Note, text, p.Waits}}, err
}

func (a API) policy(ctx context.Context, _ *nothing) (*one[ContactPolicy], error) {
	return viewPolicy(a.Contacts.Policy(ctx))
}

func (a API) savePolicy(ctx context.Context, in *struct{ Body ContactPolicy }) (*one[ContactPolicy], error) {
	p, err := contact.Parse([]byte(in.Body.Policy))
	if err != nil {
		return nil, err
	}
	p.Version = in.Body.Version
	return viewPolicy(a.Contacts.Save(ctx, p, in.Body.Note))
}

// ContactFinding is the word of one rule.
type ContactFinding struct {
	Rule   string     `json:"rule"`
	Sort   string     `json:"sort" doc:"consent, exclusion, quiet, gap, cap or kind"`
	Met    bool       `json:"met"`
	Reason string     `json:"reason"`
	Used   int        `json:"used,omitempty"`
	Limit  int        `json:"limit,omitempty"`
	Until  *time.Time `json:"until,omitempty" doc:"when the rule lets go by itself"`
	What   string     `json:"what,omitempty"`
}

func viewFindings(all []contact.Finding) []ContactFinding {
	out := make([]ContactFinding, len(all))
	for i, f := range all {
		out[i] = ContactFinding{Rule: f.Rule, Sort: f.Sort, Met: f.Met, Reason: string(f.Reason), Used: f.Used, Limit: f.Limit, What: f.What}
		if !f.Until.IsZero() {
			out[i].Until = &f.Until
		}
	}
	return out
}

// ContactDecision is whether a customer may be contacted, with every rule's word.
type ContactDecision struct {
	Allowed     bool             `json:"allowed"`
	Why         string           `json:"why,omitempty" doc:"the first rule's word that was not met"`
	Retry       *time.Time       `json:"retry,omitempty" doc:"when asking again may help; absent when waiting alone does not"`
	Reservation string           `json:"reservation,omitempty"`
	Policy      int              `json:"policy" doc:"version"`
	Reasons     []ContactFinding `json:"reasons" doc:"every rule that applies, met or not"`
}

func viewContact(d contact.Decision) ContactDecision {
	out := ContactDecision{Allowed: d.Allowed, Why: string(d.Why().Reason), Reservation: d.Reservation, Policy: d.Policy, Reasons: viewFindings(d.Reasons)}
	if !d.Retry.IsZero() {
		out.Retry = &d.Retry
	}
	return out
}

func (a API) explain(ctx context.Context, in *struct {
	ByCustomer
	Kind    string    `query:"kind" required:"true"`
	Channel string    `query:"channel" required:"true"`
	At      time.Time `query:"at" doc:"now by default"`
}) (*one[ContactDecision], error) {
	d, err := a.Contacts.Explain(ctx, contact.Request{Customer: in.ID, Kind: in.Kind, Channel: in.Channel, At: in.At})
	return &one[ContactDecision]{viewContact(d)}, err
}

func (a API) reserve(ctx context.Context, in *struct {
	ByCustomer
	Body struct {
		Kind     string    `json:"kind"`
		Channel  string    `json:"channel"`
		Priority int       `json:"priority,omitempty" minimum:"0" maximum:"9" doc:"may lower the kind's"`
		At       time.Time `json:"at,omitempty" doc:"when the contact is to happen; now by default"`
		Ref      string    `json:"ref,omitempty" maxLength:"200" doc:"makes the decision idempotent and names the reservation"`
	}
}) (*one[ContactDecision], error) {
	if err := auth.Require(ctx, contact.PermReserve, ""); err != nil {
		return nil, err
	}
	var d contact.Decision
	err := a.DB.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		d, err = a.Contacts.Decide(ctx, tx, contact.Request{Customer: in.ID, Kind: in.Body.Kind, Channel: in.Body.Channel, Priority: in.Body.Priority, At: in.Body.At, Ref: in.Body.Ref})
		return err
	})
	return &one[ContactDecision]{viewContact(d)}, err
}

func (a API) release(ctx context.Context, in *struct {
	ByCustomer
	Ref string `path:"ref"`
}) (*nothing, error) {
	if err := auth.Require(ctx, contact.PermReserve, ""); err != nil {
		return nil, err
	}
	return nil, a.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error { return a.Contacts.Release(ctx, tx, in.ID, in.Ref) })
}

// ContactEntry is a decision as it was kept.
type ContactEntry struct {
	Ref     string           `json:"ref"`
	Kind    string           `json:"kind"`
	Channel string           `json:"channel"`
	At      time.Time        `json:"at"`
	State   string           `json:"state" doc:"reserved, released or refused"`
	Policy  int              `json:"policy"`
	Decided time.Time        `json:"decided_at"`
	Reasons []ContactFinding `json:"reasons"`
}

func (a API) history(ctx context.Context, in *struct {
	ByCustomer
	Limit int `query:"limit" default:"50" minimum:"1" maximum:"500"`
}) (*list[ContactEntry], error) {
	all, err := a.Contacts.History(ctx, in.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	var out []ContactEntry
	for _, e := range all {
		reasons, err := e.Findings()
		if err != nil {
			return nil, err
		}
		out = append(out, ContactEntry{Ref: e.Ref, Kind: e.Kind, Channel: e.Channel, At: e.At.Time(), State: string(e.State), Policy: e.PolicyVersion,
			Decided: e.DecidedAt.Time(), Reasons: viewFindings(reasons)})
	}
	return listOf(out), nil
}
