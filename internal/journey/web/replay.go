package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/observed"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// replayData is where cases stood over time, frame by frame. Its script is
// assets/js/80-replay.js; without it the last frame stands, and the table.
type replayData struct {
	Names  []string   `json:"names"`
	Frames [][]int    `json:"frames"` // by frame and step: cases whose latest event is of it
	When   []string   `json:"when"`
	Counts [][]string `json:"counts"` // the same, formatted
	Most   int        `json:"most"`
	last   string
	table  ui.TableProps
}

// Frames of a replay, and steps that it shows.
const (
	replayFrames = 60
	replaySteps  = 14
)

func (v *replayData) width(i int) string {
	if len(v.Frames) == 0 || v.Most == 0 {
		return "0"
	}
	return svg.Num(100 * float64(v.Frames[len(v.Frames)-1][i]) / float64(v.Most))
}

func (v *replayData) count(ctx context.Context, i int) string {
	if len(v.Frames) == 0 {
		return ""
	}
	return i18n.Fmt(ctx).Int(int64(v.Frames[len(v.Frames)-1][i]))
}

func (p Pages) replayPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := p.slice(r)
	if err != nil {
		return err
	}
	h := p.head(r, s, "replay")
	var v replayData
	if h.Empty {
		return ui.Render(w, r, replayView(p.flowPage(ctx, s, "observed.replay.title", ""), h, v))
	}
	v = p.frames(ctx, s)
	if r.URL.Query().Get("format") == "csv" {
		return ui.WriteCSV(w, "replay.csv", csvColumns("at", "step", "cases"), func(yield func([]string) bool) {
			for i, frame := range v.Frames {
				for k, n := range frame {
					if !yield([]string{v.When[i], v.Names[k], strconv.Itoa(n)}) {
						return
					}
				}
			}
		})
	}
	busiest, at := 0, 0
	for i, frame := range v.Frames {
		sum := 0
		for _, n := range frame {
			sum += n
		}
		if sum > busiest {
			busiest, at = sum, i
		}
	}
	v.table = replayTable(ctx, &v, r)
	finding := i18n.T(ctx, "observed.replay.finding", "count", busiest, "at", v.When[at])
	return ui.Render(w, r, replayView(p.flowPage(ctx, s, "observed.replay.title", finding), h, v))
}

// frames takes the picture of the journey at equal steps of time.
func (p Pages) frames(ctx context.Context, s *observed.Slice) replayData {
	f := i18n.Fmt(ctx)
	first, last, _ := s.Log.TimeRange()
	e := s.Ending()
	var v replayData
	var steps []int32
	names := s.Steps(nil)
	for _, name := range names {
		if id, ok := s.Log.Activities().Lookup(name); ok {
			steps = append(steps, id)
		}
	}
	for _, n := range mining.DirectlyFollows(s.Log).Nodes {
		known := false
		for _, id := range steps {
			known = known || id == n.Activity
		}
		if !known && len(steps) < replaySteps {
			steps = append(steps, n.Activity)
		}
	}
	steps = steps[:min(len(steps), replaySteps)]
	place := map[int32]int{}
	for i, id := range steps {
		place[id] = i
		v.Names = append(v.Names, p.activityName(ctx, s.Log, id))
	}
	for i := range replayFrames {
		at := first + (last-first)*int64(i+1)/replayFrames
		frame := make([]int, len(steps))
		for _, c := range mining.Snapshot(s.Log, e, at) {
			if k, ok := place[c.ID]; ok {
				frame[k] = c.N
			}
		}
		counts := make([]string, len(frame))
		for k, n := range frame {
			counts[k] = f.Int(int64(n))
			v.Most = max(v.Most, n)
		}
		t := time.UnixMicro(at).In(p.Zone)
		when := f.Date(t)
		if last-first < int64(10*24*time.Hour/time.Microsecond) {
			when = f.DateTime(t, t.AddDate(0, 0, 1))
		}
		v.Frames, v.Counts, v.When = append(v.Frames, frame), append(v.Counts, counts), append(v.When, when)
	}
	v.last = v.When[len(v.When)-1]
	return v
}

// replayTable lists every sixth frame.
func replayTable(ctx context.Context, v *replayData, r *http.Request) ui.TableProps {
	columns := []ui.Column{{Key: "at", Label: i18n.T(ctx, "chart.when"), Narrow: true}}
	for i, name := range v.Names {
		columns = append(columns, ui.Column{Key: "s" + strconv.Itoa(i), Label: name, Numeric: true})
	}
	t := ui.TableProps{Label: i18n.T(ctx, "observed.replay.where"), Dense: true, KeepTable: true, Columns: columns, CSV: true, Query: ui.QueryTable(r, "", columns, "")}
	for i := len(v.Frames) - 1; i >= 0; i -= 6 {
		cells := []ui.Cell{{Text: v.When[i]}}
		for _, text := range v.Counts[i] {
			cells = append(cells, ui.Cell{Text: text})
		}
		t.Rows = append(t.Rows, ui.Row{Cells: cells})
	}
	return t
}
