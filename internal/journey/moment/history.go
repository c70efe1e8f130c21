package moment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"omote/analytics/mining"
	"omote/analytics/moments"
	"omote/internal/platform/warehouse"
)

// The events that mean the same in every journey, by name in the tracking plan.
var (
	contactEvents   = []string{"contact_received", "support_contacted"}
	complaintEvents = []string{"complaint_filed"}
	leftEvents      = []string{"relationship_ended"}
	relationship    = "rel_nps"
)

// scale is the lowest and the highest score of a question.
type scale struct{ low, high float64 }

func (s scale) of(score float64) float64 {
	if s.high <= s.low || s.low < 0 { // below and above an expectation is no level of feeling
		return math.NaN()
	}
	return min(max((score-s.low)/(s.high-s.low), 0), 1)
}

// scaleOf guesses the scale of a question: the narrowest usual one that holds
// all its scores.
func scaleOf(name string, low, high float64) scale {
	usual := []scale{{1, 5}, {1, 7}, {0, 10}, {-2, 2}, {0, 100}}
	if strings.Contains(name, "nps") {
		usual = []scale{{0, 10}}
	}
	for _, s := range usual {
		if low >= s.low && high <= s.high {
			return s
		}
	}
	return scale{low, high}
}

// history is all that is known of customers, with what the numbers mean.
type history struct {
	moments.History
	names   *mining.Dict
	answers []string // event ids, in the order of History.Answers
}

// loadHistory reads everything that customers did.
func loadHistory(ctx context.Context, facts Facts, designs []Design) (*history, error) {
	columns, err := facts.CaseColumns(ctx, warehouse.CaseFilter{Key: warehouse.ByCustomer, With: []string{"journey", "case_key", "channel", "unit", "product"}})
	if err != nil {
		return nil, fmt.Errorf("read customers' histories: %w", err)
	}
	names := mining.NewDict(columns.Activities...)
	in := mining.Columns{Case: columns.Case, Activity: columns.Activity, Time: columns.Time, Activities: names, CaseIDs: columns.Cases, Events: map[string]*mining.Column{}}
	for i, name := range []string{moments.ColumnJourney, moments.ColumnCase, moments.ColumnChannel, moments.ColumnUnit, moments.ColumnProduct} {
		in.Events[name] = column(columns.Extra[i])
	}
	h := &history{names: names}
	h.Contact, h.Complaint, h.Left = ids(names, contactEvents), ids(names, complaintEvents), ids(names, leftEvents)
	for _, d := range designs {
		h.Trouble = append(h.Trouble, ids(names, d.Trouble)...)
	}
	if h.Log, err = mining.FromColumns(in, mining.TimeOrder); err != nil {
		return nil, fmt.Errorf("read customers' histories: %w", err)
	}
	if err := h.regions(ctx, facts, in.Events[moments.ColumnUnit].Dict); err != nil {
		return nil, err
	}
	return h, h.say(ctx, facts)
}

// column makes a missing value of the empty text.
func column(x warehouse.ExtraColumn) *mining.Column {
	if i := slices.Index(x.Names, ""); i >= 0 {
		for k, v := range x.Values {
			if v == int32(i) {
				x.Values[k] = mining.None
			}
		}
	}
	return &mining.Column{Dict: mining.NewDict(x.Names...), Values: x.Values}
}

// ids numbers event names; those that no event has are left out.
func ids(names *mining.Dict, events []string) (out []int32) {
	for _, e := range events {
		if id, ok := names.Lookup(e); ok {
			out = append(out, id)
		}
	}
	return out
}

func (h *history) regions(ctx context.Context, facts Facts, units *mining.Dict) error {
	of, err := readRegions(ctx, facts)
	if err != nil {
		return err
	}
	dict := &mining.Dict{}
	for _, code := range units.Names() {
		id := mining.None
		if r := of[code]; r != "" {
			id = dict.ID(r)
		}
		h.Region = append(h.Region, id)
	}
	return nil
}

// say adds what customers said, in the order of customers and times.
func (h *history) say(ctx context.Context, facts Facts) error {
	scales, err := readScales(ctx, facts)
	if err != nil {
		return err
	}
	customers := map[string]int32{}
	for c := range h.Log.Cases() {
		customers[h.Log.CaseID(c)] = int32(c)
	}
	cases, _ := h.Log.Column(moments.ColumnCase)
	type answer struct {
		moments.Answer
		event string
	}
	var all []answer
	err = readAnswers(ctx, facts, func(s said) {
		customer, known := customers[s.customer]
		if !known {
			return
		}
		a := answer{Answer: moments.Answer{Customer: customer, At: s.micros, Case: mining.None, Trigger: mining.None, Instrument: s.instrument, Score: math.NaN(), Language: s.language}, event: s.event}
		if id, ok := cases.Lookup(s.id); ok && s.id != "" {
			a.Case = id
		}
		if id, ok := h.names.Lookup(s.trigger); ok && s.trigger != "" {
			a.Trigger = id
		}
		if s.score.Valid {
			a.Score = scales[s.instrument+"/"+s.item].of(s.score.Float64)
		}
		if s.comment {
			a.Comment = "…" // the words stay in the warehouse
		}
		switch s.polarity {
		case "negative":
			a.Polarity = -1
		case "positive":
			a.Polarity = 1
		case "":
			if a.Score < 0.45 { // an unread comment has the tone of its score
				a.Polarity = -1
			} else if a.Score > 0.8 {
				a.Polarity = 1
			}
		}
		all = append(all, a)
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b answer) int {
		if a.Customer != b.Customer {
			return int(a.Customer - b.Customer)
		}
		return int(min(max(a.At-b.At, -1), 1))
	})
	for _, a := range all {
		h.Answers, h.answers = append(h.Answers, a.Answer), append(h.answers, a.event)
	}
	return nil
}

// journey translates a design. Steps that no event has keep their place, with a
// number that nothing has.
func (h *history) journey(d Design) moments.Journey {
	j := moments.Journey{ID: -2} // of a journey that no event names
	if dict, ok := h.Log.Column(moments.ColumnJourney); ok {
		if id, ok := dict.Lookup(d.Journey); ok {
			j.ID = id
		}
	}
	for _, s := range d.Steps {
		id, ok := h.names.Lookup(s.Event)
		if !ok {
			id = -1
		}
		j.Steps = append(j.Steps, moments.Step{Event: id, Also: ids(h.names, s.Also), Standard: s.Standard})
	}
	j.Trouble = ids(h.names, d.Trouble)
	return j
}

func (h *history) outcomes(of []Outcome) (out []moments.Outcome) {
	const day = 24 * 3600 * 1e9
	for _, o := range of {
		x := moments.Outcome{ID: string(o)}
		switch o {
		case Complaint:
			x.Events, x.Within = h.Complaint, 30*day
		case Left:
			x.Events, x.Within = h.Left, 180*day
		case Contact:
			x.Events, x.Within = h.Contact, 7*day
		case NextNPS:
			x.Instrument, x.Within = relationship, 180*day
		}
		out = append(out, x)
	}
	return out
}
