package exchange

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"omote/internal/journey/blueprint"
)

// The sheet of a map: one row a step, so that people can sort and fill it in. The
// head row's names are those of the document's fields, the second row says them
// in words. A second sheet holds the journey itself.
const (
	stepSheet    = "steps"
	journeySheet = "journey"
	maxRows      = 1_000
	maxCells     = 64
)

var stepColumns = func() []string {
	out := []string{"stage", "stage_name", "step", "name_vi", "name_en", "actor", "kind", "channels", "events", "unseen", "max_wait", "optional", "group", "group_mode", "branch", "moment"}
	for _, l := range blueprint.Layers {
		out = append(out, string(l))
	}
	return append(out, "intent", "expectation", "owner", "accountable", "responsible", "consulted", "informed", "shared")
}()

func writeXLSX(d *blueprint.Document, locale string) (_ []byte, err error) {
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.SetSheetName("Sheet1", stepSheet); err != nil {
		return nil, err
	}
	head := make([]any, len(stepColumns))
	for i, c := range stepColumns {
		head[i] = c
	}
	rows := [][]any{head}
	for _, st := range d.Stages {
		for i := range st.Steps {
			rows = append(rows, stepRow(d, st, &st.Steps[i], locale))
		}
	}
	for i, row := range rows {
		if err := f.SetSheetRow(stepSheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
			return nil, err
		}
	}
	if _, err := f.NewSheet(journeySheet); err != nil {
		return nil, err
	}
	facts := [][]any{{"journey", d.Journey}, {"name_vi", d.Name.VI}, {"name_en", d.Name.EN}, {"promise_vi", d.Promise.VI}, {"promise_en", d.Promise.EN}, {"owner", d.Owner}, {"parent", d.Parent},
		{"timeout", d.Timeout.String()}, {"start", list(d.Start)}, {"success", list(d.Success)}, {"failure", list(d.Failure)}, {"exceptions", list(d.Exceptions)}, {"metrics", list(d.Metrics)}, {"segments", list(d.Segments)}, {"cost", d.Cost}}
	for i, row := range facts {
		if err := f.SetSheetRow(journeySheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
			return nil, err
		}
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.SetRowStyle(stepSheet, 1, 1, bold), f.SetColStyle(journeySheet, "A", bold), f.SetColWidth(stepSheet, "A", "AE", 18), f.SetColWidth(journeySheet, "B", "B", 60),
		f.SetPanes(stepSheet, &excelize.Panes{Freeze: true, XSplit: 4, YSplit: 1, TopLeftCell: "E2", ActivePane: "bottomRight"})); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = f.Write(&b)
	return b.Bytes(), err
}

func list(s []string) string { return strings.Join(s, ", ") }

func stepRow(d *blueprint.Document, st blueprint.Stage, s *blueprint.Step, locale string) []any {
	g := d.GroupOf(s)
	mode := string(g.Mode)
	if g.Optional {
		mode += ", optional"
	}
	row := []any{st.ID, say(st.Name, locale), s.ID, s.Name.VI, s.Name.EN, string(s.Actor), string(s.Kind), list(s.Channels), list(s.Events), yes(s.Unseen), s.MaxWait.String(), yes(s.Optional),
		g.ID, mode, s.Branch, yes(s.Moment)}
	for _, l := range blueprint.Layers {
		c := s.Layers[l]
		if c.None {
			row = append(row, "-")
		} else {
			row = append(row, c.Text)
		}
	}
	return append(row, s.Intent, s.Expectation, s.Owner, list(s.RACI.Accountable), list(s.RACI.Responsible), list(s.RACI.Consulted), list(s.RACI.Informed), s.Shared)
}

func readXLSX(raw []byte) (_ *blueprint.Document, err error) {
	f, err := excelize.OpenReader(bytes.NewReader(raw), excelize.Options{UnzipSizeLimit: 64 << 20, UnzipXMLSizeLimit: 16 << 20})
	if err != nil {
		return nil, wrong("xlsx", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rows, err := sheetRows(f, stepSheet)
	if err != nil {
		return nil, wrong("xlsx", err)
	}
	if len(rows) < 2 {
		return nil, wrong("xlsx", fmt.Errorf("the sheet %q needs a head row and a row for each step", stepSheet))
	}
	d := &blueprint.Document{}
	if facts, err := sheetRows(f, journeySheet); err == nil {
		if err := journeyFacts(d, facts); err != nil {
			return nil, wrong("xlsx", err)
		}
	}
	return d, stepRows(d, rows)
}

func sheetRows(f *excelize.File, sheet string) ([][]string, error) {
	it, err := f.Rows(sheet)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var out [][]string
	for it.Next() {
		cells, err := it.Columns()
		if err != nil {
			return nil, err
		}
		if len(out) >= maxRows || len(cells) > maxCells {
			return nil, fmt.Errorf("the sheet %q has more than %d rows or %d columns", sheet, maxRows, maxCells)
		}
		out = append(out, cells)
	}
	return out, it.Error()
}

func journeyFacts(d *blueprint.Document, rows [][]string) error {
	for _, row := range rows {
		if len(row) < 2 {
			continue
		}
		v := strings.TrimSpace(row[1])
		switch strings.TrimSpace(row[0]) {
		case "journey":
			d.Journey = v
		case "name_vi":
			d.Name.VI = v
		case "name_en":
			d.Name.EN = v
		case "promise_vi":
			d.Promise.VI = v
		case "promise_en":
			d.Promise.EN = v
		case "owner":
			d.Owner = v
		case "parent":
			d.Parent = v
		case "timeout":
			if err := d.Timeout.UnmarshalJSON(fmt.Appendf(nil, "%q", v)); err != nil {
				return err
			}
		case "start":
			d.Start = splitList(v)
		case "success":
			d.Success = splitList(v)
		case "failure":
			d.Failure = splitList(v)
		case "exceptions":
			d.Exceptions = splitList(v)
		case "metrics":
			d.Metrics = splitList(v)
		case "segments":
			d.Segments = splitList(v)
		case "cost":
			d.Cost = v
		}
	}
	return nil
}

func stepRows(d *blueprint.Document, rows [][]string) error {
	at := map[string]int{}
	for i, name := range rows[0] {
		at[strings.ToLower(strings.TrimSpace(name))] = i
	}
	if _, ok := at["name_vi"]; !ok {
		if _, ok := at["name_en"]; !ok {
			return wrong("xlsx", fmt.Errorf("the head row of %q needs name_vi or name_en", stepSheet))
		}
	}
	stages, steps := map[string]int{}, map[string]bool{}
	for n, row := range rows[1:] {
		get := func(name string) string {
			if i, ok := at[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		name := blueprint.Text{VI: get("name_vi"), EN: get("name_en")}
		if name == (blueprint.Text{}) && get("step") == "" {
			continue // an empty row
		}
		id := unique(safeID(get("step"), cmp.Or(name.EN, name.VI), fmt.Sprintf("step_%d", n+1)), steps)
		s := blueprint.Step{ID: id, Name: name, Actor: blueprint.Actor(get("actor")), Kind: blueprint.Kind(get("kind")), Channels: splitList(get("channels")), Events: splitList(get("events")),
			Unseen: get("unseen") != "", Optional: get("optional") != "", Group: get("group"), Branch: get("branch"), Moment: get("moment") != "", Intent: get("intent"),
			Expectation: get("expectation"), Owner: get("owner"), Shared: get("shared"), RACI: blueprint.RACI{Accountable: splitList(get("accountable")), Responsible: splitList(get("responsible")),
				Consulted: splitList(get("consulted")), Informed: splitList(get("informed"))}}
		if err := s.MaxWait.UnmarshalJSON(fmt.Appendf(nil, "%q", get("max_wait"))); err != nil {
			return wrong("xlsx", fmt.Errorf("row %d: %w", n+2, err))
		}
		for _, l := range blueprint.Layers {
			c := blueprint.Cell{Text: get(string(l))}
			if c.Text == "-" {
				c = blueprint.Cell{None: true}
			}
			if !c.Empty() {
				if s.Layers == nil {
					s.Layers = map[blueprint.Layer]blueprint.Cell{}
				}
				s.Layers[l] = c
			}
		}
		if s.Group != "" && !hasGroup(d, s.Group) {
			mode, optional := strings.CutSuffix(get("group_mode"), ", optional")
			d.Groups = append(d.Groups, blueprint.Group{ID: s.Group, Mode: blueprint.Mode(mode), Optional: optional})
		}
		stage := cmp.Or(get("stage"), idOf(get("stage_name"), "stage_1"))
		i, known := stages[stage]
		if !known {
			i = len(d.Stages)
			stages[stage] = i
			d.Stages = append(d.Stages, blueprint.Stage{ID: safeID(stage, get("stage_name"), fmt.Sprintf("stage_%d", i+1)), Name: both(cmp.Or(get("stage_name"), stage))})
		}
		d.Stages[i].Steps = append(d.Stages[i].Steps, s)
	}
	return nil
}

func hasGroup(d *blueprint.Document, id string) bool {
	for _, g := range d.Groups {
		if g.ID == id {
			return true
		}
	}
	return false
}
