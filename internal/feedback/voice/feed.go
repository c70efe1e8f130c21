package voice

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
)

// heard are the events that may carry a customer's words, and as what.
var heard = map[string]Kind{
	"survey_answered": Answer, "exit_survey_answered": Answer, "response_completed": Answer,
	"complaint_filed": Complaint, "contact_received": Contact, "call_transcribed": Contact, "chat_ended": Contact, "comment_received": Contact,
	"app_review_posted": Review, "social_mention_posted": Social, "staff_observation_recorded": Observation,
}

// maxAge is how old an event may be and still come into the inbox. What is older than
// fresh, and all history, arrives done.
const (
	maxAge = 90 * 24 * time.Hour
	fresh  = 48 * time.Hour
)

// Handler brings what feeds say of customers' words into the inbox. It is a handler of
// the state projector.
type Handler struct {
	Voices     *Service
	Pseudonyms *pseudonym.Maker
}

// Name implements projector.Handler.
func (Handler) Name() string { return "feedback_voice" }

// Handle implements projector.Handler.
func (h Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	oldest := tx.Now().Add(-maxAge)
	for i := range records {
		e := &records[i].Event
		kind, listens := heard[e.Name]
		if !listens || e.Kind != event.Track || store.Micros(e.At) < oldest || len(e.Props) == 0 {
			continue
		}
		in, ok := saidBy(e)
		if !ok {
			continue
		}
		in.Kind, in.History = kind, e.History || store.Micros(e.At) < tx.Now().Add(-fresh)
		if e.UserID != "" {
			in.CustomerID = h.Pseudonyms.Record(e.Entity, e.RecordID()).String()
		}
		var err error
		if e.Unit != "" && h.Voices.UnitPath != nil {
			if in.Unit, err = h.Voices.UnitPath(ctx, tx, e.Unit); err != nil {
				return err
			}
		}
		if err := h.Voices.Take(ctx, tx, in); err != nil {
			return err
		}
	}
	return nil
}

// saidBy reads the words of an event; false where it has none, or where they come from
// this installation's own questionnaires, which arrive whole.
func saidBy(e *event.Event) (in Said, ok bool) {
	var p struct {
		Verbatim   string   `json:"verbatim"`
		Text       string   `json:"text"`
		Comment    string   `json:"comment"`
		Words      string   `json:"words"`
		Language   string   `json:"language"`
		Step       string   `json:"step"`
		Instrument string   `json:"instrument"`
		Score      *float64 `json:"score"`
		Stars      *float64 `json:"stars"`
		Scale      float64  `json:"scale"`
		Own        int64    `json:"survey_version"`
	}
	if json.Unmarshal(e.Props, &p) != nil || p.Own != 0 {
		return in, false
	}
	in = Said{Source: "event:" + e.Source, Ref: e.MessageID, Channel: cut(e.Channel, 60), Journey: cut(e.Journey, 60), Step: cut(p.Step, 60), Product: cut(e.Product, 60), Locale: "vi", At: e.Time()}
	for _, words := range []string{p.Verbatim, p.Text, p.Comment, p.Words} {
		if in.Words = cut(words, MaxWords); in.Words != "" {
			break
		}
	}
	if p.Language == "en" {
		in.Locale = "en"
	}
	switch {
	case p.Stars != nil:
		in.Score, in.Bottom, in.Top = p.Stars, 1, 5
	case p.Score != nil:
		in.Score, in.Bottom, in.Top = p.Score, 1, 5
		switch {
		case p.Scale > 0:
			in.Top = p.Scale
		case strings.Contains(p.Instrument, "nps") || p.Instrument == "complaint_followup":
			in.Bottom, in.Top = 0, 10
		case strings.Contains(p.Instrument, "ces") || p.Instrument == "exit_short":
			in.Top = 7
		case p.Instrument == "expectation_gap":
			in.Bottom, in.Top = -2, 2
		}
	}
	return in, in.Words != ""
}

// cut shortens a text to n characters and drops what no text holds.
func cut(s string, n int) string {
	s = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""))
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n])
	}
	return s
}
