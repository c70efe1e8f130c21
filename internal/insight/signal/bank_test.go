package signal_test

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"omote/bank"
	"omote/internal/insight/signal"
	"omote/internal/testkit"
)

// The queues of one region fail on plantDay and stay so.
const (
	plantDay    = 170
	plantDays   = 60
	plantRegion = "hcm"
)

// kept are the events of the measures that the simulation watches; everyday
// transfers and sign-ins, most of the volume, are left out.
func kept(e *bank.Event) bool {
	for _, prefix := range []string{"branch_", "survey_", "contact_", "complaint_", "card_", "loan_", "onboarding_", "account_"} {
		if strings.HasPrefix(e.Name, prefix) {
			return true
		}
	}
	return false
}

// outcome is what a run over one simulated bank found.
type outcome struct {
	found    bool // the planted fall became a signal
	right    bool // whose first cause is the planted region
	delay    int  // days from the fall to the signal
	raised   int  // signals in all
	wrong    int  // of them, with nothing planted behind
	judged   int  // series
	measures []string
}

// simulate runs one bank. Every change counts, both ways, whenever it was.
func simulate(t *testing.T, seed uint64, customers int, effects ...bank.Effect) (o outcome) {
	t.Helper()
	db := testkit.SQLite(t, migrations...)
	r := newRig(t, db)
	b, err := bank.New(bank.Config{Customers: customers, Months: 9, Seed: seed, Plan: &bank.Plan{Effects: effects}})
	must(t, err)
	r.fill(b, b.Config().End, kept)
	rule := signal.DefaultRule()
	rule.Days, rule.Both = 700, true
	tested, err := r.BackTest(testkit.Context(t), rule)
	must(t, err)
	o.judged = tested.Series
	plant := b.Config().Start.AddDate(0, 0, plantDay)
	for _, l := range tested.List {
		o.raised++
		day := int(l.Detected.Sub(plant.UTC().Truncate(24*time.Hour)).Hours() / 24)
		mine := len(effects) > 0 && day >= 0 && (l.Place.Dim == signal.Region && l.Place.Value == plantRegion || strings.HasPrefix(l.Metric, "branch_") || strings.HasPrefix(l.Metric, "csat_branch"))
		if !mine {
			o.wrong++
			o.measures = append(o.measures, l.Metric+" "+string(l.Place.Dim)+"="+l.Place.Value+" "+l.Detected.Format(time.DateOnly))
		}
	}
	if len(effects) == 0 {
		return o
	}
	testkit.Clock(db).Set(plant.AddDate(0, 0, plantDays-1).Add(6 * time.Hour))
	_, err = r.Look(testkit.Context(t), nil)
	must(t, err)
	all, err := r.List(testkit.Context(t))
	must(t, err)
	for _, s := range all {
		f := &s.Body
		if !strings.HasPrefix(f.Metric, "branch_wait") || f.Detected.Before(plant.AddDate(0, 0, -1)) {
			continue
		}
		o.found = true
		o.delay = int(f.Detected.Sub(plant).Hours()/24) + 1
		o.right = o.right || len(f.Tree.Causes) > 0 && f.Tree.Causes[0].Where[0].String() == "region="+plantRegion
	}
	return o
}

// A planted fall opens a signal whose first cause is the planted one, and what is
// quiet raises no more false signals than the rule allows: over seeds, with
// OMOTE_VERIFY=1 over a hundred.
func TestPlantedFallsOnTheSimulatedBank(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates banks")
	}
	seeds, customers := 5, 2500
	if os.Getenv("OMOTE_VERIFY") == "1" {
		seeds = 100
	}
	fall := bank.Effect{ID: "queues", Kind: "incident", FromDay: plantDay, Days: plantDays, Regions: []string{"HCM"}, Truth: "harms",
		Moves: []bank.Move{{Lever: bank.BranchWait, Size: 4}}}
	var found, right, raised, wrong, series, delay int
	for seed := range uint64(seeds) {
		o := simulate(t, seed+1, customers, fall)
		t.Logf("seed %d: %+v", seed+1, o)
		if o.found {
			found++
			delay += o.delay
		}
		if o.right {
			right++
		}
		raised, wrong, series = raised+o.raised, wrong+o.wrong, series+o.judged
	}
	t.Logf("%d of %d falls found, first cause right in %d, mean delay %.1f days; %d signals, %d without anything planted, over %d series of nine months", found, seeds, right,
		float64(delay)/float64(max(1, found)), raised, wrong, series)
	if 5*found < 4*seeds || 5*right < 4*found {
		t.Errorf("%d of %d falls became signals, %d with the planted region first: at least four of five are asked", found, seeds, right)
	}
	// A bank in which nothing was planted at all: every signal is false. One bound of
	// a tenth over three weeks' judgements of all series is about one in 30 weeks.
	quiet, still := 0, max(2, seeds/5)
	for seed := range uint64(still) {
		o := simulate(t, seed+1001, customers)
		t.Logf("quiet seed %d: %+v", seed+1001, o)
		quiet += o.raised
	}
	t.Logf("%d false signals over %d quiet banks of nine months", quiet, still)
	if limit := 1.3*float64(still) + 3*math.Sqrt(1.3*float64(still)); float64(quiet) > limit {
		t.Errorf("%d false signals over %d quiet banks, at most %.1f may be", quiet, still, limit)
	}
	// The share allowed is 10 %; a binomial of this size may be above it by chance.
	if limit := 0.1*float64(raised) + 0.6*math.Sqrt(float64(raised)) + 1; float64(wrong) > limit {
		t.Errorf("%d of %d signals are false, at most %.1f may be", wrong, raised, limit)
	}
}
