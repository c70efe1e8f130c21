package plan

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"
	"pgregory.net/rapid"

	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

func newChecker(t testing.TB, p Plan) *Checker {
	t.Helper()
	c, err := NewChecker(&p, "VND")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func track(name string) event.Event {
	return event.Event{Kind: event.Track, Name: name, ReceivedAt: time.Now().UnixMicro(), At: time.Now().UnixMicro()}
}

func TestDefaultPlanIsWhole(t *testing.T) {
	t.Parallel()
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Events {
		if e.Label.EN == "" || e.Label.VI == "" {
			t.Errorf("%s lacks a label in one language", e.Name)
		}
	}
}

func TestPoliciesDecide(t *testing.T) {
	t.Parallel()
	declared := []Event{{Name: "a", Properties: []Property{{Name: "n", Type: Integer, Required: true}, {Name: "s", Type: String, Enum: []string{"x"}},
		{Name: "d", Type: Date}, {Name: "l", Type: List}, {Name: "b", Type: Boolean}, {Name: "p", Type: String, Personal: true}}}}
	for _, c := range []struct {
		name, event, props string
		want               string // violations, joined
		props2, traits     string
		strictOK           bool // passes when violations are quarantined
	}{
		{"fits", "a", `{"n":1,"s":"x","d":"2026-11-19","l":[1,"a"],"b":true}`, "", `{"n":1,"s":"x","d":"2026-11-19","l":[1,"a"],"b":true}`, "", true},
		{"null is unknown, not wrong", "a", `{"n":1,"s":null}`, "", `{"n":1,"s":null}`, "", true},
		{"wrong types", "a", `{"n":"1","s":"y","d":"soon","l":[{}],"b":0}`, "wrong_type n,not_in_list s,wrong_type d,wrong_type l,wrong_type b,missing_property n", "", "", false},
		{"missing", "a", `{}`, "missing_property n", "", "", false},
		{"undeclared is dropped, not refused", "a", `{"n":1,"z":2}`, "unknown_property z", `{"n":1}`, "", true},
		{"personal goes to the store alone", "a", `{"n":1,"p":"An"}`, "", `{"n":1}`, `{"p":"An"}`, true},
		{"reserved", "a", `{"n":1,"journey_id":"j","case_key":7,"amount":"12.5","channel":{}}`, "wrong_type channel,wrong_amount amount", `{"n":1}`, "", false},
		{"unknown event", "b", `{"n":1}`, "unknown_event b,unknown_property n", "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, policy := range []Policy{Pass, Quarantine} {
				checker := newChecker(t, Plan{Version: 3, Unknown: Pass, Violations: policy, Events: declared})
				e, s := track(c.event), Scratch{}
				violations, ok := checker.Check(&e, fastjson.MustParse(c.props), &s)
				var got []string
				for _, v := range violations {
					got = append(got, fmt.Sprintf("%s %s", v.Reason, v.Property))
				}
				if strings.Join(got, ",") != c.want || string(e.Props) != c.props2 || string(e.Traits) != c.traits || e.Schema != 3 {
					t.Errorf("%s: %v props %s traits %s", policy, got, e.Props, e.Traits)
				}
				if ok != (policy == Pass || c.strictOK) {
					t.Errorf("%s: ok %t", policy, ok)
				}
			}
		})
	}
}

// Whatever a feed sends, nothing undeclared or personal reaches the warehouse.
func TestNothingUndeclaredPasses(t *testing.T) {
	t.Parallel()
	checker := newChecker(t, Plan{Unknown: Pass, Violations: Pass, Common: []Property{{Name: "c", Type: String}},
		Events: []Event{{Name: "a", Properties: []Property{{Name: "ok", Type: String}, {Name: "secret", Type: String, Personal: true}}}}})
	rapid.Check(t, func(t *rapid.T) {
		var members []string
		for _, k := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"ok", "secret", "c", "x", "y", "channel", "OK", "ok "}), func(s string) string { return s }).Draw(t, "keys") {
			members = append(members, fmt.Sprintf("%q:%s", k, rapid.SampledFrom([]string{`"LEAK"`, `{"deep":"LEAK"}`, `["LEAK"]`, `null`, `1`}).Draw(t, "value")))
		}
		e, s := track(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "event")), Scratch{}
		checker.Check(&e, fastjson.MustParse("{"+strings.Join(members, ",")+"}"), &s)
		if len(e.Props) == 0 {
			return
		}
		fastjson.MustParseBytes(e.Props).GetObject().Visit(func(key []byte, v *fastjson.Value) {
			if k := string(key); k != "ok" && k != "c" || v.Type() == fastjson.TypeObject {
				t.Fatalf("%s passed: %s", k, e.Props)
			}
		})
	})
}

func TestValidateNamesTheFault(t *testing.T) {
	t.Parallel()
	for _, p := range []Plan{
		{Unknown: "perhaps", Violations: Pass},
		{Unknown: Pass, Violations: Pass, Events: []Event{{Name: ""}}},
		{Unknown: Pass, Violations: Pass, Events: []Event{{Name: "a"}, {Name: "a"}}},
		{Unknown: Pass, Violations: Pass, Events: []Event{{Name: "a", Properties: []Property{{Name: "x", Type: "blob"}}}}},
		{Unknown: Pass, Violations: Pass, Common: []Property{{Name: "x", Type: String}, {Name: "x", Type: String}}},
	} {
		if err := p.Validate(); err == nil {
			t.Errorf("%+v was taken", p)
		} else if _, ok := errors.AsType[*errs.Error](err); !ok {
			t.Errorf("%v has no kind", err)
		}
	}
}

func TestDeclareAddsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	p := Plan{Unknown: Pass, Violations: Pass, Common: []Property{{Name: "c", Type: String}}, Events: []Event{{Name: "a", Properties: []Property{{Name: "x", Type: Integer}}}}}
	next, changed := p.Declare(Event{Name: "a", Properties: []Property{{Name: "x", Type: String}, {Name: "c", Type: Number}, {Name: "y", Type: String}}})
	if !changed || len(next.Events[0].Properties) != 2 || next.Events[0].Properties[0].Type != Integer || len(p.Events[0].Properties) != 1 {
		t.Errorf("%+v", next)
	}
	if _, again := next.Declare(Event{Name: "a", Properties: []Property{{Name: "y", Type: String}}}); again {
		t.Error("the same declaration changed the plan")
	}
}

func TestCounterIsBounded(t *testing.T) {
	t.Parallel()
	c := NewCounter(fixed{})
	for i := range 50_000 {
		c.Count("bank", "app", fmt.Sprint("event ", i), Violation{Reason: UnknownEvent, Property: fmt.Sprint(i)})
	}
	var total int64
	for _, n := range c.n {
		total += n
	}
	if len(c.n) > maxKinds+1 || total != 50_000 {
		t.Errorf("%d kinds, %d counted", len(c.n), total)
	}
}

type fixed struct{}

func (fixed) Now() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }
