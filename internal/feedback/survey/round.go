package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/timer"
)

// Members lists who belongs to a segment; app fills it with segments.
type Members interface {
	// Members gives at most limit customers of a segment after one, in order.
	Members(ctx context.Context, tx store.Tx, segment, after string, limit int) ([]string, error)
}

// The timers of rounds and of the end of invitations.
const (
	roundTimer  = "feedback_survey.round"
	expireTimer = "feedback_survey.expire"
)

// CallChannel is asked by people on the telephone; nothing leaves by itself.
const CallChannel = "call"

const (
	roundBatch = 1_000               // customers of a step of a round
	roundDelay = time.Minute         // between publication and the first round
	followFor  = 14 * 24 * time.Hour // how long the silent may be called
	callAgain  = 20 * time.Hour      // until somebody who was not reached is called again
	maxCalls   = 6                   // attempts
)

// Entry is a customer's entry into a segment.
type Entry struct{ Customer, Segment string }

// Entered starts askings of customers who entered segments, in the transaction in which
// they did. A customer is asked for an entry once.
func (s *Service) Entered(ctx context.Context, tx store.Tx, entries []Entry) error {
	live, err := s.lives(ctx, tx)
	if err != nil || len(live) == 0 {
		return err
	}
	var found []*Invitation
	for _, e := range entries {
		for _, v := range live {
			if v.Document.Asking.Asks() && slices.Contains(v.Document.Asking.Segments, e.Segment) {
				found = append(found, s.drawn(tx, v, e.Customer, fmt.Sprintf("segment/%s/%d", e.Segment, tx.Now())))
			}
		}
	}
	return s.keepInvitations(ctx, tx, found)
}

// drawn makes the invitation of a customer whom no event names.
func (s *Service) drawn(tx store.Tx, v *Version, customer, cause string) *Invitation {
	a, now := &v.Document.Asking, tx.Now().Time()
	in := &Invitation{CustomerID: customer, ID: uuid.Must(uuid.NewV7()).String(), Survey: v.Document.ID, Version: v.Version, Cause: hashed(cause), State: Waiting,
		Probability: a.Of(nil), Created: now, Due: now.Add(a.Delay)}
	in.Expires = in.Due.Add(a.ValidFor)
	if !Sampled(in.Probability, v.Entity, v.Document.ID, customer, cause) {
		in.State, in.Reason = NotAsked, NotSampled
	}
	return in
}

// roundAt is where a round is.
type roundAt struct {
	Round time.Time `json:"round"`
	After string    `json:"after,omitempty"` // the customer last looked at
}

// startRound sets the next round of a questionnaire.
func (s *Service) startRound(ctx context.Context, tx store.Tx, survey string, at time.Time) error {
	payload, err := json.Marshal(roundAt{Round: at.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return s.Timers.Set(ctx, tx, timer.Timer{Kind: roundTimer, ID: survey, Due: at, Payload: string(payload)})
}

// fireRound goes one step on in a round: it draws some members of the audience and comes
// again for the next, or sets the next round. Each step is one transaction with the
// timer, so that a program which ends in between goes on where it was.
func (s *Service) fireRound(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	live, err := s.lives(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range due {
		v := live[t.ID]
		if v == nil || v.Document.Asking.Every == 0 || s.Members == nil {
			continue // closed, or published anew without rounds
		}
		var at roundAt
		if err := json.Unmarshal([]byte(t.Payload), &at); err != nil {
			return fmt.Errorf("read where the round is: %w", err)
		}
		members, err := s.Members.Members(ctx, tx, v.Document.Asking.Audience, at.After, roundBatch)
		if err != nil {
			return err
		}
		var all []*Invitation
		for _, customer := range members {
			all = append(all, s.drawn(tx, v, customer, "round/"+at.Round.Format(time.RFC3339)))
		}
		if err := s.keepInvitations(ctx, tx, all); err != nil {
			return err
		}
		if len(members) < roundBatch {
			if err := s.startRound(ctx, tx, t.ID, at.Round.Add(v.Document.Asking.Every)); err != nil {
				return err
			}
			continue
		}
		at.After = members[len(members)-1]
		payload, err := json.Marshal(at)
		if err != nil {
			return err
		}
		if err := s.Timers.Set(ctx, tx, timer.Timer{Kind: roundTimer, ID: t.ID, Due: tx.Now().Time(), Payload: string(payload)}); err != nil {
			return err
		}
	}
	return nil
}

// expireAt sets the timer that ends an invitation.
func (s *Service) expireAt(ctx context.Context, tx store.Tx, in *Invitation) error {
	return s.Timers.Set(ctx, tx, timer.Timer{Kind: expireTimer, ID: in.key(), Due: in.Expires})
}

// fireExpire ends invitations without an answer. A known share of them, drawn by a hash,
// is put on the list of calls instead: their answers, weighted by that share, stand for
// all who were silent (Hansen and Hurwitz 1946). The others' link ends, so that nobody
// counts twice.
func (s *Service) fireExpire(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	live, err := s.lives(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range due {
		customer, id, _ := strings.Cut(t.ID, "/")
		in, err := s.findInvitation(ctx, tx, customer, id)
		if errs.KindOf(err) == errs.KindNotFound || err == nil && in.State != Asked {
			continue
		}
		if err != nil {
			return err
		}
		in.State = Expired
		if v := live[in.Survey]; v != nil && in.FollowUp == 0 && in.Channel != CallChannel && v.Document.Asking.FollowUp > 0 &&
			Sampled(v.Document.Asking.FollowUp, "follow-up", in.ID) {
			if err := s.follow(ctx, tx, v, in); err != nil {
				return err
			}
		}
		if err := updateInvitation(ctx, tx, in); err != nil {
			return err
		}
	}
	return nil
}

// follow puts a silent customer on the list of calls, where the contact policy allows.
func (s *Service) follow(ctx context.Context, tx store.Tx, v *Version, in *Invitation) error {
	in.FollowUp = v.Document.Asking.FollowUp
	reach, err := s.People.Address(ctx, tx, in.CustomerID, CallChannel)
	if err != nil || reach.Address == "" {
		return err
	}
	j, err := s.Contacts.Judge(ctx, tx, Contact{Customer: in.CustomerID, Kind: v.Document.Asking.Contact, Channel: CallChannel, Ref: in.ID + "/3", At: tx.Now().Time()})
	if err != nil || !j.Allowed {
		return err
	}
	now := tx.Now().Time()
	in.State, in.Channel, in.Due, in.Expires = Asked, CallChannel, now, now.Add(followFor)
	return s.expireAt(ctx, tx, in)
}

// Delivered notes what a gateway reported of an invitation's message; key is the
// message's.
func (s *Service) Delivered(ctx context.Context, tx store.Tx, customer, key, delivery string) error {
	id, _, _ := strings.Cut(key, "/")
	return delivered(ctx, tx, customer, id, delivery)
}

// Calls gives who is to be called for a questionnaire now.
func (s *Service) Calls(ctx context.Context, survey string, limit int) (out []*Invitation, err error) {
	if err := auth.Require(ctx, PermAnswers, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = s.callsWaiting(ctx, tx, survey, limit)
		return err
	})
	return out, err
}

// Call is what the caller needs: the number, and the page on which the answers are
// entered. Reading it is in the audit trail.
type Call struct {
	Invitation *Invitation
	Number     string
	Address    string // of the respondent's page
}

// StartCall gives a caller the customer's number.
func (s *Service) StartCall(ctx context.Context, survey, customer, id string) (c *Call, err error) {
	if err := auth.Require(ctx, PermAnswers, ""); err != nil {
		return nil, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		in, err := s.toCall(ctx, tx, survey, customer, id)
		if err != nil {
			return err
		}
		reach, err := s.People.Address(ctx, tx, in.CustomerID, CallChannel)
		if err != nil {
			return err
		}
		address, err := s.linkTo(ctx, tx.Scope.Entity, in, CallChannel)
		c = &Call{in, reach.Address, address}
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.survey.call", Object: "survey/" + survey, Reason: in.ID})
	})
	return c, err
}

func (s *Service) toCall(ctx context.Context, tx store.Tx, survey, customer, id string) (*Invitation, error) {
	in, err := s.findInvitation(ctx, tx, customer, id)
	if err == nil && (in.Survey != survey || in.State != Asked || in.Channel != CallChannel) {
		err = errs.Conflict("feedback.survey.error.no_call", "the customer is no longer to be called")
	}
	return in, err
}

// NotReached puts a call off until tomorrow; after some attempts, or when the customer
// does not want to answer, it ends.
func (s *Service) NotReached(ctx context.Context, survey, customer, id string, refused bool) error {
	if err := auth.Require(ctx, PermAnswers, ""); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		in, err := s.toCall(ctx, tx, survey, customer, id)
		if err != nil {
			return err
		}
		in.Calls++
		in.Due = tx.Now().Time().Add(callAgain)
		if refused || in.Calls >= maxCalls {
			in.State = Expired
		}
		return updateInvitation(ctx, tx, in)
	})
}

// Silent tells, by the values of a dimension, who was asked, what gateways reported and
// who answered.
func (s *Service) Silent(ctx context.Context, survey, dim string, since time.Time) (out []SilentCount, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	if !slices.Contains(silentDims, dim) {
		return nil, errs.Invalid("feedback.survey.error.weighting", "by", "%q is no dimension", dim)
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = silentCounts(ctx, tx, survey, dim, store.At(since))
		return err
	})
	return out, err
}

// silentDims are the dimensions of the report on those who did not answer.
var silentDims = []string{"channel", "unit", "via", "journey", "product"}
