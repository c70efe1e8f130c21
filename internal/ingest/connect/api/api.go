// Package api offers connectors under /api/v1.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/ingest/connect"
	"omote/internal/ingest/mapping"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// API is the operations.
type API struct{ Connectors *connect.Service }

func op(id, method, path, summary string, errors ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Tags: []string{"Connectors"}, Summary: summary, Errors: errors}
}

// Register adds the operations.
func (a API) Register(api huma.API) {
	httpx.Operation(api, op("list-connectors", http.MethodGet, "/connectors", "What is fetched from other systems, and how each does"), connect.PermRead, a.list)
	httpx.Operation(api, op("make-connector", http.MethodPost, "/connectors", "Read a database or a folder"), connect.PermEdit, a.make)
	httpx.Operation(api, op("get-connector", http.MethodGet, "/connectors/{id}", "A connector with the coverage of its columns", 404), connect.PermRead, a.get)
	httpx.Operation(api, op("change-connector", http.MethodPut, "/connectors/{id}", "Change a connector; what was read stays read unless the source changed", 404), connect.PermEdit, a.change)
	httpx.Operation(api, op("act-on-connector", http.MethodPost, "/connectors/{id}/{act}", "run: read now; pause; resume", 404), connect.PermEdit, a.act)
	httpx.Operation(api, op("remove-connector", http.MethodDelete, "/connectors/{id}", "Take a connector away; what it brought in stays", 404), connect.PermEdit, a.remove)
}

type one[T any] struct{ Body T }

// ConnectorSource is an SQL database and what to read there.
type ConnectorSource struct {
	Driver   string `json:"driver" enum:"postgres,mysql,sqlserver"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Name     string `json:"name" doc:"of the database"`
	User     string `json:"user"`
	Insecure bool   `json:"insecure,omitempty" doc:"without TLS"`
	Query    string `json:"query" doc:"one SELECT without order, limit and semicolon"`
	Key      string `json:"key" doc:"column that tells rows apart"`
	Mark     string `json:"mark" doc:"column that grows whenever a row is made or changed"`
	MarkIs   string `json:"mark_is" enum:"time,number"`
	Overlap  int    `json:"overlap_seconds,omitempty" doc:"how far behind the mark rows are read again; times only"`
	Page     int    `json:"page,omitempty"`
}

// ConnectorDrop is a folder into which files are dropped.
type ConnectorDrop struct {
	Dir     string `json:"dir"`
	Pattern string `json:"pattern" doc:"of file names, such as crm_*.csv"`
	Settle  int    `json:"settle_seconds" default:"10" doc:"how long a file must not have grown"`
}

// ConnectorSetup is what a connector does.
type ConnectorSetup struct {
	Name    string           `json:"name" maxLength:"120"`
	Kind    string           `json:"kind" enum:"database,folder"`
	System  string           `json:"system" doc:"whose ids the rows carry"`
	Every   int              `json:"every_seconds" default:"300" minimum:"10" maximum:"604800"`
	History bool             `json:"history" doc:"rows update state and start nothing"`
	Mapping map[string]any   `json:"mapping" doc:"as on the page: kind, fields, properties, zone"`
	Source  *ConnectorSource `json:"source,omitempty"`
	Drop    *ConnectorDrop   `json:"drop,omitempty"`
}

// SaveConnector is a set-up with the password that only goes in.
type SaveConnector struct {
	ConnectorSetup
	Password string `json:"password,omitempty" doc:"empty keeps the one that is there"`
}

// ConnectorColumn is a column that was seen and what becomes of it.
type ConnectorColumn struct {
	Name   string `json:"name"`
	To     string `json:"to,omitempty" doc:"field or property; absent when it is left out"`
	Filled int64  `json:"filled" doc:"rows of the last run in which it had a value"`
}

// Connector is a connector as it stands.
type Connector struct {
	ID          string            `json:"id"`
	State       string            `json:"state" enum:"waiting,good,failing,paused"`
	Error       string            `json:"error,omitempty"`
	Place       string            `json:"place"`
	Setup       ConnectorSetup    `json:"setup"`
	Rows        int64             `json:"rows"`
	Sent        int64             `json:"sent"`
	Quarantined int64             `json:"quarantined"`
	LastGood    *time.Time        `json:"last_good,omitempty"`
	Newest      *time.Time        `json:"newest,omitempty" doc:"newest mark seen, where it is a time: the lag is its age"`
	Columns     []ConnectorColumn `json:"columns"`
}

func (s ConnectorSetup) config() (c connect.Config, err error) {
	c = connect.Config{Name: s.Name, Kind: connect.Kind(s.Kind), System: s.System, Every: seconds(s.Every), History: s.History}
	raw, err := json.Marshal(s.Mapping)
	if err == nil {
		err = json.Unmarshal(raw, &c.Mapping)
	}
	if err != nil {
		return c, mapping.BadDocument(err)
	}
	if d := s.Source; d != nil {
		c.Source = &connect.Source{Driver: connect.Driver(d.Driver), Host: d.Host, Port: d.Port, Name: d.Name, User: d.User, Insecure: d.Insecure, Query: d.Query, Key: d.Key, Mark: d.Mark,
			MarkIs: connect.Marks(d.MarkIs), Overlap: seconds(d.Overlap), Page: d.Page}
	}
	if d := s.Drop; d != nil {
		c.Drop = &connect.Drop{Dir: d.Dir, Pattern: d.Pattern, Settle: seconds(d.Settle)}
	}
	return c, nil
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func moment(at time.Time, none bool) *time.Time {
	if none {
		return nil
	}
	return &at
}

func view(c *connect.Connector) (Connector, error) {
	out := Connector{ID: c.ID, State: string(c.State()), Error: c.Error, Place: c.Config.Place(), Rows: c.Rows, Sent: c.Sent, Quarantined: c.Quarantined,
		LastGood: moment(c.LastGood.Time(), c.LastGood == 0), Newest: moment(c.Newest.Time(), c.Newest == 0), Columns: []ConnectorColumn{},
		Setup: ConnectorSetup{Name: c.Config.Name, Kind: string(c.Config.Kind), System: c.Config.System, Every: int(c.Config.Every / time.Second), History: c.Config.History}}
	raw, err := json.Marshal(c.Config.Mapping)
	if err == nil {
		err = json.Unmarshal(raw, &out.Setup.Mapping)
	}
	if s := c.Config.Source; s != nil {
		out.Setup.Source = &ConnectorSource{Driver: string(s.Driver), Host: s.Host, Port: s.Port, Name: s.Name, User: s.User, Insecure: s.Insecure, Query: s.Query, Key: s.Key, Mark: s.Mark,
			MarkIs: string(s.MarkIs), Overlap: int(s.Overlap / time.Second), Page: s.Page}
	}
	if d := c.Config.Drop; d != nil {
		out.Setup.Drop = &ConnectorDrop{Dir: d.Dir, Pattern: d.Pattern, Settle: int(d.Settle / time.Second)}
	}
	for _, col := range c.Columns {
		out.Columns = append(out.Columns, ConnectorColumn(col))
	}
	return out, err
}

// ConnectorList is every connector.
type ConnectorList struct {
	Items []Connector `json:"items"`
}

func (a API) list(ctx context.Context, _ *struct{}) (*one[ConnectorList], error) {
	all, err := a.Connectors.List(ctx)
	if err != nil {
		return nil, err
	}
	out := ConnectorList{Items: []Connector{}}
	for i := range all {
		c, err := view(&all[i])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, c)
	}
	return &one[ConnectorList]{out}, nil
}

// ByID names a connector.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

func (a API) get(ctx context.Context, in *ByID) (*one[Connector], error) {
	c, err := a.Connectors.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out, err := view(c)
	return &one[Connector]{out}, err
}

func (a API) saved(ctx context.Context, id string, in SaveConnector) (*one[Connector], error) {
	c, err := in.config()
	if err != nil {
		return nil, err
	}
	made, err := a.Connectors.Save(ctx, id, c, in.Password)
	if err != nil {
		return nil, err
	}
	return a.get(ctx, &ByID{made.ID})
}

func (a API) make(ctx context.Context, in *struct{ Body SaveConnector }) (*one[Connector], error) {
	return a.saved(ctx, "", in.Body)
}

func (a API) change(ctx context.Context, in *struct {
	ByID
	Body SaveConnector
}) (*one[Connector], error) {
	return a.saved(ctx, in.ID, in.Body)
}

func (a API) act(ctx context.Context, in *struct {
	ByID
	Act string `path:"act" enum:"run,pause,resume"`
}) (*one[Connector], error) {
	var err error
	switch in.Act {
	case "run":
		err = a.Connectors.RunNow(ctx, in.ID)
	case "pause", "resume":
		err = a.Connectors.Pause(ctx, in.ID, in.Act == "pause")
	default:
		err = errs.NotFound("connect.error.not_found", "a connector cannot %s", in.Act)
	}
	if err != nil {
		return nil, err
	}
	return a.get(ctx, &in.ByID)
}

func (a API) remove(ctx context.Context, in *ByID) (*struct{}, error) {
	return nil, a.Connectors.Remove(ctx, in.ID)
}
