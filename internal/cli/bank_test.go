package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omote/bank"
)

func runBank(t *testing.T, args ...string) string {
	t.Helper()
	var out, notes bytes.Buffer
	cmd := newBankCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&notes)
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatalf("omote bank %s: %v\n%s", strings.Join(args, " "), err, notes.String())
	}
	return out.String()
}

func TestBankGenerate(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"ndjson", "csv"} {
		dir := t.TempDir()
		var sum bank.Summary
		if err := json.Unmarshal([]byte(runBank(t, "generate", "--customers", "60", "--months", "2", "--out", dir, "--format", format, "--json", "--quiet")), &sum); err != nil {
			t.Fatal(err)
		}
		if sum.Events == 0 || sum.Truth.People < 60 {
			t.Fatalf("%s: %+v", format, sum)
		}
		for _, name := range []string{"feeds/core." + format, "feeds/core_customers." + format, "feeds/app." + format, "truth/identity.csv", "truth/plan.json", "truth/feeling.csv"} {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestBankDescribeAndBench(t *testing.T) {
	t.Parallel()
	var d bank.Description
	if err := json.Unmarshal([]byte(runBank(t, "describe", "--customers", "200", "--months", "3", "--json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.Events == 0 || len(d.People.Surnames) == 0 {
		t.Fatalf("%+v", d)
	}
	if text := runBank(t, "describe", "--customers", "200", "--months", "3"); !strings.Contains(text, "Nguyễn") {
		t.Errorf("the description names no family names:\n%s", text)
	}
	var b bankBench
	if err := json.Unmarshal([]byte(runBank(t, "bench", "--customers", "100", "--months", "1", "--json")), &b); err != nil || b.Events == 0 {
		t.Fatalf("%+v, %v", b, err)
	}
}
