package mining_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/analytics/mining"
)

// plainFilter is what a filter should do to the plain form of a log.
type plainFilter struct {
	filter mining.Filter
	cases  func(events []event) bool
	events func(e event) bool
}

func has(events []event, want func(e event) bool) bool { return slices.ContainsFunc(events, want) }

func drawFilter(t *rapid.T) plainFilter {
	a := int32(rapid.IntRange(-1, 5).Draw(t, "a"))
	b := int32(rapid.IntRange(-1, 5).Draw(t, "b"))
	low := int64(rapid.IntRange(0, 12).Draw(t, "low")) * 1e6
	high := int64(rapid.IntRange(0, 13).Draw(t, "high")) * 1e6
	is := func(e event) bool { return e.activity == a || e.activity == b }
	in := func(e event) bool { return e.micros >= low && e.micros < high }
	span := func(events []event) (int64, int64) {
		first, last := events[0].micros, events[0].micros
		for _, e := range events {
			first, last = min(first, e.micros), max(last, e.micros)
		}
		return first, last
	}
	passing := func(directly bool) func(events []event) bool {
		return func(events []event) bool {
			for i := range events {
				for j := i + 1; j < len(events); j++ {
					if events[i].activity == a && events[j].activity == b && (!directly || j == i+1) {
						return true
					}
				}
			}
			return false
		}
	}
	channel := func(e event) bool { return a >= 0 && e.channel == a }
	all := []plainFilter{
		{filter: mining.KeepActivities(a, b), events: is},
		{filter: mining.DropActivities(a, b), events: func(e event) bool { return !is(e) }},
		{filter: mining.KeepValues("channel", a), events: channel},
		{filter: mining.KeepValues("nothing", a), events: func(event) bool { return false }},
		{filter: mining.KeepPeriod(low, high), events: in},
		{filter: mining.CasesWith(a, b), cases: func(c []event) bool { return has(c, is) }},
		{filter: mining.CasesWithout(a, b), cases: func(c []event) bool { return !has(c, is) }},
		{filter: mining.CasesFrom(a, b), cases: func(c []event) bool { return is(c[0]) }},
		{filter: mining.CasesTo(a, b), cases: func(c []event) bool { return is(c[len(c)-1]) }},
		{filter: mining.CasesPassing(a, b, true), cases: passing(true)},
		{filter: mining.CasesPassing(a, b, false), cases: passing(false)},
		{filter: mining.CasesWithValue("channel", a), cases: func(c []event) bool { return has(c, channel) }},
		{filter: mining.CasesWithValue("nothing", a), cases: func([]event) bool { return false }},
		{filter: mining.CasesWithAttribute("nothing", 0), cases: func([]event) bool { return false }},
		{filter: mining.CasesStarted(low, high), cases: func(c []event) bool {
			first, _ := span(c)
			return in(event{micros: first})
		}},
		{filter: mining.CasesDuring(low, high), cases: func(c []event) bool { return has(c, in) }},
		{filter: mining.CasesLasting(time.Duration(low)*time.Microsecond, time.Duration(high)*time.Microsecond), cases: func(c []event) bool {
			first, last := span(c)
			return last-first >= low && (last-first < high || high == 0)
		}},
	}
	return rapid.SampledFrom(all).Draw(t, "filter")
}

func (p plainLog) apply(f plainFilter) plainLog {
	var out plainLog
	for _, c := range p {
		if f.cases != nil {
			if f.cases(c) {
				out = append(out, c)
			}
			continue
		}
		var kept []event
		for _, e := range c {
			if f.events(e) {
				kept = append(kept, e)
			}
		}
		if len(kept) > 0 {
			out = append(out, kept)
		}
	}
	return out
}

func TestFilterOracle(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		var filters []mining.Filter
		var cases, events []int
		for range rapid.IntRange(0, 4).Draw(t, "filters") {
			f := drawFilter(t)
			filters = append(filters, f.filter)
			plain = plain.apply(f)
			cases, events = append(cases, len(plain)), append(events, plain.events())
		}
		got, steps := l.Filter(filters...)
		if err := sameLog(plain, got); err != nil {
			t.Fatal(err)
		}
		for i, s := range steps {
			if s.Cases != cases[i] || s.Events != events[i] || s.Name != filters[i].Name {
				t.Fatalf("step %d: %+v, want %d cases and %d events", i, s, cases[i], events[i])
			}
		}
		mining.NewReport(got, "") // also of a log that is empty
	})
}

func TestFilterVariantsAndFunnel(t *testing.T) {
	t.Parallel()
	l := generated(t, 50_000, 2)
	v := mining.FindVariants(l)
	top, _ := l.Filter(mining.CasesOfVariants(0, 2, -1, len(v.List)))
	if want := v.List[0].Count + v.List[2].Count; top.Cases() != want {
		t.Errorf("%d cases of two variants, want %d", top.Cases(), want)
	}
	r, err := (&mining.Funnel{Steps: [][]int32{{0}, {3}, {6}}}).Run(l)
	if err != nil {
		t.Fatal(err)
	}
	stopped, _ := l.Filter(mining.CasesWhere("stopped", func(c int) bool { return r.Reached[c] == 2 }))
	if want := r.Steps[1].Lost; stopped.Cases() != want || want == 0 {
		t.Errorf("%d cases stopped at the second step, want %d", stopped.Cases(), want)
	}
}

func TestFilterCaseAttribute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, l := drawLog(t, mining.FileOrder)
		segments, _ := l.CaseColumn("segment")
		id, ok := segments.Lookup("s1")
		want := 0
		for c := range l.Cases() {
			if ok && l.CaseValue("segment", c) == id {
				want++
			}
		}
		part, _ := l.Filter(mining.CasesWithAttribute("segment", id))
		if part.Cases() != want {
			t.Fatalf("%d cases, want %d", part.Cases(), want)
		}
		// Cases keep their names and attributes after filters of both kinds.
		again, _ := part.Filter(mining.KeepPeriod(0, 6e6))
		for c := range again.Cases() {
			if again.CaseValue("segment", c) != id || again.CaseID(c) == "" {
				t.Fatal("a case lost its attributes")
			}
		}
	})
}
