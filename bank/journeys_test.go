package bank

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// template is what a test needs of journey_templates.yaml.
type template struct {
	ID      string
	Start   string
	Success []string
	Failure []string
	Stages  []struct {
		Steps []struct {
			E  string
			Ch []string
		}
	}
	Exceptions []string
}

func templates(t *testing.T) map[string]*template {
	t.Helper()
	data, err := PackFile("journey_templates.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Journeys []*template }
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	m := map[string]*template{}
	for _, j := range doc.Journeys {
		m[j.ID] = j
	}
	return m
}

func TestEventNamesAreThoseOfThePacks(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for id, j := range templates(t) {
		if !slices.Contains(journeyNames[:], id) {
			t.Errorf("journey %s is not simulated", id)
		}
		for _, st := range j.Stages {
			for _, s := range st.Steps {
				known[s.E] = true
			}
		}
		for _, e := range j.Exceptions {
			known[e] = true
		}
	}
	data, err := PackFile("base_events.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Base, Extra []struct{ ID string } }
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, e := range append(doc.Base, doc.Extra...) {
		known[e.ID] = true
	}
	for i, name := range eventNames {
		if i > 0 && !known[name] {
			t.Errorf("event %q (%d) is in no pack", name, i)
		}
	}
}

// outsideTemplate are events that come with another journey's case: of the
// product's own making, or a step of the same errand named elsewhere.
var outsideTemplate = map[string][]string{
	"everyday_transfer":     {"otp_not_received"},
	"digital_login_failure": {"support_contacted", "support_answered"},
	"complaint":             {"recovery_granted"},
	"account_exit":          {"relationship_ended", "exit_survey_answered"},
	"branch_visit":          {"product_sold", "product_cancelled_early"},
}

func TestJourneysFollowTheirTemplates(t *testing.T) {
	t.Parallel()
	all := templates(t)
	b := testBank(t, Config{Seed: 12, Customers: sample(9000, 60_000)})
	started, succeeded, failed := map[string]int{}, map[string]int{}, map[string]int{}
	var inOrder, steps int
	simulate(b, nil, func(c *customer, items []item) {
		last := map[uint16]int{}
		for i := range items {
			it := &items[i]
			if it.jour == jNone || it.kind != Track || feedOf(it) == feedSurvey || it.prod == prodMerchant {
				continue
			}
			id, name := journeyNames[it.jour], eventNames[it.name]
			j := all[id]
			pos, of := 0, -1
			for _, st := range j.Stages {
				for _, s := range st.Steps {
					if s.E == name {
						of = pos
					}
					pos++
				}
			}
			switch {
			case of >= 0:
				steps++
				if of >= last[it.cs] {
					inOrder++
				}
				last[it.cs] = max(last[it.cs], of)
			case !slices.Contains(j.Exceptions, name) && !slices.Contains(outsideTemplate[id], name):
				t.Fatalf("%s carries %s, which its template does not know", id, name)
			}
			if name == j.Start {
				started[id]++
			}
			if slices.Contains(j.Success, name) {
				succeeded[id]++
			}
			if slices.Contains(j.Failure, name) {
				failed[id]++
			}
		}
	})
	for id := range all {
		if started[id] == 0 || succeeded[id] == 0 || failed[id] == 0 {
			t.Errorf("%s: %d begun, %d succeeded, %d failed", id, started[id], succeeded[id], failed[id])
		}
	}
	if share := float64(inOrder) / float64(steps); share < 0.97 {
		t.Errorf("%.4f of the steps are in the planned order", share)
	}
}

func TestEventsAreWellFormed(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 13, Customers: 1500})
	message := regexp.MustCompile(`^[0-9a-f]{16}$`)
	unit := regexp.MustCompile(`^(/[A-Z0-9]+)+/$`)
	names := map[string]bool{}
	for e := range b.ByCustomer() {
		names[e.Name] = true
		switch {
		case e.UserID == "" && e.AnonymousID == "", !message.MatchString(e.MessageID), e.Source == "", e.Kind != Track && e.Kind != Identify,
			e.Kind == Track && e.Name == "", e.Kind == Identify && e.Traits == nil, e.UserID != "" && e.System == "", e.Unit != "" && !unit.MatchString(e.Unit):
			t.Fatalf("malformed event %+v", e)
		case e.At < b.start || e.At >= b.end:
			t.Fatalf("%s happens on %s, outside the history", e.Name, e.Time())
		case e.Currency != "" && (e.Currency != "VND" || e.Amount <= 0):
			t.Fatalf("%s is about %d %s", e.Name, e.Amount, e.Currency)
		}
		for part, columns := range map[*[]byte][]string{&e.Props: eventColumns, &e.Traits: customerColumns} {
			if *part == nil {
				continue
			}
			var values map[string]any
			if err := json.Unmarshal(*part, &values); err != nil {
				t.Fatalf("%s: %s: %v", e.Name, *part, err)
			}
			for k := range values {
				if !slices.Contains(columns, k) {
					t.Fatalf("%s: property %q has no column in a file", e.Name, k)
				}
			}
		}
	}
	// what only the product itself can say is not in the feeds
	for _, own := range []string{"case_opened", "clock_started", "message_held_by_us"} {
		if names[own] {
			t.Errorf("%s is the product's own event", own)
		}
	}
}

func TestBranchesKeepTheirHours(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 14, Customers: 2500})
	simulate(b, nil, func(c *customer, items []item) {
		for i := range items {
			it := &items[i]
			if it.name != evBranchTicketIssued {
				continue
			}
			d, s := b.cal.at(dayOf(it.at)), clockOf(it.at)
			br := &b.packs.branches[it.unit-1]
			if d.holiday || d.weekday == 0 || (d.weekday == 6 && !b.packs.branches[c.branch].Saturday) || s < 8*hour || s > 16*hour+30*minute {
				t.Fatalf("a ticket at %s on day %d of the week at %d:%02d", br.Name, d.weekday, s/hour, s%hour/minute)
			}
		}
	})
}

func TestRhythm(t *testing.T) {
	t.Parallel()
	d := testBank(t, Config{Seed: 15, Customers: 1500}).Describe()
	h := d.TransfersByHour
	if h[12] < 1.3*h[14] || h[20] < 1.2*h[16] || h[3] > 0.1*h[12] {
		t.Errorf("no lunch peak, evening peak or quiet night: %.3f", h)
	}
}
