package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"omote/internal/journey/moment"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

const choosePath = "/journey/choose"

// chooseData is what the choice of journeys shows.
type chooseData struct {
	choice  moment.Choice
	table   ui.TableProps
	wrong   ui.FieldErrors
	ready   bool
	edit    bool
	journey string // whose feasibility is stated
	merit   moment.Merit
	options []ui.Option
}

// choiceOf reads the weights of an address: w.value=1-3 and so on, and how many.
func choiceOf(q url.Values) moment.Choice {
	c := moment.UsualChoice()
	for _, k := range moment.Criteria {
		low, errLow := strconv.ParseFloat(strings.Replace(q.Get(string(k)+".low"), ",", ".", 1), 64)
		high, errHigh := strconv.ParseFloat(strings.Replace(q.Get(string(k)+".high"), ",", ".", 1), 64)
		if errLow == nil && errHigh == nil {
			c.Weights[k] = moment.WeightRange{Low: low, High: high}
		}
	}
	if n, err := strconv.Atoi(q.Get("n")); err == nil && n > 0 && n <= 12 {
		c.Chosen = n
	}
	return c
}

func (p MomentPages) choose(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	v := chooseData{choice: choiceOf(q), edit: auth.Can(ctx, moment.PermEdit), journey: q.Get("journey")}
	found, err := p.Moments.Choose(ctx, v.choice)
	status := http.StatusOK
	if err != nil {
		if errs.KindOf(err) != errs.KindInvalid {
			return err
		}
		v.wrong, status, found = ui.ErrorsFrom(ctx, err), http.StatusUnprocessableEntity, &moment.Chosen{}
		usual := moment.UsualChoice()
		if found, err = p.Moments.Choose(ctx, usual); err != nil {
			return err
		}
	}
	v.ready = found.Ready && len(found.Journeys) > 0
	if q.Get("format") == "csv" {
		return chooseCSV(w, found)
	}
	p.fillChoice(ctx, &v, found, r)
	page := ui.Page{Title: i18n.T(ctx, "choose.title"), At: ui.NavJourneys, Finding: p.chooseFinding(ctx, found), Meta: p.runMeta(ctx, found.Run, found.Ready),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "journey.list.title"), Href: listPath}}}
	return ui.RenderStatus(w, r, status, choosePage(page, v))
}

func (p MomentPages) chooseFinding(ctx context.Context, found *moment.Chosen) string {
	var names []string
	for _, j := range found.Journeys {
		if j.InSet {
			names = append(names, "**"+j.Name.In(i18n.Locale(ctx))+"**")
		}
	}
	if len(names) == 0 {
		return ""
	}
	key := "choose.finding.open"
	if found.SetShare >= 0.5 {
		key = "choose.finding"
	}
	return i18n.T(ctx, key, "names", strings.Join(names, ", "), "share", i18n.Fmt(ctx).Percent(found.SetShare, 0))
}

func (p MomentPages) fillChoice(ctx context.Context, v *chooseData, found *moment.Chosen, r *http.Request) {
	f := i18n.Fmt(ctx)
	columns := []ui.Column{{Key: "journey", Label: i18n.T(ctx, "journey.word")}, {Key: "chosen", Label: i18n.T(ctx, "choose.chosen"), Numeric: true}, {Key: "rank", Label: i18n.T(ctx, "choose.rank"), Numeric: true}}
	for _, k := range moment.Criteria {
		columns = append(columns, ui.Column{Key: string(k), Label: i18n.T(ctx, "choose.by."+string(k)), Numeric: true})
	}
	v.table = ui.TableProps{Label: i18n.T(ctx, "choose.title"), Columns: columns, CSV: true, Query: ui.QueryTable(r, "", columns, "")}
	for _, j := range found.Journeys {
		name := j.Name.In(i18n.Locale(ctx))
		if name == "" {
			name = j.Journey
		}
		cells := []ui.Cell{{Text: name, Sub: i18n.T(ctx, "choose.quarterly", "count", int(j.Quarterly)), Href: journeyPath(j.Journey)},
			{Text: "**" + f.Percent(j.Chosen, 0) + "**"}, {Text: f.Int(int64(j.LowRank)) + " – " + f.Int(int64(j.HiRank))}}
		for _, k := range moment.Criteria {
			m := j.Merits[k]
			cell := ui.Cell{Text: f.Decimal(10*m.Mid, 1), Sub: f.Decimal(10*m.Low, 1) + " – " + f.Decimal(10*m.High, 1)}
			switch {
			case k == moment.ByFeasibility && !j.Stated:
				cell.Sub += ", " + i18n.T(ctx, "choose.hint")
			case k == moment.ByFeeling && !j.Feeling.Known:
				cell = ui.Cell{Text: i18n.T(ctx, "feeling.unasked"), Mute: true}
			}
			cells = append(cells, cell)
		}
		v.table.Rows = append(v.table.Rows, ui.Row{ID: j.Journey, Cells: cells})
		v.options = append(v.options, ui.Option{Value: j.Journey, Label: name})
		if v.journey == "" || v.journey == j.Journey {
			v.journey, v.merit = j.Journey, j.Merits[moment.ByFeasibility]
		}
	}
	v.table.Foot = i18n.T(ctx, "choose.foot")
}

func chooseCSV(w http.ResponseWriter, found *moment.Chosen) error {
	names := []string{"journey", "chosen", "first", "low_rank", "high_rank", "in_set", "cases_quarter", "loss_quarter", "loss_low", "loss_high"}
	for _, k := range moment.Criteria {
		names = append(names, string(k), string(k)+"_low", string(k)+"_high")
	}
	return ui.WriteCSV(w, "choice.csv", csvColumns(names...), func(yield func([]string) bool) {
		for _, j := range found.Journeys {
			row := []string{j.Journey, num(j.Chosen), num(j.First), strconv.Itoa(j.LowRank), strconv.Itoa(j.HiRank), strconv.FormatBool(j.InSet), num(j.Quarterly), num(j.Loss.Value), num(j.Loss.Low), num(j.Loss.High)}
			for _, k := range moment.Criteria {
				row = append(row, num(j.Merits[k].Mid), num(j.Merits[k].Low), num(j.Merits[k].High))
			}
			if !yield(row) {
				return
			}
		}
	})
}

// saveFeasibility states how feasible a change of a journey is.
func (p MomentPages) saveFeasibility(w http.ResponseWriter, r *http.Request) error {
	ask := func(name string) float64 {
		x, err := strconv.ParseFloat(strings.Replace(r.FormValue(name), ",", ".", 1), 64)
		if err != nil {
			return -1 // outside the range, which the service refuses
		}
		return x / 10
	}
	m := moment.Merit{Low: ask("feasibility.low"), Mid: ask("feasibility.mid"), High: ask("feasibility.high")}
	if err := p.Moments.SetFeasibility(r.Context(), r.FormValue("journey"), m); err != nil {
		return err
	}
	http.Redirect(w, r, choosePath, http.StatusSeeOther)
	return nil
}
