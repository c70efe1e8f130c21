package auth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"omote/internal/platform/errs"
)

// cheap are parameters for tests, far too weak for anything else.
var cheap = Params{Memory: 8, Time: 1, Threads: 1}

func TestPasswordHash(t *testing.T) {
	t.Parallel()
	h := newHasher(cheap, 2)
	phc, err := h.hash(t.Context(), "đúng mật khẩu dài")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := h.hash(t.Context(), "đúng mật khẩu dài")
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=8,t=1,p=1$") || phc == again {
		t.Errorf("%s, %s", phc, again)
	}
	check := func(h *hasher, password string, wantOK, wantStale bool) {
		t.Helper()
		ok, stale, err := h.verify(t.Context(), password, phc)
		if err != nil || ok != wantOK || stale != wantStale {
			t.Errorf("%q: %v, %v, %v", password, ok, stale, err)
		}
	}
	check(h, "đúng mật khẩu dài", true, false)
	check(h, "đúng mật khẩu dài", true, false) // typed with combining marks
	check(h, "đúng mật khẩu dài ", false, false)
	check(newHasher(Params{Memory: 16, Time: 1, Threads: 1}, 1), "đúng mật khẩu dài", true, true)
}

// The reference implementation's test vector for argon2id (phc-winner-argon2,
// test.c): t=2, m=2^16, p=1, password "password", salt "somesalt".
func TestPasswordAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, _, err := newHasher(cheap, 1).verify(t.Context(), "password", phc); err != nil || !ok {
		t.Errorf("%v, %v", ok, err)
	}
	if ok, _, err := newHasher(cheap, 1).verify(t.Context(), "differentpassword", phc); err != nil || ok {
		t.Errorf("%v, %v", ok, err)
	}
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"short":                        "auth.password_short",
		strings.Repeat("x1y2z3", 40):   "auth.password_long",
		"aaaaaaaaaaaaaa":               "auth.password_weak",
		"passwordpassword":             "auth.password_weak",
		"matkhau123456":                "auth.password_weak",
		"lan.example1234":              "auth.password_weak",
		"bad\x00password value":        "auth.password_invalid",
		"\xff\xfe broken text here":    "auth.password_invalid",
		"con trâu gặm cỏ ngoài đồng":   "",
		"correct horse battery staple": "",
	}
	for password, want := range cases {
		err := CheckPassword(password, "Lan Example", "lan.example@bank.test")
		e, _ := errors.AsType[*errs.Error](err)
		if got := ""; err != nil {
			if got = e.Key; got != want || strings.Contains(err.Error(), password) {
				t.Errorf("%q: %s, want %q", password, got, want)
			}
		} else if want != "" {
			t.Errorf("%q was accepted, want %s", password, want)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, salt, hash, err := parsePHC(s)
		if err == nil && (p.Memory > 1<<20 || p.Time > 16 || len(salt) < 8 || len(hash) < 16) {
			t.Fatalf("accepted %+v", p)
		}
	})
}

// RFC 6238, appendix B, SHA-1.
func TestTOTPAgreesWithRFC6238(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924",
		2000000000: "69279037", 20000000000: "65353130"} {
		if got := totpCode(secret, at/totpStep, 8); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestTOTPWindowAndReplay(t *testing.T) {
	t.Parallel()
	secret, err := newTOTPSecret()
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := b32.DecodeString(secret)
	now := time.Unix(1_800_000_000, 0)
	step := now.Unix() / totpStep
	for d := int64(-3); d <= 3; d++ {
		code := totpCode(raw, step+d, totpDigits)
		got, ok := checkTOTP(secret, code[:3]+" "+code[3:], now, 0)
		if want := d >= -1 && d <= 1; ok != want || (ok && got != step+d) {
			t.Errorf("code of step %+d: %v, %d", d, ok, got-step)
		}
		if _, ok := checkTOTP(secret, code, now, step+1); ok {
			t.Errorf("code of step %+d counts after a later one was used", d)
		}
	}
	if _, ok := checkTOTP(secret, "", now, 0); ok {
		t.Error("no code counts as one")
	}
}

func TestRecoveryCodesBearTyping(t *testing.T) {
	t.Parallel()
	codes, err := newRecoveryCodes()
	if err != nil || len(codes) != recoveryCodes {
		t.Fatal(len(codes), err)
	}
	seen := map[string]bool{}
	for _, c := range codes {
		if len(c) != 19 || seen[c] || recoveryHash(c) != recoveryHash(" "+strings.ToLower(strings.ReplaceAll(c, "-", " "))) {
			t.Errorf("code %s", c)
		}
		seen[c] = true
	}
}

func BenchmarkPasswordHash(b *testing.B) {
	h := newHasher(DefaultParams, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.hash(b.Context(), "correct horse battery staple"); err != nil {
			b.Fatal(err)
		}
	}
}
