package profile

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"omote/internal/customer/identity"
	"omote/internal/customer/state"
	"omote/internal/platform/store"
)

func rules(t testing.TB) *Rules {
	t.Helper()
	r, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// states makes a source that confirmed all it says at a day.
func states(record, system string, at int, traits map[string]string) Source {
	s := Source{Record: record, System: system, Said: map[string]identity.Said{}}
	for name, v := range traits {
		raw, _ := json.Marshal(v)
		s.Said[name] = identity.Said{Value: raw, Since: store.Micros(at) * day, Confirmed: store.Micros(at) * day}
	}
	return s
}

func TestSurvivorship(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		attribute string
		sources   []Source
		want      string
		decided   Criterion
		others    int
	}{
		"the fullest way to write one name": {"name", []Source{states("a", "card", 9, map[string]string{"name": "NGUYEN THI HONG"}), states("b", "crm", 1, map[string]string{"name": "Nguyễn Thị Hồng"})},
			"Nguyễn Thị Hồng", Only, 0},
		"a whole name before part of one": {"name", []Source{states("a", "callcentre", 9, map[string]string{"name": "Chị Hồng"}), states("b", "crm", 1, map[string]string{"name": "Nguyễn Thị Hồng"})},
			"Nguyễn Thị Hồng", Completeness, 1},
		"no filler for a birth date": {"birth_date", []Source{states("a", "core", 9, map[string]string{"birth_date": "1985-01-01"}), states("b", "callcentre", 1, map[string]string{"birth_date": "1985-03-09"})},
			"1985-03-09", Plausible, 1},
		"two systems against one": {"birth_date", []Source{states("a", "core", 9, map[string]string{"birth_date": "1985-09-03"}), states("b", "crm", 1, map[string]string{"birth_date": "1985-03-09"}),
			states("c", "card", 1, map[string]string{"birth_date": "1985-03-09"})}, "1985-03-09", Quorum, 1},
		"the trusted one of two": {"birth_date", []Source{states("a", "core", 1, map[string]string{"birth_date": "1985-09-03"}), states("b", "crm", 9, map[string]string{"birth_date": "1985-03-09"})},
			"1985-09-03", Trust, 1},
		"the phone confirmed last": {"phone", []Source{states("a", "core", 1, map[string]string{"phone": "0903000001"}), states("b", "crm", 9, map[string]string{"phone": "+84 903 000 002"})},
			"+84 903 000 002", Recency, 1},
		"the same phone in two ways": {"phone", []Source{states("a", "core", 1, map[string]string{"phone": "0903000001"}), states("b", "crm", 9, map[string]string{"mobile": "+84 903 000 001"})},
			"0903000001", Only, 0},
		"a citizen id before an old card": {"citizen_id", []Source{states("a", "core", 1, map[string]string{"citizen_id": "123456780"}), states("b", "crm", 1, map[string]string{"citizen_id": "901199003456"})},
			"901199003456", Plausible, 1},
		"customer since the earliest": {"created_at", []Source{states("a", "core", 1, map[string]string{"created_at": "2019-04-30"}), states("b", "crm", 9, map[string]string{"created_at": "2021-01-05"})},
			"2019-04-30", Plausible, 1},
	}
	r := rules(t)
	for name, c := range cases {
		var got *Attribute
		for _, a := range r.Golden(c.sources) {
			if a.Rule.Name == c.attribute {
				got = &a
			}
		}
		if got == nil {
			t.Errorf("%s: nobody states %s", name, c.attribute)
			continue
		}
		if got.Value != c.want || got.Decided != c.decided || len(got.Others) != c.others {
			t.Errorf("%s: %q by %s beside %d others, want %q by %s beside %d", name, got.Value, got.Decided, len(got.Others), c.want, c.decided, c.others)
		}
		if s := got.Source(); s.Value != got.Value || s.Record == "" {
			t.Errorf("%s: the value has no source: %+v", name, s)
		}
	}
}

// TestGoldenDoesNotDependOnOrder also proves that no statement is lost: each is
// behind the chosen value or behind another.
func TestGoldenDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	r := rules(t)
	value := rapid.SampledFrom([]string{"Nguyễn Thị Hồng", "NGUYEN THI HONG", "Hồng", "0903000001", "+84903000001", "1985-03-09", "1900-01-01", "901199003456", "123456780", "a@x.example", "12 Phố Ví Dụ, Hà Nội", "vi"})
	system := rapid.SampledFrom([]string{"core", "crm", "card", "callcentre", "app", "new"})
	rapid.Check(t, func(t *rapid.T) {
		var sources []Source
		n := rapid.IntRange(1, 7).Draw(t, "records")
		for i := range n {
			traits := map[string]string{}
			for _, a := range r.Attributes {
				if rapid.Bool().Draw(t, "says") {
					traits[a.From[0]] = value.Draw(t, "value")
				}
			}
			sources = append(sources, states(string(rune('a'+i)), system.Draw(t, "system"), rapid.IntRange(0, 40).Draw(t, "day"), traits))
		}
		want := r.Golden(sources)
		shuffled := rapid.Permutation(sources).Draw(t, "order")
		if diff := cmp.Diff(want, r.Golden(shuffled), cmp.AllowUnexported(Candidate{})); diff != "" {
			t.Fatalf("another order of the sources gives another profile:\n%s", diff)
		}
		for _, a := range want {
			told := len(a.By)
			for _, o := range a.Others {
				told += len(o.By)
			}
			says := 0
			for _, s := range sources {
				if _, ok := s.Said[a.Rule.From[0]]; ok {
					says++
				}
			}
			if told != says {
				t.Fatalf("%s: %d of %d statements are kept", a.Rule.Name, told, says)
			}
		}
	})
}

func TestMasks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mask       Mask
		text, want string
	}{
		{MaskNumber, "0903 004 321", "•••• 321"}, {MaskNumber, "12", "•••"}, {MaskMail, "hong@x.example", "h•••@x.example"}, {MaskMail, "hong", "•••"},
		{MaskYear, "1985-03-09", "1985"}, {MaskPlace, "12 Phố Ví Dụ, Hà Nội", "•••, Hà Nội"}, {MaskAll, "x", "•••"}, {MaskNone, "x", "x"}, {MaskMail, "ồ@x", "ồ•••@x"},
	} {
		if got := (&AttributeRule{Mask: c.mask}).mask(c.text); got != c.want {
			t.Errorf("%s of %q gives %q, want %q", c.mask, c.text, got, c.want)
		}
	}
}

func TestRulesAreChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"attributes: [{name: x}]", "attributes: [{name: x, from: [x], kind: code, mask: none, by: [luck]}]", "attributes: [{name: x, from: [x], kind: code, mask: some, by: [trust]}]",
		"computed: [{name: x}]", "computed: [{name: x, count: [], last: []}]", "purposes: [{name: x, minutes: 0}]", "a: [", "attributes: [{name: x, from: [x], kind: no, mask: none, by: [trust]}]"} {
		if _, err := ParseRules([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if got := rules(t).Purpose("subject_request"); !got.opens("citizen_id") || rules(t).Purpose("service").opens("citizen_id") || (*Purpose)(nil).opens("phone") {
		t.Error("purposes open the wrong attributes")
	}
}

func TestComputedAttributes(t *testing.T) {
	t.Parallel()
	r := rules(t)
	rows := []state.Deed{{Name: "login_succeeded", N: 3, Last: 50}, {Name: "login_succeeded", N: 2, Last: 90}, {Name: "card_purchase", Currency: "VND", N: 1, Amount: 700}, {Name: "card_purchase", Currency: "USD", N: 1, Amount: 5}}
	got := map[string]Computed{}
	for _, c := range r.compute(rows) {
		got[c.Rule.Name] = c
	}
	if got["events"].N != 7 || got["sign_ins"].N != 5 || got["last_sign_in"].At != 90 || !slices.Equal(got["card_spend"].Sums, []Sum{{"USD", 5}, {"VND", 700}}) || got["complaints"].N != 0 {
		t.Errorf("%+v", got)
	}
}
