package initiative

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/internal/governance/packs"
	"omote/internal/governance/record"
)

var day0 = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func TestLaneAtItsBounds(t *testing.T) {
	t.Parallel()
	edge := Facts{Days: QuickDays, Units: QuickUnits, Budget: QuickBudget}
	for name, c := range map[string]struct {
		change func(*Facts)
		want   Lane
	}{
		"on the bounds": {func(*Facts) {}, QuickWin}, "a day more": {func(f *Facts) { f.Days++ }, Strategic}, "a unit more": {func(f *Facts) { f.Units++ }, Strategic},
		"core": {func(f *Facts) { f.CoreChange = true }, Strategic}, "a dong more": {func(f *Facts) { f.Budget++ }, Strategic},
		"obligation": {func(f *Facts) { f.Obligation = true }, Mandatory}, "a large obligation": {func(f *Facts) { f.Obligation, f.Days = true, 500 }, Mandatory},
	} {
		f := edge
		c.change(&f)
		if got := LaneOf(f); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Kaplan and Meier by hand: done after 10 and 30 days, stopped after 20, one runs
// for 40: 3/4 after 10 days, and 3/4·1/2 after 30.
func TestSurvivalByHand(t *testing.T) {
	t.Parallel()
	one := func(days int, state string) Doc {
		d := Doc{Head: record.Head{Created: day0, State: state}}
		if state != Running {
			d.Body.Ended = day0.AddDate(0, 0, days)
		}
		return d
	}
	curve := Survive([]Doc{one(10, Finished), one(20, Stopped), one(30, Finished), one(0, Running)}, day0.AddDate(0, 0, 40))
	if len(curve) != 2 || math.Abs(curve[0].Share-0.75) > 1e-12 || math.Abs(curve[1].Share-0.375) > 1e-12 || curve[1].At != 2 {
		t.Errorf("%+v", curve)
	}
}

// A gate never opens while a criterion has neither the platform's word nor evidence
// of its grade, nor while a role that must take part does not; and evidence never
// closes one that was met.
func TestGateNeedsEverything(t *testing.T) {
	t.Parallel()
	pack, err := packs.Load()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		i := Initiative{Stage: Stages[rapid.IntRange(0, 3).Draw(t, "stage")], Lane: rapid.SampledFrom([]Lane{QuickWin, Strategic, Mandatory}).Draw(t, "lane")}
		yes := true
		seen := Seen{NodeLive: rapid.Bool().Draw(t, "node"), Effect: &yes, Signed: &yes}
		if rapid.Bool().Draw(t, "raci") {
			seen.RACI = &yes
		}
		g := CheckGate(pack, i, seen)
		for _, r := range g.Absent {
			i.People = append(i.People, Participant{Role: r})
		}
		for _, m := range g.Criteria {
			if rapid.Bool().Draw(t, "prove") {
				i.Evidence = append(i.Evidence, Evidence{Criterion: m.ID, Grade: rapid.IntRange(0, 2).Draw(t, "grade")})
			}
		}
		after := CheckGate(pack, i, seen)
		if len(after.Absent) != 0 {
			t.Fatalf("absent after all joined: %v", after.Absent)
		}
		for k, m := range after.Criteria {
			if g.Criteria[k].OK && !m.OK {
				t.Fatalf("evidence closed %s", m.ID)
			}
			if m.OK && m.By == "evidence" && (m.Evidence == nil || m.Evidence.Grade < min(m.MinGrade, Record)) {
				t.Fatalf("%s is met by %+v", m.ID, m.Evidence)
			}
			if !m.OK && after.Open() {
				t.Fatalf("open without %s", m.ID)
			}
			if m.OK && m.By == "no" {
				t.Fatalf("%s is met against the platform", m.ID)
			}
		}
	})
}
