// Package eventlog is the spine of Omote: every fact enters here, is made
// durable, and is read from here by the projectors that build state and
// analysis.
//
// # Writing
//
// [Log.Append] takes validated events, splits them by the hash of their key
// over a fixed number of partitions, and returns only when every one of them is
// on disk. Callers that append at the same time share one disk flush: each
// partition has one committer that gathers what waits, compresses and encrypts
// it as one message, and publishes it to a JetStream stream (one stream per
// partition) while the next group gathers. A lone event therefore waits for one
// flush only, and a crowd shares it.
//
// # Reading
//
// A [Projector] keeps its own position (the stream sequence of a whole message)
// beside its own data, in the same transaction. [Log.Run] reads each partition
// from that position in order, marks duplicates, hands over batches of whole
// messages and retries a batch until it is applied. Whether an event is a
// duplicate is a pure function of the log (see dedup.go), so every projector
// and every restart decides the same.
//
// # Where the log lives
//
// With [Options.Dir] a JetStream server runs inside the process and flushes to
// disk before each acknowledgement. With [Options.URL] the log lives on an
// external cluster, which is refused unless it is shown to flush as well
// (see external.go). What is promised, and which faults are not covered, is
// written in docs/reference/guarantees.md.
//
// # File map
//
//	options.go    what can be set, with units and defaults
//	log.go        Open, Close, health of the log
//	append.go     Append: split, back-pressure, receipt
//	commit.go     group commit of one partition
//	payload.go    the bytes of one message
//	seal.go       encryption of one message (XAES-256-GCM)
//	dedup.go      the duplicate decision
//	warm.go       reading the duplicate window before a position
//	reader.go     messages of a partition in order
//	run.go        the loop that feeds a projector
//	positions.go  what each projector has applied, shared between nodes
//	lag.go        how far behind a projector is, and back-pressure
//	retention.go  expiry of old messages
//	embedded.go   the server in the process; disk full and recovery
//	dirsync.go    makes new block files findable after a power failure
//	external.go   an external cluster and the proof that it flushes
//	bench.go      measuring durable appends
package eventlog
