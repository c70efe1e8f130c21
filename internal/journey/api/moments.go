// Package api offers the journey module's operations under /api/v1.
package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/journey/moment"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// Moments are the operations of moments of truth and pains.
type Moments struct{ Service *moment.Service }

// Register adds them.
func (m Moments) Register(api huma.API) {
	op := func(id, method, path, summary string, codes ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Tags: []string{"Journeys"}, Summary: summary, Errors: codes}
	}
	httpx.Operation(api, op("list-moments", http.MethodGet, "/moments", "What the newest test says of each step, with effects and intervals"), moment.PermRead, m.list)
	httpx.Operation(api, op("test-moments", http.MethodPost, "/moments/test", "Test all moments of truth and pains now", 409), moment.PermEdit, m.test)
	httpx.Operation(api, op("get-moment", http.MethodGet, "/moments/{journey}/{step}", "One step with what every test said of it", 404), moment.PermRead, m.get)
	httpx.Operation(api, op("list-pains", http.MethodGet, "/pains", "Pains, dearest first, with intervals"), moment.PermRead, m.pains)
	httpx.Operation(api, op("choose-journeys", http.MethodGet, "/journeys/choose", "Rank journeys over ranges of weights"), moment.PermRead, m.choose)
	httpx.Operation(api, op("get-feeling", http.MethodGet, "/journeys/{journey}/feeling", "How each step of a journey feels"), moment.PermRead, m.feeling)
}

// TestRun is the test behind the findings.
type TestRun struct {
	Ready bool `json:"ready" doc:"false until a test was made"`
	moment.Run
}

type journeyInput struct {
	Journey string `query:"journey" maxLength:"200" doc:"only this journey"`
}

type momentsOutput struct {
	Body struct {
		Test  TestRun          `json:"test"`
		Items []moment.Finding `json:"items" doc:"one for each step and outcome, best proven step first"`
	}
}

func (m Moments) list(ctx context.Context, in *journeyInput) (*momentsOutput, error) {
	all, err := m.Service.Overview(ctx, in.Journey)
	if err != nil {
		return nil, err
	}
	out := &momentsOutput{}
	out.Body.Test, out.Body.Items = TestRun{all.Ready, all.Run}, []moment.Finding{}
	for _, s := range all.Steps {
		out.Body.Items = append(out.Body.Items, s.Findings...)
	}
	return out, nil
}

type testOutput struct {
	Body struct {
		Job string `json:"job" doc:"id of the job"`
	}
}

func (m Moments) test(ctx context.Context, _ *struct{}) (*testOutput, error) {
	id, err := m.Service.Start(ctx)
	if err != nil {
		return nil, err
	}
	out := &testOutput{}
	out.Body.Job = id
	return out, nil
}

type momentOutput struct {
	Body struct {
		Journey string           `json:"journey"`
		Step    string           `json:"step"`
		Verdict string           `json:"verdict" enum:"proven,probable,unproven,insufficient"`
		Was     string           `json:"was,omitempty" doc:"best verdict of earlier tests"`
		Since   time.Time        `json:"since" doc:"since when the present verdict holds"`
		Items   []moment.Finding `json:"items" doc:"of the newest test"`
		History []moment.Finding `json:"history" doc:"of all tests, oldest first"`
	}
}

func (m Moments) get(ctx context.Context, in *struct {
	Journey string `path:"journey" maxLength:"200"`
	Step    string `path:"step" maxLength:"200"`
}) (*momentOutput, error) {
	d, err := m.Service.Step(ctx, in.Journey, in.Step)
	if err != nil {
		return nil, err
	}
	out := &momentOutput{}
	b := &out.Body
	b.Journey, b.Step, b.Verdict, b.Was, b.Since, b.Items, b.History = d.Journey, d.Event, d.Verdict, d.Best.Was, d.Best.Since, d.Findings, d.History
	return out, nil
}

type painsOutput struct {
	Body struct {
		Test  TestRun       `json:"test"`
		Items []moment.Pain `json:"items"`
	}
}

func (m Moments) pains(ctx context.Context, in *journeyInput) (*painsOutput, error) {
	list, run, ready, err := m.Service.Pains(ctx, in.Journey)
	if err != nil {
		return nil, err
	}
	out := &painsOutput{}
	out.Body.Test, out.Body.Items = TestRun{ready, run}, append([]moment.Pain{}, list...)
	return out, nil
}

type feelingOutput struct {
	Body struct {
		Test  TestRun               `json:"test"`
		Items []moment.FeelingPoint `json:"items" doc:"in the order of the design; a step nobody was asked about has no score"`
	}
}

func (m Moments) feeling(ctx context.Context, in *struct {
	Journey string `path:"journey" maxLength:"200"`
}) (*feelingOutput, error) {
	points, run, err := m.Service.Curve(ctx, in.Journey)
	if err != nil {
		return nil, err
	}
	out := &feelingOutput{}
	out.Body.Test, out.Body.Items = TestRun{!run.Tested.IsZero(), run}, append([]moment.FeelingPoint{}, points...)
	return out, nil
}

type chooseInput struct {
	Value       string `query:"value" pattern:"^[0-9.]+-[0-9.]+$" doc:"range of the weight, such as 1-3"`
	Feeling     string `query:"feeling" pattern:"^[0-9.]+-[0-9.]+$" doc:"range of the weight"`
	Readiness   string `query:"readiness" pattern:"^[0-9.]+-[0-9.]+$" doc:"range of the weight"`
	Feasibility string `query:"feasibility" pattern:"^[0-9.]+-[0-9.]+$" doc:"range of the weight"`
	N           int    `query:"n" minimum:"1" maximum:"12" default:"3" doc:"how many to begin with"`
}

func (m Moments) choose(ctx context.Context, in *chooseInput) (*struct{ Body moment.Chosen }, error) {
	c := moment.UsualChoice()
	c.Chosen = in.N
	for k, text := range map[moment.Criterion]string{moment.ByValue: in.Value, moment.ByFeeling: in.Feeling, moment.ByReadiness: in.Readiness, moment.ByFeasibility: in.Feasibility} {
		if low, high, ok := strings.Cut(text, "-"); ok {
			a, errA := strconv.ParseFloat(low, 64)
			b, errB := strconv.ParseFloat(high, 64)
			if errA != nil || errB != nil {
				return nil, errs.Invalid("moment.error.weight", string(k), "%q is no range of a weight", text)
			}
			c.Weights[k] = moment.WeightRange{Low: a, High: b}
		}
	}
	found, err := m.Service.Choose(ctx, c)
	if err != nil {
		return nil, err
	}
	if found.Journeys == nil {
		found.Journeys = []moment.Ranked{}
	}
	return &struct{ Body moment.Chosen }{*found}, nil
}
