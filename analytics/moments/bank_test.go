package moments_test

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/analytics/mining"
	"omote/analytics/moments"
	"omote/bank"
)

// bankHistory reads a simulated bank as its systems deliver it, with the records
// of one person joined by the truth file of identities.
type bankHistory struct {
	*moments.History
	journeys map[string]moments.Journey
	names    *mining.Dict
}

// template is a journey of the pack.
type template struct {
	ID         string   `yaml:"id"`
	Success    []string `yaml:"success"`
	Failure    []string `yaml:"failure"`
	Exceptions []string `yaml:"exceptions"`
	Stages     []struct {
		Steps []struct {
			Event  string `yaml:"e"`
			Max    string `yaml:"max"`
			Moment bool   `yaml:"mot"`
		} `yaml:"steps"`
	} `yaml:"stages"`
}

func templates(t testing.TB) []template {
	t.Helper()
	raw, err := bank.PackFile("journey_templates.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var pack struct {
		Journeys []template `yaml:"journeys"`
	}
	if err := yaml.Unmarshal(raw, &pack); err != nil {
		t.Fatal(err)
	}
	return pack.Journeys
}

func readBank(t testing.TB, c bank.Config) *bankHistory {
	t.Helper()
	b, err := bank.New(c)
	if err != nil {
		t.Fatal(err)
	}
	person := identities(t, b)
	build := mining.NewBuilder(moments.ColumnJourney, moments.ColumnCase, moments.ColumnChannel, moments.ColumnUnit, moments.ColumnProduct)
	value := func(column int, v string) int32 {
		if v == "" {
			return mining.None
		}
		return build.Value(column, v)
	}
	type waiting struct {
		*bank.Event
		props []byte
	}
	var anonymous []waiting
	var answers []moments.Answer
	regions := map[string]string{}
	for _, br := range bank.Branches() {
		regions[br.Code], regions[br.Path] = br.Region, br.Region
	}
	add := func(e *bank.Event, customer int32) {
		activity, journey, id := build.Activity(e.Name), value(0, e.Journey), value(1, e.Case)
		build.Add(customer, activity, e.At, journey, id, value(2, e.Channel), value(3, e.Unit), value(4, e.Product))
		if e.Name == "survey_answered" {
			if a, ok := readAnswer(e.Props); ok {
				a.Customer, a.At, a.Case = customer, e.At, id
				a.Trigger = mining.None
				if name := triggerOf(e.Props); name != "" {
					a.Trigger = build.Activity(name)
				}
				answers = append(answers, a)
			}
		}
	}
	for e := range b.ByCustomer() {
		if e.UserID == "" {
			copied := *e
			anonymous = append(anonymous, waiting{&copied, nil})
			continue
		}
		p, ok := person[e.System+"\x00"+e.UserID]
		if !ok {
			continue
		}
		customer := build.Case(p)
		for _, w := range anonymous {
			if w.At <= e.At && e.At-w.At < int64(40*24*time.Hour/time.Microsecond) {
				add(w.Event, customer)
			}
		}
		anonymous = anonymous[:0]
		add(e, customer)
	}
	names := []string{"contact_received", "support_contacted", "complaint_filed", "relationship_ended"}
	for _, n := range names {
		build.Activity(n)
	}
	list := templates(t)
	for _, j := range list {
		for _, e := range j.Exceptions {
			build.Activity(e)
		}
	}
	log, err := build.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	h := &bankHistory{History: &moments.History{Log: log, Answers: answers}, journeys: map[string]moments.Journey{}, names: log.Activities()}
	id := func(name string) int32 { n, _ := log.Activities().Lookup(name); return n }
	h.Contact, h.Complaint, h.Left = []int32{id("contact_received"), id("support_contacted")}, []int32{id("complaint_filed")}, []int32{id("relationship_ended")}
	units, _ := log.Column(moments.ColumnUnit)
	regionDict := &mining.Dict{}
	for _, u := range units.Names() {
		h.Region = append(h.Region, regionDict.ID(regions[u]))
	}
	journeys, _ := log.Column(moments.ColumnJourney)
	for _, tpl := range list {
		j := moments.Journey{ID: -2}
		if n, ok := journeys.Lookup(tpl.ID); ok {
			j.ID = n
		}
		for _, stage := range tpl.Stages {
			for _, s := range stage.Steps {
				j.Steps = append(j.Steps, moments.Step{Event: id(s.Event), Standard: duration(t, s.Max)})
			}
		}
		for _, e := range tpl.Exceptions {
			j.Trouble = append(j.Trouble, id(e))
		}
		h.Trouble = append(h.Trouble, j.Trouble...)
		h.journeys[tpl.ID] = j
	}
	slicesSortAnswers(h.Answers)
	return h
}

func slicesSortAnswers(a []moments.Answer) {
	// ByCustomer gives customers one after another, and the builder numbers them
	// in that order; only times within a customer may be out of order.
	for i := 1; i < len(a); i++ {
		for k := i; k > 0 && a[k].Customer == a[k-1].Customer && a[k].At < a[k-1].At; k-- {
			a[k], a[k-1] = a[k-1], a[k]
		}
	}
}

func identities(t testing.TB, b *bank.Bank) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if _, err := b.WriteTruth(dir); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "identity.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		p := strings.SplitN(s.Text(), ",", 4)
		out[p[0]+"\x00"+p[1]] = p[2]
	}
	return out
}

// spans are the lowest and the highest score of each questionnaire.
var spans = map[string][2]float64{"rel_nps": {0, 10}, "tx_csat": {1, 5}, "ces": {1, 7}, "complaint_followup": {0, 10}, "expectation_gap": {-2, 2}, "exp_dimensions": {1, 5}}

func readAnswer(props []byte) (a moments.Answer, ok bool) {
	var p struct {
		Instrument, Verbatim, Polarity, Language string
		Score                                    *float64
	}
	if json.Unmarshal(props, &p) != nil {
		return a, false
	}
	a.Instrument, a.Comment, a.Language, a.Score = p.Instrument, p.Verbatim, p.Language, math.NaN()
	if s, known := spans[p.Instrument]; known && p.Score != nil {
		a.Score = (*p.Score - s[0]) / (s[1] - s[0])
	}
	return a, true
}

func triggerOf(props []byte) string {
	var p struct {
		Trigger string `json:"trigger_event"`
	}
	_ = json.Unmarshal(props, &p)
	return p.Trigger
}

func duration(t testing.TB, iso string) time.Duration {
	t.Helper()
	var total time.Duration
	number := time.Duration(0)
	for _, c := range strings.TrimPrefix(iso, "P") {
		switch {
		case c >= '0' && c <= '9':
			number = number*10 + time.Duration(c-'0')
		case c == 'W':
			total, number = total+number*7*24*time.Hour, 0
		case c == 'D':
			total, number = total+number*24*time.Hour, 0
		case c == 'H':
			total, number = total+number*time.Hour, 0
		case c == 'M':
			total, number = total+number*time.Minute, 0
		case c == 'S':
			total, number = total+number*time.Second, 0
		}
	}
	return total
}

func (h *bankHistory) outcomes() []moments.Outcome {
	return []moments.Outcome{
		{ID: "complaint", Events: h.Complaint, Within: 30 * 24 * time.Hour},
		{ID: "left", Events: h.Left, Within: 180 * 24 * time.Hour},
		{ID: "nps", Instrument: "rel_nps", Within: 180 * 24 * time.Hour},
	}
}

// planted are steps of which the bank's program says that trouble or waiting there
// moves feeling strongly enough to bring complaints.
var planted = map[string][]string{
	"everyday_transfer": {"transfer_credited"},
	"branch_visit":      {"branch_service_completed"},
}

// idle are steps of which it says that what goes wrong there moves nothing: the
// waits are drawn by themselves, and no feeling hangs on them.
var idle = map[string][]string{
	"everyday_transfer":     {"payee_name_confirmed"},
	"card_activation":       {"card_approved", "card_dispatched", "card_pin_set"},
	"personal_loan":         {"loan_contract_signed"},
	"digital_login_failure": {"reset_identity_verified"},
	"term_deposit_maturity": {"deposit_options_viewed"},
}

// Planted moments are proven and idle steps are not, over seeds.
func TestBankMomentsOverSeeds(t *testing.T) {
	t.Parallel()
	seeds, customers, rows := 1, 16_000, 8_000
	if os.Getenv("OMOTE_VERIFY") == "1" {
		seeds, customers, rows = 100, 20_000, 20_000
	}
	var found, missed, falseProofs, idleTests, probable int
	for seed := range seeds {
		h := readBank(t, bank.Config{Seed: uint64(seed + 1), Customers: customers, Months: 12, Density: 0.3})
		var tests []moments.Test
		var of []string
		for _, id := range []string{"everyday_transfer", "branch_visit", "card_activation", "personal_loan", "digital_login_failure", "term_deposit_maturity"} {
			list, err := moments.TestSteps(h.History, h.journeys[id], h.outcomes(), moments.Options{Seed: uint64(seed), MaxRows: rows})
			if err != nil {
				t.Fatal(err)
			}
			for range list {
				of = append(of, id)
			}
			tests = append(tests, list...)
		}
		moments.Judge(tests, 0.05)
		for i, x := range tests {
			step := h.names.Name(h.journeys[of[i]].Steps[x.Step].Event)
			switch {
			case slices.Contains(idle[of[i]], step) && x.Verdict != moments.Insufficient:
				idleTests++
				if x.Verdict == moments.Proven {
					falseProofs++
					t.Logf("seed %d: %s/%s proven by %v (q %.4f)", seed+1, of[i], step, x.Whole.Effect, x.Q)
				}
			case slices.Contains(planted[of[i]], step) && h.outcomes()[x.Outcome].ID == "complaint":
				switch x.Verdict {
				case moments.Proven:
					found++
				case moments.Probable:
					probable++
				default:
					missed++
					t.Logf("seed %d: %s/%s is %v: %v (q %.4f)", seed+1, of[i], step, x.Verdict, x.Whole.Effect, x.Q)
				}
			}
		}
	}
	t.Logf("planted: %d proven, %d probable, %d missed; idle: %d proven of %d", found, probable, missed, falseProofs, idleTests)
	if n := found + probable + missed; float64(found) < 0.7*float64(n) || float64(missed) > 0.1*float64(n) {
		t.Errorf("of %d planted moments %d are proven and %d probable", n, found, probable)
	}
	if float64(falseProofs) > 0.05*float64(idleTests) {
		t.Errorf("%d of %d idle steps are proven", falseProofs, idleTests)
	}
	if idleTests < 3*seeds {
		t.Errorf("only %d idle steps could be tested", idleTests)
	}
}
