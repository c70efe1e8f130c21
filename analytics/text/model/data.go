package model

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"omote/analytics/text/normalise"
)

// Example is a text and what a person said it is. Most texts carry one label;
// some speak of several things.
type Example struct {
	Text   string
	Labels []string
}

// maxLine bounds one row of a JSONL file.
const maxLine = 1 << 20

// ReadJSONL reads rows {"text":…,"label":…} or {"text":…,"labels":[…]}. A row
// without a label is refused when needLabel is set.
func ReadJSONL(r io.Reader, needLabel bool) ([]Example, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 64<<10), maxLine)
	var examples []Example
	for line := 1; scanner.Scan(); line++ {
		raw := strings.TrimSpace(scanner.Text())
		if raw == "" {
			continue
		}
		var row struct {
			Text   *string  `json:"text"`
			Label  *string  `json:"label"`
			Labels []string `json:"labels"`
		}
		if err := json.Unmarshal([]byte(raw), &row); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if row.Text == nil {
			return nil, fmt.Errorf(`line %d: no "text"`, line)
		}
		labels := row.Labels
		if row.Label != nil {
			labels = append(labels, *row.Label)
		}
		labels = slices.DeleteFunc(labels, func(l string) bool { return l == "" })
		if needLabel && len(labels) == 0 {
			return nil, fmt.Errorf(`line %d: no "label" or "labels"`, line)
		}
		slices.Sort(labels)
		examples = append(examples, Example{Text: *row.Text, Labels: slices.Compact(labels)})
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("reading rows: %w", err)
	}
	return examples, nil
}

// Key returns the form under which two texts count as copies of each other:
// words only, in lower case, without diacritics.
func Key(text string) string {
	var b strings.Builder
	word := false
	for _, r := range normalise.Fold(text) {
		if r == ' ' || r == '\n' || r == '\t' || r < 128 && !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') {
			word = false
			continue
		}
		if !word && b.Len() > 0 {
			b.WriteByte(' ')
		}
		word = true
		b.WriteRune(r)
	}
	if b.Len() == 0 { // nothing but emoji or marks
		return strings.TrimSpace(text)
	}
	return b.String()
}

// WithoutCopies returns the examples whose texts are no copies of any in test,
// and how many were left out.
func WithoutCopies(train, test []Example) (kept []Example, dropped int) {
	seen := make(map[string]bool, len(test))
	for _, e := range test {
		seen[Key(e.Text)] = true
	}
	for _, e := range train {
		if seen[Key(e.Text)] {
			dropped++
			continue
		}
		kept = append(kept, e)
	}
	return kept, dropped
}

// groupFolds deals the examples into folds so that copies stay together and
// each fold has about the same mix of labels: groups are dealt in turn, label
// by label.
func groupFolds(examples []Example, folds int, seed uint64) []int {
	type group struct {
		members []int
		label   string
		order   uint64
	}
	groups := make(map[string]*group)
	var list []*group
	for i, e := range examples {
		k := Key(e.Text)
		g := groups[k]
		if g == nil {
			g = &group{label: strings.Join(e.Labels, "\x00"), order: hashBytes([]byte(k), seed)}
			groups[k] = g
			list = append(list, g)
		}
		g.members = append(g.members, i)
	}
	slices.SortFunc(list, func(a, b *group) int {
		if c := strings.Compare(a.label, b.label); c != 0 {
			return c
		}
		if a.order < b.order {
			return -1
		}
		return 1
	})
	fold := make([]int, len(examples))
	for n, g := range list {
		for _, i := range g.members {
			fold[i] = n % folds
		}
	}
	return fold
}
