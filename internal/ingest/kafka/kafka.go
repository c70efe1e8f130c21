// Package kafka reads Kafka topics of Segment-shaped JSON messages, one message
// a record, as a feed of their own:
//
//	{"type": "track", "event": "loan_requested", "userId": "42", "timestamp": "2026-11-24T08:00:00Z", "properties": {"amount": 5000000}}
//
// A record is known by topic, partition and offset, so it counts once however
// often Kafka delivers it. Offsets are committed only after the event log has
// acknowledged the records, or quarantine has kept those that do not fit; what
// was not committed when a process ended is delivered again and recognised.
// While the log asks to wait, no further record is fetched. A tombstone (a
// record without a value) says nothing and is passed over.
//
// The feed reads a topic from its beginning when its group is new.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"omote/internal/ingest/segment"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/eventlog"
)

// Limits of one round.
const (
	maxRecords = 1000
	maxBytes   = 8 << 20
	maxWait    = 30 * time.Second // between tries while the log takes nothing
)

// Door takes messages durably.
type Door interface {
	Take(ctx context.Context, source segment.Source, messages []segment.Message) error
}

// Source is a set of topics that is read as one feed.
type Source struct {
	Brokers  []string // host:port
	Topics   []string
	Group    string // consumer group; several processes share the partitions
	Feed     segment.Source
	Door     Door
	Logger   *slog.Logger
	Security Security
}

// Run reads until ctx ends. Without brokers it returns at once.
func (s *Source) Run(ctx context.Context) error {
	if len(s.Brokers) == 0 {
		return nil
	}
	if len(s.Topics) == 0 || s.Group == "" {
		return errs.Invalid("config.error.kafka", "kafka_topics", "the Kafka source needs topics and a consumer group")
	}
	security, err := s.Security.Options()
	if err != nil {
		return err
	}
	options := append([]kgo.Opt{
		kgo.SeedBrokers(s.Brokers...), kgo.ConsumeTopics(s.Topics...), kgo.ConsumerGroup(s.Group), kgo.ClientID("omote"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.FetchMaxBytes(maxBytes),
	}, security...)
	client, err := kgo.NewClient(options...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer client.CloseAllowingRebalance()
	for ctx.Err() == nil {
		if err := s.round(ctx, client); err != nil && ctx.Err() == nil {
			s.Logger.Warn("kafka", "error", err)
			if clock.Sleep(ctx, time.Second) != nil {
				break
			}
		}
		client.AllowRebalance()
	}
	return nil
}

// round fetches records, has them taken, and commits them.
func (s *Source) round(ctx context.Context, client *kgo.Client) error {
	fetches := client.PollRecords(ctx, maxRecords)
	var failed error
	fetches.EachError(func(topic string, partition int32, err error) {
		failed = errors.Join(failed, fmt.Errorf("%s/%d: %w", topic, partition, err))
	})
	records := fetches.Records()
	if len(records) == 0 {
		return failed
	}
	if err := s.take(ctx, records); err != nil {
		return errors.Join(failed, err)
	}
	return errors.Join(failed, client.CommitRecords(ctx, records...))
}

// take repeats until the records are on disk or ctx ends: what was fetched is not
// delivered again while the process lives.
func (s *Source) take(ctx context.Context, records []*kgo.Record) error {
	messages := make([]segment.Message, 0, len(records))
	for _, r := range records {
		if r.Value != nil {
			messages = append(messages, segment.Message{ID: recordID(r), Body: r.Value})
		}
	}
	for wait := time.Second; ; wait = min(2*wait, maxWait) {
		err := s.Door.Take(ctx, s.Feed, messages)
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.Logger.Warn("kafka: records wait, they are given again", "records", len(records), "error", err)
		if err := clock.Sleep(ctx, max(wait, eventlog.RetryAfter(err))); err != nil {
			return err
		}
	}
}

func recordID(r *kgo.Record) string { return fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset) }
