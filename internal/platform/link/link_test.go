package link_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/link"
	"omote/internal/testkit"
)

func TestLink(t *testing.T) {
	t.Parallel()
	keys, now := testkit.Keys(t), time.Unix(1_800_000_000, 0)
	token, err := link.Sign(t.Context(), keys, "survey", now.Add(time.Hour), "bank", "rel_nps", "")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := link.Open(t.Context(), keys, "survey", now, token)
	if err != nil || !slices.Equal(parts, []string{"bank", "rel_nps", ""}) {
		t.Fatalf("%q, %v", parts, err)
	}
	if _, err := keys.Rotate(t.Context(), keyring.Session); err != nil {
		t.Fatal(err)
	}
	if _, err := link.Open(t.Context(), keys, "survey", now, token); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	if parts, err := link.Open(t.Context(), keys, "survey", now.Add(time.Hour), token); errs.KindOf(err) != errs.KindDenied || len(parts) != 3 {
		t.Errorf("expired: %q, %v", parts, err)
	}
	swapped := []byte(token)
	swapped[len(swapped)/2] ^= 1
	for name, bad := range map[string]string{"changed": string(swapped), "empty": "", "long": strings.Repeat("a", 2000), "cut": token[:len(token)-3]} {
		if _, err := link.Open(t.Context(), keys, "survey", now, bad); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := link.Open(t.Context(), keys, "preferences", now, token); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("another purpose: %v", err)
	}
	if _, err := link.Open(t.Context(), testkit.Keys(t), "survey", now, token); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("another bank's: %v", err)
	}
	if _, err := link.Sign(t.Context(), keys, "survey", now, "a|b"); err == nil {
		t.Error("a part with the separator was signed")
	}
}

func FuzzOpen(f *testing.F) {
	keys := testkit.Keys(f)
	token, err := link.Sign(f.Context(), keys, "survey", time.Unix(1, 0), "a")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Fuzz(func(t *testing.T, text string) {
		if parts, err := link.Open(t.Context(), keys, "survey", time.Unix(0, 0), text); err == nil && text != token {
			t.Fatalf("forged: %q", parts)
		}
	})
}
