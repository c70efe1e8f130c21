package bank

import "math"

// dispute plans a disputed payment from notice to answer.
func (s *sim) dispute(c *customer, at int64) {
	r := &c.r
	w := s.begin(c, jDispute, at)
	w.on(chPush, s.appOrCore(c), s.unit(unitCard)).it.prod = prodDebit
	w.it.amount = roundTo(int64(r.lognormal(1_800_000, 1)), 1000)
	c.cost += costDispute
	c.open++
	w.put(evSuspiciousPaymentNoticed, 0)
	ch := [...]uint8{chApp, chCall, chCall, chBranch}[r.below(4)]
	sys := uint8(sysCore)
	switch ch {
	case chApp:
		sys = s.appOrCore(c)
	case chCall:
		sys = s.callSystem(c, at)
	}
	w.on(ch, sys, s.unit(unitContactCentre))
	w.put(evDisputeReported, w.late(50*minute, 1.1))
	reported := w.at
	if r.chance(0.8) {
		w.put(evCardBlocked, w.late(3*minute, 0.6))
	}
	w.on([...]uint8{chSMS, chEmail, chApp}[r.below(3)], sysCRM, s.unit(unitCard))
	w.office(w.late(100*minute, 0.9))
	w.it.staff = w.someone()
	w.put(evDisputeAcknowledged, 0)
	if r.chance(0.04) { // it was the customer's own payment after all
		w.fail(evDisputeWithdrawn, w.late(20*hour, 0.8), outAbandoned)
		c.open--
		return
	}
	q := 0.1 + 0.4*r.normal()
	w.daytime(w.late(40*hour, 0.7))
	w.put(evDisputeEvidenceReceived, 0)
	if r.chance(0.14) {
		w.office(w.late(2*day, 0.5))
		w.fail(evDisputeEvidenceRequestedAgain, 0, outFailed)
		q -= 0.6
	}
	if r.chance(0.45) {
		w.it.ch = chCore
		w.office(w.late(2*day, 0.5))
		w.put(evProvisionalCreditGiven, 0)
		q += 0.6
	}
	if r.chance(0.2) {
		w.office(w.late(day, 0.5))
		w.fail(evDisputeTransferredToOtherTeam, 0, outTransferred)
		q -= 0.4
	}
	if r.chance(0.6) {
		w.it.ch = chSMS
		w.office(w.late(3*day, 0.5))
		w.put(evDisputeUpdateSent, 0)
		q += 0.4
	}
	w.on([...]uint8{chApp, chLetter, chCallOut}[r.below(3)], sysCRM, s.unit(unitCard))
	w.office(w.late(7*day, 0.6))
	s.closeDispute(&w, reported, q)
}

func (s *sim) closeDispute(w *walk, reported int64, q float64) {
	c, r := w.c, &w.c.r
	days := float64(w.at-reported) / float64(day)
	for k := 1.0; k*9 < days && k < 4; k++ {
		if r.chance(0.45) {
			back := *w
			back.on(chCall, s.callSystem(c, reported), s.unit(unitContactCentre))
			back.at = s.b.cal.daytime(reported + int64(k*9*float64(day)))
			back.it.reason = kDispute
			back.put(evDisputeStatusEnquired, 0)
		}
	}
	w.said = int32(math.Round(days))
	q -= 0.05 * max(days-10, 0)
	won := r.chance(0.68)
	reason := uint8(rInformed)
	if !won {
		w.it.out = outDeclined
		q, reason = q-1.6, rFair
	}
	w.it.staff = w.someone()
	w.put(evDisputeResolved, 0)
	w.it.out = outOK
	w.felt(q, 1.4, reason, evDisputeResolved)
	if !won && r.chance(0.2) {
		w.at += int64((2 + 6*r.float()) * float64(day))
		w.fail(evDisputeReopened, 0, outFailed)
	}
}

// complaint plans a complaint. reason is what it is about, depth how bad it was (positive).
func (s *sim) complaint(c *customer, at int64, reason uint8, depth float64, unit uint16, prod uint8) {
	r := &c.r
	w := s.begin(c, jComplaint, at)
	ch := [...]uint8{chCall, chCall, chBranch, chApp, chSocial, chLetter}[r.below(6)]
	sys := uint8(sysCRM)
	if ch == chCall {
		sys = s.callSystem(c, at)
	}
	if unit == 0 {
		unit = s.unit(unitComplaint)
	}
	w.on(ch, sys, unit).it.prod = prod
	c.cost += costComplaint
	c.open++
	w.it.reason = reason
	w.it.x = uint8(min(depth*50, 250))
	w.it.aux = uint32(encodeQuality(-depth))<<8 | s.phone(c, at)<<16
	w.put(evComplaintFiled, 0)
	filed := w.at
	pace := s.b.factor(lvComplaintTime, at, c, 0)
	w.on(chSMS, sysCRM, s.unit(unitComplaint))
	w.office(w.late(5*hour, 0.9))
	w.it.staff = w.someone()
	w.put(evComplaintAcknowledged, 0)
	w.it.ch = chCase
	w.office(int64(float64(w.late(4*hour, 0.8)) * pace))
	owner := w.someone()
	w.it.staff = owner
	w.put(evComplaintOwnerAssigned, 0)
	q := 0.1 + 0.5*r.normal() + s.b.lever(lvRepair, at, c, 0) + 0.5*w.skill(owner)
	if r.chance(0.2) {
		w.office(w.late(8*hour, 0.7))
		w.fail(evComplaintTransferred, 0, outTransferred)
		q -= 0.5
	}
	if r.chance(0.07) {
		w.office(w.late(6*hour, 0.7))
		w.put(evComplaintEscalatedInternal, 0)
	}
	if r.chance(0.8) {
		w.it.ch, w.it.staff = chCallOut, owner
		w.office(int64(float64(w.late(16*hour, 0.8)) * pace))
		w.put(evComplaintContactMade, 0)
		q += 0.25
	}
	w.it.ch = chCase
	w.office(int64(float64(w.late(28*hour, 0.8)) * pace))
	w.it.reason, w.it.staff = reason, owner
	w.put(evComplaintCauseRecorded, 0)
	w.it.ch, w.it.staff = [...]uint8{chCallOut, chLetter, chApp}[r.below(3)], owner
	w.office(int64(float64(w.late(60*hour, 0.7)) * pace))
	w.put(evComplaintRemedyOffered, 0)
	s.closeComplaint(&w, filed, q, reason, owner)
}

func (s *sim) closeComplaint(w *walk, filed int64, q float64, reason uint8, owner uint16) {
	c, r := w.c, &w.c.r
	days := float64(w.at-filed) / float64(day)
	if r.chance(min(0.06*days, 0.6)) {
		back := *w
		back.on(chCall, s.callSystem(c, filed), s.unit(unitContactCentre))
		back.at = s.b.cal.daytime(filed + int64(0.6*days*float64(day)))
		back.it.reason = kComplaintChase
		back.put(evComplaintChased, 0)
		q -= 0.3
	}
	q -= 0.08 * max(days-5, 0)
	w.said = int32(math.Round(days))
	w.daytime(w.late(20*hour, 0.9))
	u := r.float()
	if u < 0.09*math.Exp(-0.4*q) {
		w.fail(evComplaintClosedRejected, 0, outDeclined)
		w.felt(q-1.5, 1.6, rFair, evNone)
		if r.chance(0.25) {
			w.at += int64(3 * float64(day))
			w.fail(evComplaintEscalatedExternal, 0, outFailed)
		}
		return
	}
	if r.chance(0.35) {
		grant := *w
		grant.it.ch, grant.it.staff = chCase, owner
		grant.it.amount = [...]int64{50_000, 100_000, 200_000, 500_000}[r.below(4)]
		grant.at -= 2 * hour
		grant.put(evRecoveryGranted, 0)
		c.cost += float32(grant.it.amount)
		q += 0.35
	}
	w.it.ch, w.it.staff = chCallOut, owner
	w.put(evComplaintClosedAccepted, 0)
	why := uint8(rOwn)
	if q < 0 {
		why = [...]uint8{rInformed, rSpeed, rAnswer}[r.below(3)]
	}
	w.felt(q+0.3, 1.5, why, evComplaintClosedAccepted)
	if r.chance(0.05 * math.Exp(-0.5*q)) {
		again := *w
		again.it.reason = reason
		again.at += int64((2 + 8*r.float()) * float64(day))
		again.fail(evComplaintReopened, 0, outFailed)
	}
	if r.chance(0.3) {
		w.it.ch = chEmail
		w.office(w.late(20*day, 0.4))
		w.put(evComplaintPreventionTold, 0)
	}
}

// hardship plans help for a borrower who cannot pay.
func (s *sim) hardship(c *customer, at int64) {
	r := &c.r
	c.flags |= flagHardship
	w := s.begin(c, jHardship, s.b.cal.officeTime(at))
	w.on(chCore, sysCore, c.homeUnit()).it.prod = prodLoan
	w.put(evHardshipSignalRaised, 0)
	w.on([...]uint8{chSMS, chCallOut, chZalo}[r.below(3)], sysCRM, s.unit(unitCredit))
	w.office(w.late(30*hour, 0.7))
	w.put(evHardshipOutreachSent, 0)
	if r.chance(0.22) {
		w.office(2 * day)
		w.fail(evHardshipContactFailed, 0, outFailed)
	}
	if !r.chance(0.74) {
		w.office(40 * day)
		w.fail(evAccountSentToRecovery, 0, outFailed)
		w.felt(-1.5, 1.2, rFair, evNone)
		return
	}
	w.it.ch = chCallOut
	w.office(w.late(50*hour, 0.6))
	staff := w.someone()
	w.it.staff = staff
	w.put(evHardshipConversationHeld, 0)
	w.office(w.late(20*hour, 0.6))
	w.put(evHardshipAbilityAssessed, 0)
	w.office(w.late(20*hour, 0.6))
	w.it.staff = staff
	w.put(evHardshipPlanOffered, 0)
	w.felt(0.4+w.skill(staff)+0.5*r.normal(), 1.2, rFair, evNone)
	if !r.chance(0.82) {
		return
	}
	w.it.ch = chBranch
	w.daytime(w.late(2*day, 0.7))
	w.put(evHardshipPlanAgreed, 0)
	w.it.ch = chCore
	if r.chance(0.72) {
		w.put(evHardshipPlanKept90d, 90*day)
		return
	}
	w.at += int64((20 + 60*r.float()) * float64(day))
	w.fail(evHardshipPlanBroken, 0, outFailed)
}

// dormant plans the attempt to wake up a customer who stopped using the bank.
func (s *sim) dormant(c *customer, at int64) {
	r := &c.r
	w := s.begin(c, jDormant, s.b.cal.officeTime(at))
	w.on(chCore, sysCore, c.homeUnit()).it.prod = prodAccount
	w.put(evDormancyDetected, 0)
	if r.chance(0.3) {
		w.it.ch = chSurvey
		w.daytime(w.late(5*day, 0.6))
		w.put(evDormancyReasonCaptured, 0)
	}
	if c.consents&consentMarketing == 0 {
		return
	}
	w.on([...]uint8{chSMS, chZalo, chEmail}[r.below(3)], sysCRM, s.unit(unitMarketing))
	w.daytime(w.late(4*day, 0.6))
	w.put(evReactivationOfferSent, 0)
	if r.chance(0.02) {
		w.put(evContactOptedOut, w.late(hour, 0.8))
		return
	}
	if !r.chance(0.2) {
		if r.chance(0.4) {
			w.it.reason = kNoReach
			w.fail(evDormancyUnreachable, 55*day, outFailed)
		}
		return
	}
	w.put(evReactivationOfferOpened, w.late(9*hour, 1))
	w.on(chApp, s.appOrCore(c), s.unit(unitApp))
	w.daytime(w.late(day, 0.9))
	if r.chance(0.2) {
		w.fail(evIdentityReverifyFailed, 0, outFailed)
		w.felt(-1, 0.6, rOTP, evNone)
		return
	}
	w.put(evIdentityReverified, 0)
	w.daytime(w.late(8*hour, 0.9))
	w.put(evReactivatedFirstTransaction, 0)
	w.daytime(w.late(6*day, 0.7))
	w.put(evActiveUseResumed, 0)
	c.flags &^= flagDormant
}
