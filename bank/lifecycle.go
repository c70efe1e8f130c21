package bank

import "math"

// Known links from feeling to consequence. A customer's feeling is a number in
// standard deviations of the customer base, 0 being neutral.
const (
	// AttritionPerFeeling multiplies the hazard of leaving by exp(-AttritionPerFeeling·feeling).
	AttritionPerFeeling = 0.65
	// BalancePerFeeling adds to the monthly growth of the current balance, as a logarithm.
	BalancePerFeeling = 0.02
	// DepositPerFeeling adds to the log-odds that a maturing deposit stays.
	DepositPerFeeling = 0.45
	// ReferralPerFeeling multiplies the rate of referrals by exp(ReferralPerFeeling·feeling).
	ReferralPerFeeling = 0.6
)

// AttritionHazard is the true yearly hazard of leaving of a customer: tenure in
// years, number of products, feeling; without planted effects.
func AttritionHazard(tenure float64, products int, feeling float64) float64 {
	h := attritionYear * (0.65 + 1.5*math.Exp(-tenure/0.9))
	h *= math.Exp(-0.22 * float64(products-2))
	return h * math.Exp(-AttritionPerFeeling*feeling)
}

func (c *customer) productCount() int {
	n := 0
	for p := c.products; p != 0; p &= p - 1 {
		n++
	}
	return n
}

// attrition lives through a stretch of the hazard, in weeks.
func (s *sim) attrition(c *customer, at int64, weeks float64) {
	if c.has(flagLeaving) {
		return
	}
	tenure := float64(at-c.joined) / float64(365*day)
	h := AttritionHazard(tenure, c.productCount(), float64(c.feel)) * weeks * 7 / 365
	h *= s.b.factor(lvAttrition, at, c, 0)
	c.hazard += h
	if !c.r.chance(1 - math.Exp(-h)) {
		return
	}
	c.flags |= flagLeaving
	if s.watch != nil {
		s.watch.decided(c, at)
	}
	s.depart(c, at)
}

// depart plans the departure of a customer who has decided to go: by a request
// to close, or in silence.
func (s *sim) depart(c *customer, at int64) {
	r := &c.r
	w := s.begin(c, jExit, s.b.cal.officeTime(at+int64(r.float()*5*float64(day))))
	w.on(chCore, sysCore, c.homeUnit()).it.prod = prodAccount
	if c.payday != 0 && r.chance(0.7) {
		c.flags |= flagSalaryStopped
		w.put(evSalaryInflowStopped, 0)
		w.office(w.late(18*day, 0.4))
	}
	if r.chance(0.75) {
		w.put(evBalanceDropDetected, 0)
		w.office(w.late(20*day, 0.5))
	}
	c.balance *= 0.2
	reason := s.exitReason(c)
	if !r.chance(0.42) {
		w.at += int64((20 + 30*r.float()) * float64(day))
		c.push(item{name: actLeave, at: w.at, reason: kSilent, cs: w.n})
		return
	}
	ch := [...]uint8{chBranch, chBranch, chApp, chCall}[r.below(4)]
	sys := uint8(sysCore)
	switch ch {
	case chCall:
		sys = s.callSystem(c, w.at)
	case chApp:
		sys = s.appOrCore(c)
	}
	w.on(ch, sys, c.homeUnit())
	w.it.reason = reason
	w.put(evExitRequested, 0)
	w.it.reason, w.it.staff = reason, w.someone()
	w.put(evExitReasonRecorded, w.late(20*minute, 0.7))
	if ch != chBranch && r.chance(0.4) {
		w.fail(evExitForcedToBranch, w.late(hour, 0.7), outFailed)
		w.felt(-1.3, 0.8, rRepeat, evNone)
		if r.chance(0.12) {
			w.fail(evExitStalled, 20*day, outUnresolved)
			c.push(item{name: actLeave, at: w.at, reason: rNone})
			return
		}
	}
	if r.chance(0.4) {
		w.it.ch = chCallOut
		w.office(w.late(9*hour, 0.7))
		w.it.staff = w.someone()
		w.put(evRetentionConversationHeld, 0)
		if r.chance(0.3) {
			w.put(evExitWithdrawnByCustomer, w.late(5*hour, 0.7))
			c.push(item{name: actLeave, at: w.at, reason: rNone})
			return
		}
	}
	w.it.ch = ch
	w.office(w.late(20*hour, 0.7))
	w.put(evAccountClosed, 0)
	w.felt(0.2*r.normal(), 0.5, rOther, evAccountClosed)
	c.push(item{name: actLeave, at: w.at + 2*minute, reason: reason, cs: w.n})
}

// exitReason is the reason a customer gives; dissatisfaction grows with bad feeling.
func (s *sim) exitReason(c *customer) uint8 {
	if c.r.chance(logistic(-0.9 - 0.9*float64(c.feel))) {
		return kDissatisfied
	}
	return [...]uint8{kMoved, kCompetitor, kNoNeed, kCompetitor}[c.r.below(4)]
}

// leave ends the relationship, or undoes the decision for one who stayed.
func (s *sim) leave(c *customer, it *item) {
	if it.reason == rNone {
		c.flags &^= flagLeaving | flagSalaryStopped
		c.feel += 0.3
		return
	}
	c.left = it.at
	s.out = append(s.out, item{at: it.at, seq: c.seq, name: evRelationshipEnded, sys: sysCore, ch: chCore, unit: c.homeUnit(), reason: it.reason, cs: it.cs,
		jour: jExit, out: outOK, kind: Track})
	c.seq++
	if c.r.chance(0.03) {
		c.push(item{at: it.at + int64((60+240*c.r.float())*float64(day)), name: evWinbackAccountOpened, sys: sysCore, ch: chBranch, unit: c.homeUnit(), prod: prodAccount,
			cs: it.cs, jour: jExit, out: outOK, kind: Track})
	}
}

// refer lets a customer recommend the bank; about a third of the referred join.
func (s *sim) refer(c *customer, at int64) {
	it := item{name: evReferralMade, at: at, sys: s.crmOrCore(c), ch: chApp, unit: c.homeUnit(), kind: Track, out: outOK}
	if c.idx&7 == 0 && c.referrals < 7 && c.r.chance(0.38) {
		c.referrals++
		it.x = c.referrals
		c.push(item{name: actReferee, at: at + int64((0.5+20*c.r.float())*float64(day)), x: c.referrals})
	}
	c.push(it)
}

func (s *sim) crmOrCore(c *customer) uint8 {
	if c.records&recCRM != 0 {
		return sysCRM
	}
	return sysCore
}

// join takes a prospect through opening an account; many do not finish.
func (s *sim) join(c *customer, it *item) {
	r := &c.r
	w := s.begin(c, jOnboarding, it.at)
	w.on(chApp, sysAnon, s.unit(unitApp)).it.prod = prodAccount
	if r.chance(0.25) {
		w.it.ch = chWeb
	}
	w.put(evOnboardingStarted, 0)
	w.it.ch = chApp
	q := 0.4 + 0.4*r.normal() + s.b.lever(lvEase, it.at, c, 0)
	w.put(evIdDocumentScanned, w.late(80*second, 0.6))
	if r.chance(0.07) {
		w.fail(evIdDocumentRejected, w.late(20*second, 0.5), outFailed)
		q -= 0.5
		if r.chance(0.3) {
			s.giveUp(&w)
			return
		}
	}
	w.put(evIdChipRead, w.late(60*second, 0.7))
	for try := 0; r.chance(0.11) && try < 3; try++ {
		w.fail(evFaceMatchFailed, w.late(25*second, 0.5), outFailed)
		q -= 0.5
		if r.chance(0.28) {
			s.giveUp(&w)
			return
		}
	}
	w.put(evFaceMatchPassed, w.late(30*second, 0.5))
	if r.chance(0.05) {
		w.put(evOnboardingManualReviewStarted, w.late(minute, 0.5))
		w.office(w.late(5*hour, 0.6))
		q -= 0.6
		if r.chance(0.25) {
			w.fail(evOnboardingRejected, 0, outDeclined)
			return
		}
	}
	if r.chance(0.06) {
		s.giveUp(&w)
		return
	}
	w.put(evConsentRecorded, w.late(40*second, 0.6))
	w.put(evTermsAccepted, w.late(70*second, 0.7))
	s.become(&w, q)
}

func (s *sim) giveUp(w *walk) {
	w.fail(evOnboardingAbandoned, w.late(10*minute, 1), outAbandoned)
}

// become opens the relationship of a prospect who finished.
func (s *sim) become(w *walk, q float64) {
	c, r := w.c, &w.c.r
	c.flags &^= flagProspect
	c.flags |= flagSnapshot
	c.products = 1<<prodAccount | 1<<prodDebit
	c.records = recCore | recApp
	if r.chance(0.95) {
		c.records |= recCRM
	}
	if r.chance(0.09) {
		c.records |= recCRM2 // was a lead before
	}
	c.digital = max(c.digital, 0.4)
	w.it.sys = sysApp
	w.at += w.late(25*second, 0.5)
	c.joined = w.at
	s.identifyAll(c, w.at)
	w.put(evAccountOpened, second)
	for k := range consentNames {
		if c.consents&(1<<k) != 0 {
			c.push(item{name: evConsentGiven, at: w.at + int64(k+1)*second, sys: sysApp, ch: chApp, x: uint8(k), kind: Track, out: outOK})
		}
	}
	if c.idx&7 != 0 {
		c.push(item{name: evReferralJoined, at: w.at + 5*second, sys: sysApp, ch: chApp, unit: c.homeUnit(), kind: Track, out: outOK})
	}
	opened := *w
	w.put(evFirstLoginDone, w.late(2*minute, 1.2))
	if r.chance(0.72) {
		w.it.amount = roundTo(int64(r.lognormal(500_000, 1)), 10_000)
		w.it.ch = chTransfer
		w.put(evFirstFundingReceived, w.late(16*hour, 1.1))
		c.balance = float32(w.it.amount) / 1e6
	}
	opened.felt(q, 0.9, rAppEase, evAccountOpened)
	s.trials(c, math.MinInt64, opened.at)
	if r.chance(0.55) {
		s.card(c, opened.at+int64(r.float()*3*float64(day)), true)
	}
	c.push(item{name: actWeek, at: dayStart(dayOf(opened.at) + 1)})
}
