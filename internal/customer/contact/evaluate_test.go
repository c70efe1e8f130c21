package contact

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/internal/customer/consent"
)

func pack(t testing.TB) *Policy {
	t.Helper()
	p, err := Pack()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var yes = consent.Decision{Allowed: true, Reason: consent.Granted}

// hanoi is a time of day in the policy's zone.
func hanoi(t testing.TB, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	p := pack(t)
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, at, kind, channel string
		zone                    *time.Location
		want                    Reason // of the first rule that is not met
		retry                   string
	}{
		{"morning", "2026-03-10 09:00", "survey", "sms", nil, "", ""},
		{"evening", "2026-03-10 20:30", "survey", "sms", nil, QuietHours, "2026-03-11 08:00"},
		{"small hours", "2026-03-10 07:59", "survey", "sms", nil, QuietHours, "2026-03-10 08:00"},
		{"end of the night", "2026-03-10 08:00", "survey", "sms", nil, "", ""},
		{"two hours ahead", "2026-03-10 19:00", "survey", "sms", tokyo, QuietHours, "2026-03-11 06:00"},
		{"service is never quiet", "2026-03-10 23:00", "service", "sms", nil, "", ""},
		{"Sunday call", "2026-03-15 10:00", "survey", "call", nil, QuietDay, "2026-03-16 08:00"},
		{"Reunification day, then Labour day", "2026-04-30 10:00", "survey", "sms", nil, Holiday, "2026-05-02 00:00"},
	} {
		d := p.Evaluate(Request{Kind: c.kind, Channel: c.channel, At: hanoi(t, c.at)}, Facts{Consent: yes, Zone: c.zone})
		if got := d.Why().Reason; got != c.want || d.Allowed != (c.want == "") {
			t.Errorf("%s: %q, want %q; %+v", c.name, got, c.want, d.Refusals())
		}
		if c.retry != "" && !d.Retry.Equal(hanoi(t, c.retry)) {
			t.Errorf("%s: again at %s, want %s", c.name, d.Retry.In(hanoi(t, c.at).Location()), c.retry)
		}
	}
}

func TestReservedSlots(t *testing.T) {
	t.Parallel()
	p := pack(t)
	at := hanoi(t, "2026-03-10 10:00")
	days := func(kind string, priority int, n ...int) (out []Contact) {
		for _, d := range n {
			out = append(out, Contact{Kind: kind, Channel: "email", Priority: priority, At: at.AddDate(0, 0, d)})
		}
		return out
	}
	why := func(kind string, have ...Contact) Reason {
		d := p.Evaluate(Request{Kind: kind, Channel: "email", At: at}, Facts{Consent: yes, Contacts: have})
		for _, f := range d.Refusals() {
			if f.Rule == "week" {
				return f.Reason
			}
		}
		return Free
	}
	// Four a week: one each is kept for recovery, survey and suggestion; two for priority 5 and above.
	if got := why("marketing"); got != Free {
		t.Errorf("first offer: %s", got)
	}
	if got := why("marketing", days("marketing", 2, -2)...); got != KeptForKind {
		t.Errorf("second offer of the week: %s", got)
	}
	if got := why("advice", days("marketing", 2, -2)...); got != Free {
		t.Errorf("the suggestion's own slot: %s", got)
	}
	if got := why("survey", append(days("marketing", 2, -2), days("advice", 4, -1)...)...); got != Free {
		t.Errorf("the survey's own slot: %s", got)
	}
	// A reservation in the future counts in the windows that reach it.
	if got := why("marketing", days("marketing", 2, 6)...); got != KeptForKind {
		t.Errorf("before an offer in six days: %s", got)
	}
	if got := why("marketing", days("marketing", 2, 7)...); got != Free {
		t.Errorf("before an offer in seven days: %s", got)
	}
	full := append(append(days("recovery", 7, -6, -5), days("survey", 5, -3)...), days("advice", 4, -1)...)
	if got := why("recovery", full...); got != CapFull {
		t.Errorf("a full week: %s", got)
	}
}

// Held slots are named as what they are, and a cap that leaves a kind no slot at
// all is refused when it is saved.
func TestHeldSlots(t *testing.T) {
	t.Parallel()
	p := pack(t)
	p.Caps = []Cap{{ID: "all", Limit: 5, Days: 7, Hold: Hold{Slots: 2, Priority: 5}}}
	at := hanoi(t, "2026-03-10 10:00")
	var have []Contact
	for day := range 3 {
		have = append(have, Contact{Kind: "marketing", Channel: "email", Priority: 2, At: at.AddDate(0, 0, -1-day)})
	}
	for kind, want := range map[string]Reason{"marketing": KeptForPrio, "survey": Free} {
		d := p.Evaluate(Request{Kind: kind, Channel: "email", At: at}, Facts{Consent: yes, Contacts: have})
		if got := d.Reasons[len(d.Reasons)-1]; got.Sort != "cap" || got.Reason != want {
			t.Errorf("%s: %+v, want %s", kind, got, want)
		}
	}
	p.Caps[0].Reserve = map[string]int{"survey": 5}
	if p.Validate() == nil {
		t.Error("a cap without a slot for most kinds was accepted")
	}
}

// windowOK is the definition of a cap, written out: no window holds too many, and
// what is reserved and held stays free.
func windowOK(p *Policy, c *Cap, all []Contact) bool {
	for _, first := range all {
		used, total, low := map[string]int{}, 0, 0
		for _, o := range all {
			if c.to(o.Kind, o.Channel) && !o.At.Before(first.At) && o.At.Before(first.At.Add(c.window())) {
				total++
				used[o.Kind]++
				if o.Priority < c.Hold.Priority {
					low++
				}
			}
		}
		kept, keptLow := 0, 0
		for kind, n := range c.Reserve {
			kept += max(0, n-used[kind])
			if p.Kind(kind).Priority < c.Hold.Priority {
				keptLow += max(0, n-used[kind])
			}
		}
		if total > 0 && (total+kept > c.Limit || c.Hold.Slots > 0 && low+keptLow > c.Limit-c.Hold.Slots && low > 0) {
			return false
		}
	}
	return true
}

// Whatever is reserved, in whatever order and at whatever times, no window breaks
// its cap, and no kind within its reserve is ever refused by the cap.
func TestCapsHoldInAnyOrder(t *testing.T) {
	t.Parallel()
	kinds := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(rt *rapid.T) {
		p := &Policy{Zone: "UTC"}
		for i, k := range kinds {
			p.Kinds = append(p.Kinds, Kind{ID: k, Label: consent.Words{EN: k, VI: k}, Purpose: k, Priority: 1 + 2*i})
		}
		c := Cap{ID: "cap", Limit: rapid.IntRange(1, 6).Draw(rt, "limit"), Days: rapid.IntRange(1, 10).Draw(rt, "days"), Reserve: map[string]int{}}
		c.Hold = Hold{rapid.IntRange(0, 3).Draw(rt, "slots"), rapid.IntRange(2, 9).Draw(rt, "priority")}
		for _, k := range kinds {
			if n := rapid.IntRange(0, 2).Draw(rt, "reserve"); n > 0 {
				c.Reserve[k] = n
			}
		}
		p.Caps = []Cap{c}
		if p.Validate() != nil {
			rt.Skip("more is reserved than the limit")
		}
		begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var all []Contact
		for range rapid.IntRange(1, 60).Draw(rt, "requests") {
			r := Request{Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"), Channel: "email", At: begin.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(rt, "hour")) * time.Hour)}
			d := p.Evaluate(r, Facts{Consent: yes, Contacts: all})
			k := p.Kind(r.Kind)
			next := append(all[:len(all):len(all)], Contact{Kind: r.Kind, Channel: "email", Priority: k.Priority, At: r.At})
			if d.Allowed != windowOK(p, &c, next) {
				rt.Fatalf("%+v with %v: %+v, the definition says %v", r, all, d.Reasons, !d.Allowed)
			}
			if !d.Allowed && usedAtMost(&c, all, r) < c.Reserve[r.Kind] {
				rt.Fatalf("%s was refused within its reserve of %d: %+v", r.Kind, c.Reserve[r.Kind], d.Reasons)
			}
			if d.Allowed {
				all = next
			}
		}
	})
}

// usedAtMost is the most contacts of the request's kind in any window around it.
func usedAtMost(c *Cap, all []Contact, r Request) (most int) {
	for _, first := range append(all[:len(all):len(all)], Contact{At: r.At}) {
		if first.At.After(r.At) || !r.At.Before(first.At.Add(c.window())) {
			continue
		}
		n := 0
		for _, o := range all {
			if o.Kind == r.Kind && c.to(o.Kind, o.Channel) && !o.At.Before(first.At) && o.At.Before(first.At.Add(c.window())) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestPoliciesThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Policy){
		"zone":               func(p *Policy) { p.Zone = "Mars/Olympus" },
		"no kinds":           func(p *Policy) { p.Kinds = nil },
		"kind twice":         func(p *Policy) { p.Kinds = append(p.Kinds, p.Kinds[0]) },
		"unknown kind":       func(p *Policy) { p.Gaps[0].Kinds = []string{"dream"} },
		"unknown channel":    func(p *Policy) { p.Gaps[0].Channels = []string{"dove"} },
		"reserve too much":   func(p *Policy) { p.Caps[0].Reserve = map[string]int{"survey": 9} },
		"hold everything":    func(p *Policy) { p.Caps[0].Hold = Hold{4, 5} },
		"reserve for others": func(p *Policy) { p.Caps[0].Reserve = map[string]int{"service": 1} },
		"quiet for ever":     func(p *Policy) { p.Quiet[0].Weekdays = weekdays },
		"no such hour":       func(p *Policy) { p.Quiet[0].From = "25:00" },
		"no such date":       func(p *Policy) { p.Quiet[0].Dates = []string{"2026-02-30"} },
		"same id":            func(p *Policy) { p.Gaps[0].ID = "week" },
		"exclusion of both":  func(p *Policy) { p.Exclusions[0].Attribute = "x" },
	} {
		p := pack(t)
		change(p)
		if p.Validate() == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	p := pack(t)
	text, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse([]byte(text)); err != nil || len(again.Caps) != len(p.Caps) {
		t.Errorf("the policy does not survive being written: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(policyPack)
	f.Add([]byte("zone: UTC\nkinds: [{id: a, purpose: a, priority: 1}]"))
	f.Add([]byte("caps: [{limit: -1}]"))
	f.Fuzz(func(t *testing.T, source []byte) {
		p, err := Parse(source)
		if err == nil {
			p.Evaluate(Request{Kind: p.Kinds[0].ID, Channel: "sms", At: time.Unix(0, 0)}, Facts{Consent: yes})
		}
	})
}
