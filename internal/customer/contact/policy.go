package contact

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"omote/internal/customer/consent"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Permissions of the contact policy.
const (
	PermRead    auth.Permission = "customer.contact.read"
	PermEdit    auth.Permission = "customer.contact.edit"
	PermReserve auth.Permission = "customer.contact.reserve"
	// PermApprove lets a version into force that somebody else put forward.
	PermApprove auth.Permission = "customer.contact.approve"
)

// Limits of a policy.
const (
	MaxKinds    = 40
	MaxRules    = 60  // of each sort
	MaxDays     = 366 // of a window
	MaxLimit    = 100 // of a cap
	MaxPriority = 9   // the most important
	maxSource   = 64 << 10
)

// Policy is a version of the contact policy.
type Policy struct {
	Version int `yaml:"-" json:"-"`
	// Zone is the IANA zone of customers whose own is not known.
	Zone string `yaml:"zone" json:"zone"`
	// ZoneTrait names the trait that holds a customer's own zone; "" for none.
	ZoneTrait  string      `yaml:"zone_trait" json:"zone_trait"`
	Kinds      []Kind      `yaml:"kinds" json:"kinds"`
	Caps       []Cap       `yaml:"caps" json:"caps"`
	Gaps       []Gap       `yaml:"gaps" json:"gaps"`
	Quiet      []Quiet     `yaml:"quiet" json:"quiet"`
	Exclusions []Exclusion `yaml:"exclusions" json:"exclusions"`

	Note    string       `yaml:"-" json:"-"`
	Created store.Micros `yaml:"-" json:"-"`
	MadeBy  string       `yaml:"-" json:"-"`
	// Waits names the proposal that a second person decides; "" for a version in force.
	Waits string `yaml:"-" json:"-"`
}

// Kind is a kind of contact. Requests name it by its id.
type Kind struct {
	ID       string        `yaml:"id" json:"id"`
	Label    consent.Words `yaml:"label" json:"label"`
	Purpose  string        `yaml:"purpose" json:"purpose"`   // what consent is asked for
	Priority int           `yaml:"priority" json:"priority"` // 1 to 9, 9 the most important
}

// Applies says what a rule applies to. Empty lists are everything.
type Applies struct {
	Kinds    []string `yaml:"kinds,omitempty" json:"kinds,omitempty"`
	Channels []string `yaml:"channels,omitempty" json:"channels,omitempty"`
}

func (a Applies) to(kind, channel string) bool {
	return (len(a.Kinds) == 0 || slices.Contains(a.Kinds, kind)) && (len(a.Channels) == 0 || slices.Contains(a.Channels, channel))
}

// Cap is the most contacts within any window of Days times 24 hours.
type Cap struct {
	ID      string `yaml:"id" json:"id"`
	Applies `yaml:",inline"`
	Limit   int `yaml:"limit" json:"limit"`
	Days    int `yaml:"days" json:"days"`
	// Reserve keeps slots of the limit for a kind.
	Reserve map[string]int `yaml:"reserve,omitempty" json:"reserve,omitempty"`
	// Hold keeps Slots of the limit for contacts of Priority and above.
	Hold Hold `yaml:"hold,omitempty" json:"hold"`
}

// Hold keeps slots of a cap for important contacts.
type Hold struct {
	Slots    int `yaml:"slots,omitempty" json:"slots,omitempty"`
	Priority int `yaml:"priority,omitempty" json:"priority,omitempty"`
}

func (c Cap) window() time.Duration { return time.Duration(c.Days) * 24 * time.Hour }

// Gap is the least time between two contacts that it applies to.
type Gap struct {
	ID      string `yaml:"id" json:"id"`
	Applies `yaml:",inline"`
	Hours   int `yaml:"hours" json:"hours"`
}

// Quiet is when customers are left alone, by the clock of their own zone.
type Quiet struct {
	ID      string `yaml:"id" json:"id"`
	Applies `yaml:",inline"`
	// From and To are times of day, "21:00"; a span over midnight has To below From.
	// Both empty: no hours.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	To   string `yaml:"to,omitempty" json:"to,omitempty"`
	// Weekdays that are quiet all day: mon … sun.
	Weekdays []string `yaml:"weekdays,omitempty" json:"weekdays,omitempty"`
	// Holidays: the public holidays of Vietnam are quiet all day.
	Holidays bool `yaml:"holidays,omitempty" json:"holidays,omitempty"`
	// Dates that are quiet besides, "2026-02-14".
	Dates []string `yaml:"dates,omitempty" json:"dates,omitempty"`
}

// Exclusion leaves customers out while a circumstance holds (When), or while an
// attribute has a value.
type Exclusion struct {
	ID        string `yaml:"id" json:"id"`
	Applies   `yaml:",inline"`
	When      string `yaml:"when,omitempty" json:"when,omitempty"`
	Attribute string `yaml:"attribute,omitempty" json:"attribute,omitempty"`
	Equals    string `yaml:"equals,omitempty" json:"equals,omitempty"`
}

// Circumstances that modules of the product report. A bank may use others.
const (
	CaseOpen         = "case_open"
	ComplaintPending = "complaint_pending"
	Vulnerable       = "vulnerable"
	Deceased         = "deceased"
)

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	timeForm = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// Kind finds a kind by its id; nil when there is none.
func (p *Policy) Kind(id string) *Kind {
	if i := slices.IndexFunc(p.Kinds, func(k Kind) bool { return k.ID == id }); i >= 0 {
		return &p.Kinds[i]
	}
	return nil
}

// kindFor is the kind that a message of a purpose counts as: the kind of that id,
// or else the first with that purpose.
func (p *Policy) kindFor(purpose string) *Kind {
	if k := p.Kind(purpose); k != nil {
		return k
	}
	if i := slices.IndexFunc(p.Kinds, func(k Kind) bool { return k.Purpose == purpose }); i >= 0 {
		return &p.Kinds[i]
	}
	return nil
}

func invalid(rule, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return errs.Invalid("customer.contact.error.policy", "policy", "%s: %s", rule, text).With("rule", rule).With("problem", text)
}

// Validate tells what is wrong with a policy.
func (p *Policy) Validate() error {
	if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "" {
		return invalid("zone", "%q is no time zone", p.Zone)
	}
	if len(p.Kinds) == 0 || len(p.Kinds) > MaxKinds {
		return invalid("kinds", "a policy has 1 to %d kinds", MaxKinds)
	}
	seen := map[string]bool{}
	for _, k := range p.Kinds {
		switch {
		case !idForm.MatchString(k.ID) || !idForm.MatchString(k.Purpose):
			return invalid("kinds", "%q or its purpose %q is not 1 to 40 lower-case letters, digits and _", k.ID, k.Purpose)
		case seen[k.ID]:
			return invalid("kinds", "%s stands twice", k.ID)
		case k.Priority < 1 || k.Priority > MaxPriority:
			return invalid(k.ID, "the priority is 1 to %d, not %d", MaxPriority, k.Priority)
		case badLabel(k.Label.EN) || badLabel(k.Label.VI):
			return invalid(k.ID, "a kind has a name of 1 to 80 characters in both languages")
		}
		seen[k.ID] = true
	}
	return p.validateRules()
}

func badLabel(s string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n == 0 || n > 80
}

func (p *Policy) validateRules() error {
	if max(len(p.Caps), len(p.Gaps), len(p.Quiet), len(p.Exclusions)) > MaxRules {
		return invalid("rules", "a policy has at most %d rules of each sort", MaxRules)
	}
	seen := map[string]bool{}
	check := func(id string, a Applies) error {
		switch {
		case !idForm.MatchString(id):
			return invalid("rules", "the id %q is not 1 to 40 lower-case letters, digits and _", id)
		case seen[id]:
			return invalid(id, "two rules have this id")
		}
		seen[id] = true
		for _, k := range a.Kinds {
			if p.Kind(k) == nil {
				return invalid(id, "there is no kind %s", k)
			}
		}
		for _, c := range a.Channels {
			if !slices.Contains(consent.Channels, c) {
				return invalid(id, "there is no channel %s", c)
			}
		}
		return nil
	}
	for _, c := range p.Caps {
		if err := check(c.ID, c.Applies); err != nil {
			return err
		}
		if err := p.validateCap(c); err != nil {
			return err
		}
	}
	for _, g := range p.Gaps {
		if err := check(g.ID, g.Applies); err != nil {
			return err
		}
		if g.Hours < 1 || g.Hours > MaxDays*24 {
			return invalid(g.ID, "a gap is 1 to %d hours", MaxDays*24)
		}
	}
	for _, q := range p.Quiet {
		if err := check(q.ID, q.Applies); err != nil {
			return err
		}
		if err := q.validate(); err != nil {
			return err
		}
	}
	for _, e := range p.Exclusions {
		if err := check(e.ID, e.Applies); err != nil {
			return err
		}
		if (e.When == "") == (e.Attribute == "") || e.When != "" && !idForm.MatchString(e.When) || len(e.Attribute)+len(e.Equals) > 200 {
			return invalid(e.ID, "an exclusion names either a circumstance or an attribute with its value")
		}
	}
	return nil
}

// validateCap makes sure that what is reserved and held fits into the limit: then
// a kind within its reserve is never refused by the cap.
func (p *Policy) validateCap(c Cap) error {
	if c.Limit < 1 || c.Limit > MaxLimit || c.Days < 1 || c.Days > MaxDays {
		return invalid(c.ID, "a cap has a limit of 1 to %d and a window of 1 to %d days", MaxLimit, MaxDays)
	}
	if c.Hold.Slots < 0 || c.Hold.Slots >= c.Limit && c.Hold.Slots > 0 || c.Hold.Slots > 0 && (c.Hold.Priority < 2 || c.Hold.Priority > MaxPriority) {
		return invalid(c.ID, "held slots are fewer than the limit and name a priority of 2 to %d", MaxPriority)
	}
	all, low := 0, 0
	for id, n := range c.Reserve {
		k := p.Kind(id)
		if k == nil || len(c.Kinds) > 0 && !slices.Contains(c.Kinds, id) || n < 1 {
			return invalid(c.ID, "slots are reserved for %s, which the cap does not apply to", id)
		}
		all += n
		if k.Priority < c.Hold.Priority {
			low += n
		}
	}
	if all > c.Limit || low > c.Limit-c.Hold.Slots {
		return invalid(c.ID, "more slots are reserved and held than the limit of %d", c.Limit)
	}
	for _, k := range p.Kinds {
		if len(c.Kinds) > 0 && !slices.Contains(c.Kinds, k.ID) || c.Reserve[k.ID] > 0 {
			continue
		}
		if all == c.Limit || k.Priority < c.Hold.Priority && low == c.Limit-c.Hold.Slots {
			return invalid(c.ID, "no slot is left for %s: all are reserved or held for others", k.ID)
		}
	}
	return nil
}

func (q Quiet) validate() error {
	if (q.From == "") != (q.To == "") || q.From != "" && (!timeForm.MatchString(q.From) || !timeForm.MatchString(q.To) || q.From == q.To) {
		return invalid(q.ID, "quiet hours have two different times such as 21:00 and 08:00")
	}
	for _, d := range q.Weekdays {
		if !slices.Contains(weekdays, d) {
			return invalid(q.ID, "%q is no weekday (mon … sun)", d)
		}
	}
	if len(q.Weekdays) == 7 {
		return invalid(q.ID, "all days are quiet: nobody could be contacted")
	}
	for _, d := range q.Dates {
		if _, err := time.Parse(time.DateOnly, d); err != nil {
			return invalid(q.ID, "%q is no date (2026-02-14)", d)
		}
	}
	if q.From == "" && len(q.Weekdays) == 0 && !q.Holidays && len(q.Dates) == 0 {
		return invalid(q.ID, "the rule makes nothing quiet")
	}
	return nil
}

// Unreserved lists the kinds that share a cap without a slot of their own: a
// frequent kind beside them may use the cap up.
func (c Cap) Unreserved(p *Policy) (out []string) {
	kinds := c.Kinds
	if len(kinds) == 0 {
		for _, k := range p.Kinds {
			kinds = append(kinds, k.ID)
		}
	}
	if len(kinds) < 2 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return c.Reserve[k] > 0 })
}

// Parse reads a policy written in YAML.
func Parse(source []byte) (*Policy, error) {
	if len(source) > maxSource {
		return nil, errs.TooLarge("customer.contact.error.size", "a policy has at most %d KiB", maxSource>>10).With("max", maxSource>>10)
	}
	p := &Policy{}
	d := yaml.NewDecoder(bytes.NewReader(source))
	d.KnownFields(true)
	if err := d.Decode(p); err != nil {
		return nil, invalid("yaml", "%v", err)
	}
	return p, p.Validate()
}

// YAML writes the policy as it can be edited.
func (p *Policy) YAML() (string, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(p); err != nil {
		return "", fmt.Errorf("write the policy: %w", err)
	}
	return b.String(), nil
}

//go:embed packs/policy.yaml
var policyPack []byte

// Pack gives the policy that comes with the program.
func Pack() (*Policy, error) { return Parse(policyPack) }
