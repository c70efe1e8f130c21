package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// One-time codes after RFC 6238 with the parameters that every authenticator
// app knows: SHA-1, 30 s, six digits.
const (
	totpStep   = 30 // seconds
	totpDigits = 6
	totpSecret = 20 // bytes
	totpSkew   = 1  // steps that a clock may be off
)

var b32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// newTOTPSecret makes a secret in the form that apps take.
func newTOTPSecret() (string, error) {
	raw := make([]byte, totpSecret)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("auth: %w", err)
	}
	return b32.EncodeToString(raw), nil
}

// totpCode is the code of a step (RFC 4226, section 5.3).
func totpCode(secret []byte, step int64, digits int) string {
	h := hmac.New(sha1.New, secret)
	_ = binary.Write(h, binary.BigEndian, step)
	sum := h.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	mod := uint32(1)
	for range digits {
		mod *= 10
	}
	return fmt.Sprintf("%0*d", digits, n%mod)
}

// checkTOTP finds the step whose code was given. Steps up to after were used and
// do not count again. ok is false when no step fits.
func checkTOTP(secret, code string, now time.Time, after int64) (step int64, ok bool) {
	raw, err := b32.DecodeString(secret)
	if err != nil {
		return 0, false
	}
	code = strings.Map(func(r rune) rune {
		if r == ' ' {
			return -1
		}
		return r
	}, code)
	current := now.Unix() / totpStep
	for s := current - totpSkew; s <= current+totpSkew; s++ {
		// Every step is compared, so that the time taken tells nothing.
		if subtle.ConstantTimeCompare([]byte(totpCode(raw, s, totpDigits)), []byte(code)) == 1 && s > after {
			step, ok = s, true
		}
	}
	return step, ok
}

// totpURL is what an app reads from the picture code.
func totpURL(secret, issuer, account string) string {
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + account}
	u.RawQuery = url.Values{"secret": {secret}, "issuer": {issuer}}.Encode()
	return u.String()
}

// Recovery codes stand in for a lost device; each works once.
const (
	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits: nothing slower than SHA-256 is needed
)

// newRecoveryCodes makes codes such as "ABCD-EFGH-JKLM-NPQR".
func newRecoveryCodes() ([]string, error) {
	out := make([]string, recoveryCodes)
	for i := range out {
		raw := make([]byte, recoveryBytes)
		if _, err := rand.Read(raw); err != nil {
			return nil, fmt.Errorf("auth: %w", err)
		}
		s := b32.EncodeToString(raw)
		out[i] = s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
	}
	return out, nil
}

// recoveryHash is what is stored of a code; spelling with other case or marks is
// the same code.
func recoveryHash(code string) string {
	return hashToken(strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '2' && r <= '7' {
			return r
		}
		return -1
	}, strings.ToUpper(code)))
}
