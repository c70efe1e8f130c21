// Package stream mines event logs that do not fit in memory.
//
// A [Writer] takes events in any order and lays them aside in parts, each case
// wholly in one part, so that one part at a time is an ordinary [mining.Log]. A
// [Log] of parts is mined in one pass over the events, which also lays aside the
// wait of every transition, and a few passes over the waits.
//
// Nothing is estimated. Counts of parts add up. Quantiles are found by narrowing:
// each pass divides the interval that holds an order statistic into some thousand
// bins and counts them, until the values left in it are few enough to be sorted.
// Results equal those of [mining.DirectlyFollows] and its kin on the same events
// (a test holds them equal); variants are told apart by a 128-bit hash of their
// path.
//
// Memory is that of the largest part, of one bin table for each large edge, and
// of some forty bytes for each variant; [Options.Memory] says how much events and
// bins may take.
//
// The package does no input or output of its own: a [Store] keeps the parts.
package stream

import "io"

// Store keeps the parts of a log by name, such as files of a folder.
type Store interface {
	Create(name string) (io.WriteCloser, error)
	Open(name string) (io.ReadCloser, error)
	Remove(name string) error
}
