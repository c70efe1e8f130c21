package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// runText runs "omote text …" on its own.
func runText(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	root := &cobra.Command{Use: "omote", SilenceUsage: true, SilenceErrors: true}
	root.PersistentFlags().Bool("json", false, "print JSON")
	root.AddCommand(newTextCommand())
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetIn(strings.NewReader(stdin))
	root.SetArgs(append([]string{"text"}, args...))
	err := root.Execute()
	return out.String(), err
}

func writeText(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func labelledRows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"text\":\"thẻ bị khóa lần %d\",\"label\":\"card\"}\n{\"text\":\"vay mua nhà đợt %d\",\"label\":\"loan\"}\n", i, i)
	}
	return b.String()
}

func TestTextTrainAndClassify(t *testing.T) {
	t.Parallel()
	train := writeText(t, "train.jsonl", labelledRows(20))
	out := filepath.Join(t.TempDir(), "m.omtx")
	if got, err := runText(t, "", "train", "--train", train, "--model", out, "--json"); err != nil || !strings.Contains(got, `"labels":2`) {
		t.Fatalf("%s %v", got, err)
	}
	got, err := runText(t, `{"text":"the bi khoa, goi 0912345678"}`, "classify", "-", "--model", out, "--json", "--sure", "0.5")
	if err != nil {
		t.Fatal(err)
	}
	var row classified
	if err := json.Unmarshal([]byte(got), &row); err != nil {
		t.Fatal(err)
	}
	if row.Label != "card" || !row.Decided || !strings.Contains(row.Text, "[phone]") || row.Language != "vi" {
		t.Errorf("%s", got)
	}
}

func TestTextClassifyShipped(t *testing.T) {
	t.Parallel()
	got, err := runText(t, "text\n\"Nhân viên thái độ quá tệ, tôi sẽ đóng tài khoản\"\nmy card has not arrived yet\n", "classify", "-")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NEGATIVE", "!churn", "card_arrival"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestTextEval(t *testing.T) {
	t.Parallel()
	train := writeText(t, "train.jsonl", labelledRows(30))
	test := writeText(t, "test.csv", "text,label\nthẻ bị khóa hoài,card\nmuốn vay mua nhà,loan\nthẻ bị khóa lần 3,card\n")
	got, err := runText(t, "", "eval", "--train", train, "--test", test, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var report map[string]any
	if err := json.Unmarshal([]byte(got), &report); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"accuracy", "macro_f1", "weighted_f1", "ece", "coverage", "texts_per_s", "model_bytes", "train_s"} {
		if _, ok := report[key]; !ok {
			t.Errorf("no %q in %s", key, got)
		}
	}
	if report["accuracy"] != 1.0 || report["copies_left_out"] != 1.0 {
		t.Errorf("%s", got)
	}
	if got, err := runText(t, "", "eval", "--train", train, "--test", test, "--per-label"); err != nil || !strings.Contains(got, "card") {
		t.Errorf("%s %v", got, err)
	}
}

func TestTextMask(t *testing.T) {
	t.Parallel()
	got, err := runText(t, "gọi 0912345678\nkhông có gì\n", "mask")
	if err != nil || got != "gọi [phone]\nkhông có gì\n" {
		t.Errorf("%q %v", got, err)
	}
	got, err = runText(t, "gọi 0912345678\n", "mask", "-", "--json")
	if err != nil || got != `{"text":"gọi [phone]","found":[{"kind":"phone","start":6,"end":16}]}`+"\n" {
		t.Errorf("%q %v", got, err)
	}
}

func TestTextThemes(t *testing.T) {
	t.Parallel()
	var past, now strings.Builder
	past.WriteString("text\n")
	now.WriteString("text\n")
	for i := range 40 {
		fmt.Fprintf(&past, "nhân viên số %d nhiệt tình dễ thương\nphí dịch vụ thứ %d hơi cao\n", i*31, i*17)
	}
	for i, where := range strings.Fields("hôm qua sáng nay tại Hà Nội trên điện thoại mới") {
		fmt.Fprintf(&now, "%s quét khuôn mặt %s hoài\n%d %s\n", strings.Repeat(where+" ", 4), where, i*7919, where)
	}
	got, err := runText(t, "", "themes", writeText(t, "now.csv", now.String()), "--past", writeText(t, "past.csv", past.String()), "--json")
	if err != nil || !strings.Contains(got, "quét khuôn mặt") {
		t.Errorf("%s %v", got, err)
	}
}

func TestTextRefusals(t *testing.T) {
	t.Parallel()
	empty := writeText(t, "empty.jsonl", "")
	noLabel := writeText(t, "no.csv", "text\nabc\n")
	for _, args := range [][]string{
		{"train", "--train", empty, "--model", "x"},
		{"train", "--train", noLabel, "--model", "x"},
		{"eval", "--train", noLabel, "--test", noLabel},
		{"classify", noLabel, "--model", noLabel},
		{"themes", noLabel, "--past", "absent"},
	} {
		if got, err := runText(t, "", args...); err == nil {
			t.Errorf("%v: no error, printed %s", args, got)
		}
	}
}
