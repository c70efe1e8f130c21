package bank

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// Each planted mechanism is tested the same way: with the effect off it is
// absent, with it on it has the stated size within sampling error. The effects
// are let loose on a whole year here, so that samples are large; that the
// default plan's effects stay in their place and time is tested on the levers.

// sample is how many customers a test of a mechanism simulates.
func sample(short, long int) int {
	if os.Getenv("OMOTE_VERIFY") == "1" {
		return long
	}
	return short
}

// simulate runs every customer of a bank and shows each one's items.
func simulate(b *Bank, watch observer, see func(c *customer, items []item)) {
	s := &sim{b: b, watch: watch}
	c := &customer{}
	for slot := range b.slots(b.end) {
		s.each(c, slot, func() { see(c, s.out) })
	}
}

// planted makes a bank with one effect all year and everywhere, or none.
func planted(t *testing.T, customers int, effects ...Effect) *Bank {
	t.Helper()
	return testBank(t, Config{Seed: 11, Customers: customers, Plan: &Plan{Effects: effects}})
}

func lever(l Lever, size float64) Effect {
	return Effect{ID: string(l), Kind: "incident", Moves: []Move{{l, size}}}
}

// rate is a proportion with its counts.
type rate struct{ hit, n float64 }

func (r rate) p() float64 { return r.hit / r.n }

func (r rate) logOdds() (x, se float64) {
	return math.Log(r.hit / (r.n - r.hit)), math.Sqrt(1/r.hit + 1/(r.n-r.hit))
}

const sigmas = 4

// wantOdds checks that two proportions differ by a ratio of odds.
func wantOdds(t *testing.T, what string, off, on rate, size float64) {
	t.Helper()
	a, sa := off.logOdds()
	b, sb := on.logOdds()
	if gap := math.Abs(b - a - math.Log(size)); gap > sigmas*math.Hypot(sa, sb) || math.IsNaN(gap) {
		t.Errorf("%s: odds ratio %.2f (%.0f of %.0f against %.0f of %.0f), planted %.2f", what, math.Exp(b-a), on.hit, on.n, off.hit, off.n, size)
	}
}

// wantRate checks that two counts of equal exposure differ by a factor.
func wantRate(t *testing.T, what string, off, on float64, size float64) {
	t.Helper()
	if gap := math.Abs(math.Log(on/off) - math.Log(size)); gap > sigmas*math.Sqrt(1/off+1/on) || math.IsNaN(gap) {
		t.Errorf("%s: factor %.2f (%.0f against %.0f), planted %.2f", what, on/off, on, off, size)
	}
}

// moments of a sample.
type moments struct{ n, sum, squares float64 }

func (m *moments) add(x float64) { m.n++; m.sum += x; m.squares += x * x }

func (m moments) mean() float64 { return m.sum / m.n }

func (m moments) se() float64 { return math.Sqrt((m.squares/m.n - m.mean()*m.mean()) / m.n) }

// wantShift checks that two means differ by an amount, give or take slack.
func wantShift(t *testing.T, what string, off, on moments, size, slack float64) {
	t.Helper()
	if gap := math.Abs(on.mean() - off.mean() - size); gap > sigmas*math.Hypot(off.se(), on.se())+slack || math.IsNaN(gap) {
		t.Errorf("%s: shift %.3f (n %.0f and %.0f), planted %.3f", what, on.mean()-off.mean(), off.n, on.n, size)
	}
}

// figures are those of a year that the mechanisms move.
type figures struct {
	logins, fees, sold, visits           float64
	otp, down, delivery, papers, enquiry rate
	cancel, unresolved, pending          rate
	waits, waitsElsewhere, transit       moments
	callWaits, repairDays                moments
	care, agent, repair, ease            moments
	left                                 rate
}

type feltWatch struct {
	truthWatch
	f *figures
}

func (w *feltWatch) felt(c *customer, at64 int64, it *item, quality, before float64) {
	switch it.trig {
	case evBranchServiceCompleted:
		w.f.care.add(quality)
	case evContactReceived:
		w.f.agent.add(quality)
	case evComplaintClosedAccepted:
		w.f.repair.add(quality)
	case evTransferCredited:
		w.f.ease.add(quality)
	}
}

const regionHCM = 5

// measure simulates a bank and takes its figures; only tells which customers
// count, nil for all.
func measure(b *Bank, only func(c *customer) bool) figures {
	var f figures
	simulate(b, &feltWatch{truthWatch: *newTruthWatch(b), f: &f}, func(c *customer, items []item) {
		if only != nil && !only(c) {
			return
		}
		f.left.n++
		if c.has(flagLeaving) {
			f.left.hit++
		}
		f.journeys(b, items)
	})
	return f
}

// journeys takes the figures of one customer's items.
func (f *figures) journeys(b *Bank, items []item) {
	type state struct {
		start  int64
		marked bool
	}
	cases := map[uint16]*state{}
	begin := func(it *item) { cases[it.cs] = &state{start: it.at} }
	once := func(it *item, r *rate) {
		if s := cases[it.cs]; s != nil && !s.marked {
			s.marked = true
			r.hit++
		}
	}
	for i := range items {
		it := &items[i]
		switch it.name {
		case evLoginFailed:
			f.logins++
		case evCredentialResetStarted:
			begin(it)
			f.otp.n++
		case evDeviceChangeBlocked:
			f.otp.n--
			delete(cases, it.cs)
		case evOtpNotReceived:
			if it.jour == jLogin {
				once(it, &f.otp)
			}
		case evFeeCharged:
			f.fees++
		case evBranchTicketIssued:
			begin(it)
			f.down.n++
			f.visits++
		case evBranchSystemDown:
			f.down.hit++
		case evBranchCalledToCounter:
			if s := cases[it.cs]; s != nil {
				w := math.Log(float64(it.at-s.start) / float64(minute))
				if b.packs.branches[it.unit-1].region == regionHCM {
					f.waits.add(w)
				} else {
					f.waitsElsewhere.add(w)
				}
			}
		case evProductSold:
			f.sold++
			f.cancel.n++
		case evProductCancelledEarly:
			f.cancel.hit++
		case evCardDispatched:
			begin(it)
			f.delivery.n++
		case evCardDeliveryFailed:
			once(it, &f.delivery)
		case evCardDelivered:
			if s := cases[it.cs]; s != nil && !s.marked {
				f.transit.add(float64(it.at-s.start) / float64(day))
			}
		case evLoanApplicationCompleted:
			begin(it)
			f.papers.n++
			f.enquiry.n++
		case evLoanDocumentRequestedAgain:
			once(it, &f.papers)
		case evLoanStatusEnquired:
			f.enquiry.hit++
		case evContactReceived:
			f.unresolved.n++
			if it.out == outUnresolved {
				f.unresolved.hit++
			}
			f.callWaits.add(math.Log(max(float64(it.wait), 1)))
		case evTransferSubmitted:
			f.pending.n++
		case evTransferPending:
			f.pending.hit++
		case evComplaintFiled:
			begin(it)
		case evComplaintRemedyOffered:
			if s := cases[it.cs]; s != nil {
				f.repairDays.add(float64(it.at-s.start) / float64(day))
			}
		}
	}
}

func TestPlantedMechanisms(t *testing.T) {
	t.Parallel()
	n := sample(5000, 60_000)
	off := measure(planted(t, n), nil)
	again := measure(planted(t, n, lever(OTPFailure, 1), lever(BranchWait, 1), lever(StaffCare, 0), lever(Attrition, 1)), nil)
	if off != again {
		t.Error("effects of no size change the bank")
	}
	for _, c := range []struct {
		lever Lever
		size  float64
		check func(t *testing.T, on figures, size float64)
	}{
		{OTPFailure, 40, func(t *testing.T, on figures, size float64) { wantOdds(t, "lost passwords", off.otp, on.otp, size) }},
		{LoginFailure, 4, func(t *testing.T, on figures, size float64) {
			wantRate(t, "failed logins", off.logins, on.logins, size)
		}},
		{BranchDown, 60, func(t *testing.T, on figures, size float64) {
			wantOdds(t, "failures at branches", off.down, on.down, size)
		}},
		{CourierFailure, 3, func(t *testing.T, on figures, size float64) {
			wantOdds(t, "failed deliveries", off.delivery, on.delivery, size)
		}},
		{LoanPapersAgain, 3.5, func(t *testing.T, on figures, size float64) { wantOdds(t, "papers again", off.papers, on.papers, size) }},
		{SalesPush, 5, func(t *testing.T, on figures, size float64) {
			wantRate(t, "insurance sold a visit", off.sold, on.sold*off.visits/on.visits, size)
		}},
		{CallRepeat, 1.6, func(t *testing.T, on figures, size float64) {
			wantOdds(t, "calls not settled", off.unresolved, on.unresolved, size)
		}},
		{TransferPending, 12, func(t *testing.T, on figures, size float64) {
			wantOdds(t, "hanging transfers", off.pending, on.pending, size)
		}},
		{FeeSurprise, 3, func(t *testing.T, on figures, size float64) { wantRate(t, "fees", off.fees, on.fees, size) }},
		{StaffCare, 0.45, func(t *testing.T, on figures, size float64) {
			wantShift(t, "felt quality at branches", off.care, on.care, size, 0)
		}},
		{AgentCare, -0.2, func(t *testing.T, on figures, size float64) {
			wantShift(t, "felt quality of calls", off.agent, on.agent, size, 0)
		}},
		{AppEase, 0.25, func(t *testing.T, on figures, size float64) {
			wantShift(t, "felt quality of transfers", off.ease, on.ease, size, 0)
		}},
		{CourierTime, 2.5, func(t *testing.T, on figures, size float64) {
			// couriers keep hours: a delivery may wait for the morning, so the factor holds but for some hours
			wantShift(t, "days of delivery", off.transit, on.transit, (size-1)*off.transit.mean(), 0.35)
		}},
		{CallWait, 1.7, func(t *testing.T, on figures, size float64) {
			// callers who wait long hang up and leave the sample of answered calls
			wantShift(t, "log wait of calls", off.callWaits, on.callWaits, math.Log(size), 0.12)
		}},
		{Attrition, 1.5, func(t *testing.T, on figures, size float64) {
			h := func(r rate) float64 { return -math.Log(1-r.p()) * r.n }
			wantRate(t, "hazard of leaving", h(off.left), h(on.left), size)
		}},
	} {
		t.Run(string(c.lever), func(t *testing.T) {
			t.Parallel()
			c.check(t, measure(planted(t, n, lever(c.lever, c.size)), nil), c.size)
		})
	}
}

func TestQueueFailureStaysInItsRegion(t *testing.T) {
	t.Parallel()
	n := sample(4000, 40_000)
	e := lever(BranchWait, 2.6)
	e.Regions = []string{"HCM"}
	off, on := measure(planted(t, n), nil), measure(planted(t, n, e), nil)
	// long waits end in walking out, so the longest leave the sample of those called
	wantShift(t, "log wait in the region", off.waits, on.waits, math.Log(2.6), 0.15)
	wantShift(t, "log wait elsewhere", off.waitsElsewhere, on.waitsElsewhere, 0, 0)
}

func TestMisSellingComesBack(t *testing.T) {
	t.Parallel()
	n := sample(4000, 40_000)
	off := measure(planted(t, n, lever(SalesPush, 12)), nil)
	on := measure(planted(t, n, lever(SalesPush, 12), Effect{ID: "cancel", Moves: []Move{{EarlyCancel, 4}}}), nil)
	wantOdds(t, "cancelled early", off.cancel, on.cancel, 4)
}

func TestRandomisedInitiative(t *testing.T) {
	t.Parallel()
	n := sample(12_000, 100_000)
	for _, c := range []struct {
		name string
		size float64
	}{{"helps", 0.4}, {"none", 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := lever(LoanEnquiry, c.size)
			e.Share = 0.5
			b := planted(t, n, e)
			treated := func(c *customer) bool { return b.treated(stringHash(e.ID), e.Share, c.idx) }
			on := measure(b, treated)
			off := measure(b, func(c *customer) bool { return !treated(c) })
			wantOdds(t, "enquiries of the treated against the controls", off.enquiry, on.enquiry, c.size)
		})
	}
}

func TestComplaintsAreRepaired(t *testing.T) {
	t.Parallel()
	n := sample(16_000, 120_000)
	hurt := lever(FeeSurprise, 12) // gives enough complaints to measure
	off := measure(planted(t, n, hurt), nil)
	on := measure(planted(t, n, hurt, Effect{ID: "repair", Moves: []Move{{ComplaintRepair, 0.5}}}), nil)
	wantShift(t, "felt outcome of complaints", off.repair, on.repair, 0.5, 0.05)
	fast := measure(planted(t, n, hurt, Effect{ID: "fast", Moves: []Move{{ComplaintTime, 0.65}}}), nil)
	// three of five waits shorten, and all wait for office hours: the whole falls by less than 35 %
	if r := fast.repairDays.mean() / off.repairDays.mean(); r > 0.92 || r < 0.65 {
		t.Errorf("days to a remedy fall to %.2f of what they were", r)
	}
}

func TestArmsAreOnRecord(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 16, Customers: 3000})
	arms := map[string]map[string]int{}
	for e := range b.ByCustomer() {
		if e.Name != "message_sent" && e.Name != "message_held" {
			continue
		}
		var p struct{ Campaign, Variant string }
		if err := json.Unmarshal(e.Props, &p); err != nil {
			t.Fatal(err)
		}
		if p.Variant == "" {
			continue
		}
		if arms[p.Campaign] == nil {
			arms[p.Campaign] = map[string]int{}
		}
		arms[p.Campaign][p.Variant]++
	}
	for _, e := range b.cfg.Plan.Effects {
		if e.Share == 0 {
			continue
		}
		a := arms[e.ID]
		n := float64(a["treatment"] + a["control"])
		if n < 2500 || math.Abs(float64(a["treatment"])-n*e.Share) > sigmas*math.Sqrt(n*e.Share*(1-e.Share)) {
			t.Errorf("%s: %v", e.ID, a)
		}
	}
	for _, l := range b.Launches() {
		if l.Kind == "incident" || l.Kind == "push" {
			t.Errorf("%s is nothing the bank launched", l.ID)
		}
	}
}
