// Package segment is the HTTP tracking door: the Segment tracking API, so that
// unmodified Segment and RudderStack SDKs can send to Omote.
//
//	POST /v1/identify|track|page|screen|group|alias   one message
//	POST /v1/batch                                    many, live
//	POST /v1/import                                   many, as history: they start nothing
//
// The write key is the user name of basic authentication, or the body's
// writeKey as browser SDKs send it. An answer of 200 means that every message
// named neither in "rejected" nor elsewhere is on disk. Messages that do not fit
// are set aside in quarantine with their reason and named in the answer; they do
// not hold up their neighbours.
package segment

import (
	"context"
	"time"

	"omote/internal/ingest/plan"
	"omote/internal/platform/clock"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
)

// Source is a feed that may send, found by its write key.
type Source struct {
	// Name is what the feed is called ("app", "core"); it scopes message ids.
	Name   string
	Entity string
	// System is the system whose customer ids the feed uses; "" means Name.
	System string
}

// Keys finds the source of a write key. A wrong, revoked or expired key gives an
// errs.Unauthenticated; a key without the ingest scope an errs.Denied.
type Keys interface {
	WriteKey(ctx context.Context, key string) (Source, error)
}

// Log takes events and returns when all of them are on disk.
type Log interface {
	Append(ctx context.Context, events []event.Event) (eventlog.Receipt, error)
}

// Plans gives the checker of the entity's current tracking plan.
type Plans interface {
	Checker(entity string) *plan.Checker
}

// Rejected is a message set aside.
type Rejected struct {
	Source    string
	Entity    string
	MessageID string
	Reason    plan.Reason
	Field     string
	Raw       []byte // the message as received
}

// Quarantine keeps messages that were set aside. It returns when they are kept.
type Quarantine interface {
	Put(ctx context.Context, rows []Rejected) error
}

// Counter counts violations of the plan. It is called for every violation and
// must be cheap and bounded in memory.
type Counter interface {
	Count(entity, source, event string, v plan.Violation)
}

// Limits of the door.
const (
	MaxBody    = event.MaxBatch // bytes of a request, uncompressed
	MaxMessage = event.MaxSize  // bytes of one message
	// skewTolerance is how far a device's clock may be off before it is corrected.
	skewTolerance = time.Minute
)

// Door serves the tracking API.
type Door struct {
	Log        Log
	Keys       Keys
	Plans      Plans
	Quarantine Quarantine
	Counter    Counter
	Clock      clock.Clock
}
