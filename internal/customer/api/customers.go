// Package api offers the customer module's operations under /api/v1.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/identity"
	"omote/internal/customer/profile"
	"omote/internal/platform/httpx"
	"omote/internal/platform/store"
)

// API holds the services behind the operations.
type API struct {
	Profile  *profile.Service
	Identity *identity.Service
}

// Statement is one record's word about an attribute.
type Statement struct {
	Value     string    `json:"value"`
	Record    string    `json:"record"`
	System    string    `json:"system"`
	Since     time.Time `json:"since"`
	Confirmed time.Time `json:"confirmed"`
}

// Attribute is one attribute of the golden profile.
type Attribute struct {
	Name    string      `json:"name"`
	Value   string      `json:"value"`
	Hidden  bool        `json:"hidden" doc:"the value is masked; a stated purpose may open it"`
	Decided string      `json:"decided" doc:"criterion that chose the value; only: nobody says anything else"`
	By      []Statement `json:"by" doc:"who states the value"`
	Others  []Other     `json:"others" doc:"values that others state"`
}

// Other is a value that was not chosen.
type Other struct {
	Value string      `json:"value"`
	By    []Statement `json:"by"`
}

// Record is one source system's record.
type Record struct {
	ID        string    `json:"id"`
	System    string    `json:"system"`
	Anonymous bool      `json:"anonymous"`
	External  string    `json:"external,omitempty" doc:"the system's own id, masked unless a purpose opens it"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Events    int64     `json:"events"`
}

// Computed is a computed attribute; one of count, at and sums is meant.
type Computed struct {
	Name  string     `json:"name"`
	Count *int64     `json:"count,omitempty"`
	At    *time.Time `json:"at,omitempty"`
	Sums  []Sum      `json:"sums,omitempty"`
}

// Sum is an amount in minor units of a currency.
type Sum struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

// Customer is one customer.
type Customer struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Prospect   bool        `json:"prospect" doc:"only anonymous records are known"`
	Closed     bool        `json:"closed" doc:"outside your units: state a purpose to read more"`
	Purpose    string      `json:"purpose,omitempty" doc:"the purpose that counts now"`
	Until      *time.Time  `json:"until,omitempty"`
	FirstSeen  time.Time   `json:"first_seen"`
	LastSeen   time.Time   `json:"last_seen"`
	Events     int64       `json:"events"`
	Records    []Record    `json:"records"`
	Attributes []Attribute `json:"attributes"`
	Computed   []Computed  `json:"computed"`
}

func statements(by []profile.Statement) []Statement {
	out := make([]Statement, len(by))
	for i, s := range by {
		out[i] = Statement{s.Value, s.Record, s.System, s.Since.Time(), s.Confirmed.Time()}
	}
	return out
}

func when(m store.Micros) *time.Time {
	if m == 0 {
		return nil
	}
	t := m.Time()
	return &t
}

func view(c *profile.Customer) Customer {
	out := Customer{ID: c.ID, Name: c.Name, Prospect: c.Prospect, Closed: c.Closed, FirstSeen: c.FirstSeen.Time(), LastSeen: c.LastSeen.Time(), Events: c.Events,
		Records: []Record{}, Attributes: []Attribute{}, Computed: []Computed{}}
	if c.Purpose != nil {
		out.Purpose, out.Until = c.Purpose.Name, when(c.Until)
	}
	for _, r := range c.Records {
		out.Records = append(out.Records, Record{r.RecordID, r.System, r.Anonymous, r.External.Plain, r.FirstSeen.Time(), r.LastSeen.Time(), r.Events})
	}
	for _, a := range c.Attributes {
		x := Attribute{Name: a.Rule.Name, Value: a.Value, Hidden: a.Hidden, Decided: string(a.Decided), By: statements(a.By), Others: []Other{}}
		for _, o := range a.Others {
			x.Others = append(x.Others, Other{o.Value, statements(o.By)})
		}
		out.Attributes = append(out.Attributes, x)
	}
	for _, v := range c.Computed {
		x := Computed{Name: v.Rule.Name}
		switch {
		case v.Rule.Count != nil:
			x.Count = &v.N
		case v.Rule.Last != nil:
			x.At = when(v.At)
		default:
			for _, s := range v.Sums {
				x.Sums = append(x.Sums, Sum(s))
			}
		}
		out.Computed = append(out.Computed, x)
	}
	return out
}

type customerPath struct {
	ID string `path:"id" doc:"id of a customer, or of any of their records"`
}

type customerOutput struct{ Body Customer }

type findOutput struct {
	Body struct {
		Items []Found `json:"items"`
		More  bool    `json:"more" doc:"further customers fit; add a word or a number"`
	}
}

// Found is a customer in a list of results.
type Found struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Phone    string    `json:"phone,omitempty"`
	Citizen  string    `json:"citizen_id,omitempty"`
	Systems  []string  `json:"systems"`
	Exact    bool      `json:"exact" doc:"the whole name or number is the one asked for"`
	LastSeen time.Time `json:"last_seen"`
}

// Register adds the operations.
func (a API) Register(api huma.API) {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Tags: []string{"customers"}}
	}
	httpx.Operation(api, op("find-customers", http.MethodGet, "/customers", "Find customers by words of a name, endings of numbers, a whole number or mail address"), profile.PermRead, a.find)
	httpx.Operation(api, op("get-customer", http.MethodGet, "/customers/{id}", "Read a customer's golden profile with the source of every value"), profile.PermRead, a.get)
	httpx.Operation(api, op("get-customer-timeline", http.MethodGet, "/customers/{id}/timeline", "Read a customer's facts, newest first"), profile.PermRead, a.timeline)
	httpx.Operation(api, op("open-customer", http.MethodPost, "/customers/{id}/purpose", "State why you read a customer: opens what the purpose opens, and is audited"), profile.PermRead, a.purpose)
	httpx.Operation(api, op("get-customer-identity", http.MethodGet, "/customers/{id}/identity", "Explain which records are one customer, and what was decided"), identity.PermRead, a.history)
	httpx.Operation(api, op("merge-customers", http.MethodPost, "/customers/{id}/merge", "Make two customers one"), identity.PermEdit, a.merge)
	httpx.Operation(api, op("unmerge-customer", http.MethodPost, "/customers/{id}/unmerge", "Take records out of a customer"), identity.PermEdit, a.unmerge)
	httpx.Operation(api, op("reject-customers", http.MethodPost, "/customers/{id}/reject", "Remember that two customers are two people"), identity.PermEdit, a.reject)
	httpx.Operation(api, op("undo-identity-decision", http.MethodPost, "/customers/decisions/{act}/undo", "Take a decision about identity back"), identity.PermEdit, a.undo)
}

func (a API) find(ctx context.Context, in *struct {
	Query string `query:"q" required:"true" maxLength:"200"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}) (*findOutput, error) {
	found, err := a.Profile.Find(ctx, in.Query, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &findOutput{}
	out.Body.Items, out.Body.More = []Found{}, found.More
	for _, s := range found.Items {
		out.Body.Items = append(out.Body.Items, Found{s.ID, s.Name, s.Value("phone"), s.Value("citizen_id"), append([]string{}, s.Systems()...), s.Hit.Exact, s.LastSeen.Time()})
	}
	return out, nil
}

func (a API) get(ctx context.Context, in *customerPath) (*customerOutput, error) {
	c, err := a.Profile.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &customerOutput{view(c)}, nil
}

func (a API) purpose(ctx context.Context, in *struct {
	customerPath
	Body struct {
		Purpose string `json:"purpose" doc:"service, identification, complaint, identity_review or subject_request"`
		Reason  string `json:"reason,omitempty"`
	}
}) (*customerOutput, error) {
	if err := a.Profile.State(ctx, in.ID, in.Body.Purpose, in.Body.Reason); err != nil {
		return nil, err
	}
	return a.get(ctx, &in.customerPath)
}

type timelineOutput struct {
	Body struct {
		Items []Entry `json:"items"`
		Next  string  `json:"next,omitempty"`
	}
}

// Entry is one fact of a timeline.
type Entry struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Record   string    `json:"record"`
	Source   string    `json:"source"`
	Kind     string    `json:"kind"`
	Name     string    `json:"name"`
	Journey  string    `json:"journey,omitempty"`
	Case     string    `json:"case_key,omitempty"`
	Channel  string    `json:"channel,omitempty"`
	Unit     string    `json:"unit,omitempty"`
	Product  string    `json:"product,omitempty"`
	Outcome  string    `json:"outcome,omitempty"`
	Amount   *int64    `json:"amount,omitempty" doc:"minor units"`
	Currency string    `json:"currency,omitempty"`
	Voices   []Voice   `json:"voices,omitempty"`
}

// Voice is an answer or a comment; comments are masked.
type Voice struct {
	Instrument string   `json:"instrument"`
	Item       string   `json:"item"`
	Score      *float64 `json:"score,omitempty"`
	Comment    string   `json:"comment,omitempty"`
}

func (a API) timeline(ctx context.Context, in *struct {
	customerPath
	Journey string    `query:"journey"`
	Channel string    `query:"channel"`
	Case    string    `query:"case_key"`
	Event   []string  `query:"event" doc:"event names, any of which fits"`
	Text    string    `query:"text" maxLength:"200" doc:"looked for in comments"`
	Voices  bool      `query:"voices" doc:"only facts with an answer or a comment"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	After   string    `query:"after" doc:"cursor: next of the page before"`
	Limit   int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}) (*timelineOutput, error) {
	t, err := a.Profile.Timeline(ctx, in.ID, profile.Filter{Journey: in.Journey, Channel: in.Channel, Case: in.Case, Names: in.Event, Text: in.Text, Voices: in.Voices,
		From: in.From, To: in.To, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &timelineOutput{}
	out.Body.Items, out.Body.Next = []Entry{}, t.Next
	for _, e := range t.Entries {
		x := Entry{ID: e.ID, At: e.At, Record: e.Record, Source: e.Source, Kind: e.Kind, Name: e.Name, Journey: e.Journey, Case: e.Case, Channel: e.Channel, Unit: e.Unit,
			Product: e.Product, Outcome: e.Outcome, Amount: e.Amount, Currency: e.Currency}
		for _, v := range e.Voices {
			x.Voices = append(x.Voices, Voice{v.Instrument, v.Item, v.Score, v.Comment})
		}
		out.Body.Items = append(out.Body.Items, x)
	}
	return out, nil
}
