package web

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/internal/platform/clock"
	"omote/internal/platform/keyring"
)

// What was sealed is opened under its own name, in time, whatever key is current
// since; and by no change of one byte.
func TestSealedCookies(t *testing.T) {
	t.Parallel()
	ring, err := keyring.OpenFile(filepath.Join(t.TempDir(), "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	now := clock.NewManual(time.Date(2026, 11, 19, 9, 0, 0, 0, time.UTC))
	p := Pages{Keys: ring, Clock: now}
	rapid.Check(t, func(r *rapid.T) {
		want := pending{rapid.String().Draw(r, "email"), rapid.String().Draw(r, "password")}
		sealed, err := p.seal(t.Context(), cookieSignIn, stepLife, want)
		if err != nil {
			r.Fatal(err)
		}
		if want.Password != "" && strings.Contains(sealed, want.Password) && len(want.Password) > 4 {
			r.Fatal("the password stands in the cookie")
		}
		var got pending
		if !p.open(t.Context(), cookieSignIn, sealed, &got) || got != want {
			r.Fatalf("opened as %v", got)
		}
		if p.open(t.Context(), cookieOnce, sealed, &got) {
			r.Fatal("opened under another name")
		}
		raw := []byte(sealed)
		at := rapid.IntRange(0, len(raw)-2).Draw(r, "at") // the last character holds spare bits
		raw[at] ^= 1
		if p.open(t.Context(), cookieSignIn, string(raw), &got) {
			r.Fatalf("opened with byte %d changed", at)
		}
	})
	sealed, err := p.seal(t.Context(), cookieSignIn, stepLife, pending{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Rotate(t.Context(), keyring.Session); err != nil {
		t.Fatal(err)
	}
	var got pending
	if !p.open(t.Context(), cookieSignIn, sealed, &got) {
		t.Error("not opened after a rotation")
	}
	now.Advance(stepLife + time.Second)
	if p.open(t.Context(), cookieSignIn, sealed, &got) {
		t.Error("opened after its time")
	}
}

func FuzzOpenSealed(f *testing.F) {
	ring, err := keyring.OpenFile(filepath.Join(f.TempDir(), "keys.json"))
	if err != nil {
		f.Fatal(err)
	}
	p := Pages{Keys: ring, Clock: clock.NewManual(time.Unix(0, 0))}
	good, err := p.seal(f.Context(), cookieOnce, time.Hour, once{Kind: "key"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(".")
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, sealed string) {
		var o once
		if sealed != good && p.open(t.Context(), cookieOnce, sealed, &o) {
			t.Errorf("opened %q", sealed)
		}
	})
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"/admin/keys?q=1": "/admin/keys?q=1", "": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example": "/", "admin": "/", "/a\nb": "/"} {
		if got := localPath(in); got != want {
			t.Errorf("localPath(%q) = %q, want %q", in, got, want)
		}
	}
}
