package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"omote/analytics/text/normalise"
	"omote/internal/insight/metric"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// listView is what the list of measures shows.
type listView struct {
	measures []ui.MetricRowProps
	unjudged []string
	query    string
	working  bool
	all      int
}

func (p Pages) list(w http.ResponseWriter, r *http.Request) error {
	v, page, err := p.listView(r)
	if err != nil {
		return err
	}
	return ui.Render(w, r, listPage(page, v))
}

// boardPart is the list alone, asked for again while figures are being computed.
func (p Pages) boardPart(w http.ResponseWriter, r *http.Request) error {
	v, _, err := p.listView(r)
	if err != nil {
		return err
	}
	return ui.Render(w, r, measureList(v))
}

func (p Pages) listView(r *http.Request) (v listView, page ui.Page, err error) {
	ctx := r.Context()
	rows, at, working, err := p.Board.Read(ctx)
	if err != nil {
		return v, page, err
	}
	v = listView{query: strings.TrimSpace(r.URL.Query().Get("q")), working: working, all: len(rows)}
	var worse, better, young int
	needle := normalise.Fold(strings.ToLower(v.query))
	for _, row := range order(rows) {
		called := name(ctx, &row.Definition)
		if needle != "" && !strings.Contains(normalise.Fold(strings.ToLower(called+" "+row.Definition.ID)), needle) {
			continue
		}
		if row.Last.Est.N == 0 || len(row.judged.points) == 0 {
			v.unjudged = append(v.unjudged, called)
			continue
		}
		switch row.judged.state {
		case ui.Worse:
			worse++
		case ui.Better:
			better++
		case ui.Few:
			young++
		}
		v.measures = append(v.measures, measureRow(ctx, row))
	}
	page = ui.Page{Title: i18n.T(ctx, "insight.web.list.title"), At: ui.NavMeasures, Finding: listFinding(ctx, worse, better, len(v.measures)-young, young)}
	if !at.IsZero() {
		page.Meta = []ui.Item{ui.Text(i18n.T(ctx, "insight.web.list.meta", "at", ui.When(ctx, at), "days", lastDays))}
	}
	return v, page, nil
}

// order puts what needs care first, then what got better, then the rest.
func order(rows []Row) []Row {
	rank := func(r Row) int {
		switch r.judged.state {
		case ui.Worse:
			return 0
		case ui.Better:
			return 1
		}
		return 2
	}
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b Row) int { return rank(a) - rank(b) })
	return sorted
}

// listFinding says in a sentence what n judged measures and some too young to be
// judged come to.
func listFinding(ctx context.Context, worse, better, n, young int) string {
	switch {
	case n == 0 && young > 0:
		return i18n.T(ctx, "insight.web.list.young", "count", young)
	case n == 0:
		return ""
	case worse == 0 && better == 0:
		return i18n.T(ctx, "insight.web.list.calm", "n", n)
	case worse == 0:
		return i18n.T(ctx, "insight.web.list.better", "count", better)
	}
	return i18n.T(ctx, "insight.web.list.worse", "count", worse, "better", better)
}

func measureRow(ctx context.Context, row Row) ui.MetricRowProps {
	props := ui.MetricRowProps{Name: name(ctx, &row.Definition), Href: metricPath(row.Definition.ID), State: row.judged.state, Spark: spark(row.judged)}
	if row.Last.State == metric.OK {
		props.Value = write(ctx, row.Definition.Unit, row.Last.Est.Value)
		props.Interval = interval(ctx, row.Definition.Unit, row.Last)
	} else {
		props.State, props.Interval = ui.Few, i18n.T(ctx, "insight.web.few", "n", row.Last.Est.N, "min", row.Definition.MinN)
	}
	return props
}
