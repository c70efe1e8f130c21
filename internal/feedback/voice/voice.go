package voice

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Kind is in which way something was said.
type Kind string

// The kinds of voices.
const (
	Answer      Kind = "answer"      // to a questionnaire
	Complaint   Kind = "complaint"   // stated as such
	Contact     Kind = "contact"     // a call, a chat, a visit
	Review      Kind = "review"      // of the app, in a store
	Social      Kind = "social"      // in public
	Observation Kind = "observation" // what staff saw or heard
)

// Kinds lists all kinds.
var Kinds = []Kind{Answer, Complaint, Contact, Review, Social, Observation}

// State is where an item is.
type State string

// The states of an item. New and taken ones wait for somebody.
const (
	New      State = "new"
	Taken    State = "taken"
	Answered State = "answered" // the bank wrote back
	Done     State = "done"
)

// States lists all states.
var States = []State{New, Taken, Answered, Done}

// Limits of an item.
const (
	MaxWords   = 10_000 // characters
	MaxEntries = 100    // lines of one conversation
	// sameWithin is how long the same words of the same customer are one item.
	sameWithin = 7 * 24 * time.Hour
)

// Said is what one person said, on its way in.
type Said struct {
	CustomerID string // record; "" where nobody is known
	Source     string // survey, case, staff, or the feed
	Ref        string // id there
	Kind       Kind
	Unit       string // path
	Channel    string
	Journey    string
	Step       string // of the journey, where it is known
	Product    string
	Locale     string // vi or en
	Score      *float64
	Bottom     float64 // lowest and highest point of the score's scale
	Top        float64
	Words      string
	CaseID     string
	At         time.Time
	History    bool // it is read and counted, and waits for nobody
}

// Validate tells what is wrong with it.
func (s Said) Validate() error {
	switch {
	case !slices.Contains(Kinds, s.Kind):
		return errs.Invalid("feedback.voice.error.kind", "kind", "there is no kind %q", s.Kind)
	case strings.TrimSpace(s.Words) == "":
		return errs.Invalid("feedback.voice.error.words", "words", "there are no words")
	case utf8.RuneCountInString(s.Words) > MaxWords || !utf8.ValidString(s.Words) || strings.ContainsRune(s.Words, 0):
		return errs.TooLarge("feedback.voice.error.long", "the text has more than %d characters", MaxWords).With("max", MaxWords)
	case s.Source == "" || s.Ref == "" || len(s.Source) > 100 || len(s.Ref) > 300:
		return errs.Invalid("feedback.voice.error.ref", "ref", "a voice names its source and its id there")
	case s.Locale != "vi" && s.Locale != "en":
		return errs.Invalid("feedback.voice.error.locale", "locale", "the language is vi or en, not %q", s.Locale)
	case len(s.Channel) > 60 || len(s.Journey) > 60 || len(s.Step) > 60 || len(s.Product) > 60:
		return errs.Invalid("feedback.voice.error.ref", "channel", "channel, journey or product is too long")
	}
	return nil
}

// mood is how the person felt, by the score: the lower third of the scale unhappy, the
// upper quarter happy (of 0 to 10: up to 6 by the custom of detractors, from 9).
func (s Said) mood() int {
	if s.Score == nil || s.Top <= s.Bottom {
		if s.Kind == Complaint {
			return -1
		}
		return 0
	}
	x := (*s.Score - s.Bottom) / (s.Top - s.Bottom)
	low := 0.34
	if s.Top == 10 {
		low = 0.6
	}
	switch {
	case x <= low:
		return -1
	case x >= 0.75 && (s.Top != 10 || x >= 0.9):
		return 1
	}
	return 0
}

// Item is one thing that was said.
type Item struct {
	bun.BaseModel `bun:"table:voice_item"`

	CustomerID string `bun:",pk"`
	ID         string `bun:",pk"`
	Entity     string
	Source     string
	Ref        string
	Kind       Kind
	Unit       string
	Channel    string
	Journey    string
	Step       string
	Product    string
	Locale     string
	Score      *float64
	Top        *float64
	Mood       int
	Words      sealed.Text
	Same       string
	Times      int
	State      State
	Owner      string
	CaseID     string
	At         store.Micros
	Touched    store.Micros
	Reader     int // version of the reader that filled its themes
}

// Waits tells whether somebody still has to look at it.
func (i Item) Waits() bool { return i.State == New || i.State == Taken }

// Entry is one line of a conversation.
type Entry struct {
	bun.BaseModel `bun:"table:voice_entry"`

	CustomerID string `bun:",pk"`
	VoiceID    string `bun:",pk"`
	ID         string `bun:",pk"`
	Kind       EntryKind
	Actor      string
	At         store.Micros
	Body       sealed.Text
}

// EntryKind is what a line is.
type EntryKind string

// The kinds of lines.
const (
	EntryAgain  EntryKind = "again"  // said once more
	EntryReply  EntryKind = "reply"  // the bank wrote
	EntryAnswer EntryKind = "answer" // the customer wrote back
	EntryNote   EntryKind = "note"   // for colleagues
	EntryTold   EntryKind = "told"   // a notice: you said, we did
	EntryState  EntryKind = "state"  // taken, given, done, made a case
)

// Query picks items. Empty fields pick all.
type Query struct {
	Kind    Kind
	Mood    *int
	Unit    string // path; never above the reader's place
	Owner   string // account
	State   State
	Waiting bool // new and taken ones alone
	Since   time.Time
	Search  string // words that all occur, whatever their accents
	After   string // cursor
	Limit   int    // default 50, at most 200
}

// Page is a part of the list, newest first. Next is empty on the last one.
type Page struct {
	Items []Item
	Next  string
}

// Counts are the figures over the list.
type Counts struct{ Waiting, Unhappy, Nobody, Week int64 }
