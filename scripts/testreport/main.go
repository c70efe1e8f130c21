// Command testreport reads the output of go test -json and prints what failed
// with its output, what was skipped and why, the slowest packages, and the counts
// on a last line.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

type line struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type key struct{ pkg, test string }

func main() {
	ok, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// report prints the run and tells whether everything passed.
func report(in io.Reader, out io.Writer) (bool, error) {
	output := map[key]*strings.Builder{}
	times := map[string]float64{}
	var passed, failed, skipped int
	var failures, skips []key
	var broken []string
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 1<<20), 64<<20)
	for scan.Scan() {
		var l line
		if json.Unmarshal(scan.Bytes(), &l) != nil {
			fmt.Fprintln(out, scan.Text())
			continue
		}
		k := key{l.Package, l.Test}
		switch l.Action {
		case "output", "build-output":
			if output[k] == nil {
				output[k] = &strings.Builder{}
			}
			if output[k].Len() < 20_000 {
				output[k].WriteString(l.Output)
			}
		case "pass", "fail", "skip":
			if l.Test == "" {
				times[l.Package] = l.Elapsed
				if l.Action == "fail" {
					broken = append(broken, l.Package)
				}
				continue
			}
			switch l.Action {
			case "pass":
				passed++
				delete(output, k)
			case "fail":
				failed++
				failures = append(failures, k)
			default:
				skipped++
				skips = append(skips, k)
			}
		}
	}
	for _, k := range failures {
		fmt.Fprintf(out, "\nFAILED %s %s\n%s", k.pkg, k.test, text(output[k]))
	}
	for _, pkg := range broken {
		if !slices.ContainsFunc(failures, func(k key) bool { return k.pkg == pkg }) {
			failed++
			fmt.Fprintf(out, "\nFAILED %s\n%s", pkg, text(output[key{pkg, ""}]))
		}
	}
	for _, k := range skips {
		fmt.Fprintf(out, "left out: %s %s: %s\n", k.pkg, k.test, reason(text(output[k])))
	}
	slowest(out, times)
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	return failed == 0 && len(broken) == 0 && passed > 0, scan.Err()
}

func text(b *strings.Builder) string {
	if b == nil {
		return ""
	}
	return b.String()
}

// reason is what a skipped test said.
func reason(output string) string {
	for _, l := range strings.Split(output, "\n") {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasPrefix(l, "=== ") && !strings.HasPrefix(l, "--- ") {
			return l
		}
	}
	return "no reason given"
}

func slowest(out io.Writer, times map[string]float64) {
	names := make([]string, 0, len(times))
	for n := range times {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(times[b], times[a]) })
	for _, n := range names[:min(len(names), 8)] {
		fmt.Fprintf(out, "%6.1f s  %s\n", times[n], n)
	}
}
