package assess

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func small() Instrument {
	return Instrument{
		Pillars:    []Pillar{{"a", 1}, {"b", 1}},
		Indicators: []Indicator{{ID: "a1", Pillar: "a", Weight: 1, Thresholds: []float64{0.1, 0.5, 0.8, 0.95}}, {ID: "a2", Pillar: "a", Weight: 1, Needs: []string{"b1"}}, {ID: "b1", Pillar: "b", Weight: 1}},
		Groups:     []Group{{"council", 1, 3}, {"frontline", 1, 4}},
		Evidence:   []Evidence{{0, 0.4, 3}, {1, 0.7, 4}, {2, 0.9, 5}, {3, 1, 5}},
	}
}

func same(group string, n, a1, a2, b1 int) (out []Rater) {
	for range n {
		out = append(out, Rater{group, map[string]int{"a1": a1, "a2": a2, "b1": b1}})
	}
	return out
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// By hand: council says 5, 5, 4; frontline 3, 1, 2. Groups weigh alike: 4, 3, 3.
func TestByHand(t *testing.T) {
	t.Parallel()
	x := Input{Raters: append(same("council", 3, 5, 5, 4), same("frontline", 9, 3, 1, 2)...), Evidence: map[string]int{"a1": 2, "a2": 1}, Seed: 1}
	out, err := Score(small(), x)
	if err != nil {
		t.Fatal(err)
	}
	a1, a2, b1 := out.Indicators[0], out.Indicators[1], out.Indicators[2]
	if !near(a1.Claimed, 4) || !near(a1.Score, 4) || !near(a2.Claimed, 3) || !near(b1.Score, 3) || a1.Perception == nil || !near(*a1.Perception, 2) {
		t.Errorf("a1 %+v", a1)
	}
	// a1: half the weight at 5, half at 3: variance 1, agreement 0.75. a2: 5 and 1:
	// variance 4, agreement 0, polarised.
	if !near(a1.Agreement, 0.75) || a1.Word != Moderate || !near(a2.Agreement, 0) || !a2.Polarised || a1.Polarised {
		t.Errorf("agreement %v %v, polarised %v %v", a1.Agreement, a2.Agreement, a1.Polarised, a2.Polarised)
	}
	// n_eff of 3 raters at 1/3 and 9 at 1/9: 4 / (3/9 + 9/81) = 9; coverage 9/12.
	if !near(a1.Coverage, 0.75) || !near(a1.Confidence, 0.75*0.9) {
		t.Errorf("coverage %v, confidence %v", a1.Coverage, a1.Confidence)
	}
	if !near(out.Pillars[0].Score, 3.5) || out.Pillars[0].Stage != 3 || !near(out.Overall, 3.25) || out.Stage != 3 || out.Weakest != "b" {
		t.Errorf("pillars %+v, overall %v stage %d", out.Pillars, out.Overall, out.Stage)
	}
	// b1 is needed by a2: (4 − 3) × 1.15.
	if !near(b1.Priority, 1.15) {
		t.Errorf("priority %v", b1.Priority)
	}
}

func TestEvidenceCutsTheClaim(t *testing.T) {
	t.Parallel()
	for grade, want := range []float64{3, 4, 5} {
		out, err := Score(small(), Input{Raters: same("council", 3, 5, 5, 5), Evidence: map[string]int{"b1": grade}})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Indicators[2]; !near(got.Score, want) || !near(got.Cut(), 5-want) {
			t.Errorf("grade %d: score %v, cut %v", grade, got.Score, got.Cut())
		}
	}
}

// A planted false claim: all say 5, the platform sees 55 %, which is level 3.
func TestThePlatformContradicts(t *testing.T) {
	t.Parallel()
	x := Input{Raters: append(same("council", 3, 5, 3, 3), same("frontline", 5, 5, 3, 3)...), Evidence: map[string]int{"a1": 2}, Checks: map[string]Check{"a1": {Value: 0.55, N: 20}}}
	out, err := Score(small(), x)
	if err != nil {
		t.Fatal(err)
	}
	r := out.Indicators[0]
	if r.Auto != 3 || !near(r.Gap, 2) || !r.Contradicted() || r.Score >= 4 {
		t.Errorf("%+v", r)
	}
	x.Checks["a1"] = Check{Value: 0.96, N: 20}
	if out, _ = Score(small(), x); out.Indicators[0].Contradicted() || out.Indicators[0].Auto != 5 {
		t.Errorf("a true claim: %+v", out.Indicators[0])
	}
}

func TestFewRatersHaveNoResult(t *testing.T) {
	t.Parallel()
	out, err := Score(small(), Input{Raters: append(same("council", 2, 5, 5, 5), same("frontline", 4, 2, 2, 2)...)})
	if err != nil {
		t.Fatal(err)
	}
	r := out.Indicators[0]
	if !r.Groups[0].Hidden || r.Groups[0].Mean != 0 || !near(r.Claimed, 2) || !r.Range || len(out.Few) != 1 || out.Few[0] != "council" || r.Perception != nil {
		t.Errorf("%+v, few %v", r, out.Few)
	}
	if out, err = Score(small(), Input{Raters: same("council", 2, 5, 5, 5)}); err != nil || out.Indicators[0].Known || out.Stage != 0 {
		t.Errorf("nobody has a result: %+v, %v", out.Indicators[0], err)
	}
	if _, err = Score(small(), Input{Raters: same("guests", 2, 5, 5, 5)}); err == nil {
		t.Error("an unknown group was taken")
	}
}

// One broken pillar holds the whole down.
func TestOneBrokenPillar(t *testing.T) {
	t.Parallel()
	out, err := Score(small(), Input{Raters: same("council", 3, 5, 5, 1), Evidence: map[string]int{"a1": 2, "a2": 2, "b1": 2}})
	if err != nil || !near(out.Overall, 3) || out.Stage != 2 {
		t.Errorf("overall %v, stage %d, %v", out.Overall, out.Stage, err)
	}
}

func TestRoadmapRespectsNeeds(t *testing.T) {
	t.Parallel()
	out, err := Score(small(), Input{Raters: same("council", 3, 3, 1, 3)})
	if err != nil {
		t.Fatal(err)
	}
	list := Roadmap(small(), out.Indicators)
	if len(list) != 3 || list[0].Indicator != "b1" {
		t.Errorf("a2 lacks most, but needs b1 first: %+v", list)
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := small()
		var raters []Rater
		for _, g := range in.Groups {
			for range rapid.IntRange(0, 9).Draw(t, g.ID) {
				a := map[string]int{}
				for _, i := range in.Indicators {
					a[i.ID] = rapid.IntRange(NotHere, Top).Draw(t, i.ID)
				}
				raters = append(raters, Rater{g.ID, a})
			}
		}
		x := Input{Raters: raters, Evidence: map[string]int{"a1": rapid.IntRange(0, 2).Draw(t, "grade")}, Seed: 3}
		out, err := Score(in, x)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Indicators {
			if !r.Known {
				continue
			}
			if r.Score < 1 || r.Score > Top || r.Score > r.Claimed || r.Agreement < -1e-9 || r.Agreement > 1 || r.Confidence < 0 || r.Confidence > 1 || r.Low > r.High {
				t.Fatalf("out of range: %+v", r)
			}
			if r.Grade == 0 && r.Confidence > 0.4 {
				t.Fatalf("a bare assertion earned %v", r.Confidence)
			}
		}
		if out.Stage < 0 || out.Stage > Top || float64(out.Stage) > out.Overall+1e-9 {
			t.Fatalf("stage %d of %v", out.Stage, out.Overall)
		}
	})
}
