// Package imports brings files in: it keeps the upload, reads it row by row
// through a mapping, sends the events to the log in durable batches, sets aside
// what does not fit, and tells exactly how many rows became facts.
//
// An import is a row in the store; the worker that runs it can be killed at any
// moment. It continues after the last batch known to be on disk; rows sent twice
// are told apart by their message id, which is the file's hash and the row's
// number. The same file imported again therefore adds nothing, whatever its name.
package imports

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/ingest/files"
	"omote/internal/ingest/mapping"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// Permissions of imports.
const (
	PermRead auth.Permission = "ingest.import.read"
	PermEdit auth.Permission = "ingest.import.edit"
)

// State is where an import stands.
type State string

// The states. Draft waits for its mapping; Queued for a worker; Settling for the
// projectors to take up what was sent.
const (
	Draft     State = "draft"
	Queued    State = "queued"
	Reading   State = "reading"
	Paused    State = "paused"
	Settling  State = "settling"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Over tells whether nothing more will happen.
func (s State) Over() bool { return s == Done || s == Failed || s == Cancelled }

// Running tells whether a worker is at it or will be.
func (s State) Running() bool { return s == Queued || s == Reading || s == Settling }

// Import is one file brought in.
type Import struct {
	bun.BaseModel `bun:"table:ingest_import"`
	ID            string `bun:",pk"`
	Entity        string
	FileName      string
	FileHash      string
	Size          int64
	Format        files.Format
	MappingJSON   json.RawMessage `bun:"mapping"`
	History       bool
	// RetryOf is the import whose quarantined rows this file corrects.
	RetryOf string
	State   State
	// ReadBytes and ReadRows are how far the file was read and its events are on
	// disk; Sent counts the events sent.
	ReadBytes   int64
	ReadRows    int64
	Sent        int64
	Accepted    int64
	Duplicates  int64
	Quarantined int64
	// DroppedJSON counts values of properties that the plan does not declare.
	DroppedJSON json.RawMessage `bun:"dropped"`
	Error       string
	CreatedAt   store.Micros
	CreatedBy   string
	StartedAt   store.Micros `bun:",nullzero"`
	FinishedAt  store.Micros `bun:",nullzero"`
}

// Mapping decodes the import's mapping.
func (im *Import) Mapping() (m mapping.Mapping, err error) {
	err = json.Unmarshal(im.MappingJSON, &m)
	return m, err
}

// Dropped decodes the counts of undeclared properties.
func (im *Import) Dropped() map[string]int64 {
	var d map[string]int64
	_ = json.Unmarshal(im.DroppedJSON, &d)
	return d
}

// Progress is how much of the file was read, from 0 to 1.
func (im *Import) Progress() float64 {
	switch {
	case im.State == Done || im.State == Settling:
		return 1
	case im.Size == 0:
		return 0
	}
	return min(1, float64(im.ReadBytes)/float64(im.Size))
}

// Seconds is how long the work took, or has taken so far.
func (im *Import) Seconds(now time.Time) float64 {
	if im.StartedAt == 0 {
		return 0
	}
	end := im.FinishedAt
	if end == 0 {
		end = store.At(now)
	}
	return end.Sub(im.StartedAt).Seconds()
}

// Left estimates the time until the file is read, 0 when it cannot be told.
func (im *Import) Left(now time.Time) time.Duration {
	p := im.Progress()
	if im.State != Reading || p < 0.01 {
		return 0
	}
	return time.Duration(im.Seconds(now) * (1 - p) / p * float64(time.Second))
}

// Limits of imports.
const (
	// MaxFile is the largest upload, in bytes.
	MaxFile = 20 << 30
	// batchEvents and batchBytes bound one durable batch.
	batchEvents = 2_000
	// previewRows is how many rows the page and Suggest look at.
	previewRows = 200
)
