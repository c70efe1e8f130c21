package role

import (
	"context"
	"strings"

	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

var letters = record.Table[Letter]{Name: "letter", Thing: "letter"}

// Letters gives the letters that the reader sees.
func (s *Service) Letters(ctx context.Context) (out []record.Doc[Letter], err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = letters.List(ctx, tx, record.Filter{})
		return err
	})
	return out, err
}

// Letter reads one letter.
func (s *Service) Letter(ctx context.Context, id string) (d record.Doc[Letter], err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return d, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err = letters.Get(ctx, tx, id)
		return err
	})
	return d, err
}

// Lend proposes a letter to the council. It holds once a member of the council who
// is not its maker has approved it.
func (s *Service) Lend(ctx context.Context, unit string, l Letter, href func(id string) string) (d record.Doc[Letter], err error) {
	if err := auth.Require(ctx, PermEdit, unit); err != nil {
		return d, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if l.From.IsZero() {
			l.From = tx.Now().Time()
		}
		l.Uses, l.Grantor = nil, ""
		if err := l.Validate(s.pack); err != nil {
			return err
		}
		if d, err = letters.Add(ctx, tx, record.Head{Unit: unit, State: Proposed, Ref: l.Journey}, l); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.Entry{Action: "governance.letter.propose", Object: "letter/" + d.ID, After: d}); err != nil {
			return err
		}
		_, err = s.approvals.Propose(ctx, tx, approval.Proposal{Kind: kindLetter, Object: "letter/" + d.ID, Version: 1, Unit: unit, Href: href(d.ID),
			Title: approval.Text{VI: "Uỷ quyền cho vai trò " + s.pack.RoleName(l.Role, "vi"), EN: "Lend authority to the role " + s.pack.RoleName(l.Role, "en")}, Payload: d.ID})
		return err
	})
	return d, err
}

func (s *Service) letterApproved(ctx context.Context, tx store.Tx, q approval.Request) error {
	d, err := letters.Get(ctx, tx, strings.TrimPrefix(q.Object, "letter/"))
	if err != nil {
		return err
	}
	if d.Body.Holder == tx.Scope.Actor {
		return errs.Denied("governance.role.error.own_letter", "nobody lends authority to themselves")
	}
	d.State, d.Body.Grantor, d.Body.Granted = Live, tx.Scope.Actor, tx.Now().Time()
	if err := letters.Save(ctx, tx, &d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "governance.letter.grant", Object: "letter/" + d.ID, After: d})
}

func (s *Service) letterClosed(ctx context.Context, tx store.Tx, q approval.Request) error {
	d, err := letters.Get(ctx, tx, strings.TrimPrefix(q.Object, "letter/"))
	if err != nil {
		return err
	}
	d.State = Refused
	return letters.Save(ctx, tx, &d)
}

// UseLetter takes a decision under a letter, by its holder. Beyond the limits it is
// refused and counted as returned to the council.
func (s *Service) UseLetter(ctx context.Context, id, kind, what string, amount int64) error {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return err
	}
	var beyond error
	err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		beyond = nil
		d, err := letters.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if d.Body.Holder != tx.Scope.Actor {
			return errs.Denied("governance.role.error.not_holder", "only its holder uses a letter")
		}
		if what = strings.TrimSpace(what); what == "" || len(what) > 500 {
			return errs.Invalid("governance.role.error.what", "what", "say what was decided, in at most 500 bytes")
		}
		if d.State != Live {
			return errs.Conflict("governance.role.error.lapsed", "the letter is %s", d.State)
		}
		u := Use{At: tx.Now().Time(), By: tx.Scope.Actor, What: what, Kind: kind, Amount: amount}
		if beyond = d.Body.Covers(kind, amount, u.At); beyond != nil {
			if errs.KindOf(beyond) != errs.KindDenied {
				return beyond
			}
			u.Returned, u.Reason = true, beyond.Error()
		}
		d.Body.Uses = append(d.Body.Uses, u)
		if err := letters.Save(ctx, tx, &d); err != nil {
			return err
		}
		verb := "use"
		if u.Returned {
			verb = "return"
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.letter." + verb, Object: "letter/" + id, Reason: what})
	})
	if err == nil {
		err = beyond
	}
	return err
}
