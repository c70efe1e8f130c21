package web

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"omote/analytics/mining"
	"omote/analytics/stats"
	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/journey/moment"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
	"omote/internal/ui/flow"
)

// overlay is the designed journey laid over what happened: the steps of the
// version in force as one node each, however many events show a step, and how the
// cases on the page fit them.
type overlay struct {
	d      *blueprint.Document
	number int // of the version
	report *conform.Report
	log    *mining.Log // activities are steps, what is not designed keeps its name
	graph  *mining.Graph
	rare   int // activities that are one in log
}

// stepPrefix marks the activities of an overlay's log that are designed steps.
const stepPrefix = "\x01"

// layOver lays the designed journey over the map where the address asks for it,
// and finds what handling costs.
func (v *view) layOver() error {
	if v.Graph == nil {
		return nil
	}
	if property := v.Definition.Cost; property != "" {
		v.costs = &moment.Costing{Property: property}
	} else if v.pages.Worth != nil {
		w, err := v.pages.Worth(v.ctx)
		switch {
		case err == nil:
			v.costs = &moment.Costing{Worth: w}
		case errs.KindOf(err) != errs.KindDenied:
			return err
		}
	}
	if v.metric == "cost" && v.costs == nil {
		v.metric = "count"
	}
	if v.pages.Maps == nil || v.Query.Journey == "" || v.Query.By != "" {
		return nil
	}
	live, err := v.pages.Maps.Version(v.ctx, v.Query.Journey, 0)
	if k := errs.KindOf(err); k == errs.KindNotFound || k == errs.KindDenied {
		return nil
	}
	if err != nil {
		return err
	}
	v.designs = true
	if v.query.Get("lay") != "design" {
		return nil
	}
	o := &overlay{d: live.Document, number: live.Number}
	if o.report, err = conform.Compare(o.d, v.Log, conform.Part{}, nil); err != nil {
		if errs.KindOf(err) == errs.KindInvalid { // a map that cannot be walked is told on its own page
			return nil
		}
		return err
	}
	v.design = o
	return nil
}

// relabel makes one activity of all events of a step. Of the others the most
// frequent keep ones stand by themselves.
func (o *overlay) relabel(l *mining.Log, keep int) {
	names := slices.Clone(l.Activities().Names())
	for _, s := range o.d.Steps() {
		for _, e := range s.Events {
			if id, ok := l.Activities().Lookup(e); ok && names[id] == e {
				names[id] = stepPrefix + s.ID
			}
		}
	}
	o.log = mining.Relabel(l, names)
	o.graph = mining.DirectlyFollows(o.log)
	o.rare = 0
	outside := slices.DeleteFunc(slices.Clone(o.graph.Nodes), func(n mining.Node) bool { return o.step(o.log, n.Activity) != nil })
	if len(outside) <= keep+1 {
		return
	}
	o.rare = len(outside) - keep
	slices.SortStableFunc(outside, func(a, b mining.Node) int { return cmp.Compare(b.Cases, a.Cases) })
	grouped := slices.Clone(o.log.Activities().Names())
	for _, n := range outside[keep:] {
		grouped[n.Activity] = otherName
	}
	o.log = mining.Relabel(o.log, grouped)
	o.graph = mining.DirectlyFollows(o.log)
}

// otherName is the activity that stands for the rare ones.
const otherName = "\x00other"

// step is the designed step that an activity of the overlay's log is, or nil.
func (o *overlay) step(l *mining.Log, activity int32) *blueprint.Step {
	name := l.Activities().Name(activity)
	if len(name) == 0 || name[:1] != stepPrefix {
		return nil
	}
	return o.d.Step(name[1:])
}

// designMap is the map with the designed journey as its spine. Steps that the
// design wants and nobody made stand there too; a step that cases make worse than
// the journey as a whole, beyond chance, is marked with what is wrong.
func (v *view) designMap(outside int, coverage float64) flow.MapProps {
	o := v.design
	o.relabel(v.Log, max(1, outside/4))
	m := flow.MapProps{ID: "map", Label: ui.PlainText(v.designFinding()), Total: int64(v.Log.Cases()), Coverage: coverage, Unit: i18n.T(v.ctx, "journey.unit.cases"), Show: flow.ByTime}
	if v.metric == "count" {
		m.Show = flow.ByCount
	}
	place, seen := map[string]int{}, map[string]bool{}
	for i, s := range o.d.Steps() {
		place[s.ID] = i + 1
	}
	for _, n := range o.graph.Nodes {
		node := flow.Node{Key: strconv.Itoa(int(n.Activity)), Cases: int64(n.Cases), Events: int64(n.Events), Starts: int64(n.Starts), Ends: int64(n.Ends)}
		if s := o.step(o.log, n.Activity); s != nil {
			node.Name, node.Step, seen[s.ID] = v.stepLabel(s), place[s.ID], true
			node.Remark = v.remark(s.ID)
		} else if name := o.log.Activities().Name(n.Activity); name == otherName {
			node.Name = i18n.T(v.ctx, "observed.group.other", "count", o.rare)
		} else {
			node.Name = v.pages.Label(v.ctx, name)
			node.Care = slices.Contains(o.d.Exceptions, name)
		}
		m.Nodes = append(m.Nodes, node)
	}
	for _, s := range o.d.Steps() {
		if !seen[s.ID] && len(s.Events) > 0 {
			m.Nodes = append(m.Nodes, flow.Node{Key: "step " + s.ID, Name: v.stepLabel(s), Step: place[s.ID], Remark: i18n.T(v.ctx, "observed.design.never")})
		}
	}
	f, beside := i18n.Fmt(v.ctx), v.beside(o.log, o.graph)
	for i, e := range o.graph.Edges {
		edge := flow.Edge{From: strconv.Itoa(int(e.Source)), To: strconv.Itoa(int(e.Target)), Count: int64(e.Count), Cases: int64(e.Cases), Time: beside(i)}
		if v.metric == "count" {
			edge.Time = "" // the spine then counts
		}
		from, to := o.step(o.log, e.Source), o.step(o.log, e.Target)
		if from != nil && to != nil && from != to && to.MaxWait > 0 {
			edge.Promise = "≤ " + f.DurationShort(time.Duration(to.MaxWait))
			edge.Care = e.Count >= 20 && e.Wait.Median > time.Duration(to.MaxWait).Seconds()
		}
		m.Edges = append(m.Edges, edge)
	}
	return m
}

func (v *view) stepLabel(s *blueprint.Step) string {
	return cmp.Or(s.Name.In(i18n.Locale(v.ctx)), s.Name.EN, s.Name.VI, s.ID)
}

// leastSteps is the number of cases from which a step is judged.
const leastSteps = 30

// remark says what is wrong with a step, "" where nothing is beyond chance: its
// fitness lies wholly below that of the journey.
func (v *view) remark(step string) string {
	r := v.design.report
	s := r.Step(step)
	if s == nil || s.Done+s.Skipped < leastSteps || !(s.Fitness.High < r.Fitness.Low) {
		return ""
	}
	f := i18n.Fmt(v.ctx)
	key, most := "", 0.0
	for _, x := range []struct {
		key   string
		share float64
	}{{"skipped", share(s.Skipped, s.Done+s.Skipped)}, {"late", share(s.Late, s.Done)}, {"again", share(s.Repeated, s.Done)}, {"apart", share(s.Apart, s.Done)}} {
		if x.share > most {
			key, most = x.key, x.share
		}
	}
	if key == "" {
		return ""
	}
	return i18n.T(v.ctx, "observed.design."+key, "share", f.Percent(most, 0))
}

// designFinding says how well the cases fit the design, and where they do worst.
func (v *view) designFinding() string {
	f, r := i18n.Fmt(v.ctx), v.design.report
	if r.Cases == 0 {
		return i18n.T(v.ctx, "observed.design.none", "open", r.Open)
	}
	text := i18n.T(v.ctx, "observed.design.finding", "count", r.Cases, "value", f.Decimal(r.Fitness.Value, 2), "range", f.Interval(r.Fitness.Low, r.Fitness.High, 2))
	if worst := r.Worst(1, leastSteps); len(worst) > 0 {
		if s := v.design.d.Step(worst[0].Step); s != nil {
			text += " " + i18n.T(v.ctx, "observed.design.worst", "step", v.stepLabel(s), "share", f.Percent(1-worst[0].Fitness.Value, 0))
		}
	}
	return text
}

// designTable sets each designed step against what happened, with how it feels and
// what it costs.
func (v *view) designTable() ui.TableProps {
	o, f := v.design, i18n.Fmt(v.ctx)
	t := ui.TableProps{ID: "design", Label: i18n.T(v.ctx, "observed.design.table"), Columns: []ui.Column{
		{Key: "step", Label: i18n.T(v.ctx, "moment.step")}, {Key: "fit", Label: i18n.T(v.ctx, "observed.design.fit"), Numeric: true},
		{Key: "skipped", Label: i18n.T(v.ctx, "observed.design.col.skipped"), Numeric: true}, {Key: "late", Label: i18n.T(v.ctx, "observed.design.col.late"), Numeric: true},
		{Key: "again", Label: i18n.T(v.ctx, "observed.design.col.again"), Numeric: true}, {Key: "wait", Label: i18n.T(v.ctx, "observed.design.col.wait"), Numeric: true},
		{Key: "feeling", Label: i18n.T(v.ctx, "observed.show.feeling"), Numeric: true}}}
	if v.costs != nil {
		t.Columns = append(t.Columns, ui.Column{Key: "cost", Label: i18n.T(v.ctx, "observed.show.cost"), Numeric: true})
	}
	nodeOf := map[string]int{}
	for i, n := range o.graph.Nodes {
		if s := o.step(o.log, n.Activity); s != nil {
			nodeOf[s.ID] = i
		}
	}
	felt := mining.Measure(o.log, o.graph, "feeling")
	var spent *mining.Measures
	if v.costs != nil {
		spent = mining.MeasureBy(o.log, o.graph, v.costs.Of(o.log))
	}
	none := ui.Cell{Text: "–", Mute: true}
	for _, s := range o.d.Steps() {
		r := o.report.Step(s.ID)
		node, seen := nodeOf[s.ID]
		row := []ui.Cell{{Text: v.stepLabel(s), Href: "/journey/blueprints/" + o.d.Journey + "/steps/" + s.ID}, none, none, none, none, none, none}
		if r != nil && r.Done+r.Skipped > 0 {
			row[1] = ui.Cell{Text: f.Decimal(r.Fitness.Value, 2), Sub: f.Interval(r.Fitness.Low, r.Fitness.High, 2), Care: v.remark(s.ID) != ""}
			row[2] = ui.Cell{Text: f.Percent(share(r.Skipped, r.Done+r.Skipped), 1), Sub: f.Int(int64(r.Skipped))}
			row[4] = ui.Cell{Text: f.Percent(share(r.Repeated, r.Done), 1), Sub: f.Int(int64(r.Repeated))}
			if s.MaxWait > 0 && r.Done > 0 {
				row[3] = ui.Cell{Text: f.Percent(share(r.Late, r.Done), 1), Sub: f.Int(int64(r.Late))}
			}
			if r.Waits > 0 {
				row[5] = ui.Cell{Text: f.SecondsShort(r.Median)}
			}
			if s.MaxWait > 0 {
				row[5].Sub = "≤ " + f.DurationShort(time.Duration(s.MaxWait))
			}
		}
		if seen && felt != nil && felt.Nodes[node].N > 0 {
			e := stats.Mean(felt.Nodes[node], 0)
			row[6] = ui.Cell{Text: f.Decimal(10*e.Value, 1), Sub: "n = " + f.Int(int64(e.N))}
			if e.Valid() && !math.IsNaN(e.Low) {
				row[6].Sub = f.Interval(10*max(0, e.Low), 10*min(1, e.High), 1) + " · " + row[6].Sub
			}
		}
		if v.costs != nil {
			cost := none
			if seen && spent != nil {
				low, mid, high := v.costs.Totals(o.log, o.graph.Nodes[node].Activity)
				money := func(x float64) string { return f.MoneyShort(money.Amount{Minor: int64(x), Currency: v.pages.Currency}) }
				switch {
				case v.costs.Property != "" && mid != 0:
					cost = ui.Cell{Text: money(mid)}
				case high > 0:
					cost = ui.Cell{Text: money(mid), Sub: money(low) + " – " + money(high)}
				}
			}
			row = append(row, cost)
		}
		t.Rows = append(t.Rows, ui.Row{ID: s.ID, Cells: row})
	}
	return t
}

// layChips switch between what happened alone and with the design laid over.
func (v *view) layChips() []ui.ChipProps {
	if !v.designs {
		return nil
	}
	return []ui.ChipProps{{Label: i18n.T(v.ctx, "observed.lay.alone"), Href: v.address("lay", ""), Pressed: v.design == nil},
		{Label: i18n.T(v.ctx, "observed.lay.design"), Href: v.address("lay", "design"), Pressed: v.design != nil}}
}

// costNote says what the costs rest on.
func (v *view) costNote(ctx context.Context) ui.NoteProps {
	if property := v.costs.Property; property != "" {
		return ui.NoteProps{Kind: ui.NoteFew, Text: i18n.T(ctx, "observed.cost.property", "property", property)}
	}
	key := "observed.cost.stated"
	if v.costs.Worth.Assumed {
		key = "observed.cost.assumed"
	}
	return ui.NoteProps{Kind: ui.NoteFew, Text: i18n.T(ctx, key), Link: ui.Link{Label: i18n.T(ctx, "pain.worth"), Href: painsPath + "/worth"}}
}
