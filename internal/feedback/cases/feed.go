package cases

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
)

// maxEventAge is how old an event may be and still open a case or set a mark: what is
// older is history, and history never acts.
const maxEventAge = 48 * time.Hour

// Handler makes cases of events and sets marks by them. It is a handler of the state
// projector: a case and the position in the log commit together.
type Handler struct {
	service *Service
	names   *pseudonym.Maker
}

// NewHandler makes the handler.
func NewHandler(s *Service, names *pseudonym.Maker) *Handler { return &Handler{s, names} }

// Name implements projector.Handler.
func (*Handler) Name() string { return "feedback_case" }

// Handle implements projector.Handler.
func (h *Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	var content *Content
	oldest := tx.Now().Add(-maxEventAge)
	for i := range records {
		e := &records[i].Event
		if e.Kind != event.Track || e.History || ownAnswer(e) || store.Micros(e.At) < oldest {
			continue
		}
		if content == nil {
			var err error
			if content, err = h.service.content(ctx, tx); err != nil {
				return err
			}
		}
		if !content.listens[e.Name] {
			continue
		}
		if err := h.service.TakeEvent(ctx, tx, e, h.names.Record(e.Entity, e.RecordID()).String()); err != nil {
			return err
		}
	}
	return nil
}

// ownAnswer tells an event of this installation's own questionnaires, which name the
// version that was answered.
func ownAnswer(e *event.Event) bool {
	return e.Source == OwnSurveys && bytes.Contains(e.Props, []byte(`"survey_version"`))
}

// TakeEvent makes a case of an event, or sets the mark of its name in the case that
// its source calls the same. customer is the pseudonym of the event's record.
func (s *Service) TakeEvent(ctx context.Context, tx store.Tx, e *event.Event, customer string) error {
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	if e.Case != "" {
		id, err := signalSeen(ctx, tx, caseSource(e), e.Case)
		if err != nil {
			return err
		}
		if id != "" {
			return s.feedMark(ctx, tx, content, id, e)
		}
	}
	in, facts := intakeOfEvent(e)
	in.CustomerID = customer
	if in.Unit, err = s.unitOf(ctx, tx, e.Unit); err != nil {
		return err
	}
	if !slices.ContainsFunc(content.Signals, func(r SignalRule) bool { return r.when.Holds(facts) }) {
		return nil
	}
	if err := s.known(ctx, tx, &in); err != nil {
		return err
	}
	_, err = s.Take(ctx, tx, in, facts)
	return err
}

// caseSource is under which source a feed's own case number is known.
func caseSource(e *event.Event) string { return "case:" + e.Journey }

// feedMark sets the mark that a feed reports for a case of its own.
func (s *Service) feedMark(ctx context.Context, tx store.Tx, content *Content, id string, e *event.Event) error {
	c, err := caseByID(ctx, tx, id)
	if err != nil {
		return err
	}
	if c.State == Merged || !slices.Contains(content.Marks(), e.Name) {
		return nil
	}
	at := min(store.Micros(e.At), tx.Now())
	if err := s.mark(ctx, tx, content, &c, at, e.Name); err != nil {
		return err
	}
	line := Entry{CaseID: c.ID, ID: newID(), Kind: EntryMark, Actor: "process:feed", At: at, Detail: map[string]string{"mark": e.Name}}
	if err := insertEntries(ctx, tx, []Entry{line}); err != nil {
		return err
	}
	if c.State == New {
		c.State = Working
	}
	if c.IsOpen {
		c.Touched = max(c.Touched, at)
	}
	if err := saveCase(ctx, tx, &c); err != nil {
		return err
	}
	return s.setSilence(ctx, tx, &c)
}

// Reached is how a customer is called and reached, as far as the bank knows.
type Reached struct{ Name, Phone, Email, Locale string }

func (s *Service) unitOf(ctx context.Context, tx store.Tx, code string) (string, error) {
	if s.UnitPath == nil || code == "" {
		return "/", nil
	}
	path, err := s.UnitPath(ctx, tx, code)
	if path == "" {
		path = "/"
	}
	return path, err
}

// intakeOfEvent reads what an event says of a problem.
func intakeOfEvent(e *event.Event) (Intake, Facts) {
	f := Facts{"event": e.Name, "signal": "event", "channel": e.Channel, "product": e.Product, "journey": e.Journey, "outcome": e.Outcome, "amount": float64(e.Amount)}
	for _, raw := range [][]byte{e.Props, e.Traits} {
		var members map[string]any
		if len(raw) == 0 || json.Unmarshal(raw, &members) != nil {
			continue
		}
		for name, v := range members {
			switch v.(type) {
			case string, float64, bool:
				if _, known := f[name]; !known {
					f[name] = v
				}
			}
		}
	}
	text := first(f, "text", "verbatim", "comment", "words")
	f["text"], f["reason"] = text, first(f, "reason", "reason_code")
	if strings.HasSuffix(e.Name, "survey_answered") || e.Name == "response_completed" {
		f["signal"] = "answer"
		if _, scored := f["score"].(float64); !scored {
			delete(f, "scale") // words alone: their missing score is no 0 on a scale
		} else if _, ok := f["scale"]; !ok {
			f["scale"] = scaleOf(first(f, "instrument"))
		}
	}
	in := Intake{Channel: channelOf(e, f), Product: cut(e.Product, 60), Journey: cut(e.Journey, 60), Reason: cut(f["reason"].(string), 60), Words: cut(text, MaxWords), Locale: "vi",
		At: time.UnixMicro(e.At), Signal: Signal{Source: "event:" + e.Source, Ref: e.MessageID, Kind: f["signal"].(string), Words: cut(text, MaxWords), At: time.UnixMicro(e.At)}}
	if first(f, "language", "locale") == "en" {
		in.Locale = "en"
	}
	if e.Case != "" && f["signal"] != "answer" {
		in.Signal.Source, in.Signal.Ref = caseSource(e), e.Case
	}
	if score, ok := f["score"].(float64); ok {
		in.Signal.Score = &score
	}
	return in, f
}

func first(f Facts, names ...string) string {
	for _, n := range names {
		if s, ok := f[n].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// scaleOf is the top of an instrument's scale where the event does not say it.
func scaleOf(instrument string) float64 {
	switch {
	case strings.Contains(instrument, "nps"):
		return 10
	case strings.Contains(instrument, "ces"):
		return 7
	}
	return 5
}

// channelOf is the channel of intake that an event's channel stands for.
func channelOf(e *event.Event, f Facts) string {
	if f["signal"] == "answer" {
		return "survey"
	}
	switch e.Channel {
	case "call", "contact_centre", "hotline":
		return "phone"
	case "mobile_app", "app":
		return "app"
	case "branch", "counter":
		return "branch"
	case "email", "letter", "social", "web":
		return e.Channel
	}
	return "feed"
}

// cut shortens a text to n characters and drops what no text holds.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n])
	}
	return s
}
