package blueprint

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/analytics/mining"
	"omote/analytics/xes"
	"omote/internal/testkit/shared"
)

// runs lists the ways that a document allows, as sequences of steps, with loops
// unrolled.
func runs(d *Document) [][]string {
	out := [][]string{nil}
	join := func(part [][]string) {
		var next [][]string
		for _, a := range out {
			for _, b := range part {
				next = append(next, append(append([]string{}, a...), b...))
			}
		}
		out = next
	}
	for _, st := range d.Stages {
		for i := 0; i < len(st.Steps); {
			s := &st.Steps[i]
			if s.Group == "" {
				part := [][]string{{s.ID}}
				if s.Optional {
					part = append(part, nil)
				}
				join(part)
				i++
				continue
			}
			g := d.GroupOf(s)
			var order []string
			branch := map[string][][]string{}
			end := i
			for ; end < len(st.Steps) && st.Steps[end].Group == s.Group; end++ {
				x := &st.Steps[end]
				b := branchOf(x)
				if g.Mode == Loop {
					b = ""
				}
				if branch[b] == nil {
					order = append(order, b)
					branch[b] = [][]string{nil}
				}
				var next [][]string
				for _, way := range branch[b] {
					next = append(next, append(append([]string{}, way...), x.ID))
					if x.Optional {
						next = append(next, way)
					}
				}
				branch[b] = next
			}
			var part [][]string
			switch g.Mode {
			case Alternative:
				for _, b := range order {
					part = append(part, branch[b]...)
				}
			case Parallel:
				part = [][]string{nil}
				for _, b := range order {
					var next [][]string
					for _, a := range part {
						for _, way := range branch[b] {
							next = append(next, shuffles(a, way)...)
						}
					}
					part = next
				}
			default:
				part = again(branch[""])
			}
			if g.Optional {
				part = append(part, nil)
			}
			join(part)
			i = end
		}
	}
	return out
}

// again lists what a part gives that is done one to seven times: more often
// explains nothing of a case of six events.
func again(once [][]string) [][]string {
	part := once
	seen := map[string]bool{}
	for _, a := range part {
		seen[strings.Join(a, " ")] = true
	}
	last := part
	for range 6 {
		var next [][]string
		for _, a := range last {
			for _, way := range once {
				w := append(append([]string{}, a...), way...)
				if key := strings.Join(w, " "); len(w) <= 11 && !seen[key] {
					seen[key] = true
					next = append(next, w)
				}
			}
		}
		part, last = append(part, next...), next
	}
	return part
}

func shuffles(a, b []string) [][]string {
	if len(a) == 0 || len(b) == 0 {
		return [][]string{append(append([]string{}, a...), b...)}
	}
	var out [][]string
	for _, s := range shuffles(a[1:], b) {
		out = append(out, append([]string{a[0]}, s...))
	}
	for _, s := range shuffles(a, b[1:]) {
		out = append(out, append([]string{b[0]}, s...))
	}
	return out
}

// distance is the number of steps left out and of events too many.
func distance(way, trace []string) int {
	row := make([]int, len(trace)+1)
	for j := range row {
		row[j] = j
	}
	for i, s := range way {
		before := row[0]
		row[0] = i + 1
		for j, e := range trace {
			here := row[j+1]
			row[j+1] = min(row[j], here) + 1
			if s == e {
				row[j+1] = min(row[j+1], before)
			}
			before = here
		}
	}
	return row[len(trace)]
}

// TestCompileAgainstBruteForce: for random small maps and cases, the cost of the
// alignment is that of the best among all ways the map allows, listed one by one.
func TestCompileAgainstBruteForce(t *testing.T) {
	t.Parallel()
	pairs := 0
	rapid.Check(t, func(t *rapid.T) {
		d := &Document{Journey: "j", Name: Text{EN: "J"}, Stages: []Stage{{ID: "s1"}, {ID: "s2"}}}
		names := []string{"a", "b", "c", "d", "e"}
		n := rapid.IntRange(1, len(names)).Draw(t, "steps")
		var g Group
		for i, id := range names[:n] {
			st := rapid.IntRange(0, 1).Draw(t, "stage")
			if i > 0 && len(d.Stages[1].Steps) > 0 {
				st = 1
			}
			s := Step{ID: id, Events: []string{id}, Optional: rapid.IntRange(0, 3).Draw(t, "optional") == 0}
			switch k := rapid.IntRange(0, 5).Draw(t, "group"); {
			case k < 3:
				g = Group{ID: fmt.Sprint("g", i), Mode: Modes[k], Optional: rapid.IntRange(0, 3).Draw(t, "group optional") == 0}
				s.Group = g.ID
			case k == 3 && g.ID != "" && len(d.Stages[st].Steps) > 0 && d.Stages[st].Steps[len(d.Stages[st].Steps)-1].Group == g.ID:
				s.Group = g.ID
				s.Branch = rapid.SampledFrom([]string{"", "x"}).Draw(t, "branch")
			default:
				g = Group{}
			}
			if s.Group != "" {
				d.join(&s, g)
			}
			d.Stages[st].Steps = append(d.Stages[st].Steps, s)
		}
		if err := d.Validate(); err != nil {
			t.Skip("the drawn groups do not stand together: ", err)
		}
		activities := mining.NewDict(append(names, "other")...)
		m, err := d.Compile(activities)
		if err != nil {
			t.Fatal(err)
		}
		ways := runs(d)
		if len(ways) > 20_000 {
			t.Skip("too many ways to list")
		}
		for range 12 {
			trace := rapid.SliceOfN(rapid.SampledFrom(append(names, "other")), 0, 6).Draw(t, "trace")
			path := make([]int32, len(trace))
			for i, e := range trace {
				path[i], _ = activities.Lookup(e)
			}
			best := len(trace) + 100
			for _, w := range ways {
				best = min(best, distance(w, trace))
			}
			if got := m.Align(path, nil).Cost; got != best {
				t.Fatalf("cost %d, brute force %d, for %v on %+v", got, best, trace, d)
			}
			pairs++
		}
	})
	if pairs < 1000 {
		t.Errorf("only %d pairs of map and case were compared", pairs)
	}
}

// TestBPIC2012 aligns all cases of the public loan log with the example map.
func TestBPIC2012(t *testing.T) {
	t.Parallel()
	raw := shared.Read(t, "eventlogs/bpic2012/BPI_Challenge_2012.xes.gz")
	f, err := os.Open("testdata/example/bpic2012_loan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	compile, err := ReadMap(f)
	if err != nil {
		t.Fatal(err)
	}
	r := xes.NewReader(bytes.NewReader(raw))
	defer r.Close()
	l, _, err := mining.FromXES(r, mining.XESOptions{Order: mining.TimeOrder})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	m, err := compile(l.Activities())
	if err != nil {
		t.Fatal(err)
	}
	got := m.AlignLog(l)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("aligned in %v", took)
	}
	if got.Cases != 13_087 || len(m.Steps()) != 12 || got.Fitness <= 0 || got.Fitness >= 1 {
		t.Errorf("%d cases, %d steps, fitness %v", got.Cases, len(m.Steps()), got.Fitness)
	}
	// Sharing alignments between cases of a variant changes nothing: a sample of
	// cases aligned one by one costs the same.
	for c := 0; c < l.Cases(); c += 97 {
		if one := m.Align(l.Path(c), l.Times(c)); one.Cost != got.Of[c].Cost {
			t.Fatalf("case %d: %d alone, %d shared", c, one.Cost, got.Of[c].Cost)
		}
	}
}

// TestLongCase: a case of 100,000 events is compared within seconds.
func TestLongCase(t *testing.T) {
	t.Parallel()
	d := testTemplates(t)[0].Document
	activities := mining.NewDict(append(d.Events(), "noise")...)
	m, err := d.Compile(activities)
	if err != nil {
		t.Fatal(err)
	}
	path, times := make([]int32, 100_000), make([]int64, 100_000)
	for i := range path {
		path[i], times[i] = int32(i%activities.Len()), int64(i)*1e6
	}
	begin := time.Now()
	a := m.Align(path, times)
	if took := time.Since(begin); took > 5*time.Second || a.Events != 100_000 {
		t.Errorf("%v for %d events", took, a.Events)
	}
}

// TestMapWithoutEvents: a map whose events never occur fits nothing and does no
// harm; one without any binding says so.
func TestMapWithoutEvents(t *testing.T) {
	t.Parallel()
	d := testTemplates(t)[0].Document.Clone()
	m, err := d.Compile(mining.NewDict("something", "else"))
	if err != nil {
		t.Fatal(err)
	}
	a := m.Align([]int32{0, 1, 0}, nil)
	if a.Cost != len(m.Steps())+3 || a.Fitness != 0 {
		t.Errorf("%+v", a)
	}
	for _, s := range d.Steps() {
		s.Events = nil
	}
	if _, err := d.Compile(mining.NewDict("something")); err != ErrUnbound {
		t.Error(err)
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"steps: []": "no steps", "steps: [{loop: []}]": "at least one", "steps: [{step: a, wait: P1D}]": "not \"wait\"", "steps: [{step: a, max: soon}]": "ISO 8601", "x: 1": "not found",
		"steps: " + strings.Repeat("[", 30) + "a" + strings.Repeat("]", 30): "deeper",
	} {
		if _, err := ParseRoute([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	r, err := ParseRoute([]byte("steps: [a, {optional: [b]}, {alternative: [[c, d], e]}, {parallel: [f, g]}, {loop: [h]}]"))
	if err != nil {
		t.Fatal(err)
	}
	l := mining.NewDict("a", "b", "c", "d", "e", "f", "g", "h")
	m, err := r.Compile(l)
	if err != nil {
		t.Fatal(err)
	}
	for trace, cost := range map[string]int{"aefgh": 0, "abcdgfhhh": 0, "acfgh": 1, "": 5, "aefghx": 0} {
		var path []int32
		for _, e := range trace {
			if id, ok := l.Lookup(string(e)); ok {
				path = append(path, id)
			}
		}
		if got := m.Align(path, nil).Cost; got != cost {
			t.Errorf("%s: %d, want %d", trace, got, cost)
		}
	}
}

func FuzzRoute(f *testing.F) {
	raw, err := os.ReadFile("testdata/example/bpic2012_loan.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"journey":"x","name":{"en":"X"},"stages":[{"id":"s","steps":[{"id":"a","events":["e"]}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		compile, err := ReadMap(bytes.NewReader(raw))
		if err != nil {
			return
		}
		m, err := compile(mining.NewDict("a", "b"))
		if err == nil {
			m.Align([]int32{0, 1, 0}, nil)
		}
	})
}
