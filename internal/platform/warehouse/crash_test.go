package warehouse

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/testkit"

	"omote/internal/testkit/shared"
)

// A process started with this variable appends to the warehouse it names until
// it is killed.
const crashVariable = "OMOTE_TEST_WAREHOUSE_CRASH"

func TestMain(m *testing.M) {
	if os.Getenv(crashVariable) != "" {
		fmt.Fprintln(os.Stderr, appendForever(os.Getenv(crashVariable), os.Getenv(crashVariable+"_URL")))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// eventsPerMessage is how many events every message of the crash test has.
const eventsPerMessage = 40

func crashOptions(dir, url string) (Options, error) {
	ring, err := keyring.OpenFile(filepath.Join(dir, "ring.json"))
	if err != nil {
		return Options{}, err
	}
	maker, err := pseudonym.New(context.Background(), ring)
	return Options{URL: url, Dir: dir, Pseudonyms: maker}, err
}

func appendForever(dir, url string) error {
	ctx := context.Background()
	opt, err := crashOptions(dir, url)
	if err != nil {
		return err
	}
	w, err := Open(ctx, opt)
	if err != nil {
		return err
	}
	next := [2]uint64{}
	for p := range next {
		if next[p], err = w.Position(ctx, p); err != nil {
			return err
		}
	}
	rng := rand.New(rand.NewPCG(1, uint64(os.Getpid())))
	for i := 0; ; i++ {
		p := i % 2
		var batch []Fact
		for range 1 + rng.IntN(20) {
			next[p]++
			fs := facts(rng, eventsPerMessage, 0)
			for j := range fs {
				fs[j].Partition, fs[j].Seq, fs[j].Index = p, next[p], j
			}
			batch = append(batch, fs...)
		}
		if err := w.append(ctx, p, next[p], batch); err != nil {
			return err
		}
		fmt.Println("applied", next[p])
	}
}

// TestKilledProcessLosesAndDoublesNothing kills the owning process at random
// moments: what is inside must always be exactly what the watermark says.
func TestKilledProcessLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	rounds := 5
	if shared.Verify() {
		rounds = 60
	}
	for _, engine := range []string{"duckdb", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			dir, url := t.TempDir(), ""
			if engine == "postgres" {
				url = testkit.PostgresURL(t)
			}
			rng := rand.New(rand.NewPCG(11, 11))
			for range rounds {
				applied := killAfter(t, dir, url, time.Duration(rng.Int64N(int64(250*time.Millisecond))))
				checkAfterCrash(t, dir, url, applied)
			}
		})
	}
}

// killAfter starts a process, waits for its first commit and d more, kills it,
// and returns how many commits it reported.
func killAfter(t *testing.T, dir, url string, d time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashVariable+"="+dir, crashVariable+"_URL="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	applied := 0
	for lines.Scan() {
		if applied++; applied == 1 {
			time.AfterFunc(d, func() { cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
		t.Fatal("the process ended by itself: ", err)
	}
	return applied
}

func checkAfterCrash(t *testing.T, dir, url string, applied int) {
	t.Helper()
	opt, err := crashOptions(dir, url)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx := as(t, scope.Root)
	var commits uint64
	for p := range 2 {
		pos, err := w.Position(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		commits += pos
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {event} WHERE log_partition = $1`, p); got != int(pos)*eventsPerMessage {
			t.Fatalf("partition %d holds %d events at position %d, want %d", p, got, pos, int(pos)*eventsPerMessage)
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM (SELECT DISTINCT log_seq, log_index FROM {event} WHERE log_partition = $1) d`, p); got != int(pos)*eventsPerMessage {
			t.Fatalf("partition %d holds %d different events, want %d", p, got, int(pos)*eventsPerMessage)
		}
	}
	if commits < uint64(applied) {
		t.Fatalf("%d commits were reported, watermarks say %d messages", applied, commits)
	}
	if bad, err := w.CheckAggregates(ctx); err != nil || len(bad) > 0 {
		t.Fatalf("aggregates differ after a crash: %v, %v", bad, err)
	}
}

func TestOneProcessOwnsTheFile(t *testing.T) {
	t.Parallel()
	opt := options(t)
	opt.Dir = t.TempDir()
	first, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), opt); errs.KindOf(err) != errs.KindConflict {
		t.Errorf("a second owner: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openTest(t, opt)
}
