package bank

// transfer plans an everyday transfer on the phone.
func (s *sim) transfer(c *customer, at int64, d *dayInfo) {
	r := &c.r
	w := s.begin(c, jTransfer, at)
	w.on(chApp, sysApp, s.unit(unitApp)).it.prod = prodTransfer
	if r.chance(0.04) {
		w.it.ch, w.it.unit = chWeb, s.unit(unitWeb)
	}
	amount := transferAmount(r, float64(c.income))
	if d.tet >= 0 && d.tet <= 3 && r.chance(0.5) {
		amount = [...]int64{50_000, 100_000, 200_000, 500_000}[r.below(4)] // lucky money
	}
	w.it.amount = amount
	c.cost += costDigital
	ease := s.b.lever(lvEase, at, c, 0)
	w.put(evTransferStarted, 0)
	w.put(evPayeeNameConfirmed, w.late(6*second, 0.6))
	if r.chance(0.006) {
		w.put(evScamWarningShown, 2*second)
		if r.chance(0.4) {
			w.fail(evTransferAbandoned, w.late(40*second, 0.6), outAbandoned)
			w.felt(0.7, 0.4, rSafe, evNone)
			return
		}
	}
	if amount >= 10_000_000 || r.chance(0.9) {
		for try := 0; r.chance(0.028) && try < 3; try++ {
			w.fail(evTransferBiometricFailed, w.late(9*second, 0.4), outFailed)
			if r.chance(0.25) {
				w.fail(evTransferAbandoned, w.late(25*second, 0.6), outAbandoned)
				w.felt(-1.1+ease, 0.5, rOTP, evNone)
				return
			}
		}
		w.put(evTransferBiometricPassed, w.late(7*second, 0.4))
	}
	if r.chance(0.15) && s.otpLost(&w, 2) {
		w.it.reason = kOTP
		w.fail(evTransferFailed, 30*second, outFailed)
		w.felt(-1.6+ease, 0.8, rOTP, evNone)
		s.maybeCall(c, w.at, kOTP, 0.22)
		return
	}
	w.put(evTransferSubmitted, w.late(4*second, 0.5))
	s.settle(&w, ease)
}

// settle ends a submitted transfer: credited at once as a rule.
func (s *sim) settle(w *walk, ease float64) {
	c, r := w.c, &w.c.r
	u := r.float()
	pending := s.b.odds(0.0035, lvPending, w.at, c, 0)
	switch {
	case u < pending:
		w.fail(evTransferPending, w.late(20*second, 0.5), outUnresolved)
		s.maybeCall(c, w.at+int64(40*float64(minute)), kTransferPending, 0.35)
		hang := w.late(5*hour, 0.9)
		w.said = int32(hang / hour)
		if r.chance(0.15) {
			w.fail(evTransferReversed, hang, outFailed)
		} else {
			w.put(evTransferCredited, hang)
		}
		w.felt(-2.1+0.5*ease, 1, rArrived, evNone)
		return
	case u < pending+0.003:
		w.fail(evTransferTimeout, 60*second, outFailed)
		w.felt(-0.9+ease, 0.5, rAppError, evNone)
		return
	case u < pending+0.011:
		w.fail(evTransferFailed, w.late(5*second, 0.5), outFailed)
		w.felt(-0.7+ease, 0.4, rArrived, evNone)
		return
	}
	w.put(evTransferCredited, w.late(3*second, 0.7))
	if r.chance(0.2) {
		reason := uint8(rSpeed)
		if r.chance(0.4) {
			reason = rAppEase
		}
		w.felt(0.35+ease+0.5*r.normal(), 0.25, reason, evTransferCredited)
	}
}

// transferAmount draws what people send: small sums, many of them round.
func transferAmount(r *rng, income float64) int64 {
	v := int64(r.lognormal(160_000*(1+income/12), 1.25))
	switch {
	case v < 100_000:
		return max(roundTo(v, 1000), 5000)
	case v < 2_000_000:
		return roundTo(v, [...]int64{10_000, 50_000, 1000, 100_000}[r.below(4)])
	default:
		return roundTo(v, [...]int64{100_000, 500_000, 1_000_000, 10_000}[r.below(4)])
	}
}

// receipt plans money a shop receives by QR.
func (s *sim) receipt(c *customer, at int64) {
	w := s.begin(c, jTransfer, at)
	w.on(chTransfer, sysCore, s.unit(unitApp)).it.prod = prodMerchant
	w.it.amount = roundTo(int64(c.r.lognormal(65_000, 0.8)), 1000)
	c.revenue += 60
	w.put(evTransferCredited, 0)
}

// otpLost asks for one-time passwords until one arrives; true when none does.
func (s *sim) otpLost(w *walk, tries int) bool {
	p := s.b.odds(0.035, lvOTP, w.at, w.c, 0)
	for range tries {
		if !w.c.r.chance(p) {
			return false
		}
		w.it.x = w.c.carrier
		w.it.aux = s.phone(w.c, w.at)
		w.it.reason = kOTP
		w.fail(evOtpNotReceived, w.late(65*second, 0.3), outFailed)
	}
	return true
}

// phone packs the app release on the customer's phone into the field of an item.
func (s *sim) phone(c *customer, at int64) uint32 { return uint32(s.b.release(c, at) + 32) }

// login plans a failed login and what becomes of it.
func (s *sim) login(c *customer, at int64) {
	r := &c.r
	w := s.begin(c, jLogin, at)
	w.on(chApp, sysApp, s.unit(unitApp))
	ease := s.b.lever(lvEase, at, c, 0)
	w.it.x, w.it.aux = c.carrier, s.phone(c, at)
	w.fail(evLoginFailed, 0, outFailed)
	w.put(evLoginHelpShown, w.late(3*second, 0.4))
	if r.chance(0.42) { // a mistyped password
		w.put(evLoginSucceeded, w.late(50*second, 0.6))
		w.put(evIntendedTaskCompleted, w.late(2*minute, 0.6))
		w.felt(0.1+ease+0.3*r.normal(), 0.2, rAppEase, evNone)
		return
	}
	if r.chance(0.09) {
		w.fail(evAccountLocked, w.late(40*second, 0.5), outFailed)
	}
	w.put(evCredentialResetStarted, w.late(70*second, 0.6))
	if r.chance(0.04) {
		w.fail(evDeviceChangeBlocked, w.late(40*second, 0.4), outFailed)
		s.assisted(&w, -1.2+ease, rAppError)
		return
	}
	if s.otpLost(&w, 3) {
		s.assisted(&w, -1.9+ease, rOTP)
		return
	}
	w.put(evResetIdentityVerified, w.late(80*second, 0.5))
	w.put(evLoginSucceeded, w.late(45*second, 0.5))
	if r.chance(0.85) {
		w.put(evIntendedTaskCompleted, w.late(3*minute, 0.7))
	}
	w.felt(-0.1+ease+0.4*r.normal(), 0.4, rAppEase, evLoginSucceeded)
}

// assisted is the rest of a login recovery that the customer could not do alone.
func (s *sim) assisted(w *walk, quality float64, reason uint8) {
	c, r := w.c, &w.c.r
	if r.chance(0.10) {
		w.it.x = 1 + uint8(r.below(2))
		w.it.reason, w.it.aux = reason, uint32(encodeQuality(quality))<<8|s.phone(c, w.at)<<16
		w.fail(evAppStoreLowRatingPosted, w.late(15*minute, 0.8), outFailed)
	}
	if !r.chance(0.62) {
		w.fail(evLoginRecoveryAbandoned, w.late(30*minute, 0.9), outAbandoned)
		w.felt(quality-0.4, 0.9, reason, evNone)
		return
	}
	w.on([...]uint8{chCall, chChat, chCall, chCall}[r.below(4)], s.callSystem(c, w.at), s.unit(unitContactCentre))
	w.put(evSupportContacted, w.late(12*minute, 0.8))
	w.it.wait = int32(r.lognormal(55*s.b.factor(lvCallWait, w.at, c, 0), 0.8))
	staff := w.someone()
	w.it.staff = staff
	w.put(evSupportAnswered, int64(w.it.wait)*second)
	c.cost += costCall
	w.felt(quality+0.3+w.skill(staff)+s.b.lever(lvAgent, w.at, c, 0), 0.9, reason, evSupportAnswered)
	w.on(chApp, sysApp, s.unit(unitApp))
	w.put(evLoginSucceeded, w.late(9*minute, 0.7))
}

// maybeCall lets a customer ring the bank after something went wrong.
func (s *sim) maybeCall(c *customer, at int64, reason uint8, p float64) {
	if c.r.chance(p) {
		c.push(item{name: actChase, at: at + int64(c.r.lognormal(25, 0.9)*float64(minute)), reason: reason})
	}
}

// chase is the follow-up that was planned: a call, or another visit.
func (s *sim) chase(c *customer, it *item) {
	if it.x == jBranch {
		d := dayOf(it.at) + 1
		for !s.b.cal.at(d).office {
			d++
		}
		s.visit(c, dayStart(d)+branchClock(&c.r, false), it.y)
		return
	}
	s.call(c, it.at, it.reason)
}
