package web

import (
	"context"
	"strconv"
	"time"

	"omote/internal/platform/auth"
)

// Permissions of the system's health.
const (
	PermSystem     auth.Permission = "admin.system.read"
	PermSystemEdit auth.Permission = "admin.system.edit"
	PermJobRead    auth.Permission = "admin.job.read"
	PermJobEdit    auth.Permission = "admin.job.edit"
	PermOutbox     auth.Permission = "admin.outbox.read"
)

// Health is what the pages ask the running process about itself. Its acts check
// their permission and write to the audit trail.
type Health interface {
	// Try makes each part of the process do its work once and tells how long it
	// took. It shows no data and needs no permission.
	Try(ctx context.Context) []Part
	// Place says on what the process runs.
	Place() Place
	// Flow tells how far the event log and its projectors are.
	Flow(ctx context.Context) (Flow, error)
	// Letters gives refused events, at most limit, with how many there are.
	Letters(ctx context.Context, limit int) (Letters, error)
	// Outbox counts outgoing messages by state.
	Outbox(ctx context.Context) ([]StateCount, error)
	// Jobs gives the newest jobs.
	Jobs(ctx context.Context, limit int) ([]Job, error)

	Replay(ctx context.Context, handler, subject string) (applied int, err error)
	Discard(ctx context.Context, handler, subject string) error
	CancelJob(ctx context.Context, id string) error
	RestartJob(ctx context.Context, id string) error
}

// Part is one part that was tried.
type Part struct {
	Key  string // "store", "log", "warehouse": admin.web.health.part.…
	Kind string // the engine: "SQLite", "PostgreSQL", "NATS JetStream"
	Took time.Duration
	Err  error // nil when it answered
}

// Place is what the process runs on.
type Place struct {
	Version, Revision, Go string
	Data                  string // the data folder
	Zone                  string
	Started               time.Time
	DiskFree, DiskTotal   int64 // bytes of the data folder's disk; 0 when unknown
	Memory                int64 // resident bytes of the process; 0 when unknown
	Cores                 int
	Roles                 []string // parts that run here
}

// Flow is the way of events through the process.
type Flow struct {
	Events, Bytes, Failures uint64 // made durable since the start
	Partitions              []Partition
	Projectors              []Projector
}

// Partition is one partition of the log.
type Partition struct {
	No          int
	First, Last uint64 // sequences that it holds
}

// Projector is how far a projector is in one partition.
type Projector struct {
	Name              string
	Partition         int
	Position, Last    uint64
	Events            uint64 // not taken up yet
	Behind            time.Duration
	Applied, Repeated uint64 // since the start: taken up, and known already
	Retries           uint64
	Failure           string // why the last attempt failed; for engineers
}

// Letters are events that a handler refused.
type Letters struct {
	Failed, Waiting int64
	Items           []Letter
}

// Letter is one refused event; later ones of its subject wait behind it.
type Letter struct {
	Handler, Subject string
	Partition        int
	Seq              uint64
	Reason           string
	Attempts         int
	Since            time.Time
}

// where is the place of the event in the log: "1/42" is partition 1, sequence 42.
func (l Letter) where() string {
	return strconv.Itoa(l.Partition) + "/" + strconv.FormatUint(l.Seq, 10)
}

// StateCount is how many messages are in a state.
type StateCount struct {
	State string
	N     int64
}

// Job is long work.
type Job struct {
	ID, Kind, State string
	Stopping        bool
	Done, Total     int64
	Error           string // key of why it failed
	ErrorText       string // the same for engineers
	Actor           string
	Created, Ended  time.Time
}

// running tells whether a job may still be cancelled.
func (j Job) running() bool { return j.State == "queued" || j.State == "running" }
