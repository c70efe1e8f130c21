package conform

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey"
	"omote/internal/journey/belong"
	"omote/internal/journey/blueprint"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

const day = int64(24 * time.Hour / time.Microsecond)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func card() *blueprint.Document {
	step := func(id string, wait time.Duration) blueprint.Step {
		return blueprint.Step{ID: id, Name: blueprint.Text{EN: id, VI: id}, Events: []string{id}, MaxWait: blueprint.Duration(wait), Actor: blueprint.Customer}
	}
	return &blueprint.Document{Journey: "card", Name: blueprint.Text{EN: "Card", VI: "Thẻ"}, Owner: "cards", Start: []string{"asked"}, Success: []string{"used"}, Failure: []string{"gave_up"},
		Timeout: blueprint.Duration(10 * 24 * time.Hour), Exceptions: []string{"gave_up"},
		Stages: []blueprint.Stage{{ID: "s", Steps: []blueprint.Step{step("asked", 0), step("sent", 48*time.Hour), step("used", 0)}}}}
}

// line is a case: events with the day on which they happen, and its channel.
type line struct {
	channel string
	events  []string
	days    []float64
}

func logOf(t testing.TB, lines ...line) *mining.Log {
	t.Helper()
	b := mining.NewBuilder("channel")
	for _, l := range lines {
		c := b.NewCase("")
		for i, e := range l.events {
			b.Add(c, b.Activity(e), begin+int64(l.days[i]*float64(day)), b.Value(0, l.channel))
		}
	}
	log, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// TestCompare reckons four cases by hand.
func TestCompare(t *testing.T) {
	t.Parallel()
	l := logOf(t,
		line{"app", []string{"asked", "sent", "used"}, []float64{0, 1, 2}},             // as designed: cost 0
		line{"app", []string{"asked", "sent", "used"}, []float64{0, 5, 6}},             // sent late: cost 1
		line{"branch", []string{"asked", "used"}, []float64{0, 3}},                     // sent skipped: cost 1
		line{"branch", []string{"asked", "sent", "gave_up"}, []float64{0, 1, 2}},       // used skipped, exception: cost 2
		line{"branch", []string{"asked", "sent"}, []float64{58, 59}},                   // still open: left out
		line{"app", []string{"asked", "sent", "used", "used"}, []float64{0, 1, 2, 60}}, // repeated: cost 1
	)
	r, err := Compare(card(), l, Part{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := (1 + (1 - 1./6) + (1 - 1./5) + (1 - 2./6) + (1 - 1./7)) / 5
	if r.Cases != 5 || r.Open != 1 || r.Cost != 5 || r.Perfect != 1 || math.Abs(r.Fitness.Value-want) > 1e-12 {
		t.Errorf("%d cases, %d open, cost %d, perfect %d, fitness %v, want %v", r.Cases, r.Open, r.Cost, r.Perfect, r.Fitness, want)
	}
	if s := r.Step("sent"); s.Done != 4 || s.Skipped != 1 || s.Late != 1 || s.Waits != 4 {
		t.Errorf("sent: %+v", *s)
	}
	if s := r.Step("used"); s.Done != 4 || s.Skipped != 1 || s.Repeated != 1 {
		t.Errorf("used: %+v", *s)
	}
	if g := r.Groups["channel"]; len(g) != 2 || g[0].Name != "app" || g[0].Fitness.N != 3 {
		t.Errorf("%+v", g)
	}
	if g := r.Groups["outcome"]; len(g) != 2 || g[0].Name != "succeeded" || g[0].Fitness.N != 4 {
		t.Errorf("%+v", g)
	}
	part, err := Compare(card(), l, Part{"channel", "branch"}, nil)
	if err != nil || part.Cases != 2 || part.Cost != 3 {
		t.Errorf("%+v %v", part, err)
	}
	if worst := r.Worst(1, 1); worst[0].Step != "sent" {
		t.Errorf("%+v", worst)
	}
	c := Cover(card(), r, map[string]Answers{"used": {Scores: 3, Words: 1}})
	if math.Abs(c.Breadth-4./13) > 1e-9 || c.Steps[0].Depth() != 1./5 || c.Steps[1].Depth() != 2./5 || c.Steps[2].Depth() != 3./5 || !c.Steps[0].Blind() || c.Steps[2].Blind() {
		t.Errorf("%+v", c)
	}
}

// TestDrift: paths that change are found, paths that do not are not.
func TestDrift(t *testing.T) {
	t.Parallel()
	make := func(changed bool) *mining.Log {
		var lines []line
		for i := range 360 {
			at := float64(i) / 2 // two a day over 180 days
			l := line{"app", []string{"asked", "sent", "used"}, []float64{at, at + 1, at + 2}}
			if i%5 == 0 {
				l = line{"app", []string{"asked", "used"}, []float64{at, at + 1}}
			}
			if changed && i >= 180 && i%2 == 0 {
				l = line{"app", []string{"asked", "called", "sent", "gave_up"}, []float64{at, at + .5, at + 1, at + 2}}
			}
			lines = append(lines, l)
		}
		return logOf(t, lines...)
	}
	d, err := FindDrift(card(), make(true), 1)
	if err != nil || !d.Told() || d.Recent.High >= d.Before.Low {
		t.Errorf("%+v %v", d, err)
	}
	if d, err = FindDrift(card(), make(false), 1); err != nil || d.Told() {
		t.Errorf("%+v %v", d, err)
	}
	if d, err = FindDrift(card(), logOf(t, line{"app", []string{"asked"}, []float64{0}}), 1); d != nil || err != nil {
		t.Errorf("too few cases: %+v %v", d, err)
	}
}

// fakes stand for the module's other parts.
type fakes struct {
	log *mining.Log
	v   blueprint.Version
}

func (f *fakes) Log(context.Context, string) (*mining.Log, time.Time, error) {
	return f.log, time.UnixMicro(begin), nil
}
func (f *fakes) Live(context.Context) ([]blueprint.Version, error) {
	return []blueprint.Version{f.v}, nil
}
func (f *fakes) Version(context.Context, string, int) (blueprint.Version, error) { return f.v, nil }

// TestRefreshOpensTasks: an old map asks for a look, once; whoever closed the task
// is not asked again at once; only the platform refreshes.
func TestRefreshOpensTasks(t *testing.T) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		f := &fakes{log: logOf(t), v: blueprint.Version{Document: card(), Number: 3, DecidedAt: testkit.Epoch.AddDate(-2, 0, 0)}}
		f.v.Document.Stages[0].Steps = nil // nothing is bound, so nothing needs the warehouse
		s := NewService(db, nil, f, f, testkit.Clock(db))
		lead := auth.WithActor(t.Context(), auth.Actor{Kind: auth.Person, ID: "lead", Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: auth.CXLead, Unit: "/"}}})
		if _, err := s.Refresh(lead); errs.KindOf(err) != errs.KindDenied {
			t.Error(err)
		}
		for i, want := range []int{1, 0} {
			if n, err := s.Refresh(testkit.Context(t)); err != nil || n != want {
				t.Fatal(i, n, err)
			}
		}
		list, err := s.Tasks(lead)
		if err != nil || len(list) != 1 || list[0].Reason != ReasonAge || list[0].Owner != "cards" || list[0].Version != 3 {
			t.Fatal(list, err)
		}
		if err := s.Close(lead, list[0].ID, " "); errs.KindOf(err) != errs.KindInvalid {
			t.Error(err)
		}
		if err := s.Close(lead, list[0].ID, "still right"); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Refresh(testkit.Context(t)); err != nil || n != 0 {
			t.Error("asked again at once", n, err)
		}
		testkit.Clock(db).Advance(again + time.Hour)
		if n, err := s.Refresh(testkit.Context(t)); err != nil || n != 1 {
			t.Error("not asked again after a while", n, err)
		}
		sums, err := s.Summaries(lead)
		if err != nil || sums["card"].Version != 3 {
			t.Error(sums, err)
		}
		branch := auth.WithActor(t.Context(), auth.Actor{Kind: auth.Person, ID: "c", Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: auth.Champion, Unit: "/north/"}}})
		if sums, err = s.Summaries(branch); err != nil || len(sums) != 0 {
			t.Error("a part of the bank sees the whole", sums, err)
		}
	}, audit.Migrations, journey.Migrations)
}

// A customer counts in every segment they belong to; a part by segment takes its
// cases alone.
func TestCompareBySegment(t *testing.T) {
	t.Parallel()
	b := mining.NewBuilder("channel")
	customer := map[string]string{}
	for i := range 12 {
		id := fmt.Sprint("run", i)
		customer[id] = fmt.Sprint("c", i)
		c := b.Case(id)
		b.Add(c, b.Activity("asked"), begin)
		if i%2 == 0 { // the others skip a step
			b.Add(c, b.Activity("sent"), begin+day)
		}
		b.Add(c, b.Activity("used"), begin+2*day)
	}
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	in, err := belong.New(t.Context(), evens{}, []belong.Segment{{ID: "even"}, {ID: "all"}, {ID: "three"}}, customer)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Compare(card(), l, Part{}, in)
	if err != nil {
		t.Fatal(err)
	}
	if g := r.Groups[BySegment]; len(g) != 2 || g[0].Name != "all" || g[0].Fitness.N != 12 || g[0].Perfect != 6 || g[1].Name != "even" || g[1].Fitness.Value != 1 {
		t.Errorf("%+v", g) // three are too few to be shown
	}
	part, err := Compare(card(), l, Part{BySegment, "even"}, in)
	if err != nil || part.Cases != 6 || part.Cost != 0 {
		t.Errorf("%+v %v", part, err)
	}
	if none, err := Compare(card(), l, Part{BySegment, "even"}, nil); err != nil || none.Cases != 0 {
		t.Errorf("%+v %v", none, err)
	}
}

// evens has customers of even number in "even", three in "three".
type evens struct{}

func (evens) Segments(context.Context) ([]belong.Segment, error) { return nil, nil }
func (evens) Members(_ context.Context, id string, yield func(string)) error {
	for i := range 12 {
		if id == "all" || id == "even" && i%2 == 0 || id == "three" && i < 3 {
			yield(fmt.Sprint("c", i))
		}
	}
	return nil
}
