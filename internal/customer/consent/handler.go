package consent

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Names of the events that carry a statement, with the properties purpose,
// channel (all when absent), text_version and basis (how it was obtained).
const (
	EventGiven     = "consent_given"
	EventWithdrawn = "consent_withdrawn"
)

// traitConsents is the trait of an identify call that carries statements:
//
//	{"consents": {"marketing": true, "survey": {"email": false, "sms": true}}}
const traitConsents = "consents"

// Handler keeps the statements that arrive in the log. It is a handler of the
// state projector: a withdrawal that a feed delivers voids what is queued in the
// transaction that takes the event up.
type Handler struct {
	service    *Service
	pseudonyms *pseudonym.Maker
}

// NewHandler makes the handler.
func NewHandler(s *Service, p *pseudonym.Maker) *Handler { return &Handler{s, p} }

// Name implements projector.Handler.
func (*Handler) Name() string { return "customer_consent" }

// Handle implements projector.Handler.
func (h *Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	var rows []Statement
	for i := range records {
		rows = h.take(tx, rows, &records[i].Event)
	}
	if len(rows) == 0 {
		return nil
	}
	return h.service.keep(ctx, tx, rows)
}

// take adds what an event says. An event that says nothing understandable says
// nothing: silence never becomes consent.
func (h *Handler) take(tx store.Tx, rows []Statement, e *event.Event) []Statement {
	switch {
	case e.Kind == event.Track && (e.Name == EventGiven || e.Name == EventWithdrawn):
		var p struct {
			Purpose     string  `json:"purpose"`
			Channel     string  `json:"channel"`
			TextVersion float64 `json:"text_version"`
			Basis       string  `json:"basis"`
		}
		if json.Unmarshal(e.Props, &p) != nil {
			return rows
		}
		return h.add(tx, rows, e, Statement{Purpose: p.Purpose, Channel: p.Channel, Granted: e.Name == EventGiven,
			TextVersion: max(0, int(p.TextVersion)), Evidence: sealed.New(cut(p.Basis))})
	case e.Kind == event.Identify && len(e.Traits) > len(traitConsents):
		var t struct {
			Consents map[string]json.RawMessage `json:"consents"`
		}
		if json.Unmarshal(e.Traits, &t) != nil {
			return rows
		}
		for purpose, raw := range t.Consents {
			var yes bool
			if json.Unmarshal(raw, &yes) == nil {
				rows = h.add(tx, rows, e, Statement{Purpose: purpose, Granted: yes})
				continue
			}
			var channels map[string]bool
			if json.Unmarshal(raw, &channels) != nil {
				continue
			}
			for channel, yes := range channels {
				rows = h.add(tx, rows, e, Statement{Purpose: purpose, Channel: channel, Granted: yes})
			}
		}
	}
	return rows
}

func (h *Handler) add(tx store.Tx, rows []Statement, e *event.Event, s Statement) []Statement {
	s.Entity, s.RecordID = e.Entity, h.pseudonyms.Record(e.Entity, e.RecordID()).String()
	s.ID, s.Source, s.MadeBy = uuid.Must(uuid.NewV7()).String(), FromEvent, "feed:"+e.Source
	s.Received = tx.Now()
	s.At = min(store.Micros(e.At), s.Received)
	if s.Channel == "" {
		s.Channel = AnyChannel
	}
	if s.Purpose == AllPurposes && s.Granted || s.validate() != nil {
		return rows
	}
	return append(rows, s)
}

func cut(text string) string {
	if r := []rune(text); len(r) > maxEvidence {
		return string(r[:maxEvidence])
	}
	return text
}
