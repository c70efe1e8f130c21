package moment

import (
	"cmp"
	"context"
	"slices"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Overview is what the newest test says of all steps.
type Overview struct {
	Run   Run
	Ready bool // a test has been made
	Steps []Step
}

// Overview gives the steps of all journeys, or of one, with their verdicts: the
// best proven first, by what they cost.
func (s *Service) Overview(ctx context.Context, journey string) (*Overview, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	designs, err := s.designs.Designs(ctx)
	if err != nil {
		return nil, err
	}
	out := &Overview{}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var findings []Finding
		if out.Run, out.Ready, err = newestRun(ctx, tx); err != nil || !out.Ready {
			return err
		}
		if findings, err = findingsAt(ctx, tx, out.Run.Tested, journey); err != nil {
			return err
		}
		earlier, err := verdicts(ctx, tx, out.Run.Tested)
		if err != nil {
			return err
		}
		remember(findings, earlier)
		out.Steps = steps(findings, designs)
		return nil
	})
	return out, err
}

// remember fills in what earlier tests said.
func remember(findings []Finding, earlier []verdict) {
	type key struct{ journey, step, outcome string }
	past := map[key][]verdict{}
	for _, v := range earlier {
		k := key{v.Journey, v.Step, v.Outcome}
		past[k] = append(past[k], v)
	}
	for i := range findings {
		f := &findings[i]
		f.Since = f.Tested
		list := past[key{f.Journey, f.Step, string(f.Outcome)}]
		same := true
		for k := len(list) - 1; k >= 0; k-- {
			if rank(list[k].Verdict) > rank(f.Was) {
				f.Was = list[k].Verdict
			}
			if same = same && list[k].Verdict == f.Verdict; same {
				f.Since = list[k].TestedAt.Time()
			}
		}
	}
}

// steps gathers findings by step.
func steps(findings []Finding, designs []Design) []Step {
	type key struct{ journey, step string }
	index := map[key]int{}
	var out []Step
	for _, f := range findings {
		k := key{f.Journey, f.Step}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			step := Step{Journey: f.Journey, Event: f.Step, Place: f.Place}
			if d := slices.IndexFunc(designs, func(d Design) bool { return d.Journey == f.Journey }); d >= 0 {
				step.Name = designs[d].Name
			}
			out = append(out, step)
		}
		out[i].Findings = append(out[i].Findings, f)
	}
	for i := range out {
		x := &out[i]
		slices.SortStableFunc(x.Findings, func(a, b Finding) int {
			return cmp.Or(cmp.Compare(rank(b.Verdict), rank(a.Verdict)), cmp.Compare(b.Index, a.Index), cmp.Compare(a.Q, b.Q), cmp.Compare(a.Outcome, b.Outcome))
		})
		x.Best, x.Verdict = x.Findings[0], x.Findings[0].Verdict
	}
	slices.SortStableFunc(out, func(a, b Step) int {
		return cmp.Or(cmp.Compare(rank(b.Verdict), rank(a.Verdict)), cmp.Compare(b.Best.Index, a.Best.Index), cmp.Compare(a.Best.Q, b.Best.Q),
			cmp.Compare(a.Journey, b.Journey), cmp.Compare(a.Place, b.Place))
	})
	return out
}

// Detail is one step with all that tests ever said of it.
type Detail struct {
	Step
	Run     Run
	History []Finding // oldest first
}

// Step gives one step.
func (s *Service) Step(ctx context.Context, journey, event string) (*Detail, error) {
	all, err := s.Overview(ctx, journey)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all.Steps, func(x Step) bool { return x.Event == event })
	if i < 0 {
		return nil, errs.NotFound("moment.error.step", "the step %q of the journey %q was not tested", event, journey)
	}
	d := &Detail{Step: all.Steps[i], Run: all.Run}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d.History, err = findingHistory(ctx, tx, journey, event)
		return err
	})
	return d, err
}

// Pains gives the pains of all journeys, or of one, dearest first.
func (s *Service) Pains(ctx context.Context, journey string) (pains []Pain, run Run, ready bool, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, run, false, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if run, ready, err = newestRun(ctx, tx); err != nil || !ready {
			return err
		}
		pains, err = readPains(ctx, tx, journey)
		return err
	})
	return pains, run, ready, err
}

// Pain gives one pain with what customers said about it.
func (s *Service) Pain(ctx context.Context, id string) (Pain, []Quote, Run, error) {
	pains, run, _, err := s.Pains(ctx, "")
	if err != nil {
		return Pain{}, nil, run, err
	}
	i := slices.IndexFunc(pains, func(p Pain) bool { return p.ID == id })
	if i < 0 {
		return Pain{}, nil, run, errs.NotFound("moment.error.pain", "the newest test found no pain %q", id)
	}
	quotes, err := readQuotes(ctx, s.facts, pains[i].Quotes)
	return pains[i], quotes, run, err
}

// Curve gives how the steps of a journey feel, and when that was computed.
func (s *Service) Curve(ctx context.Context, journey string) (points []FeelingPoint, run Run, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, run, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if run, _, err = newestRun(ctx, tx); err != nil {
			return err
		}
		points, err = readCurve(ctx, tx, journey)
		return err
	})
	return points, run, err
}

// Worth gives what losses are worth.
func (s *Service) Worth(ctx context.Context) (w Worth, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return w, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		w, err = readWorth(ctx, tx)
		return err
	})
	return w, err
}

// SetWorth states what losses are worth. It counts from the next test on.
func (s *Service) SetWorth(ctx context.Context, w Worth) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if err := w.Validate(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		before, err := readWorth(ctx, tx)
		if err != nil {
			return err
		}
		if err := saveWorth(ctx, tx, w); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.moment.worth", Object: "worth/" + tx.Scope.Entity, Before: before, After: w})
	})
}
