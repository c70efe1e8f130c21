package api

import (
	"context"
	"math"
	"slices"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/observed"
	"omote/internal/platform/errs"
)

// JourneyFunnelInput is a funnel over the cases of a journey.
type JourneyFunnelInput struct {
	JourneyCases
	Step   []string `query:"step,explode" maxItems:"50" doc:"events in their order; several of one step are joined by |; without any, the designed steps or the usual way"`
	Mode   string   `query:"mode" enum:"order,direct,any" default:"order" doc:"one after the other, directly after each other, or in any order"`
	Within float64  `query:"within" minimum:"0" maximum:"43920" doc:"hours from the first to the last step"`
	Gap    float64  `query:"gap" minimum:"0" maximum:"43920" doc:"hours from one step to the next"`
}

func (in *JourneyFunnelInput) spec(s *observed.Slice) observed.FunnelSpec {
	f := observed.FunnelSpec{Steps: in.Step, Within: time.Duration(in.Within * float64(time.Hour)), Gap: time.Duration(in.Gap * float64(time.Hour))}
	if len(f.Steps) == 0 {
		f.Steps = s.Steps(nil)
	}
	switch in.Mode {
	case "direct":
		f.Mode = mining.Direct
	case "any":
		f.Mode, f.Gap = mining.AnyOrder, 0
	}
	return f
}

// JourneyFunnelStep is what became of the cases at one step.
type JourneyFunnelStep struct {
	Step  string        `json:"step"`
	Cases int           `json:"cases" doc:"that got through it"`
	Share JourneyShare  `json:"share" doc:"of all cases"`
	Lost  int           `json:"lost" doc:"that did not get through the next step and are over"`
	Open  int           `json:"open" doc:"that may still get through the next step"`
	Wait  JourneyWait   `json:"wait" doc:"since the step before"`
	Next  []JourneyWent `json:"next" doc:"where those who did not go on went instead, most first"`
}

// JourneyWent is an event that came instead; none is "".
type JourneyWent struct {
	Event string `json:"event"`
	Cases int    `json:"cases"`
}

type journeyFunnelOutput struct {
	Body struct {
		Part  JourneyPart         `json:"part"`
		Items []JourneyFunnelStep `json:"items"`
	}
}

func (o Observed) funnel(ctx context.Context, in *JourneyFunnelInput) (*journeyFunnelOutput, error) {
	s, err := o.slice(ctx, in.JourneyCases)
	if err != nil {
		return nil, err
	}
	out := &journeyFunnelOutput{}
	out.Body.Part, out.Body.Items = partOf(s), []JourneyFunnelStep{}
	if s.Log.Cases() == 0 {
		return out, nil
	}
	spec := in.spec(s)
	result, err := s.Funnel(spec)
	if err != nil {
		return nil, err
	}
	for i, x := range result.Steps {
		step := JourneyFunnelStep{Step: spec.Steps[i], Cases: x.Cases, Share: shareOf(x.Cases, s.Log.Cases()), Lost: x.Lost, Open: x.Open, Wait: waitOf(x.Wait), Next: []JourneyWent{}}
		for _, n := range x.Next[:min(len(x.Next), 10)] {
			w := JourneyWent{Cases: n.N}
			if n.ID != mining.None {
				w.Event = s.Log.Activities().Name(n.ID)
			}
			step.Next = append(step.Next, w)
		}
		out.Body.Items = append(out.Body.Items, step)
	}
	return out, nil
}

// JourneyCaseItem is one case.
type JourneyCaseItem struct {
	Case    string    `json:"case"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Event   string    `json:"last_event"`
	Events  int       `json:"events"`
	Lasted  float64   `json:"seconds"`
	Outcome string    `json:"outcome" enum:"succeeded,failed,abandoned,open"`
}

type journeyCasesOutput struct {
	Body struct {
		Part  JourneyPart       `json:"part"`
		Total int               `json:"total"`
		Items []JourneyCaseItem `json:"items"`
	}
}

func (o Observed) cases(ctx context.Context, in *struct {
	JourneyFunnelInput
	Stopped int `query:"stopped" minimum:"0" maximum:"50" doc:"only cases that got through so many steps of the funnel and no further"`
	Limit   int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Offset  int `query:"offset" minimum:"0"`
}) (*journeyCasesOutput, error) {
	s, err := o.slice(ctx, in.JourneyCases)
	if err != nil {
		return nil, err
	}
	if err := observed.MayList(ctx, s.Query); err != nil {
		return nil, err
	}
	out := &journeyCasesOutput{}
	out.Body.Part, out.Body.Items = partOf(s), []JourneyCaseItem{}
	if s.Log.Cases() == 0 {
		return out, nil
	}
	chosen, err := s.Stopped(in.spec(s), in.Stopped)
	if err != nil {
		return nil, err
	}
	out.Body.Total = len(chosen)
	of := s.Standing()
	from := min(in.Offset, len(chosen))
	for _, c := range chosen[from:min(from+in.Limit, len(chosen))] {
		path, times := s.Log.Path(c), s.Log.Times(c)
		first, last := slices.Min(times), slices.Max(times)
		out.Body.Items = append(out.Body.Items, JourneyCaseItem{Case: s.Log.CaseID(c), First: time.UnixMicro(first).UTC(), Last: time.UnixMicro(last).UTC(), Event: s.Log.Activities().Name(path[len(path)-1]),
			Events: len(path), Lasted: float64(last-first) / 1e6, Outcome: of[c].String()})
	}
	return out, nil
}

// JourneyHandoff is the passing of cases from one unit or channel to another.
type JourneyHandoff struct {
	From     string       `json:"from"`
	To       string       `json:"to"`
	Count    int          `json:"count"`
	Cases    int          `json:"cases"`
	Wait     JourneyWait  `json:"wait"`
	Lost     JourneyShare `json:"lost" doc:"share of the hand-offs after which the case ended without success"`
	Returned JourneyShare `json:"returned" doc:"share after which the case came straight back"`
}

type journeyHandoffsOutput struct {
	Body struct {
		Part  JourneyPart      `json:"part"`
		Items []JourneyHandoff `json:"items" doc:"most frequent first"`
	}
}

func (o Observed) handoffs(ctx context.Context, in *struct {
	JourneyCases
	Between string `query:"between" enum:"unit,channel" default:"unit"`
}) (*journeyHandoffsOutput, error) {
	s, err := o.slice(ctx, in.JourneyCases)
	if err != nil {
		return nil, err
	}
	out := &journeyHandoffsOutput{}
	out.Body.Part, out.Body.Items = partOf(s), []JourneyHandoff{}
	dict, ok := s.Log.Column(in.Between)
	if !ok || s.Log.Cases() == 0 {
		return out, nil
	}
	for _, h := range mining.HandOffs(s.Log, in.Between, s.Ending().Success...) {
		out.Body.Items = append(out.Body.Items, JourneyHandoff{From: dict.Name(h.From), To: dict.Name(h.To), Count: h.Count, Cases: h.Cases, Wait: waitOf(h.Wait), Lost: shareOf(h.Lost, h.Count), Returned: shareOf(h.Returned, h.Count)})
	}
	return out, nil
}

// JourneyMoveDifference is how a move differs between two sides.
type JourneyMoveDifference struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	CasesA  int      `json:"cases_a"`
	CasesB  int      `json:"cases_b"`
	Share   float64  `json:"share_difference" doc:"share of the cases with the move, A minus B"`
	Low     float64  `json:"low"`
	High    float64  `json:"high"`
	ShareQ  *float64 `json:"share_q,omitempty" doc:"after control of the false discovery rate over all moves; null where it cannot be tested"`
	MedianA *float64 `json:"median_a_s,omitempty"`
	MedianB *float64 `json:"median_b_s,omitempty"`
	WaitQ   *float64 `json:"wait_q,omitempty"`
}

type journeyCompareOutput struct {
	Body struct {
		Part    JourneyPart             `json:"part"`
		CasesA  int                     `json:"cases_a"`
		CasesB  int                     `json:"cases_b"`
		MedianA *float64                `json:"median_a_s,omitempty" doc:"of the cases' durations"`
		MedianB *float64                `json:"median_b_s,omitempty"`
		P       *float64                `json:"duration_p,omitempty"`
		Items   []JourneyMoveDifference `json:"items" doc:"most significant first"`
	}
}

// leastCompared is the number of cases that must have a move to be compared.
const leastCompared = 20

func (o Observed) compare(ctx context.Context, in *struct {
	JourneyCases
	Side string `query:"side" enum:"period,channel,unit,product,with,outcome,segment" default:"period" doc:"what divides the cases"`
	A    string `query:"a" maxLength:"200" doc:"value of side A: a value of the column, an event, an outcome, a segment, or the first day of side B"`
	B    string `query:"b" maxLength:"200" doc:"value of side B, for columns and outcomes"`
}) (*journeyCompareOutput, error) {
	s, err := o.slice(ctx, in.JourneyCases)
	if err != nil {
		return nil, err
	}
	out := &journeyCompareOutput{}
	out.Body.Part, out.Body.Items = partOf(s), []JourneyMoveDifference{}
	if s.Log.Cases() == 0 {
		return out, nil
	}
	d := observed.Division{By: in.Side, A: in.A, B: in.B}
	if in.Side == "period" {
		d.Cut = s.Halfway(o.Zone)
		if in.A != "" {
			if d.Cut, err = time.ParseInLocation(time.DateOnly, in.A, o.Zone); err != nil {
				return nil, errs.Invalid("journey.error.date", "a", "%q is no date such as 2026-11-19", in.A).With("value", in.A)
			}
		}
	}
	a, b, err := o.Service.Divide(ctx, s, d)
	if err != nil {
		return nil, err
	}
	if a == nil || a.Cases() == 0 || b.Cases() == 0 {
		return nil, errs.Invalid("observed.compare.choose", "a", "choose two different sides that cases have")
	}
	found := mining.Compare(a, b, leastCompared, 0.95)
	out.Body.CasesA, out.Body.CasesB = found.CasesA, found.CasesB
	out.Body.MedianA, out.Body.MedianB, out.Body.P = known(found.MedianA), known(found.MedianB), known(found.Duration.P)
	for _, e := range found.Edges {
		x := e.Share.Difference
		m := JourneyMoveDifference{From: s.Log.Activities().Name(e.Source), To: s.Log.Activities().Name(e.Target), CasesA: e.CasesA, CasesB: e.CasesB,
			Share: finite(x.Value), Low: finite(x.Low), High: finite(x.High), ShareQ: known(e.ShareQ), WaitQ: known(e.WaitQ)}
		if m.WaitQ != nil {
			m.MedianA, m.MedianB = known(e.MedianA), known(e.MedianB)
		}
		out.Body.Items = append(out.Body.Items, m)
	}
	return out, nil
}

// JourneyOpenCase is a case that is not over.
type JourneyOpenCase struct {
	Case   string   `json:"case"`
	Event  string   `json:"last_event"`
	Silent float64  `json:"silent_s"`
	Chance *float64 `json:"abandoned_probability,omitempty" doc:"that nothing will follow; absent where nothing is known of so long a silence"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
}

// JourneyOpenAt counts the open cases by their last event.
type JourneyOpenAt struct {
	Event    string  `json:"last_event"`
	Cases    int     `json:"cases"`
	Silent   float64 `json:"median_silent_s"`
	Expected float64 `json:"expected_abandoned" doc:"sum of the chances known"`
}

type journeyNowOutput struct {
	Body struct {
		Part     JourneyPart       `json:"part"`
		At       time.Time         `json:"at" doc:"end of observation: the latest event of the journey"`
		Total    int               `json:"total"`
		Expected float64           `json:"expected_abandoned"`
		Steps    []JourneyOpenAt   `json:"steps" doc:"most cases first"`
		Items    []JourneyOpenCase `json:"items" doc:"most in danger first; none where a segment is chosen and the reader may not see its members"`
	}
}

func (o Observed) now(ctx context.Context, in *struct {
	JourneyCases
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*journeyNowOutput, error) {
	s, err := o.slice(ctx, in.JourneyCases)
	if err != nil {
		return nil, err
	}
	out := &journeyNowOutput{}
	b := &out.Body
	b.Part, b.At, b.Steps, b.Items = partOf(s), time.UnixMicro(s.End).UTC(), []JourneyOpenAt{}, []JourneyOpenCase{}
	waiting := s.Waiting()
	b.Total = len(waiting)
	at, silent := map[int32]*JourneyOpenAt{}, map[int32][]int64{}
	for _, w := range waiting {
		if at[w.Last] == nil {
			at[w.Last] = &JourneyOpenAt{Event: s.Log.Activities().Name(w.Last)}
		}
		at[w.Last].Cases++
		silent[w.Last] = append(silent[w.Last], w.Silent)
		at[w.Last].Expected += finite(w.Chance.P)
		b.Expected += finite(w.Chance.P)
	}
	for last, x := range at {
		x.Silent = mining.Describe(silent[last]).Median
		b.Steps = append(b.Steps, *x)
	}
	slices.SortFunc(b.Steps, func(x, y JourneyOpenAt) int {
		if x.Cases != y.Cases {
			return y.Cases - x.Cases
		}
		return slices.Compare([]byte(x.Event), []byte(y.Event))
	})
	if observed.MayList(ctx, s.Query) != nil {
		return out, nil
	}
	danger := func(w observed.Waiting) float64 {
		if math.IsNaN(w.Chance.P) {
			return -1
		}
		return w.Chance.Low
	}
	slices.SortStableFunc(waiting, func(x, y observed.Waiting) int {
		switch a, b := danger(x), danger(y); {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	for _, w := range waiting[:min(in.Limit, len(waiting))] {
		c := JourneyOpenCase{Case: s.Log.CaseID(w.Case), Event: s.Log.Activities().Name(w.Last), Silent: float64(w.Silent) / 1e6, Chance: known(w.Chance.P)}
		if c.Chance != nil {
			c.Low, c.High = known(w.Chance.Low), known(w.Chance.High)
		}
		b.Items = append(b.Items, c)
	}
	return out, nil
}
