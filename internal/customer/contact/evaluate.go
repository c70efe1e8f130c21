package contact

import (
	"slices"
	"time"

	"omote/internal/customer/consent"
)

// Request asks for one contact.
type Request struct {
	Customer string // the customer, or one of their records
	Kind     string
	Channel  string
	// Purpose is what consent is asked for; the kind's by default.
	Purpose string
	// Priority may lower the kind's; 0, or more than the kind's, means the kind's.
	Priority int
	// At is when the contact is to happen; zero means now.
	At time.Time
	// Ref makes the decision idempotent and names the reservation: the id of the
	// invitation, the key of the message. Empty makes a new one.
	Ref string
}

// Reason is a rule's word. The texts have the keys customer.contact.reason.*.
type Reason string

// The words of rules. Those of consent are consent_ and the reason there.
const (
	Free         Reason = "free"          // the rule leaves room
	CapFull      Reason = "cap_full"      // every slot is used
	KeptForKind  Reason = "kept_for_kind" // the last slots are reserved for other kinds
	KeptForPrio  Reason = "kept_for_priority"
	TooSoon      Reason = "too_soon"
	QuietHours   Reason = "quiet_hours"
	QuietDay     Reason = "quiet_day"
	Holiday      Reason = "holiday"
	Excluded     Reason = "excluded"
	NotExcluded  Reason = "not_excluded"
	UnknownKind  Reason = "unknown_kind"
	consentWords        = "consent_"
)

// Finding is the word of one rule.
type Finding struct {
	Rule   string `json:"rule"` // id in the policy; "consent" for consent
	Sort   string `json:"sort"` // consent, exclusion, quiet, gap or cap
	Met    bool   `json:"met"`
	Reason Reason `json:"reason"`
	// Used of Limit slots, of a cap.
	Used  int `json:"used,omitempty"`
	Limit int `json:"limit,omitempty"`
	// Until is when a rule that was not met lets go by itself; zero when it does not.
	Until time.Time `json:"until,omitzero"`
	// What holds: the circumstance or the attribute of an exclusion.
	What string `json:"what,omitempty"`
}

// Decision is the answer. Reasons hold every rule that applies, met or not, in
// the order of the package comment.
type Decision struct {
	Allowed bool
	Reasons []Finding
	// Reservation names the place that was taken; empty when not allowed.
	Reservation string
	// Retry is the first moment at which asking again may help; zero when waiting
	// alone does not.
	Retry   time.Time
	Policy  int // version
	Consent consent.Decision
}

// Refusals are the rules that were not met.
func (d Decision) Refusals() []Finding {
	return slices.DeleteFunc(slices.Clone(d.Reasons), func(f Finding) bool { return f.Met })
}

// Why is the first rule that was not met; its zero value when all were.
func (d Decision) Why() Finding {
	if i := slices.IndexFunc(d.Reasons, func(f Finding) bool { return !f.Met }); i >= 0 {
		return d.Reasons[i]
	}
	return Finding{}
}

// Contact is a contact that has its place: what caps and gaps count.
type Contact struct {
	Ref      string
	Kind     string
	Channel  string
	Priority int
	At       time.Time
}

// Facts is what the rules look at.
type Facts struct {
	// Zone is the customer's own; nil means the policy's.
	Zone *time.Location
	// Contacts that lie within the policy's reach of the request. One with the
	// request's own Ref does not count.
	Contacts []Contact
	// Circumstances that hold, such as CaseOpen.
	Circumstances []string
	// Attributes of the customer that the policy names.
	Attributes map[string]string
	Consent    consent.Decision
}

// Evaluate judges a request by every rule of the policy.
func (p *Policy) Evaluate(r Request, f Facts) Decision {
	d := Decision{Policy: p.Version, Consent: f.Consent}
	k := p.Kind(r.Kind)
	if k == nil {
		d.Reasons = []Finding{{Rule: "kind", Sort: "kind", Reason: UnknownKind, What: r.Kind}}
		return d
	}
	if r.Priority <= 0 || r.Priority > k.Priority {
		r.Priority = k.Priority
	}
	others := slices.DeleteFunc(slices.Clone(f.Contacts), func(c Contact) bool { return r.Ref != "" && c.Ref == r.Ref })
	d.Reasons = append(d.Reasons, Finding{Rule: "consent", Sort: "consent", Met: f.Consent.Allowed, Reason: consentWords + Reason(f.Consent.Reason)})
	for i := range p.Exclusions {
		if e := &p.Exclusions[i]; e.to(r.Kind, r.Channel) {
			d.Reasons = append(d.Reasons, e.judge(f))
		}
	}
	zone := f.Zone
	if zone == nil {
		zone, _ = time.LoadLocation(p.Zone) // Validate loaded it
	}
	for i := range p.Quiet {
		if q := &p.Quiet[i]; q.to(r.Kind, r.Channel) {
			d.Reasons = append(d.Reasons, q.judge(r.At.In(zone)))
		}
	}
	for i := range p.Gaps {
		if g := &p.Gaps[i]; g.to(r.Kind, r.Channel) {
			d.Reasons = append(d.Reasons, g.judge(r, others))
		}
	}
	for i := range p.Caps {
		if c := &p.Caps[i]; c.to(r.Kind, r.Channel) {
			d.Reasons = append(d.Reasons, p.judge(c, r, others))
		}
	}
	d.Allowed = true
	waits := true
	for _, w := range d.Reasons {
		if w.Met {
			continue
		}
		d.Allowed = false
		waits = waits && !w.Until.IsZero()
		if w.Until.After(d.Retry) {
			d.Retry = w.Until
		}
	}
	if !waits {
		d.Retry = time.Time{}
	}
	return d
}

// reach is how far from a request contacts matter.
func (p *Policy) reach() time.Duration {
	var far time.Duration
	for _, c := range p.Caps {
		far = max(far, c.window())
	}
	for _, g := range p.Gaps {
		far = max(far, time.Duration(g.Hours)*time.Hour)
	}
	return far
}

func (e *Exclusion) judge(f Facts) Finding {
	w := Finding{Rule: e.ID, Sort: "exclusion", Met: true, Reason: NotExcluded, What: e.When}
	holds := e.When != "" && slices.Contains(f.Circumstances, e.When)
	if e.Attribute != "" {
		w.What = e.Attribute
		value, known := f.Attributes[e.Attribute]
		holds = known && value == e.Equals
	}
	if holds {
		w.Met, w.Reason = false, Excluded
	}
	return w
}

func (q *Quiet) judge(local time.Time) Finding {
	w := Finding{Rule: q.ID, Sort: "quiet", Met: true, Reason: Free}
	if why, _, quiet := q.at(local); quiet {
		w.Met, w.Reason, w.Until = false, why, q.ends(local).UTC()
		if w.Until.Year() == 1 {
			w.Until = time.Time{}
		}
	}
	return w
}

func (g *Gap) judge(r Request, others []Contact) Finding {
	w := Finding{Rule: g.ID, Sort: "gap", Met: true, Reason: Free}
	gap := time.Duration(g.Hours) * time.Hour
	for _, c := range others {
		if !g.to(c.Kind, c.Channel) || r.At.Sub(c.At).Abs() >= gap {
			continue
		}
		w.Met, w.Reason = false, TooSoon
		if until := c.At.Add(gap); until.After(w.Until) {
			w.Until = until
		}
	}
	return w
}

// judge tests every window of the cap that the request would lie in. The fullest
// ones begin at a contact or at the request itself.
func (p *Policy) judge(c *Cap, r Request, others []Contact) Finding {
	w := Finding{Rule: c.ID, Sort: "cap", Met: true, Reason: Free, Limit: c.Limit}
	window := c.window()
	near := slices.DeleteFunc(slices.Clone(others), func(o Contact) bool {
		return !c.to(o.Kind, o.Channel) || r.At.Sub(o.At).Abs() >= window
	})
	slices.SortFunc(near, func(a, b Contact) int { return a.At.Compare(b.At) })
	begins := []time.Time{r.At}
	for _, o := range near {
		if !o.At.After(r.At) {
			begins = append(begins, o.At)
		}
	}
	for _, begin := range begins {
		inside := near
		for len(inside) > 0 && inside[0].At.Before(begin) {
			inside = inside[1:]
		}
		for len(inside) > 0 && !inside[len(inside)-1].At.Before(begin.Add(window)) {
			inside = inside[:len(inside)-1]
		}
		why := p.room(c, r, inside)
		w.Used = max(w.Used, len(inside))
		if why == Free {
			continue
		}
		w.Met = false
		if w.Reason == Free || why == CapFull {
			w.Reason = why
		}
		// The window lets go when its first contact has left it.
		if len(inside) > 0 {
			if until := inside[0].At.Add(window); until.After(w.Until) {
				w.Until = until
			}
		}
	}
	return w
}

// room says whether a window that holds the contacts inside has a slot for the
// request.
func (p *Policy) room(c *Cap, r Request, inside []Contact) Reason {
	used, low := map[string]int{}, 0
	for _, o := range inside {
		used[o.Kind]++
		if o.Priority < c.Hold.Priority {
			low++
		}
	}
	kept, keptLow := 0, 0 // slots reserved for other kinds that are not used yet
	for kind, n := range c.Reserve {
		if left := n - used[kind]; kind != r.Kind && left > 0 {
			kept += left
			if p.Kind(kind).Priority < c.Hold.Priority {
				keptLow += left
			}
		}
	}
	switch {
	case len(inside)+1 > c.Limit:
		return CapFull
	case len(inside)+1+kept > c.Limit:
		return KeptForKind
	case r.Priority >= c.Hold.Priority || c.Hold.Slots == 0:
		return Free
	case low+1 > c.Limit-c.Hold.Slots:
		return KeptForPrio
	case low+1+keptLow > c.Limit-c.Hold.Slots:
		return KeptForKind
	}
	return Free
}
