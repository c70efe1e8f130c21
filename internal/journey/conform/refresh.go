package conform

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"omote/analytics/stats"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"

	"omote/internal/journey/blueprint"
)

// Summary is the conformance of a journey over the whole bank, as last computed.
type Summary struct {
	Journey    string
	Version    int
	Cases      int
	Open       int
	Fitness    stats.Estimate
	Worst      string // step that fits least
	WorstFit   float64
	Breadth    float64 // of coverage
	Depth      float64
	Blind      int // steps of which no feeling is known
	Divergence float64
	Drifted    bool
	ComputedAt time.Time `json:"-"`
}

// Reason is why a map must be looked at.
type Reason string

// The reasons.
const (
	// ReasonDrift: the paths have moved beyond chance.
	ReasonDrift Reason = "drift"
	// ReasonAge: the version in force is older than a year.
	ReasonAge Reason = "age"
)

// MaxAge is how long a map holds without being looked at (requirement 004-8.7).
const MaxAge = 365 * 24 * time.Hour

// minWorst is how many cases a step needs before it is named as the worst.
const minWorst = 30

// Task asks the owner of a journey to look at its map.
type Task struct {
	ID      string
	Journey string
	Reason  Reason
	Version int
	Owner   string
	FoundAt time.Time
	Closed  time.Time // zero: open
	Outcome string
	// Drift is what was found; nil for other reasons.
	Drift *Drift
}

// Refresh computes the conformance of every map in force over the whole bank,
// keeps it for the atlas, and opens tasks for maps that have drifted or aged. The
// platform runs it at night and after a map was put in force.
func (s *Service) Refresh(ctx context.Context) (opened int, err error) {
	sc, ok := scope.From(ctx)
	if _, person := auth.From(ctx); !ok || !sc.System || person {
		return 0, errs.Denied("blueprint.error.install", "only the platform computes for the whole bank")
	}
	all, err := s.maps.Live(ctx)
	if err != nil {
		return 0, err
	}
	for _, v := range all {
		n, err := s.refreshOne(ctx, v)
		if err != nil {
			return opened, fmt.Errorf("conformance of %s: %w", v.Document.Journey, err)
		}
		opened += n
	}
	return opened, nil
}

func (s *Service) refreshOne(ctx context.Context, v blueprint.Version) (opened int, err error) {
	d := v.Document
	sum := Summary{Journey: d.Journey, Version: v.Number, Fitness: stats.Mean(stats.Moments{}, Level)}
	var drift *Drift
	h, err := s.compare(ctx, d, v.Number, Part{})
	switch {
	case errs.KindOf(err) == errs.KindInvalid: // no step is bound: there is nothing to compare
	case err != nil:
		return 0, err
	default:
		sum.Cases, sum.Open, sum.Fitness = h.report.Cases, h.report.Open, h.report.Fitness
		if worst := h.report.Worst(1, minWorst); len(worst) > 0 {
			sum.Worst, sum.WorstFit = worst[0].Step, worst[0].Fitness.Value
		}
		c, err := s.Coverage(ctx, d.Journey)
		if err != nil {
			return 0, err
		}
		sum.Breadth, sum.Depth = c.Breadth, c.Depth
		for _, sc := range c.Steps {
			if sc.Blind() {
				sum.Blind++
			}
		}
		if drift, err = s.Drift(ctx, d.Journey); err != nil {
			return 0, err
		}
		if drift != nil {
			sum.Divergence, sum.Drifted = drift.Divergence, drift.Told()
		}
	}
	body, err := json.Marshal(sum)
	if err != nil {
		return 0, fmt.Errorf("encode a summary: %w", err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		opened = 0
		r := summaryRow{Entity: tx.Scope.Entity, Journey: d.Journey, Version: v.Number, Body: body, ComputedAt: tx.Now()}
		if err := putSummary(ctx, tx, &r); err != nil {
			return err
		}
		var found []taskRow
		if drift.Told() {
			found = append(found, taskRow{Reason: ReasonDrift, Body: must(drift)})
		}
		if !v.DecidedAt.IsZero() && tx.Now().Time().Sub(v.DecidedAt) > MaxAge {
			found = append(found, taskRow{Reason: ReasonAge, Body: json.RawMessage("null")})
		}
		for i := range found {
			f := &found[i]
			if dismissed, err := decidedSince(ctx, tx, d.Journey, f.Reason, v.Number); err != nil || dismissed {
				if err != nil {
					return err
				}
				continue
			}
			f.Entity, f.Task, f.Journey, f.Version, f.Owner, f.FoundAt = tx.Scope.Entity, uuid.Must(uuid.NewV7()).String(), d.Journey, v.Number, d.Owner, tx.Now()
			added, err := addTask(ctx, tx, f)
			if err != nil {
				return err
			}
			if added {
				opened++
				if err := audit.Record(ctx, tx, audit.Entry{Action: "journey.refresh.open", Object: "journey/" + d.Journey, Reason: string(f.Reason)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return opened, err
}

// again is for how long a task that somebody closed is not opened anew for the
// same version and reason.
const again = 90 * 24 * time.Hour

// decidedSince tells whether somebody has closed such a task lately.
func decidedSince(ctx context.Context, tx store.Tx, journey string, reason Reason, version int) (bool, error) {
	all, err := tasks(ctx, tx, false)
	if err != nil {
		return false, err
	}
	for _, t := range all {
		if t.Journey == journey && t.Reason == reason && t.Version == version && t.ClosedAt != 0 && tx.Now().Sub(t.ClosedAt) < again {
			return true, nil
		}
	}
	return false, nil
}

func must(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null") // texts and finite numbers
	}
	return raw
}

// Summaries gives the last computed figures of the whole bank by journey. They
// are shown only to those who see the whole bank.
func (s *Service) Summaries(ctx context.Context) (map[string]Summary, error) {
	if err := auth.Require(ctx, blueprint.PermRead, ""); err != nil {
		return nil, err
	}
	if err := auth.Require(ctx, blueprint.PermRead, scope.Root); err != nil {
		return map[string]Summary{}, nil
	}
	out := map[string]Summary{}
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := summaries(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			var sum Summary
			if err := json.Unmarshal(r.Body, &sum); err != nil {
				return fmt.Errorf("decode the conformance of %s: %w", r.Journey, err)
			}
			sum.ComputedAt = r.ComputedAt.Time()
			out[r.Journey] = sum
		}
		return nil
	})
	return out, err
}

// Tasks gives the open tasks, newest first.
func (s *Service) Tasks(ctx context.Context) (out []Task, err error) {
	if err := auth.Require(ctx, blueprint.PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = nil
		rows, err := tasks(ctx, tx, true)
		if err != nil {
			return err
		}
		for _, r := range rows {
			t := Task{ID: r.Task, Journey: r.Journey, Reason: r.Reason, Version: r.Version, Owner: r.Owner, FoundAt: r.FoundAt.Time(), Outcome: r.Outcome}
			if err := json.Unmarshal(r.Body, &t.Drift); err != nil {
				return fmt.Errorf("decode task %s: %w", r.Task, err)
			}
			out = append(out, t)
		}
		return nil
	})
	return out, err
}

// Close ends a task with what came of it.
func (s *Service) Close(ctx context.Context, id, outcome string) error {
	if err := auth.Require(ctx, blueprint.PermEdit, scope.Root); err != nil {
		return err
	}
	if outcome = strings.TrimSpace(outcome); outcome == "" || utf8.RuneCountInString(outcome) > 1000 || !utf8.ValidString(outcome) {
		return errs.Invalid("blueprint.error.outcome", "outcome", "say what came of it, in at most 1,000 characters")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		journey, done, err := closeTask(ctx, tx, id, outcome)
		if err != nil {
			return err
		}
		if !done {
			return errs.NotFound("blueprint.error.no_task", "there is no open task %q", id)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.refresh.close", Object: "journey/" + journey, Reason: outcome})
	})
}
