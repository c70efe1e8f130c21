package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"omote/internal/app"
)

// TestKafkaTopic reads a topic through a whole process: what was produced is in
// the warehouse once, also after a second process has read on.
func TestKafkaTopic(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "core.events"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("core.events"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	produce := func(n int) {
		for i := range n {
			r := &kgo.Record{Value: fmt.Appendf(nil, `{"type":"track","event":"card_activated","userId":"u%d"}`, i), Key: fmt.Append(nil, i)}
			if err := client.ProduceSync(t.Context(), r, &kgo.Record{Value: []byte("no JSON")}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	config := crashConfig(t.TempDir())
	config.KafkaBrokers, config.KafkaTopics = cluster.ListenAddrs(), []string{"core.events"}
	read := func(want int) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		a, err := app.Open(ctx, app.Options{Config: config, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx, false) }()
		facts := 0
		for late := time.Now().Add(30 * time.Second); facts < want && time.Now().Before(late); time.Sleep(50 * time.Millisecond) {
			facts = len(factCounts(t, a, a.System(ctx)))
		}
		if facts != want {
			t.Errorf("%d facts, want %d", facts, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	produce(20)
	read(20)
	produce(10)
	read(30)
}
