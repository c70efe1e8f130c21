package mining_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"omote/analytics/mining"
	"omote/analytics/xes"

	"omote/internal/testkit/shared"
)

func bpic2012(tb testing.TB, o mining.XESOptions) *mining.Log {
	tb.Helper()
	r := xes.NewReader(bytes.NewReader(shared.Read(tb, "eventlogs/bpic2012/BPI_Challenge_2012.xes.gz")))
	defer r.Close()
	l, counts, err := mining.FromXES(r, o)
	if err != nil {
		tb.Fatal(err)
	}
	if counts != (mining.XESCounts{Traces: 13_087, Events: 262_200}) {
		tb.Fatalf("counts %+v", counts)
	}
	return l
}

func facts(tb testing.TB) map[string]any {
	tb.Helper()
	var all map[string]any
	if err := json.Unmarshal(shared.Read(tb, "eventlogs/bpic2012/facts_bpic2012.json"), &all); err != nil {
		tb.Fatal(err)
	}
	return all
}

// generic turns a value into what its JSON decodes to.
func generic(tb testing.TB, v any) map[string]any {
	tb.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		tb.Fatal(err)
	}
	return out
}

// equalFacts compares every figure of want, to the last digit.
func equalFacts(t *testing.T, name string, want, got map[string]any) {
	t.Helper()
	for key, w := range want {
		if g, ok := got[key]; !ok || !reflect.DeepEqual(w, g) {
			t.Errorf("%s: %s\nwant %.600v\ngot  %.600v", name, key, w, g)
		}
	}
}

func TestReportEqualsFacts(t *testing.T) {
	t.Parallel()
	all := facts(t)
	section := func(name string) map[string]any { return all[name].(map[string]any) }
	l := bpic2012(t, mining.XESOptions{Events: []string{xes.KeyLifecycle}})
	report := generic(t, mining.NewReport(l, "BPIC2012, activity=concept:name"))
	equalFacts(t, "file order", section("file_order"), report)
	for key := range report {
		if _, ok := section("file_order")[key]; !ok {
			t.Errorf("key %q is not in the facts", key)
		}
	}

	sorted := bpic2012(t, mining.XESOptions{Order: mining.TimeOrder})
	inTime := generic(t, mining.NewReport(sorted, ""))
	equalFacts(t, "time order", section("time_order"), inTime)
	if !reflect.DeepEqual(report["dfg_all"], inTime["dfg_all"]) {
		t.Error("the maps in file order and in time order differ")
	}

	cycle := bpic2012(t, mining.XESOptions{Lifecycle: true})
	equalFacts(t, "with lifecycle", section("with_lifecycle"), generic(t, mining.NewReport(cycle, "")))
}

func TestFunnelsEqualFacts(t *testing.T) {
	t.Parallel()
	l := bpic2012(t, mining.XESOptions{})
	for name, steps := range facts(t)["funnels_strict_order"].(map[string]any) {
		var f mining.Funnel
		for _, step := range steps.([]any) {
			id, ok := l.Activities().Lookup(step.(map[string]any)["step"].(string))
			if !ok {
				t.Fatalf("no activity %v", step)
			}
			f.Steps = append(f.Steps, []int32{id})
		}
		r := mining.NewReport(l, "")
		if err := r.AddFunnel(l, &f); err != nil {
			t.Fatal(err)
		}
		if got := generic(t, r)["funnel"]; !reflect.DeepEqual(got, steps) {
			t.Errorf("%s: %v, want %v", name, got, steps)
		}
	}
}

func TestSublogsEqualFacts(t *testing.T) {
	t.Parallel()
	l := bpic2012(t, mining.XESOptions{Events: []string{xes.KeyLifecycle}})
	lifecycle, _ := l.Column(xes.KeyLifecycle)
	complete, _ := lifecycle.Lookup("COMPLETE")
	starting := func(prefix string) mining.Filter {
		var ids []int32
		for id, name := range l.Activities().Names() {
			if strings.HasPrefix(name, prefix) {
				ids = append(ids, int32(id))
			}
		}
		return mining.KeepActivities(ids...)
	}
	filters := map[string][]mining.Filter{
		"A only":          {starting("A_")},
		"O only":          {starting("O_")},
		"W only":          {starting("W_")},
		"COMPLETE only":   {mining.KeepValues(xes.KeyLifecycle, complete)},
		"W COMPLETE only": {mining.KeepValues(xes.KeyLifecycle, complete), starting("W_")},
	}
	for name, want := range facts(t)["sublogs"].(map[string]any) {
		sub, steps := l.Filter(filters[name]...)
		if last := steps[len(steps)-1]; last.Cases != sub.Cases() || last.Events != sub.Events() {
			t.Errorf("%s: explained %+v, got %d cases and %d events", name, last, sub.Cases(), sub.Events())
		}
		equalFacts(t, name, want.(map[string]any), generic(t, mining.NewReport(sub, "")))
	}
}

func BenchmarkReportBPIC2012(b *testing.B) {
	l := bpic2012(b, mining.XESOptions{})
	b.ReportAllocs()
	for b.Loop() {
		mining.NewReport(l, "")
	}
}
