package cases

import (
	"context"
	"strings"
	"time"

	"omote/internal/platform/store"
)

// OwnSurveys is the feed of this installation's own questionnaires. Their answers come
// whole, by [Service.TakeAnswer], and not question by question from the log.
const OwnSurveys = "survey"

// Answered is what one person said in a questionnaire, all of it.
type Answered struct {
	CustomerID string // record; "" where nobody is known
	Ref        string // of the response; it counts once
	Instrument string
	Unit       string // code
	Product    string
	Journey    string
	Locale     string
	Score      *float64
	Top        float64 // highest point of the score's scale
	Words      string
	CallMe     bool // the person wants to be called
	Asks       bool // the questionnaire says that such answers ask for a case
	Unsolved   bool // the questionnaire says that the last case is not solved
	At         time.Time
}

// reopenWithin is how long after its end a case is reopened by an answer; a later one
// is a problem of its own.
const reopenWithin = 60 * 24 * time.Hour

// TakeAnswer makes, joins or reopens a case by a whole response, when a rule wants it; ""
// when none does.
func (s *Service) TakeAnswer(ctx context.Context, tx store.Tx, a Answered) (id string, err error) {
	if a.Unsolved && a.CustomerID != "" {
		c, found, err := lastClosed(ctx, tx, a.CustomerID, store.At(a.At).Add(-reopenWithin))
		if err != nil {
			return "", err
		}
		if found {
			return c.ID, s.verified(ctx, tx, &c, false, cut(a.Words, MaxWords))
		}
	}
	f := Facts{"event": "response_completed", "signal": "answer", "channel": "survey", "instrument": a.Instrument, "product": a.Product, "journey": a.Journey, "text": a.Words,
		"call_me": a.CallMe, "asks": a.Asks || a.Unsolved}
	in := Intake{CustomerID: a.CustomerID, Channel: "survey", Product: cut(a.Product, 60), Journey: cut(a.Journey, 60), Words: cut(a.Words, MaxWords), Locale: "vi", At: a.At,
		Signal: Signal{Source: "answer", Ref: a.Ref, Kind: "answer", Score: a.Score, Words: cut(a.Words, MaxWords), At: a.At}}
	if strings.HasPrefix(a.Locale, "en") {
		in.Locale = "en"
	}
	if a.Score != nil {
		f["score"], f["scale"] = *a.Score, a.Top
	}
	if in.Unit, err = s.unitOf(ctx, tx, a.Unit); err != nil {
		return "", err
	}
	if err := s.known(ctx, tx, &in); err != nil {
		return "", err
	}
	return s.Take(ctx, tx, in, f)
}

// known adds how the bank knows the customer.
func (s *Service) known(ctx context.Context, tx store.Tx, in *Intake) error {
	if s.Reach == nil || in.CustomerID == "" {
		return nil
	}
	who, err := s.Reach(ctx, tx, in.CustomerID)
	if err != nil {
		return err
	}
	in.Name, in.Phone, in.Email = cut(who.Name, MaxName), cut(who.Phone, 30), cut(who.Email, 254)
	if who.Locale != "" {
		in.Locale = who.Locale
	}
	if !strings.Contains(in.Email, "@") {
		in.Email = ""
	}
	return nil
}
