package auth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// APIKey is a program that may act. Its secret is shown once, when it is made.
type APIKey struct {
	ID     string
	Entity string
	Name   string
	Prefix string // the public part of the secret, for recognising it
	Roles  []Role // of KeyRoles
	Unit   string
	// Source is the feed that events sent with the key belong to; System is the
	// system whose customer ids it uses, "" for the same.
	Source    string
	System    string
	CreatedBy string
	Created   time.Time
	Used      time.Time // last, to a minute
	Expires   time.Time // zero: never
	Revoked   time.Time // zero: not
}

// Actor is what the key is in a request.
func (k APIKey) Actor() Actor {
	a := Actor{Kind: Key, ID: k.ID, Entity: k.Entity, Source: k.Source, Place: k.Unit}
	for _, r := range k.Roles {
		a.Grants = append(a.Grants, Grant{r, k.Unit})
	}
	return a
}

type keyRow struct {
	bun.BaseModel `bun:"table:auth_key"`

	ID        string `bun:",pk"`
	Entity    string
	Name      string
	Prefix    string
	Hash      string
	Roles     string
	Unit      string
	Source    string
	System    string
	CreatedBy string
	Created   store.Micros
	Used      store.Micros `bun:",nullzero"`
	Expires   store.Micros `bun:",nullzero"`
	Revoked   store.Micros `bun:",nullzero"`
}

func (r keyRow) key() APIKey {
	k := APIKey{ID: r.ID, Entity: r.Entity, Name: r.Name, Prefix: keyMark + r.Prefix, Unit: r.Unit, Source: r.Source, System: r.System,
		CreatedBy: r.CreatedBy, Created: r.Created.Time(), Used: r.Used.Time(), Expires: r.Expires.Time(), Revoked: r.Revoked.Time()}
	for role := range strings.SplitSeq(r.Roles, ",") {
		k.Roles = append(k.Roles, Role(role))
	}
	return k
}

// A key looks like omote_1a2b3c4d5e6f_… : a mark for scanners of leaked secrets,
// a public prefix that finds the row, and 256 secret bits.
const (
	keyMark      = "omote_"
	prefixLength = 12
)

// NewKey is what it takes to make a key.
type NewKey struct {
	Name    string
	Roles   []Role
	Unit    string // default "/"
	Source  string // default the name; needed for KeyIngest
	System  string
	Expires time.Time // zero: never
}

func (n *NewKey) validate(now time.Time) error {
	if n.Unit == "" {
		n.Unit = "/"
	}
	if n.Name = strings.TrimSpace(n.Name); n.Name == "" || len(n.Name) > 100 {
		return errs.Invalid("auth.key_name_invalid", "name", "a name of 1 to 100 bytes is required")
	}
	if n.Source == "" {
		n.Source = n.Name
	}
	if len(n.Source) > 100 || len(n.System) > 100 {
		return errs.Invalid("auth.key_source_invalid", "source", "source and system have at most 100 bytes")
	}
	if len(n.Roles) == 0 {
		return errs.Invalid("auth.key_scope_missing", "scope", "a key needs at least one scope")
	}
	for _, r := range n.Roles {
		if !slices.Contains(KeyRoles, r) {
			return errs.Invalid("auth.key_scope_unknown", "scope", "there is no scope %q", strings.TrimPrefix(string(r), "key:"))
		}
	}
	if !ValidUnit(n.Unit) {
		return errs.Invalid("auth.unit_invalid", "unit", "%q is not the path of a unit", n.Unit)
	}
	if !n.Expires.IsZero() && !n.Expires.After(now) {
		return errs.Invalid("auth.key_expires_past", "expires", "the expiry is in the past")
	}
	return nil
}

// AddKey makes a key and gives its secret. It checks no permission: package
// admin/key does.
func (s *Service) AddKey(ctx context.Context, tx store.Tx, n NewKey) (APIKey, string, error) {
	if err := n.validate(tx.Now().Time()); err != nil {
		return APIKey{}, "", err
	}
	secret, err := newToken()
	if err != nil {
		return APIKey{}, "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return APIKey{}, "", fmt.Errorf("auth: %w", err)
	}
	prefix := strings.ReplaceAll(uuid.NewString(), "-", "")[:prefixLength]
	raw := keyMark + prefix + "_" + secret
	roles := make([]string, len(n.Roles))
	for i, r := range n.Roles {
		roles[i] = string(r)
	}
	r := keyRow{ID: id.String(), Entity: tx.Scope.Entity, Name: n.Name, Prefix: prefix, Hash: hashToken(raw), Roles: strings.Join(roles, ","),
		Unit: n.Unit, Source: n.Source, System: n.System, CreatedBy: tx.Scope.Actor, Created: tx.Now(), Expires: store.At(n.Expires)}
	if err := do(tx.NewInsert().Model(&r).Exec(ctx)); err != nil {
		return APIKey{}, "", err
	}
	return r.key(), raw, nil
}

// Keys lists the keys of the entity, newest first.
func (s *Service) Keys(ctx context.Context, tx store.Tx) ([]APIKey, error) {
	var rows []keyRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("id DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("auth: keys: %w", err)
	}
	out := make([]APIKey, len(rows))
	for i, r := range rows {
		out[i] = r.key()
	}
	return out, nil
}

// GetKey reads one key.
func (s *Service) GetKey(ctx context.Context, tx store.Tx, id string) (APIKey, error) {
	var r keyRow
	err := tx.NewSelect().Model(&r).Where("id = ? AND entity = ?", id, tx.Scope.Entity).Scan(ctx)
	if store.IsNoRows(err) {
		return APIKey{}, errs.NotFound("auth.key_not_found", "no key %s", id)
	}
	if err != nil {
		return APIKey{}, fmt.Errorf("auth: key: %w", err)
	}
	return r.key(), nil
}

// RevokeKey ends a key: on this node at once, on others within keyFresh.
func (s *Service) RevokeKey(ctx context.Context, tx store.Tx, id string) error {
	n, err := affected(tx.NewUpdate().Model((*keyRow)(nil)).Set("revoked = ?", tx.Now()).
		Where("id = ? AND entity = ? AND revoked IS NULL", id, tx.Scope.Entity).Exec(ctx))
	if err != nil {
		return err
	}
	if n == 0 {
		return errs.Conflict("auth.key_not_active", "key %s does not exist or was revoked before", id)
	}
	tx.AfterCommit(s.keys.clear)
	return nil
}

// keyFresh is for how long a key that was found good is not looked up again: a
// feed sends thousands of requests a second.
const keyFresh = 5 * time.Second

// maxCachedKeys bounds the memory for keys.
const maxCachedKeys = 10_000

// keyCache holds keys that were found good, by the hash of their secret.
type keyCache struct {
	mu   sync.RWMutex
	keys map[string]cachedKey
	used map[string]store.Micros // last use written down, by id
}

type cachedKey struct {
	key   APIKey
	until store.Micros
}

func (c *keyCache) get(hash string, now store.Micros) (APIKey, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	k, ok := c.keys[hash]
	return k.key, ok && now < k.until
}

// put remembers a key and tells whether its use is to be written down.
func (c *keyCache) put(hash string, k APIKey, now store.Micros) (note bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= maxCachedKeys {
		c.keys, c.used = map[string]cachedKey{}, map[string]store.Micros{}
	}
	until := now.Add(keyFresh)
	if !k.Expires.IsZero() {
		until = min(until, store.At(k.Expires))
	}
	c.keys[hash] = cachedKey{k, until}
	if now.Sub(c.used[k.ID]) < touchEvery {
		return false
	}
	c.used[k.ID] = now
	return true
}

func (c *keyCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.keys)
}

var errKey = func() error { return errs.Unauthenticated("auth.key_invalid", "the key is wrong, revoked or too old") }

// CheckKey finds the key of a secret that a request brings and notes its use.
func (s *Service) CheckKey(ctx context.Context, raw string) (APIKey, error) {
	rest, ok := strings.CutPrefix(raw, keyMark)
	if !ok || len(rest) < prefixLength+1 || rest[prefixLength] != '_' || len(raw) > 200 {
		return APIKey{}, errKey()
	}
	hash, now := hashToken(raw), s.db.Now()
	if k, ok := s.keys.get(hash, now); ok {
		return k, nil
	}
	ctx = s.system(ctx)
	var r keyRow
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewSelect().Model(&r).Where("prefix = ?", rest[:prefixLength]).Scan(ctx)
	})
	if store.IsNoRows(err) {
		return APIKey{}, errKey()
	}
	if err != nil {
		return APIKey{}, fmt.Errorf("auth: key: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(r.Hash), []byte(hash)) != 1 || r.Revoked != 0 || (r.Expires != 0 && r.Expires <= now) {
		return APIKey{}, errKey()
	}
	k := r.key()
	if !s.keys.put(hash, k, now) {
		return k, nil
	}
	return k, s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return do(tx.NewUpdate().Model((*keyRow)(nil)).Set("used = ?", now).Where("id = ?", k.ID).Exec(ctx))
	})
}

// WriteKey is CheckKey for feeds: the key must be allowed to send events.
func (s *Service) WriteKey(ctx context.Context, raw string) (APIKey, error) {
	k, err := s.CheckKey(ctx, raw)
	if err != nil {
		return APIKey{}, err
	}
	if !slices.Contains(k.Roles, KeyIngest) {
		return APIKey{}, errs.Denied("auth.key_no_ingest", "the key may not send events")
	}
	return k, nil
}
