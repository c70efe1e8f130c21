// Package api offers the ingest module's operations under /api/v1.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/ingest/imports"
	"omote/internal/ingest/mapping"
	"omote/internal/platform/httpx"
	"omote/internal/platform/store"
)

// Import is one file brought in.
type Import struct {
	ID          string           `json:"id"`
	File        string           `json:"file" doc:"name of the file"`
	SHA256      string           `json:"sha256" doc:"hash of the file; with the row's number it is the id of a message"`
	Bytes       int64            `json:"bytes"`
	Format      string           `json:"format" enum:"csv,ndjson,parquet,xes"`
	Mode        string           `json:"mode" enum:"live,history" doc:"history starts nothing: no flow, survey, clock or message"`
	State       string           `json:"state" enum:"draft,queued,reading,paused,settling,done,failed,cancelled"`
	Progress    float64          `json:"progress" doc:"share of the file read, 0 to 1"`
	Rows        int64            `json:"rows" doc:"rows read"`
	Accepted    int64            `json:"accepted" doc:"events that became facts; known when done"`
	Duplicates  int64            `json:"duplicates" doc:"events that had been there before"`
	Quarantined int64            `json:"quarantined" doc:"rows set aside with their reason"`
	Dropped     map[string]int64 `json:"dropped,omitempty" doc:"values of properties that the tracking plan does not declare, by name"`
	Seconds     float64          `json:"seconds" doc:"time the work took so far"`
	Error       string           `json:"error,omitempty"`
	Mapping     json.RawMessage  `json:"mapping,omitempty"`
	RetryOf     string           `json:"retry_of,omitempty"`
	CreatedAt   time.Time        `json:"created_at"`
	FinishedAt  *time.Time       `json:"finished_at,omitempty"`
}

func view(im *imports.Import, now time.Time) Import {
	v := Import{ID: im.ID, File: im.FileName, SHA256: im.FileHash, Bytes: im.Size, Format: string(im.Format), Mode: "live", State: string(im.State),
		Progress: im.Progress(), Rows: im.ReadRows, Accepted: im.Accepted, Duplicates: im.Duplicates, Quarantined: im.Quarantined, Dropped: im.Dropped(),
		Seconds: im.Seconds(now), Error: im.Error, Mapping: im.MappingJSON, RetryOf: im.RetryOf, CreatedAt: im.CreatedAt.Time()}
	if im.History {
		v.Mode = "history"
	}
	if im.FinishedAt != 0 {
		at := im.FinishedAt.Time()
		v.FinishedAt = &at
	}
	return v
}

// oneImport answers with an import.
type oneImport struct{ Body Import }

// ImportID names an import in an address.
type ImportID struct {
	ID string `path:"id" doc:"id of the import"`
}

// startBody says what a file's columns mean. Without a mapping the file's header
// and first rows decide.
type startBody struct {
	Kind    string          `json:"kind" enum:"eventlog,events,customers,feedback"`
	Mode    string          `json:"mode" enum:"live,history" default:"history"`
	Mapping json.RawMessage `json:"mapping,omitempty" doc:"fields, constants, properties, time_format, zone, system; see the reference of formats"`
	Zone    string          `json:"zone,omitempty" doc:"IANA zone of times that name none; the installation's by default"`
}

// API is the module's operations.
type API struct {
	Imports *imports.Service
	DB      *store.DB
	// Zone is the installation's IANA zone.
	Zone string
}

// Register adds the typed operations.
func (a API) Register(api huma.API) {
	httpx.Operation(api, huma.Operation{OperationID: "list-imports", Method: http.MethodGet, Path: "/api/v1/imports", Tags: []string{"Imports"},
		Summary: "List imports, newest first"}, imports.PermRead, a.list)
	httpx.Operation(api, huma.Operation{OperationID: "get-import", Method: http.MethodGet, Path: "/api/v1/imports/{id}", Tags: []string{"Imports"},
		Summary: "One import with its progress and counts"}, imports.PermRead, a.get)
	httpx.Operation(api, huma.Operation{OperationID: "start-import", Method: http.MethodPost, Path: "/api/v1/imports/{id}/start", Tags: []string{"Imports"},
		Summary: "Start a drafted import", Errors: []int{404, 409}}, imports.PermEdit, a.start)
	httpx.Operation(api, huma.Operation{OperationID: "steer-import", Method: http.MethodPost, Path: "/api/v1/imports/{id}/{act}", Tags: []string{"Imports"},
		Summary: "Pause, resume or cancel an import", Errors: []int{404, 409}}, imports.PermEdit, a.steer)
}

// Routes adds what streams: uploads and downloads of any size.
func (a API) Routes(r *httpx.Router) {
	r.Handle("POST /api/v1/imports", imports.PermEdit, a.upload)
	r.Handle("POST /api/v1/imports/{id}/retry/upload", imports.PermEdit, a.retry)
	r.Handle("GET /api/v1/imports/{id}/quarantine", imports.PermRead, a.quarantine)
}

type importListInput struct {
	After string `query:"after" doc:"cursor: id of the last import of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type importList struct {
	Body struct {
		Items []Import `json:"items"`
		Next  string   `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (a API) list(ctx context.Context, in *importListInput) (*importList, error) {
	found, err := a.Imports.List(ctx, in.After, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &importList{}
	out.Body.Items = []Import{}
	for i := range found {
		if i == in.Limit {
			out.Body.Next = found[i-1].ID
			break
		}
		out.Body.Items = append(out.Body.Items, view(&found[i], a.DB.Clock().Now()))
	}
	return out, nil
}

func (a API) get(ctx context.Context, in *ImportID) (*oneImport, error) {
	im, err := a.Imports.Get(ctx, in.ID)
	return a.one(im, err)
}

func (a API) one(im *imports.Import, err error) (*oneImport, error) {
	if err != nil {
		return nil, err
	}
	return &oneImport{view(im, a.DB.Clock().Now())}, nil
}

func (a API) start(ctx context.Context, in *struct {
	ImportID
	Body startBody
}) (*oneImport, error) {
	kind := mapping.Kind(in.Body.Kind)
	var m mapping.Mapping
	if len(in.Body.Mapping) > 0 {
		if err := json.Unmarshal(in.Body.Mapping, &m); err != nil {
			return nil, mapping.BadDocument(err)
		}
		m.Kind = kind
	} else {
		zone := in.Body.Zone
		if zone == "" {
			zone = a.Zone
		}
		preview, err := a.Imports.Preview(ctx, in.ID, kind, zone)
		if err != nil {
			return nil, err
		}
		m = preview.Suggest
	}
	im, err := a.Imports.Start(ctx, in.ID, m, in.Body.Mode != "live")
	return a.one(im, err)
}

func (a API) steer(ctx context.Context, in *struct {
	ImportID
	Act string `path:"act" enum:"pause,resume,cancel"`
}) (*oneImport, error) {
	act := map[string]func(context.Context, string) error{"pause": a.Imports.Pause, "resume": a.Imports.Resume, "cancel": a.Imports.Cancel}[in.Act]
	if err := act(ctx, in.ID); err != nil {
		return nil, err
	}
	return a.get(ctx, &in.ImportID)
}

// upload keeps the request's body as a file: POST /api/v1/imports?name=log.xes.gz.
func (a API) upload(w http.ResponseWriter, r *http.Request) error {
	im, err := a.Imports.Upload(r.Context(), r.URL.Query().Get("name"), r.Body)
	if err != nil {
		return err
	}
	return a.write(w, http.StatusCreated, im)
}

func (a API) retry(w http.ResponseWriter, r *http.Request) error {
	im, err := a.Imports.Retry(r.Context(), r.PathValue("id"), r.URL.Query().Get("name"), r.Body)
	if err != nil {
		return err
	}
	return a.write(w, http.StatusCreated, im)
}

func (a API) write(w http.ResponseWriter, status int, im *imports.Import) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(view(im, a.DB.Clock().Now()))
}

func (a API) quarantine(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="quarantine-`+r.PathValue("id")+`.csv"`)
	return a.Imports.WriteQuarantine(r.Context(), r.PathValue("id"), w)
}
