package mining

// SetGrain makes computations on l, and on logs filtered from it, use a
// goroutine for every so many events, so that tests reach the parallel paths
// with small logs.
func SetGrain(l *Log, events int) { l.grain = events }

// Quantile is the quantile that reports use, in microseconds.
func Quantile(micros []int64, p ...float64) []float64 {
	q := selector{micros: micros}
	out := make([]float64, len(p))
	for i := range p {
		out[i] = q.at(p[i])
	}
	return out
}
