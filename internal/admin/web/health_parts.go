package web

import (
	"cmp"
	"context"
	"strings"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// answered words what a try gave: how long it took, or why it failed.
func answered(ctx context.Context, p Part) string {
	if p.Err != nil {
		return i18n.Error(ctx, p.Err)
	}
	if p.Took < time.Millisecond {
		return i18n.Fmt(ctx).Int(p.Took.Microseconds()) + "\u00a0µs"
	}
	return i18n.Fmt(ctx).Decimal(float64(p.Took.Microseconds())/1000, 1) + "\u00a0ms"
}

func partTable(ctx context.Context, parts []Part) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "admin.web.health.parts"), Columns: []ui.Column{
		{Key: "part", Label: i18n.T(ctx, "admin.web.health.part")},
		{Key: "did", Label: i18n.T(ctx, "admin.web.health.did"), Wide: true},
		{Key: "answer", Label: i18n.T(ctx, "admin.web.health.answer"), Numeric: true},
	}}
	for _, p := range parts {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{
			{Text: i18n.T(ctx, "admin.web.health.part."+p.Key), Sub: p.Kind},
			{Text: i18n.T(ctx, "admin.web.health.did."+p.Key)},
			{Text: answered(ctx, p), Care: p.Err != nil},
		}})
	}
	return t
}

// machineFacts are the tries and the machine, for the first run.
func machineFacts(ctx context.Context, parts []Part, pl Place) []ui.KeyValue {
	var out []ui.KeyValue
	for _, p := range parts {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "admin.web.health.part."+p.Key), Node: tried(p.Err == nil, answered(ctx, p))})
	}
	if pl.DiskTotal > 0 {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "admin.web.health.disk"), Node: tried(pl.DiskFree >= lowDisk, i18n.Fmt(ctx).Bytes(pl.DiskFree))})
	}
	return append(out,
		ui.KeyValue{Key: i18n.T(ctx, "admin.web.health.cores"), Value: i18n.Fmt(ctx).Int(int64(pl.Cores))},
		ui.KeyValue{Key: i18n.T(ctx, "admin.web.health.zone"), Value: pl.Zone},
		ui.KeyValue{Key: i18n.T(ctx, "admin.web.health.network"), Node: tried(true, i18n.T(ctx, "admin.web.health.network.none"))})
}

// lowDisk is the free space below which the event log soon refuses to append.
const lowDisk = 1 << 30

func machineState(parts []Part) ui.StepState {
	for _, p := range parts {
		if p.Err != nil {
			return ui.StepLate
		}
	}
	return ui.StepDone
}

func machineNote(ctx context.Context, parts []Part) string {
	if machineState(parts) == ui.StepLate {
		return i18n.T(ctx, "admin.web.setup.step.broken")
	}
	return i18n.T(ctx, "admin.web.setup.step.tried", "count", len(parts))
}

func placeFacts(ctx context.Context, v healthView) []ui.KeyValue {
	f, pl := i18n.Fmt(ctx), v.place
	fact := func(key, value string) ui.KeyValue { return ui.KeyValue{Key: i18n.T(ctx, key), Value: value} }
	out := []ui.KeyValue{fact("admin.web.health.up", f.Duration(v.at.Sub(pl.Started)))}
	if pl.DiskTotal > 0 {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "admin.web.health.disk"), Node: tried(pl.DiskFree >= lowDisk, i18n.T(ctx, "admin.web.health.disk.of", "free", f.Bytes(pl.DiskFree), "total", f.Bytes(pl.DiskTotal)))})
	}
	if pl.Memory > 0 {
		out = append(out, fact("admin.web.health.memory", f.Bytes(pl.Memory)))
	}
	return append(out, fact("admin.web.health.cores", f.Int(int64(pl.Cores))), fact("admin.web.health.roles", strings.Join(pl.Roles, ", ")), fact("admin.web.health.folder", pl.Data),
		fact("admin.web.health.zone", pl.Zone), fact("admin.web.health.version", pl.Version+" · "+short(pl.Revision)), fact("admin.web.health.go", pl.Go))
}

func flowMeta(ctx context.Context, fl Flow) []ui.Item {
	f := i18n.Fmt(ctx)
	out := []ui.Item{ui.Text(i18n.T(ctx, "admin.web.health.flow.events", "count", int64(fl.Events))), ui.Text(f.Bytes(int64(fl.Bytes)))}
	if fl.Failures > 0 {
		out = append(out, ui.Care(i18n.T(ctx, "admin.web.health.flow.failures", "count", int64(fl.Failures))))
	}
	return out
}

func projectorName(ctx context.Context, name string) string {
	if key := "admin.web.health.projector." + name; i18n.From(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return name
}

// projectorTable has a line for each projector, and one below it for each
// partition that fails or is late.
func projectorTable(ctx context.Context, fl Flow) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "admin.web.health.flow"), Columns: []ui.Column{
		{Key: "name", Label: i18n.T(ctx, "admin.web.health.projector")},
		{Key: "events", Label: i18n.T(ctx, "admin.web.health.events"), Numeric: true},
		{Key: "behind", Label: i18n.T(ctx, "admin.web.health.behind"), Numeric: true},
		{Key: "applied", Label: i18n.T(ctx, "admin.web.health.applied"), Numeric: true},
		{Key: "repeated", Label: i18n.T(ctx, "admin.web.health.repeated"), Numeric: true},
		{Key: "retries", Label: i18n.T(ctx, "admin.web.health.retries"), Numeric: true},
	}, Empty: ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "admin.web.health.flow.none"), Text: i18n.T(ctx, "admin.web.health.flow.none.text")})}
	for from := 0; from < len(fl.Projectors); {
		until := from
		for until < len(fl.Projectors) && fl.Projectors[until].Name == fl.Projectors[from].Name {
			until++
		}
		own := fl.Projectors[from:until]
		t.Rows = append(t.Rows, projectorRow(ctx, sumOf(own), projectorName(ctx, own[0].Name), i18n.T(ctx, "admin.web.health.partitions", "count", len(own))))
		for _, p := range own {
			if p.Failure != "" || p.Behind > lagTold {
				place := i18n.T(ctx, "admin.web.health.at_place", "n", int64(p.Position), "all", int64(p.Last))
				t.Rows = append(t.Rows, projectorRow(ctx, p, i18n.T(ctx, "admin.web.health.partition", "n", p.Partition), cmp.Or(p.Failure, place)))
			}
		}
		from = until
	}
	return t
}

// sumOf is a projector over its partitions: what waits in all, and the longest delay.
func sumOf(parts []Projector) (sum Projector) {
	for _, p := range parts {
		sum.Events += p.Events
		sum.Applied += p.Applied
		sum.Repeated += p.Repeated
		sum.Retries += p.Retries
		sum.Behind = max(sum.Behind, p.Behind)
		sum.Failure = cmp.Or(sum.Failure, p.Failure)
	}
	return sum
}

func projectorRow(ctx context.Context, p Projector, name, note string) ui.Row {
	f := i18n.Fmt(ctx)
	behind := i18n.T(ctx, "admin.web.health.level")
	if p.Events > 0 || p.Behind > 0 {
		behind = f.Duration(p.Behind)
	}
	return ui.Row{Cells: []ui.Cell{
		{Text: name, Sub: note}, {Text: f.Int(int64(p.Events))}, {Text: behind, Care: p.Behind > lagTold},
		{Text: f.Int(int64(p.Applied))}, {Text: f.Int(int64(p.Repeated))}, {Text: f.Int(int64(p.Retries)), Care: p.Failure != ""},
	}}
}

func lettersMeta(ctx context.Context, l Letters) []ui.Item {
	if l.Failed == 0 {
		return nil
	}
	return []ui.Item{ui.Care(i18n.T(ctx, "admin.web.health.letters.failed", "count", l.Failed)), ui.Text(i18n.T(ctx, "admin.web.health.letters.waiting", "count", l.Waiting))}
}

func letterTable(ctx context.Context, v healthView) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{Label: i18n.T(ctx, "admin.web.health.letters"), Columns: []ui.Column{
		{Key: "reason", Label: i18n.T(ctx, "admin.web.health.letter.reason")},
		{Key: "subject", Label: i18n.T(ctx, "admin.web.health.letter.subject")},
		{Key: "where", Label: i18n.T(ctx, "admin.web.health.letter.where"), Numeric: true},
		{Key: "tries", Label: i18n.T(ctx, "admin.web.health.letter.tries"), Numeric: true},
		{Key: "since", Label: i18n.T(ctx, "admin.web.health.letter.since"), Numeric: true},
		{Key: "act", Label: "", Wide: true},
	}}
	for _, l := range v.letters.Items {
		act := ui.Cell{}
		if v.edit {
			act.Node = letterActs(l)
		}
		t.Rows = append(t.Rows, ui.Row{ID: l.Handler + "/" + l.Subject, Cells: []ui.Cell{
			{Text: l.Reason, Sub: l.Handler}, {Text: short(l.Subject)}, {Text: l.where()}, {Text: f.Int(int64(l.Attempts))}, {Text: ui.When(ctx, l.Since)}, act}})
	}
	return t
}

func jobCols(v healthView) int {
	if v.seesOutbox {
		return 8
	}
	return 0
}

func jobTable(ctx context.Context, v healthView) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "admin.web.health.jobs"), Columns: []ui.Column{
		{Key: "kind", Label: i18n.T(ctx, "admin.web.health.job")},
		{Key: "state", Label: i18n.T(ctx, "admin.web.people.state")},
		{Key: "done", Label: i18n.T(ctx, "admin.web.health.job.done"), Numeric: true},
		{Key: "at", Label: i18n.T(ctx, "admin.web.health.job.at"), Numeric: true},
		{Key: "act", Label: "", Numeric: true},
	}}
	for _, j := range v.jobs {
		t.Rows = append(t.Rows, ui.Row{ID: j.ID, Cells: []ui.Cell{
			{Text: jobName(ctx, j.Kind), Sub: jobNote(ctx, j)}, {Text: jobState(ctx, j), Care: j.State == "failed"},
			{Text: jobDone(ctx, j), Sub: countOf(ctx, j)}, {Text: ui.When(ctx, jobTime(j).In(v.at.Location()))}, jobAct(ctx, v, j)}})
	}
	t.Foot = i18n.T(ctx, "admin.web.health.jobs.foot", "count", len(v.jobs))
	return t
}

func jobName(ctx context.Context, kind string) string {
	if key := "admin.job." + kind; i18n.From(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return kind
}

func jobNote(ctx context.Context, j Job) string {
	if j.Error == "" {
		return ""
	}
	return i18n.Error(ctx, errs.Invalid(j.Error, "", "%s", j.ErrorText))
}

func jobState(ctx context.Context, j Job) string {
	if j.Stopping && j.running() {
		return i18n.T(ctx, "admin.web.health.job.stopping")
	}
	return i18n.T(ctx, "jobs.state."+j.State)
}

func jobDone(ctx context.Context, j Job) string {
	switch {
	case j.State == "done":
		return i18n.Fmt(ctx).Percent(1, 0)
	case j.Total > 0:
		return i18n.Fmt(ctx).Percent(float64(j.Done)/float64(j.Total), 0)
	}
	return ""
}

func countOf(ctx context.Context, j Job) string {
	if j.Total == 0 {
		return ""
	}
	return i18n.T(ctx, "admin.web.health.of", "n", j.Done, "all", j.Total)
}

func outboxFacts(ctx context.Context, counts []StateCount) (out []ui.KeyValue) {
	for _, c := range counts {
		kv := ui.KeyValue{Key: i18n.T(ctx, "outbox.state."+c.State), Value: i18n.Fmt(ctx).Int(c.N)}
		if c.N > 0 && (c.State == "unknown" || c.State == "failed") {
			kv.Node = tried(false, i18n.Fmt(ctx).Int(c.N))
		}
		out = append(out, kv)
	}
	return out
}
