package cases

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/analytics/worktime"
	"omote/internal/feedback/condition"
)

// Text is a text in both languages.
type Text struct {
	EN string `yaml:"en" json:"en"`
	VI string `yaml:"vi" json:"vi"`
}

// In gives the text in a language.
func (t Text) In(locale string) string {
	if strings.HasPrefix(locale, "vi") {
		return t.VI
	}
	return t.EN
}

// Pack is a set of clock rules with one origin: a law, a regulator, the bank itself.
type Pack struct {
	ID            string      `yaml:"id" json:"id"`
	Version       int         `yaml:"version" json:"version"`
	EffectiveFrom string      `yaml:"effective_from" json:"effective_from"` // 2006-01-02
	Jurisdiction  string      `yaml:"jurisdiction" json:"jurisdiction"`     // "internal" for the bank's own promises
	Name          string      `yaml:"name" json:"name"`
	LabelVI       string      `yaml:"label_vi" json:"label_vi"`
	Note          string      `yaml:"note" json:"note"`
	Rules         []ClockRule `yaml:"rules" json:"rules"`
	// SignedBy is who of counsel signed this version, "" nobody yet.
	SignedBy string `yaml:"-" json:"signed_by"`
}

// Legal reports whether the pack's terms are set by others than the bank.
func (p Pack) Legal() bool { return p.Jurisdiction != "internal" }

// Key names the version: "uk_disp@1".
func (p Pack) Key() string { return p.ID + "@" + strconv.Itoa(p.Version) }

// Amount is a number, or a word that stands for one: by_contract, as_told_to_person.
type Amount struct {
	N    int
	Word string
}

// UnmarshalYAML reads a number or one of the words.
func (a *Amount) UnmarshalYAML(n *yaml.Node) error {
	if i, err := strconv.Atoi(n.Value); err == nil {
		a.N = i
		return nil
	}
	if n.Value != "by_contract" && n.Value != "as_told_to_person" {
		return fmt.Errorf("%q is neither a number nor by_contract nor as_told_to_person", n.Value)
	}
	a.Word = n.Value
	return nil
}

// ClockRule says when a clock starts, how long it runs and what stops it.
type ClockRule struct {
	ID             string    `yaml:"id" json:"id"`
	Name           string    `yaml:"name" json:"name"`
	LabelVI        string    `yaml:"label_vi" json:"label_vi"`
	Subject        string    `yaml:"subject" json:"subject"`
	Side           string    `yaml:"side" json:"side"` // "" or "bank"; "customer": a right that may lapse
	Applies        string    `yaml:"applies" json:"applies"`
	Start          string    `yaml:"start" json:"start"`
	StartAlt       string    `yaml:"start_alt" json:"start_alt"`
	Amount         Amount    `yaml:"amount" json:"amount"`
	DefaultAmount  int       `yaml:"default_amount" json:"default_amount"`
	CautiousAmount int       `yaml:"cautious_amount" json:"cautious_amount"`
	Unit           string    `yaml:"unit" json:"unit"`
	Calendar       string    `yaml:"calendar" json:"calendar"`
	CountFrom      string    `yaml:"count_from" json:"count_from"`
	Cap            *Length   `yaml:"cap" json:"cap,omitempty"`
	WarnAt         []float64 `yaml:"warn_at" json:"warn_at"`
	Pause          PauseRule `yaml:"pause" json:"pause"`
	Extension      Extend    `yaml:"extension" json:"extension"`
	Repeats        bool      `yaml:"repeats" json:"repeats"`
	Optional       bool      `yaml:"optional" json:"optional"`
	Stop           string    `yaml:"stop" json:"stop"`
	Action         Text      `yaml:"action" json:"action"`
	Breach         string    `yaml:"breach" json:"breach"` // ladder, or "none"
	Citation       string    `yaml:"citation" json:"citation"`
	SourceNote     string    `yaml:"source_note" json:"source_note"`
	Checked        string    `yaml:"checked" json:"checked"` // 2006-01-02
	Confidence     string    `yaml:"confidence" json:"confidence"`
	NeedsCounsel   bool      `yaml:"needs_counsel" json:"needs_counsel"`

	applies condition.Predicate
}

// Length is an amount of a unit.
type Length struct {
	Amount Amount `yaml:"amount" json:"amount"`
	Unit   string `yaml:"unit" json:"unit"`
}

// PauseRule says whether and why a clock may stand still.
type PauseRule struct {
	Allowed bool     `yaml:"allowed" json:"allowed"`
	Reasons []string `yaml:"reasons" json:"reasons"`
	Max     string   `yaml:"max" json:"max"` // ISO 8601, of all pauses together
}

// Extend says whether a clock may be extended, how often and by how much.
type Extend struct {
	Allowed bool   `yaml:"allowed" json:"allowed"`
	Times   int    `yaml:"times" json:"times"`
	Amount  Amount `yaml:"amount" json:"amount"`
	Unit    string `yaml:"unit" json:"unit"`
	Needs   string `yaml:"needs" json:"needs"`
}

// Label names the rule in a language.
func (r ClockRule) Label(locale string) string { return Text{r.Name, r.LabelVI}.In(locale) }

// startsAt and stopsAt report whether a mark starts or stops the rule's clock.
func (r ClockRule) startsAt(mark string) bool { return slices.Contains(anyOf(r.Start), mark) }
func (r ClockRule) stopsAt(mark string) bool  { return slices.Contains(anyOf(r.Stop), mark) }

func anyOf(text string) []string { return strings.Split(text, " or ") }

// Role is the promise that a clock stands for, by what stops it.
func (r ClockRule) Role() string {
	for _, mark := range anyOf(r.Stop) {
		switch mark {
		case "complaint_acknowledged", "dispute_acknowledged":
			return "acknowledge"
		case "case_first_contact", "complaint_contact_made":
			return "contact"
		case "complaint_owner_assigned":
			return "owner"
		case "dispute_update_sent":
			return "update"
		case "refund_posted", "card_blocked", "provisional_credit_given":
			return "money"
		}
	}
	return "resolve"
}

// term is the rule's length. Until counsel has signed, the cautious amount counts.
func (r ClockRule) term(signed bool) worktime.Term {
	n := r.Amount.N
	if r.Amount.Word != "" {
		n = r.DefaultAmount
	}
	if r.CautiousAmount > 0 && !signed {
		n = r.CautiousAmount
	}
	return worktime.Term{Amount: n, Unit: unitOf(r.Unit), Count: worktime.Count(r.CountFrom)}
}

// Due is the deadline of the rule for an event at start, without pauses and
// extensions, as it is planned before or after counsel has signed.
func (r ClockRule) Due(start time.Time, calendar *worktime.Calendar, signed bool) time.Time {
	due := r.term(signed).Due(start, calendar)
	if r.Cap != nil {
		bound := worktime.Term{Amount: r.Cap.Amount.N, Unit: unitOf(r.Cap.Unit), Count: worktime.Count(r.CountFrom)}.Due(start, calendar)
		if bound.Before(due) {
			return bound
		}
	}
	return due
}

func unitOf(unit string) worktime.Unit {
	if unit == "business_day" {
		return worktime.WorkingDay
	}
	return worktime.Unit(unit)
}

// validate tells what is wrong with the rule and prepares its condition.
func (r *ClockRule) validate(calendars map[string]*worktime.Calendar, ladders map[string]Ladder) (err error) {
	if r.applies, err = condition.Parse(r.Applies); err != nil {
		return err
	}
	if err := r.term(true).Validate(); err != nil {
		return err
	}
	if r.Cap != nil {
		if err := (worktime.Term{Amount: r.Cap.Amount.N, Unit: unitOf(r.Cap.Unit)}).Validate(); err != nil {
			return err
		}
	}
	switch {
	case r.ID == "" || r.Name == "" || r.LabelVI == "":
		return fmt.Errorf("a rule needs an id and a name in both languages")
	case r.Start == "" || r.Stop == "" || r.Citation == "" || r.Checked == "":
		return fmt.Errorf("rule %s needs a start, a stop, a citation and the day it was checked", r.ID)
	case calendars[r.Calendar] == nil:
		return fmt.Errorf("rule %s: there is no calendar %q", r.ID, r.Calendar)
	case r.Breach != "none" && ladders[r.Breach].ID == "":
		return fmt.Errorf("rule %s: there is no ladder %q", r.ID, r.Breach)
	case !slices.Contains([]string{"high", "medium", "low"}, r.Confidence):
		return fmt.Errorf("rule %s: confidence is high, medium or low", r.ID)
	case !slices.IsSorted(r.WarnAt) || len(r.WarnAt) > 0 && (r.WarnAt[0] <= 0 || r.WarnAt[len(r.WarnAt)-1] >= 1):
		return fmt.Errorf("rule %s: warnings are shares between 0 and 1 in order", r.ID)
	}
	if r.Pause.Max != "" {
		_, err = parseDuration(r.Pause.Max)
	}
	return err
}

// CalendarSpec is a working calendar as data.
type CalendarSpec struct {
	ID       string              `yaml:"id" json:"id"`
	Version  int                 `yaml:"-" json:"version"`
	Zone     string              `yaml:"zone" json:"zone"`
	Name     string              `yaml:"name" json:"name"`
	LabelVI  string              `yaml:"label_vi" json:"label_vi"`
	Week     map[string][]string `yaml:"week" json:"week"`
	Holidays []string            `yaml:"holidays" json:"holidays"`
	Days     map[string][]string `yaml:"days" json:"days,omitempty"`
	Note     string              `yaml:"note" json:"note"`
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Build makes the calendar.
func (s CalendarSpec) Build() (*worktime.Calendar, error) {
	spec := worktime.Spec{Zone: s.Zone, Days: s.Days}
	for name, shifts := range s.Week {
		i := slices.Index(weekdays, name)
		if i < 0 {
			return nil, fmt.Errorf("calendar %s: there is no weekday %q", s.ID, name)
		}
		spec.Week[i] = shifts
	}
	for _, h := range s.Holidays {
		switch h {
		case "vietnam":
			spec.Holidays = append(spec.Holidays, worktime.Rule{Vietnam: true})
		case "england_wales":
			spec.Holidays = append(spec.Holidays, worktime.EnglandWales()...)
		case "us_federal":
			spec.Holidays = append(spec.Holidays, worktime.USFederal()...)
		case "target":
			spec.Holidays = append(spec.Holidays, worktime.Target()...)
		case "swiss":
			spec.Holidays = append(spec.Holidays, worktime.Swiss()...)
		default:
			return nil, fmt.Errorf("calendar %s: there is no list of holidays %q", s.ID, h)
		}
	}
	c, err := worktime.New(spec)
	if err != nil {
		return nil, fmt.Errorf("calendar %s: %w", s.ID, err)
	}
	return c, nil
}

// Ladder says who is told, and by when the next one is.
type Ladder struct {
	ID      string `yaml:"id" json:"id"`
	Version int    `yaml:"-" json:"version"`
	Name    string `yaml:"name" json:"name"`
	LabelVI string `yaml:"label_vi" json:"label_vi"`
	Steps   []Step `yaml:"steps" json:"steps"`
}

// Step is one rung of a ladder.
type Step struct {
	N      int       `yaml:"n" json:"n"`
	To     string    `yaml:"to" json:"to"` // owner, role, unit_head, council
	Role   string    `yaml:"role" json:"role"`
	On     []Trigger `yaml:"on" json:"on"`
	Within string    `yaml:"within" json:"within"` // to acknowledge, before the next step
	EN     string    `yaml:"en" json:"en"`
	VI     string    `yaml:"vi" json:"vi"`
}

// Trigger reaches a step directly, whatever lies below it. One field is set.
type Trigger struct {
	Warn     int      `yaml:"warn" json:"warn,omitempty"` // the n-th warning of a clock
	Breach   bool     `yaml:"breach" json:"breach,omitempty"`
	Silence  string   `yaml:"silence" json:"silence,omitempty"` // ISO 8601 without a word in the case
	Severity Severity `yaml:"severity" json:"severity,omitempty"`
	Repeat   bool     `yaml:"repeat" json:"repeat,omitempty"`
}

// wait is how long a step waits for an acknowledgement.
func (s Step) wait() time.Duration {
	d, err := parseDuration(s.Within)
	if err != nil {
		return 24 * time.Hour
	}
	return d
}

// validate tells what is wrong with the ladder.
func (l Ladder) validate() error {
	if l.ID == "" || l.Name == "" || l.LabelVI == "" || len(l.Steps) == 0 {
		return fmt.Errorf("a ladder needs an id, a name in both languages and a step")
	}
	for i, s := range l.Steps {
		if s.N != i+1 || s.EN == "" || s.VI == "" || !slices.Contains([]string{"owner", "role", "unit_head", "council"}, s.To) {
			return fmt.Errorf("ladder %s: step %d needs its number, a text in both languages and whom it tells", l.ID, i+1)
		}
		if _, err := parseDuration(s.Within); err != nil {
			return fmt.Errorf("ladder %s, step %d: %w", l.ID, s.N, err)
		}
		for _, on := range s.On {
			if on.Severity != "" && on.Severity.rank() < 0 {
				return fmt.Errorf("ladder %s, step %d: there is no severity %q", l.ID, s.N, on.Severity)
			}
			if on.Silence != "" {
				if _, err := parseDuration(on.Silence); err != nil {
					return fmt.Errorf("ladder %s, step %d: %w", l.ID, s.N, err)
				}
			}
		}
	}
	return nil
}

// reached is the lowest step that a trigger reaches directly; ok is false for none.
func (l Ladder) reached(match func(Trigger) bool) (Step, bool) {
	for _, s := range l.Steps {
		if slices.ContainsFunc(s.On, match) {
			return s, true
		}
	}
	return Step{}, false
}

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?$`)

// parseDuration reads an ISO 8601 duration of weeks, days, hours, minutes and
// seconds. PT0S is at once.
func parseDuration(text string) (time.Duration, error) {
	m := isoDuration.FindStringSubmatch(text)
	if m == nil || text == "P" || strings.HasSuffix(text, "T") {
		return 0, fmt.Errorf("%q is no duration such as PT4H or P3D", text)
	}
	var d time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] != "" {
			n, _ := strconv.Atoi(m[i+1])
			d += time.Duration(n) * unit
		}
	}
	return d, nil
}

// SignalRule makes cases of signals.
type SignalRule struct {
	ID       string   `yaml:"id" json:"id"`
	EN       string   `yaml:"en" json:"en"`
	VI       string   `yaml:"vi" json:"vi"`
	When     string   `yaml:"when" json:"when"`
	Kind     Kind     `yaml:"kind" json:"kind"`
	Severity Severity `yaml:"severity" json:"severity"`
	Issue    string   `yaml:"issue" json:"issue"`
	Window   string   `yaml:"window" json:"window"`
	Skill    string   `yaml:"skill" json:"skill,omitempty"`
	Legal    bool     `yaml:"legal" json:"legal,omitempty"`

	when   condition.Predicate
	window time.Duration
}

func (r *SignalRule) validate() (err error) {
	if r.ID == "" || r.EN == "" || r.VI == "" || !known(Kinds, r.Kind) || r.Severity.rank() < 0 {
		return fmt.Errorf("case rule %q needs an id, a name in both languages, a kind and a severity", r.ID)
	}
	if r.when, err = condition.Parse(r.When); err != nil {
		return fmt.Errorf("case rule %s: %w", r.ID, err)
	}
	if r.window, err = parseDuration(r.Window); err != nil {
		return fmt.Errorf("case rule %s: %w", r.ID, err)
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{([a-z_.]+)\}`)

// issueOf fills the rule's issue with the facts of a signal.
func (r SignalRule) issueOf(f Facts) string {
	return string(r.Kind) + ":" + placeholder.ReplaceAllStringFunc(r.Issue, func(m string) string {
		return fmt.Sprint("/", orEmpty(f[m[1:len(m)-1]]))
	})
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// Choice is an entry of a list to choose from.
type Choice struct {
	ID string `yaml:"id" json:"id"`
	EN string `yaml:"en" json:"en"`
	VI string `yaml:"vi" json:"vi"`
}

// In names the choice in a language.
func (c Choice) In(locale string) string { return Text{c.EN, c.VI}.In(locale) }

// Wallet says who may put which small wrong right on the spot.
type Wallet struct {
	Currency string        `yaml:"currency" json:"currency"`
	Limits   []WalletLimit `yaml:"limits" json:"limits"`
}

// WalletLimit is what a role may grant, in minor units of the currency; 0 is no limit
// of that kind.
type WalletLimit struct {
	ID              string   `yaml:"id" json:"id"`
	Roles           []string `yaml:"roles" json:"roles"`
	PerCase         int64    `yaml:"per_case" json:"per_case"`
	PerCustomerYear int64    `yaml:"per_customer_year" json:"per_customer_year"`
	PerPersonMonth  int64    `yaml:"per_person_month" json:"per_person_month"`
	Kinds           []string `yaml:"kinds" json:"kinds"`
	NeedsCause      bool     `yaml:"needs_cause" json:"needs_cause"`
	EN              string   `yaml:"en" json:"en"`
	VI              string   `yaml:"vi" json:"vi"`
}

// Letter is a text that goes to a customer, and the marks that sending it sets.
type Letter struct {
	ID    string     `yaml:"id" json:"id"`
	Marks []string   `yaml:"marks" json:"marks"`
	EN    LetterText `yaml:"en" json:"en"`
	VI    LetterText `yaml:"vi" json:"vi"`
}

// LetterText is a letter in one language.
type LetterText struct {
	Subject string `yaml:"subject" json:"subject"`
	Body    string `yaml:"body" json:"body"`
}

// In gives the letter in a language.
func (l Letter) In(locale string) LetterText {
	if strings.HasPrefix(locale, "vi") {
		return l.VI
	}
	return l.EN
}

// Title is the subject without its placeholders, for lists of letters.
func (t LetterText) Title() string {
	return strings.TrimSpace(placeholder.ReplaceAllString(t.Subject, ""))
}

// fill puts values into the placeholders of a letter.
func (t LetterText) fill(values map[string]string) LetterText {
	put := func(s string) string {
		return placeholder.ReplaceAllStringFunc(s, func(m string) string { return values[m[1:len(m)-1]] })
	}
	return LetterText{put(t.Subject), put(t.Body)}
}

// Macro is a ready note with the marks that it sets; Key presses it.
type Macro struct {
	ID    string   `yaml:"id" json:"id"`
	Key   string   `yaml:"key" json:"key"`
	Marks []string `yaml:"marks" json:"marks"`
	EN    string   `yaml:"en" json:"en"`
	VI    string   `yaml:"vi" json:"vi"`
}

// decode reads YAML strictly: an unknown member is an error.
func decode(raw []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	return d.Decode(into)
}
