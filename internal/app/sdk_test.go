package app_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"omote/internal/platform/event"

	"omote/internal/testkit/shared"
)

// TestSegmentSDK sends with the unmodified @segment/analytics-node from npm: a
// process that dies half-way, one that starts again and finishes, and one that
// sends all of it once more. Everything is there exactly once.
func TestSegmentSDK(t *testing.T) {
	t.Parallel()
	dir := installSDK(t)
	s := start(t, t.TempDir())
	send := func(extra ...string) error {
		cmd := exec.Command("node", append([]string{filepath.Join(dir, "send.mjs"), "http://" + s.address, s.key}, extra...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	if err := send("stop"); err == nil {
		t.Error("the process that should die half-way did not")
	}
	for range 2 {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CaughtUp(s.ctx); err != nil {
		t.Fatal(err)
	}
	facts := factCounts(t, s.App, s.ctx)
	want := 0
	for c := range 10 {
		ids := []string{fmt.Sprint("identify-", c), fmt.Sprint("group-", c), fmt.Sprint("page-", c), fmt.Sprint("screen-", c), fmt.Sprint("alias-", c)}
		for n := range 25 {
			ids = append(ids, fmt.Sprintf("track-%d-%d", c, n))
		}
		want += len(ids)
		for _, id := range ids {
			if n := facts[s.Warehouse.EventID(&event.Event{Entity: "bank", Source: "crash", MessageID: id})]; n != 1 {
				t.Errorf("%s is there %d times", id, n)
			}
		}
	}
	if len(facts) != want {
		t.Errorf("%d facts, want %d", len(facts), want)
	}
}

// installSDK installs the SDK from npm into the repository's cache, or leaves
// the test out where that cannot be done.
func installSDK(t *testing.T) string {
	t.Helper()
	absent := func(why string) {
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatal("SDK suite: " + why)
		}
		t.Skip("SDK suite left out: " + why)
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			absent(tool + " is not installed (apt-get install nodejs npm)")
		}
	}
	dir := filepath.Join(shared.Root(t), ".cache", "sdk")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "send.mjs"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "sdk", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		absent(fmt.Sprintf("npm install failed: %v\n%s", err, out))
	}
	return dir
}
