package linkage

import (
	"regexp"
	"strings"
)

// numbered matches ids that say which record is a copy of which: rec-17-org,
// rec-17-dup-3, as generators of test data write them.
var numbered = regexp.MustCompile(`^(.*?\d+)[-_](?:org|orig|original|dup|duplicate|copy)(?:[-_]?\d+)?$`)

// Truth numbers the true clusters of records from the values of a truth column:
// records with one value are one. Where the column names records instead
// (rec-17-dup-3 is a copy of rec-17-org, or a copy names the id of its original
// and the original says nothing) these are brought together. A record without
// truth has -1. ids may be nil.
func Truth(values, ids []string) []int32 {
	out := make([]int32, len(values))
	matches, filled := 0, 0
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			filled++
			if numbered.MatchString(strings.ToLower(v)) {
				matches++
			}
		}
	}
	copies := filled > 0 && matches == filled
	number := map[string]int32{}
	for i, v := range values {
		if v = strings.TrimSpace(v); copies && v != "" {
			v = numbered.FindStringSubmatch(strings.ToLower(v))[1]
		}
		if v == "" {
			out[i] = -1
			continue
		}
		n, ok := number[v]
		if !ok {
			n = int32(len(number))
			number[v] = n
		}
		out[i] = n
	}
	if ids == nil || filled == len(values) {
		return out
	}
	for i, id := range ids { // an original without truth that copies name by id
		if n, ok := number[strings.TrimSpace(id)]; ok && out[i] < 0 {
			out[i] = n
		}
	}
	return out
}
