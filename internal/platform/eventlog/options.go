package eventlog

import (
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"

	"omote/internal/platform/clock"
	"omote/internal/platform/keyring"
)

// Limits that do not need setting.
const (
	maxMessage     = 8 << 20   // bytes of one stored message
	maxRaw         = 6 << 20   // bytes of the events of one message before compression
	maxGroup       = 2 << 20   // largest GroupBytes: a group is closed once it is reached, so it may hold twice as much
	maxEvent       = 128 << 10 // bytes of one encoded event
	maxGroupEvents = 2000      // events gathered into one message
	maxWaiting     = 64 << 20  // bytes waiting for the disk in one partition
	maxPartitions  = 1024

	defaultEmbeddedPartitions = 2
	defaultExternalPartitions = 8
)

// Backlog bounds how far the slowest projector may fall behind before Append
// refuses. A zero field takes the default; a negative one switches it off.
type Backlog struct {
	Events  int64         // default 1,000,000 (estimated, see [Lag.Events])
	Bytes   int64         // stored bytes; default 2 GiB
	Seconds time.Duration // age of the oldest event not yet applied; default 2 minutes
}

// DedupWindow bounds the memory of the duplicate decision: an event is compared
// with the events of its partition that stand at most Events places and arrived
// at most Age before it.
type DedupWindow struct {
	Events int           // default 1,000,000 events per partition
	Age    time.Duration // default 48 hours
}

// Options set a log up. Exactly one of Dir and URL is required, and Keys.
type Options struct {
	// Dir is the folder of the embedded server's data.
	Dir string
	// URL is the address of an external NATS cluster (comma-separated servers).
	URL string
	// MonitorURLs are the HTTP monitoring addresses of the external servers,
	// one per server; they prove that each flushes before it acknowledges.
	MonitorURLs []string
	// AllowUnsynced accepts an external cluster without that proof.
	AllowUnsynced bool
	// Connect adds client options for the external cluster: TLS, credentials.
	Connect []nats.Option

	// Name prefixes streams and subjects, so that several logs can share a
	// cluster; lower-case letters, digits and '_'. Default "omote".
	Name string
	// Partitions is fixed when the log is created. 0 takes the number the log
	// has, or 2 embedded and 8 external for a new one. At most 1024.
	Partitions int
	// Replicas of each partition; default 1 embedded, 3 external.
	Replicas int

	// Retention is how long messages are kept (default 7 days). RetentionLimit
	// is how long a message that a registered projector has not yet applied is
	// kept at most (default twice Retention); after it, it is deleted and
	// reported as an error.
	Retention      time.Duration
	RetentionLimit time.Duration

	// GroupDelay is the longest an append waits for company when others append
	// at the same time (default 2 ms); a lone append never waits. GroupBytes is
	// the size at which a group is closed (default 256 KiB of encoded events).
	GroupDelay time.Duration
	GroupBytes int
	// AckTimeout is how long one group may take to become durable before Append
	// answers unavailable (default 10 s).
	AckTimeout time.Duration

	// MinFreeBytes is the free disk space below which the embedded log refuses
	// to append (default 256 MiB; negative switches the check off).
	MinFreeBytes int64

	Backlog Backlog
	Dedup   DedupWindow

	// Keys encrypt the log (purpose [keyring.Log]). Current is asked once per
	// group, so a provider behind a network must cache.
	Keys   keyring.Provider
	Clock  clock.Clock
	Logger *slog.Logger

	// unsynced switches flushing off in the embedded server. Only the test that
	// proves that the system-call check can fail sets it.
	unsynced bool
}

var validName = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

func (o Options) withDefaults() (Options, error) {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if o.Name == "" {
		o.Name = "omote"
	}
	set(&o.Retention, 7*24*time.Hour)
	set(&o.RetentionLimit, 2*o.Retention)
	set(&o.GroupDelay, 2*time.Millisecond)
	set(&o.AckTimeout, 10*time.Second)
	set(&o.Backlog.Seconds, 2*time.Minute)
	set(&o.Dedup.Age, 48*time.Hour)
	if o.GroupBytes == 0 {
		o.GroupBytes = 256 << 10
	}
	if o.MinFreeBytes == 0 {
		o.MinFreeBytes = 256 << 20
	}
	if o.Backlog.Events == 0 {
		o.Backlog.Events = 1_000_000
	}
	if o.Backlog.Bytes == 0 {
		o.Backlog.Bytes = 2 << 30
	}
	if o.Dedup.Events == 0 {
		o.Dedup.Events = 1_000_000
	}
	if o.Replicas == 0 {
		o.Replicas = 1
		if o.URL != "" {
			o.Replicas = 3
		}
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, o.validate()
}

func (o Options) validate() error {
	switch {
	case (o.Dir == "") == (o.URL == ""):
		return fmt.Errorf("eventlog: set either a folder or the URL of a cluster")
	case o.Keys == nil:
		return fmt.Errorf("eventlog: a key ring is required, the log is always encrypted")
	case !validName.MatchString(o.Name):
		return fmt.Errorf("eventlog: the name %q is not 1–32 lower-case letters, digits or '_'", o.Name)
	case o.Partitions < 0 || o.Partitions > maxPartitions:
		return fmt.Errorf("eventlog: %d partitions are not between 1 and %d", o.Partitions, maxPartitions)
	case o.Retention < 0 || o.RetentionLimit < o.Retention:
		return fmt.Errorf("eventlog: retention %s must be positive and not above its limit %s", o.Retention, o.RetentionLimit)
	case o.GroupDelay < 0 || o.GroupBytes < 1 || o.GroupBytes > maxGroup:
		return fmt.Errorf("eventlog: group delay %s or group size %d is out of range", o.GroupDelay, o.GroupBytes)
	case o.Dedup.Events < 1 || o.Dedup.Events > 1<<28 || o.Dedup.Age < 0:
		return fmt.Errorf("eventlog: duplicate window of %d events and %s is out of range", o.Dedup.Events, o.Dedup.Age)
	case o.Dir != "" && o.Replicas != 1:
		return fmt.Errorf("eventlog: the embedded log has one replica, not %d", o.Replicas)
	case o.Replicas < 1 || o.Replicas > 5:
		return fmt.Errorf("eventlog: %d replicas are not between 1 and 5", o.Replicas)
	}
	return nil
}
