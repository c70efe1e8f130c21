// Package api offers the operations of designed journeys under /api/v1.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/journey/exchange"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// Maps are the operations.
type Maps struct {
	Service *blueprint.Service
	Conform *conform.Service
}

// Register adds them.
func (m Maps) Register(api huma.API) {
	op := func(id, method, path, summary string, codes ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Tags: []string{"Designed journeys"}, Summary: summary, Errors: codes}
	}
	httpx.Operation(api, op("list-blueprints", http.MethodGet, "/blueprints", "All designed journeys with their state"), blueprint.PermRead, m.list)
	httpx.Operation(api, op("get-blueprint", http.MethodGet, "/blueprints/{journey}", "A designed journey: the version in force, another one, or the draft", 404), blueprint.PermRead, m.get)
	httpx.Operation(api, op("check-blueprint", http.MethodGet, "/blueprints/{journey}/check", "What is missing or contradicts itself in the draft", 404), blueprint.PermRead, m.check)
	httpx.Operation(api, op("get-conformance", http.MethodGet, "/blueprints/{journey}/conformance", "Designed against observed: how the cases fit the version in force", 404, 422), blueprint.PermRead, m.conformance)
	httpx.Operation(api, op("get-drift", http.MethodGet, "/blueprints/{journey}/drift", "How the paths have moved; null where there are too few cases", 404), blueprint.PermRead, m.drift)
	httpx.Operation(api, op("list-blueprint-improvements", http.MethodGet, "/blueprints/{journey}/improvements", "What the newest edition of the template has that the draft has not, change by change", 404), blueprint.PermRead, m.improvements)
	httpx.Operation(api, op("inherit-blueprint-improvements", http.MethodPost, "/blueprints/{journey}/improvements", "Take over some improvements of the template and refuse the others", 404, 409), blueprint.PermEdit, m.inherit)
	httpx.Operation(api, op("export-blueprint", http.MethodGet, "/blueprints/{journey}/export/{format}", "A designed journey as json, ojf, cjml, bpmn, xlsx, svg, png or pdf", 404), blueprint.PermRead, m.export)
	httpx.Operation(api, op("import-blueprint", http.MethodPost, "/blueprints", "Begin a journey from a file: JSON, OJF, CJML, BPMN or XLSX", 409, 413, 422), blueprint.PermEdit, m.load)
	httpx.Operation(api, op("edit-blueprint", http.MethodPost, "/blueprints/{journey}/ops", "Apply operations to the draft; places that others changed meanwhile come back as conflicts", 404, 409, 422), blueprint.PermEdit, m.edit)
}

// BlueprintItem is a line of the list.
type BlueprintItem struct {
	Journey     string    `json:"journey"`
	NameVI      string    `json:"name_vi"`
	NameEN      string    `json:"name_en"`
	Owner       string    `json:"owner"`
	Parent      string    `json:"parent,omitempty"`
	Stages      int       `json:"stages"`
	Steps       int       `json:"steps"`
	LiveVersion int       `json:"live_version" doc:"0: none is in force"`
	Ahead       int64     `json:"ahead" doc:"operations by which the draft is ahead"`
	UpdatedAt   time.Time `json:"updated_at"`
}

type blueprintListOutput struct {
	Body struct {
		Items []BlueprintItem `json:"items"`
	}
}

func (m Maps) list(ctx context.Context, _ *struct{}) (*blueprintListOutput, error) {
	all, err := m.Service.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &blueprintListOutput{}
	out.Body.Items = []BlueprintItem{}
	for _, j := range all {
		d := j.Draft
		out.Body.Items = append(out.Body.Items, BlueprintItem{Journey: d.Journey, NameVI: d.Name.VI, NameEN: d.Name.EN, Owner: d.Owner, Parent: d.Parent, Stages: len(d.Stages), Steps: len(d.Steps()),
			LiveVersion: j.LiveVersion, Ahead: max(0, j.Ahead), UpdatedAt: j.UpdatedAt})
	}
	return out, nil
}

// One names a journey and a version of it.
type One struct {
	Journey string `path:"journey" maxLength:"64" doc:"id of the journey"`
	Version string `query:"version" default:"live" pattern:"^(live|draft|[0-9]{1,9})$" doc:"live, draft or a number"`
}

type blueprintOutput struct {
	Body json.RawMessage `doc:"the document; see the reference of journeys"`
}

func (m Maps) document(ctx context.Context, in One) (*blueprint.Document, error) {
	if in.Version == "draft" {
		j, err := m.Service.Get(ctx, in.Journey)
		return j.Draft, err
	}
	n := 0
	for _, r := range in.Version {
		if r >= '0' && r <= '9' {
			n = 10*n + int(r-'0')
		}
	}
	v, err := m.Service.Version(ctx, in.Journey, n)
	return v.Document, err
}

func (m Maps) get(ctx context.Context, in *One) (*blueprintOutput, error) {
	d, err := m.document(ctx, *in)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(d)
	return &blueprintOutput{raw}, err
}

// JourneyPath names a journey.
type JourneyPath struct {
	Journey string `path:"journey" maxLength:"64" doc:"id of the journey"`
}

type blueprintCheckOutput struct {
	Body struct {
		Publishable bool            `json:"publishable" doc:"no finding holds the map up"`
		Findings    json.RawMessage `json:"findings" doc:"severity, code, place; the worst first"`
	}
}

func (m Maps) check(ctx context.Context, in *JourneyPath) (*blueprintCheckOutput, error) {
	j, err := m.Service.Get(ctx, in.Journey)
	if err != nil {
		return nil, err
	}
	counts, err := m.Conform.Events(ctx)
	if err != nil {
		return nil, err
	}
	out := &blueprintCheckOutput{}
	found := blueprint.Check(j.Draft, func(e string) int64 { return counts[e] })
	out.Body.Publishable = blueprint.Publishable(found)
	out.Body.Findings, err = json.Marshal(found)
	return out, err
}

type conformInput struct {
	JourneyPath
	By    string `query:"by" enum:"channel,product,unit,segment" doc:"only cases with a value of this column, or of members of a segment"`
	Value string `query:"value" maxLength:"200"`
}

type conformanceOutput struct {
	Body json.RawMessage `doc:"cases, fitness with interval, steps, extra events, groups; see the reference of journeys"`
}

func (m Maps) conformance(ctx context.Context, in *conformInput) (*conformanceOutput, error) {
	r, err := m.Conform.Conformance(ctx, in.Journey, conform.Part{Column: in.By, Value: in.Value})
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(r)
	return &conformanceOutput{raw}, err
}

type blueprintDriftOutput struct {
	Body struct {
		Drift json.RawMessage `json:"drift" doc:"null where there are too few cases to tell"`
	}
}

func (m Maps) drift(ctx context.Context, in *JourneyPath) (*blueprintDriftOutput, error) {
	d, err := m.Conform.Drift(ctx, in.Journey)
	if err != nil {
		return nil, err
	}
	out := &blueprintDriftOutput{}
	out.Body.Drift, err = json.Marshal(d)
	return out, err
}

type exportInput struct {
	One
	Format   string `path:"format" enum:"json,ojf,cjml,bpmn,xlsx,svg,png,pdf"`
	Language string `query:"language" enum:"vi,en" default:"vi" doc:"of forms that have only one"`
}

type fileOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (m Maps) export(ctx context.Context, in *exportInput) (*fileOutput, error) {
	d, err := m.document(ctx, in.One)
	if err != nil {
		return nil, err
	}
	raw, kind, err := exchange.Write(d, in.Format, in.Language)
	if err != nil {
		return nil, err
	}
	return &fileOutput{kind, raw}, nil
}

type importInput struct {
	Name    string `query:"name" maxLength:"200" doc:"name of the file, by whose end its form is told"`
	Journey string `query:"journey" maxLength:"64" doc:"id of the journey; empty takes that of the file"`
	RawBody []byte `contentType:"application/octet-stream"`
}

type blueprintImportOutput struct {
	Body BlueprintItem
}

func (m Maps) load(ctx context.Context, in *importInput) (*blueprintImportOutput, error) {
	d, err := exchange.Read(bytes.NewReader(in.RawBody), in.Name, in.Journey)
	if err != nil {
		return nil, err
	}
	j, err := m.Service.Adopt(ctx, d, "vi")
	if err != nil {
		return nil, err
	}
	return &blueprintImportOutput{BlueprintItem{Journey: d.Journey, NameVI: d.Name.VI, NameEN: d.Name.EN, Owner: d.Owner, Parent: d.Parent, Stages: len(d.Stages), Steps: len(d.Steps()), UpdatedAt: j.UpdatedAt}}, nil
}

type blueprintEditInput struct {
	JourneyPath
	Body struct {
		Client string          `json:"client" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"tells the editors of one person apart"`
		Ops    json.RawMessage `json:"ops" doc:"1 to 500 operations: id, kind, target, field, value, stage, after, base"`
	}
}

type blueprintEditOutput struct {
	Body json.RawMessage `doc:"revision, applied operations, conflicts"`
}

func (m Maps) edit(ctx context.Context, in *blueprintEditInput) (*blueprintEditOutput, error) {
	var ops []blueprint.Op
	if err := json.Unmarshal(in.Body.Ops, &ops); err != nil {
		return nil, errs.Invalid("blueprint.error.json", "ops", "the operations are no valid JSON: %v", err).With("detail", err.Error())
	}
	out, err := m.Service.Edit(ctx, in.Journey, in.Body.Client, ops)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(out)
	return &blueprintEditOutput{raw}, err
}

// BlueprintImprovement is one change that the template offers.
type BlueprintImprovement struct {
	Key   string          `json:"key" doc:"names it in a choice"`
	Op    json.RawMessage `json:"op" doc:"kind, target, field, value, as in the operations of the editor"`
	Clash bool            `json:"clash" doc:"the bank changed the same place: its own stays unless this is taken"`
	Ours  json.RawMessage `json:"ours,omitempty" doc:"value of the bank, of clashes"`
}

type blueprintImprovementsOutput struct {
	Body struct {
		Edition int                    `json:"edition" doc:"of the template"`
		Items   []BlueprintImprovement `json:"items"`
	}
}

func (m Maps) improvements(ctx context.Context, in *JourneyPath) (*blueprintImprovementsOutput, error) {
	found, err := m.Service.Improvements(ctx, in.Journey)
	if err != nil {
		return nil, err
	}
	out := &blueprintImprovementsOutput{}
	out.Body.Edition, out.Body.Items = found.Edition, []BlueprintImprovement{}
	add := func(o blueprint.Op, clash bool, ours json.RawMessage) error {
		raw, err := json.Marshal(o)
		out.Body.Items = append(out.Body.Items, BlueprintImprovement{Key: o.Key(), Op: raw, Clash: clash, Ours: ours})
		return err
	}
	for _, o := range found.Taken {
		if err := add(o, false, nil); err != nil {
			return nil, err
		}
	}
	for _, c := range found.Clashes {
		if err := add(c.Op, true, c.Ours); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type blueprintInheritInput struct {
	JourneyPath
	Body struct {
		Client string   `json:"client" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"tells the editors of one person apart"`
		Seen   []string `json:"seen" doc:"keys of all that was offered when you decided"`
		Take   []string `json:"take" doc:"keys to take over; the others are refused"`
	}
}

func (m Maps) inherit(ctx context.Context, in *blueprintInheritInput) (*blueprintEditOutput, error) {
	out, err := m.Service.Inherit(ctx, in.Journey, in.Body.Client, blueprint.Choice{Seen: in.Body.Seen, Take: in.Body.Take})
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(out)
	return &blueprintEditOutput{raw}, err
}
