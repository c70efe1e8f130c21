package bank

import (
	"fmt"
	"math"
	"time"

	"go.yaml.in/yaml/v3"
)

// Lever is a parameter of the bank that a planted effect moves.
type Lever string

// The levers. "odds" levers multiply the odds of a probability, "rate" and
// "time" levers multiply a rate or a duration, "sd" levers add to how well an
// interaction is felt, in standard deviations.
const (
	OTPFailure      Lever = "otp_failure"       // odds that a one-time password does not arrive
	LoginFailure    Lever = "login_failure"     // rate of failed logins
	BranchWait      Lever = "branch_wait"       // time from ticket to counter
	BranchDown      Lever = "branch_down"       // odds that a visit meets a system failure
	CourierTime     Lever = "courier_time"      // time from dispatch to delivery of a card
	CourierFailure  Lever = "courier_failure"   // odds that a delivery fails
	LoanPapersAgain Lever = "loan_papers_again" // odds that papers are asked for a second time
	LoanDecision    Lever = "loan_decision"     // time to a decision
	LoanEnquiry     Lever = "loan_enquiry"      // odds that an applicant asks where the file is
	SalesPush       Lever = "sales_push"        // rate of insurance sold beside another errand
	EarlyCancel     Lever = "early_cancel"      // odds that a sold product is cancelled within 60 days
	StaffCare       Lever = "staff_care"        // sd, interactions with staff of a branch
	AgentCare       Lever = "agent_care"        // sd, interactions with the contact centre
	ComplaintTime   Lever = "complaint_time"    // time from assignment to remedy
	ComplaintRepair Lever = "complaint_repair"  // sd, how the outcome of a complaint is felt
	CallWait        Lever = "call_wait"         // time in the telephone queue
	CallRepeat      Lever = "call_repeat"       // odds that a call does not settle the matter
	TransferPending Lever = "transfer_pending"  // odds that a transfer hangs after the debit
	FeeSurprise     Lever = "fee_surprise"      // rate of fees that surprise
	AppEase         Lever = "app_ease"          // sd, digital journeys
	Attrition       Lever = "attrition"         // hazard of leaving, beside what feeling does
)

var levers = [...]Lever{OTPFailure, LoginFailure, BranchWait, BranchDown, CourierTime, CourierFailure, LoanPapersAgain, LoanDecision, LoanEnquiry,
	SalesPush, EarlyCancel, StaffCare, AgentCare, ComplaintTime, ComplaintRepair, CallWait, CallRepeat, TransferPending, FeeSurprise, AppEase, Attrition}

// additive levers add; all others multiply.
var additive = map[Lever]bool{StaffCare: true, AgentCare: true, ComplaintRepair: true, AppEase: true}

// Plan is what is planted: things that happen to the bank and things it does.
type Plan struct {
	Effects []Effect `yaml:"effects" json:"effects"`
}

// MaxEffects bounds a plan.
const MaxEffects = 150

// Effect is one planted cause with its place, time and size.
type Effect struct {
	ID   string `yaml:"id" json:"id"`
	Kind string `yaml:"kind" json:"kind"` // incident, policy, push, initiative or training
	En   string `yaml:"en" json:"en"`
	Vi   string `yaml:"vi" json:"vi"`
	// FromDay is the day after the start of the history on which it begins, Days
	// how long it lasts; 0 is for good. FromHour and Hours refine both.
	FromDay  int     `yaml:"from_day" json:"from_day"`
	FromHour float64 `yaml:"from_hour" json:"from_hour,omitempty"`
	Days     int     `yaml:"days" json:"days"`
	// Where it applies; an empty field does not restrict.
	Regions []string `yaml:"regions" json:"regions,omitempty"`
	Carrier string   `yaml:"carrier" json:"carrier,omitempty"`
	App     string   `yaml:"app" json:"app,omitempty"`
	// Share, when set, applies it to that random share of customers; the rest are controls.
	Share float64 `yaml:"share" json:"share,omitempty"`
	// Waves, when set, brings it to the branches in that many random waves,
	// EveryDays apart; the last HoldOut share of branches never get it.
	Waves     int     `yaml:"waves" json:"waves,omitempty"`
	EveryDays int     `yaml:"every_days" json:"every_days,omitempty"`
	HoldOut   float64 `yaml:"hold_out" json:"hold_out,omitempty"`
	// Cohorts, when set, says in which wave each branch gets it, by code, in place of
	// a draw by the bank; branches that are not named never get it.
	Cohorts map[string]int `yaml:"cohorts" json:"cohorts,omitempty"`
	// HalfLife, in days, lets the effect fade after it begins; 0 keeps it.
	HalfLife float64 `yaml:"half_life" json:"half_life,omitempty"`
	// System is the system that fails, for incidents.
	System string `yaml:"system" json:"system,omitempty"`
	// Truth says what the effect is in words: "helps", "harms" or "none".
	Truth string `yaml:"truth" json:"truth"`
	Moves []Move `yaml:"moves" json:"moves"`
}

// Move is how far an effect moves one lever.
type Move struct {
	Lever Lever   `yaml:"lever" json:"lever"`
	Size  float64 `yaml:"size" json:"size"`
}

// ParsePlan reads a plan from YAML.
func ParsePlan(data []byte) (*Plan, error) {
	var p Plan
	if err := yaml.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("bank: reading a plan: %w", err)
	}
	return &p, p.Validate()
}

// Validate checks that every effect can be planted.
func (p *Plan) Validate() error {
	if len(p.Effects) > MaxEffects {
		return fmt.Errorf("bank: plan: %d effects are more than %d", len(p.Effects), MaxEffects)
	}
	seen := map[string]bool{}
	for _, e := range p.Effects {
		if e.ID == "" || seen[e.ID] {
			return fmt.Errorf("bank: plan: effect id %q is empty or used twice", e.ID)
		}
		seen[e.ID] = true
		if e.FromDay < 0 || e.Days < 0 || e.Share < 0 || e.Share > 1 || e.HoldOut < 0 || e.HoldOut >= 1 || e.HalfLife < 0 || e.Waves < 0 {
			return fmt.Errorf("bank: plan: effect %s has a figure out of range", e.ID)
		}
		if _, ok := parseRelease(e.App); e.App != "" && !ok {
			return fmt.Errorf("bank: plan: effect %s: no app version %q", e.ID, e.App)
		}
		for code, wave := range e.Cohorts {
			if wave < 0 || wave >= e.Waves {
				return fmt.Errorf("bank: plan: effect %s: branch %s is in wave %d of %d", e.ID, code, wave, e.Waves)
			}
		}
		for _, r := range e.Regions {
			if !knownRegion(r) {
				return fmt.Errorf("bank: plan: effect %s: no region %q", e.ID, r)
			}
		}
		for _, m := range e.Moves {
			if leverIndex(m.Lever) < 0 {
				return fmt.Errorf("bank: plan: effect %s: no lever %q", e.ID, m.Lever)
			}
			if !additive[m.Lever] && m.Size <= 0 {
				return fmt.Errorf("bank: plan: effect %s: %s must be positive", e.ID, m.Lever)
			}
		}
	}
	return nil
}

func knownRegion(code string) bool {
	for i := range Regions {
		if Regions[i].Code == code {
			return true
		}
	}
	return false
}

func leverIndex(l Lever) int {
	for i := range levers {
		if levers[i] == l {
			return i
		}
	}
	return -1
}

// DefaultPlan is the plan of packs/plan.yaml, whose days are those of a year,
// stretched to a history of the given number of days.
func DefaultPlan(days int) *Plan {
	data, err := PackFile("plan.yaml")
	if err != nil {
		panic(err)
	}
	p, err := ParsePlan(data)
	if err != nil {
		panic(err)
	}
	for i := range p.Effects {
		p.Effects[i].FromDay = p.Effects[i].FromDay * days / 365
	}
	return p
}

// force is a move as the simulation looks it up.
type force struct {
	from, to int64 // microseconds; to is math.MaxInt64 when it stays
	size     float64
	regions  uint16 // bit set; 0 is everywhere
	carrier  byte
	app      int // release; noRelease for any
	share    float64
	salt     uint64
	starts   []int64 // per branch, nil when it is not by waves
	fade     float64 // ln 2 / half-life in microseconds, 0 for none
	effect   int
}

const noRelease = math.MinInt

// world is the plan ready to be asked.
type world struct {
	forces [len(levers)][]force
	plan   *Plan
	waves  [][]int // per effect and branch: wave 0.., or -1
	trials []int   // effects given to a random share of customers
}

func (b *Bank) newWorld(p *Plan) (world, error) {
	w := world{plan: p, waves: make([][]int, len(p.Effects))}
	if err := p.Validate(); err != nil {
		return w, err
	}
	for i, e := range p.Effects {
		f := force{from: b.start + int64(e.FromDay)*day + int64(e.FromHour*float64(hour)), to: math.MaxInt64, app: noRelease, share: e.Share, effect: i,
			salt: stringHash(e.ID)}
		if e.Days > 0 {
			f.to = f.from + int64(e.Days)*day
		}
		for _, r := range e.Regions {
			f.regions |= 1 << regionIndex(r)
		}
		if e.App != "" {
			f.app, _ = parseRelease(e.App)
		}
		if e.Carrier != "" {
			f.carrier = e.Carrier[0]
		}
		if e.Share > 0 {
			w.trials = append(w.trials, i)
		}
		if e.HalfLife > 0 {
			f.fade = math.Ln2 / (e.HalfLife * float64(day))
		}
		if e.Waves > 0 {
			f.starts, w.waves[i] = b.waveStarts(&e, f.from)
		}
		for _, m := range e.Moves {
			g := f
			if g.size = m.Size; !additive[m.Lever] {
				g.size = math.Log(m.Size)
			}
			l := leverIndex(m.Lever)
			w.forces[l] = append(w.forces[l], g)
		}
	}
	return w, nil
}

func stringHash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// waveStarts deals the branches at random into waves and a hold-out group.
func (b *Bank) waveStarts(e *Effect, from int64) (starts []int64, waves []int) {
	n := len(b.packs.branches)
	starts, waves = make([]int64, n), make([]int, n)
	if e.Cohorts != nil {
		for i, branch := range b.packs.branches {
			starts[i], waves[i] = math.MaxInt64, -1
			if wave, ok := e.Cohorts[branch.Code]; ok {
				starts[i], waves[i] = from+int64(wave*e.EveryDays)*day, wave
			}
		}
		return starts, waves
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	r := stream(b.cfg.Seed, sWave, stringHash(e.ID))
	for i := n - 1; i > 0; i-- {
		k := r.below(i + 1)
		order[i], order[k] = order[k], order[i]
	}
	treated := n - int(e.HoldOut*float64(n)+0.5)
	for pos, branch := range order {
		if pos >= treated {
			starts[branch], waves[branch] = math.MaxInt64, -1
			continue
		}
		waves[branch] = pos * e.Waves / treated
		starts[branch] = from + int64(waves[branch]*e.EveryDays)*day
	}
	return starts, waves
}

// lever asks how far a lever is moved at an instant for a customer at a unit
// (the unit field of an item; 0 is the customer's own branch):
// the sum of shifts for additive levers, of logarithms for the others.
func (b *Bank) lever(l int, at int64, c *customer, unit uint16) float64 {
	sum := 0.0
	for i := range b.world.forces[l] {
		f := &b.world.forces[l][i]
		if at < f.from || at >= f.to {
			continue
		}
		begun := f.from
		region, branch := c.region, c.branch
		if unit != 0 && int(unit-1) < len(b.packs.branches) {
			region, branch = uint8(b.packs.branches[unit-1].region), unit-1
		}
		if f.regions != 0 && f.regions&(1<<region) == 0 {
			continue
		}
		if f.carrier != 0 && f.carrier != c.carrier {
			continue
		}
		if f.app != noRelease && b.release(c, at) != f.app {
			continue
		}
		if f.share > 0 && !b.treated(f.salt, f.share, c.idx) {
			continue
		}
		if f.starts != nil {
			if begun = f.starts[branch]; at < begun {
				continue
			}
		}
		size := f.size
		if f.fade > 0 {
			size *= math.Exp(-f.fade * float64(at-begun))
		}
		sum += size
	}
	return sum
}

const (
	lvOTP = iota
	lvLogin
	lvWait
	lvDown
	lvCourierTime
	lvCourierFail
	lvPapers
	lvDecision
	lvEnquiry
	lvPush
	lvCancel
	lvCare
	lvAgent
	lvComplaintTime
	lvRepair
	lvCallWait
	lvCallRepeat
	lvPending
	lvFee
	lvEase
	lvAttrition
)

// factor is a multiplicative lever as a factor.
func (b *Bank) factor(l int, at int64, c *customer, unit uint16) float64 {
	if len(b.world.forces[l]) == 0 {
		return 1
	}
	return math.Exp(b.lever(l, at, c, unit))
}

// odds applies an odds lever to a probability.
func (b *Bank) odds(p float64, l int, at int64, c *customer, unit uint16) float64 {
	if len(b.world.forces[l]) == 0 {
		return p
	}
	return scaleOdds(p, math.Exp(b.lever(l, at, c, unit)))
}

// treated tells whether a customer is among the random share of an effect.
func (b *Bank) treated(salt uint64, share float64, idx uint64) bool {
	return hash01(b.cfg.Seed, salt, idx) < share
}

// trials tells a customer, in the days ahead, of initiatives that a random share
// gets: the treated receive a message, for the others it is held back. That is
// how the bank's own records show who was in which arm.
func (s *sim) trials(c *customer, from, until int64) {
	for _, i := range s.b.world.trials {
		e := &s.b.world.plan.Effects[i]
		at := s.b.start + int64(e.FromDay)*day
		if until <= at || from > at {
			continue
		}
		w := s.begin(c, jNone, s.b.cal.daytime(at+int64(c.r.float()*float64(10*hour))))
		w.it.cs = 0
		w.on(chPush, s.crmOrCore(c), s.unit(unitMarketing))
		w.it.x = trialMark + uint8(i)
		if s.b.treated(stringHash(e.ID), e.Share, c.idx) {
			w.put(evMessageSent, 0)
			continue
		}
		w.it.reason = kHoldOut
		w.fail(evMessageHeld, 0, outNone)
	}
}

// trialMark is added to the index of an effect in the field x of its messages.
const trialMark = 100

// Span gives the start and end of effect e in the bank's history; end is the
// zero time for an effect that stays. With waves, start is that of the first.
func (b *Bank) Span(e *Effect) (start, end time.Time) {
	from := b.start + int64(e.FromDay)*day + int64(e.FromHour*float64(hour))
	start = time.UnixMicro(from).In(Zone)
	if e.Days > 0 {
		end = time.UnixMicro(from + int64(e.Days)*day).In(Zone)
	}
	return start, end
}

// WaveOf tells in which wave of effect i a branch gets it, counting from 0;
// -1 for a branch held out or an effect without waves.
func (b *Bank) WaveOf(i, branch int) int {
	if b.world.waves[i] == nil {
		return -1
	}
	return b.world.waves[i][branch]
}
