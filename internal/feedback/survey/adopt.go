package survey

import (
	"context"

	"github.com/google/uuid"

	"omote/internal/feedback/form"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Past is one asking that is over, and its response where one came: from a program
// that was used before, from paper, from a simulated bank.
type Past struct {
	Invitation *Invitation // nil for an open link or an anonymous questionnaire
	Response   *Response   // nil where none came
}

// maxAdopted bounds how many are adopted in one transaction.
const maxAdopted = 2_000

// Adopt takes past askings and responses of a questionnaire into invitations, answers
// and tallies. History never acts: nobody is asked, no case is opened and no event
// told. Askings whose cause is there already, with their responses, are left out.
// It gives how many responses were taken.
func (s *Service) Adopt(ctx context.Context, survey string, all []Past) (n int, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return 0, err
	}
	for len(all) > 0 {
		batch := all[:min(len(all), maxAdopted)]
		all = all[len(batch):]
		err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			v, err := s.current(ctx, tx, survey)
			if err != nil {
				return err
			}
			taken, err := s.adopt(ctx, tx, v, batch)
			n += taken
			return err
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (s *Service) adopt(ctx context.Context, tx store.Tx, v *Version, batch []Past) (int, error) {
	d := v.Document
	t := newTally(s.Zone)
	fresh := map[string]*Response{}
	for _, p := range batch {
		in, r := p.Invitation, p.Response
		if in != nil {
			if in.ID == "" {
				in.ID = uuid.Must(uuid.NewV7()).String()
			}
			in.Survey, in.Version, in.Cause = d.ID, v.Version, hashed(in.Cause)
			added, err := s.insertInvitations(ctx, tx, []*Invitation{in})
			if err != nil {
				return 0, err
			}
			if len(added) == 0 {
				continue
			}
			if err := updateInvitation(ctx, tx, in); err != nil {
				return 0, err
			}
		}
		if r == nil {
			continue
		}
		if r.Completed.Before(r.Started) || r.Probability <= 0 || r.Probability > 1 {
			return 0, errs.Invalid("feedback.survey.error.past", "completed", "a past response ends before it begins, or its probability is not above 0 and at most 1")
		}
		r.Survey, r.Version, r.Updated, r.told = d.ID, v.Version, r.Completed, true
		if r.ID == "" {
			r.ID = uuid.NewString()
		}
		switch {
		case d.Anonymity == form.Anonymous:
			r.CustomerID, r.Invitation, r.System, r.UserID = "", "", "", ""
			r.Started, r.Completed, r.Updated = s.day(r.Started), s.day(r.Completed), s.day(r.Completed)
		case in != nil:
			r.CustomerID, r.Invitation, r.ID = in.CustomerID, in.ID, in.ID
		}
		r.Answers = d.Clean(r.ID, r.Answers)
		if score := d.Score(); score != nil {
			if a := r.Answers[score.ID]; a.Number != nil {
				point := int64(*a.Number)
				r.Score = &point
			}
		}
		r.Flags = flags(d, r)
		t.change(r, nil, r.Answers)
		t.count(r)
		fresh[r.ID] = r
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	if err := s.keepResponses(ctx, tx, fresh); err != nil {
		return 0, err
	}
	return len(fresh), t.keep(ctx, tx)
}
