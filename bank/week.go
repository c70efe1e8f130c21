package bank

import "math"

// Yearly rates of things that happen to an average customer. Assumptions,
// except where docs/reference/bank.md names a source.
const (
	visitsPerYear   = 1.3
	callsPerYear    = 0.62
	loginsPerYear   = 0.62 // failed logins of a digital customer
	cardsPerYear    = 0.11
	loansPerYear    = 0.055
	disputesPerYear = 0.028
	hardPerYear     = 0.035 // of borrowers
	feesPerYear     = 0.22
	dormantPerYear  = 0.05 // of those without salary and with little activity
	earlyPerYear    = 0.06 // deposits broken before maturity
	requestsPerYear = 0.004
	campaignsYear   = 3.5
	movesPerYear    = 0.07
	withdrawsYear   = 0.025
	attritionYear   = 0.095 // hazard of a customer in a neutral mood after the first years
	referralsYear   = 0.05
	relInvitesYear  = 0.5
)

// What a contact costs the bank, in VND. Assumptions in the usual order: a
// branch visit costs a hundred times a digital transfer.
const (
	costVisit     = 42_000
	costCall      = 21_000
	costDigital   = 350
	costMessage   = 800
	costCard      = 90_000
	costComplaint = 450_000
	costDispute   = 600_000
	costLoan      = 350_000
)

// week plans what a customer will do by habit in the days ahead. The first
// period is one to seven days long, so that the customers' weeks spread out.
func (s *sim) week(c *customer, at int64) {
	days := 7
	if !c.has(flagSnapshot) {
		c.flags |= flagSnapshot
		days = 1 + int(mix(c.idx)%7)
		if c.joined < s.b.start {
			s.snapshot(c, at+int64(mix(c.idx)>>44)*snapshotTime>>20)
		}
	}
	first := dayOf(at)
	year := float64(days) / 365
	c.relax(at)
	if c.age >= 18 {
		s.attrition(c, at, float64(days)/7)
		if c.left != 0 {
			return
		}
	}
	s.routine(c, first, days)
	s.errands(c, at, first, days, year)
	s.outreach(c, at, first, days, year)
	s.trials(c, at, dayStart(first+days))
	c.push(item{name: actWeek, at: dayStart(first + days)})
}

// routine plans transfers, salary, merchant receipts and the month's end.
func (s *sim) routine(c *customer, first, days int) {
	var cum [7]float64
	sum := 0.0
	for k := range days {
		d := s.b.cal.at(first + k)
		w := float64(d.digital)
		if c.payday != 0 && d.payday&(1<<(c.payday-1)) != 0 {
			w *= 2
			s.salary(c, dayStart(first+k), d)
		}
		if d.last {
			c.push(item{name: actMonth, at: dayStart(first+k) + 22*hour + int64(c.r.float()*float64(110*minute))})
		}
		sum += w
		cum[k] = sum
	}
	pick := func() int {
		u := c.r.float() * sum
		k := 0
		for cum[k] <= u {
			k++
		}
		return first + k
	}
	if c.has(flagDormant) {
		return
	}
	if c.records&recApp != 0 {
		for range c.r.poisson(float64(c.activity) * sum / 30) {
			d := pick()
			s.transfer(c, dayStart(d)+clockIn(&c.r, digitalHours), s.b.cal.at(d))
		}
	}
	if c.has(flagMerchant) {
		for range c.r.poisson(8.4 * s.b.cfg.Density * sum / 7) {
			s.receipt(c, dayStart(pick())+clockIn(&c.r, digitalHours))
		}
	}
	if c.records&recCard != 0 {
		for range c.r.poisson(0.35 * s.b.cfg.Density * sum / 30) {
			at := dayStart(pick()) + clockIn(&c.r, digitalHours)
			amount := roundTo(int64(c.r.lognormal(320_000, 0.9)), 1000)
			c.push(item{name: evCardPurchase, at: at, sys: sysCard, ch: chPOS, prod: prodDebit, amount: amount, out: outOK, kind: Track})
		}
	}
}

// salary books the month's pay, with the thirteenth month before Tết.
func (s *sim) salary(c *customer, start int64, d *dayInfo) {
	if c.has(flagSalaryStopped) || c.has(flagDormant) {
		return
	}
	amount := float64(c.income) * (0.97 + 0.06*c.r.float())
	if d.tet <= -6 && d.tet >= -36 {
		amount *= 1 + 0.4 + 0.6*c.r.float()
	}
	c.balance += float32(0.35 * amount)
	c.push(item{name: evSalaryReceived, at: start + clockIn(&c.r, payHours), sys: sysCore, ch: chCore, unit: c.homeUnit(), prod: prodAccount,
		amount: roundTo(int64(amount*1e6), 1000), out: outOK, kind: Track})
}

// errands plans the rarer things: visits, calls, cards, loans, trouble.
func (s *sim) errands(c *customer, at int64, first, days int, year float64) {
	r := &c.r
	old := float64(c.age)
	visits := visitsPerYear * (0.35 + 2.6*(1-float64(c.digital))) * (1 + 0.6*min(float64(c.balance)/200, 1))
	if c.has(flagDormant) {
		visits *= 0.1
	}
	for k := range days {
		d := s.b.cal.at(first + k)
		open := d.office || (d.saturday && s.b.packs.branches[c.branch].Saturday)
		if open && r.chance(visits*float64(d.branch)/290) {
			s.visit(c, dayStart(first+k)+branchClock(r, d.saturday), 0)
		}
	}
	if c.has(flagDormant) {
		return
	}
	when := func(hours choice) int64 { return dayStart(first+r.below(days)) + clockIn(r, hours) }
	if r.chance(callsPerYear * year * (1.2 - 0.5*float64(c.digital))) {
		t := when(callHours)
		s.call(c, t, s.callReason(c, t))
	}
	if c.records&recApp != 0 {
		t := when(digitalHours)
		if r.chance(loginsPerYear * year * s.b.factor(lvLogin, t, c, 0)) {
			s.login(c, t)
		}
	}
	if r.chance(cardsPerYear * year) {
		s.card(c, when(digitalHours), false)
	}
	if old >= 22 && old < 60 && !c.owns(prodLoan) && r.chance(loansPerYear*year*(0.6+min(float64(c.income)/25, 1))) {
		s.loanJourney(c, when(digitalHours))
	}
	if r.chance(disputesPerYear * year * (0.4 + float64(c.digital))) {
		s.dispute(c, when(digitalHours))
	}
	if c.loan > 0 && !c.has(flagHardship) && r.chance(hardPerYear*year) {
		s.hardship(c, when(payHours))
	}
	if t := when(digitalHours); r.chance(feesPerYear * year * s.b.factor(lvFee, t, c, 0)) {
		s.fee(c, t)
	}
	if c.owns(prodDeposit) && c.matures >= at && c.matures < at+int64(days)*day {
		s.maturity(c)
	}
	if c.owns(prodDeposit) && r.chance(earlyPerYear*year) {
		s.breakDeposit(c, when(payHours))
	}
	if r.chance(dormantPerYear*year) && c.payday == 0 && !c.has(flagMerchant) && c.activity < 1 {
		c.flags |= flagDormant
		c.push(item{name: actDormant, at: at + int64((120+60*r.float())*float64(day))})
	}
}

// outreach plans what the bank sends and what customers decide about their data.
func (s *sim) outreach(c *customer, at int64, first, days int, year float64) {
	r := &c.r
	when := func() int64 { return dayStart(first+r.below(days)) + 9*hour + int64(r.float()*float64(9*hour)) }
	if r.chance(campaignsYear * year) {
		s.campaign(c, when())
	}
	if r.chance(relInvitesYear * year) {
		c.push(item{name: actInvite, at: when(), x: insRel, trig: evNone, reason: rOther, unit: c.homeUnit()})
	}
	if r.chance(0.16 * year) {
		c.push(item{name: actInvite, at: when(), x: insDims, trig: evNone, reason: rSafe, unit: c.homeUnit()})
	}
	if r.chance(movesPerYear * year) {
		s.move(c, when())
	}
	if c.consents != 0 && r.chance(withdrawsYear*year*math.Exp(-0.3*float64(c.feel))) {
		s.withdraw(c, when())
	}
	if r.chance(requestsPerYear * year) {
		s.subjectRequest(c, when())
	}
	if rate := referralsYear * year * math.Exp(0.6*float64(c.feel)); r.chance(rate) {
		s.refer(c, when())
	}
}

// monthEnd books the month: balance, what the customer earned the bank, what
// serving cost. Balances drift with feeling: this is one of the known links.
func (s *sim) monthEnd(c *customer, at int64) {
	target := 0.55 * float64(c.income)
	if c.has(flagSalaryStopped) {
		target *= 0.25
	}
	drift := 0.75*math.Log(max(float64(c.balance), 0.05)) + 0.25*math.Log(max(target, 0.05)) + 0.28*c.r.normal() + BalancePerFeeling*float64(c.feel)
	c.balance = float32(min(math.Exp(drift), 50_000))
	if c.has(flagDormant) {
		c.balance = min(c.balance, 0.3)
	}
	margin := float64(c.balance)*0.030/12 + float64(c.deposit)*0.011/12 + float64(c.loan)*0.038/12
	revenue := float64(c.revenue) + margin*1e6
	cost := float64(c.cost) + 9_000
	c.revenue, c.cost = 0, 0
	if c.loan > 0 {
		c.loan *= 0.985
		if c.loan < 0.5 {
			c.loan = 0
			c.products &^= 1 << prodLoan
		}
	}
	it := item{name: evMonthEndRecorded, at: at, sys: sysCore, ch: chCore, unit: c.homeUnit(), amount: int64(float64(c.balance+c.deposit)*1e6) / 1000 * 1000,
		wait: int32(min(revenue, 2e9)), hold: int32(min(cost, 2e9)), aux: uint32(c.products), kind: Track}
	c.push(it)
	if s.watch != nil {
		s.watch.month(c, at)
	}
}
