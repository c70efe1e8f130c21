package bank

// batch turns items into events. Ids share one string and properties one byte
// slice, so that an event costs no allocation of its own; both are fresh for
// each batch, so events stay valid for as long as they are kept.
type batch struct {
	b      *Bank
	events []Event
	ids    []byte
	json   object
	spans  []span
}

type span struct{ user, anon, msg, cs, props, traits [2]int }

func newBatch(b *Bank, n int) *batch {
	return &batch{b: b, events: make([]Event, 0, n), ids: make([]byte, 0, n*48), json: object{b: make([]byte, 0, n*96)}, spans: make([]span, 0, n)}
}

// add writes one item of customer idx.
func (t *batch) add(idx uint64, it *item) {
	b := t.b
	e := Event{At: it.at, Kind: it.kind, Name: eventNames[it.name], System: systemNames[it.sys], Source: Feeds[feedOf(it)], Journey: journeyNames[it.jour],
		Channel: channelNames[it.ch], Product: Products[it.prod].Code, Outcome: outcomeNames[it.out]}
	if it.unit != 0 {
		e.Unit = b.packs.unitPath(it.unit - 1)
	}
	var sp span
	switch it.sys {
	case sysAnon:
		sp.anon = t.id(func(d []byte) []byte { return b.appendID(d, sysAnon, 0, idx) })
		e.System = ""
	case sysStaff:
		sp.user = t.id(func(d []byte) []byte { return b.packs.staffKey(d, it.unit-1, it.staff) })
	case sysOps:
		sp.user = t.id(func(d []byte) []byte { return append(d, "system:"+b.effectSystem(int(it.aux))...) })
	default:
		sp.user = t.id(func(d []byte) []byte { return b.appendID(d, it.sys, it.copy, idx) })
	}
	sp.msg = t.id(func(d []byte) []byte { return appendHex(d, mix(b.cfg.Seed^mix(idx+sMessage)^uint64(it.seq)<<20)) })
	if it.cs != 0 {
		sp.cs = t.id(func(d []byte) []byte { return appendBase32(d, mix(b.cfg.Seed+mix(idx)+uint64(it.cs))>>4, 12) })
	}
	if it.kind == Identify {
		sp.traits = t.part(func(o *object) { b.traits(o, idx, it) })
		if it.sys == sysApp && it.amount > b.start {
			sp.anon = t.id(func(d []byte) []byte { return b.appendID(d, sysAnon, 0, idx) })
		}
	} else {
		sp.props = t.part(func(o *object) { b.props(o, idx, it) })
		if it.amount != 0 && hasAmount(it.name) {
			e.Amount, e.Currency = it.amount, "VND"
		}
	}
	t.events = append(t.events, e)
	t.spans = append(t.spans, sp)
}

func (t *batch) id(write func([]byte) []byte) [2]int {
	from := len(t.ids)
	t.ids = write(t.ids)
	return [2]int{from, len(t.ids)}
}

// part writes a JSON object; an empty one is left out.
func (t *batch) part(write func(*object)) [2]int {
	from := len(t.json.b)
	t.json.open()
	write(&t.json)
	if t.json.first {
		t.json.b = t.json.b[:from]
		return [2]int{}
	}
	t.json.close()
	return [2]int{from, len(t.json.b)}
}

// seal gives the finished events.
func (t *batch) seal() []Event {
	ids := string(t.ids)
	for i := range t.events {
		e, sp := &t.events[i], &t.spans[i]
		e.UserID, e.AnonymousID = ids[sp.user[0]:sp.user[1]], ids[sp.anon[0]:sp.anon[1]]
		e.MessageID, e.Case = ids[sp.msg[0]:sp.msg[1]], ids[sp.cs[0]:sp.cs[1]]
		if sp.props[1] > 0 {
			e.Props = t.json.b[sp.props[0]:sp.props[1]:sp.props[1]]
		}
		if sp.traits[1] > 0 {
			e.Traits = t.json.b[sp.traits[0]:sp.traits[1]:sp.traits[1]]
		}
	}
	return t.events
}

// feedOf tells which feed delivers an item.
func feedOf(it *item) int {
	switch it.name {
	case evSurveyEligible, evSurveySuppressed, evSurveyInvited, evSurveyAnswered, evSurveyOptedOut, evExitSurveyAnswered:
		return feedSurvey
	case evMessageSent, evMessageDelivered, evMessageHeld, evReactivationOfferSent, evReactivationOfferOpened, evContactOptedOut:
		return feedCampaign
	case evRecoveryGranted:
		return feedCase
	}
	switch {
	case it.sys == sysStaff:
		return feedQuality
	case it.sys == sysOps:
		return feedOps
	case it.jour == jComplaint:
		return feedCase
	case it.jour == jBranch && it.ch == chBranch:
		return feedBranch
	}
	switch it.sys {
	case sysCRM:
		return feedCRM
	case sysCard:
		return feedCard
	case sysCall:
		return feedCall
	case sysApp, sysAnon:
		return feedApp
	}
	return feedCore
}

func hasAmount(name uint16) bool {
	return name != evSurveyAnswered && name != evExitSurveyAnswered
}

// props writes what an event says beside its common fields.
func (b *Bank) props(o *object, idx uint64, it *item) {
	switch it.name {
	case evSurveyEligible, evSurveySuppressed, evSurveyInvited, evSurveyOptedOut, evSurveyAnswered, evExitSurveyAnswered:
		b.surveyProps(o, idx, it)
		return
	case evMonthEndRecorded:
		o.int("revenue", int64(it.wait))
		o.int("cost_to_serve", int64(it.hold))
		o.key("products")
		o.b = append(o.b, '[')
		first := true
		for p := range Products {
			if it.aux&(1<<p) != 0 {
				if !first {
					o.b = append(o.b, ',')
				}
				first = false
				o.b = appendQuoted(o.b, Products[p].Code)
			}
		}
		o.b = append(o.b, ']')
		return
	case evConsentGiven, evConsentWithdrawn, evWithdrawalEnforced:
		o.str("purpose", consentNames[it.x])
		if it.y == 1 {
			o.str("basis", "form")
		}
		return
	case evSubjectRequestReceived, evSubjectRequestReplied, evSubjectRequestDone:
		o.str("request_kind", requestKinds[it.x])
		return
	case evMessageSent, evMessageDelivered, evMessageHeld, evContactOptedOut:
		if it.x >= trialMark {
			b.trialProps(o, it)
			break
		}
		o.str("purpose", "marketing")
		if it.x != 0 {
			o.key("campaign")
			o.b = append(append(o.b, `"camp-`...), byte('0'+it.x/10), byte('0'+it.x%10), '"')
		}
	case evReferralMade, evReferralJoined:
		b.referralProps(o, idx, it)
		return
	case evBehaviourObserved:
		o.str("behaviour_id", observed[it.x])
		o.bool("standard_met", it.y == 1)
		return
	case evIncidentStarted, evIncidentEnded:
		o.str("source_system", b.effectSystem(int(it.aux)))
		return
	case evLoginFailed, evOtpNotReceived:
		o.str("app_version", appVersion(int(it.aux)-32))
		o.key("carrier")
		o.b = append(o.b, '"', it.x, '"')
	case evComplaintFiled:
		o.str("severity", [...]string{"low", "medium", "high"}[min(int(it.x)/75, 2)])
		p := b.Person(idx)
		o.str("verbatim", b.comment(&p, it))
	case evAppStoreLowRatingPosted:
		o.int("stars", int64(it.x))
		p := b.Person(idx)
		o.str("verbatim", b.comment(&p, it))
	case evRecoveryGranted:
		o.str("grant_kind", "fee_refund")
		o.str("limit_id", "w_manager")
	}
	o.str("reason_code", reasonNames[it.reason])
	if it.staff != 0 && it.unit != 0 {
		o.key("staff_key")
		o.b = append(b.packs.staffKey(append(o.b, '"'), it.unit-1, it.staff), '"')
	}
	if it.wait != 0 {
		o.int("wait_seconds", int64(it.wait))
	}
	if it.hold != 0 {
		o.int("handle_seconds", int64(it.hold))
	}
	if it.name == evContactTransferred {
		o.str("from_unit", "/CC/")
		o.str("to_unit", "/HO/OPS/")
	}
}

func (b *Bank) trialProps(o *object, it *item) {
	o.str("purpose", "service")
	o.str("campaign", b.world.plan.Effects[it.x-trialMark].ID)
	variant := "treatment"
	if it.name == evMessageHeld {
		variant = "control"
	}
	o.str("variant", variant)
}

func (b *Bank) referralProps(o *object, idx uint64, it *item) {
	if it.name == evReferralMade && it.x != 0 {
		o.key("referred_key")
		o.b = append(b.appendID(append(o.b, '"'), sysAnon, 0, idx|uint64(it.x)), '"')
	}
	if it.name == evReferralJoined {
		o.key("referrer_key")
		o.b = append(b.appendID(append(o.b, '"'), sysCore, 0, idx&^7), '"')
	}
}

func (b *Bank) surveyProps(o *object, idx uint64, it *item) {
	ins := it.x
	o.str("instrument", instrumentNames[ins])
	if it.trig != evNone {
		o.str("trigger_event", eventNames[it.trig])
	}
	switch it.name {
	case evSurveySuppressed:
		o.str("reason_code", reasonNames[it.reason])
		return
	case evSurveyAnswered, evExitSurveyAnswered:
	default:
		return
	}
	o.str("item", scoreItems[ins])
	o.int("score", int64(it.y)-128)
	o.str("reason", reasonNames[it.reason])
	p := b.Person(idx)
	o.str("language", p.Language)
	if it.aux&1 != 0 {
		o.str("verbatim", b.comment(&p, it))
	}
}

// traits writes an identify event's personal data.
func (b *Bank) traits(o *object, idx uint64, it *item) {
	p := b.Person(idx)
	rec := b.record(&p, it.sys, it.copy, it.x, it.amount)
	o.str("name", rec.Name)
	o.str("birth_date", rec.Birth)
	o.str("gender", rec.Gender)
	o.str("phone", rec.Phone)
	o.str("email", rec.Email)
	o.str("citizen_id", rec.CitizenID)
	o.str("address", rec.Address)
	o.str("language", rec.Language)
	if it.sys == sysCore || it.sys == sysCRM {
		o.str("home_branch", b.packs.unitPath(it.unit-1))
	}
	if it.sys == sysCRM {
		b.preferences(o, &p)
	}
	if it.sys == sysCore {
		o.str("job", p.Job)
		o.int("declared_income", p.Income)
	}
	o.str("created_at", rec.Created.Format("2006-01-02"))
}

// preferences writes what a customer has told the bank about how to be served:
// the channel, the form of address, a need for help. Most have told nothing.
func (b *Bank) preferences(o *object, p *Person) {
	r := stream(b.cfg.Seed, sRecord, p.Index|1<<59)
	if r.chance(0.45) {
		o.str("preferred_channel", [...]string{"zalo", "mobile_app", "call", "sms", "email"}[r.below(5)])
	}
	if age := p.Age(b.cfg.Start); r.chance(0.3) && p.Expat == "" {
		form := "anh"
		switch {
		case r.chance(0.2):
			form = "Quý khách"
		case age >= 60:
			form = "bác"
		case p.Female:
			form = "chị"
		}
		o.str("address_form", form)
	}
	if r.chance(0.015 + 0.03*float64(max(p.Age(b.cfg.Start)-60, 0))/20) {
		o.str("access_need", [...]string{"hearing", "sight", "mobility"}[r.below(3)])
	}
}

// effectSystem names the system an incident of the plan befalls.
func (b *Bank) effectSystem(effect int) string {
	if effect >= len(b.world.plan.Effects) {
		return "core_banking"
	}
	return b.world.plan.Effects[effect].System
}

// observed are the behaviours of behaviours.yaml that observers look at most.
var observed = [...]string{"b_greet", "b_wait_word", "b_restate", "b_one_list", "b_fee_first", "b_no_push", "b_close_check", "b_calm_open"}
