package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const mineXESText = `<log>
<trace><string key="concept:name" value="1"/>
<event><string key="concept:name" value="Nộp hồ sơ"/><date key="time:timestamp" value="2024-02-10T08:00:00+07:00"/><string key="lifecycle:transition" value="complete"/></event>
<event><string key="concept:name" value="Phê duyệt"/><date key="time:timestamp" value="2024-02-10T09:00:00+07:00"/><string key="lifecycle:transition" value="start"/></event>
</trace>
<trace><string key="concept:name" value="2"/>
<event><string key="concept:name" value="Nộp hồ sơ"/><date key="time:timestamp" value="2024-02-11T08:00:00+07:00"/></event>
<event><string key="concept:name" value="no time"/></event>
</trace>
<trace/>
</log>`

// The same events as a table, out of order and with a local form of time.
const mineCSVText = `case;activity;time;lifecycle
1;Phê duyệt;10/02/2024 09:00;start
2;Nộp hồ sơ;11/02/2024 08:00;
1;Nộp hồ sơ;10/02/2024 08:00;complete
`

// runMine writes the text to a file and runs the command on it.
func runMine(t *testing.T, file, text string, args ...string) (out, notes string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := newMineCommand()
	var o, n bytes.Buffer
	cmd.SetOut(&o)
	cmd.SetErr(&n)
	cmd.SilenceUsage = true
	cmd.SetArgs(append([]string{path}, args...))
	err = cmd.Execute()
	return o.String(), n.String(), err
}

// Mining in parts prints what mining in memory prints.
func TestMineInParts(t *testing.T) {
	t.Parallel()
	var xes, csv strings.Builder
	xes.WriteString("<log>")
	csv.WriteString("case,activity,time\n")
	for c := range 300 {
		fmt.Fprintf(&xes, `<trace><string key="concept:name" value="%d"/>`, c)
		for k := range 2 + c*c%7 {
			at := time.Date(2026, 1, 1+c%28, k, (c*37+k*11)%60, 0, 0, time.UTC).Format(time.RFC3339)
			fmt.Fprintf(&xes, `<event><string key="concept:name" value="step %d"/><date key="time:timestamp" value="%s"/></event>`, (c*k+k)%6, at)
			fmt.Fprintf(&csv, "%d,step %d,%s\n", c, (c*k+k)%6, at)
		}
		xes.WriteString("</trace>")
	}
	xes.WriteString("</log>")
	for file, text := range map[string]string{"a.xes": xes.String(), "a.csv": csv.String()} {
		args := []string{"--json", "--order", "time", "--funnel", "step 0,step 1,step 2", "--name", "a"}
		want, _, err := runMine(t, file, text, args...)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := runMine(t, file, text, append(args, "--memory", "16")...)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-in memory +in parts):\n%s", file, d)
		}
	}
	if _, _, err := runMine(t, "a.xes", mineXESText[:len(mineXESText)-60], "--memory", "16"); err == nil {
		t.Error("a damaged file is taken")
	}
}

func TestMineJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, text, notes string
		args              []string
	}{
		{"loans.xes", mineXESText, "1 of 4 events left out", nil},
		{"loans.csv", mineCSVText, "", []string{"--order", "time", "--zone", "Asia/Ho_Chi_Minh"}},
	} {
		args := append(c.args, "--json", "--funnel", "Nộp hồ sơ, Phê duyệt")
		out, notes, err := runMine(t, c.file, c.text, args...)
		if err != nil {
			t.Fatalf("%s: %v", c.file, err)
		}
		var got struct {
			Cases, Events int
			First         string `json:"first_event_utc"`
			Edges         []struct {
				Source, Target string
				Median         float64 `json:"median_seconds"`
			} `json:"dfg_all"`
			Funnel []struct {
				Step  string
				Cases int
			}
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if got.Cases != 2 || got.Events != 3 || got.First != "2024-02-10T01:00:00.000000Z" ||
			len(got.Edges) != 1 || got.Edges[0].Target != "Phê duyệt" || got.Edges[0].Median != 3600 ||
			len(got.Funnel) != 2 || got.Funnel[0].Cases != 2 || got.Funnel[1].Cases != 1 {
			t.Errorf("%s: %s", c.file, out)
		}
		if !strings.Contains(notes, c.notes) {
			t.Errorf("%s: notes %q", c.file, notes)
		}
	}
}

func TestMineTable(t *testing.T) {
	t.Parallel()
	for language, words := range map[string][]string{
		"en": {"cases", "begins with", "1h0m0s", "funnel step"},
		"vi": {"hồ sơ", "bắt đầu bằng", "1h0m0s", "bước phễu"},
	} {
		out, _, err := runMine(t, "loans.xes", mineXESText, "--lang", language, "--funnel", "Nộp hồ sơ")
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if !strings.Contains(out, word) {
				t.Errorf("%s: no %q in\n%s", language, word, out)
			}
		}
	}
}

func TestMineLifecycle(t *testing.T) {
	t.Parallel()
	for file, text := range map[string]string{"loans.xes": mineXESText, "loans.csv": mineCSVText} {
		out, _, err := runMine(t, file, text, "--json", "--lifecycle", "--order", "time")
		if err != nil || !strings.Contains(out, `"Phê duyệt+start"`) || !strings.Contains(out, `"activities":3`) {
			t.Errorf("%s: %v %s", file, err, out)
		}
	}
}

func TestMineErrors(t *testing.T) {
	t.Parallel()
	cut := mineXESText[:strings.Index(mineXESText, "no time")]
	for _, c := range []struct {
		name, file, text string
		args             []string
		want             string
	}{
		{"damaged", "a.xes", cut, nil, "1 complete cases come before"},
		{"no log", "a.xes", "case,activity", nil, "no XML element"},
		{"unknown format", "a.docx", "", nil, "only .csv"},
		{"order", "a.csv", mineCSVText, []string{"--order", "size"}, "file or time"},
		{"funnel", "a.csv", mineCSVText, []string{"--funnel", "Nộp,x"}, `activity "Nộp"`},
		{"column", "a.csv", "x,activity,time\n1,a,2024-01-01T00:00:00Z\n", nil, "no column for --case; the file has: x, activity, time"},
		{"time", "a.csv", "case,activity,time\n1,a,yesterday\n", nil, "--time-format"},
		{"zone", "a.csv", mineCSVText, []string{"--zone", "Mars/Base"}, "--zone"},
	} {
		_, _, err := runMine(t, c.file, c.text, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	out, notes, err := runMine(t, "a.xes", cut, "--partial", "--json")
	if err != nil || !strings.Contains(out, `"cases":1,`) || !strings.Contains(notes, "damaged file") {
		t.Errorf("partial: %v %s %s", err, notes, out)
	}
	out, notes, err = runMine(t, "a.csv", mineCSVText+"3;Nộp hồ sơ;soon;\n", "--json", "--time-format", "02/01/2006 15:04")
	if err != nil || !strings.Contains(out, `"cases":2,`) || !strings.Contains(notes, "1 rows left out") {
		t.Errorf("bad row: %v %s %s", err, notes, out)
	}
}

func TestBenchMining(t *testing.T) {
	t.Parallel()
	cmd := newBenchMiningCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--events", "20000", "--json"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	var got map[string]float64
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"pass_s", "prepare_s", "map_s", "variants_s", "funnel_s", "redraw_s", "peak_rss_mb", "cores"} {
		if got[key] <= 0 {
			t.Errorf("%s = %v", key, got[key])
		}
	}
	if got["events"] != 20_000 || got["variants"] <= 100 || got["edges"] < 50 {
		t.Errorf("%v", got)
	}
}
