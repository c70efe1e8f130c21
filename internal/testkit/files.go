package testkit

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// Golden compares got with the file testdata/name of the package under test.
// With -update the file is written.
func Golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update to write it)", err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs (-want +got); run with -update to accept:\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

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

// SharedData gives the path of a shared data set, such as
// "eventlogs/bpic2012/BPI_Challenge_2012.xes.gz". The folder is
// OMOTE_SHARED_DATA or ../shared/data beside the repository; the test is left
// out where the data set is absent.
func SharedData(t testing.TB, name string) string {
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

// Verify reports whether the long forms of tests were asked for (make verify).
func Verify() bool { return os.Getenv("OMOTE_VERIFY") == "1" }
