package activation

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"omote/internal/customer/identity"
	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
)

const (
	// leaseTime is how long a node that died keeps an activation to itself.
	leaseTime = 2 * time.Minute
	// page is how many records one transaction looks at.
	page = 200
	// ahead is how far messages are queued before their time, so that what is sent
	// was worked out a moment ago.
	ahead = 20 * time.Second
)

// Step looks at one page of an activation that is due; false when there is none.
func (s *Service) Step(ctx context.Context) (bool, error) {
	var a *Activation
	err := s.DB.Claim(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if a, err = claim(ctx, tx); err != nil || a == nil {
			return err
		}
		return s.Box.Open(ctx, tx, a)
	})
	if err != nil || a == nil {
		return false, err
	}
	id, secret := a.ID, a.Secret.Plain
	err = s.mayLeave(ctx, &a.Config)
	if err == nil {
		err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			if a, err = get(ctx, tx, id); err != nil {
				return err
			}
			return s.page(ctx, tx, a, secret)
		})
	}
	if errs.KindOf(err) == errs.KindNotFound {
		return true, nil // it was removed meanwhile
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err == nil {
		return true, nil
	}
	return true, errors.Join(err, s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if a, err = get(ctx, tx, id); err != nil {
			return nil // it was removed meanwhile
		}
		a.Error, a.Lease, a.LastRun, a.Due = reason(err), 0, tx.Now(), tx.Now().Add(a.Config.Every)
		return update(ctx, tx, a, "error", "lease", "last_run", "due")
	}))
}

// reason is what people see of an error: its own text, without causes that may
// hold more.
func reason(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*errs.Error](err); ok {
		text = e.Text
	}
	return string([]rune(text)[:min(len([]rune(text)), 500)])
}

// page looks at rows that were asked for, or else at the next records of the
// round, and queues what differs.
func (s *Service) page(ctx context.Context, tx store.Tx, a *Activation, secret string) error {
	now := tx.Now()
	a.Lease, a.LastRun, a.Error = 0, now, ""
	if a.Next > now.Add(ahead) { // the pace is kept: go on when its time comes
		a.Due = a.Next.Add(-ahead / 2)
		return update(ctx, tx, a, "lease", "last_run", "error", "due")
	}
	records, err := recheckedRows(ctx, tx, a.ID, page)
	if err != nil {
		return err
	}
	inRound := len(records) == 0
	if inRound {
		if records, err = recordsAfter(ctx, tx, a.Config.System, a.Scan, page); err != nil {
			return err
		}
	}
	done, err := s.look(ctx, tx, a, secret, records)
	if err != nil {
		return err
	}
	switch {
	case !inRound:
		a.Due = now
	case done < len(records): // the pace ended it
		a.Scan, a.Due = lastOf(records[:done], a.Scan), a.Next.Add(-ahead/2)
	case len(records) == page:
		a.Scan, a.Due = records[page-1], now
	default:
		a.Scan, a.Due, a.LastGood = "", now.Add(a.Config.Every), now
	}
	return update(ctx, tx, a, "lease", "last_run", "error", "due", "scan", "next", "last_good")
}

func lastOf(records []string, before string) string {
	if len(records) == 0 {
		return before
	}
	return records[len(records)-1]
}

// look works the records out one after the other and tells how many it did before
// the pace ended it.
func (s *Service) look(ctx context.Context, tx store.Tx, a *Activation, secret string, records []string) (int, error) {
	if len(records) == 0 {
		return 0, nil
	}
	rows, err := rowsOf(ctx, tx, a.ID, records)
	if err != nil {
		return 0, err
	}
	members, err := identity.MembersOf(ctx, tx, records)
	if err != nil {
		return 0, err
	}
	owners, err := identity.Owners(ctx, tx, records)
	if err != nil {
		return 0, err
	}
	customers := make([]string, 0, len(members))
	for c := range members {
		customers = append(customers, c)
	}
	slices.Sort(customers)
	inside, err := s.Segments.Inside(ctx, tx, a.Config.Segment, customers)
	if err != nil {
		return 0, err
	}
	known, err := identity.RecordsOf(ctx, tx, s.Box, records)
	if err != nil {
		return 0, err
	}
	external := make(map[string]string, len(known))
	for _, r := range known {
		if key, ok := strings.CutPrefix(r.External.Plain, a.Config.System+":"); ok {
			external[r.RecordID] = key
		}
	}
	for i, record := range records {
		if a.Next > tx.Now().Add(ahead) {
			return i, nil
		}
		row := rows[record]
		if row != nil && row.State == Queued {
			settled, err := s.settle(ctx, tx, row)
			if err != nil {
				return i, err
			}
			if !settled {
				if row.Recheck {
					row.Recheck = false // its message asks for consent itself when it is claimed
					if err := putRow(ctx, tx, row); err != nil {
						return i, err
					}
				}
				continue
			}
		}
		owner := owners[record]
		person := identity.Person{CustomerID: owner, Records: slices.Clone(members[owner])}
		slices.Sort(person.Records)
		if err := s.one(ctx, tx, a, secret, row, record, external[record], person, inside[owner]); err != nil {
			return i, err
		}
	}
	return len(records), nil
}

// one works out what the other system should hold of a record and queues it where
// that differs from what it was told.
func (s *Service) one(ctx context.Context, tx store.Tx, a *Activation, secret string, row *Row, record, key string, person identity.Person, inside bool) error {
	content := Content{Key: key, Attributes: map[string]string{}}
	d, err := s.Consents.DecideOf(ctx, tx, person, a.Config.Purpose, a.Config.Channel)
	if err != nil {
		return err
	}
	if d.Allowed && inside {
		content.Member = true
		if len(a.Config.Fields) > 0 {
			names := make([]string, len(a.Config.Fields))
			for i, f := range a.Config.Fields {
				names[i] = f.Attribute
			}
			if content.Attributes, err = s.Attributes.Attributes(ctx, tx, person.Records, names); err != nil {
				return err
			}
		}
	}
	digest := content.digest(&a.Config)
	if !content.Member && (row == nil || !row.Told) || key == "" {
		// The other system was never told that it belongs, and need not hear that it
		// does not.
		if row == nil || !row.Recheck {
			return nil
		}
		row.Recheck = false
		return putRow(ctx, tx, row)
	}
	if row == nil {
		row = &Row{Entity: tx.Scope.Entity, RecordID: record, ActivationID: a.ID}
	}
	if row.Digest == digest && (row.State == Delivered || row.Attempts >= MaxAttempts) {
		if !row.Recheck {
			return nil
		}
		row.Recheck = false
		return putRow(ctx, tx, row)
	}
	if row.Digest != digest {
		row.Attempts = 0
	}
	row.Digest, row.Member, row.Version, row.State, row.Reason, row.Recheck = digest, content.Member, row.Version+1, Queued, "", false
	row.QueuedAt, row.SettledAt = tx.Now(), 0
	m, err := a.message(row, content, secret, tx.Now())
	if err != nil {
		return err
	}
	m.Due = max(a.Next, tx.Now()).Time()
	if row.MessageID, err = s.Outbox.Enqueue(ctx, tx, m); err != nil {
		return err
	}
	a.Next = max(a.Next, tx.Now()).Add(time.Minute / time.Duration(a.Config.PerMinute))
	return putRow(ctx, tx, row)
}

// digest names what was sent; a changed target or column sends again.
func (c Content) digest(config *Config) string {
	raw, _ := json.Marshal(struct {
		Content
		Columns []Field
		Member  string
		Place   string
	}{c, config.Fields, config.Member, config.Place()})
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// keyPrefix begins the idempotency keys of activations.
const keyPrefix = "activation/"

// takesBack is the purpose of messages that take back: nobody's consent is needed
// for them, and a withdrawal does not void them.
const takesBack = "activation_end"

// message is a row on its way out.
func (a *Activation) message(row *Row, c Content, secret string, now store.Micros) (outbox.Message, error) {
	m := outbox.Message{CustomerID: row.RecordID, Key: fmt.Sprintf("%s%s/%s/%d", keyPrefix, a.ID, row.RecordID, row.Version), Purpose: a.Config.Purpose}
	if !c.Member {
		m.Purpose = takesBack
	}
	var payload any
	switch a.Config.Target {
	case Postgres:
		m.Channel, payload = SQLChannel, statement{Activation: a.ID, Content: c}
	default:
		data := map[string]any{"activation": a.ID, "segment": a.Config.Segment, "key": c.Key, "version": row.Version, a.Config.Member: c.Member}
		columns := map[string]any{}
		for _, f := range a.Config.Fields {
			v, ok := c.Attributes[f.Attribute]
			columns[f.Column] = map[string]any{"value": v, "known": ok, "rule": cmp.Or(map[bool]string{true: "fill"}[f.Fill], "replace")}
		}
		data["attributes"] = columns
		body, err := json.Marshal(map[string]any{"type": "customer.activation", "timestamp": now.Time().Format(time.RFC3339Nano), "data": data})
		if err != nil {
			return m, err
		}
		m.Channel, payload = send.WebhookChannel, send.Webhook{URL: a.Config.URL, Secret: secret, Body: body}
	}
	raw, err := json.Marshal(payload)
	m.Payload = raw
	return m, err
}

// settle writes down what became of a row's message; false while it is on its way.
func (s *Service) settle(ctx context.Context, tx store.Tx, row *Row) (bool, error) {
	m, err := s.Outbox.Get(ctx, tx, row.RecordID, row.MessageID)
	if errs.KindOf(err) == errs.KindNotFound {
		m, err = outbox.Message{State: outbox.Unknown, Reason: "forgotten"}, nil // deleted with old messages
	}
	if err != nil {
		return false, err
	}
	switch m.State {
	case outbox.Sent:
		row.State, row.Attempts, row.Told = Delivered, 0, row.Member
	case outbox.Failed:
		row.State = Refused
		row.Attempts++
	case outbox.Void:
		row.State, row.Digest = Withheld, ""
	case outbox.Unknown:
		row.State, row.Digest, row.Told = Uncertain, "", row.Told || row.Member
	default:
		return false, nil
	}
	row.Reason, row.SettledAt = m.Reason, max(store.At(m.Settled), row.QueuedAt)
	return true, putRow(ctx, tx, row)
}
