package role

import (
	"context"
	"slices"

	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

var matrices = record.Table[Matrix]{Name: "matrix", Thing: "raci", Sight: record.Along}

// States of a matrix.
const (
	Draft     = "draft"
	Published = "published"
)

// Duties reads the matrix of a journey with what is wrong with its draft.
func (s *Service) Duties(ctx context.Context, journey string) (JourneyDuties, error) {
	o, err := s.Overview(ctx)
	if err != nil {
		return JourneyDuties{}, err
	}
	i := slices.IndexFunc(o.Journeys, func(j JourneyDuties) bool { return j.ID == journey })
	if i < 0 {
		return JourneyDuties{}, errs.NotFound("governance.raci.error.not_found", "no journey %s", journey)
	}
	return o.Journeys[i], nil
}

// SaveDuties replaces the draft of a journey's matrix. version is that which the
// writer has seen, 0 where there was none. Two accountable roles at a step are
// refused at once; what is still missing is told by Duties.
func (s *Service) SaveDuties(ctx context.Context, journey string, version int, c Cells) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if err := c.Validate(s.pack); err != nil {
		return err
	}
	if _, err := s.Duties(ctx, journey); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := matrices.Get(ctx, tx, journey)
		switch {
		case errs.KindOf(err) == errs.KindNotFound:
			d, err = matrices.Add(ctx, tx, record.Head{ID: journey, State: Draft, Ref: journey}, Matrix{Draft: c})
		case err == nil:
			if version > 0 {
				d.Version = version
			}
			d.Body.Draft, d.State = c, Draft
			err = matrices.Save(ctx, tx, &d)
		}
		if err != nil {
			return err
		}
		// What was proposed is no longer what stands here.
		if err := s.approvals.WithdrawObject(ctx, tx, kindMatrix, "raci/"+journey, "the draft was changed"); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.raci.save", Object: "raci/" + journey, After: d.Body.Draft})
	})
}

// ProposeDuties asks a second person to put the draft into force. A step without an
// accountable or a responsible role is refused.
func (s *Service) ProposeDuties(ctx context.Context, journey string) (q approval.Request, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return q, err
	}
	j, err := s.Duties(ctx, journey)
	if err != nil {
		return q, err
	}
	if j.Matrix == nil {
		return q, errs.Conflict("governance.raci.error.empty", "nobody has filled the matrix in")
	}
	blocks := 0
	for _, p := range j.Problems {
		if p.Blocks {
			blocks++
		}
	}
	if blocks > 0 {
		p := j.Problems[0]
		return q, errs.Conflict("governance.raci.error.incomplete", "%d problems keep the matrix from being published, first %s at %s", blocks, p.Kind, p.Step).
			With("count", blocks).With("step", p.Step)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		q, err = s.approvals.Propose(ctx, tx, approval.Proposal{Kind: kindMatrix, Object: "raci/" + journey, Version: j.Matrix.Body.Published + 1,
			Title: approval.Text{VI: "Ban hành ma trận RACI của hành trình " + j.Name.VI, EN: "Put the RACI matrix of the journey " + j.Name.EN + " into force"},
			Href:  "/governance/raci/" + journey, Payload: j.Matrix.Body.Draft})
		return err
	})
	return q, err
}

func (s *Service) matrixApproved(ctx context.Context, tx store.Tx, q approval.Request) error {
	journey := q.Object[len("raci/"):]
	d, err := matrices.Get(ctx, tx, journey)
	if err != nil {
		return err
	}
	var c Cells
	if err := q.Decode(&c); err != nil {
		return err
	}
	d.State, d.Body.Live = Published, c
	d.Body.Published++
	if err := matrices.Save(ctx, tx, &d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "governance.raci.publish", Object: "raci/" + journey, After: c})
}

// LiveDuties gives the approved duties of a journey, nil where there are none, in
// the transaction of another part.
func LiveDuties(ctx context.Context, tx store.Tx, journey string) (Cells, error) {
	d, err := matrices.Get(ctx, tx, journey)
	if errs.KindOf(err) == errs.KindNotFound {
		return nil, nil
	}
	return d.Body.Live, err
}
