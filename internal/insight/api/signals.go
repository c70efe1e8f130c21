package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/insight/signal"
	"omote/internal/platform/httpx"
)

// Signals are the operations of signals and of their rule.
type Signals struct {
	Service *signal.Service
	// Start asks for a run.
	Start func(ctx context.Context) error
}

// Register adds them.
func (a Signals) Register(api huma.API) {
	op := func(id, method, path, summary string, codes ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/signals" + path, Tags: []string{"Signals"}, Summary: summary, Errors: codes}
	}
	httpx.Operation(api, op("list-signals", http.MethodGet, "", "Changes beyond noise, dearest first"), signal.PermRead, a.list)
	httpx.Operation(api, op("get-signal-run", http.MethodGet, "/run", "The last run"), signal.PermRead, a.lastRun)
	httpx.Operation(api, op("run-signals", http.MethodPost, "/run", "Look for signals now; a worker does it"), signal.PermEdit, a.run)
	httpx.Operation(api, op("list-signal-rules", http.MethodGet, "/rule", "All versions of the rule, newest first, with their false alarms"), signal.PermRead, a.rules)
	httpx.Operation(api, op("test-signal-rule", http.MethodPost, "/rule/test", "What a rule would have raised"), signal.PermEdit, a.test)
	httpx.Operation(api, op("propose-signal-rule", http.MethodPost, "/rule", "Propose a rule with its back-test; another person puts it into force", 409), signal.PermEdit, a.propose)
	httpx.Operation(api, op("get-signal", http.MethodGet, "/{id}", "One signal with its causes and trail", 404), signal.PermRead, a.get)
	httpx.Operation(api, op("acknowledge-signal", http.MethodPost, "/{id}/acknowledge", "Take a signal up", 404, 409), signal.PermEdit, a.acknowledge)
	httpx.Operation(api, op("explain-signal", http.MethodPost, "/{id}/noise", "Explain a signal as noise: a false alarm", 404, 409), signal.PermEdit, a.explain)
}

// Signal is a change beyond noise.
type Signal struct {
	ID      string    `json:"id"`
	Unit    string    `json:"unit" doc:"path of the unit it belongs to"`
	State   string    `json:"state" enum:"open,acknowledged,noise,work,closed"`
	Opened  time.Time `json:"opened"`
	Changed time.Time `json:"changed"`
	signal.Body
}

func signalOf(s *signal.Signal) Signal {
	return Signal{ID: s.ID, Unit: s.Unit, State: string(s.State), Opened: s.Opened, Changed: s.Changed, Body: s.Body}
}

type signalsInput struct {
	State string `query:"state" enum:"open,acknowledged,noise,work,closed" doc:"only this state; all when it is left out"`
}

type signalsOutput struct {
	Body struct {
		Items []Signal `json:"items"`
	}
}

func (a Signals) list(ctx context.Context, in *signalsInput) (*signalsOutput, error) {
	var states []signal.State
	if in.State != "" {
		states = append(states, signal.State(in.State))
	}
	all, err := a.Service.List(ctx, states...)
	if err != nil {
		return nil, err
	}
	out := &signalsOutput{}
	out.Body.Items = make([]Signal, 0, len(all))
	for _, s := range all {
		one := signalOf(s)
		one.Points = nil
		out.Body.Items = append(out.Body.Items, one)
	}
	return out, nil
}

// SignalPath names a signal in an address.
type SignalPath struct {
	ID string `path:"id" maxLength:"64"`
}

type signalOutput struct {
	Body struct {
		Signal
		Trail []signal.Event `json:"trail" doc:"who did what, oldest first"`
	}
}

func (a Signals) get(ctx context.Context, in *SignalPath) (*signalOutput, error) {
	s, trail, err := a.Service.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &signalOutput{}
	out.Body.Signal, out.Body.Trail = signalOf(s), trail
	return out, nil
}

type oneSignal struct{ Body Signal }

type noteInput struct {
	SignalPath
	Body struct {
		Note string `json:"note,omitempty" maxLength:"4000"`
	}
}

func (a Signals) acknowledge(ctx context.Context, in *noteInput) (*oneSignal, error) {
	s, err := a.Service.Acknowledge(ctx, in.ID, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return &oneSignal{signalOf(s)}, nil
}

type reasonInput struct {
	SignalPath
	Body struct {
		Reason string `json:"reason" maxLength:"4000"`
	}
}

func (a Signals) explain(ctx context.Context, in *reasonInput) (*oneSignal, error) {
	s, err := a.Service.Explain(ctx, in.ID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &oneSignal{signalOf(s)}, nil
}

type runOutput struct {
	Body struct {
		Ready bool `json:"ready" doc:"false until a run has ended"`
		signal.Run
	}
}

func (a Signals) lastRun(ctx context.Context, _ *struct{}) (*runOutput, error) {
	out := &runOutput{}
	var err error
	out.Body.Run, out.Body.Ready, err = a.Service.LastRun(ctx)
	return out, err
}

type startedOutput struct {
	Body struct {
		Started bool `json:"started"`
	}
}

func (a Signals) run(ctx context.Context, _ *struct{}) (*startedOutput, error) {
	out := &startedOutput{}
	out.Body.Started = true
	return out, a.Start(ctx)
}

// SignalRule is a version of the rule.
type SignalRule struct {
	Version     int           `json:"version"`
	Status      string        `json:"status" enum:"proposed,live,retired,refused"`
	Rule        signal.Rule   `json:"rule"`
	Tested      signal.Tested `json:"tested"`
	Reason      string        `json:"reason"`
	Opened      int           `json:"opened" doc:"signals it opened"`
	FalseAlarms int           `json:"false_alarms" doc:"of them, explained as noise"`
	CreatedAt   time.Time     `json:"created_at"`
	CreatedBy   string        `json:"created_by"`
}

type rulesOutput struct {
	Body struct {
		Items []SignalRule `json:"items"`
	}
}

func (a Signals) rules(ctx context.Context, _ *struct{}) (*rulesOutput, error) {
	all, err := a.Service.Rules(ctx)
	if err != nil {
		return nil, err
	}
	out := &rulesOutput{}
	out.Body.Items = []SignalRule{}
	for _, v := range all {
		out.Body.Items = append(out.Body.Items, SignalRule{Version: v.Version, Status: string(v.Status), Rule: v.Body, Tested: v.Tested, Reason: v.Reason, Opened: v.Opened, FalseAlarms: v.FalseAlarms,
			CreatedAt: v.CreatedAt, CreatedBy: v.CreatedBy})
	}
	return out, nil
}

type testInput struct{ Body signal.Rule }

type testOutput struct{ Body signal.Tested }

func (a Signals) test(ctx context.Context, in *testInput) (*testOutput, error) {
	t, err := a.Service.BackTest(ctx, in.Body)
	return &testOutput{t}, err
}

type ruleInput struct {
	Body struct {
		Rule   signal.Rule `json:"rule"`
		Reason string      `json:"reason" maxLength:"4000"`
	}
}

type proposalOutput struct {
	Body struct {
		Approval string `json:"approval" doc:"id of the proposal that waits for a second person"`
	}
}

func (a Signals) propose(ctx context.Context, in *ruleInput) (*proposalOutput, error) {
	q, err := a.Service.Propose(ctx, in.Body.Rule, in.Body.Reason)
	out := &proposalOutput{}
	out.Body.Approval = q.ID
	return out, err
}
