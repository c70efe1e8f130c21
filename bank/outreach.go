package bank

// campaign plans one marketing message.
func (s *sim) campaign(c *customer, at int64) {
	if c.consents&consentMarketing == 0 || c.has(flagProspect) {
		return
	}
	r := &c.r
	w := s.begin(c, jNone, s.b.cal.daytime(at))
	w.it.cs = 0
	ch := [...]uint8{chZalo, chSMS, chPush, chEmail}[r.below(4)]
	w.on(ch, s.crmOrCore(c), s.unit(unitMarketing))
	if c.records&recCRM2 != 0 && r.chance(0.5) {
		w.it.copy = 1
	}
	w.it.x = uint8(1 + dayOf(at)/30%12)
	c.cost += costMessage
	if c.has(flagHardship) || c.open > 0 {
		w.it.reason = kOpenCase
		w.fail(evMessageHeld, 0, outFailed)
		return
	}
	x := w.it.x
	w.put(evMessageSent, 0)
	if !r.chance(0.94) {
		return
	}
	w.it.x = x
	w.put(evMessageDelivered, w.late(8*second, 0.8))
	if r.chance(0.006) {
		c.consents &^= consentMarketing
		w.put(evContactOptedOut, w.late(30*minute, 1))
	}
}

// withdraw takes back one consent; the bank's systems obey after a while.
func (s *sim) withdraw(c *customer, at int64) {
	k := c.r.below(len(consentNames))
	if c.consents&(1<<k) == 0 {
		return
	}
	c.consents &^= 1 << k
	w := s.begin(c, jNone, at)
	w.it.cs = 0
	w.on(chApp, s.appOrCore(c), s.unit(unitApp))
	w.it.x = uint8(k)
	w.put(evConsentWithdrawn, 0)
	w.it.x = uint8(k)
	w.it.sys = s.crmOrCore(c)
	w.put(evWithdrawalEnforced, w.late(90*second, 1.2))
	if c.r.chance(0.15) {
		w.it.x = uint8(k)
		w.put(evConsentGiven, w.late(40*day, 0.6))
		c.consents |= 1 << k
	}
}

// subjectRequest is a customer who asks what the bank knows, or to have it erased.
func (s *sim) subjectRequest(c *customer, at int64) {
	w := s.begin(c, jNone, s.b.cal.officeTime(at))
	w.on(chEmail, s.crmOrCore(c), s.unit(unitOps))
	kind := uint8(c.r.below(len(requestKinds)))
	for _, step := range [...]struct {
		name  uint16
		after int64
	}{{evSubjectRequestReceived, 0}, {evSubjectRequestReplied, 20 * hour}, {evSubjectRequestDone, 7 * day}} {
		if step.after > 0 {
			w.office(w.late(step.after, 0.5))
		}
		w.it.x = kind
		w.put(step.name, 0)
	}
}

var requestKinds = [...]string{"access", "correction", "erasure", "restriction"}

// move changes a customer's phone or address in one system; the others go stale.
func (s *sim) move(c *customer, at int64) {
	w := s.begin(c, jNone, s.b.cal.officeTime(at))
	w.it.cs = 0
	sys := [...]uint8{sysCore, sysCore, sysCRM, sysApp}[c.r.below(4)]
	if sys == sysCRM {
		sys = s.crmOrCore(c)
	}
	if sys == sysApp {
		sys = s.appOrCore(c)
	}
	w.on(chBranch, sys, c.homeUnit())
	w.it.reason = kUpdateInfo
	w.put(evProfileUpdated, 0)
	c.moves = min(c.moves+1, 15)
	s.identify(c, w.at+second, sys, 0)
}

// snapshotTime is the night in which the systems first deliver their records.
const snapshotTime = 2 * hour

// snapshot delivers the records of an old customer as each system holds them.
func (s *sim) snapshot(c *customer, at int64) {
	s.identifyAll(c, at)
	for k := range consentNames {
		if c.consents&(1<<k) != 0 {
			c.push(item{name: evConsentGiven, at: at + int64(k+10)*second, sys: s.crmOrCore(c), ch: chBranch, x: uint8(k), y: 1, kind: Track, out: outOK})
		}
	}
}

var recordBits = [...]struct {
	bit       uint16
	sys, copy uint8
}{{recCore, sysCore, 0}, {recCore2, sysCore, 1}, {recCRM, sysCRM, 0}, {recCRM2, sysCRM, 1}, {recCard, sysCard, 0}, {recCall, sysCall, 0}, {recCall2, sysCall, 1}, {recApp, sysApp, 0}}

func (s *sim) identifyAll(c *customer, at int64) {
	for i, r := range recordBits {
		if c.records&r.bit != 0 {
			s.identify(c, at+int64(i)*20*1000, r.sys, r.copy)
		}
	}
}

// identify plans the event with which a system says who a record is. The state
// it depends on is drawn again from the person when the event is written.
func (s *sim) identify(c *customer, at int64, sys, copy uint8) {
	c.push(item{name: evNone, kind: Identify, at: at, sys: sys, copy: copy, amount: c.joined, unit: c.homeUnit(), x: c.moves})
}
