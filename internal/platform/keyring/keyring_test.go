package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRotateKeepsOldKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ring.json")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, err := f.Current(t.Context(), Field)
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.Rotate(t.Context(), Field)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if cur, _ := again.Current(t.Context(), Field); cur != second {
		t.Fatalf("current key after reopening is %s, want %s", cur.ID, second.ID)
	}
	if old, err := again.Lookup(t.Context(), Field, first.ID); err != nil || old != first {
		t.Fatalf("old key: %v, %v", old.ID, err)
	}
	if _, err := again.Lookup(t.Context(), Field, "nope"); !errors.Is(err, ErrUnknownKey) {
		t.Fatalf("unknown key: %v", err)
	}
}

func TestReadableByOthersIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ring.json")
	f, _ := OpenFile(path)
	if _, err := f.Current(t.Context(), Log); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(path); err == nil {
		t.Fatal("a ring that others can read was opened")
	}
}
