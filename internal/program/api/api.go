// Package api is the typed door to campaigns under /api/v1/waves.
package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/analytics/rollout"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/program"
	"omote/internal/program/wave"
)

// API are the operations.
type API struct{ *program.Program }

func op(method, id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/" + path, Tags: []string{"program"}, Summary: summary}
}

// Register adds the operations.
func (a API) Register(api huma.API) {
	httpx.Operation(api, op(http.MethodGet, "list-waves", "waves", "Campaigns of the caller's place, newest first"), wave.PermRead, a.list)
	httpx.Operation(api, op(http.MethodPost, "plan-wave", "waves", "Draft a campaign; nothing is drawn before a second person approves"), wave.PermEdit, a.plan)
	httpx.Operation(api, op(http.MethodGet, "get-wave", "waves/{id}", "One campaign with its order and its last reading"), wave.PermRead, a.get)
	httpx.Operation(api, op(http.MethodPost, "propose-wave", "waves/{id}/proposal", "Ask a second person to have the order drawn"), wave.PermEdit, a.propose)
	httpx.Operation(api, op(http.MethodPost, "read-wave", "waves/{id}/reading", "Read what the campaign has done so far; refused when the order is not the drawn one"), wave.PermEdit, a.read)
	httpx.Operation(api, op(http.MethodPost, "check-in-wave", "waves/{id}/checkins", "Take check-ins of branches; sending them twice does what sending them once does"), wave.PermCheckIn, a.checkIn)
	httpx.Operation(api, op(http.MethodGet, "list-wave-observations-due", "waves/{id}/observations/due", "Interactions that are to be watched, drawn at random"), wave.PermCheckIn, a.due)
	httpx.Operation(api, op(http.MethodPost, "observe-wave", "waves/{id}/observations", "Take what observers saw; each seat of a drawn time is filled once"), wave.PermCheckIn, a.observe)
	httpx.Operation(api, op(http.MethodPost, "drop-out-of-wave", "waves/{id}/drop-outs", "Take note that a branch cannot go on; it stays in its cohort when the effect is read"), wave.PermEdit, a.dropOut)
	httpx.Operation(api, op(http.MethodPost, "enter-wave-value", "waves/{id}/value", "Enter the final effect in the value ledger"), wave.PermEdit, a.value)
}

// WaveText is a text in both languages.
type WaveText struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// WaveDesign says how branches are dealt.
type WaveDesign struct {
	Cohorts    int     `json:"cohorts" minimum:"1" maximum:"12"`
	EveryWeeks int     `json:"every_weeks" minimum:"1" maximum:"26" doc:"weeks between the beginnings of cohorts"`
	HoldOut    float64 `json:"hold_out" minimum:"0" maximum:"0.5" doc:"share of branches that wait until the follow-up is over"`
	Match      bool    `json:"match,omitempty" doc:"deal branches of like baseline evenly"`
	Seed       string  `json:"seed,omitempty" readOnly:"true" doc:"of the draw, in hexadecimal"`
}

// WavePlace is a branch of a campaign.
type WavePlace struct {
	Unit   string     `json:"unit"`
	Code   string     `json:"code"`
	Name   string     `json:"name"`
	Cohort int        `json:"cohort" doc:"from 1; 0 waits until the end"`
	Begins time.Time  `json:"begins"`
	Out    *time.Time `json:"out,omitempty" doc:"since when it takes no part"`
	Why    string     `json:"why,omitempty"`
}

// WaveEffect is an effect with its interval, in the unit of its measure.
type WaveEffect struct {
	Value    float64 `json:"value"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Level    float64 `json:"level"`
	P        float64 `json:"p" doc:"how often chance alone gives as much"`
	N        float64 `json:"n" doc:"answers of branches that had begun"`
	Waiting  float64 `json:"waiting" doc:"answers of branches that had not"`
	Weeks    int     `json:"weeks"`
	Baseline float64 `json:"baseline" doc:"level of waiting branches"`
}

// WaveReading is what a campaign had done by a day.
type WaveReading struct {
	Day          time.Time   `json:"day"`
	Final        bool        `json:"final"`
	Metric       string      `json:"metric"`
	Version      int         `json:"version"`
	Unit         string      `json:"unit"`
	LowerBetter  bool        `json:"lower_better"`
	Latest       time.Time   `json:"latest"`
	Effect       *WaveEffect `json:"effect,omitempty"`
	Behaviour    *WaveEffect `json:"behaviour,omitempty" doc:"effect on what observers saw, a share"`
	Retained     *float64    `json:"retained,omitempty" doc:"share of the gain in behaviour that remained"`
	RetainedLow  *float64    `json:"retained_low,omitempty"`
	RetainedHigh *float64    `json:"retained_high,omitempty"`
	Agreement    *float64    `json:"agreement,omitempty" doc:"Gwet's AC1 of blind second observers"`
	Observations int         `json:"observations"`
	CheckedIn    int         `json:"checked_in"`
	Asked        int         `json:"asked"`
}

// WaveSummary is a campaign in a list.
type WaveSummary struct {
	ID         string     `json:"id"`
	Title      WaveText   `json:"title"`
	State      string     `json:"state" enum:"draft,waiting,drawn,stopped"`
	Phase      string     `json:"phase,omitempty" enum:"ahead,running,following,finished"`
	Unit       string     `json:"unit"`
	Behaviours []string   `json:"behaviours"`
	Metric     string     `json:"metric"`
	Start      time.Time  `json:"start"`
	Look       time.Time  `json:"look" doc:"day of the final reading"`
	Design     WaveDesign `json:"design"`
	Days       int        `json:"days"`
	Follow     int        `json:"follow"`
}

// WaveDetail is a campaign with its branches and its last reading.
type WaveDetail struct {
	WaveSummary
	Why        string       `json:"why,omitempty"`
	Initiative string       `json:"initiative,omitempty"`
	Line       string       `json:"line,omitempty" doc:"line of the value ledger"`
	Places     []WavePlace  `json:"places"`
	Reading    *WaveReading `json:"reading,omitempty"`
}

type body[T any] struct{ Body T }

type byID struct {
	ID string `path:"id"`
}

func (a API) summary(d wave.Doc) WaveSummary {
	s := WaveSummary{ID: d.ID, Title: WaveText(d.Title), State: string(d.State), Unit: d.Unit, Behaviours: d.Behaviours, Metric: d.Metric, Start: d.Start, Look: d.Look(), Days: d.Days, Follow: d.Follow,
		Design: WaveDesign{Cohorts: d.Design.Cohorts, EveryWeeks: d.Design.Every, HoldOut: d.Design.HoldOut, Match: d.Design.Match}}
	if d.State == wave.Drawn {
		s.Phase, s.Design.Seed = string(d.Phase(a.Waves.Store.Clock().Now())), seed(d.Design.Seed)
	}
	return s
}

func seed(x uint64) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 16)
	for i := range out {
		out[15-i] = digits[x>>(4*i)&15]
	}
	return string(out)
}

func (a API) list(ctx context.Context, _ *struct{}) (*body[struct {
	Items []WaveSummary `json:"items"`
}], error) {
	all, err := a.Waves.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &body[struct {
		Items []WaveSummary `json:"items"`
	}]{}
	out.Body.Items = []WaveSummary{}
	for _, d := range all {
		out.Body.Items = append(out.Body.Items, a.summary(d))
	}
	return out, nil
}

func (a API) get(ctx context.Context, in *byID) (*body[WaveDetail], error) {
	d, err := a.Waves.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	all, err := a.Waves.Readings(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[WaveDetail]{a.detail(d, all)}, nil
}

func (a API) detail(d wave.Doc, all []wave.Reading) WaveDetail {
	v := WaveDetail{WaveSummary: a.summary(d), Why: d.Why, Initiative: d.Initiative, Line: d.Line, Places: []WavePlace{}}
	for _, p := range d.Places {
		one := WavePlace{Unit: p.Unit, Code: p.Code, Name: p.Name, Cohort: p.Cohort + 1, Begins: d.Begins(p.Cohort), Why: p.Why}
		if !p.Out.IsZero() {
			one.Out = &p.Out
		}
		v.Places = append(v.Places, one)
	}
	if len(all) > 0 {
		r := viewReading(all[len(all)-1])
		for _, x := range all {
			r.Final = r.Final || x.Final
		}
		v.Reading = &r
	}
	return v
}

func viewEffect(e *rollout.Effect) *WaveEffect {
	if e == nil {
		return nil
	}
	return &WaveEffect{e.Value, e.Low, e.High, e.Level, e.P, e.N, e.Waiting, e.Weeks, e.Baseline}
}

func viewReading(r wave.Reading) WaveReading {
	v := WaveReading{Day: r.Day, Final: r.Final, Metric: r.Metric, Version: r.Version, Unit: r.Unit, LowerBetter: r.Lower, Latest: r.Latest, Effect: viewEffect(r.Effect),
		Behaviour: viewEffect(r.Behaviour), Observations: r.Observations, CheckedIn: r.CheckedIn, Asked: r.Asked}
	if r.Retained != nil && r.Retained.Known {
		s := r.Retained.Share
		v.Retained, v.RetainedLow, v.RetainedHigh = &s.Value, &s.Low, &s.High
	}
	if !math.IsNaN(r.Agreement.Value) && r.Agreement.N > 0 {
		v.Agreement = &r.Agreement.Value
	}
	return v
}

func (a API) plan(ctx context.Context, in *struct {
	Body struct {
		Unit       string     `json:"unit,omitempty" doc:"path of the unit whose branches take part; default the whole bank"`
		Branches   []string   `json:"branches,omitempty" doc:"codes of the branches; default all below the unit"`
		Title      WaveText   `json:"title"`
		Why        string     `json:"why,omitempty"`
		Behaviours []string   `json:"behaviours" minItems:"1" maxItems:"2"`
		Metric     string     `json:"metric"`
		Initiative string     `json:"initiative,omitempty"`
		Start      time.Time  `json:"start" doc:"a Monday, midnight of the bank's zone"`
		Design     WaveDesign `json:"design"`
		Days       int        `json:"days,omitempty" default:"60"`
		Follow     int        `json:"follow,omitempty" default:"120"`
		PerWeek    int        `json:"per_week,omitempty" default:"2" doc:"observations of a branch in a week"`
		Cost       int64      `json:"cost,omitempty" doc:"minor units"`
		Currency   string     `json:"currency,omitempty" default:"VND"`
	}
}) (*body[WaveDetail], error) {
	b := in.Body
	if b.Unit == "" {
		b.Unit = "/"
	}
	d, err := a.Waves.Plan(ctx, b.Unit, b.Branches, wave.Wave{Title: approval.Text(b.Title), Why: b.Why, Behaviours: b.Behaviours, Metric: b.Metric, Initiative: b.Initiative,
		Start: b.Start, Design: rollout.Design{Cohorts: b.Design.Cohorts, Every: b.Design.EveryWeeks, HoldOut: b.Design.HoldOut, Match: b.Design.Match}, Days: b.Days, Follow: b.Follow,
		PerWeek: b.PerWeek, Cost: b.Cost, Currency: b.Currency})
	if err != nil {
		return nil, err
	}
	return &body[WaveDetail]{a.detail(d, nil)}, nil
}

// WaveProposal is a proposal that waits for a second person.
type WaveProposal struct {
	ID      string    `json:"id"`
	Expires time.Time `json:"expires"`
}

func (a API) propose(ctx context.Context, in *byID) (*body[WaveProposal], error) {
	q, err := a.Waves.Propose(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[WaveProposal]{WaveProposal{q.ID, q.Expires}}, nil
}

func (a API) read(ctx context.Context, in *byID) (*body[WaveReading], error) {
	r, err := a.Waves.Read(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[WaveReading]{viewReading(r)}, nil
}

// WaveCheckIn is what a branch says of a behaviour on a day.
type WaveCheckIn struct {
	Unit      string `json:"unit"`
	Day       string `json:"day" format:"date"`
	Behaviour string `json:"behaviour"`
	Kept      bool   `json:"kept"`
	Reason    string `json:"reason,omitempty" enum:",no_occasion,too_busy,short_staffed,forgot"`
}

// WaveChanged counts what was new.
type WaveChanged struct {
	Changed int `json:"changed"`
}

func (a API) checkIn(ctx context.Context, in *struct {
	byID
	Body struct {
		CheckIns []WaveCheckIn `json:"check_ins" minItems:"1" maxItems:"20000"`
	}
}) (*body[WaveChanged], error) {
	all := make([]wave.CheckIn, len(in.Body.CheckIns))
	for i, c := range in.Body.CheckIns {
		day, err := time.Parse(time.DateOnly, c.Day)
		if err != nil {
			return nil, errs.Invalid("program.checkin.error.day", "day", "%q is no day", c.Day).With("days", wave.LateDays)
		}
		all[i] = wave.CheckIn{Unit: c.Unit, Day: day, Behaviour: c.Behaviour, Kept: c.Kept, Reason: c.Reason}
	}
	n, err := a.Waves.CheckIn(ctx, in.ID, all...)
	if err != nil {
		return nil, err
	}
	return &body[WaveChanged]{WaveChanged{n}}, nil
}

// WaveSlot is an interaction that is to be watched.
type WaveSlot struct {
	Unit      string `json:"unit"`
	Slot      string `json:"slot"`
	Behaviour string `json:"behaviour"`
	Day       string `json:"day" format:"date"`
	Time      string `json:"time" doc:"local time, such as 14:30"`
	Seats     []int  `json:"seats" doc:"1, and 2 for a blind second observer, as far as they are free"`
}

func (a API) due(ctx context.Context, in *struct {
	byID
	Limit int `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}) (*body[struct {
	Items []WaveSlot `json:"items"`
}], error) {
	all, err := a.Waves.Due(ctx, in.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &body[struct {
		Items []WaveSlot `json:"items"`
	}]{}
	out.Body.Items = []WaveSlot{}
	for _, d := range all {
		at := time.Date(2000, 1, 1, d.Hour, 0, 0, 0, time.UTC)
		if d.Half {
			at = at.Add(30 * time.Minute)
		}
		out.Body.Items = append(out.Body.Items, WaveSlot{Unit: d.Unit, Slot: d.ID, Behaviour: d.Behaviour, Day: d.Day.Format(time.DateOnly), Time: at.Format("15:04"), Seats: d.Seats})
	}
	return out, nil
}

// WaveObservation is what an observer saw.
type WaveObservation struct {
	Unit    string `json:"unit"`
	Slot    string `json:"slot"`
	Seat    int    `json:"seat" minimum:"1" maximum:"2"`
	Answers string `json:"answers" pattern:"^[yn-]+$" doc:"one letter for each item: y yes, n no, - not seen"`
}

func (a API) observe(ctx context.Context, in *struct {
	byID
	Body struct {
		Observations []WaveObservation `json:"observations" minItems:"1" maxItems:"20000"`
	}
}) (*body[WaveChanged], error) {
	all := make([]wave.Observation, len(in.Body.Observations))
	for i, o := range in.Body.Observations {
		all[i] = wave.Observation{Unit: o.Unit, Slot: o.Slot, Seat: o.Seat, Answers: o.Answers}
	}
	n, err := a.Waves.Observe(ctx, in.ID, all...)
	if err != nil {
		return nil, err
	}
	return &body[WaveChanged]{WaveChanged{n}}, nil
}

func (a API) dropOut(ctx context.Context, in *struct {
	byID
	Body struct {
		Unit   string `json:"unit"`
		Reason string `json:"reason"`
	}
}) (*struct{}, error) {
	return nil, a.Waves.DropOut(ctx, in.ID, in.Body.Unit, in.Body.Reason)
}

// WaveRange is a guess with its ends.
type WaveRange struct {
	Low  float64 `json:"low"`
	Mid  float64 `json:"mid"`
	High float64 `json:"high"`
}

// WaveLine is a line of the value ledger.
type WaveLine struct {
	Line string `json:"line"`
}

func (a API) value(ctx context.Context, in *struct {
	byID
	Body struct {
		Kept   WaveRange `json:"kept" doc:"customers kept per answer that is one unit better, nine times in ten between low and high"`
		Margin WaveRange `json:"margin" doc:"of a customer in a year, minor units"`
		Reach  WaveRange `json:"reach,omitempty" doc:"how many in a year feel the effect; without it those that the measure counts"`
		Months int       `json:"months" minimum:"1" maximum:"60"`
		Rate   float64   `json:"rate" minimum:"0" maximum:"1" doc:"discount of a year"`
		Fade   float64   `json:"fade" minimum:"0" maximum:"1" doc:"share of the effect lost in a year"`
		Method string    `json:"method" doc:"where the figures come from"`
	}
}) (*body[WaveLine], error) {
	b := in.Body
	line, err := a.Waves.EnterValue(ctx, in.ID, wave.Money{Kept: wave.Range(b.Kept), Margin: wave.Range(b.Margin), Reach: wave.Range(b.Reach), Months: b.Months, Rate: b.Rate, Fade: b.Fade, Method: b.Method})
	if err != nil {
		return nil, err
	}
	return &body[WaveLine]{WaveLine{line}}, nil
}
