package bank

import "math"

// visit plans a visit to a branch. again counts earlier visits for the same errand.
func (s *sim) visit(c *customer, at int64, again uint8) {
	r := &c.r
	w := s.begin(c, jBranch, at)
	u := s.branchFor(c)
	w.on(chBranch, sysCore, u+1).it.prod = prodAccount
	if c.records&recCore2 != 0 && r.chance(0.35) {
		w.it.copy = 1 // served under the customer's other number
	}
	if c.owns(prodDeposit) && r.chance(0.4) {
		w.it.prod = prodDeposit
	}
	if c.records&recApp != 0 && r.chance(0.16) {
		booked := w
		booked.at = at - int64((0.2+3*r.float())*float64(day))
		booked.on(chApp, sysApp, u+1)
		if booked.at > c.now {
			booked.put(evBranchAppointmentBooked, 0)
		}
	}
	c.cost += costVisit
	minutes := s.queueMinutes(c, at, u)
	down := r.chance(s.b.odds(0.004, lvDown, at, c, u+1))
	if down {
		minutes *= 1.5
	}
	care := s.b.lever(lvCare, at, c, u+1)
	w.put(evBranchTicketIssued, 0)
	if r.chance(logistic(1.6 + 0.5*care)) {
		w.put(evBranchGreeted, w.late(70*second, 0.5))
	}
	if down {
		w.fail(evBranchSystemDown, w.late(2*minute, 0.6), outFailed)
	}
	waited := int64(minutes * float64(minute))
	w.said = int32(minutes)
	if minutes > 12 && r.chance(1-math.Exp(-math.Pow((minutes-12)/75, 1.2))) {
		s.walkOut(&w, at, waited)
		return
	}
	w.it.wait = int32(minutes * 60)
	w.put(evBranchCalledToCounter, at+waited-w.at)
	staff := w.someone()
	w.it.staff = staff
	w.put(evBranchServiceStarted, w.late(25*second, 0.4))
	q := 0.45 + care + w.skill(staff) + w.house() + 0.35*r.normal() - 0.045*max(minutes-8, 0) - 0.5*float64(again)
	s.counter(&w, staff, q, minutes, down)
}

// counter is the service itself, with what can go wrong at it.
func (s *sim) counter(w *walk, staff uint16, q, minutes float64, down bool) {
	c, r := w.c, &w.c.r
	reason := s.goodReason(r)
	if minutes > 20 {
		reason = rWait
	}
	if r.chance(0.055) {
		w.it.reason, w.it.staff = rPapers, staff
		w.fail(evBranchDocumentMissing, w.late(3*minute, 0.5), outFailed)
		q, reason = q-0.8, rPapers
	}
	if r.chance(0.04) {
		w.it.staff = staff
		w.fail(evBranchSentToOtherCounter, w.late(4*minute, 0.5), outTransferred)
		q, reason = q-0.7, rTransfer
	}
	if (down && r.chance(0.3)) || (reason == rPapers && r.chance(0.5)) {
		w.it.staff = staff
		w.fail(evBranchReturnRequired, w.late(5*minute, 0.5), outFailed)
		w.felt(q-1.2, 0.9, rRepeat, evNone)
		c.push(item{name: actChase, at: w.at + int64((1+4*r.float())*float64(day)), x: jBranch, y: 1})
		return
	}
	w.it.staff, w.it.hold = staff, int32(r.lognormal(460, 0.5))
	w.put(evBranchServiceCompleted, int64(w.it.hold)*second)
	if q < 0 && reason < rWait {
		reason = [...]uint8{rStaffCare, rStaffSkill, rSpeed}[r.below(3)]
	}
	if s.offer(w, staff) {
		q, reason = q-0.8, rPressure
	}
	done := w.at
	if r.chance(0.12) {
		w.on([...]uint8{chZalo, chSMS, chApp}[r.below(3)], sysCore, w.it.unit)
		w.it.staff = staff
		w.put(evBranchFollowupSent, int64((1+5*r.float())*float64(hour)))
		w.on(chBranch, w.it.sys, w.it.unit)
		q += 0.5
		if reason != rPressure && q > 0.6 {
			reason = rCareExtra
		}
	}
	w.at = done
	w.felt(q, 0.8, reason, evBranchServiceCompleted)
}

func (s *sim) goodReason(r *rng) uint8 {
	return [...]uint8{rStaffCare, rStaffCare, rStaffSkill, rSpeed, rOwn}[r.below(5)]
}

// walkOut is a customer who leaves the queue; half do so before anybody knows who they are.
func (s *sim) walkOut(w *walk, at, waited int64) {
	c, r := w.c, &w.c.r
	left := at + int64(float64(waited)*(0.4+0.5*r.float()))
	w.it.wait = int32((left - at) / second)
	w.said = w.it.wait / 60
	if r.chance(0.5) {
		w.it.sys = sysAnon
	}
	w.fail(evBranchVisitAbandoned, max(left-w.at, second), outAbandoned)
	w.felt(-1.9, 0.9, rWait, evNone)
	if r.chance(0.5) {
		c.push(item{name: actChase, at: w.at + int64((1+3*r.float())*float64(day)), x: jBranch, y: 1})
	}
}

// queueMinutes draws the wait at a branch from the load of the day and hour.
func (s *sim) queueMinutes(c *customer, at int64, u uint16) float64 {
	load := hourLoad[clockOf(at)/hour] * float64(s.b.cal.at(dayOf(at)).branch)
	br := &s.b.packs.branches[u]
	crowd := br.size * 5.2 / float64(br.Counters)
	return c.r.lognormal(6.5*load*crowd*s.b.factor(lvWait, at, c, u+1), 0.55)
}

// branchFor is the home branch as a rule, sometimes another of the province.
func (s *sim) branchFor(c *customer) uint16 {
	if c.r.chance(0.88) {
		return c.branch
	}
	local := s.b.packs.local[s.b.packs.branches[c.branch].province]
	return uint16(local[c.r.below(len(local))])
}

// offer sells insurance beside the errand; true when the customer felt pushed.
func (s *sim) offer(w *walk, staff uint16) bool {
	c, r := w.c, &w.c.r
	push := s.b.factor(lvPush, w.at, c, w.it.unit)
	if c.age < 22 || !r.chance(min(0.012*push, 0.5)) {
		return push > 1.5 && r.chance(0.12)
	}
	sold := *w
	sold.it.prod, sold.it.staff, sold.it.sys = prodInsurance, staff, sysCore
	sold.it.amount = roundTo(int64(r.lognormal(18_000_000, 0.5)), 1_000_000)
	sold.put(evProductSold, second)
	c.products |= 1 << prodInsurance
	c.revenue += float32(sold.it.amount) * 0.25
	if r.chance(s.b.odds(0.07, lvCancel, w.at, c, w.it.unit)) {
		sold.it.reason, sold.it.staff = rPressure, staff
		sold.office(int64((5 + 50*r.float()) * float64(day)))
		sold.fail(evProductCancelledEarly, 0, outFailed)
		sold.said = 0
		sold.felt(-1.8, 1.2, rPressure, evNone)
		s.maybeCall(c, sold.at-day, kInsuranceCancel, 0.4)
	}
	return push > 1.5 && r.chance(0.45)
}

// callReason draws why a customer rings without a failure behind it.
func (s *sim) callReason(c *customer, at int64) uint8 {
	reasons := [...]uint8{kBalance, kFee, kHowTo, kUpdateInfo, kLimit, kDepositRate, kCardDecline, kLogin}
	return reasons[everydayCalls.draw(&c.r)]
}

var everydayCalls = newChoice([]float64{0.2, 0.16, 0.2, 0.12, 0.1, 0.08, 0.08, 0.06})

// callSystem makes sure the contact centre knows the customer.
func (s *sim) callSystem(c *customer, at int64) uint8 {
	if c.records&recCall == 0 {
		c.records |= recCall
		s.identify(c, at-second, sysCall, 0)
	}
	return sysCall
}

// call plans a call to the contact centre.
func (s *sim) call(c *customer, at int64, reason uint8) {
	r := &c.r
	sys := s.callSystem(c, at)
	w := s.begin(c, jNone, at)
	w.on(chCall, sys, s.unit(unitContactCentre)).it.reason = reason
	w.it.cs = 0
	load := 0.6 + 0.7*callLoad(at)
	wait := r.lognormal(38*load*s.b.factor(lvCallWait, at, c, 0), 0.85)
	w.said = int32(wait / 60)
	if r.chance(1 - math.Exp(-math.Pow(wait/420, 1.1))) {
		w.it.wait = int32(wait * (0.4 + 0.6*r.float()))
		w.fail(evContactAbandoned, 0, outAbandoned)
		w.felt(-1.2, 0.5, rWait, evNone)
		s.maybeCall(c, w.at+hour, reason, 0.5)
		return
	}
	c.cost += costCall
	staff := w.someone()
	handle := r.lognormal(265, 0.6)
	unresolved := r.chance(s.b.odds(0.2, lvCallRepeat, at, c, 0))
	moved := r.chance(0.09)
	w.it.wait, w.it.hold, w.it.staff, w.it.reason = int32(wait), int32(handle), staff, reason
	if unresolved {
		w.it.out = outUnresolved
	}
	w.put(evContactReceived, int64(wait)*second)
	w.it.out = outOK
	q := 0.4 + w.skill(staff) + s.b.lever(lvAgent, at, c, 0) + 0.4*r.normal() - 0.3*max(wait-40, 0)/90
	why := s.goodReason(r)
	if wait > 150 {
		why = rWait
	}
	if moved {
		w.it.reason = reason
		w.fail(evContactTransferred, int64(handle/2)*second, outTransferred)
		q, why = q-0.6, rTransfer
	}
	if unresolved {
		w.at += int64(handle) * second
		q, why = q-1.1, rAnswer
		s.maybeCall(c, w.at+int64(20*float64(hour)), reason, 0.6)
	} else {
		w.it.reason, w.it.staff = reason, staff
		w.put(evContactResolved, int64(handle)*second)
	}
	w.felt(q, 0.6, why, evContactReceived)
}

// callLoad is how busy the contact centre is at an instant, about 1 at its peak.
func callLoad(at int64) float64 {
	h := clockOf(at) / hour
	return [...]float64{0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 0.9, 1.1, 1.05, 0.9, 0.85, 0.9, 1, 0.95, 0.85, 0.7, 0.6, 0.6, 0.55, 0.5, 0.4, 0.3}[h]
}
