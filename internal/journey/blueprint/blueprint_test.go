package blueprint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawDocument makes a small document; ids come from a small pool, so that two
// documents have steps in common.
func drawDocument(t *rapid.T, name string) *Document {
	d := &Document{Journey: "j", Name: Text{EN: rapid.SampledFrom([]string{"A", "B"}).Draw(t, name)}, Timeout: Duration(time.Hour)}
	free := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(t, name+" steps")
	stages := rapid.Permutation([]string{"s1", "s2", "s3"}).Draw(t, name+" stages")
	n := rapid.IntRange(0, len(free)).Draw(t, name+" n")
	free = free[:n]
	for _, id := range stages[:rapid.IntRange(1, 3).Draw(t, name+" m")] {
		st := Stage{ID: id, Name: Text{VI: rapid.SampledFrom([]string{"x", "y"}).Draw(t, name)}}
		k := rapid.IntRange(0, len(free)).Draw(t, name+" k")
		var group Group
		for _, s := range free[:k] {
			step := Step{ID: s, Name: Text{EN: rapid.SampledFrom([]string{"p", "q", "r"}).Draw(t, name)}, Optional: rapid.Bool().Draw(t, name)}
			step.Events = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"e1", "e2", "e3"}), 0, 2, rapid.ID).Draw(t, name+" events")
			if rapid.Bool().Draw(t, name+" cell") {
				step.Layers = map[Layer]Cell{LayerPolicy: {Text: rapid.SampledFrom([]string{"rule 1", "rule 2"}).Draw(t, name)}}
			}
			switch rapid.IntRange(0, 3).Draw(t, name+" group") {
			case 0:
				group = Group{ID: "g" + s, Mode: rapid.SampledFrom([]Mode{Alternative, Loop}).Draw(t, name)}
				step.Group = group.ID
			case 1:
				if step.Group = group.ID; group.ID != "" {
					step.Branch = rapid.SampledFrom([]string{"", "b1"}).Draw(t, name+" branch")
				}
			default:
				group = Group{}
			}
			if step.Group != "" {
				d.join(&step, group)
			}
			st.Steps = append(st.Steps, step)
		}
		free = free[k:]
		d.Stages = append(d.Stages, st)
	}
	d.tidyGroups()
	d = canonical(d)
	if err := d.Validate(); err != nil {
		t.Fatalf("the generator makes bad documents: %v", err)
	}
	return d
}

// canonical gives empty lists one form.
func canonical(d *Document) *Document {
	c := d.Clone()
	for i := range c.Stages {
		if len(c.Stages[i].Steps) == 0 {
			c.Stages[i].Steps = nil
		}
	}
	if len(c.Groups) == 0 {
		c.Groups = nil
	}
	return c
}

// TestDiffLeadsFromOneToTheOther: applying the difference gives the other
// document, and the inverses lead back.
func TestDiffLeadsFromOneToTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDocument(t, "a"), drawDocument(t, "b")
		c := a.Clone()
		ops := Diff(a, b)
		var inverses []Op
		for _, o := range ops {
			before, err := c.Apply(o)
			if err != nil {
				t.Fatalf("%+v: %v", o, err)
			}
			inv, err := o.Inverse(before)
			if err != nil {
				t.Fatal(err)
			}
			inverses = append(inverses, inv)
		}
		if d := cmp.Diff(b, canonical(c)); d != "" {
			t.Fatalf("not the other document (-want +got):\n%s", d)
		}
		if len(Diff(b, c)) != 0 {
			t.Fatal("a difference is left")
		}
		for i := len(inverses) - 1; i >= 0; i-- {
			if _, err := c.Apply(inverses[i]); err != nil {
				t.Fatalf("take back %+v: %v", ops[i], err)
			}
		}
		if d := cmp.Diff(a, canonical(c)); d != "" {
			t.Fatalf("not taken back (-want +got):\n%s", d)
		}
	})
}

// TestMergeLosesNothing: what only one side changed is in the merge; what both
// changed differently is told, with ours in place.
func TestMergeLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base := drawDocument(t, "base")
		ours, theirs := base.Clone(), base.Clone()
		mine, other := map[string]json.RawMessage{}, map[string]json.RawMessage{}
		for _, s := range base.Steps() {
			for _, side := range []struct {
				d   *Document
				set map[string]json.RawMessage
			}{{ours, mine}, {theirs, other}} {
				if rapid.Bool().Draw(t, "change") {
					v := mustJSON(rapid.SampledFrom([]string{"one", "two", "three"}).Draw(t, "value"))
					if _, err := side.d.Apply(Op{Kind: OpSet, Target: "step/" + s.ID, Field: "intent", Value: v}); err != nil {
						t.Fatal(err)
					}
					side.set[s.ID] = v
				}
			}
		}
		m, err := Merge(base, ours, theirs)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range base.Steps() {
			got, _ := m.Document.Field("step/"+s.ID, "intent")
			want := mine[s.ID]
			if want == nil {
				want = other[s.ID]
			}
			if want == nil {
				want = json.RawMessage(`""`)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("step %s: %s, want %s", s.ID, got, want)
			}
			clash := mine[s.ID] != nil && other[s.ID] != nil && !bytes.Equal(mine[s.ID], other[s.ID])
			told := false
			for _, c := range m.Clashes {
				told = told || c.Target == "step/"+s.ID && c.Field == "intent"
			}
			if clash != told {
				t.Fatalf("step %s: clash %v, told %v", s.ID, clash, told)
			}
		}
	})
}

func TestMergeListsByMember(t *testing.T) {
	t.Parallel()
	got := mergeLists(json.RawMessage(`["a","b"]`), json.RawMessage(`["a","b","c"]`), json.RawMessage(`["b","d"]`))
	if string(got) != `["b","c","d"]` {
		t.Error(string(got))
	}
}

// TestTooManyStepsAreRefused: a map of 5,000 steps is refused with its limit.
func TestTooManyStepsAreRefused(t *testing.T) {
	t.Parallel()
	d := &Document{Journey: "j", Name: Text{EN: "J"}, Stages: []Stage{{ID: "s"}}}
	for i := range 5_000 {
		d.Stages[0].Steps = append(d.Stages[0].Steps, Step{ID: fmt.Sprintf("s%d", i)})
	}
	if err := d.Validate(); err == nil || err.Error() != "a map has at most 200 steps, not 5000; make parts of it journeys of their own" {
		t.Error(err)
	}
}

func testTemplates(t testing.TB) []Template {
	t.Helper()
	all, err := LoadTemplates(func(e string) Text { return Text{EN: title(e), VI: title(e)} })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTemplates: all twelve are sound and have steps that events can show.
func TestTemplates(t *testing.T) {
	t.Parallel()
	all := testTemplates(t)
	if len(all) != 12 {
		t.Fatalf("%d templates", len(all))
	}
	for _, tp := range all {
		for _, f := range Check(tp.Document, nil) {
			if f.Severity == Wrong && f.Code != "no_owner" {
				t.Errorf("%s: %+v", tp.Document.Journey, f)
			}
		}
		d := tp.Document.Definition()
		if len(d.Steps) < 4 || len(d.Success) == 0 {
			t.Errorf("%s: %+v", tp.Document.Journey, d)
		}
	}
}

// TestCheckFindsContradictions plants one contradiction at a time.
func TestCheckFindsContradictions(t *testing.T) {
	t.Parallel()
	for code, spoil := range map[string]func(d *Document){
		"unbound":           func(d *Document) { d.Steps()[1].Events = nil },
		"unseen_bound":      func(d *Document) { d.Steps()[1].Unseen = true },
		"wants_failure":     func(d *Document) { d.Failure = []string{d.Steps()[2].Events[0]} },
		"actor_absent":      func(d *Document) { d.Steps()[0].Layers = map[Layer]Cell{LayerCustomer: {None: true}} },
		"many_accountable":  func(d *Document) { d.Steps()[0].RACI.Accountable = []string{"x", "y"} },
		"wait_over_timeout": func(d *Document) { d.Steps()[1].MaxWait = d.Timeout + Duration(time.Hour) },
		"handoff_nobody": func(d *Document) {
			s := d.Steps()[3]
			s.Handoffs, s.Layers = []Handoff{{When: "w", To: "t"}}, map[Layer]Cell{LayerPeople: {None: true}}
		},
		"handoff_half": func(d *Document) { d.Steps()[2].Handoffs = []Handoff{{When: "w"}} },
		"lone_branch": func(d *Document) {
			d.Steps()[1].Group, d.Groups = "g", []Group{{ID: "g", Mode: Alternative}}
		},
		"no_owner": func(d *Document) { d.Owner = "" },
	} {
		d := testTemplates(t)[0].Document.Clone()
		d.Owner = "digital bank"
		if found := Check(d, nil); !Publishable(found) {
			t.Fatalf("the template is not publishable: %+v", found)
		}
		spoil(d)
		hit := false
		for _, f := range Check(d, nil) {
			hit = hit || f.Code == code && f.Severity == Wrong
		}
		if !hit {
			t.Errorf("%s is not found", code)
		}
	}
}

func TestNeverSeen(t *testing.T) {
	t.Parallel()
	d := testTemplates(t)[0].Document
	n := 0
	for _, f := range Check(d, func(string) int64 { return 0 }) {
		if f.Code == "never_seen" {
			n++
		}
	}
	if n != len(d.Steps()) {
		t.Errorf("%d of %d steps are told to have no events", n, len(d.Steps()))
	}
}

func TestHierarchy(t *testing.T) {
	t.Parallel()
	doc := func(id, parent string, events ...string) *Document {
		d := &Document{Journey: id, Parent: parent, Name: Text{EN: id}, Stages: []Stage{{ID: "s"}}}
		for _, e := range events {
			d.Stages[0].Steps = append(d.Stages[0].Steps, Step{ID: e, Events: []string{e}})
		}
		return d
	}
	docs := []*Document{doc("a", ""), doc("b", "a", "x", "y"), doc("c", "a", "y", "z", "w"), doc("p", "q", "k"), doc("q", "p")}
	if got := Circles(docs); len(got) != 1 || got[0][0] != "p" || got[0][1] != "q" {
		t.Error("circles", got)
	}
	var names []string
	for _, b := range Flat(Tree(docs)) {
		names = append(names, fmt.Sprintf("%s%d", b.Document.Journey, b.Depth))
	}
	if d := cmp.Diff([]string{"a0", "b1", "c1", "p0", "q1"}, names); d != "" {
		t.Error(d)
	}
	over := Overlaps(docs)
	if len(over) != 1 || over[0].Share != 0.5 || over[0].Events[0] != "y" {
		t.Errorf("%+v", over)
	}
	gaps := Gaps(docs, map[string]int64{"a": 3, "new": 7}, map[string]int64{"x": 1, "lost": 5, "survey_answered": 9}, func(e string) bool { return e == "survey_answered" })
	if len(gaps) != 2 || gaps[0] != (Gap{GapNoMap, "new", 7}) || gaps[1] != (Gap{GapEvent, "lost", 5}) {
		t.Errorf("%+v", gaps)
	}
}

// TestDecodeOldForm: what a bank had defined before there were maps becomes one.
func TestDecodeOldForm(t *testing.T) {
	t.Parallel()
	d, err := decode(json.RawMessage(`{"journey":"loan","name":{"en":"Loan","vi":"Vay"},"steps":["A_SENT","B done","A_SENT"],"success":["B done"],"failure":null,"timeout":86400000000000}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	got := d.Definition()
	if d := cmp.Diff([]string{"A_SENT", "B done", "A_SENT"}, got.Steps); d != "" || got.Timeout != 24*time.Hour {
		t.Error(d, got.Timeout)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, 100_000_000).Draw(t, "s")) * Duration(time.Second)
		var back Duration
		if err := json.Unmarshal(mustJSON(d), &back); err != nil || back != d {
			t.Fatal(d, back, err)
		}
	})
}
