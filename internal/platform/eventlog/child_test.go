package eventlog

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/keyring"
)

// The crash and system-call tests run this test binary again as a process of
// its own, which is told its part by the environment.
const (
	childPart = "OMOTE_EVENTLOG_CHILD"
	childDir  = "OMOTE_EVENTLOG_DIR"
	childRun  = "OMOTE_EVENTLOG_RUN" // crash test: number of the run, and by worker the last batch acknowledged in the run before
)

func TestMain(m *testing.M) {
	var err error
	switch part := os.Getenv(childPart); part {
	case "":
		os.Exit(m.Run())
	case "load":
		err = childLoad()
	case "trace", "trace-unsynced":
		err = childTrace(part == "trace-unsynced")
	default:
		err = fmt.Errorf("unknown part %q", part)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func childLog(change func(*Options)) (*Log, error) {
	dir := os.Getenv(childDir)
	ring, err := keyring.OpenFile(filepath.Join(dir, "ring.json"))
	if err != nil {
		return nil, err
	}
	o := Options{Dir: filepath.Join(dir, "log"), Keys: ring, Logger: quiet, Partitions: 2}
	if change != nil {
		change(&o)
	}
	return Open(context.Background(), o)
}

const workers = 6

// childBatch is batch number n of a worker in a run.
func childBatch(run, worker, n int) []event.Event {
	events := make([]event.Event, 1+(run*7+worker*5+n*13)%20)
	for i := range events {
		events[i] = made(fmt.Sprintf("r%dw%d", run, worker), n*20+i)
	}
	return events
}

// childLoad appends from several goroutines until it is killed, and prints a
// line for each acknowledgement: run, worker and batch. Like a sender that lost
// the connection it first sends again what was acknowledged last in the run
// before, and what came after it. A polite signal makes it close the log, so
// that it can be killed while closing.
func childLoad() error {
	l, err := childLog(nil)
	if err != nil {
		return err
	}
	var run int
	var acked [workers]int
	args := []any{&run}
	for w := range acked {
		args = append(args, &acked[w])
	}
	if _, err := fmt.Sscan(os.Getenv(childRun), args...); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { _ = l.Run(ctx, newMemory("load"), RunOptions{SkipLost: true}) }()
	fmt.Println("ready")
	var group sync.WaitGroup
	for w := range workers {
		send := func(run, n int) {
			if _, err := l.Append(ctx, childBatch(run, w, n)); err == nil {
				fmt.Println(run, w, n)
			}
		}
		group.Go(func() {
			if run > 0 {
				send(run-1, max(0, acked[w]))
				send(run-1, acked[w]+1)
			}
			for n := 0; ctx.Err() == nil; n++ {
				send(run, n)
			}
		})
	}
	group.Wait()
	return l.Close(context.Background())
}

const tracedAppends = 180 // to each of two partitions

// childTrace appends to each partition from a goroutine of its own and writes a
// line before each append and after each acknowledgement, without a buffer.
func childTrace(unsynced bool) error {
	l, err := childLog(func(o *Options) { o.unsynced = unsynced })
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	for p := range l.Partitions() {
		customer := ""
		for i := 0; customer == ""; i++ {
			if e := made(fmt.Sprint("c", i), 0); partitionOf(&e, l.Partitions()) == p {
				customer = e.UserID
			}
		}
		group.Go(func() {
			for n := range tracedAppends {
				e := made(customer, n)
				e.Props = fmt.Appendf(nil, "%q", randomText(100<<10)) // fills more than one block
				_, _ = os.Stdout.WriteString(fmt.Sprintf("BEGIN %s %d\n", l.streamName(p), n))
				if _, err := l.Append(context.Background(), []event.Event{e}); err != nil {
					panic(err)
				}
				_, _ = os.Stdout.WriteString(fmt.Sprintf("ACK %s %d\n", l.streamName(p), n))
			}
		})
	}
	group.Wait()
	return l.Close(context.Background())
}

// scanLines reads lines until the end, then closes the channel.
func scanLines(f *os.File) <-chan string {
	lines := make(chan string, 1<<16)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(f); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}

// verifying reports whether the long forms were asked for.
func verifying() bool { return os.Getenv("OMOTE_VERIFY") == "1" }

// soon is a random moment of at most d.
func soon(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }
