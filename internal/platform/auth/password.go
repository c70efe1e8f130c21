package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"omote/internal/platform/errs"
)

// Params are the costs of a password hash (argon2id, RFC 9106).
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultParams are the OWASP recommendation of 19 MiB and two passes.
var DefaultParams = Params{Memory: 19 << 10, Time: 2, Threads: 1}

// Lengths of a password, in characters.
const (
	MinPassword = 12
	MaxPassword = 200
)

const (
	saltSize = 16
	hashSize = 32
)

// hasher hashes passwords, few at a time so that sign-ins cannot exhaust the
// memory.
type hasher struct {
	params Params
	slots  chan struct{}
}

func newHasher(p Params, parallel int) *hasher {
	return &hasher{params: p, slots: make(chan struct{}, parallel)}
}

func (h *hasher) key(ctx context.Context, password string, salt []byte, p Params, size int) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, p.Time, p.Memory, p.Threads, uint32(size)), nil
}

// hash gives the PHC string of a password: parameters, salt and hash.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("auth: %w", err)
	}
	key, err := h.key(ctx, password, salt, h.params, hashSize)
	if err != nil {
		return "", err
	}
	return h.params.prefix() + "$" + b64.EncodeToString(salt) + "$" + b64.EncodeToString(key), nil
}

var b64 = base64.RawStdEncoding

func (p Params) prefix() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d", argon2.Version, p.Memory, p.Time, p.Threads)
}

// verify compares a password with a PHC string. stale tells that the string was
// made with other parameters than today's and should be replaced.
func (h *hasher) verify(ctx context.Context, password, phc string) (ok, stale bool, err error) {
	p, salt, want, err := parsePHC(phc)
	if err != nil {
		return false, false, err
	}
	got, err := h.key(ctx, password, salt, p, len(want))
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, p != h.params, nil
}

var errPHC = errors.New("auth: stored password hash is not readable")

func parsePHC(s string) (p Params, salt, hash []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errPHC
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); n != 3 || err != nil {
		return p, nil, nil, errPHC
	}
	// Bounds, so that a forged row cannot exhaust the machine.
	if p.Memory < 8 || p.Memory > 1<<20 || p.Time < 1 || p.Time > 16 || p.Threads < 1 {
		return p, nil, nil, errPHC
	}
	if salt, err = b64.DecodeString(parts[4]); err != nil || len(salt) < 8 {
		return p, nil, nil, errPHC
	}
	if hash, err = b64.DecodeString(parts[5]); err != nil || len(hash) < 16 || len(hash) > 64 {
		return p, nil, nil, errPHC
	}
	return p, salt, hash, nil
}

// commonWords make a password weak when nearly nothing else is in it.
var commonWords = []string{"password", "matkhau", "qwerty", "asdfgh", "zxcvbn", "123456", "654321", "abcdef", "iloveyou", "admin", "welcome", "omote", "nganhang", "vietnam", "bank"}

// CheckPassword tells what is wrong with a new password. name and email are
// what it must not be made of.
func CheckPassword(password, name, email string) error {
	n := utf8.RuneCountInString(password)
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return errs.Invalid("auth.password_invalid", "password", "the password is not valid text")
	}
	if n < MinPassword {
		return errs.Invalid("auth.password_short", "password", "the password has fewer than %d characters", MinPassword).With("min", MinPassword)
	}
	if n > MaxPassword {
		return errs.Invalid("auth.password_long", "password", "the password has more than %d characters", MaxPassword).With("max", MaxPassword)
	}
	rest := strings.ToLower(password)
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	for _, w := range append([]string{local, strings.ToLower(strings.Join(strings.Fields(name), ""))}, commonWords...) {
		if len(w) >= 3 {
			rest = strings.ReplaceAll(rest, w, "")
		}
	}
	if distinctRunes(rest) < 5 {
		return errs.Invalid("auth.password_weak", "password", "the password is made of common words, the name or few characters")
	}
	return nil
}

func distinctRunes(s string) int {
	seen := map[rune]struct{}{}
	for _, r := range s {
		if !unicode.IsSpace(r) {
			seen[r] = struct{}{}
		}
	}
	return len(seen)
}
