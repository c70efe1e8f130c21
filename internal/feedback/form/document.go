package form

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"omote/internal/feedback/condition"
	"omote/internal/platform/errs"
)

// Text is a text in both languages.
type Text struct {
	VI string `json:"vi" yaml:"vi"`
	EN string `json:"en" yaml:"en"`
}

// In gives the text of a locale, the other language where it has none.
func (t Text) In(locale string) string {
	if strings.HasPrefix(locale, "vi") && t.VI != "" || t.EN == "" {
		return t.VI
	}
	return t.EN
}

func (t Text) both() bool { return strings.TrimSpace(t.VI) != "" && strings.TrimSpace(t.EN) != "" }

// Type is what a question asks for.
type Type string

// The types of question.
const (
	NPS    Type = "nps"    // 0 to 10
	Rating Type = "rating" // points of a scale, as numbers
	Stars  Type = "stars"  // points of a scale, as stars
	Faces  Type = "faces"  // points of a scale, as faces
	Single Type = "single" // one option
	Multi  Type = "multi"  // some options
	YesNo  Type = "yes_no" // "yes" or "no"
	Matrix Type = "matrix" // one point of a scale for each row
	Rank   Type = "rank"   // options in an order
	Paired Type = "paired" // importance and satisfaction of one job
	Words  Type = "text"   // free text
	Date   Type = "date"   // a day, 2026-01-31
	File   Type = "file"   // a picture or a PDF
)

// Types lists all types.
var Types = []Type{NPS, Rating, Stars, Faces, Single, Multi, YesNo, Matrix, Rank, Paired, Words, Date, File}

// Scored tells whether the answer is a number on a scale.
func (t Type) Scored() bool { return t == NPS || t == Rating || t == Stars || t == Faces }

// Anonymity is what the answer may be joined with.
type Anonymity string

// The kinds of anonymity. In an anonymous questionnaire no one can join answer and
// person, an administrator neither; groups below Document.MinGroup are not shown.
const (
	Known     Anonymity = "known"
	Anonymous Anonymity = "anonymous"
)

// Limits of a document.
const (
	MaxItems   = 80
	MaxOptions = 40
	MaxText    = 600
	MaxWords   = 4_000 // characters of a free text
	MaxScale   = 11    // points
	MaxFileKB  = 10_240
	FileKB     = 5_120 // of a file where the question says nothing
)

// Document is one version of a questionnaire.
type Document struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"` // relationship, transactional, effort, closed_loop, expectation, item_bank, jobs, employee, exit
	Name    Text   `json:"name"`
	Purpose Text   `json:"purpose"`
	Close   Text   `json:"close"` // the thank-you

	Anonymity Anonymity `json:"anonymity"`
	MinGroup  int       `json:"min_group,omitempty"`

	Items      []Item      `json:"items"`
	Dimensions []Option    `json:"dimensions,omitempty"`
	Draw       Draw        `json:"draw,omitzero"`
	Reactions  []Reaction  `json:"reactions,omitempty"`
	Address    AddressBook `json:"address,omitzero"`

	Asking Asking `json:"asking"`
}

// Asking says whom to ask, when and how.
type Asking struct {
	// Contact is the kind of contact that the contact policy judges.
	Contact string `json:"contact"`
	// Events start an asking; "journey/event" or "event". Empty: by hand, API or link.
	Events []string `json:"events,omitempty"`
	// Delay is the wait between event and asking; ValidFor how long an invitation
	// may be answered.
	Delay    time.Duration `json:"delay,omitempty"`
	ValidFor time.Duration `json:"valid_for"`
	// Sample is the share of the eligible that is asked, decided by a hash, so the
	// probability of each answer is known.
	Sample float64 `json:"sample"`
	// Shares are other samples for those whose event has a value in a dimension; the
	// first that fits counts.
	Shares []Share `json:"shares,omitempty"`
	// FollowUp is the share of those whose invitation ended without an answer who are
	// called, drawn at random: their answers stand for all who were silent.
	FollowUp float64 `json:"follow_up,omitempty"`
	// Segments: entering one starts an asking.
	Segments []string `json:"segments,omitempty"`
	// Every asks the members of Audience again and again; 0 never.
	Every    time.Duration `json:"every,omitempty"`
	Audience string        `json:"audience,omitempty"` // a segment
	// Channels in the order in which they are tried.
	Channels []string `json:"channels"`
	// Remind sends once more when nothing came after so long; 0 never.
	Remind time.Duration `json:"remind,omitempty"`
	// Quotas end the asking of a group for the day when it has enough answers.
	Quotas []Quota `json:"quotas,omitempty"`
}

// Share is the sample of those whose event has a value in a dimension ("unit", "via",
// "journey", "product").
type Share struct {
	Dim   string  `json:"dim"`
	Value string  `json:"value"`
	Share float64 `json:"share"`
}

// Of gives the sample of those whose event has the values.
func (a *Asking) Of(values map[string]string) float64 {
	for _, s := range a.Shares {
		if values[s.Dim] == s.Value {
			return s.Share
		}
	}
	return a.Sample
}

// Asks tells whether anybody is asked without being named.
func (a *Asking) Asks() bool {
	return a.Sample > 0 || slices.ContainsFunc(a.Shares, func(s Share) bool { return s.Share > 0 })
}

// Dimensions of events by which samples and quotas may differ.
var Dimensions = []string{"unit", "via", "journey", "product"}

// Quota is the most answers wanted in a day from those whose event has a value in
// a dimension ("unit", "via", "journey", "product").
type Quota struct {
	Dim   string `json:"dim"`
	Value string `json:"value"`
	Daily int    `json:"daily"`
}

// Item is one question.
type Item struct {
	ID       string   `json:"id"`
	Type     Type     `json:"type"`
	Text     Text     `json:"text"`
	Help     Text     `json:"help,omitzero"`
	Required bool     `json:"required,omitempty"`
	ShowIf   string   `json:"show_if,omitempty"`
	Dim      string   `json:"dim,omitempty"`
	Scale    *Scale   `json:"scale,omitempty"`
	Second   *Scale   `json:"second,omitempty"` // of a pair: satisfaction
	Options  []Option `json:"options,omitempty"`
	Rows     []Option `json:"rows,omitempty"`
	Shuffle  bool     `json:"shuffle,omitempty"` // options in random order; those marked Last stay
	Max      int      `json:"max,omitempty"`     // options that may be chosen
	Pattern  string   `json:"pattern,omitempty"` // a text must match (RE2)
	Reverse  bool     `json:"reverse,omitempty"` // high points are bad
	MaxKB    int      `json:"max_kb,omitempty"`  // of a file, in KiB; 0 is FileKB
}

// Option is a choice, a row or a dimension.
type Option struct {
	ID   string `json:"id"`
	Text Text   `json:"text"`
	Last bool   `json:"last,omitempty"`
	// Family groups reasons: people, process, digital …
	Family string `json:"family,omitempty"`
	// Via are the channels of the event after which the option is offered, OtherVia for
	// those that no option of the question names; empty offers it after all.
	Via []string `json:"via,omitempty"`
}

// Scale is the points of a rating.
type Scale struct {
	ID     string       `json:"id,omitempty"`
	Min    int          `json:"min"`
	Max    int          `json:"max"`
	Labels map[int]Text `json:"labels,omitempty"`
}

// Draw chooses which questions one person sees.
type Draw struct {
	// Items is how many, the anchors among them; 0 shows all.
	Items int `json:"items,omitempty"`
	// PerDim is at most so many of one dimension; 0 no bound.
	PerDim int      `json:"per_dim,omitempty"`
	Anchor []string `json:"anchor,omitempty"`
}

// Reaction is what follows an answer.
type Reaction struct {
	When string `json:"when" yaml:"when"`
	// Do is open_case, reopen_case or record_consent.
	Do      string `json:"do" yaml:"do"`
	Clock   string `json:"clock,omitempty" yaml:"clock"`
	Purpose string `json:"purpose,omitempty" yaml:"purpose"`
}

// AddressBook is how people are addressed: {you} and {You} in texts. The form is
// the one a customer chose, else the default; it is never guessed from a name.
type AddressBook struct {
	Default map[string]Address            `json:"default,omitempty"` // by locale
	Forms   map[string]map[string]Address `json:"forms,omitempty"`   // locale, form
}

// Address is one form of address.
type Address struct {
	You      string `json:"you"`
	YouStart string `json:"you_start"`
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Validate tells the first thing that is wrong with the document.
func (d *Document) Validate() error {
	bad := func(field, form string, args ...any) error {
		return errs.Invalid("feedback.form.error.document", field, form, args...)
	}
	switch {
	case !idForm.MatchString(d.ID):
		return bad("id", "an id is lower-case letters, digits and _, beginning with a letter")
	case !d.Name.both():
		return bad("name", "a questionnaire needs a name in Vietnamese and English")
	case !d.Close.both():
		return bad("close", "the thank-you needs Vietnamese and English")
	case d.Anonymity != Known && d.Anonymity != Anonymous:
		return bad("anonymity", "anonymity is known or anonymous")
	case d.Anonymity == Anonymous && d.MinGroup < 5:
		return bad("min_group", "an anonymous questionnaire shows groups of at least 5")
	case len(d.Items) == 0 || len(d.Items) > MaxItems:
		return bad("items", "a questionnaire has 1 to %d questions", MaxItems)
	}
	seen := map[string]bool{}
	for i := range d.Items {
		it := &d.Items[i]
		if err := it.validate(bad, seen); err != nil {
			return err
		}
		if it.Type == File && d.Anonymity == Anonymous {
			return bad("items."+it.ID, "an anonymous questionnaire takes no file: a file names who made it")
		}
		seen[it.ID] = true
	}
	return d.validateRest(bad, seen)
}

func (it *Item) validate(bad func(string, string, ...any) error, seen map[string]bool) error {
	at := "items." + it.ID
	switch {
	case !idForm.MatchString(it.ID) || seen[it.ID]:
		return bad(at, "question id %q is not of the form, or stands twice", it.ID)
	case !slices.Contains(Types, it.Type):
		return bad(at, "%q is no type of question", it.Type)
	case !it.Text.both() || len(it.Text.VI) > 4*MaxText || len(it.Text.EN) > 4*MaxText:
		return bad(at, "question %s needs its text in Vietnamese and English", it.ID)
	case (it.Type.Scored() || it.Type == Matrix || it.Type == Paired) && !it.Scale.valid():
		return bad(at, "question %s needs a scale of 2 to %d points", it.ID, MaxScale)
	case it.Type == NPS && (it.Scale.Min != 0 || it.Scale.Max != 10):
		return bad(at, "the scale of NPS is 0 to 10")
	case it.Type == Paired && !it.Second.valid():
		return bad(at, "question %s needs the scale of satisfaction", it.ID)
	case (it.Type == Single || it.Type == Multi || it.Type == Rank) && (len(it.Options) < 2 || len(it.Options) > MaxOptions):
		return bad(at, "question %s needs 2 to %d options", it.ID, MaxOptions)
	case it.Type == Matrix && (len(it.Rows) == 0 || len(it.Rows) > MaxOptions):
		return bad(at, "question %s needs rows", it.ID)
	case it.Max < 0 || it.Type == Multi && it.Max > len(it.Options):
		return bad(at, "question %s cannot have %d choices", it.ID, it.Max)
	case it.MaxKB < 0 || it.MaxKB > MaxFileKB:
		return bad(at, "a file has at most %d KiB", MaxFileKB)
	}
	for _, list := range [][]Option{it.Options, it.Rows} {
		ids := map[string]bool{}
		for _, o := range list {
			if !idForm.MatchString(o.ID) || ids[o.ID] || !o.Text.both() {
				return bad(at, "option %q of question %s: an id once, and both languages", o.ID, it.ID)
			}
			ids[o.ID] = true
		}
	}
	if it.Pattern != "" {
		if _, err := regexp.Compile(it.Pattern); err != nil {
			return bad(at, "question %s: the pattern cannot be read: %v", it.ID, err)
		}
	}
	if err := refersBack(it.ShowIf, seen); err != nil {
		return bad(at, "question %s: %v", it.ID, err)
	}
	return nil
}

// refersBack checks a condition and that it asks about earlier questions only.
func refersBack(text string, seen map[string]bool) error {
	p, err := condition.ParseNull(text)
	if err != nil {
		return err
	}
	for _, name := range p.Names() {
		if !seen[name] {
			return errs.Invalid("feedback.form.error.document", "show_if", "%q is no earlier question", name)
		}
	}
	return nil
}

func (s *Scale) valid() bool {
	return s != nil && s.Max > s.Min && s.Max-s.Min < MaxScale && s.Min >= -10
}

// Holds tells whether v is a point of the scale.
func (s *Scale) Holds(v int) bool { return s != nil && v >= s.Min && v <= s.Max }

// Points lists the scale's points in order.
func (s *Scale) Points() []int {
	out := make([]int, 0, s.Max-s.Min+1)
	for v := s.Min; v <= s.Max; v++ {
		out = append(out, v)
	}
	return out
}

func (d *Document) validateRest(bad func(string, string, ...any) error, seen map[string]bool) error {
	for i, r := range d.Reactions {
		if err := refersBack(r.When, seen); err != nil {
			return bad("reactions", "reaction %d: %v", i+1, err)
		}
		if r.Do != OpenCase && r.Do != ReopenCase && r.Do != RecordConsent {
			return bad("reactions", "%q is nothing that can follow an answer", r.Do)
		}
	}
	for _, id := range d.Draw.Anchor {
		if !seen[id] {
			return bad("draw", "the anchor %q is no question", id)
		}
	}
	a := &d.Asking
	switch {
	case d.Draw.Items < 0 || d.Draw.Items > len(d.Items) || d.Draw.Items > 0 && len(d.Draw.Anchor) > d.Draw.Items:
		return bad("draw", "a person cannot see %d of %d questions", d.Draw.Items, len(d.Items))
	case a.Sample < 0 || a.Sample > 1:
		return bad("sample", "the sample is a share from 0 to 1")
	case a.Delay < 0 || a.Delay > 90*24*time.Hour:
		return bad("delay", "the delay is at most 90 days")
	case a.ValidFor < time.Hour || a.ValidFor > 365*24*time.Hour:
		return bad("valid_for", "an invitation is valid for an hour to a year")
	case a.Remind != 0 && (a.Remind < 24*time.Hour || a.Remind >= a.ValidFor):
		return bad("remind", "a reminder comes after a day or more, while the invitation is valid")
	}
	switch {
	case a.FollowUp < 0 || a.FollowUp > 1:
		return bad("follow_up", "the share that is called is from 0 to 1")
	case a.FollowUp > 0 && d.Anonymity == Anonymous:
		return bad("follow_up", "an anonymous questionnaire calls nobody")
	case a.Every != 0 && (a.Every < 24*time.Hour || a.Every > 2*365*24*time.Hour || a.Audience == ""):
		return bad("every", "a round comes every day to every two years and asks a segment")
	case len(a.Segments) > MaxOptions || len(a.Events) > MaxOptions || len(a.Shares) > MaxOptions:
		return bad("segments", "at most %d segments, events and shares", MaxOptions)
	}
	for _, s := range a.Shares {
		if !slices.Contains(Dimensions, s.Dim) || s.Value == "" || s.Share < 0 || s.Share > 1 {
			return bad("shares", "a share names a dimension, a value and a share from 0 to 1")
		}
	}
	for _, q := range a.Quotas {
		if !slices.Contains(Dimensions, q.Dim) || q.Value == "" || q.Daily < 1 {
			return bad("quotas", "a quota names a dimension, a value and how many answers a day")
		}
	}
	return nil
}

// What may follow an answer.
const (
	OpenCase      = "open_case"
	ReopenCase    = "reopen_case"
	RecordConsent = "record_consent"
)

// Item finds a question; nil when there is none.
func (d *Document) Item(id string) *Item {
	if i := slices.IndexFunc(d.Items, func(it Item) bool { return it.ID == id }); i >= 0 {
		return &d.Items[i]
	}
	return nil
}

// Score is the question whose answer is the survey's figure: the first on a scale.
func (d *Document) Score() *Item {
	if i := slices.IndexFunc(d.Items, func(it Item) bool { return it.Type.Scored() }); i >= 0 {
		return &d.Items[i]
	}
	return nil
}
