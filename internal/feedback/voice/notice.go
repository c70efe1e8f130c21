package voice

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// PermTell is the right to tell customers what was changed.
const PermTell auth.Permission = "feedback.voice.tell"

// Notice says to everybody who spoke of an issue what was changed: "you said, we did".
// Its text is the bank's own and names nobody.
type Notice struct {
	Issue
	ID     string
	Since  time.Time // whoever spoke of it from then on
	TextVI string
	TextEN string
	By     string
	At     time.Time
}

// MaxNotice bounds the text of a notice, in characters; MaxSince how far back it reaches.
const (
	MaxNotice = 1_000
	MaxSince  = 400 * 24 * time.Hour
)

// NoticeView is a notice with whom it reached.
type NoticeView struct {
	Notice
	Concerned   int64 // customers who spoke of it
	Told        int64 // a message is out or on its way
	Held        int64 // the contact policy says not now, or not at all
	Unreachable int64 // no address is known
	Waiting     int64
}

// The states of a customer under a notice.
const (
	toldWaiting     = "waiting"
	toldSent        = "told"
	toldHeld        = "held"
	toldUnreachable = "unreachable"
)

// noticeLife is how long the contact policy is asked again for a customer; news that
// are older are none.
const noticeLife = 30 * 24 * time.Hour

// Concerned counts the customers that a notice about an issue would go to.
func (s *Service) Concerned(ctx context.Context, i Issue, since time.Time) (n int, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return 0, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		list, err := s.concerned(ctx, tx, i, store.At(since))
		n = len(list)
		return err
	})
	return n, err
}

// concerned are the customers who spoke of an issue unhappily, each once whatever the
// number of their records, with the last thing that each said about it.
func (s *Service) concerned(ctx context.Context, tx store.Tx, i Issue, since store.Micros) ([]spoken, error) {
	all, err := spokenBy(ctx, tx, i, since)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	records := make([]string, len(all))
	for k := range all {
		records[k] = all[k].CustomerID
	}
	owners, err := s.Customers.Owners(ctx, tx, records)
	if err != nil {
		return nil, err
	}
	var out []spoken
	seen := map[string]bool{}
	for _, one := range all { // the newest first
		if owner := owners[one.CustomerID]; owner != "" {
			one.CustomerID = owner
		}
		if !seen[one.CustomerID] {
			seen[one.CustomerID] = true
			out = append(out, one)
		}
	}
	return out, nil
}

// Tell keeps a notice and whom it goes to: exactly the customers who spoke of the issue.
// The messages leave by [Service.SendNotices]. The same notice twice is one.
func (s *Service) Tell(ctx context.Context, n Notice) (id string, err error) {
	if err := auth.Require(ctx, PermTell, n.Unit); err != nil {
		return "", err
	}
	n.TextVI, n.TextEN = strings.TrimSpace(n.TextVI), strings.TrimSpace(n.TextEN)
	if err := n.Issue.Validate(); err != nil {
		return "", err
	}
	for field, text := range map[string]string{"text_vi": n.TextVI, "text_en": n.TextEN} {
		if chars := utf8.RuneCountInString(text); chars == 0 || chars > MaxNotice || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return "", errs.Invalid("feedback.voice.error.notice", field, "a notice needs 1 to %d characters in both languages", MaxNotice).With("max", MaxNotice)
		}
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if n.Unit == "" {
			n.Unit = tx.Scope.Unit
		}
		if !tx.Scope.Sees(n.Unit) {
			return errs.Denied("feedback.voice.error.unit", "the unit is not yours")
		}
		since := store.At(n.Since)
		if n.Since.IsZero() || since > tx.Now() || since < tx.Now().Add(-MaxSince) {
			return errs.Invalid("feedback.voice.error.since", "since", "a notice reaches back at most 400 days")
		}
		if id, err = sameNotice(ctx, tx, n); err != nil || id != "" {
			return err
		}
		list, err := s.concerned(ctx, tx, n.Issue, since)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return errs.Conflict("feedback.voice.error.nobody", "no known customer spoke of it")
		}
		id = uuid.Must(uuid.NewV7()).String()
		n.ID, n.By, n.At = id, tx.Scope.Actor, tx.Now().Time()
		if err := insertNotice(ctx, tx, n); err != nil {
			return err
		}
		if err := insertTold(ctx, tx, id, list); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.voice.tell", Object: "notice/" + id, After: map[string]any{"issue": n.Issue, "customers": len(list)}})
	})
	return id, err
}

// SendNotices hands the messages of notices that are due to the channels, each in a
// transaction of its own: a customer is told once, however often this runs or is cut
// off. It gives how many customers it decided about, at most limit.
func (s *Service) SendNotices(ctx context.Context, limit int) (n int, err error) {
	if err := auth.Require(ctx, PermTell, ""); err != nil {
		return 0, err
	}
	for ; n < limit; n++ {
		found := false
		err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			t, notice, ok, err := nextTold(ctx, tx)
			if found = ok; err != nil || !ok {
				return err
			}
			if err := s.tellOne(ctx, tx, &t, notice); err != nil {
				return err
			}
			return updateTold(ctx, tx, &t)
		})
		if err != nil || !found {
			return n, err
		}
	}
	return n, nil
}

func (s *Service) tellOne(ctx context.Context, tx store.Tx, t *toldRow, n Notice) error {
	now := tx.Now()
	t.At = now
	to, err := s.Customers.Reach(ctx, tx, t.CustomerID)
	if err != nil {
		return err
	}
	channel, address := s.route(to, "")
	if address == "" {
		t.State, t.Reason = toldUnreachable, ""
		return nil
	}
	key := "notice/" + n.ID + "/" + t.CustomerID
	d, err := s.Customers.May(ctx, tx, t.CustomerID, replyKind, channel, key)
	if err != nil {
		return err
	}
	if !d.Allowed {
		t.State, t.Reason, t.Due = toldHeld, d.Reason, never
		if !d.Retry.IsZero() && d.Retry.Before(n.At.Add(noticeLife)) {
			t.State, t.Due = toldWaiting, max(store.At(d.Retry), now+1)
		}
		return nil
	}
	text, subject := n.TextVI, "Điều chúng tôi đã thay đổi sau ý kiến của Quý khách"
	if strings.HasPrefix(to.Locale, "en") {
		text, subject = n.TextEN, "What we changed after you told us"
	}
	if err := s.post(ctx, tx, post{customer: t.CustomerID, voice: t.VoiceID, to: to, channel: channel, address: address, key: key, subject: subject, text: text}); err != nil {
		return err
	}
	t.State, t.Reason = toldSent, ""
	// The conversation shows it too, where the customer's own words are still there.
	i, err := itemByID(ctx, tx, t.VoiceID)
	if errs.KindOf(err) == errs.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return s.line(ctx, tx, &i, EntryTold, text)
}
