package web

import (
	"net/http"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// homeRows is how many measures the first page names.
const homeRows = 8

// home is the first page: what moved beyond noise, and where to go on.
func (p Pages) home(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	rows, at, working, err := p.Board.Read(ctx)
	if err != nil {
		return err
	}
	var worse, better, judgedN, quiet, young int
	for _, row := range rows {
		if row.Last.Est.N == 0 || len(row.judged.points) == 0 {
			continue
		}
		if row.judged.state == ui.Few {
			young++
			continue
		}
		judgedN++
		switch row.judged.state {
		case ui.Worse:
			worse++
		case ui.Better:
			better++
		default:
			quiet++
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "insight.web.home.title"), At: ui.NavHome, Finding: listFinding(ctx, worse, better, judgedN, young)}
	if !at.IsZero() {
		page.Meta = []ui.Item{ui.Text(i18n.T(ctx, "insight.web.list.meta", "at", ui.When(ctx, at), "days", lastDays))}
	}
	v := homeView{working: working, quiet: quiet, judged: judgedN, young: young, unjudged: len(rows) - judgedN}
	for _, row := range worst(rows, homeRows) {
		v.moved = append(v.moved, measureRow(ctx, row))
	}
	return ui.Render(w, r, homePage(page, v))
}

// homeView is what the first page shows.
type homeView struct {
	moved                   []ui.MetricRowProps
	quiet, judged, unjudged int
	young                   int // with figures, but too few periods to judge
	working                 bool
}
