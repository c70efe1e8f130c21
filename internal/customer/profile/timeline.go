package profile

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"omote/internal/customer/identity"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Entry is one fact on a customer's timeline.
type Entry struct {
	ID       string
	At       time.Time
	Record   string
	Source   string
	Kind     string
	Name     string
	Journey  string
	Case     string
	Channel  string
	Unit     string
	Product  string
	Outcome  string
	Amount   *int64 // minor units
	Currency string
	Voices   []Voice
}

// Voice is what the customer answered or wrote; comments are masked.
type Voice struct {
	At         time.Time
	Event      string
	Instrument string
	Item       string
	Score      *float64
	Comment    string
	Journey    string
	Channel    string
}

// Filter picks facts of a timeline. Empty fields pick all.
type Filter struct {
	Journey, Channel, Case string
	// Names are event names, any of which fits; Text is looked for in comments. A
	// fact fits when one of the two does.
	Names  []string
	Text   string
	Voices bool // only facts with an answer or a comment
	From   time.Time
	To     time.Time
	// After is the cursor of the page before; facts come newest first.
	After string
	Limit int // default 50, at most 200
}

// Timeline is a part of a customer's facts, newest first. Next is the cursor of
// the next part, "" on the last one.
type Timeline struct {
	Entries []Entry
	Next    string
}

// Facet is a value of a field with how many of the customer's facts have it.
type Facet struct {
	Value string
	N     int64
	Last  time.Time
}

// Overview is what all facts of a customer come to.
type Overview struct {
	Facts    int64
	Journeys []Facet
	Channels []Facet
	// Revenue and Cost are the last twelve months' in minor units of Currency; Months
	// says how many months they cover, 0 when nothing was recorded.
	Revenue, Cost int64
	Currency      string
	Months        int
	Products      []string // held at the last month's end
	Voices        []Voice  // newest first, at most 20
}

// open checks that the reader may see the customer and gives the records.
func (s *Service) open(ctx context.Context, id string) ([]string, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	c, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.Closed {
		return nil, errs.Denied("customer.profile.error.closed", "state a purpose first")
	}
	return c.RecordIDs(), nil
}

// list is a list of ids for SQL; ids that are no UUIDs are left out.
func list(ids []string) string {
	var b strings.Builder
	for _, id := range ids {
		u, err := uuid.Parse(id)
		if err != nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString("'" + u.String() + "'::uuid")
	}
	if b.Len() == 0 {
		return "'00000000-0000-0000-0000-000000000000'::uuid"
	}
	return b.String()
}

// Timeline gives the facts of a customer that fit.
func (s *Service) Timeline(ctx context.Context, id string, f Filter) (t Timeline, err error) {
	records, err := s.open(ctx, id)
	if err != nil {
		return t, err
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	where := []string{"e.record_id IN (" + list(records) + ")"}
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	for column, value := range map[string]string{"journey": f.Journey, "channel": f.Channel, "case_key": f.Case} {
		if value != "" {
			where = append(where, "e."+column+" = "+arg(value))
		}
	}
	if !f.From.IsZero() {
		where = append(where, "e.occurred_at >= "+arg(f.From.UTC()))
	}
	if !f.To.IsZero() {
		where = append(where, "e.occurred_at < "+arg(f.To.UTC()))
	}
	if f.Voices {
		where = append(where, "e.event_id IN (SELECT v.event_id FROM {response v} WHERE v.record_id IN ("+list(records)+"))")
	}
	if len(f.Names) > 0 || f.Text != "" {
		var any []string
		for _, n := range f.Names {
			any = append(any, "e.name = "+arg(n))
		}
		if f.Text != "" {
			any = append(any, "e.event_id IN (SELECT c.event_id FROM {response c} WHERE c.record_id IN ("+list(records)+") AND position(lower("+arg(f.Text)+") IN lower(c.comment)) > 0)")
		}
		where = append(where, "("+strings.Join(any, " OR ")+")")
	}
	if f.After != "" {
		at, event, err := parseCursor(f.After)
		if err != nil {
			return t, err
		}
		a := arg(at)
		where = append(where, "(e.occurred_at < "+a+" OR (e.occurred_at = "+a+" AND e.event_id < CAST("+arg(event)+" AS UUID)))")
	}
	rows, err := s.warehouse.Query(whole(ctx), `SELECT CAST(e.event_id AS VARCHAR), e.occurred_at, CAST(e.record_id AS VARCHAR), e.source, e.kind, e.name, e.journey, e.case_key,
	e.channel, e.unit, e.product, e.outcome, e.amount, e.currency
FROM {event e} WHERE `+strings.Join(where, " AND ")+`
ORDER BY e.occurred_at DESC, e.event_id DESC LIMIT `+strconv.Itoa(limit+1), args...)
	if err != nil {
		return t, fmt.Errorf("read a timeline: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e Entry
		var amount sql.NullInt64
		if err := rows.Scan(&e.ID, &e.At, &e.Record, &e.Source, &e.Kind, &e.Name, &e.Journey, &e.Case, &e.Channel, &e.Unit, &e.Product, &e.Outcome, &amount, &e.Currency); err != nil {
			return t, fmt.Errorf("read a timeline: %w", err)
		}
		if amount.Valid {
			e.Amount = &amount.Int64
		}
		t.Entries = append(t.Entries, e)
	}
	if err := rows.Err(); err != nil {
		return t, fmt.Errorf("read a timeline: %w", err)
	}
	if len(t.Entries) > limit {
		t.Entries = t.Entries[:limit]
		last := t.Entries[limit-1]
		t.Next = strconv.FormatInt(last.At.UnixMicro(), 10) + "_" + last.ID
	}
	return t, s.addVoices(ctx, records, t.Entries)
}

func parseCursor(text string) (at time.Time, event string, err error) {
	micros, event, ok := strings.Cut(text, "_")
	n, numErr := strconv.ParseInt(micros, 10, 64)
	if _, idErr := uuid.Parse(event); !ok || numErr != nil || idErr != nil {
		return at, "", errs.Invalid("customer.profile.error.cursor", "after", "the cursor is none of ours")
	}
	return time.UnixMicro(n).UTC(), event, nil
}

// addVoices adds what was answered to the facts that carry an answer.
func (s *Service) addVoices(ctx context.Context, records []string, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	at := make(map[string]*Entry, len(entries))
	ids := make([]string, len(entries))
	for i := range entries {
		ids[i], at[entries[i].ID] = entries[i].ID, &entries[i]
	}
	voices, err := s.voices(ctx, "r.record_id IN ("+list(records)+") AND r.event_id IN ("+list(ids)+")", 1000)
	if err != nil {
		return err
	}
	for _, v := range voices {
		if e := at[v.Event]; e != nil {
			e.Voices = append(e.Voices, v)
		}
	}
	return nil
}

func (s *Service) voices(ctx context.Context, where string, limit int) (out []Voice, err error) {
	rows, err := s.warehouse.Query(whole(ctx), `SELECT CAST(r.event_id AS VARCHAR), r.occurred_at, r.instrument, r.item, r.score, r.comment, r.journey, r.channel
FROM {response r} WHERE `+where+` ORDER BY r.occurred_at DESC, r.event_id DESC, r.item LIMIT `+strconv.Itoa(limit))
	if err != nil {
		return nil, fmt.Errorf("read voices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var v Voice
		var score sql.NullFloat64
		var comment sql.NullString
		if err := rows.Scan(&v.Event, &v.At, &v.Instrument, &v.Item, &score, &comment, &v.Journey, &v.Channel); err != nil {
			return nil, fmt.Errorf("read voices: %w", err)
		}
		if score.Valid {
			v.Score = &score.Float64
		}
		v.Comment = comment.String
		out = append(out, v)
	}
	return out, rows.Err()
}

// Overview sums a customer's facts up.
func (s *Service) Overview(ctx context.Context, id string) (o Overview, err error) {
	records, err := s.open(ctx, id)
	if err != nil {
		return o, err
	}
	in := "record_id IN (" + list(records) + ")"
	for column, to := range map[string]*[]Facet{"journey": &o.Journeys, "channel": &o.Channels} {
		if *to, err = s.facets(ctx, column, in); err != nil {
			return o, err
		}
	}
	for _, f := range o.Channels {
		o.Facts += f.N
	}
	o.Journeys = named(o.Journeys)
	o.Channels = named(o.Channels)
	if err := s.value(ctx, in, &o); err != nil {
		return o, err
	}
	o.Voices, err = s.voices(ctx, "r."+in, 20)
	return o, err
}

func named(all []Facet) (out []Facet) {
	for _, f := range all {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

func (s *Service) facets(ctx context.Context, column, in string) (out []Facet, err error) {
	rows, err := s.warehouse.Query(whole(ctx), `SELECT `+column+`, count(*), max(occurred_at) FROM {event} WHERE `+in+` GROUP BY `+column+` ORDER BY count(*) DESC, `+column)
	if err != nil {
		return nil, fmt.Errorf("count a customer's facts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var f Facet
		if err := rows.Scan(&f.Value, &f.N, &f.Last); err != nil {
			return nil, fmt.Errorf("count a customer's facts: %w", err)
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// value adds the months' ends that core banking recorded.
func (s *Service) value(ctx context.Context, in string, o *Overview) error {
	rows, err := s.warehouse.Query(whole(ctx), `SELECT occurred_at, currency, CAST(props AS VARCHAR) FROM {event} WHERE `+in+` AND name = 'month_end_recorded' ORDER BY occurred_at DESC, event_id LIMIT 24`)
	if err != nil {
		return fmt.Errorf("read a customer's value: %w", err)
	}
	defer rows.Close()
	var from time.Time
	for rows.Next() {
		var at time.Time
		var currency string
		var raw sql.NullString
		if err := rows.Scan(&at, &currency, &raw); err != nil {
			return fmt.Errorf("read a customer's value: %w", err)
		}
		var month struct {
			Revenue  int64    `json:"revenue"`
			Cost     int64    `json:"cost_to_serve"`
			Products []string `json:"products"`
		}
		if !raw.Valid || json.Unmarshal([]byte(raw.String), &month) != nil {
			continue
		}
		if from.IsZero() {
			from, o.Products, o.Currency = at.AddDate(-1, 0, 0), month.Products, currency
		}
		if at.After(from) {
			o.Revenue, o.Cost, o.Months = o.Revenue+month.Revenue, o.Cost+month.Cost, o.Months+1
		}
	}
	return rows.Err()
}

// OpenCases gives the customer's open cases; nil when no part has cases.
func (s *Service) OpenCases(ctx context.Context, id string) ([]Case, error) {
	if s.Cases == nil {
		return nil, nil
	}
	records, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.Cases.OpenOf(ctx, records)
}

// ConsentsOf gives what the customer agreed to; nil when no part keeps consents.
func (s *Service) ConsentsOf(ctx context.Context, id string) ([]Consent, error) {
	if s.Consents == nil {
		return nil, nil
	}
	records, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.Consents.Of(ctx, records)
}

// Past gives the former values of the customer's attributes, newest first, as far
// as the reader may see them.
func (s *Service) Past(ctx context.Context, id string) (out []Former, err error) {
	c, err := s.Get(ctx, id)
	if err != nil || c.Closed {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = nil
		rows, err := identity.PastOf(ctx, tx, s.box, c.RecordIDs())
		if err != nil {
			return err
		}
		for _, p := range rows {
			rule := s.rules.stating(p.Trait)
			if rule == nil {
				continue
			}
			f := Former{Attribute: rule.Name, Value: identity.TraitText(json.RawMessage(p.Value.Plain)), Record: p.RecordID, From: p.FromAt}
			if rule.Mask != MaskNone && !c.Purpose.opens(rule.Name) {
				f.Value = rule.mask(f.Value)
			}
			out = append(out, f)
		}
		return nil
	})
	return out, err
}

// Former is a value that an attribute had, from when.
type Former struct {
	Attribute, Value, Record string
	From                     store.Micros
}

// stating finds the rule that a trait belongs to, nil for none.
func (r *Rules) stating(trait string) *AttributeRule {
	for i := range r.Attributes {
		for _, t := range r.Attributes[i].From {
			if t == trait {
				return &r.Attributes[i]
			}
		}
	}
	return nil
}
