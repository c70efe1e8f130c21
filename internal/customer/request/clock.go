package request

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/analytics/worktime"
	"omote/internal/customer/consent"
	"omote/internal/platform/errs"
)

// maxAsTold bounds an extension whose length the law leaves open, in days.
const maxAsTold = 365

// Rules are the clocks of all jurisdictions.
type Rules struct {
	calendars map[string]*worktime.Calendar
	packs     []Pack
}

// Pack is a version of the clocks of one jurisdiction.
type Pack struct {
	ID           string        `yaml:"id"`
	Version      int           `yaml:"version"`
	Jurisdiction string        `yaml:"jurisdiction"`
	From         string        `yaml:"effective_from"`
	Calendar     string        `yaml:"calendar"`
	Name         consent.Words `yaml:"name"`
	Rules        []Rule        `yaml:"rules"`
}

// Rule is one clock.
type Rule struct {
	ID         string        `yaml:"id"`
	Stop       Stop          `yaml:"stop"`
	Kinds      []Kind        `yaml:"kinds"`
	ThirdParty string        `yaml:"third_party"` // "yes", "no", or "" for both
	Amount     int           `yaml:"amount"`
	Plan       int           `yaml:"plan"` // 0: the amount
	Unit       worktime.Unit `yaml:"unit"`
	Extension  *struct {
		Amount int           `yaml:"amount"`
		Unit   worktime.Unit `yaml:"unit"`
	} `yaml:"extension"`
	Citation   string `yaml:"citation"`
	Confidence string `yaml:"confidence"`
}

// Stop is what meets a clock.
type Stop string

// The stops.
const (
	StopReplied Stop = "replied"
	StopDone    Stop = "done"
)

//go:embed packs/clocks.yaml
var clocksPack []byte

// LoadRules reads the clocks that come with the program.
func LoadRules() (*Rules, error) { return ParseRules(clocksPack) }

// ParseRules reads clocks written in YAML.
func ParseRules(source []byte) (*Rules, error) {
	var file struct {
		Calendars []struct {
			ID      string `yaml:"id"`
			Zone    string `yaml:"zone"`
			Vietnam bool   `yaml:"vietnam"`
		} `yaml:"calendars"`
		Packs []Pack `yaml:"packs"`
	}
	d := yaml.NewDecoder(bytes.NewReader(source))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("clocks of subject requests: %w", err)
	}
	r := &Rules{calendars: map[string]*worktime.Calendar{}, packs: file.Packs}
	for _, c := range file.Calendars {
		calendar, err := worktime.New(worktime.Spec{Zone: c.Zone, Week: worktime.Weekdays("08:00-17:00"), Holidays: []worktime.Rule{{Vietnam: c.Vietnam}}[:btoi(c.Vietnam)]})
		if err != nil {
			return nil, fmt.Errorf("calendar %s: %w", c.ID, err)
		}
		r.calendars[c.ID] = calendar
	}
	for _, p := range r.packs {
		if r.calendars[p.Calendar] == nil {
			return nil, fmt.Errorf("pack %s: there is no calendar %q", p.ID, p.Calendar)
		}
		if _, err := time.Parse(time.DateOnly, p.From); err != nil {
			return nil, fmt.Errorf("pack %s: %w", p.ID, err)
		}
		for _, rule := range p.Rules {
			if err := rule.validate(); err != nil {
				return nil, fmt.Errorf("rule %s: %w", rule.ID, err)
			}
		}
	}
	return r, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r Rule) term(amount int) worktime.Term {
	return worktime.Term{Amount: amount, Unit: r.Unit, Count: worktime.NextDay}
}

func (r Rule) validate() error {
	if r.Stop != StopReplied && r.Stop != StopDone {
		return fmt.Errorf("%q stops no clock", r.Stop)
	}
	for _, k := range r.Kinds {
		if !slices.Contains(Kinds, k) {
			return fmt.Errorf("there is no kind %q", k)
		}
	}
	if r.Amount < 1 || r.Plan > r.Amount {
		return fmt.Errorf("the amount %d or the plan %d is out of range", r.Amount, r.Plan)
	}
	return r.term(r.Amount).Validate()
}

// Jurisdictions lists those that have clocks.
func (r *Rules) Jurisdictions() (out []Pack) {
	for _, p := range r.packs {
		if !slices.ContainsFunc(out, func(o Pack) bool { return o.Jurisdiction == p.Jurisdiction }) {
			out = append(out, p)
		}
	}
	return out
}

// pack is the newest one of the jurisdiction that was in force at t.
func (r *Rules) pack(jurisdiction string, t time.Time) (*Pack, error) {
	var best *Pack
	for i := range r.packs {
		p := &r.packs[i]
		if p.Jurisdiction == jurisdiction && t.Format(time.DateOnly) >= p.From && (best == nil || p.From > best.From || p.From == best.From && p.Version > best.Version) {
			best = p
		}
	}
	if best == nil {
		return nil, errs.Invalid("customer.request.error.jurisdiction", "jurisdiction", "no clocks of %q are in force", jurisdiction).With("jurisdiction", jurisdiction)
	}
	return best, nil
}

// version finds a pack that a request was received under.
func (r *Rules) version(id string, version int) *Pack {
	for i := range r.packs {
		if r.packs[i].ID == id && r.packs[i].Version == version {
			return &r.packs[i]
		}
	}
	return nil
}

// rule is the clock of a kind that the stop meets; nil where there is none.
func (p *Pack) rule(kind Kind, stop Stop, thirdParty bool) *Rule {
	word := map[bool]string{true: "yes", false: "no"}[thirdParty]
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Stop == stop && slices.Contains(r.Kinds, kind) && (r.ThirdParty == "" || r.ThirdParty == word) {
			return r
		}
	}
	return nil
}

// due is when the rule's time is over: the first instant at which it is too late.
func (r *Rules) due(p *Pack, rule *Rule, received time.Time, amount int) time.Time {
	return rule.term(amount).Due(received, r.calendars[p.Calendar])
}

// extended is the deadline after an extension by amount of the rule's unit.
func (r *Rules) extended(p *Pack, rule *Rule, due time.Time, amount int) time.Time {
	// The deadline is exclusive: the extension counts from its last day.
	return worktime.Term{Amount: amount, Unit: rule.Extension.Unit, Count: worktime.NextDay}.Due(due.Add(-time.Nanosecond), r.calendars[p.Calendar])
}

// maxExtension is the longest extension, in the extension's unit; 0 for none.
func (r Rule) maxExtension() int {
	switch {
	case r.Extension == nil:
		return 0
	case r.Extension.Amount == 0:
		return maxAsTold
	}
	return r.Extension.Amount
}
