package survey

import (
	"context"
	"maps"
	"slices"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Bounds of one commit of the intake.
const (
	intakeBatch = 400
	intakeWait  = 2 * time.Millisecond
)

// intake saves many people's answers in one transaction: a commit costs a sync of
// the disk, whoever shares it.
type intake struct {
	s  *Service
	in chan *saving
}

// saving is one person's answers on their way.
type saving struct {
	session *Session
	locale  string
	answers form.Answers
	result  *Response
	err     error
	done    chan struct{}
}

func newIntake(s *Service) *intake { return &intake{s: s, in: make(chan *saving, intakeBatch)} }

// save waits until the answers are on disk.
func (n *intake) save(ctx context.Context, v *Session, locale string, a form.Answers) (*Response, error) {
	one := &saving{session: v, locale: locale, answers: a, done: make(chan struct{})}
	select {
	case n.in <- one:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-one.done:
		return one.result, one.err
	case <-ctx.Done():
		return nil, ctx.Err() // it may still be saved; posted again, it counts once
	}
}

func (n *intake) run(ctx context.Context) {
	for {
		batch := n.collect(ctx)
		if len(batch) == 0 {
			break
		}
		n.commit(context.WithoutCancel(ctx), batch)
	}
	for {
		select {
		case one := <-n.in:
			one.err = errStopped
			close(one.done)
		default:
			return
		}
	}
}

// collect waits for one, then takes what else comes within a moment.
func (n *intake) collect(ctx context.Context) []*saving {
	var batch []*saving
	select {
	case <-ctx.Done():
		return nil
	case one := <-n.in:
		batch = append(batch, one)
	}
	late := time.NewTimer(intakeWait)
	defer late.Stop()
	for len(batch) < intakeBatch {
		select {
		case one := <-n.in:
			batch = append(batch, one)
		case <-late.C:
			return batch
		}
	}
	return batch
}

// commit saves a batch, entity by entity; when a batch fails, each is tried alone,
// so that one bad answer fails nobody else's.
func (n *intake) commit(ctx context.Context, batch []*saving) {
	defer func() {
		for _, one := range batch {
			close(one.done)
		}
	}()
	byEntity := map[string][]*saving{}
	for _, one := range batch {
		byEntity[one.session.Entity] = append(byEntity[one.session.Entity], one)
	}
	for _, entity := range slices.Sorted(maps.Keys(byEntity)) {
		group := byEntity[entity]
		if err := n.write(ctx, entity, group); err == nil {
			continue
		}
		for _, one := range group {
			one.err = n.write(ctx, entity, []*saving{one})
		}
	}
}

func (n *intake) write(ctx context.Context, entity string, group []*saving) error {
	ctx = scope.With(ctx, scope.Process(entity, "survey"))
	return n.s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		known, err := n.s.findResponses(ctx, tx, group)
		if err != nil {
			return err
		}
		t := newTally(n.s.Zone)
		changed := map[string]*Response{}
		var completed []*saving
		for _, one := range group {
			key := one.session.responseID()
			r := known[key]
			if r == nil {
				r = n.s.newResponse(tx, one)
				known[key] = r
			}
			before, wasDone := r.Answers, !r.Completed.IsZero()
			n.s.merge(tx, one, r)
			if !wasDone && !r.Completed.IsZero() {
				if err := n.s.repeated(ctx, tx, r); err != nil {
					return err
				}
			}
			t.change(r, before, r.Answers)
			if !wasDone && !r.Completed.IsZero() {
				t.count(r)
				completed = append(completed, one)
			}
			changed[key] = r
			one.result = r
		}
		if err := n.s.keepResponses(ctx, tx, changed); err != nil {
			return err
		}
		if err := t.keep(ctx, tx); err != nil {
			return err
		}
		return n.s.completed(ctx, tx, completed)
	})
}

// newResponse begins one. An anonymous one knows the day and nothing of the person.
func (s *Service) newResponse(tx store.Tx, one *saving) *Response {
	v := one.session
	now := tx.Now().Time()
	r := &Response{CustomerID: v.Customer, ID: v.responseID(), Survey: v.Version.Document.ID, Version: v.Version.Version, Invitation: v.Invitation,
		Channel: v.Channel, Locale: one.locale, Probability: 1, Answers: form.Answers{}, Started: now}
	if in := v.invitation; in != nil {
		r.Probability, r.Unit, r.Via, r.Journey, r.Product, r.System, r.UserID = in.Probability, in.Unit, in.Via, in.Journey, in.Product, in.System, in.UserID
		if in.FollowUp > 0 {
			r.Probability *= in.FollowUp
		}
	} else {
		r.Unit, r.Invitation = v.Invitation, "" // an open link carries its place
	}
	if v.anonymous() {
		r.CustomerID, r.Invitation, r.System, r.UserID = "", "", "", ""
		r.Started = s.day(now)
	}
	return r
}

func (s *Service) day(t time.Time) time.Time {
	y, m, d := t.In(s.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, s.Zone).UTC()
}

// merge puts new answers over those that are there and sees whether it is complete.
func (s *Service) merge(tx store.Tx, one *saving, r *Response) {
	d, seed := one.session.Version.Document, one.session.Seed()
	all := maps.Clone(r.Answers)
	maps.Copy(all, one.answers)
	r.Answers = d.Clean(seed, all)
	r.Updated = tx.Now().Time()
	if one.session.anonymous() {
		r.Updated = s.day(r.Updated)
	}
	if score := d.Score(); score != nil {
		r.Score = nil
		if a := r.Answers[score.ID]; a.Number != nil {
			n := int64(*a.Number)
			r.Score = &n
		}
	}
	if r.Completed.IsZero() && d.Complete(seed, r.Answers) {
		r.Completed = r.Updated
		r.Flags = flags(d, r)
	}
}

// completed marks invitations answered and tells the followers.
func (s *Service) completed(ctx context.Context, tx store.Tx, all []*saving) error {
	for _, one := range all {
		v, r := one.session, one.result
		if v.invitation != nil {
			if err := answeredInvitation(ctx, tx, v.Customer, v.Invitation); err != nil {
				return err
			}
		}
		d := v.Version.Document
		if v.anonymous() { // nobody is behind it whom anything could follow
			continue
		}
		f := Followed{Response: r, Document: d, Answers: r.Answers, Reactions: d.React(r.Answers), System: r.System, ID: r.UserID}
		for _, one := range s.Followers {
			if err := one.Answered(ctx, tx, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// Quality flags of a response. They are shown and counted, never silently dropped.
const (
	Speeding   = "speeding"    // faster than one can read
	StraightOn = "straight_on" // the same point on every scale
	Duplicate  = "duplicate"   // the words of another response of the batch or the last day
)

// Flags lists them.
var Flags = []string{Speeding, StraightOn, Duplicate}

// readable is the least time a question takes to read and answer.
const readable = 700 * time.Millisecond

func flags(d *form.Document, r *Response) (out []string) {
	asked, points := 0, map[int]int{}
	for id, a := range r.Answers {
		if a.Skipped {
			continue
		}
		asked++
		if it := d.Item(id); it.Type == form.Matrix {
			for _, p := range a.Rows {
				points[p]++
			}
		} else if it.Type == form.Rating && a.Number != nil {
			points[*a.Number]++
		}
	}
	if d.Anonymity == form.Known && asked >= 3 && r.Completed.Sub(r.Started) < time.Duration(asked-1)*readable {
		out = append(out, Speeding)
	}
	if len(points) == 1 {
		for _, n := range points {
			if n >= 4 {
				out = append(out, StraightOn)
			}
		}
	}
	return out
}
