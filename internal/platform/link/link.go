// Package link signs addresses that customers are given: a survey, a preference
// centre, a follow-up. Whoever has the link may do the one thing that it is for;
// it needs no sign-in and names nobody.
//
//	token, err := link.Sign(ctx, keys, "survey", expires, entity, survey, invitation)
//	parts, err := link.Open(ctx, keys, "survey", now, token)
//
// A link of one purpose is no link of another. It stays good when the key ring
// rotates, as long as the ring keeps the old key.
package link

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
)

const (
	macSize  = 16 // bytes of the signature: 128 bits
	maxToken = 1000
	sep      = "|"
)

// Sign makes a token that carries parts until expires.
func Sign(ctx context.Context, keys keyring.Provider, purpose string, expires time.Time, parts ...string) (string, error) {
	for _, p := range parts {
		if strings.Contains(p, sep) {
			return "", fmt.Errorf("link: %q cannot be part of a link", p)
		}
	}
	key, err := keys.Current(ctx, keyring.Session)
	if err != nil {
		return "", fmt.Errorf("link: %w", err)
	}
	payload := strings.Join(append([]string{strconv.FormatInt(expires.Unix(), 36)}, parts...), sep)
	mac, err := signature(key, purpose, payload)
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(key.ID)) + "." + enc.EncodeToString([]byte(payload)) + "." + enc.EncodeToString(mac), nil
}

func signature(key keyring.Key, purpose, payload string) ([]byte, error) {
	secret, err := hkdf.Key(sha256.New, key.Secret[:], nil, "omote/link/"+purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(payload))
	return h.Sum(nil)[:macSize], nil
}

// Open gives the parts of a token. A link that this installation did not sign for
// the purpose is not found, without saying why; one that has expired is denied,
// and its parts are given all the same, so that a page can say what it was.
func Open(ctx context.Context, keys keyring.Provider, purpose string, now time.Time, token string) ([]string, error) {
	unknown := errs.NotFound("link.error.unknown", "the link is not one of ours")
	fields := strings.Split(token, ".")
	if len(fields) != 3 || len(token) > maxToken {
		return nil, unknown
	}
	var raw [3][]byte
	for i, f := range fields {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(f); err != nil {
			return nil, unknown
		}
	}
	key, err := keys.Lookup(ctx, keyring.Session, string(raw[0]))
	if errors.Is(err, keyring.ErrUnknownKey) {
		return nil, unknown
	}
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	mac, err := signature(key, purpose, string(raw[1]))
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac, raw[2]) {
		return nil, unknown
	}
	parts := strings.Split(string(raw[1]), sep)
	until, err := strconv.ParseInt(parts[0], 36, 64)
	if err != nil {
		return nil, unknown
	}
	if !now.Before(time.Unix(until, 0)) {
		return parts[1:], errs.Denied("link.error.expired", "the link has expired")
	}
	return parts[1:], nil
}
