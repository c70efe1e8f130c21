package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"omote/internal/journey/observed"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// permCustomers lets people see which customers stand behind cases. Others see
// cases without customers.
const permCustomers auth.Permission = "customer.profile.read"

// casesShown is how many cases the list shows; all are in the CSV.
const casesShown = 100

// casesPage lists the cases of a slice, or those that stopped at a step of a
// funnel.
func (p Pages) casesPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	s, err := p.slice(r)
	if err != nil {
		return err
	}
	if err := observed.MayList(ctx, s.Query); err != nil {
		return err
	}
	h := p.head(r, s, "cases")
	page := p.flowPage(ctx, s, "observed.cases.title", "")
	if h.Empty {
		return ui.Render(w, r, casesView(page, h, ui.TableProps{}, "", ""))
	}
	chosen, what, err := p.chosen(ctx, s, q)
	if err != nil {
		return err
	}
	if q.Get("format") == "csv" {
		return p.casesCSV(w, s, chosen)
	}
	f := i18n.Fmt(ctx)
	columns := []ui.Column{{Key: "case", Label: i18n.T(ctx, "observed.case")}, {Key: "customer", Label: i18n.T(ctx, "observed.customer")}, {Key: "first", Label: i18n.T(ctx, "journey.first"), Numeric: true}, {Key: "last", Label: i18n.T(ctx, "observed.now.last")},
		{Key: "silent", Label: i18n.T(ctx, "observed.cases.since"), Numeric: true}, {Key: "lasted", Label: i18n.T(ctx, "journey.duration"), Numeric: true}, {Key: "events", Label: i18n.T(ctx, "journey.events"), Numeric: true}, {Key: "outcome", Label: i18n.T(ctx, "journey.outcomes")}}
	t := ui.TableProps{Label: i18n.T(ctx, "observed.cases.list"), Columns: columns, CSV: true, Query: ui.QueryTable(r, "", columns, "")}
	shown := chosen[:min(len(chosen), casesShown)]
	customers, err := p.customers(ctx, s, shown)
	if err != nil {
		return err
	}
	of := s.Standing()
	for _, c := range shown {
		path, times := s.Log.Path(c), s.Log.Times(c)
		first, last := slices.Min(times), slices.Max(times)
		id := s.Log.CaseID(c)
		customer := ui.Cell{Text: i18n.T(ctx, "observed.cases.masked"), Mute: true}
		if name := customers[id]; name != "" {
			customer = ui.Cell{Text: name[:min(len(name), 8)]}
		}
		t.Rows = append(t.Rows, ui.Row{ID: id, Cells: []ui.Cell{{Text: id}, customer, {Text: f.Date(time.UnixMicro(first).In(p.Zone))}, {Text: p.activityName(ctx, s.Log, path[len(path)-1])},
			{Text: f.Date(time.UnixMicro(last).In(p.Zone))}, {Text: f.SecondsShort(float64(last-first) / 1e6)}, {Text: f.Int(int64(len(path)))}, {Text: i18n.T(ctx, "journey.outcome."+of[c].String())}}})
	}
	t.Foot = i18n.T(ctx, "observed.cases.foot", "shown", len(shown), "all", len(chosen))
	page.Finding = i18n.T(ctx, "observed.cases.finding", "count", len(chosen)) + what
	masked := i18n.T(ctx, "observed.cases.masked.why")
	if auth.Can(ctx, permCustomers) {
		masked = i18n.T(ctx, "observed.cases.pseudonyms")
	}
	segment := ""
	if p.Segment != nil {
		segment = p.Segment(ctx, segmentRule(s, q, time.UnixMicro(s.End)), p.nameOf(ctx, s)+what)
	}
	return ui.Render(w, r, casesView(page, h, t, segment, masked))
}

// chosen are the cases that the address names: all of the slice, or those that
// stopped after a number of steps of a funnel.
func (p Pages) chosen(ctx context.Context, s *observed.Slice, q url.Values) (cases []int, what string, err error) {
	stopped, err := strconv.Atoi(q.Get("stopped"))
	if err != nil {
		stopped = 0
	}
	f := spec(q, s)
	if cases, err = s.Stopped(f, stopped); err != nil {
		return nil, "", err
	}
	if stopped >= 1 && stopped <= len(f.Steps) {
		what = " " + i18n.T(ctx, "observed.cases.stopped", "step", p.stepName(ctx, f.Steps[stopped-1]))
	}
	return cases, what, nil
}

// customers gives the pseudonyms of the customers behind cases to whoever may see
// them.
func (p Pages) customers(ctx context.Context, s *observed.Slice, cases []int) (map[string]string, error) {
	if !auth.Can(ctx, permCustomers) {
		return nil, nil
	}
	ids := make([]string, len(cases))
	for i, c := range cases {
		ids[i] = s.Log.CaseID(c)
	}
	return p.Observed.Customers(ctx, s.Query, ids)
}

func (p Pages) casesCSV(w http.ResponseWriter, s *observed.Slice, cases []int) error {
	of := s.Standing()
	return ui.WriteCSV(w, "cases.csv", csvColumns("case", "first", "last", "last_event", "events", "seconds", "outcome"), func(yield func([]string) bool) {
		for _, c := range cases {
			path, times := s.Log.Path(c), s.Log.Times(c)
			first, last := slices.Min(times), slices.Max(times)
			if !yield([]string{s.Log.CaseID(c), time.UnixMicro(first).UTC().Format(time.RFC3339), time.UnixMicro(last).UTC().Format(time.RFC3339), s.Log.Activities().Name(path[len(path)-1]), strconv.Itoa(len(path)), num(float64(last-first) / 1e6), of[c].String()}) {
				return
			}
		}
	})
}
