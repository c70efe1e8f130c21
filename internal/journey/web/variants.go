package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"omote/analytics/mining"
	"omote/analytics/stats"
	"omote/internal/journey/observed"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// namer numbers the designed steps of a log and letters everything else.
type namer struct {
	pages   Pages
	ctx     context.Context
	log     *mining.Log
	numbers map[int32]int
	letters map[int32]string
	order   []int32 // lettered activities
}

func (p Pages) namer(ctx context.Context, s *observed.Slice) *namer {
	n := &namer{pages: p, ctx: ctx, log: s.Log, numbers: map[int32]int{}, letters: map[int32]string{}}
	g := mining.DirectlyFollows(s.Log)
	for i, step := range s.Steps(g) {
		if id, ok := s.Log.Activities().Lookup(step); ok {
			n.numbers[id] = i + 1
		}
	}
	for _, node := range g.Nodes {
		if n.numbers[node.Activity] == 0 {
			n.letters[node.Activity] = letter(len(n.order))
			n.order = append(n.order, node.Activity)
		}
	}
	return n
}

// marks draws a way: the same step in a row is one mark.
func (n *namer) marks(path []int32) ui.Cell {
	v := &view{Picture: &observed.Picture{Log: n.log}, pages: n.pages, ctx: n.ctx, numbers: n.numbers, letters: n.letters}
	return ui.Cell{Node: ui.Variant(v.marks(path))}
}

// key names the letters of some ways.
func (n *namer) key(paths [][]int32) string {
	used := map[int32]bool{}
	for _, path := range paths {
		for _, a := range path {
			used[a] = true
		}
	}
	var parts []string
	for _, a := range n.order {
		if used[a] {
			parts = append(parts, n.letters[a]+" "+n.pages.activityName(n.ctx, n.log, a))
		}
	}
	return strings.Join(parts, ", ")
}

func (p Pages) variantsPage(w http.ResponseWriter, r *http.Request) error {
	const most = 100
	ctx := r.Context()
	s, err := p.slice(r)
	if err != nil {
		return err
	}
	h := p.head(r, s, "variants")
	if h.Empty {
		return ui.Render(w, r, tableView(p.flowPage(ctx, s, "observed.variants.title", ""), h, "", ui.TableProps{}, ""))
	}
	v := mining.FindVariants(s.Log)
	f := i18n.Fmt(ctx)
	if r.URL.Query().Get("format") == "csv" {
		return variantsCSV(w, s.Log, v)
	}
	n := p.namer(ctx, s)
	medians := variantMedians(s.Log, v, most)
	columns := []ui.Column{{Key: "path", Label: i18n.T(ctx, "journey.path"), Wide: true}, {Key: "cases", Label: i18n.T(ctx, "journey.cases"), Numeric: true},
		{Key: "share", Label: i18n.T(ctx, "journey.share"), Numeric: true}, {Key: "sum", Label: i18n.T(ctx, "observed.variants.sum"), Numeric: true},
		{Key: "median", Label: i18n.T(ctx, "journey.median"), Numeric: true}, {Key: "only", Label: "", Narrow: true}}
	t := ui.TableProps{ID: "ways", Label: i18n.T(ctx, "journey.variants"), KeepTable: true, Columns: columns, CSV: true, Query: ui.QueryTable(r, "", columns, "")}
	covered := 0
	var paths [][]int32
	for i, one := range v.List[:min(most, len(v.List))] {
		covered += one.Count
		paths = append(paths, one.Path)
		q := filtersOf(r.URL.Query())
		q.Set("way", strconv.Itoa(i+1))
		e := stats.Proportion(int64(one.Count), int64(v.Cases), 0)
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{n.marks(one.Path), {Text: f.Int(int64(one.Count))}, {Text: f.Percent(e.Value, 1), Sub: f.PercentInterval(e.Low, e.High, 1)},
			{Text: f.Percent(share(covered, v.Cases), 1)}, {Text: f.Seconds(medians[i])}, {Text: i18n.T(ctx, "observed.variants.only"), Href: viewPath(s.Query.Journey, "", q)}}})
	}
	t.Foot = i18n.T(ctx, "journey.variants.foot", "shown", len(t.Rows), "all", len(v.List), "share", f.Percent(share(covered, v.Cases), 1))
	finding := i18n.T(ctx, "observed.variants.finding", "count", len(v.List), "cover", v.ToCover(0.8), "single", v.Singletons(), "share", f.Percent(v.Share(0), 1))
	return ui.Render(w, r, tableView(p.flowPage(ctx, s, "observed.variants.title", finding), h, i18n.T(ctx, "journey.variants"), t, n.key(paths[:min(len(paths), 25)])))
}

// variantMedians are the median durations of the first ways, in seconds.
func variantMedians(l *mining.Log, v *mining.Variants, n int) []float64 {
	durations := make([][]float64, min(n, len(v.List)))
	for c, i := range v.Of {
		if int(i) < len(durations) {
			times := l.Times(c)
			durations[i] = append(durations[i], float64(slices.Max(times)-slices.Min(times))/1e6)
		}
	}
	out := make([]float64, len(durations))
	for i, d := range durations {
		out[i] = stats.Median(d, 0).Value
	}
	return out
}

func variantsCSV(w http.ResponseWriter, l *mining.Log, v *mining.Variants) error {
	return ui.WriteCSV(w, "ways.csv", csvColumns("rank", "cases", "share", "length", "path"), func(yield func([]string) bool) {
		for i, one := range v.List {
			names := make([]string, len(one.Path))
			for k, a := range one.Path {
				names[k] = l.Activities().Name(a)
			}
			if !yield([]string{strconv.Itoa(i + 1), strconv.Itoa(one.Count), num(v.Share(i)), strconv.Itoa(len(one.Path)), strings.Join(names, " > ")}) {
				return
			}
		}
	})
}
