package council

import (
	"context"

	"omote/internal/governance/measure"
	"omote/internal/governance/record"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// Score compares every forecast whose day has come with what the registry says of
// the window that ended on that day. Run it daily. It gives how many were scored.
func (s *Service) Score(ctx context.Context) (n int, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return 0, err
	}
	all, err := s.Decisions(ctx)
	if err != nil {
		return 0, err
	}
	now := s.db.Now().Time()
	for _, d := range all {
		f := d.Body.Forecast
		if d.State != Decided || f == nil || now.Before(d.Body.Review) {
			continue
		}
		r, err := s.registry.Over(ctx, f.Metric, measure.Window{From: d.Body.Review.AddDate(0, 0, -f.Days), To: d.Body.Review})
		if err != nil {
			return n, err
		}
		o := Outcome{}
		if r.Known {
			o = f.score(r.Value, !r.Lower())
			o.Low, o.High, o.N, o.MetricVersion = r.Low, r.High, r.N, r.Version
		}
		o.At = now
		if err := s.keep(ctx, d.ID, o); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *Service) keep(ctx context.Context, id string, o Outcome) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := decisions.Get(ctx, tx, id)
		if err != nil || d.State != Decided {
			return err
		}
		d.State, d.Body.Outcome = Scored, &o
		if err := decisions.Save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.council.score", Object: "decision/" + id, Changed: []string{"outcome"}, After: o})
	})
}

// Refusals gives the requests that were refused, newest first.
func (s *Service) Refusals(ctx context.Context) (out []Doc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := decisions.List(ctx, tx, record.Filter{State: Refused})
		out = nil
		for i := len(all) - 1; i >= 0; i-- {
			out = append(out, all[i])
		}
		return err
	})
	return out, err
}
