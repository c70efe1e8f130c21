// Package shared finds the public data sets that tests measure against. They are
// not part of the repository: the folder is OMOTE_SHARED_DATA, or ../shared/data
// beside the repository, and a test that needs an absent one is left out with a
// message. It imports nothing of the program, so that the public packages'
// tests may use it.
package shared

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Root is the folder of the module, found by walking up to go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("go.mod not found above the test")
		}
		dir = parent
	}
}

// Path gives the path of a data set, such as
// "eventlogs/bpic2012/BPI_Challenge_2012.xes.gz", or leaves the test out.
func Path(t testing.TB, name string) string {
	t.Helper()
	base := os.Getenv("OMOTE_SHARED_DATA")
	if base == "" {
		base = filepath.Join(Root(t), "..", "shared", "data")
	}
	path := filepath.Join(base, filepath.FromSlash(name))
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		t.Skip("shared data absent: ", name)
	} else if err != nil {
		t.Fatal(err)
	}
	return path
}

// Read gives the bytes of a data set.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// JSON decodes a data set into a value.
func JSON(t testing.TB, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(Read(t, name), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Verify reports whether the long forms of tests were asked for (make verify).
func Verify() bool { return os.Getenv("OMOTE_VERIFY") == "1" }
