package web

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"omote/analytics/mining"
	"omote/analytics/stats"
	"omote/internal/journey/observed"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// channelsData is what the channels of a journey show.
type channelsData struct {
	halves   string
	shift    ui.TableProps
	months   ui.TableProps
	switches ui.TableProps
	switched string
}

func (p Pages) channelsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	s, err := p.slice(r)
	if err != nil {
		return err
	}
	h := p.head(r, s, "channels")
	v := channelsData{}
	dict, ok := s.Log.Column("channel")
	if h.Empty || !ok {
		return ui.Render(w, r, channelsView(p.flowPage(ctx, s, "observed.channels.title", ""), h, v))
	}
	months := p.months(s.Log)
	byMonth := mining.FindMix(s.Log, "channel", months)
	if q.Get("format") == "csv" {
		return channelsCSV(w, dict, byMonth, p.Zone)
	}
	finding := p.shift(ctx, &v, s, dict, r)
	v.months = p.monthTable(ctx, dict, byMonth)
	p.switches(ctx, &v, s)
	return ui.Render(w, r, channelsView(p.flowPage(ctx, s, "observed.channels.title", finding), h, v))
}

// months are the beginnings of the months that cases began in, at most the last 24.
func (p Pages) months(l *mining.Log) (from []int64) {
	first, last, _ := l.TimeRange()
	for m := observed.Month(time.UnixMicro(first).In(p.Zone)); !m.After(time.UnixMicro(last)); m = m.AddDate(0, 1, 0) {
		from = append(from, m.UnixMicro())
	}
	return from[max(0, len(from)-24):]
}

// feelingBy is what customers said, by the channel in which the case began.
func feelingBy(l *mining.Log, channels int) []stats.Moments {
	out := make([]stats.Moments, channels)
	for c := range l.Cases() {
		channel := mining.None
		for _, x := range l.Values("channel", c) {
			if x != mining.None {
				channel = x
				break
			}
		}
		if channel == mining.None {
			continue
		}
		for _, y := range l.Numbers("feeling", c) {
			if !math.IsNaN(y) {
				out[channel].Push(y)
			}
		}
	}
	return out
}

// shift compares the mix of the earlier half of the cases with that of the later.
func (p Pages) shift(ctx context.Context, v *channelsData, s *observed.Slice, dict *mining.Dict, r *http.Request) string {
	f := i18n.Fmt(ctx)
	starts := make([]int64, s.Log.Cases())
	for c := range starts {
		starts[c] = slices.Min(s.Log.Times(c))
	}
	slices.Sort(starts)
	cut := starts[len(starts)/2]
	m := mining.FindMix(s.Log, "channel", []int64{starts[0], max(cut, starts[0]+1)})
	n0, n1 := m.Total(0), m.Total(1)
	v.halves = i18n.T(ctx, "observed.channels.halves", "day", f.DateOnly(time.UnixMicro(cut).In(p.Zone)))
	feelings := feelingBy(s.Log, dict.Len())
	type row struct {
		id    int32
		total int
		diff  stats.Comparison
		q     float64
	}
	var rows []row
	var ps []float64
	for id := range dict.Len() {
		a, b := m.Cases[0][id], m.Cases[1][id]
		if a+b == 0 || n0 == 0 || n1 == 0 {
			continue
		}
		d := stats.DiffProportions(int64(b), int64(n1), int64(a), int64(n0), 0.95)
		rows, ps = append(rows, row{int32(id), a + b, d, 1}), append(ps, d.P)
	}
	for i, q := range stats.BenjaminiHochberg(ps) {
		rows[i].q = q
	}
	slices.SortStableFunc(rows, func(a, b row) int { return b.total - a.total })
	columns := []ui.Column{{Key: "channel", Label: i18n.T(ctx, "journey.filter.channel.label")}, {Key: "before", Label: i18n.T(ctx, "observed.channels.before"), Numeric: true}, {Key: "after", Label: i18n.T(ctx, "observed.channels.after"), Numeric: true},
		{Key: "diff", Label: i18n.T(ctx, "observed.channels.diff"), Numeric: true}, {Key: "q", Label: "q", Numeric: true}, {Key: "feeling", Label: i18n.T(ctx, "feeling.score"), Numeric: true}}
	v.shift = ui.TableProps{Label: i18n.T(ctx, "observed.channels.shift"), Columns: columns, CSV: true, Query: ui.QueryTable(r, "", columns, "")}
	moved, most := -1, 0.0
	for i, x := range rows {
		e := x.diff.Difference
		feel := ui.Cell{Text: "–", Mute: true}
		if k := feelings[x.id]; k.N > 1 {
			mean := stats.Mean(k, 0.95)
			feel = ui.Cell{Text: f.Decimal(10*mean.Value, 1), Sub: f.Interval(10*max(mean.Low, 0), 10*min(mean.High, 1), 1) + ", n = " + f.Int(mean.N)}
		}
		to := filtersOf(r.URL.Query())
		to.Set("channel", dict.Name(x.id))
		v.shift.Rows = append(v.shift.Rows, ui.Row{Cells: []ui.Cell{{Text: dict.Name(x.id), Href: viewPath(s.Query.Journey, "", to)}, {Text: f.Percent(share(m.Cases[0][x.id], n0), 1)}, {Text: f.Percent(share(m.Cases[1][x.id], n1), 1)},
			{Text: f.Signed(100*e.Value, 1), Sub: f.Signed(100*e.Low, 1) + " – " + f.Signed(100*e.High, 1)}, {Text: f.Decimal(x.q, 3)}, feel}})
		if x.q <= 0.05 && math.Abs(e.Value) > most {
			moved, most = i, math.Abs(e.Value)
		}
	}
	if moved < 0 {
		return i18n.T(ctx, "observed.channels.finding.same")
	}
	x := rows[moved]
	return i18n.T(ctx, "observed.channels.finding", "channel", dict.Name(x.id), "before", f.Percent(share(m.Cases[0][x.id], n0), 1), "after", f.Percent(share(m.Cases[1][x.id], n1), 1))
}

func (p Pages) monthTable(ctx context.Context, dict *mining.Dict, m *mining.Mix) ui.TableProps {
	f := i18n.Fmt(ctx)
	total := make([]int, dict.Len())
	for _, month := range m.Cases {
		for id, n := range month {
			total[id] += n
		}
	}
	var ids []int
	for id, n := range total {
		if n > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b int) int { return total[b] - total[a] })
	ids = ids[:min(len(ids), 5)]
	t := ui.TableProps{ID: "months", Label: i18n.T(ctx, "observed.channels.months"), Dense: true, KeepTable: true, Columns: []ui.Column{{Key: "month", Label: i18n.T(ctx, "observed.month")}, {Key: "n", Label: i18n.T(ctx, "journey.cases"), Numeric: true}}}
	for _, id := range ids {
		t.Columns = append(t.Columns, ui.Column{Key: dict.Name(int32(id)), Label: dict.Name(int32(id)), Numeric: true})
	}
	t.Columns = append(t.Columns, ui.Column{Key: "moved", Label: i18n.T(ctx, "observed.channels.moved"), Numeric: true})
	for i := len(m.From) - 1; i >= 0; i-- {
		n := m.Total(i)
		if n == 0 {
			continue
		}
		cells := []ui.Cell{{Text: f.MonthYear(time.UnixMicro(m.From[i]).In(p.Zone))}, {Text: f.Int(int64(n))}}
		for _, id := range ids {
			cells = append(cells, ui.Cell{Text: f.Percent(share(m.Cases[i][id], n), 1)})
		}
		t.Rows = append(t.Rows, ui.Row{Cells: append(cells, ui.Cell{Text: f.Percent(share(m.Moved[i], n), 1)})})
	}
	return t
}

// switches lists who goes from which channel to which.
func (p Pages) switches(ctx context.Context, v *channelsData, s *observed.Slice) {
	f := i18n.Fmt(ctx)
	list := mining.HandOffs(s.Log, "channel", s.Ending().Success...)
	dict, _ := s.Log.Column("channel")
	v.switches = ui.TableProps{ID: "switches", Label: i18n.T(ctx, "observed.channels.switches"), Dense: true, Columns: []ui.Column{{Key: "pair", Label: i18n.T(ctx, "observed.channels.pair")}, {Key: "cases", Label: i18n.T(ctx, "journey.cases"), Numeric: true}, {Key: "wait", Label: i18n.T(ctx, "observed.handoffs.show.wait"), Numeric: true}, {Key: "lost", Label: i18n.T(ctx, "observed.handoffs.show.lost"), Numeric: true}}}
	for _, x := range list[:min(len(list), 12)] {
		v.switches.Rows = append(v.switches.Rows, ui.Row{Cells: []ui.Cell{{Text: dict.Name(x.From) + " → " + dict.Name(x.To)}, {Text: f.Int(int64(x.Cases))}, {Text: f.SecondsShort(x.Wait.Median)}, {Text: f.Percent(share(x.Lost, x.Cases), 0)}}})
	}
	moved := 0
	for c := range s.Log.Cases() {
		first := mining.None
		for _, x := range s.Log.Values("channel", c) {
			if x == mining.None {
				continue
			}
			if first != mining.None && x != first {
				moved++
				break
			}
			first = x
		}
	}
	v.switched = i18n.T(ctx, "observed.channels.switched", "share", f.Percent(share(moved, s.Log.Cases()), 1))
}

func channelsCSV(w http.ResponseWriter, dict *mining.Dict, m *mining.Mix, zone *time.Location) error {
	return ui.WriteCSV(w, "channels.csv", csvColumns("month", "channel", "cases", "all_cases"), func(yield func([]string) bool) {
		for i, from := range m.From {
			for id, n := range m.Cases[i] {
				if n > 0 && !yield([]string{time.UnixMicro(from).In(zone).Format("2006-01"), dict.Name(int32(id)), strconv.Itoa(n), strconv.Itoa(m.Total(i))}) {
					return
				}
			}
		}
	})
}
