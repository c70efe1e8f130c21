package store

import "time"

// Micros is an instant as integer microseconds since 1970-01-01 UTC. It is the
// only form in which the store keeps time. Zero means "none"; give such fields
// the bun option nullzero so that it is stored as NULL.
type Micros int64

// At turns a time into Micros; the zero time becomes 0.
func At(t time.Time) Micros {
	if t.IsZero() {
		return 0
	}
	return Micros(t.UnixMicro())
}

// Time gives the instant in UTC; 0 becomes the zero time.
func (m Micros) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// Add moves the instant by d, cut to microseconds.
func (m Micros) Add(d time.Duration) Micros { return m + Micros(d.Microseconds()) }

// Sub gives the time from o to m.
func (m Micros) Sub(o Micros) time.Duration { return time.Duration(m-o) * time.Microsecond }
