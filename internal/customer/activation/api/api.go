// Package api offers activations under /api/v1.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/activation"
	"omote/internal/platform/httpx"
)

// API is the operations.
type API struct{ Activations *activation.Service }

func op(id, method, path, summary string, errors ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Tags: []string{"Activations"}, Summary: summary, Errors: errors}
}

// Register adds the operations.
func (a API) Register(api huma.API) {
	httpx.Operation(api, op("list-activations", http.MethodGet, "/activations", "What is written back into other systems"), activation.PermRead, a.list)
	httpx.Operation(api, op("make-activation", http.MethodPost, "/activations", "Write a segment and attributes back"), activation.PermEdit, a.make)
	httpx.Operation(api, op("get-activation", http.MethodGet, "/activations/{id}", "An activation with the figures of its rows", 404), activation.PermRead, a.get)
	httpx.Operation(api, op("change-activation", http.MethodPut, "/activations/{id}", "Change an activation; the next round starts at once", 404), activation.PermEdit, a.change)
	httpx.Operation(api, op("list-activation-rows", http.MethodGet, "/activations/{id}/rows", "What became of each row, by the record's pseudonym", 404), activation.PermRead, a.rows)
	httpx.Operation(api, op("act-on-activation", http.MethodPost, "/activations/{id}/{act}", "run: start a round; retry: try refused rows again; pause; resume", 404), activation.PermEdit, a.act)
	httpx.Operation(api, op("remove-activation", http.MethodDelete, "/activations/{id}", "Take an activation away; what the other system holds stays there", 404), activation.PermEdit, a.remove)
}

type one[T any] struct{ Body T }

// ActivationField is an attribute that is written.
type ActivationField struct {
	Attribute string `json:"attribute" doc:"declared by the tracking plan and not personal"`
	Column    string `json:"column"`
	Fill      bool   `json:"fill,omitempty" doc:"write only where the other system has nothing yet"`
}

// ActivationTable is where an upsert goes.
type ActivationTable struct {
	Host     string `json:"host"`
	Port     int    `json:"port" default:"5432"`
	Name     string `json:"name" doc:"of the database"`
	User     string `json:"user"`
	Insecure bool   `json:"insecure,omitempty" doc:"without TLS"`
	Table    string `json:"table"`
	Key      string `json:"key" doc:"unique column with the system's own id"`
}

// ActivationSetup is what an activation does.
type ActivationSetup struct {
	Name      string            `json:"name" maxLength:"120"`
	System    string            `json:"system" doc:"whose records are written back"`
	Segment   string            `json:"segment"`
	Member    string            `json:"member" doc:"column that holds the membership"`
	Fields    []ActivationField `json:"fields,omitempty"`
	Purpose   string            `json:"purpose" doc:"what consent is asked for, at the moment of use"`
	Channel   string            `json:"channel"`
	Target    string            `json:"target" enum:"webhook,postgres"`
	URL       string            `json:"url,omitempty"`
	Table     *ActivationTable  `json:"table,omitempty"`
	Every     int               `json:"every_seconds" default:"3600" minimum:"60" maximum:"604800"`
	PerMinute int               `json:"per_minute" default:"600" minimum:"1" maximum:"6000"`
}

// Activation is an activation as it stands.
type Activation struct {
	ID       string           `json:"id"`
	State    string           `json:"state" enum:"waiting,good,failing,paused"`
	Setup    ActivationSetup  `json:"setup"`
	LastGood *time.Time       `json:"last_good,omitempty" doc:"end of the last whole round"`
	Error    string           `json:"error,omitempty"`
	Rows     map[string]int64 `json:"rows" doc:"number by state: queued, delivered, withheld, refused, uncertain"`
	Secret   string           `json:"secret,omitempty" doc:"given once, when a webhook is made; signs by the Standard Webhooks"`
}

func (s ActivationSetup) config() activation.Config {
	c := activation.Config{Name: s.Name, System: s.System, Segment: s.Segment, Member: s.Member, Purpose: s.Purpose, Channel: s.Channel, Target: activation.Target(s.Target),
		URL: s.URL, Every: time.Duration(s.Every) * time.Second, PerMinute: s.PerMinute}
	for _, f := range s.Fields {
		c.Fields = append(c.Fields, activation.Field(f))
	}
	if s.Table != nil {
		t := activation.Table(*s.Table)
		c.Table = &t
	}
	return c
}

func view(s activation.Summary) Activation {
	c := s.Config
	out := Activation{ID: s.ID, State: string(s.State()), Error: s.Error, Rows: map[string]int64{},
		Setup: ActivationSetup{Name: c.Name, System: c.System, Segment: c.Segment, Member: c.Member, Purpose: c.Purpose, Channel: c.Channel, Target: string(c.Target), URL: c.URL,
			Every: int(c.Every / time.Second), PerMinute: c.PerMinute}}
	for _, f := range c.Fields {
		out.Setup.Fields = append(out.Setup.Fields, ActivationField(f))
	}
	if c.Table != nil {
		t := ActivationTable(*c.Table)
		out.Setup.Table = &t
	}
	for state, n := range s.Rows {
		out.Rows[string(state)] = n
	}
	if s.LastGood > 0 {
		at := s.LastGood.Time()
		out.LastGood = &at
	}
	return out
}

// ActivationList is every activation.
type ActivationList struct {
	Items []Activation `json:"items"`
}

func (a API) list(ctx context.Context, _ *struct{}) (*one[ActivationList], error) {
	all, err := a.Activations.List(ctx)
	if err != nil {
		return nil, err
	}
	out := ActivationList{Items: []Activation{}}
	for _, s := range all {
		out.Items = append(out.Items, view(s))
	}
	return &one[ActivationList]{out}, nil
}

// SaveActivation is an activation with the secret that only goes in.
type SaveActivation struct {
	ActivationSetup
	Secret string `json:"secret,omitempty" doc:"the database's password, or a webhook's own secret; empty keeps the one that is there"`
}

func (a API) saved(ctx context.Context, id string, in SaveActivation) (*one[Activation], error) {
	made, secret, err := a.Activations.Save(ctx, id, in.config(), in.Secret)
	if err != nil {
		return nil, err
	}
	s, err := a.Activations.Get(ctx, made.ID)
	out := view(s)
	out.Secret = secret
	return &one[Activation]{out}, err
}

func (a API) make(ctx context.Context, in *struct{ Body SaveActivation }) (*one[Activation], error) {
	return a.saved(ctx, "", in.Body)
}

// ByID names an activation.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

func (a API) change(ctx context.Context, in *struct {
	ByID
	Body SaveActivation
}) (*one[Activation], error) {
	return a.saved(ctx, in.ID, in.Body)
}

func (a API) get(ctx context.Context, in *ByID) (*one[Activation], error) {
	s, err := a.Activations.Get(ctx, in.ID)
	return &one[Activation]{view(s)}, err
}

// ActivationRow is what became of a row.
type ActivationRow struct {
	Record  string     `json:"record" doc:"pseudonym of the other system's record"`
	Member  bool       `json:"member" doc:"as it was sent last"`
	State   string     `json:"state" enum:"queued,delivered,withheld,refused,uncertain"`
	Reason  string     `json:"reason,omitempty"`
	Version int64      `json:"version" doc:"number of the row's message"`
	Queued  time.Time  `json:"queued_at"`
	Settled *time.Time `json:"settled_at,omitempty"`
}

// ActivationRows is a page of rows.
type ActivationRows struct {
	Items []ActivationRow `json:"items"`
	Next  string          `json:"next,omitempty" doc:"pass it as after to go on"`
}

func (a API) rows(ctx context.Context, in *struct {
	ByID
	State string `query:"state" enum:"queued,delivered,withheld,refused,uncertain,"`
	After string `query:"after"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
}) (*one[ActivationRows], error) {
	p, err := a.Activations.Rows(ctx, in.ID, activation.RowState(in.State), in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := ActivationRows{Items: []ActivationRow{}, Next: p.Next}
	for _, r := range p.Items {
		row := ActivationRow{Record: r.RecordID, Member: r.Member, State: string(r.State), Reason: r.Reason, Version: r.Version, Queued: r.QueuedAt.Time()}
		if r.SettledAt > 0 {
			at := r.SettledAt.Time()
			row.Settled = &at
		}
		out.Items = append(out.Items, row)
	}
	return &one[ActivationRows]{out}, nil
}

func (a API) act(ctx context.Context, in *struct {
	ByID
	Act string `path:"act" enum:"run,retry,pause,resume"`
}) (*one[Activation], error) {
	var err error
	switch in.Act {
	case "run":
		err = a.Activations.RunNow(ctx, in.ID)
	case "retry":
		err = a.Activations.Retry(ctx, in.ID)
	default:
		err = a.Activations.Pause(ctx, in.ID, in.Act == "pause")
	}
	if err != nil {
		return nil, err
	}
	return a.get(ctx, &in.ByID)
}

func (a API) remove(ctx context.Context, in *ByID) (*struct{}, error) {
	return nil, a.Activations.Remove(ctx, in.ID)
}
