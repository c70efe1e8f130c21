package rule_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"omote/analytics/rule"
	"omote/analytics/rule/ruletest"
)

var sameRule = cmpopts.IgnoreUnexported(rule.Rule{}, rule.Pattern{}, rule.Value{}, rule.Const{})

const now = int64(1_767_578_400_000_000) // 2026-01-05 02:00 UTC

func TestTextAndJSONRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := ruletest.Rule(t, 3)
		if err := r.Validate(); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		for _, text := range []string{r.String(), r.Lines()} {
			again, err := rule.Parse(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if d := cmp.Diff(r, again, sameRule, cmpopts.EquateEmpty(), cmp.Transformer("times", func(d rule.Did) rule.Did { return d })); d != "" {
				t.Fatalf("%s\n%s", text, d)
			}
		}
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var again rule.Rule
		if err := json.Unmarshal(raw, &again); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if again.String() != r.String() {
			t.Fatalf("%s became %s", r, again)
		}
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"did a":                                           "did a",
		"did a 3 times within 2w":                         "did a 3 times within 14d",
		"no login|\"Signed In\" within 36h":               "no login|\"Signed In\" within 36h",
		"a = 1 and b = 2 or c = 3":                        "a = 1 and b = 2 or c = 3",
		"a = 1 and (b = 2 or c = 3)":                      "a = 1 and (b = 2 or c = 3)",
		"not (a = 1 and b = true)":                        "not (a = 1 and b = true)",
		"did a then b within 2d in last 30d":              "did a then b within 2d in last 30d",
		"sum(x[c=\"p\",n>=1_000].amount within 90d)>-0.5": "sum(x[c = \"p\", n >= 1000].amount within 90d) > -0.5",
		"last(x.y) contains \"q\"":                        "last(x.y) contains \"q\"",
		"age_band in (\"60_69\", \"70_plus\")":            "age_band in (\"60_69\", \"70_plus\")",
		"last(x.y within 365d) is known":                  "last(x.y within 365d) is known",
		"in affluent\n  and not in hardship":              "in affluent and not in hardship",
	} {
		r, err := rule.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if r.String() != want {
			t.Errorf("%s became %s", text, r)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, code   string
		line, column int
	}{
		{"", "empty", 1, 1},
		{"did", "end", 1, 4},
		{"a =", "end", 1, 4},
		{"a = 1 b", "unexpected", 1, 7},
		{"a = 1 and\n  sum(x) > 3", "needs_prop", 2, 3},
		{"tuổi < 3 @", "sign", 1, 10},
		{"did x within 30", "unexpected", 1, 14},
		{"did x within 30y", "span_form", 1, 14},
		{"did x within 900d", "span", 1, 14},
		{"did x 0 times", "times", 1, 7},
		{"a = \"x", "quote", 1, 5},
		{"foo(x) > 1", "function", 1, 1},
		{"count(x) > \"a\"", "ordered", 1, 1},
		{"(a = 1", "end", 1, 7},
		{"did *|x", "any_alone", 1, 5},
	} {
		_, err := rule.Parse(c.text)
		e, ok := errors.AsType[*rule.Error](err)
		if !ok || e.Code != c.code || e.Pos != (rule.Pos{Line: c.line, Column: c.column}) {
			t.Errorf("%q: %v (%+v), want %s at %d:%d", c.text, err, e, c.code, c.line, c.column)
		}
	}
}

type catalogue map[string]string

func (c catalogue) Attribute(id string) (rule.Attribute, bool) {
	text, ok := c["attr "+id]
	if !ok {
		return rule.Attribute{}, false
	}
	if v, err := rule.ParseValue(text); err == nil {
		return rule.Attribute{Value: &v}, true
	}
	r, err := rule.Parse(text)
	return rule.Attribute{Rule: &r}, err == nil
}

func (c catalogue) Segment(id string) (rule.Rule, bool) {
	text, ok := c[id]
	r, err := rule.Parse(text)
	return r, ok && err == nil
}

func TestResolve(t *testing.T) {
	t.Parallel()
	c := catalogue{"attr nps": "last(answered.score within 365d)", "attr salary": "did paid within 60d", "sad": "nps <= 6", "loop": "in loop", "both": "in sad and salary = false"}
	for text, want := range map[string]string{
		"nps > 8":         "last(answered.score within 365d) > 8",
		"in both":         "last(answered.score within 365d) <= 6 and not did paid within 60d",
		"salary != false": "did paid within 60d",
	} {
		r, err := rule.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rule.Resolve(r, c)
		if err != nil || got.String() != want {
			t.Errorf("%s became %s, %v", text, got, err)
		}
	}
	for text, code := range map[string]string{"in loop": "circle", "x = 1": "no_attribute", "in none": "no_segment", "salary = 3": "attribute_bool"} {
		r, _ := rule.Parse(text)
		_, err := rule.Resolve(r, c)
		if e, ok := errors.AsType[*rule.Error](err); !ok || e.Code != code {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
	}
}

// TestStreamAgreesWithOracle feeds random histories to records in random order
// and at different moments, adds the records up to a customer, and compares with
// the oracle now and at the instants at which answers are said to change.
func TestStreamAgreesWithOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var programs []*rule.Program
		var rules []rule.Rule
		for range rapid.IntRange(1, 3).Draw(t, "rules") {
			r := ruletest.Rule(t, 2)
			p, err := rule.Compile(r)
			if err != nil {
				t.Fatal(err)
			}
			rules, programs = append(rules, r), append(programs, p)
		}
		set := rule.NewSet(programs...)
		var all []ruletest.Fact
		customer := set.NewState()
		for range rapid.IntRange(1, 3).Draw(t, "records") {
			facts := ruletest.Facts(t, now, "facts")
			all = append(all, facts...)
			seed := rapid.Uint64().Draw(t, "order")
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			record := set.NewState()
			changed := make([]bool, len(set.Features))
			for i, f := range facts {
				// Some are taken up when they happen, some late.
				at := max(f.At, now-int64(rapid.IntRange(0, 3).Draw(t, "late"))*int64(rule.Days(1)))
				record.Apply(&rule.Fact{At: f.At, Name: f.Name, Props: f}, at, changed)
				if i%3 == 0 { // kept and read again
					raw := record.Encode(nil, at)
					record.Reset()
					if err := record.Decode(raw); err != nil {
						t.Fatal(err)
					}
				}
			}
			if rapid.Bool().Draw(t, "by bytes") {
				if err := customer.Decode(record.Encode(nil, now)); err != nil {
					t.Fatal(err)
				}
			} else {
				customer.Merge(record)
			}
		}
		for i, r := range rules {
			at := now
			for range 5 {
				got, next := set.Evaluate(i, customer, at)
				if want := ruletest.Oracle(r, all, at); got != want {
					t.Fatalf("%s at %+d: stream says %v, oracle %v\n%+v", r, at-now, got, want, all)
				}
				if next == rule.Never {
					next = at + int64(rule.Days(500))
				}
				// Nothing changes before the instant that was named.
				between := at + rapid.Int64Range(0, next-at-1).Draw(t, "between")
				if want := ruletest.Oracle(r, all, between); got != want {
					t.Fatalf("%s: %v at %+d is said to stay until %+d, but is %v at %+d\n%+v", r, got, at-now, next-now, want, between-now, all)
				}
				at = next
			}
		}
	})
}

func TestStateIsBounded(t *testing.T) {
	t.Parallel()
	var programs []*rule.Program
	for _, text := range []string{"did a 100 times", "sum(a.amount within 400d) > 3", "count(* within 31d) > 3", "did a then b within 1d in last 30d", "change(a.amount within 90d) < 1"} {
		r, err := rule.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := rule.Compile(r)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	set := rule.NewSet(programs...)
	st, changed := set.NewState(), make([]bool, len(set.Features))
	start := time.UnixMicro(now).Add(-400 * 24 * time.Hour).UnixMicro()
	for i := range int64(50_000) {
		at := start + i*(now-start)/50_000
		st.Apply(&rule.Fact{At: at, Name: "a", Props: ruletest.Fact{Amount: i}}, now, changed)
	}
	if n := len(st.Encode(nil, now)); n > 40_000 {
		t.Errorf("50,000 events leave %d bytes", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"did a 3 times within 30d", "sum(x[c = \"p\", n >= 1].amount within 90d) > -0.5 or not (in y and z is known)", "did a then b within 2d in last 30d",
		"a in (1, 2)", "\"", "((((", "no * within 1us"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := rule.Parse(text)
		if err != nil {
			if _, ok := errors.AsType[*rule.Error](err); !ok {
				t.Fatalf("%v is no *rule.Error", err)
			}
			return
		}
		again, err := rule.Parse(r.String())
		if err != nil {
			t.Fatalf("%q was written as %q, which is not read: %v", text, r.String(), err)
		}
		if again.String() != r.String() {
			t.Fatalf("%q is not settled: %q, %q", text, r.String(), again.String())
		}
	})
}

func FuzzDecode(f *testing.F) {
	r, _ := rule.Parse("did a 3 times or sum(a.amount within 3d) > 1 or last(a.tag) = \"x\"")
	p, _ := rule.Compile(r)
	set := rule.NewSet(p)
	st := set.NewState()
	st.Apply(&rule.Fact{At: now, Name: "a", Props: ruletest.Fact{Amount: 3, Tag: "x"}}, now, make([]bool, len(set.Features)))
	f.Add(st.Encode(nil, now))
	f.Fuzz(func(t *testing.T, b []byte) {
		st := set.NewState()
		if st.Decode(b) == nil {
			st.Encode(nil, now)
			set.Evaluate(0, st, now)
		}
	})
}
