package form

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestShipped(t *testing.T) {
	t.Parallel()
	all, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, d := range all {
		kinds[d.Kind] = true
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back Document
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if err := back.Validate(); err != nil {
			t.Errorf("%s after JSON: %v", d.ID, err)
		}
	}
	for _, want := range []string{"relationship", "transactional", "effort", "closed_loop", "expectation", "item_bank", "jobs", "employee", "exit"} {
		if !kinds[want] {
			t.Errorf("no questionnaire of kind %s", want)
		}
	}
}

func find(t *testing.T, id string) *Document {
	t.Helper()
	all, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return all[slices.IndexFunc(all, func(d *Document) bool { return d.ID == id })]
}

func ids(items []*Item) (out []string) {
	for _, it := range items {
		out = append(out, it.ID)
	}
	return out
}

// TestBranches follows the relationship questionnaire down its branches.
func TestBranches(t *testing.T) {
	t.Parallel()
	d := find(t, "rel_nps")
	answer := func(id, v string) Answer {
		a, err := d.Item(id).Check(Map{id: {v}})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	low := Answers{"rn_score": answer("rn_score", "3")}
	if got := ids(d.Shown("s", low)); !slices.Equal(got, []string{"rn_score", "rn_reason", "rn_fix", "rn_callback"}) {
		t.Errorf("after 3: %v", got)
	}
	high := Answers{"rn_score": answer("rn_score", "10"), "rn_callback": answer("rn_callback", "yes")}
	if got := ids(d.Shown("s", high)); !slices.Equal(got, []string{"rn_score", "rn_reason", "rn_keep"}) {
		t.Errorf("after 10: %v", got)
	}
	if _, kept := d.Clean("s", high)["rn_callback"]; kept {
		t.Error("an answer of a branch that was left counts")
	}
	low["rn_callback"] = answer("rn_callback", "yes")
	if got := d.React(low); len(got) != 2 || got[0].Do != OpenCase {
		t.Errorf("reactions %+v", got)
	}
	if got := d.React(d.Clean("s", high)); len(got) != 0 {
		t.Errorf("reactions of a promoter: %+v", got)
	}
	if _, err := d.Item("rn_score").Check(Map{}); err == nil {
		t.Error("a required question was skipped")
	}
	if _, err := d.Item("rn_score").Check(Map{"rn_score": {"11"}}); err == nil {
		t.Error("11 of 10 was taken")
	}
}

// TestDraw wants every person to see as many questions as the document says, the
// anchor among them, at most one of a dimension, and every question by someone.
func TestDraw(t *testing.T) {
	t.Parallel()
	d := find(t, "exp_dimensions")
	seen := map[string]int{}
	for n := range 4000 {
		items := d.Drawn(string(rune(n)) + "x")
		dims := map[string]int{}
		for _, it := range items {
			seen[it.ID]++
			dims[it.Dim]++
		}
		if len(items) != 4 || !slices.Contains(ids(items), "xt_promise") {
			t.Fatalf("person %d sees %v", n, ids(items))
		}
		for dim, k := range dims {
			if k > 1 {
				t.Fatalf("person %d sees %d of %s", n, k, dim)
			}
		}
	}
	for _, it := range d.Items {
		if it.Dim != "trust" && seen[it.ID] < 400 {
			t.Errorf("%s was seen %d times of about 571", it.ID, seen[it.ID])
		}
	}
	if !slices.Equal(ids(d.Drawn("a")), ids(d.Drawn("a"))) {
		t.Error("a page that is loaded twice asks other questions")
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	d := find(t, "tx_csat")
	text := d.Item("tc_score").Text
	for r, want := range map[string]string{"vi": "Anh/chị hài lòng thế nào với lần đến quầy hôm nay?", "formal": "Quý khách hài lòng thế nào với lần đến quầy hôm nay?", "female": "Chị hài lòng thế nào với lần đến quầy hôm nay?"} {
		form := r
		if r == "vi" {
			form = ""
		}
		if got := d.Fill(text, Reader{Locale: "vi", Form: form, Fills: map[string]string{"thing": "lần đến quầy"}}); got != want {
			t.Errorf("%s: %q", r, got)
		}
	}
	if got := d.Fill(Text{EN: "You said {answer.a}: {unclosed"}, Reader{Locale: "en", Fills: map[string]string{"answer.a": "{you}"}}); got != "You said {you}: {unclosed" {
		t.Errorf("piping: %q", got)
	}
}

// TestAnyAnswersEnd gives random answers, in random order and to any question, and
// wants the questionnaire to end, no hidden answer to count, and cleaning twice to
// change nothing.
func TestAnyAnswersEnd(t *testing.T) {
	t.Parallel()
	all, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := rapid.SampledFrom(all).Draw(rt, "document")
		seed := rapid.StringN(1, 8, -1).Draw(rt, "seed")
		a := Answers{}
		for steps := 0; ; steps++ {
			it := d.Next(seed, a)
			if it == nil {
				break
			}
			if steps > len(d.Items) {
				rt.Fatal("the questionnaire does not end")
			}
			v, err := it.Check(Map(draw(rt, it)))
			if err != nil {
				v = Answer{Skipped: true}
			}
			a[it.ID] = v
			if rapid.Bool().Draw(rt, "stray") { // an answer to something else, as a stale page sends
				other := &d.Items[rapid.IntRange(0, len(d.Items)-1).Draw(rt, "other")]
				if v, err := other.Check(Map(draw(rt, other))); err == nil {
					a[other.ID] = v
				}
			}
		}
		once := d.Clean(seed, a)
		shown := ids(d.Shown(seed, once))
		for id := range once {
			if !slices.Contains(shown, id) {
				rt.Fatalf("%s counts and is not shown", id)
			}
		}
		if twice := d.Clean(seed, once); len(twice) != len(once) {
			rt.Fatalf("cleaning twice: %d and %d answers", len(once), len(twice))
		}
	})
}

func draw(rt *rapid.T, it *Item) map[string][]string {
	out := map[string][]string{}
	switch {
	case rapid.IntRange(0, 4).Draw(rt, "skip") == 0:
	case it.Type.Scored():
		out[it.ID] = []string{rapid.SampledFrom([]string{"-2", "0", "1", "5", "7", "10", "x"}).Draw(rt, "point")}
	case it.Type == YesNo:
		out[it.ID] = []string{rapid.SampledFrom([]string{"yes", "no", "maybe"}).Draw(rt, "yes")}
	case len(it.Options) > 0:
		out[it.ID] = []string{rapid.SampledFrom(it.Options).Draw(rt, "option").ID}
	case it.Type == Paired:
		out[it.ID+".importance"], out[it.ID+".satisfaction"] = []string{"5"}, []string{"2"}
	default:
		out[it.ID] = []string{rapid.String().Draw(rt, "words")}
	}
	return out
}

func TestWords(t *testing.T) {
	t.Parallel()
	it := &Item{ID: "q", Type: Words}
	a, err := it.Check(Map{"q": {"  chờ\u200b \u202elâu\x00 <script> \n"}})
	if err != nil || a.Text != "chờ lâu <script>" {
		t.Errorf("%q, %v", a.Text, err)
	}
	if _, err := it.Check(Map{"q": {strings.Repeat("a", 10<<20)}}); err == nil {
		t.Error("ten megabytes were taken")
	}
	if a, _ := it.Check(Map{"q": {"\u200b\u200b"}}); !a.Skipped {
		t.Error("invisible characters count as an answer")
	}
}

// TestMistakesInDocuments breaks a good document in each way.
func TestMistakesInDocuments(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Document){
		"a missing language":           func(d *Document) { d.Items[0].Text.EN = "" },
		"an id twice":                  func(d *Document) { d.Items[1].ID = d.Items[0].ID },
		"a condition on a later one":   func(d *Document) { d.Items[0].ShowIf = "rn_keep set" },
		"a condition that is no one":   func(d *Document) { d.Items[2].ShowIf = "rn_score <=" },
		"no scale":                     func(d *Document) { d.Items[0].Scale = nil },
		"NPS of another scale":         func(d *Document) { d.Items[0].Scale = &Scale{Min: 1, Max: 5} },
		"a share above one":            func(d *Document) { d.Asking.Sample = 1.5 },
		"a reaction that is unknown":   func(d *Document) { d.Reactions[0].Do = "shout" },
		"more drawn than there are":    func(d *Document) { d.Draw.Items = 99 },
		"anonymous with a small group": func(d *Document) { d.Anonymity, d.MinGroup = Anonymous, 2 },
		"valid for no time":            func(d *Document) { d.Asking.ValidFor = 0 },
	} {
		d := find(t, "rel_nps")
		spoil(d)
		if d.Validate() == nil {
			t.Errorf("taken: %s", name)
		}
	}
}

// TestSkippedIsNoAnswer wants a skipped question to differ from nothing: what is
// asked of those who said something else is not asked of those who said nothing.
func TestSkippedIsNoAnswer(t *testing.T) {
	t.Parallel()
	d := find(t, "complaint_followup")
	if shown := ids(d.Shown("s", Answers{"cf_settled": {Skipped: true}})); slices.Contains(shown, "cf_more") {
		t.Errorf("shown %v", shown)
	}
	if shown := ids(d.Shown("s", Answers{"cf_settled": {Chosen: []string{"partly"}}})); !slices.Contains(shown, "cf_more") {
		t.Errorf("shown %v", shown)
	}
}

// TestReasonsOfTheChannel offers a person the reasons of the place they come from.
func TestReasonsOfTheChannel(t *testing.T) {
	t.Parallel()
	it := find(t, "tx_csat").Item("tc_reason_low")
	for via, wants := range map[string][2]string{"branch": {"r_wait", "r_otp"}, "mobile_app": {"r_otp", "r_papers"}, "atm": {"r_fair", "r_otp"}, "": {"r_fair", "r_otp"}} {
		got := it.Ordered("seed", via)
		has := func(id string) bool { return slices.ContainsFunc(got, func(o Option) bool { return o.ID == id }) }
		if len(got) != 7 || !has(wants[0]) || has(wants[1]) || got[len(got)-1].ID != "r_other" {
			t.Errorf("after %q: %+v", via, got)
		}
	}
	things, err := ShippedThings()
	if err != nil {
		t.Fatal(err)
	}
	if got := things.Fills("branch_visit", "vi", nil)["thing"]; got != "lần giao dịch tại quầy" {
		t.Errorf("a visit is %q", got)
	}
	if got := things.Fills("unknown", "en", nil)["do_thing"]; got != "do what you came for" {
		t.Errorf("an unknown journey is %q", got)
	}
}
