package bank

import "math"

// card plans the request, delivery and first use of a card.
func (s *sim) card(c *customer, at int64, first bool) {
	r := &c.r
	w := s.begin(c, jCard, at)
	w.on(chApp, s.appOrCore(c), s.unit(unitCard)).it.prod = prodDebit
	if r.chance(0.3) {
		w.it.prod = prodCredit
	}
	c.cost += costCard
	w.put(evCardRequested, 0)
	w.office(w.late(5*hour, 0.7))
	w.put(evCardApproved, 0)
	w.on(chCourier, sysCard, s.unit(unitCard))
	s.newCardRecord(c, w.at)
	w.office(w.late(22*hour, 0.4))
	w.put(evCardDispatched, 0)
	sent := w.at
	w.daytime(int64(float64(w.late(58*hour, 0.4)) * s.b.factor(lvCourierTime, w.at, c, 0)))
	for try := 0; r.chance(s.b.odds(0.055, lvCourierFail, w.at, c, 0)) && try < 2; try++ {
		w.fail(evCardDeliveryFailed, 0, outFailed)
		if try == 1 || r.chance(0.15) {
			w.daytime(6 * day)
			w.fail(evCardReturnedUndelivered, 0, outFailed)
			w.felt(-1.9, 0.8, rSpeed, evNone)
			s.maybeCall(c, w.at, kCardDelivery, 0.5)
			return
		}
		w.daytime(w.late(50*hour, 0.4))
	}
	days := float64(w.at-sent) / float64(day)
	w.put(evCardDelivered, 0)
	w.said = int32(math.Round(days))
	q := 0.3 + 0.4*r.normal() - 0.22*max(days-4.5, 0)
	if days > 7 {
		s.maybeCall(c, sent+6*day, kCardDelivery, 0.45)
	}
	s.useCard(&w, q, days)
}

// useCard is activation and first purchase.
func (s *sim) useCard(w *walk, q, days float64) {
	c, r := w.c, &w.c.r
	reason := uint8(rSpeed)
	if !r.chance(0.9) {
		w.at += 30 * day
		w.fail(evCardNeverActivated, 0, outAbandoned)
		return
	}
	w.on([...]uint8{chApp, chApp, chApp, chATM, chCall}[r.below(5)], sysCard, s.unit(unitCard))
	w.daytime(w.late(16*hour, 1.1))
	if r.chance(0.05) {
		w.fail(evCardActivationFailed, 0, outFailed)
		q, reason = q-0.8, rAppError
		s.maybeCall(c, w.at, kCardDecline, 0.3)
		w.daytime(w.late(3*hour, 0.8))
	}
	w.put(evCardActivated, 0)
	activated := w.at
	w.put(evCardPinSet, w.late(4*minute, 0.8))
	if !r.chance(0.88) {
		return
	}
	w.on([...]uint8{chPOS, chEcom, chPOS}[r.below(3)], sysCard, s.unit(unitCard))
	w.it.amount = roundTo(int64(r.lognormal(350_000, 0.8)), 1000)
	w.at = s.b.cal.daytime(activated + int64(r.exp()*3*float64(day)))
	if r.chance(0.04) {
		w.fail(evCardFirstPurchaseDeclined, 0, outDeclined)
		q, reason = q-1.2, rArrived
		s.maybeCall(c, w.at, kCardDecline, 0.4)
		w.daytime(w.late(day, 0.7))
	}
	w.put(evCardFirstPurchase, 0)
	if days > 7 && reason == rSpeed {
		q -= 0.3
	}
	w.felt(q, 0.6, reason, evCardFirstPurchase)
	if r.chance(0.3) {
		w.it.ch = chWallet
		w.daytime(w.late(2*day, 0.8))
		w.put(evCardAddedToWallet, 0)
	}
}

// loanJourney plans an application for a personal loan.
func (s *sim) loanJourney(c *customer, at int64) {
	r := &c.r
	w := s.begin(c, jLoan, at)
	ch := uint8(chApp)
	if c.records&recApp == 0 || r.chance(0.4) {
		ch = chBranch
		w.at = s.b.cal.officeTime(at)
	}
	w.on(ch, s.appOrCore(c), c.homeUnit()).it.prod = prodLoan
	if ch == chBranch {
		w.it.sys = sysCore
	}
	w.it.amount = roundTo(int64(r.lognormal(float64(c.income)*4.5e6, 0.5)), 5_000_000)
	c.cost += costLoan
	w.put(evLoanQuoteViewed, 0)
	w.daytime(w.late(20*hour, 1))
	w.put(evLoanApplicationStarted, 0)
	if r.chance(0.16) {
		w.daytime(w.late(4*day, 0.6))
		w.fail(evLoanApplicationAbandoned, 0, outAbandoned)
		w.felt(-0.4, 0.4, rPapers, evNone)
		return
	}
	w.daytime(w.late(22*hour, 0.8))
	w.put(evLoanDocumentsSubmitted, 0)
	w.put(evLoanApplicationCompleted, w.late(9*minute, 0.8))
	applied := w.at
	q, reason := 0.3+0.4*r.normal(), uint8(rSpeed)
	w.on(chBack, sysCore, s.unit(unitCredit))
	w.office(w.late(7*hour, 0.6))
	if r.chance(s.b.odds(0.13, lvPapers, w.at, c, 0)) {
		w.it.reason = kIncomeProof
		w.fail(evLoanDocumentRequestedAgain, 0, outFailed)
		q, reason = q-0.9, rPapers
		w.daytime(w.late(30*hour, 0.7))
	}
	w.office(int64(float64(w.late(12*hour, 0.6)) * s.b.factor(lvDecision, w.at, c, 0)))
	days := float64(w.at-applied) / float64(day)
	s.enquire(&w, applied, days)
	w.said = int32(math.Round(days))
	q -= 0.2 * max(days-2, 0)
	s.decide(&w, ch, q, days, reason)
}

// enquire lets a waiting applicant ask where the file is.
func (s *sim) enquire(w *walk, applied int64, days float64) {
	c, r := w.c, &w.c.r
	p := min(0.12+0.07*days, 0.6)
	if r.chance(s.b.odds(p, lvEnquiry, applied, c, 0)) {
		back := *w
		back.on(chCall, s.callSystem(c, applied), s.unit(unitContactCentre))
		back.it.reason = kLoanStatus
		back.at = s.b.cal.daytime(applied + int64((0.3+0.6*r.float())*days*float64(day)))
		back.put(evLoanStatusEnquired, 0)
		s.call(c, back.at+2*second, kLoanStatus)
	}
}

func (s *sim) decide(w *walk, ch uint8, q, days float64, reason uint8) {
	c, r := w.c, &w.c.r
	declined := r.chance(0.24)
	if declined {
		w.it.out = outDeclined
		w.it.reason = kCreditScore
	}
	w.put(evLoanDecisionMade, 0)
	staff := w.someone()
	w.on(ch, sysCore, c.homeUnit())
	explained := r.chance(0.75)
	if explained {
		w.it.staff = staff
		w.office(w.late(2*hour, 0.8))
		w.put(evLoanDecisionExplained, 0)
	}
	w.it.out = outOK
	if declined {
		w.fail(evLoanDeclined, minute, outDeclined)
		if explained {
			w.felt(q-0.9, 1.1, rAnswer, evLoanDecisionExplained)
		} else {
			w.felt(q-1.8, 1.1, rClear, evNone)
		}
		return
	}
	w.daytime(w.late(6*hour, 0.9))
	w.put(evLoanKeyFactsViewed, 0)
	if r.chance(0.09) {
		w.fail(evLoanOfferRefused, w.late(20*hour, 0.6), outAbandoned)
		w.felt(q-0.5, 0.8, rFee, evNone)
		return
	}
	w.office(w.late(5*hour, 0.9))
	w.put(evLoanContractSigned, 0)
	w.office(w.late(80*minute, 0.7))
	w.put(evLoanDisbursed, 0)
	c.loan += float32(w.it.amount) / 1e6
	c.products |= 1 << prodLoan
	w.felt(q+0.2, 1.1, reason, evLoanDisbursed)
	w.on(chAutoDebit, sysCore, c.homeUnit())
	w.at += 30*day + int64(r.below(4))*day
	if r.chance(0.035) {
		w.fail(evLoanFirstRepaymentMissed, 0, outFailed)
		return
	}
	w.it.amount = roundTo(w.it.amount/24, 1000)
	w.put(evLoanFirstRepaymentMade, 0)
}

// maturity plans the maturity of a term deposit ten days ahead of it.
func (s *sim) maturity(c *customer) {
	r := &c.r
	w := s.begin(c, jDeposit, max(c.matures-10*day, c.matures-6*day))
	w.at = s.b.cal.daytime(c.matures)
	ripe := w.at + 8*day
	w.on([...]uint8{chSMS, chZalo, chApp}[r.below(3)], sysCore, c.homeUnit()).it.prod = prodDeposit
	w.it.amount = int64(c.deposit * 1e6)
	w.put(evDepositMaturityNotified, 0)
	digital := c.records&recApp != 0 && r.chance(0.3+0.6*float64(c.digital))
	if r.chance(0.55) {
		w.on(chBranch, sysCore, c.homeUnit())
		if digital {
			w.on(chApp, sysApp, c.homeUnit())
		}
		w.daytime(w.late(40*hour, 0.8))
		w.put(evDepositOptionsViewed, 0)
	}
	q := 0.25 + 0.4*r.normal()
	if r.chance(0.35) {
		w.on([...]uint8{chCallOut, chBranch}[r.below(2)], sysCore, c.homeUnit())
		staff := w.someone()
		w.it.staff = staff
		w.office(w.late(20*hour, 0.7))
		w.put(evDepositAdviceGiven, 0)
		q += 0.35 + w.skill(staff)
	}
	s.choose(&w, digital, ripe, q)
}

// choose is what becomes of the money; staying depends on feeling by a known amount.
func (s *sim) choose(w *walk, digital bool, ripe int64, q float64) {
	c, r := w.c, &w.c.r
	told := r.chance(0.84)
	w.on(chBranch, sysCore, c.homeUnit())
	if digital {
		w.on(chApp, sysApp, c.homeUnit())
	}
	if told {
		w.daytime(w.late(30*hour, 0.7))
		w.put(evDepositInstructionGiven, 0)
	}
	w.at = max(w.at, ripe)
	u := r.float()
	keep := logistic(1.55 + DepositPerFeeling*float64(c.feel) + 0.4*q)
	c.matures = w.at + 182*day
	switch {
	case !told:
		w.on(chApp, sysCore, c.homeUnit()).put(evDepositRenewed, hour)
		if r.chance(0.3) {
			w.fail(evDepositAutoRolledUnwanted, w.late(3*day, 0.5), outFailed)
			w.felt(-1.5, 0.8, rInformed, evNone)
			return
		}
		w.felt(q, 0.4, rInformed, evDepositRenewed)
	case u < keep*0.93:
		w.on(chApp, sysCore, c.homeUnit()).put(evDepositRenewed, hour)
		w.felt(q, 0.5, rFee, evDepositRenewed)
	case u < keep:
		w.put(evDepositMovedToOtherProduct, hour)
		w.felt(q+0.1, 0.5, rFit, evNone)
	default:
		w.it.reason = kCompetitor
		w.put(evDepositWithdrawnToOtherBank, hour)
		c.deposit = 0
		c.products &^= 1 << prodDeposit
	}
}

// breakDeposit is a deposit taken out before its time.
func (s *sim) breakDeposit(c *customer, at int64) {
	w := s.begin(c, jDeposit, s.b.cal.officeTime(at))
	w.on(chBranch, sysCore, c.homeUnit()).it.prod = prodDeposit
	w.it.amount = int64(c.deposit * 1e6)
	w.put(evDepositEarlyWithdrawn, 0)
	w.felt(-0.4+0.4*c.r.normal(), 0.4, rFee, evNone)
	c.balance += 0.1 * c.deposit
	c.deposit = 0
	c.products &^= 1 << prodDeposit
}

// appOrCore is the app for those who use it, else the core system.
func (s *sim) appOrCore(c *customer) uint8 {
	if c.records&recApp != 0 {
		return sysApp
	}
	return sysCore
}

func (s *sim) newCardRecord(c *customer, at int64) {
	if c.records&recCard == 0 {
		c.records |= recCard
		s.identify(c, at, sysCard, 0)
	}
}

// fee plans a fee the customer did not foresee.
func (s *sim) fee(c *customer, at int64) {
	w := s.begin(c, jNone, at)
	w.it.cs = 0
	w.on(chCore, sysCore, c.homeUnit()).it.prod = prodAccount
	w.it.amount = [...]int64{11_000, 22_000, 55_000, 66_000, 99_000}[c.r.below(5)]
	c.revenue += float32(w.it.amount)
	w.it.reason = rFee
	w.put(evFeeCharged, 0)
	w.felt(-1.0+0.3*c.r.normal(), 0.6, rFee, evNone)
	s.maybeCall(c, w.at+hour, kFee, 0.12)
}
