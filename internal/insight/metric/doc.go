// Package metric is the registry of metrics: what a number means, written down
// once and computed the same way on every page, in every file and by the API.
//
// # A definition
//
// A [Definition] says what is measured (its [Kind] and the answers or events it
// reads), which facts count (a typed filter, [Expr]), how the figure may be
// split, which way is better, who owns it, how few answers are too few, and how
// fresh it promises to be. Definitions are versioned and never change: a new
// version is proposed by one person and approved by another (see [Service]).
//
// # From definition to number
//
//	Compile      definition + period + split → SQL of either engine
//	warehouse    sufficient statistics: histograms, sums, pairs of counts
//	fold         statistics → value, interval, n (package analytics/stats)
//
// The warehouse never returns a finished figure; it returns what a figure and
// its interval can be computed from, so that both engines give the same result
// and nothing is rounded twice. Where a question asks only for what the daily
// aggregates hold, it is put to them; the answer is the same.
//
// # Rules
//
//   - A skipped question is not an answer: it is in no numerator and no
//     denominator.
//   - Days, weeks (from Monday) and months are cut in the definition's zone, or
//     in that of the entity, by local date.
//   - A comparison with something absent is false. "not" turns that into true.
//   - Conversions count one opportunity per subject and bucket, its first, and
//     only when the time allowed has passed; durations keep open cases as
//     censored, so long ones are not forgotten because they are not over.
//   - Fewer than the definition's minimum: n is shown, the figure is not.
//
// # Files
//
//	metric.go   Definition, its kinds, limits and Validate
//	expr.go     filters: form, fields, Validate     exprsql.go  and their SQL
//	period.go   periods, granularity, buckets, zones
//	compile.go  definition → SQL
//	fold.go     rows → points with intervals        censored.go Kaplan–Meier
//	pack.go     the built-in definitions
//	service.go  list, get, compute, propose, approve   store.go  all SQL of it
package metric
