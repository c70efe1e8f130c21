package contact

import (
	"context"
	"slices"

	"omote/internal/customer/consent"
	"omote/internal/platform/outbox"
	"omote/internal/platform/store"
)

// Gate is the outbox's gate: every message to a customer is judged again in the
// transaction that claims it, and a withdrawal voids what is queued. Messages that
// reach no customer (a task for staff, a webhook of the bank's own) pass.
type Gate struct{ Contacts *Service }

// Admit implements outbox.Gate. A message that only has to wait, such as for the
// end of quiet hours, waits; any other refusal voids it.
func (g Gate) Admit(ctx context.Context, tx store.Tx, m outbox.Message) (outbox.Verdict, error) {
	if m.CustomerID == "" || !slices.Contains(consent.Channels, m.Channel) {
		return outbox.Go(), nil
	}
	p, err := g.Contacts.policy(ctx, tx)
	if err != nil {
		return outbox.Verdict{}, err
	}
	kind := m.Purpose
	if k := p.kindFor(m.Purpose); k != nil {
		kind = k.ID
	}
	d, err := g.Contacts.Decide(ctx, tx, Request{Customer: m.CustomerID, Kind: kind, Channel: m.Channel, Ref: m.Key})
	switch {
	case err != nil:
		return outbox.Verdict{}, err
	case d.Allowed:
		return outbox.Go(), nil
	case !d.Retry.IsZero():
		return outbox.Later(d.Retry, string(d.Why().Reason)), nil
	}
	return outbox.Refuse(string(d.Why().Reason)), nil
}

// Release implements outbox.Gate.
func (g Gate) Release(ctx context.Context, tx store.Tx, m outbox.Message) error {
	if m.CustomerID == "" {
		return nil
	}
	return g.Contacts.Release(ctx, tx, m.CustomerID, m.Key)
}

// Queue voids queued messages that wait on a consent which was withdrawn.
type Queue struct {
	Outbox   *outbox.Outbox
	Contacts *Service
}

// ReasonWithdrawn is why a queued message was voided.
const ReasonWithdrawn = "consent_withdrawn"

// Withdrawn implements consent.Follower.
func (q Queue) Withdrawn(ctx context.Context, tx store.Tx, w consent.Withdrawal) error {
	p, err := q.Contacts.policy(ctx, tx)
	if err != nil {
		return err
	}
	channel := w.Channel
	if channel == consent.AnyChannel {
		channel = ""
	}
	for _, word := range p.wordsOf(w.Purposes) {
		for _, record := range w.Records {
			if _, err := q.Outbox.Void(ctx, tx, outbox.Selection{CustomerID: record, Channel: channel, Purpose: word}, ReasonWithdrawn); err != nil {
				return err
			}
		}
	}
	return nil
}

// wordsOf gives the words by which messages name the purposes: their ids, and the
// kinds that serve them.
func (p *Policy) wordsOf(purposes []string) []string {
	words := slices.Clone(purposes)
	for _, k := range p.Kinds {
		if slices.Contains(purposes, k.Purpose) && !slices.Contains(words, k.ID) {
			words = append(words, k.ID)
		}
	}
	return words
}
