package bank

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The truth files, written by WriteTruth into a folder the product never reads:
//
//	people.csv      who each person is: household, name, birth, phone, language
//	identity.csv    which record belongs to which person, and the errors in it
//	attrition.csv   per customer: joined, ended, reason, hazard lived through
//	feeling.csv     per month and region: true mean feeling and true NPS of all customers
//	responses.csv   per month and instrument: what all the invited would have said, and what the answers said
//	experiences.csv per reason: how many experiences it made and how good they truly were (sd)
//	staff.csv       per member of staff: how much better or worse than average service is felt (sd)
//	effects.csv     per planted effect and branch: wave and start
//	plan.json       the planted events and initiatives with their sizes
//	model.json      the known links: asymmetry, hazards, response, money
const truthPeople = "index,household,name,female,birth_date,phone,carrier,language,province,job,income\n"

// truthWatch collects what one worker sees.
type truthWatch struct {
	b         *Bank
	attrition []byte
	feeling   map[[2]int]*cell // month, region
	responses map[[2]int]*cell // month, instrument
	felts     map[int]*cell    // reason
}

// cell is a sum of values.
type cell struct {
	n, answered      int
	sum, sumAnswered float64
	nps              float64
}

func newTruthWatch(b *Bank) *truthWatch {
	return &truthWatch{b: b, feeling: map[[2]int]*cell{}, responses: map[[2]int]*cell{}, felts: map[int]*cell{}}
}

func at[K comparable](m map[K]*cell, k K) *cell {
	c := m[k]
	if c == nil {
		c = &cell{}
		m[k] = c
	}
	return c
}

func monthOf(at int64) int {
	t := time.UnixMicro(at).In(Zone)
	return t.Year()*12 + int(t.Month()) - 1
}

func monthName(m int) string { return fmt.Sprintf("%04d-%02d", m/12, m%12+1) }

func (w *truthWatch) felt(c *customer, at64 int64, it *item, quality, before float64) {
	x := at(w.felts, int(it.reason))
	x.n++
	x.sum += quality
}

func (w *truthWatch) month(c *customer, at64 int64) {
	c.relax(at64)
	x := at(w.feeling, [2]int{monthOf(at64), int(c.region)})
	x.n++
	x.sum += float64(c.feel)
	x.nps += ExpectedNPS(float64(c.feel))
}

func (w *truthWatch) asked(c *customer, at64 int64, it *item, would int, _, _ float64, answered bool) {
	x := at(w.responses, [2]int{monthOf(at64), int(it.x)})
	x.n++
	x.sum += float64(would)
	if answered {
		x.answered++
		x.sumAnswered += float64(would)
	}
	if it.x == insRel {
		x.nps += npsPoint(would)
	}
}

func npsPoint(score int) float64 {
	switch {
	case score >= 9:
		return 100
	case score <= 6:
		return -100
	}
	return 0
}

func (w *truthWatch) decided(*customer, int64) {}

// final writes a customer's line when the history is over.
func (w *truthWatch) final(c *customer) {
	b := w.attrition
	b = strconv.AppendUint(b, c.idx, 10)
	b = append(b, ',')
	b = w.b.appendID(b, sysCore, 0, c.idx)
	b = append(b, ',')
	b = time.UnixMicro(c.joined).In(Zone).AppendFormat(b, time.DateOnly)
	b = append(b, ',')
	if c.left != 0 {
		b = time.UnixMicro(c.left).In(Zone).AppendFormat(b, time.DateOnly)
	}
	b = append(b, ',')
	b = strconv.AppendBool(b, c.has(flagLeaving))
	b = append(b, ',')
	b = strconv.AppendFloat(b, c.hazard, 'g', 6, 64)
	b = append(b, ',')
	b = strconv.AppendFloat(b, float64(c.base), 'f', 3, 32)
	b = append(b, ',')
	b = strconv.AppendFloat(b, float64(c.feel), 'f', 3, 32)
	w.attrition = append(b, '\n')
}

// TruthSummary is what WriteTruth counted.
type TruthSummary struct {
	People  int `json:"people"`
	Records int `json:"records"`
	Left    int `json:"left"`
}

// WriteTruth runs the history once more and writes the truth into a folder.
func (b *Bank) WriteTruth(dir string) (TruthSummary, error) {
	var sum TruthSummary
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return sum, fmt.Errorf("bank: making the folder of the truth: %w", err)
	}
	var files [3]*bufio.Writer
	for i, f := range [...]struct{ name, head string }{{"people.csv", truthPeople}, {"identity.csv", "system,record_id,person,household,copy,created,errors\n"},
		{"attrition.csv", "person,core_id,joined,ended,decided_to_leave,hazard,base_feeling,last_feeling\n"}} {
		h, err := os.Create(filepath.Join(dir, f.name))
		if err != nil {
			return sum, fmt.Errorf("bank: writing the truth: %w", err)
		}
		defer h.Close()
		files[i] = bufio.NewWriterSize(h, 1<<18)
		files[i].WriteString(f.head)
	}
	total := newTruthWatch(b)
	b.watchAll(total, func(part *truthPart) bool {
		for i, p := range [...][]byte{part.people, part.identity, part.attrition} {
			files[i].Write(p)
		}
		sum.People += part.n
		sum.Records += part.records
		sum.Left += part.left
		return true
	})
	for _, f := range files {
		if err := f.Flush(); err != nil {
			return sum, fmt.Errorf("bank: writing the truth: %w", err)
		}
	}
	return sum, b.writeTruthTables(dir, total)
}

// truthPart is what one batch of customers adds to the per-person files.
type truthPart struct {
	people, identity, attrition []byte
	n, records, left            int
}

// watchAll runs every customer under watch and merges the tables into total.
func (b *Bank) watchAll(total *truthWatch, yield func(*truthPart) bool) {
	var mu sync.Mutex
	slots := b.slots(b.end)
	jobs := int((slots + customersPerBatch - 1) / customersPerBatch)
	var all []*truthWatch
	ordered(jobs, func() func(int) *truthPart {
		w := newTruthWatch(b)
		mu.Lock()
		all = append(all, w)
		mu.Unlock()
		s := &sim{b: b, watch: w}
		c := &customer{}
		return func(k int) *truthPart {
			part := &truthPart{}
			w.attrition = nil
			from := uint64(k) * customersPerBatch
			for slot := from; slot < min(from+customersPerBatch, slots); slot++ {
				s.each(c, slot, func() {
					if c.has(flagProspect) {
						return
					}
					w.final(c)
					b.truthOf(part, c)
				})
			}
			part.attrition = w.attrition
			return part
		}
	}, yield)
	for _, w := range all {
		total.merge(w)
	}
}

// merge adds another worker's sums. Sums of floats depend on the order of
// addition, so the tables are printed with few digits.
func (w *truthWatch) merge(o *truthWatch) {
	add := func(a *cell, b *cell) {
		a.n, a.answered = a.n+b.n, a.answered+b.answered
		a.sum, a.sumAnswered, a.nps = a.sum+b.sum, a.sumAnswered+b.sumAnswered, a.nps+b.nps
	}
	for k, c := range o.feeling {
		add(at(w.feeling, k), c)
	}
	for k, c := range o.responses {
		add(at(w.responses, k), c)
	}
	for k, c := range o.felts {
		add(at(w.felts, k), c)
	}
}

// truthOf writes who a customer is and which records are the customer's.
func (b *Bank) truthOf(part *truthPart, c *customer) {
	p := b.Person(c.idx)
	part.n++
	if c.left != 0 {
		part.left++
	}
	part.people = fmt.Appendf(part.people, "%d,%d,%s,%t,%s,%s,%s,%s,%s,%s,%d\n", p.Index, p.Household, p.FullName(), p.Female, p.Birth.Format(time.DateOnly),
		p.Phone, p.Carrier, p.Language, b.packs.provinces[p.Province].name, p.Job, p.Income)
	for _, r := range recordBits {
		if c.records&r.bit == 0 {
			continue
		}
		part.records++
		rec := b.record(&p, r.sys, r.copy, 0, c.joined)
		part.identity = fmt.Appendf(part.identity, "%s,%s,%d,%d,%d,%s,%s\n", rec.System, rec.ID, p.Index, p.Household, r.copy, rec.Created.Format(time.DateOnly),
			strings.Join(rec.Errors, " "))
	}
}

func (b *Bank) writeTruthTables(dir string, w *truthWatch) error {
	write := func(name string, fill func(io.Writer)) error {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("bank: writing the truth: %w", err)
		}
		buf := bufio.NewWriter(f)
		fill(buf)
		if err := buf.Flush(); err != nil {
			f.Close()
			return fmt.Errorf("bank: writing the truth: %w", err)
		}
		return f.Close()
	}
	months := [2]int{monthOf(b.start), monthOf(b.end - 1)}
	if err := write("feeling.csv", func(o io.Writer) {
		fmt.Fprintln(o, "month,region,customers,mean_feeling,nps_if_all_answered")
		for m := months[0]; m <= months[1]; m++ {
			for r := range Regions {
				if c := w.feeling[[2]int{m, r}]; c != nil {
					fmt.Fprintf(o, "%s,%s,%d,%.4f,%.2f\n", monthName(m), Regions[r].Code, c.n, c.sum/float64(c.n), c.nps/float64(c.n))
				}
			}
		}
	}); err != nil {
		return err
	}
	if err := write("responses.csv", func(o io.Writer) {
		fmt.Fprintln(o, "month,instrument,invited,answered,mean_if_all_answered,mean_of_answers")
		for m := months[0]; m <= months[1]; m++ {
			for i := 1; i < len(instrumentNames); i++ {
				if c := w.responses[[2]int{m, i}]; c != nil {
					fmt.Fprintf(o, "%s,%s,%d,%d,%.4f,%.4f\n", monthName(m), instrumentNames[i], c.n, c.answered, c.sum/float64(c.n), c.sumAnswered/math.Max(float64(c.answered), 1))
				}
			}
		}
	}); err != nil {
		return err
	}
	if err := write("experiences.csv", func(o io.Writer) {
		fmt.Fprintln(o, "reason,experiences,mean_quality")
		for r := range rLastSurvey {
			if c := w.felts[r]; c != nil && r != rNone {
				fmt.Fprintf(o, "%s,%d,%.4f\n", reasonNames[r], c.n, c.sum/float64(c.n))
			}
		}
	}); err != nil {
		return err
	}
	if err := write("effects.csv", b.writeEffects); err != nil {
		return err
	}
	if err := write("staff.csv", b.writeStaff); err != nil {
		return err
	}
	if err := write("plan.json", func(o io.Writer) { encodeIndented(o, b.PlanTruth()) }); err != nil {
		return err
	}
	return write("model.json", func(o io.Writer) { encodeIndented(o, Model()) })
}

func encodeIndented(w io.Writer, v any) {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	e.Encode(v) // values of this package always encode; writing errors show at flush
}

func (b *Bank) writeEffects(o io.Writer) {
	fmt.Fprintln(o, "effect,branch,wave,start")
	for i := range b.world.plan.Effects {
		e := &b.world.plan.Effects[i]
		start, _ := b.Span(e)
		for u := range b.packs.branches {
			wave := b.WaveOf(i, u)
			if b.world.waves[i] == nil {
				continue
			}
			day := ""
			if wave >= 0 {
				day = start.AddDate(0, 0, wave*e.EveryDays).Format(time.DateOnly)
			}
			fmt.Fprintf(o, "%s,%s,%d,%s\n", e.ID, b.packs.branches[u].Path, wave, day)
		}
	}
}

// writeStaff writes how much better or worse than average each unit and each of
// its people is felt, in sd.
func (b *Bank) writeStaff(o io.Writer) {
	fmt.Fprintln(o, "unit,staff_key,unit_effect,staff_effect")
	s := &sim{b: b}
	for u := range len(b.packs.branches) + len(centralUnits) {
		w := walk{s: s}
		w.it.unit = uint16(u + 1)
		for n := 1; n <= b.packs.staffOf(uint16(u)); n++ {
			house := 0.0
			if u < len(b.packs.branches) {
				house = w.house()
			}
			fmt.Fprintf(o, "%s,%s,%.3f,%.3f\n", b.packs.unitPath(uint16(u)), b.packs.staffKey(nil, uint16(u), uint16(n)), house, w.skill(uint16(n)))
		}
	}
}

// PlantedEffect is an effect of the plan with its instants.
type PlantedEffect struct {
	Effect
	Start time.Time  `json:"start"`
	End   *time.Time `json:"end,omitempty"`
}

// PlanTruth gives the planted effects with their instants.
func (b *Bank) PlanTruth() []PlantedEffect {
	out := make([]PlantedEffect, 0, len(b.world.plan.Effects))
	for _, e := range b.world.plan.Effects {
		p := PlantedEffect{Effect: e}
		start, end := b.Span(&e)
		if p.Start = start; !end.IsZero() {
			p.End = &end
		}
		out = append(out, p)
	}
	return out
}

// Launch is what the bank itself knows of a change it made: not what it does.
type Launch struct {
	ID     string     `json:"id"`
	Kind   string     `json:"kind"`
	En     string     `json:"en"`
	Vi     string     `json:"vi"`
	Start  time.Time  `json:"start"`
	End    *time.Time `json:"end,omitempty"`
	Share  float64    `json:"random_share_of_customers,omitempty"`
	Places []Rollout  `json:"branches,omitempty"`
}

// Rollout is when a branch gets a change; Start is absent for one held out.
type Rollout struct {
	Branch string     `json:"branch"`
	Wave   int        `json:"wave"`
	Start  *time.Time `json:"start,omitempty"`
}

// Launches lists the policies, initiatives and trainings of the plan as a bank
// would record them: when, where and for whom, without their effect.
func (b *Bank) Launches() []Launch {
	var out []Launch
	for i := range b.world.plan.Effects {
		e := &b.world.plan.Effects[i]
		if e.Kind == "incident" || e.Kind == "push" {
			continue
		}
		start, end := b.Span(e)
		l := Launch{ID: e.ID, Kind: e.Kind, En: e.En, Vi: e.Vi, Start: start, Share: e.Share}
		if !end.IsZero() {
			l.End = &end
		}
		for u := range b.packs.branches {
			if b.world.waves[i] == nil {
				break
			}
			r := Rollout{Branch: b.packs.branches[u].Path, Wave: b.WaveOf(i, u)}
			if r.Wave >= 0 {
				t := start.AddDate(0, 0, r.Wave*e.EveryDays)
				r.Start = &t
			}
			l.Places = append(l.Places, r)
		}
		out = append(out, l)
	}
	return out
}

// Links are the known strengths of the model.
type Links struct {
	RewardPerGap        float64            `json:"reward_per_gap"`
	PenaltyPerGap       float64            `json:"penalty_per_gap"`
	RelaxationDays      float64            `json:"relaxation_days"`
	AttritionYear       float64            `json:"attrition_year_neutral"`
	AttritionPerFeeling float64            `json:"attrition_per_feeling"`
	BalancePerFeeling   float64            `json:"balance_growth_per_feeling_month"`
	DepositPerFeeling   float64            `json:"deposit_stays_log_odds_per_feeling"`
	ReferralPerFeeling  float64            `json:"referral_per_feeling"`
	ResponseLogOdds     map[string]float64 `json:"response_log_odds_by_channel"`
	ResponseSlope       map[string]float64 `json:"response_log_odds_per_felt_sd_by_channel"`
	CostVND             map[string]int     `json:"cost_vnd"`
}

// Model gives the known links between cause and consequence.
func Model() Links {
	m := Links{RewardPerGap: RewardPerGap, PenaltyPerGap: PenaltyPerGap, RelaxationDays: relaxation / float64(day), AttritionYear: attritionYear,
		AttritionPerFeeling: AttritionPerFeeling, BalancePerFeeling: BalancePerFeeling, DepositPerFeeling: DepositPerFeeling, ReferralPerFeeling: ReferralPerFeeling,
		ResponseLogOdds: map[string]float64{}, ResponseSlope: map[string]float64{}, CostVND: map[string]int{"branch_visit": costVisit, "call": costCall, "digital": costDigital, "message": costMessage,
			"card": costCard, "complaint": costComplaint, "dispute": costDispute, "loan_application": costLoan}}
	for ch, x := range responseBase {
		if x != 0 {
			m.ResponseLogOdds[channelNames[ch]] = x
			m.ResponseSlope[channelNames[ch]] = responseSlope[ch]
		}
	}
	return m
}
