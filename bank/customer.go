package bank

import (
	"fmt"
	"math"
)

// item is a planned fact or a planned act of the simulation: what an event will
// say, in the smallest form. It becomes an Event only when its time has come.
type item struct {
	at     int64
	amount int64
	seq    uint32 // order of planning within the customer: breaks ties and makes ids
	aux    uint32
	wait   int32 // seconds
	hold   int32 // seconds of service
	name   uint16
	cs     uint16 // case number within the customer, 0 for none
	unit   uint16 // index of a unit plus one, 0 for none
	staff  uint16 // number within the unit, 0 for none
	trig   uint16
	jour   uint8
	sys    uint8
	ch     uint8
	out    uint8
	prod   uint8
	reason uint8
	x, y   uint8 // meaning depends on the name: instrument and score, …
	kind   Kind
	copy   uint8 // which of a person's records in the system
}

// Acts: items that the simulation performs instead of emitting.
const (
	actWeek = evCount + iota // plan the next week
	actMonth
	actFelt    // something was lived through: feeling moves, surveys and complaints follow
	actInvite  // a survey invitation is due
	actJoin    // a prospect becomes a customer
	actLeave   // the relationship ends
	actReferee // a referred person starts to open an account
	actChase   // a follow-up after a failure
	actDormant
)

// customer is the state of one relationship. It is small, since a million of
// them may be alive at once.
type customer struct {
	idx  uint64
	r    rng
	seq  uint32
	now  int64  // time of the item last taken
	plan []item // heap by (at, seq)

	joined   int64 // microseconds; before the history for most
	left     int64 // 0 while the customer stays
	feel     float32
	base     float32
	expect   float32
	feltAt   int64
	temper   float32 // how strongly things move this person
	fatigue  float32
	askedAt  int64
	lastTx   int64
	lastRel  int64
	hazard   float64 // attrition hazard lived through so far
	balance  float32 // VND million
	deposit  float32
	loan     float32
	revenue  float32 // VND this month beside the margin
	cost     float32
	income   float32 // VND million a month
	activity float32 // tracked transfers a month
	digital  float32
	matures  int64 // next maturity of the deposit

	cases     uint16
	moves     uint8
	branch    uint16
	records   uint16 // which records exist, see record bits
	region    uint8
	carrier   byte
	payday    uint8 // index of paydays plus one, 0 when no salary comes in
	products  uint16
	consents  uint8
	referrals uint8
	open      uint8 // complaints and disputes now open
	flags     uint8
	adoption  uint8
	english   bool
	age       uint8
}

const (
	flagProspect = 1 << iota
	flagLeaving
	flagSurveyOff
	flagMerchant
	flagHardship
	flagDormant
	flagSalaryStopped
	flagSnapshot
)

// Consent purposes.
const (
	consentMarketing = 1 << iota
	consentSurvey
	consentProfiling
)

var consentNames = [...]string{"marketing", "survey", "profiling"}

func (c *customer) has(flag uint8) bool { return c.flags&flag != 0 }

func (c *customer) owns(prod int) bool { return c.products&(1<<prod) != 0 }

// sim runs customers of one bank. Each worker has its own.
type sim struct {
	b     *Bank
	out   []item // items emitted by the step now running
	born  []birth
	watch observer
}

// birth is a customer that a step brought into being.
type birth struct {
	idx uint64
	at  int64
}

// observer sees the truth that no event tells. All methods are called with the
// simulation's own time order of one customer.
type observer interface {
	felt(c *customer, at int64, it *item, quality, before float64)
	month(c *customer, at int64)
	asked(c *customer, at int64, it *item, would int, felt, chance float64, answered bool)
	decided(c *customer, at int64) // to leave
}

// push plans an item, not before now.
func (c *customer) push(it item) {
	it.at = max(it.at, c.now)
	it.seq = c.seq
	c.seq++
	c.plan = append(c.plan, it)
	h := c.plan
	i := len(h) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !before(&h[i], &h[p]) {
			break
		}
		h[i], h[p] = h[p], h[i]
		i = p
	}
}

func before(a, b *item) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	return a.seq < b.seq
}

// pop takes the earliest item.
func (c *customer) pop() item {
	h := c.plan
	top := h[0]
	n := len(h) - 1
	h[0] = h[n]
	c.plan = h[:n]
	h = c.plan
	i := 0
	for {
		k := 2*i + 1
		if k >= n {
			break
		}
		if k+1 < n && before(&h[k+1], &h[k]) {
			k++
		}
		if !before(&h[k], &h[i]) {
			break
		}
		h[i], h[k] = h[k], h[i]
		i = k
	}
	return top
}

// nextAt is when the customer's next item is due.
func (c *customer) nextAt() int64 {
	if len(c.plan) == 0 {
		return math.MaxInt64
	}
	return c.plan[0].at
}

// step runs a customer up to, not including, an instant. Events go to s.out in
// time order.
func (s *sim) step(c *customer, until int64) {
	for len(c.plan) > 0 && c.plan[0].at < until {
		it := c.pop()
		c.now = it.at
		if it.name < evCount {
			if c.left != 0 && it.at > c.left && !afterEnd(it.name) {
				continue
			}
			s.out = append(s.out, it)
			continue
		}
		if c.left != 0 && it.at > c.left && (it.name != actInvite || it.x != insExit) {
			continue
		}
		s.act(c, &it)
	}
}

// afterEnd tells which events may still follow the end of a relationship.
func afterEnd(name uint16) bool {
	switch name {
	case evSurveyEligible, evSurveySuppressed, evSurveyInvited, evSurveyAnswered, evExitSurveyAnswered, evWinbackAccountOpened:
		return true
	}
	return false
}

func (s *sim) act(c *customer, it *item) {
	switch it.name {
	case actWeek:
		s.week(c, it.at)
	case actMonth:
		s.monthEnd(c, it.at)
	case actFelt:
		s.feltItem(c, it)
	case actInvite:
		s.invite(c, it)
	case actJoin:
		s.join(c, it)
	case actLeave:
		s.leave(c, it)
	case actReferee:
		s.born = append(s.born, birth{idx: c.idx | uint64(it.x), at: it.at})
	case actChase:
		s.chase(c, it)
	case actDormant:
		s.dormant(c, it.at)
	}
}

// Record bits: which records of a person exist.
const (
	recCore = 1 << iota
	recCore2
	recCRM
	recCRM2
	recCard
	recCall
	recApp
	recCall2
)

// newCustomer makes the state of customer idx, who joined long ago when at is 0
// and otherwise appears as a prospect at that instant.
func (b *Bank) newCustomer(c *customer, idx uint64, at int64) {
	plan := c.plan[:0]
	*c = customer{idx: idx, r: stream(b.cfg.Seed, sBehaviour, idx), plan: plan}
	p := b.Person(idx)
	r := &c.r
	j := p.job()
	c.region = uint8(b.packs.provinces[p.Province].region)
	c.carrier = p.Carrier[0]
	c.english = p.Language == "en"
	c.income = float32(p.Income) / 1e6
	age := p.Age(b.cfg.Start)
	c.age = uint8(age)
	home := b.packs.local[p.Province]
	c.branch = uint16(home[b.pickBranch(home, r.float())])
	if jobs[j].salary && r.chance(0.62) {
		c.payday = uint8(1 + paydayChoice.draw(r))
	}
	c.digital = float32(min(max(0.98-0.012*float64(max(age-35, 0))+0.12*r.normal(), 0.02), 1))
	c.adoption = uint8(adoptionChoice.draw(r))
	c.activity = float32(b.cfg.Density * 1.15 * r.lognormal(0.8, 0.75) * (0.4 + 0.9*float64(c.digital)))
	if j == jobHouseholdBusiness && r.chance(0.35) {
		c.flags |= flagMerchant
	}
	c.base = float32(0.55 * r.normal())
	c.feel = c.base
	c.expect = float32(0.2 + 0.25*r.normal())
	c.temper = float32(r.lognormal(1, 0.3))
	c.lastTx, c.lastRel = math.MinInt64/2, math.MinInt64/2
	b.endow(c, r, age, j)
	if at != 0 {
		c.flags |= flagProspect
		c.products, c.records, c.balance, c.deposit, c.loan = 0, 0, 0.5, 0, 0
		c.joined = at
		c.feltAt = at
		c.push(item{name: actJoin, at: at})
		return
	}
	// tenure: a bank that grew over fifteen years
	c.joined = b.start - int64((30+r.float()*r.float()*5400)*float64(day))
	c.feltAt = b.start
	c.push(item{name: actWeek, at: b.start})
	if c.payday == 0 && !c.has(flagMerchant) && r.chance(0.12) { // asleep already
		c.flags |= flagDormant
		c.push(item{name: actDormant, at: b.start + int64((1+170*r.float())*float64(day))})
	}
}

var (
	paydayChoice   = newChoice([]float64{0.14, 0.22, 0.27, 0.12, 0.10, 0.15})
	adoptionChoice = newChoice([]float64{0.70, 0.24, 0.06})
)

func (b *Bank) pickBranch(home []int, u float64) int {
	sum := 0.0
	for _, i := range home {
		sum += b.packs.branches[i].size
	}
	u *= sum
	for k, i := range home {
		if u -= b.packs.branches[i].size; u < 0 {
			return k
		}
	}
	return len(home) - 1
}

// endow gives an old customer products, balances, consents and records.
func (b *Bank) endow(c *customer, r *rng, age, j int) {
	c.products = 1<<prodAccount | 1<<prodDebit
	rich := float64(c.income) / 12
	if r.chance(min(0.05+0.08*rich, 0.55)) && age >= 20 {
		c.products |= 1 << prodCredit
	}
	if r.chance(min(0.06+0.004*float64(max(age-25, 0))+0.05*rich, 0.5)) {
		c.products |= 1 << prodDeposit
		c.deposit = float32(roundTo(int64(r.lognormal(70+9*float64(c.income), 1.0)*1e6), 5_000_000)) / 1e6
		c.matures = b.start + int64(r.float()*182*float64(day))
	}
	if age >= 22 && age < 60 && r.chance(0.07) {
		c.products |= 1 << prodLoan
		c.loan += float32(r.lognormal(55, 0.6))
	}
	if age >= 26 && age < 58 && r.chance(min(0.02*rich, 0.08)) {
		c.products |= 1 << prodHome
		c.loan += float32(r.lognormal(1100, 0.5))
	}
	if c.has(flagMerchant) {
		c.products |= 1 << prodMerchant
	}
	c.balance = float32(r.lognormal(0.55*float64(c.income), 1.1))
	if c.payday == 0 {
		c.balance *= 0.7
	}
	for k, share := range [...]float64{0.58, 0.86, 0.44} {
		if r.chance(share) {
			c.consents |= 1 << k
		}
	}
	c.records = recCore | recCRM
	if r.chance(0.035) {
		c.records |= recCore2
	}
	if r.chance(0.06) {
		c.records |= recCRM2
	}
	if r.chance(0.04) {
		c.records &^= recCRM
	}
	if c.owns(prodCredit) || r.chance(0.5) {
		c.records |= recCard
	}
	if r.chance(0.33) {
		c.records |= recCall
	}
	if r.chance(0.06) && c.records&recCall != 0 {
		c.records |= recCall2
	}
	if float64(c.digital) > 0.25 && r.chance(0.94) {
		c.records |= recApp
	}
}

// release is the index of the app release on the customer's phone at an instant.
// A release comes every 35 days; people take it days, weeks or months later.
// Releases before the history have negative indices.
func (b *Bank) release(c *customer, at int64) int {
	k := int((at - b.start + 20*day) / (35 * day))
	for j := k; j >= 0 && j > k-9; j-- {
		released := b.start + int64(j)*35*day - 20*day
		median := [...]float64{4, 26, 110}[c.adoption]
		r := stream(b.cfg.Seed, sApp, c.idx<<8|uint64(j))
		if released+int64(median*r.exp()*float64(day)) <= at {
			return j
		}
	}
	return min(k-9, -1)
}

// appVersion names a release: the history begins with "5.0.0".
func appVersion(release int) string {
	if release < 0 {
		return fmt.Sprintf("4.%d.0", 16+max(release, -16))
	}
	return fmt.Sprintf("5.%d.0", release)
}

// parseRelease is the inverse of appVersion; ok is false for any other text.
func parseRelease(version string) (release int, ok bool) {
	var major, minor int
	if n, err := fmt.Sscanf(version, "%d.%d.0", &major, &minor); n != 2 || err != nil || major < 4 || major > 5 {
		return 0, false
	}
	if major == 4 {
		minor -= 16
	}
	return minor, appVersion(minor) == version
}

// homeUnit is the unit field of the customer's branch.
func (c *customer) homeUnit() uint16 { return c.branch + 1 }

// unit is the unit field of a central unit.
func (s *sim) unit(central int) uint16 { return s.b.packs.central(central) + 1 }
