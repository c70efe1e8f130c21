package survey

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"omote/internal/feedback/form"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/link"
	"omote/internal/platform/outbox"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/platform/timer"
)

// AskState is where an invitation is.
type AskState string

// The states of an invitation.
const (
	Waiting  AskState = "waiting"
	Asked    AskState = "asked"
	NotAsked AskState = "not_asked"
	Answered AskState = "answered"
	Expired  AskState = "expired"
)

// Why somebody was not asked, besides the words of the contact policy.
const (
	NotSampled = "not_sampled"
	QuotaFull  = "quota_full"
	NoChannel  = "no_channel" // no channel that is set up reaches the customer
	TooLate    = "too_late"   // no moment was allowed while the invitation was valid
	Closed     = "closed"     // the questionnaire was closed meanwhile
)

// Invitation is one customer's asking.
type Invitation struct {
	CustomerID  string
	ID          string
	Survey      string
	Version     int64
	Cause       string
	State       AskState
	Channel     string
	Probability float64
	Unit        string
	Via         string
	Journey     string
	Product     string
	Reason      string
	Reasons     json.RawMessage
	Created     time.Time
	Due         time.Time
	Asked       time.Time
	Reminded    time.Time
	Expires     time.Time
	// System and UserID name the person to the log; sealed in the store.
	System, UserID string
	// Delivery is what the gateway reported; FollowUp the share of the silent that is
	// called, 0 for those who are not; Calls the attempts.
	Delivery string
	FollowUp float64
	Calls    int64
}

// maxAge is how old an event may be to start an asking.
const maxAge = 7 * 24 * time.Hour

// askTimer and remindTimer are the timers of invitations.
const (
	askTimer    = "feedback_survey.ask"
	remindTimer = "feedback_survey.remind"
)

// Handler starts askings from events. It is a handler of the state projector.
type Handler struct {
	Surveys    *Service
	Pseudonyms *pseudonym.Maker
}

// Name implements projector.Handler.
func (Handler) Name() string { return "feedback_survey" }

// Handle implements projector.Handler.
func (h Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	s := h.Surveys
	live, err := s.lives(ctx, tx)
	if err != nil || len(live) == 0 {
		return err
	}
	oldest := tx.Now().Time().Add(-maxAge).UnixMicro()
	var found []*Invitation
	for i := range records {
		e := &records[i].Event
		if e.History || e.Kind != event.Track || e.UserID == "" || e.At < oldest {
			continue
		}
		for _, v := range live {
			if v.Document.Asking.Asks() && starts(v.Document.Asking.Events, e) {
				record := h.Pseudonyms.Record(e.Entity, e.RecordID()).String()
				found = append(found, s.invite(tx, v, record, e))
			}
		}
	}
	return s.keepInvitations(ctx, tx, found)
}

func starts(names []string, e *event.Event) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		journey, name, both := strings.Cut(n, "/")
		if !both {
			return n == e.Name
		}
		return name == e.Name && (journey == e.Journey || e.Journey == "")
	})
}

// invite draws whether the event's customer is asked.
func (s *Service) invite(tx store.Tx, v *Version, record string, e *event.Event) *Invitation {
	a := &v.Document.Asking
	cause := e.Source + "\x1f" + e.MessageID
	in := &Invitation{CustomerID: record, ID: uuid.Must(uuid.NewV7()).String(), Survey: v.Document.ID, Version: v.Version, Cause: hashed(cause),
		State: Waiting, Unit: e.Unit, Via: e.Channel, Journey: e.Journey, Product: e.Product, Created: tx.Now().Time(),
		Due: e.Time().Add(a.Delay), System: e.SystemName(), UserID: e.UserID}
	in.Expires = in.Due.Add(a.ValidFor)
	in.Probability = a.Of(map[string]string{"unit": e.Unit, "via": e.Channel, "journey": e.Journey, "product": e.Product})
	if !Sampled(in.Probability, v.Entity, v.Document.ID, record, cause) {
		in.State, in.Reason = NotAsked, NotSampled
	}
	return in
}

// Sampled draws with probability share, always the same for the same parts.
func Sampled(share float64, parts ...string) bool {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return float64(mix(h.Sum64()))/math.MaxUint64 < share
}

// mix spreads every bit over all (the finaliser of SplitMix64), since FNV leaves
// the high bits of similar texts alike.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashed(text string) string {
	h := fnv.New128a()
	h.Write([]byte(text))
	sum := h.Sum(nil)
	return fmt.Sprintf("%016x%016x", binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:]))
}

// keepInvitations writes invitations that are new and sets their timers.
func (s *Service) keepInvitations(ctx context.Context, tx store.Tx, all []*Invitation) error {
	added, err := s.insertInvitations(ctx, tx, all)
	if err != nil {
		return err
	}
	var timers []timer.Timer
	for _, in := range added {
		if in.State == Waiting {
			timers = append(timers, timer.Timer{Kind: askTimer, ID: in.key(), Due: in.Due})
		}
	}
	if len(timers) == 0 {
		return nil
	}
	return s.Timers.Set(ctx, tx, timers...)
}

func (in *Invitation) key() string { return in.CustomerID + "/" + in.ID }

// Invite asks customers by hand or by API: each is put before the contact policy
// like any other. Records are those of identity; a cause makes it idempotent.
func (s *Service) Invite(ctx context.Context, tx store.Tx, survey, cause string, records ...string) (int, error) {
	live, err := s.lives(ctx, tx)
	if err != nil {
		return 0, err
	}
	v := live[survey]
	if v == nil {
		return 0, errs.Conflict("feedback.survey.error.not_live", "the questionnaire %q is not live", survey)
	}
	now := tx.Now().Time()
	var all []*Invitation
	for _, record := range records {
		all = append(all, &Invitation{CustomerID: record, ID: uuid.Must(uuid.NewV7()).String(), Survey: survey, Version: v.Version, Cause: hashed(cause),
			State: Waiting, Probability: 1, Created: now, Due: now, Expires: now.Add(v.Document.Asking.ValidFor)})
	}
	added, err := s.insertInvitations(ctx, tx, all)
	if err != nil {
		return 0, err
	}
	var timers []timer.Timer
	for _, in := range added {
		timers = append(timers, timer.Timer{Kind: askTimer, ID: in.key(), Due: in.Due})
	}
	if len(timers) > 0 {
		err = s.Timers.Set(ctx, tx, timers...)
	}
	return len(added), err
}

// fireAsk asks those whose invitation is due, or writes down why not.
func (s *Service) fireAsk(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	live, err := s.lives(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range due {
		customer, id, _ := strings.Cut(t.ID, "/")
		in, err := s.findInvitation(ctx, tx, customer, id)
		if errs.KindOf(err) == errs.KindNotFound {
			continue
		}
		if err != nil {
			return err
		}
		if in.State != Waiting {
			continue
		}
		if err := s.ask(ctx, tx, live[in.Survey], in); err != nil {
			return err
		}
		if err := updateInvitation(ctx, tx, in); err != nil {
			return err
		}
	}
	return nil
}

// ask decides about one invitation and sends it.
func (s *Service) ask(ctx context.Context, tx store.Tx, v *Version, in *Invitation) error {
	now := tx.Now().Time()
	no := func(reason string) error {
		in.State, in.Reason = NotAsked, reason
		return nil
	}
	switch {
	case v == nil:
		return no(Closed)
	case !now.Before(in.Expires):
		return no(TooLate)
	}
	full, err := s.quotaFull(ctx, tx, v.Document, in)
	if err != nil {
		return err
	}
	if full {
		return no(QuotaFull)
	}
	in.Reason = NoChannel
	var again time.Time
	for _, channel := range v.Document.Asking.Channels {
		if channel != CallChannel && !slices.Contains(s.Channels, channel) {
			continue
		}
		reach, err := s.People.Address(ctx, tx, in.CustomerID, channel)
		if err != nil {
			return err
		}
		if reach.Address == "" {
			continue
		}
		j, err := s.Contacts.Judge(ctx, tx, Contact{Customer: in.CustomerID, Kind: v.Document.Asking.Contact, Channel: channel, Ref: in.ID, At: now})
		if err != nil {
			return err
		}
		in.Reasons = j.Reasons
		if j.Allowed {
			return s.send(ctx, tx, v, in, channel, reach, in.ID)
		}
		in.Reason = j.Reason
		if !j.Until.IsZero() && (again.IsZero() || j.Until.Before(again)) {
			again = j.Until
		}
	}
	if !again.IsZero() && again.Before(in.Expires) {
		in.Due = again
		return s.Timers.Set(ctx, tx, timer.Timer{Kind: askTimer, ID: in.key(), Due: again})
	}
	in.State = NotAsked
	return nil
}

// send puts the message into the outbox; a call goes to the list of calls. key is also
// the contact's reservation.
func (s *Service) send(ctx context.Context, tx store.Tx, v *Version, in *Invitation, channel string, to Reach, key string) error {
	if channel == CallChannel {
		in.State, in.Channel, in.Reason, in.Asked = Asked, channel, "", tx.Now().Time()
		return s.expireAt(ctx, tx, in)
	}
	address, err := s.linkTo(ctx, tx.Scope.Entity, in, channel)
	if err != nil {
		return err
	}
	payload, err := message(v.Document, form.Reader{Locale: to.Locale, Form: to.Form, Bank: s.Bank,
		Fills: s.Things.Fills(in.Journey, to.Locale, nil)}, channel, to.Address, address)
	if err != nil {
		return err
	}
	if _, err := s.Outbox.Enqueue(ctx, tx, outbox.Message{CustomerID: in.CustomerID, Channel: channel, Purpose: v.Document.Asking.Contact, Key: key, Payload: payload}); err != nil {
		return err
	}
	in.State, in.Channel, in.Reason, in.Asked = Asked, channel, "", tx.Now().Time()
	if err := s.expireAt(ctx, tx, in); err != nil {
		return err
	}
	if remind := v.Document.Asking.Remind; remind > 0 && key == in.ID {
		return s.Timers.Set(ctx, tx, timer.Timer{Kind: remindTimer, ID: in.key(), Due: in.Asked.Add(remind)})
	}
	return nil
}

// fireRemind asks once more those who have not answered.
func (s *Service) fireRemind(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	live, err := s.lives(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range due {
		customer, id, _ := strings.Cut(t.ID, "/")
		in, err := s.findInvitation(ctx, tx, customer, id)
		if errs.KindOf(err) == errs.KindNotFound {
			continue
		}
		if err != nil {
			return err
		}
		v := live[in.Survey]
		if v == nil || in.State != Asked || !in.Reminded.IsZero() || !tx.Now().Time().Before(in.Expires) {
			continue
		}
		reach, err := s.People.Address(ctx, tx, in.CustomerID, in.Channel)
		if err != nil {
			return err
		}
		key := in.ID + "/2"
		j, err := s.Contacts.Judge(ctx, tx, Contact{Customer: in.CustomerID, Kind: v.Document.Asking.Contact, Channel: in.Channel, Ref: key, At: tx.Now().Time()})
		if err != nil {
			return err
		}
		if !j.Allowed || reach.Address == "" {
			continue // once asked is enough
		}
		asked := in.Asked
		if err := s.send(ctx, tx, v, in, in.Channel, reach, key); err != nil {
			return err
		}
		in.Asked, in.Reminded = asked, tx.Now().Time()
		if err := updateInvitation(ctx, tx, in); err != nil {
			return err
		}
	}
	return nil
}

// linkPurpose marks the links of surveys.
const linkPurpose = "survey"

// linkTo signs the address of an invitation's page.
func (s *Service) linkTo(ctx context.Context, entity string, in *Invitation, channel string) (string, error) {
	token, err := link.Sign(ctx, s.Keys, linkPurpose, in.Expires, entity, in.Survey, in.CustomerID, in.ID, channel)
	if err != nil {
		return "", err
	}
	return s.BaseURL + "/s/" + token, nil
}

// OpenLink signs an address that anybody may answer at, once per visit: a code at
// the counter, a poster, a tablet. place is the unit it hangs in.
func (s *Service) OpenLink(ctx context.Context, entity, survey, place, channel string, expires time.Time) (string, error) {
	if strings.Contains(place+channel, "|") {
		return "", errors.New("survey: a place cannot hold |")
	}
	token, err := link.Sign(ctx, s.Keys, linkPurpose, expires, entity, survey, "", place, channel)
	if err != nil {
		return "", err
	}
	return s.BaseURL + "/s/" + token, nil
}

// message writes the invitation for a channel. In an e-mail the first question can
// be answered by a tap, which opens the page with that answer chosen.
func message(d *form.Document, r form.Reader, channel, to, address string) (json.RawMessage, error) {
	first := d.Items[0]
	question := d.Fill(first.Text, r)
	if channel != send.MailChannel {
		return json.Marshal(send.Short{To: to, Title: r.Bank, Text: question + " " + address, Link: address})
	}
	subject := question
	stop := words(r.Locale, "Không muốn nhận khảo sát", "Stop surveys") + ": " + address + "/stop"
	text := question + "\n\n" + address + "\n\n" + stop + "\n"
	return json.Marshal(send.Letter{To: to, Subject: subject, Text: text, HTML: letter(d, r, address), Unsubscribe: address + "/stop"})
}

func words(locale, vi, en string) string {
	if strings.HasPrefix(locale, "en") {
		return en
	}
	return vi
}
