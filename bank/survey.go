package bank

import "math"

// Which trigger leads to which instrument, and how often it is sampled.
// The first that draws the customer's interaction wins.
type trigger struct {
	event      uint16
	instrument uint8
	sample     float64
	delay      int64
}

var triggers = []trigger{
	{evBranchServiceCompleted, insTx, 0.45, hour},
	{evBranchServiceCompleted, insGap, 0.05, day},
	{evCardFirstPurchase, insTx, 0.35, 2 * hour},
	{evDisputeResolved, insTx, 0.5, day},
	{evLoanDisbursed, insTx, 0.35, hour},
	{evLoanDisbursed, insGap, 0.1, day},
	{evLoanDecisionExplained, insTx, 0.35, hour},
	{evTransferCredited, insTx, 0.08, hour},
	{evTransferCredited, insCES, 0.08, hour},
	{evDepositRenewed, insTx, 0.3, hour},
	{evSupportAnswered, insTx, 0.35, hour},
	{evContactReceived, insTx, 0.35, hour},
	{evLoginSucceeded, insCES, 0.4, hour},
	{evAccountOpened, insCES, 0.4, hour},
	{evComplaintClosedAccepted, insComplaint, 1, 3 * day},
	{evAccountClosed, insExit, 1, day},
}

// SampleShare is the share of the experiences that end with an event of which an
// instrument asks; 1 for instruments that no event leads to.
func SampleShare(event, instrument string) float64 {
	for _, t := range triggers {
		if eventNames[t.event] == event && instrumentNames[t.instrument] == instrument {
			return t.sample
		}
	}
	return 1
}

// eligible decides whether an experience is asked about.
func (s *sim) eligible(c *customer, it *item, q float64) {
	if it.trig == evNone {
		return
	}
	u := c.r.float()
	for i := range triggers {
		t := &triggers[i]
		if t.event != it.trig {
			continue
		}
		if u -= t.sample; u >= 0 {
			continue
		}
		ask := *it
		ask.name, ask.at, ask.x, ask.y = actInvite, it.at+t.delay, t.instrument, encodeQuality(q)
		c.push(ask)
		return
	}
}

// invite sends one invitation, unless something speaks against it. Every
// suppression is told with its reason.
func (s *sim) invite(c *customer, it *item) {
	if (c.left != 0 && it.x != insExit) || c.has(flagProspect) {
		return
	}
	r := &c.r
	e := item{at: it.at, name: evSurveyEligible, kind: Track, jour: it.jour, cs: it.cs, unit: it.unit, prod: it.prod, sys: s.crmOrCore(c), ch: it.ch, x: it.x, trig: it.trig}
	c.push(e)
	if reason := s.suppressed(c, it); reason != 0 {
		e.name, e.reason = evSurveySuppressed, reason
		c.push(e)
		return
	}
	e.ch = s.surveyChannel(c, it)
	e.name = evSurveyInvited
	e.at = s.b.cal.daytime(it.at)
	c.push(e)
	switch it.x {
	case insRel, insDims:
		c.lastRel = e.at
	case insTx, insCES, insGap:
		c.lastTx = e.at
	}
	c.relaxFatigue(e.at)
	c.relax(e.at)
	would, score := s.score(c, it)
	p := s.responseChance(c, e.ch, would)
	c.fatigue++
	answered := r.chance(p)
	if s.watch != nil {
		s.watch.asked(c, e.at, &e, score, would, p, answered)
	}
	if !answered {
		if r.chance(0.004) {
			c.flags |= flagSurveyOff
			e.name, e.at = evSurveyOptedOut, e.at+int64(r.lognormal(30, 1)*float64(minute))
			c.push(e)
		}
		return
	}
	a := e
	a.name, a.at = evSurveyAnswered, e.at+s.answerDelay(c, e.ch)
	a.y, a.reason, a.wait, a.amount = uint8(score+128), it.reason, it.wait, it.amount
	if r.chance(commentChance(would)) {
		a.aux |= 1
	}
	a.aux |= uint32(encodeQuality(would))<<8 | s.phone(c, it.at)<<16
	c.push(a)
	if it.x == insExit {
		a.name, a.aux, a.jour = evExitSurveyAnswered, 0, jExit
		c.push(a)
	}
}

// suppressed tells why an eligible customer is not asked, 0 when asked.
func (s *sim) suppressed(c *customer, it *item) uint8 {
	switch {
	case c.has(flagSurveyOff):
		return kOptedOut
	case c.consents&consentSurvey == 0 && it.x != insComplaint:
		return kNoConsent
	case c.has(flagHardship):
		return kOpenCase
	}
	switch it.x {
	case insRel, insDims:
		if c.open > 0 {
			return kOpenCase
		}
		if it.at-c.lastRel < 180*day || it.at-c.joined < 90*day {
			return kQuarantine
		}
	case insTx, insCES, insGap:
		if it.at-c.lastTx < 30*day {
			return kQuarantine
		}
	}
	return 0
}

func (c *customer) relaxFatigue(at int64) {
	if c.askedAt != 0 {
		c.fatigue *= float32(math.Exp(-float64(at-c.askedAt) / float64(80*day)))
	}
	c.askedAt = at
}

// surveyChannel picks how the invitation goes out.
func (s *sim) surveyChannel(c *customer, it *item) uint8 {
	r := &c.r
	if it.trig == evBranchServiceCompleted && r.chance(0.25) {
		return chQR
	}
	if it.x == insComplaint && r.chance(0.4) {
		return chCallOut
	}
	if c.records&recApp != 0 && r.chance(0.5) {
		return chApp
	}
	return [...]uint8{chZalo, chZalo, chSMS, chSMS, chEmail}[r.below(5)]
}

// responseBase is the log-odds of answering by channel, at rest and in a middling mood.
var responseBase = [len(channelNames)]float64{chApp: -1.15, chZalo: -1.4, chSMS: -2.1, chEmail: -2.5, chQR: -0.7, chCallOut: -0.2}

// responseSlope is how the log-odds of answering move with a felt value: those
// who like the bank answer in its app, those who are angry answer a message.
var responseSlope = [len(channelNames)]float64{chApp: 0.36, chZalo: -0.12, chSMS: -0.28, chEmail: -0.28, chQR: 0.4, chCallOut: 0.1}

// responseChance is the known response mechanism: people who feel strongly
// answer more, and who answers depends on the channel; fatigue and age lower it.
// A raw average over answers is therefore biased, and the bias is known.
func (s *sim) responseChance(c *customer, ch uint8, would float64) float64 {
	x := responseBase[ch] + responseSlope[ch]*would + 0.18*math.Min(would*would, 6) - 0.35*float64(c.fatigue)
	if c.age >= 60 && ch != chCallOut {
		x -= 0.4
	}
	return logistic(x)
}

// ResponseChance tells the mechanism for a channel name as events name it:
// the probability that somebody answers who feels the matter as given (sd), has
// been asked fatigue times lately, and whose age is given.
func ResponseChance(channel string, felt, fatigue float64, age int) float64 {
	for ch, name := range channelNames {
		if name == channel {
			c := customer{fatigue: float32(fatigue), age: uint8(age)}
			return (&sim{}).responseChance(&c, uint8(ch), felt)
		}
	}
	return 0
}

func commentChance(would float64) float64 {
	switch {
	case would < -0.8:
		return 0.82
	case would > 1:
		return 0.55
	}
	return 0.42
}

// answerDelay is how long people take to answer.
func (s *sim) answerDelay(c *customer, ch uint8) int64 {
	switch ch {
	case chQR, chCallOut:
		return int64(c.r.lognormal(2, 0.5) * float64(minute))
	case chEmail:
		return int64(c.r.lognormal(9, 1.1) * float64(hour))
	}
	return int64(c.r.lognormal(45, 1.3) * float64(minute))
}

// Cut points on a felt value in sd, chosen so that the population's own
// distribution of scores is plausible for a retail bank.
var (
	npsCuts = [10]float64{-2.55, -2.4, -2.2, -1.95, -1.7, -1.1, -0.75, -0.2, 0.45, 1.0}
	satCuts = [4]float64{-1.75, -1.05, -0.35, 0.6}
	cesCuts = [6]float64{-2.1, -1.5, -0.95, -0.35, 0.2, 0.9}
	gapCuts = [4]float64{-1.6, -0.6, 0.6, 1.4}
)

func cut(v float64, cuts []float64) int {
	n := 0
	for _, c := range cuts {
		if v >= c {
			n++
		}
	}
	return n
}

// score draws what the customer would answer, and how the matter is felt.
func (s *sim) score(c *customer, it *item) (felt float64, score int) {
	r := &c.r
	q := decodeQuality(it.y)
	feel := float64(c.feel)
	switch it.x {
	case insRel:
		felt = npsLatent(feel) + npsNoise*r.normal()
		return felt, cut(felt, npsCuts[:])
	case insDims:
		felt = feel + 0.6*r.normal()
		return felt, 1 + cut(felt, satCuts[:])
	case insComplaint:
		felt = 0.6*q + 0.5*feel + 0.5*r.normal()
		return felt, cut(felt, npsCuts[:])
	case insCES:
		felt = 0.85*q + 0.3*feel + 0.5*r.normal()
		return felt, 1 + cut(felt, cesCuts[:])
	case insExit:
		felt = 0.4*feel + 0.7*r.normal()
		return felt, 1 + cut(felt, cesCuts[:])
	case insGap:
		felt = q - float64(c.expect) + 0.4*r.normal()
		return felt, cut(felt, gapCuts[:]) - 2
	}
	felt = 0.85*q + 0.35*feel + 0.45*r.normal()
	return felt, 1 + cut(felt, satCuts[:])
}

const npsNoise = 0.75

func npsLatent(feel float64) float64 { return 0.35 + 0.9*feel }

// ExpectedNPS is the true share of promoters minus detractors, times 100, among
// people with the given feeling, if all of them answered.
func ExpectedNPS(feeling float64) float64 {
	m := npsLatent(feeling)
	promoters := 1 - phi((npsCuts[8]-m)/npsNoise)
	detractors := phi((npsCuts[6] - m) / npsNoise)
	return 100 * (promoters - detractors)
}

func phi(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }
