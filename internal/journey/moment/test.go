package moment

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"omote/analytics/moments"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
)

// JobKind is the job that tests everything; it takes no arguments.
const JobKind = "journey.moment"

// Limits of a test.
const (
	testLevel = 0.9
	falseRate = 0.05   // of false discoveries among all hypotheses of a test
	testRows  = 40_000 // of one comparison; above it a part of those not exposed is drawn
	testSeed  = 1
)

// result is all that one test found.
type result struct {
	run      Run
	findings []Finding
	pains    []Pain
	curves   map[string][]FeelingPoint
}

// Service tests, keeps and reads moments of truth and pains.
type Service struct {
	db      *store.DB
	facts   Facts
	designs Designs
	jobs    *jobs.Jobs
	clock   clock.Clock
}

// NewService makes the service.
func NewService(db *store.DB, facts Facts, designs Designs, j *jobs.Jobs) *Service {
	return &Service{db: db, facts: facts, designs: designs, jobs: j, clock: db.Clock()}
}

// Test is the work of the job: it tests every hypothesis of every journey and
// stores what was found.
func (s *Service) Test(ctx context.Context, run *jobs.Run) error {
	say := func(done, total int, note string) error {
		if run == nil {
			return nil
		}
		return run.Progress(ctx, jobs.Progress{Done: int64(done), Total: int64(total), Note: note})
	}
	designs, err := s.designs.Designs(ctx)
	if err != nil {
		return err
	}
	worth, err := s.Worth(ctx)
	if err != nil {
		return err
	}
	found, err := test(ctx, s.facts, designs, worth, s.clock, say)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := save(ctx, tx, found); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.moment.test", Object: fmt.Sprintf("moment/%d", found.run.Tested.Unix()), After: found.run})
	})
}

func test(ctx context.Context, facts Facts, designs []Design, worth Worth, c clock.Clock, say func(done, total int, note string) error) (*result, error) {
	began := c.Now()
	h, err := loadHistory(ctx, facts, designs)
	if err != nil {
		return nil, err
	}
	out := &result{curves: map[string][]FeelingPoint{}, run: Run{Tested: began.UTC().Truncate(time.Microsecond), Customers: h.Log.Cases(), Events: h.Log.Events(), Level: testLevel}}
	first, last, ok := h.Log.TimeRange()
	if !ok {
		return out, nil
	}
	out.run.First, out.run.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	o := moments.Options{Level: testLevel, MaxRows: testRows, Seed: testSeed}
	t := tester{h: h, worth: worth, options: o, quarters: float64(last-first) / (91.3125 * 86400e6)}
	for i, d := range designs {
		if err := say(i, len(designs), d.Journey); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := t.journey(d, out); err != nil {
			return nil, fmt.Errorf("test the journey %s: %w", d.Journey, err)
		}
	}
	t.judge(out)
	t.rank(out)
	out.run.Hypotheses, out.run.Took = len(out.findings), c.Now().Sub(began).Seconds()
	slog.InfoContext(ctx, "moments of truth tested", "hypotheses", len(out.findings), "pains", len(out.pains), "seconds", out.run.Took)
	return out, say(len(designs), len(designs), "")
}

// tester collects tests and pains of all journeys, to judge and rank them
// together.
type tester struct {
	h        *history
	worth    Worth
	options  moments.Options
	quarters float64
	tests    []moments.Test
	of       []Finding // of each test, before it is judged
	journeys map[string]moments.Journey
	pains    []*moments.Pain
	painOf   map[*moments.Pain]Design
}

func (t *tester) journey(d Design, out *result) error {
	if t.painOf == nil {
		t.painOf, t.journeys = map[*moments.Pain]Design{}, map[string]moments.Journey{}
	}
	j := t.h.journey(d)
	if j.ID < 0 {
		return nil
	}
	t.journeys[d.Journey] = j
	tests, err := moments.TestSteps(&t.h.History, j, t.h.outcomes(Tested), t.options)
	if err != nil {
		return err
	}
	for _, x := range tests {
		t.tests = append(t.tests, x)
		t.of = append(t.of, Finding{Journey: d.Journey, Step: d.Steps[x.Step].Event, Place: x.Step + 1, Outcome: Tested[x.Outcome], Tested: out.run.Tested, Candidate: d.Steps[x.Step].Candidate})
	}
	pains, err := moments.FindPains(&t.h.History, j, t.h.outcomes(Priced), t.worth.values(), t.options)
	if err != nil {
		return err
	}
	for i := range pains {
		t.pains = append(t.pains, &pains[i])
		t.painOf[&pains[i]] = d
	}
	points, any := curve(&t.h.History, j, d)
	if any {
		out.curves[d.Journey] = points
	}
	if sum := t.summary(d, j, points); sum.Cases > 0 {
		out.run.Journeys = append(out.run.Journeys, sum)
	}
	return nil
}

// summary counts what happened in a journey; what it costs is added when pains are
// ranked.
func (t *tester) summary(d Design, j moments.Journey, points []FeelingPoint) Summary {
	s := Summary{Journey: d.Journey, Steps: len(d.Steps)}
	var score, low, high, asked float64
	for _, p := range points {
		if p.Runs > 0 {
			s.Seen++
		}
		if p.Score.Known {
			n := float64(p.Score.N)
			s.Asked, asked = s.Asked+1, asked+n
			score, low, high = score+n*p.Score.Value, low+n*p.Score.Low, high+n*p.Score.High
		}
	}
	if asked > 0 {
		// The steps' scores are joined as if wholly dependent: the widest interval.
		s.Feeling = Interval{Value: score / asked, Low: low / asked, High: high / asked, N: int64(asked), Known: true}
	}
	moved := 0
	for c := range t.h.Log.Cases() {
		journeys, cases, units := t.h.Log.Values(moments.ColumnJourney, c), t.h.Log.Values(moments.ColumnCase, c), t.h.Log.Values(moments.ColumnUnit, c)
		holder := map[int32]int32{}
		for i, id := range journeys {
			if id != j.ID || cases[i] < 0 {
				continue
			}
			was, begun := holder[cases[i]]
			if !begun {
				s.Cases++
				was = -1
			}
			if units[i] >= 0 && was >= 0 && units[i] != was {
				moved++
			}
			if units[i] >= 0 || !begun {
				holder[cases[i]] = units[i]
			}
		}
		if len(holder) > 0 {
			s.Customers++
		}
	}
	if s.Cases > 0 {
		s.HandOffs, s.Quarterly = float64(moved)/float64(s.Cases), float64(s.Cases)/max(t.quarters, 1e-6)
	}
	return s
}

func curve(h *moments.History, j moments.Journey, d Design) (points []FeelingPoint, any bool) {
	for i, f := range moments.Curve(h, j, testLevel) {
		p := FeelingPoint{Step: d.Steps[i].Event, Score: intervalOf(f.Score), Change: intervalOf(f.Change), Runs: f.Runs}
		if f.Negative.N > 0 {
			p.Negative = intervalOf(f.Negative)
		}
		any = any || f.Runs > 0
		points = append(points, p)
	}
	return points, any
}

func (t *tester) judge(out *result) {
	moments.Judge(t.tests, falseRate)
	for i, x := range t.tests {
		f := t.of[i]
		f.Verdict = x.Verdict.String()
		f.First, f.Second = effectOf(x.First), effectOf(x.Second)
		if r := x.Whole; r != nil {
			f.Effect, f.Observed, f.Expected, f.Raw = intervalOf(r.Effect), r.Observed, r.Expected, r.Raw
			f.Exposed, f.Others, f.Customers = r.Exposed, r.Others, r.Customers
			f.Trimmed, f.Imbalance, f.Effective = r.Overlap.Trimmed, finite(r.Overlap.Imbalance), finite(r.Overlap.Effective)
			f.Reach = float64(r.Exposed) / max(t.quarters, 1e-6)
			f.Index = f.Reach * max(f.Effect.Low, 0) * t.worth.of(f.Outcome)
		}
		if f.Q = x.Q; f.Q != f.Q {
			f.Q = 1
		}
		if x.Verdict >= moments.Probable {
			t.shape(&f, x)
		}
		out.findings = append(out.findings, f)
	}
}

// shape tells the form of a shown effect; where it cannot be told it stays empty.
func (t *tester) shape(f *Finding, x moments.Test) {
	s, err := moments.Asymmetry(&t.h.History, t.journeys[f.Journey], x.Step, t.h.outcomes(Tested)[x.Outcome], t.options)
	if err == nil {
		f.Form, f.Sure = s.Form.String(), s.Sure
	}
}

func finite(x float64) float64 {
	if x != x || x > 1e9 {
		return 1e9
	}
	return x
}

func (t *tester) rank(out *result) {
	moments.Rank(t.pains, t.worth.values())
	for i, p := range t.pains {
		d := t.painOf[p]
		x := Pain{Journey: d.Journey, Step: d.Steps[p.Step].Event, Place: p.Step + 1, Kind: kindOf(p.Kind), Rank: i + 1, Runs: p.Runs, Customers: p.Customers,
			Reach: intervalOf(p.Reach), Cost: intervalOf(p.Cost), Money: intervalOf(p.Money), Expected: intervalOf(p.Expected), Felt: intervalOf(p.Felt), Sound: p.Sound}
		if p.Kind == moments.Failed {
			x.Event = t.h.names.Name(p.Event)
		}
		x.ID = strings.Join([]string{x.Journey, x.Step, x.Kind, x.Event}, ".")
		x.ID = strings.TrimSuffix(x.ID, ".")
		for k, r := range p.Harm {
			x.Harm = append(x.Harm, Harm{Outcome: Priced[k], Effect: effectOf(r)})
		}
		for _, q := range p.Quotes {
			x.Quotes = append(x.Quotes, t.h.answers[q])
		}
		out.pains = append(out.pains, x)
	}
	for i := range out.run.Journeys {
		out.run.Journeys[i].Loss = loss(out.pains, out.run.Journeys[i].Journey)
	}
}

// loss adds up what the pains of a journey are expected to cost. Those that overlap
// (waiting because of trouble) would count twice, so that of each step only the
// dearest counts.
func loss(pains []Pain, journey string) Interval {
	dearest := map[string]Interval{}
	for _, p := range pains {
		if p.Journey == journey && p.Expected.Known && p.Expected.Value > dearest[p.Step].Value {
			dearest[p.Step] = p.Expected
		}
	}
	sum, below, above := Interval{Known: true}, 0.0, 0.0
	for _, x := range dearest {
		sum.Value += x.Value
		below += (x.Value - x.Low) * (x.Value - x.Low)
		above += (x.High - x.Value) * (x.High - x.Value)
	}
	sum.Low, sum.High, sum.N = max(sum.Value-math.Sqrt(below), 0), sum.Value+math.Sqrt(above), int64(len(dearest))
	return sum
}

// Start asks for a test and gives the id of its job. While one waits or runs
// there is no second.
func (s *Service) Start(ctx context.Context) (id string, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return "", err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		id, err = s.jobs.Submit(ctx, tx, JobKind, struct{}{}, jobs.Submission{Unique: JobKind})
		if err != nil {
			return fmt.Errorf("ask for a test of moments of truth: %w", err)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.moment.start", Object: "job/" + id})
	})
	return id, err
}
