package mining

import "sort"

// Mix counts, for each period, the cases that began in it by the first value
// that they have in a column, such as the channel in which they came.
type Mix struct {
	// From are the beginnings of the periods in UTC microseconds, rising; a period
	// ends where the next begins, and the last at the end of the log.
	From []int64
	// Cases counts by period and value id; Missing the cases without any value.
	Cases   [][]int
	Missing []int
	// Moved counts by period the cases that have more than one value: those that
	// switched.
	Moved []int
}

// FindMix computes a mix. Cases that begin before the first period are left out.
// It returns nil when the log lacks the column.
func FindMix(l *Log, column string, from []int64) *Mix {
	col, ok := l.columns[column]
	if !ok || len(from) == 0 {
		return nil
	}
	m := &Mix{From: from, Cases: make([][]int, len(from)), Missing: make([]int, len(from)), Moved: make([]int, len(from))}
	for i := range m.Cases {
		m.Cases[i] = make([]int, col.Dict.Len())
	}
	for c := range l.spans {
		first, _ := l.extent(c)
		at := sort.Search(len(from), func(i int) bool { return from[i] > first }) - 1
		if at < 0 {
			continue
		}
		value, moved := None, false
		for _, v := range l.Values(column, c) {
			switch {
			case v == None:
			case value == None:
				value = v
			case v != value:
				moved = true
			}
		}
		if value == None {
			m.Missing[at]++
		} else {
			m.Cases[at][value]++
		}
		if moved {
			m.Moved[at]++
		}
	}
	return m
}

// Total returns the number of cases of a period.
func (m *Mix) Total(period int) int {
	n := m.Missing[period]
	for _, k := range m.Cases[period] {
		n += k
	}
	return n
}
