package stats_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// sharedData finds the directory of reference files: OMOTE_SHARED_DATA, or
// ../shared/data beside the repository. The test is skipped where it is absent.
func sharedData(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("OMOTE_SHARED_DATA")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(dir, "go.mod")) {
			if dir == filepath.Dir(dir) {
				t.Skip("shared data absent: no go.mod above the test")
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared", "data")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if !exists(path) {
		t.Skip("shared data absent: " + filepath.Join(elem...))
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// verify reports whether the long forms of tests are asked for.
func verify() bool { return os.Getenv("OMOTE_VERIFY") == "1" }

func near(t testing.TB, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tol {
		t.Errorf("%s = %.15g, want %.15g (tolerance %g)", what, got, want, tol)
	}
}

func nearPair(t testing.TB, what string, low, high float64, want [2]float64, tol float64) {
	t.Helper()
	near(t, what+" low", low, want[0], tol)
	near(t, what+" high", high, want[1], tol)
}
