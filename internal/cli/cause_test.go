package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func causeJSON(t *testing.T, input string, args ...string) (causes []map[string]string) {
	t.Helper()
	var out bytes.Buffer
	cmd := newCauseCommand()
	cmd.SetArgs(append([]string{"-", "--json"}, args...))
	cmd.SetIn(strings.NewReader(input))
	cmd.SetOut(&out)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Causes  []map[string]string
		Seconds float64
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got.Causes
}

// leavesCSV is 10 branches × 5 products; branch 3 lost half.
func leavesCSV() string {
	var b strings.Builder
	b.WriteString("branch,product,real,predict\n")
	for i := range 10 {
		for k := range 5 {
			expected := float64(100 + 10*i + k)
			actual := expected * (1 + 0.02*float64((i*7+k*3)%5-2))
			if i == 3 {
				actual /= 2
			}
			fmt.Fprintf(&b, "b%d,p%d,%.3f,%.3f\n", i, k, actual, expected)
		}
	}
	return b.String()
}

func TestCauseOfSums(t *testing.T) {
	t.Parallel()
	got := causeJSON(t, leavesCSV(), "--actual", "real", "--expected", "predict")
	if len(got) != 1 || len(got[0]) != 1 || got[0]["branch"] != "b3" {
		t.Errorf("causes %v, want branch b3", got)
	}
}

// ratesCSV is failures of 4 channels × 6 devices over 8 minutes; device d2 on
// channel c1 fails four times as often in minute 108.
func ratesCSV() string {
	var b strings.Builder
	b.WriteString("min,channel,device,value,cnt\n")
	for m := 101; m <= 110; m++ {
		for c := range 4 {
			for d := range 6 {
				failures := 20 + (m*3+c*5+d*7)%9 - 4
				if m == 108 && c == 1 && d == 2 {
					failures *= 4
				}
				fmt.Fprintf(&b, "%d,c%d,d%d,%d,1000\n", m, c, d, failures)
			}
		}
	}
	return b.String()
}

func TestCauseOfRatios(t *testing.T) {
	t.Parallel()
	args := []string{"--ratio", "value/cnt", "--time", "min"}
	got := causeJSON(t, ratesCSV(), append(args, "--at", "108")...)
	if len(got) != 1 || got[0]["channel"] != "c1" || got[0]["device"] != "d2" {
		t.Errorf("causes %v, want c1 & d2", got)
	}
	if got := causeJSON(t, ratesCSV(), append(args, "--at", "107")...); len(got) != 0 {
		t.Errorf("causes %v before anything happened", got)
	}
}

func TestCauseSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ input, want string }{
		{"", "header"},
		{"a,real,predict\n", "no rows"},
		{"a,real\nx,1\n", `no column "predict"`},
		{"a,a,real,predict\nx,y,1,1\n", "two columns"},
		{"a,real,predict\nx,one,1\n", "line 2"},
		{"real,predict\n1,1\n", "0 attributes"},
	} {
		cmd := newCauseCommand()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs([]string{"-", "--actual", "real", "--expected", "predict"})
		cmd.SetIn(strings.NewReader(c.input))
		cmd.SetOut(&bytes.Buffer{})
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q gives %v, want %s", c.input, err, c.want)
		}
	}
}

func TestCauseTableInVietnamese(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cmd := newCauseCommand()
	cmd.SetArgs([]string{"-", "--actual", "real", "--expected", "predict", "--lang", "vi"})
	cmd.SetIn(strings.NewReader(leavesCSV()))
	cmd.SetOut(&out)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "nguyên nhân") || !strings.Contains(out.String(), "branch=b3") {
		t.Errorf("printed %s", out.String())
	}
}

func FuzzCause(f *testing.F) {
	f.Add("a,real,predict\nx,1,2\ny,2,2\n", false)
	f.Add("min,a,value,cnt\n1,x,1,2\n2,x,2,2\n3,x,0,9\n", true)
	f.Add("a;real;predict\n\"x\";1e9;-2\n", false)
	f.Fuzz(func(t *testing.T, input string, ratio bool) {
		o := causeOptions{actual: "real", expected: "predict", timeCol: "min", language: "en", json: true}
		if ratio {
			o.ratio = "value/cnt"
		}
		var out bytes.Buffer
		if err := runCause(&out, strings.NewReader(input), "-", o); err == nil && !json.Valid(out.Bytes()) {
			t.Errorf("not JSON: %s", out.Bytes())
		}
	})
}
