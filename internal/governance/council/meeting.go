package council

import (
	"context"
	"slices"
	"time"

	"omote/internal/governance/measure"
	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/governance/role"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Source gives items for the agenda from the data: gates that need the council,
// work that does not move, signals.
type Source interface {
	Items(ctx context.Context) ([]Item, error)
}

// Service is the council's room. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	pack      *packs.Governance
	registry  measure.Registry
	approvals *approval.Service
	sources   []Source
}

// kindDecision is the proposal of a decision.
const kindDecision = "governance.decision"

// NewService makes the service and registers its kind of proposals.
func NewService(db *store.DB, pack *packs.Governance, registry measure.Registry, approvals *approval.Service, sources ...Source) *Service {
	s := &Service{db, pack, registry, approvals, sources}
	approvals.Register(approval.Kind{Name: kindDecision, Permission: PermDecide, Approved: s.decided, Closed: s.notDecided})
	return s
}

var (
	meetings  = record.Table[Meeting]{Name: "meeting", Thing: "council"}
	decisions = record.Table[Decision]{Name: "decision", Thing: "council"}
)

// Meetings gives the meetings, oldest first.
func (s *Service) Meetings(ctx context.Context) (all []MeetingDoc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err = meetings.List(ctx, tx, record.Filter{})
		return err
	})
	return all, err
}

// Meeting reads one meeting.
func (s *Service) Meeting(ctx context.Context, id string) (m MeetingDoc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return m, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		m, err = meetings.Get(ctx, tx, id)
		return err
	})
	return m, err
}

// Decisions gives the decisions, oldest first.
func (s *Service) Decisions(ctx context.Context) (all []Doc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err = decisions.List(ctx, tx, record.Filter{})
		return err
	})
	return all, err
}

// Decision reads one decision.
func (s *Service) Decision(ctx context.Context, id string) (d Doc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return d, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err = decisions.Get(ctx, tx, id)
		return err
	})
	return d, err
}

// Candidates gives everything the council could speak about, from the papers and
// the data, with its score; Agenda chooses among them.
func (s *Service) Candidates(ctx context.Context) (items []Item, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := decisions.List(ctx, tx, record.Filter{})
		if err != nil {
			return err
		}
		items = nil
		for _, d := range all {
			if i, ok := itemOf(d, tx.Now().Time()); ok {
				items = append(items, i)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, src := range s.sources {
		more, err := src.Items(ctx)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	for k := range items {
		items[k].Score = items[k].score()
	}
	return items, nil
}

// strength turns a grade of evidence into the strength of an item.
func strength(grade int) float64 { return weights[max(0, min(MaxGrade, grade))] }

// itemOf is a decision as an item: a paper to decide, a refusal whose day has come,
// a forecast that did not come true.
func itemOf(d Doc, now time.Time) (Item, bool) {
	b := d.Body
	i := Item{Ref: "decision/" + d.ID, Href: "/governance/decisions/" + d.ID, Title: b.Title, Grade: b.Grade, Strength: strength(b.Grade), Deferred: b.Deferred, Options: len(b.Alternatives)}
	if len(b.Alternatives) > 0 {
		best := b.Alternatives[b.Recommended]
		i.Low, i.High = best.Low, best.High
	}
	switch {
	case d.State == Paper:
		i.Kind, i.Decides = "paper", b.Type != "dt_refuse"
		if b.Type == "dt_refuse" {
			i.Low, i.High = b.Refusal.Value, b.Refusal.Value
		}
	case d.State == Refused && !b.Review.IsZero() && !now.Before(b.Review):
		i.Kind, i.Low, i.High = "refusal", b.Refusal.Value, b.Refusal.Value
	case d.State == Scored && b.Outcome.Known && !b.Outcome.Held && now.Sub(b.Outcome.At) < 45*24*time.Hour:
		i.Kind, i.Strength = "forecast", 1
	default:
		return Item{}, false
	}
	return i, true
}

// Plan calls a meeting: its seats from the roles held over the whole bank, its
// agenda from the data.
func (s *Service) Plan(ctx context.Context, day time.Time, kind string) (m MeetingDoc, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return m, err
	}
	if !slices.Contains(Kinds, kind) || day.IsZero() {
		return m, errs.Invalid("governance.council.error.meeting", "day", "a meeting has a day and a kind")
	}
	items, err := s.Candidates(ctx)
	if err != nil {
		return m, err
	}
	body := Meeting{Day: day, Kind: kind}
	body.Agenda, body.Left = Agenda(s.pack, items)
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		body.Seats = nil
		for _, charter := range s.pack.Council.Members {
			holders, err := role.HoldersOf(ctx, tx, charter.Role)
			if err != nil {
				return err
			}
			for _, h := range holders {
				if h.Unit == tx.Scope.Unit && h.Body.Journey == "" {
					body.Seats = append(body.Seats, Seat{Role: charter.Role, Person: h.Body.Holder, Seat: charter.Seat, Vote: charter.Vote, Deputy: h.Body.Deputy})
				}
			}
		}
		if m, err = meetings.Add(ctx, tx, record.Head{State: Planned, Ref: day.Format(time.DateOnly)}, body); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.council.plan", Object: "meeting/" + m.ID, After: m})
	})
	return m, err
}

// change reads a meeting, lets fn change it and writes it.
func (s *Service) change(ctx context.Context, id, verb string, fn func(tx store.Tx, m *MeetingDoc) error) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		m, err := meetings.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if m.State == Closed {
			return errs.Conflict("governance.council.error.closed", "the meeting is closed")
		}
		if err := fn(tx, &m); err != nil {
			return err
		}
		if err := meetings.Save(ctx, tx, &m); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.council." + verb, Object: "meeting/" + id, After: m})
	})
}

// Attend notes who is present.
func (s *Service) Attend(ctx context.Context, id string, present []string) error {
	return s.change(ctx, id, "attend", func(_ store.Tx, m *MeetingDoc) error {
		for k := range m.Body.Seats {
			m.Body.Seats[k].Present = slices.Contains(present, m.Body.Seats[k].Person)
		}
		return nil
	})
}

// OpenMeeting begins the meeting; without its quorum it is refused.
func (s *Service) OpenMeeting(ctx context.Context, id string) error {
	return s.change(ctx, id, "open", func(tx store.Tx, m *MeetingDoc) error {
		if err := m.Body.Quorum(); err != nil {
			return err
		}
		m.State, m.Body.Opened = Sitting, tx.Now().Time()
		return nil
	})
}

// CloseMeeting ends it; nothing more can be decided in it.
func (s *Service) CloseMeeting(ctx context.Context, id string) error {
	return s.change(ctx, id, "close", func(tx store.Tx, m *MeetingDoc) error {
		if m.State != Sitting {
			return errs.Conflict("governance.council.error.not_open", "the meeting has not begun")
		}
		m.State, m.Body.Closed = Closed, tx.Now().Time()
		return nil
	})
}
