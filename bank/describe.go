package bank

import (
	"slices"
	"strings"
	"time"
)

// Description is what the simulated bank looks like: marginals that a banker can
// compare with a real one. Shares lie in 0..1, durations are in the unit of the
// field's name, money is VND.
type Description struct {
	Seed      uint64  `json:"seed"`
	Customers int     `json:"customers_at_start"`
	Joined    int     `json:"joined"`
	Left      int     `json:"left"`
	Months    float64 `json:"months"`
	Start     string  `json:"start"`
	End       string  `json:"end"`

	Events              int            `json:"events"`
	EventsPerCustomer   float64        `json:"events_per_customer_year"`
	EventsByFeed        map[string]int `json:"events_by_feed"`
	JourneyStarts       map[string]int `json:"journeys_started"`
	People              PeopleShares   `json:"people"`
	Identity            IdentityShares `json:"identity"`
	Survey              SurveyShares   `json:"survey"`
	AttritionByTenure   []Share        `json:"attrition_per_year_by_tenure"`
	AttritionByFeeling  []Share        `json:"attrition_per_year_by_feeling"`
	ComplaintsPer10k    float64        `json:"complaints_per_10k_customers_year"`
	ContactReasons      []Share        `json:"contact_reasons"`
	CallHandleSeconds   Quantiles      `json:"call_handle_seconds"`
	CallWaitSeconds     Quantiles      `json:"call_wait_seconds"`
	CallsAbandoned      float64        `json:"calls_abandoned"`
	CallsResolved       float64        `json:"calls_resolved_at_first"`
	BranchWaitMinutes   Quantiles      `json:"branch_wait_minutes"`
	BranchWalkOuts      float64        `json:"branch_walk_outs"`
	CardDeliveryDays    Quantiles      `json:"card_dispatch_to_delivery_days"`
	LoanDecisionHours   Quantiles      `json:"loan_application_to_decision_hours"`
	ComplaintDays       Quantiles      `json:"complaint_filed_to_closed_days"`
	TransferVND         Quantiles      `json:"transfer_amount_vnd"`
	TransfersByHour     []float64      `json:"transfers_by_hour"`
	TransfersByWeekday  []float64      `json:"transfers_by_weekday_from_sunday"`
	SalaryVND           Quantiles      `json:"salary_vnd"`
	BalanceVND          Quantiles      `json:"month_end_balance_vnd"`
	RevenuePerCustomer  float64        `json:"revenue_vnd_per_customer_year"`
	CostPerCustomer     float64        `json:"cost_to_serve_vnd_per_customer_year"`
	Referrals           float64        `json:"referrals_per_100_customers_year"`
	OnboardingCompleted float64        `json:"onboarding_completed"`
	Comments            CommentShares  `json:"comments"`
}

// PeopleShares describes the customers.
type PeopleShares struct {
	Female    float64   `json:"female"`
	Surnames  []Share   `json:"surnames"`
	Ages      []Share   `json:"age_bands"`
	Regions   []Share   `json:"regions"`
	Products  []Share   `json:"products"`
	IncomeVND Quantiles `json:"income_vnd_month"`
	Language  []Share   `json:"language"`
	Carriers  []Share   `json:"carriers"`
	AppUsers  float64   `json:"app_users"`
	Merchants float64   `json:"qr_merchants"`
	Household float64   `json:"in_household_with_another_customer"`
}

// IdentityShares describes how the records of the source systems disagree.
type IdentityShares struct {
	RecordsPerPerson float64 `json:"records_per_person"`
	Several          float64 `json:"people_with_several_records_in_one_system"`
	Errors           []Share `json:"records_with_error"`
}

// SurveyShares describes answering, and the known bias of raw averages.
type SurveyShares struct {
	ByChannel    []Share `json:"response_rate_by_channel"`
	ByInstrument []Share `json:"response_rate_by_instrument"`
	Suppressed   []Share `json:"suppressed_by_reason"`
	NPSRaw       float64 `json:"nps_of_answers"`
	NPSInvited   float64 `json:"nps_if_all_invited_answered"`
	NPSCensus    float64 `json:"nps_if_all_customers_answered"`
	Scores       []Share `json:"tx_csat_scores"`
}

// CommentShares describes what customers write.
type CommentShares struct {
	Written        int     `json:"written"`
	Measured       int     `json:"measured"`
	Vietnamese     float64 `json:"vietnamese"`
	NoDiacritics   float64 `json:"vietnamese_without_diacritics"`
	MeanWords      float64 `json:"mean_words"`
	TypeToken      float64 `json:"type_token_ratio_first_10000_words"`
	Repeated       float64 `json:"exact_repeats_of_six_words_or_more"`
	NearDuplicates float64 `json:"near_duplicates_of_six_words_or_more"`
}

// Share is a named number.
type Share struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	N     int     `json:"n,omitempty"`
}

// Quantiles of a distribution.
type Quantiles struct {
	N    int     `json:"n"`
	P10  float64 `json:"p10"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Mean float64 `json:"mean"`
}

// Describe runs the history once and gives its marginals.
func (b *Bank) Describe() Description {
	total := newTally(b)
	slots := b.slots(b.end)
	const size = 256
	ordered(int((slots+size-1)/size), func() func(int) *tally {
		s := &sim{b: b}
		c := &customer{}
		return func(k int) *tally {
			t := newTally(b)
			s.watch = t
			from := uint64(k) * size
			for slot := from; slot < min(from+size, slots); slot++ {
				s.each(c, slot, func() { t.customer(c, s.out) })
			}
			return t
		}
	}, func(t *tally) bool {
		total.merge(t)
		return true
	})
	return total.describe()
}

// tally counts what a Description tells.
type tally struct {
	truthWatch
	n       map[string]int
	sums    map[string]float64
	values  map[string][]float64
	texts   []string
	starts  map[uint16]int64
	hours   [24]int
	days    [7]int
	exposed [len(tenureBands) + len(feelingBands)]cell
}

var tenureBands = [...]struct {
	name  string
	years float64
}{{"first year", 1}, {"1-3 years", 3}, {"3-7 years", 7}, {"over 7 years", 1e9}}

var feelingBands = [...]struct {
	name string
	top  float64
}{{"below -1", -1}, {"-1 to 0", 0}, {"0 to 1", 1}, {"above 1", 1e9}}

const maxTexts = 6000

func newTally(b *Bank) *tally {
	return &tally{truthWatch: *newTruthWatch(b), n: map[string]int{}, sums: map[string]float64{}, values: map[string][]float64{}, starts: map[uint16]int64{}}
}

// month counts exposure to the hazard of leaving beside the truth of feeling.
func (t *tally) month(c *customer, at64 int64) {
	t.truthWatch.month(c, at64)
	if c.has(flagLeaving) {
		return
	}
	t.exposed[band(c, at64)].n++
	t.exposed[feelingBand(c)].n++
}

func band(c *customer, at64 int64) int {
	years := float64(at64-c.joined) / float64(365*day)
	i := 0
	for years > tenureBands[i].years {
		i++
	}
	return i
}

func feelingBand(c *customer) int {
	i := 0
	for float64(c.feel) > feelingBands[i].top {
		i++
	}
	return len(tenureBands) + i
}

// decided counts a decision to leave where it was made.
func (t *tally) decided(c *customer, at64 int64) {
	t.exposed[band(c, at64)].answered++
	t.exposed[feelingBand(c)].answered++
}

func (t *tally) customer(c *customer, items []item) {
	if c.has(flagProspect) {
		t.n["prospects"]++
	} else {
		t.person(c)
	}
	clear(t.starts)
	for i := range items {
		t.item(c, &items[i])
	}
}

func (t *tally) person(c *customer) {
	b := t.b
	p := b.Person(c.idx)
	t.n["people"]++
	if c.joined >= b.start {
		t.n["joined"]++
	}
	if c.left != 0 {
		t.n["left"]++
	}
	if p.Female {
		t.n["female"]++
	}
	t.n["surname "+p.Family]++
	t.n["age "+ageBand(int(c.age))]++
	t.n["region "+Regions[c.region].Code]++
	t.n["language "+p.Language]++
	t.n["carrier "+p.Carrier]++
	t.add("income", float64(p.Income))
	for k := range Products {
		if k > 0 && c.owns(k) {
			t.n["product "+Products[k].Code]++
		}
	}
	if c.records&recApp != 0 {
		t.n["app"]++
	}
	if c.has(flagMerchant) {
		t.n["merchant"]++
	}
	if _, _, size := b.household(c.idx); size > 1 {
		t.n["household"]++
	}
	several := false
	for _, r := range recordBits {
		if c.records&r.bit == 0 {
			continue
		}
		t.n["records"]++
		several = several || r.copy == 1
		rec := b.record(&p, r.sys, r.copy, 0, c.joined)
		for _, e := range rec.Errors {
			t.n["error "+e]++
		}
	}
	if several {
		t.n["several"]++
	}
}

func ageBand(age int) string {
	switch {
	case age < 25:
		return "under 25"
	case age < 35:
		return "25-34"
	case age < 45:
		return "35-44"
	case age < 60:
		return "45-59"
	}
	return "60 and over"
}

func (t *tally) add(name string, v float64) {
	t.values[name] = append(t.values[name], v)
}

// since adds the time since a case's start to a distribution.
func (t *tally) since(name string, it *item, unit int64) {
	if from, ok := t.starts[it.cs]; ok {
		t.add(name, float64(it.at-from)/float64(unit))
	}
}

func (t *tally) item(c *customer, it *item) {
	t.n["events"]++
	t.n["feed "+Feeds[feedOf(it)]]++
	switch it.name {
	case evTransferStarted:
		t.journey(it)
		t.add("transfer", float64(it.amount))
		t.hours[clockOf(it.at)/hour]++
		t.days[t.b.cal.at(dayOf(it.at)).weekday]++
	case evBranchTicketIssued, evLoginFailed, evDisputeReported, evOnboardingStarted, evCardRequested, evLoanApplicationStarted, evDepositMaturityNotified,
		evHardshipSignalRaised, evDormancyDetected, evExitRequested:
		t.journey(it)
	case evCardDispatched, evLoanApplicationCompleted:
		t.starts[it.cs] = it.at
	case evCardDelivered:
		t.since("delivery", it, day)
	case evLoanDecisionMade:
		t.since("decision", it, hour)
	case evComplaintFiled:
		t.journey(it)
		t.starts[it.cs] = it.at
		t.text(c, it)
	case evComplaintClosedAccepted:
		t.since("complaint", it, day)
	case evBranchCalledToCounter:
		t.add("branch wait", float64(it.wait)/60)
	case evContactReceived:
		t.add("handle", float64(it.hold))
		t.add("call wait", float64(it.wait))
		t.n["contact "+reasonNames[it.reason]]++
		if it.out == outOK {
			t.n["resolved"]++
		}
	case evSalaryReceived:
		t.add("salary", float64(it.amount))
	case evMonthEndRecorded:
		if mix(c.idx^uint64(it.at))%8 == 0 {
			t.add("balance", float64(it.amount))
		}
		t.sums["revenue"] += float64(it.wait)
		t.sums["cost"] += float64(it.hold)
		t.n["customer months"]++
	case evSalaryInflowStopped, evBalanceDropDetected, evBranchVisitAbandoned, evContactAbandoned, evReferralMade, evAccountOpened:
		t.n[eventNames[it.name]]++
	case evSurveyInvited:
		t.n["invited "+channelNames[it.ch]]++
		t.n["asked "+instrumentNames[it.x]]++
	case evSurveySuppressed:
		t.n["suppressed "+reasonNames[it.reason]]++
	case evSurveyAnswered:
		t.answer(c, it)
	}
}

func (t *tally) journey(it *item) { t.n["journey "+journeyNames[it.jour]]++ }

func (t *tally) answer(c *customer, it *item) {
	t.n["answered "+channelNames[it.ch]]++
	t.n["replied "+instrumentNames[it.x]]++
	score := int(it.y) - 128
	if it.x == insRel {
		t.sums["nps"] += npsPoint(score)
	}
	if it.x == insTx {
		t.n["csat "+string(appendInt(nil, int64(score)))]++
	}
	if it.aux&1 != 0 {
		t.n["texts"]++
		t.text(c, it)
	}
}

func (t *tally) text(c *customer, it *item) {
	if len(t.texts) < maxTexts {
		p := t.b.Person(c.idx)
		t.texts = append(t.texts, p.Language+" "+t.b.comment(&p, it))
	}
}

func (t *tally) merge(o *tally) {
	t.truthWatch.merge(&o.truthWatch)
	for k, v := range o.n {
		t.n[k] += v
	}
	for k, v := range o.sums {
		t.sums[k] += v
	}
	for k, v := range o.values {
		t.values[k] = append(t.values[k], v...)
	}
	for i := range o.hours {
		t.hours[i] += o.hours[i]
	}
	for i := range o.days {
		t.days[i] += o.days[i]
	}
	for i := range o.exposed {
		t.exposed[i].n += o.exposed[i].n
		t.exposed[i].answered += o.exposed[i].answered
	}
	t.texts = append(t.texts, o.texts[:min(len(o.texts), max(maxTexts-len(t.texts), 0))]...)
}

func (t *tally) describe() Description {
	b, n := t.b, t.n
	years := float64(n["customer months"]) / 12
	days := float64(b.end-b.start) / float64(day)
	d := Description{Seed: b.cfg.Seed, Customers: b.cfg.Customers, Joined: n["joined"], Left: n["left"], Months: days / 365 * 12,
		Start: b.cfg.Start.Format(time.DateOnly), End: b.cfg.End.Format(time.DateOnly), Events: n["events"], EventsByFeed: map[string]int{}, JourneyStarts: map[string]int{}}
	d.EventsPerCustomer = ratio(float64(n["events"]), years)
	for k, v := range n {
		if feed, ok := strings.CutPrefix(k, "feed "); ok {
			d.EventsByFeed[feed] = v
		}
		if j, ok := strings.CutPrefix(k, "journey "); ok {
			d.JourneyStarts[j] = v
		}
	}
	t.describePeople(&d)
	t.describeSurvey(&d)
	for i, x := range t.exposed {
		s := Share{Value: ratio(float64(x.answered), float64(x.n)/12), N: x.answered}
		if i < len(tenureBands) {
			s.Name = tenureBands[i].name
			d.AttritionByTenure = append(d.AttritionByTenure, s)
		} else {
			s.Name = feelingBands[i-len(tenureBands)].name
			d.AttritionByFeeling = append(d.AttritionByFeeling, s)
		}
	}
	calls := len(t.values["handle"])
	d.ComplaintsPer10k = ratio(10_000*float64(n["journey complaint"]), years)
	d.ContactReasons = t.shares("contact ", float64(calls))
	d.CallHandleSeconds, d.CallWaitSeconds = quantiles(t.values["handle"]), quantiles(t.values["call wait"])
	d.CallsAbandoned = ratio(float64(n["contact_abandoned"]), float64(n["contact_abandoned"]+calls))
	d.CallsResolved = ratio(float64(n["resolved"]), float64(calls))
	d.BranchWaitMinutes = quantiles(t.values["branch wait"])
	d.BranchWalkOuts = ratio(float64(n["branch_visit_abandoned"]), float64(n["journey branch_visit"]))
	d.CardDeliveryDays, d.LoanDecisionHours = quantiles(t.values["delivery"]), quantiles(t.values["decision"])
	d.ComplaintDays, d.TransferVND = quantiles(t.values["complaint"]), quantiles(t.values["transfer"])
	d.SalaryVND, d.BalanceVND = quantiles(t.values["salary"]), quantiles(t.values["balance"])
	d.TransfersByHour, d.TransfersByWeekday = fractions(t.hours[:]), fractions(t.days[:])
	d.RevenuePerCustomer, d.CostPerCustomer = ratio(t.sums["revenue"], years), ratio(t.sums["cost"], years)
	d.Referrals = ratio(100*float64(n["referral_made"]), years)
	d.OnboardingCompleted = ratio(float64(n["account_opened"]), float64(n["journey onboarding_ekyc"]))
	d.Comments = measureTexts(t.texts)
	d.Comments.Written = n["texts"] + n["journey complaint"]
	return d
}

func (t *tally) describePeople(d *Description) {
	n, people := t.n, float64(t.n["people"])
	p := &d.People
	p.Female, p.AppUsers = ratio(float64(n["female"]), people), ratio(float64(n["app"]), people)
	p.Merchants, p.Household = ratio(float64(n["merchant"]), people), ratio(float64(n["household"]), people)
	if p.Surnames = t.shares("surname ", people); len(p.Surnames) > 14 {
		p.Surnames = p.Surnames[:14]
	}
	p.Ages, p.Regions = t.shares("age ", people), t.shares("region ", people)
	p.Products, p.Language = t.shares("product ", people), t.shares("language ", people)
	p.Carriers, p.IncomeVND = t.shares("carrier ", people), quantiles(t.values["income"])
	d.Identity = IdentityShares{RecordsPerPerson: ratio(float64(n["records"]), people), Several: ratio(float64(n["several"]), people),
		Errors: t.shares("error ", float64(n["records"]))}
}

func (t *tally) describeSurvey(d *Description) {
	n := t.n
	rates := func(answered, invited string) []Share {
		var out []Share
		for k, v := range n {
			if name, ok := strings.CutPrefix(k, invited); ok {
				out = append(out, Share{Name: name, Value: ratio(float64(n[answered+name]), float64(v)), N: v})
			}
		}
		return sortShares(out)
	}
	s := &d.Survey
	s.ByChannel, s.ByInstrument = rates("answered ", "invited "), rates("replied ", "asked ")
	suppressed := 0
	for k, v := range n {
		if strings.HasPrefix(k, "suppressed ") {
			suppressed += v
		}
	}
	s.Suppressed = t.shares("suppressed ", float64(suppressed))
	s.NPSRaw = ratio(t.sums["nps"], float64(n["replied rel_nps"]))
	var invited, census cell
	for k, c := range t.responses {
		if k[1] == insRel {
			invited.n, invited.nps = invited.n+c.n, invited.nps+c.nps
		}
	}
	for _, c := range t.feeling {
		census.n, census.nps = census.n+c.n, census.nps+c.nps
	}
	s.NPSInvited, s.NPSCensus = ratio(invited.nps, float64(invited.n)), ratio(census.nps, float64(census.n))
	s.Scores = t.shares("csat ", float64(n["replied tx_csat"]))
	slices.SortFunc(s.Scores, func(a, b Share) int { return strings.Compare(a.Name, b.Name) })
}

// shares gives the counts whose names begin with prefix, as parts of a total, largest first.
func (t *tally) shares(prefix string, total float64) []Share {
	var out []Share
	for k, v := range t.n {
		if name, ok := strings.CutPrefix(k, prefix); ok {
			out = append(out, Share{Name: name, Value: ratio(float64(v), total), N: v})
		}
	}
	return sortShares(out)
}

func sortShares(out []Share) []Share {
	slices.SortFunc(out, func(a, b Share) int {
		if a.Value != b.Value {
			if a.Value > b.Value {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}
