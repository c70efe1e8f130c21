package form

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"omote/internal/feedback/condition"
	"omote/internal/platform/errs"
)

// Answer is what a person said to one question. Exactly one member is set, or
// Skipped.
type Answer struct {
	Skipped bool           `json:"skipped,omitempty"`
	Number  *int           `json:"number,omitempty"`
	Second  *int           `json:"second,omitempty"` // of a pair
	Chosen  []string       `json:"chosen,omitempty"`
	Rows    map[string]int `json:"rows,omitempty"`
	Text    string         `json:"text,omitempty"`
	File    *Attached      `json:"file,omitempty"`
}

// Answers are a person's answers by question.
type Answers map[string]Answer

// fact is the answer as a condition sees it.
func (a Answer) fact() any {
	switch {
	case a.Skipped:
		return nil
	case a.Number != nil:
		return float64(*a.Number)
	case len(a.Chosen) > 0:
		return a.Chosen[0]
	case a.File != nil:
		return a.File.Kind
	}
	return a.Text
}

// Facts are the answers as conditions see them; skipped ones are not there.
func (a Answers) Facts() condition.Facts {
	out := condition.Facts{}
	for id, v := range a {
		if f := v.fact(); f != nil {
			out[id] = f
		}
	}
	return out
}

// Values are what came in for one question, as a form sends them.
type Values interface {
	// Get gives the first value of a field, "" when there is none.
	Get(name string) string
	// All gives every value of a field.
	All(name string) []string
}

// Check makes a clean answer of what came in for a question. Nothing at all is a
// skip, which a required question refuses.
func (it *Item) Check(v Values) (Answer, error) {
	a, err := it.parse(v)
	if err != nil {
		return Answer{}, err
	}
	if a.Skipped && it.Required {
		return Answer{}, errs.Invalid("feedback.form.error.required", it.ID, "question %s needs an answer", it.ID)
	}
	return a, nil
}

func (it *Item) bad(form string, args ...any) error {
	return errs.Invalid("feedback.form.error.answer", it.ID, form, args...)
}

func (it *Item) parse(v Values) (a Answer, err error) {
	switch it.Type {
	case NPS, Rating, Stars, Faces:
		a.Number, err = it.point(v.Get(it.ID), it.Scale)
		a.Skipped = a.Number == nil
	case Paired:
		if a.Number, err = it.point(v.Get(it.ID+".importance"), it.Scale); err == nil {
			a.Second, err = it.point(v.Get(it.ID+".satisfaction"), it.Second)
		}
		a.Skipped = a.Number == nil || a.Second == nil
	case Single, YesNo:
		a.Chosen, err = it.options(v.All(it.ID), 1)
		a.Skipped = len(a.Chosen) == 0
	case Multi:
		a.Chosen, err = it.options(v.All(it.ID), it.Max)
		a.Skipped = len(a.Chosen) == 0
	case Rank:
		a.Chosen, err = it.ranks(v)
		a.Skipped = len(a.Chosen) == 0
	case Matrix:
		a.Rows, err = it.matrix(v)
		a.Skipped = len(a.Rows) == 0
	case Date:
		a.Text = strings.TrimSpace(v.Get(it.ID))
		if _, dateErr := time.Parse(time.DateOnly, a.Text); a.Text != "" && dateErr != nil {
			err = it.bad("%q is no day of the form 2026-01-31", a.Text)
		}
		a.Skipped = a.Text == ""
	case File:
		a.Skipped = true // a file comes by CheckFile
	default:
		a.Text, err = it.words(v.Get(it.ID))
		a.Skipped = a.Text == ""
	}
	if a.Skipped || err != nil {
		return Answer{Skipped: err == nil}, err
	}
	return a, nil
}

func (it *Item) point(text string, s *Scale) (*int, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || !s.Holds(n) {
		return nil, it.bad("%q is no point from %d to %d", text, s.Min, s.Max)
	}
	return &n, nil
}

func (it *Item) options(values []string, most int) ([]string, error) {
	var out []string
	for _, v := range values {
		if v == "" || slices.Contains(out, v) {
			continue
		}
		if !it.offers(v) {
			return nil, it.bad("%q is no option", v)
		}
		out = append(out, v)
	}
	if most > 0 && len(out) > most {
		return nil, errs.Invalid("feedback.form.error.too_many", it.ID, "at most %d may be chosen", most).With("max", most)
	}
	return out, nil
}

func (it *Item) offers(id string) bool {
	if it.Type == YesNo {
		return id == "yes" || id == "no"
	}
	return slices.ContainsFunc(it.Options, func(o Option) bool { return o.ID == id })
}

// ranks reads a place for each option: 1 the first. Options without one are left
// out; two in one place are an error.
func (it *Item) ranks(v Values) ([]string, error) {
	places := map[int]string{}
	for _, o := range it.Options {
		text := strings.TrimSpace(v.Get(it.ID + "." + o.ID))
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(it.Options) || places[n] != "" {
			return nil, it.bad("each place from 1 to %d is given once", len(it.Options))
		}
		places[n] = o.ID
	}
	var out []string
	for n := 1; n <= len(it.Options); n++ {
		if places[n] != "" {
			out = append(out, places[n])
		}
	}
	return out, nil
}

func (it *Item) matrix(v Values) (map[string]int, error) {
	out := map[string]int{}
	for _, row := range it.Rows {
		n, err := it.point(v.Get(it.ID+"."+row.ID), it.Scale)
		if err != nil {
			return nil, err
		}
		if n != nil {
			out[row.ID] = *n
		}
	}
	return out, nil
}

// words cleans a free text: no control or invisible formatting characters, no
// space at its ends.
func (it *Item) words(text string) (string, error) {
	text = strings.ToValidUTF8(text, "")
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\u200d' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text))
	if n := utf8.RuneCountInString(text); n > MaxWords {
		return "", errs.TooLarge("feedback.form.error.words", "a text has at most %d characters", MaxWords).With("max", MaxWords)
	}
	if it.Pattern != "" && text != "" {
		if re, err := regexp.Compile(it.Pattern); err == nil && !re.MatchString(text) {
			return "", it.bad("the text does not have the form that is asked for")
		}
	}
	return text, nil
}

// Clean drops answers to questions that the person does not see, so that a branch
// that was left does not count.
func (d *Document) Clean(seed string, a Answers) Answers {
	out := Answers{}
	for _, it := range d.Shown(seed, a) {
		if v, ok := a[it.ID]; ok {
			out[it.ID] = v
		}
	}
	return out
}

// Complete tells whether nothing is left to ask.
func (d *Document) Complete(seed string, a Answers) bool { return d.Next(seed, a) == nil }

// React gives the reactions that the answers call for, in order.
func (d *Document) React(a Answers) (out []Reaction) {
	facts := a.Facts()
	for _, r := range d.Reactions {
		if p, err := condition.ParseNull(r.When); err == nil && p.Holds(facts) {
			out = append(out, r)
		}
	}
	return out
}

// Map is Values of a map, as JSON gives them.
type Map map[string][]string

// Get implements Values.
func (m Map) Get(name string) string {
	if v := m[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// All implements Values.
func (m Map) All(name string) []string { return m[name] }

// Encode writes answers as JSON.
func (a Answers) Encode() (string, error) {
	b, err := json.Marshal(a)
	return string(b), err
}

// HasAny tells whether one of the fields is there.
func (m Map) HasAny(names []string) bool {
	for _, n := range names {
		if _, ok := m[n]; ok {
			return true
		}
	}
	return false
}

// Fields are the names under which a form sends the question's answer.
func (it *Item) Fields() []string {
	switch it.Type {
	case Paired:
		return []string{it.ID + ".importance", it.ID + ".satisfaction"}
	case Matrix, Rank:
		var out []string
		for _, o := range append(it.Rows[:len(it.Rows):len(it.Rows)], it.Options...) {
			out = append(out, it.ID+"."+o.ID)
		}
		return out
	}
	return []string{it.ID}
}
