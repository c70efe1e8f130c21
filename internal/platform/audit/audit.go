package audit

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/analytics/text/pii"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the tables of the trail and their protection.
var Migrations = store.Migrations{Module: "audit", FS: migrations}

// keyPurpose names the keys of the ring that sign heads and digest contents.
const keyPurpose = "audit"

// maxReason bounds a reason, in bytes.
const maxReason = 1000

// Entry is one act. Actor, entity, unit and purpose come from the scope of the
// transaction, the time from its clock.
type Entry struct {
	// Action is module.thing.verb, such as "ingest.plan.save".
	Action string
	// Object is "kind/id", such as "plan/3". It names nobody.
	Object string
	// Reason is a person's or the program's word why. Personal data is masked.
	Reason string
	// Changed are the names of the fields that changed.
	Changed []string
	// Before and After are what the object held; only their digests are kept.
	Before, After any
}

// Line is an entry as it was written.
type Line struct {
	ID      string
	At      time.Time
	Unit    string
	Actor   string
	Purpose string
	Action  string
	Object  string
	Reason  string
	Changed []string
	// Before and After are keyed digests, "" where there was nothing.
	Before, After string
	// Batch is the number of the batch that sealed it, 0 until then.
	Batch int64
}

type entryRow struct {
	bun.BaseModel `bun:"table:audit_entry"`

	ID      string `bun:",pk"`
	At      store.Micros
	Entity  string
	Unit    string
	Actor   string
	Purpose string
	Action  string
	Object  string
	Reason  string
	Changed string
	Before  string `bun:"before_digest"`
	After   string `bun:"after_digest"`
	Batch   int64  `bun:",nullzero"`
}

func (r entryRow) line() Line {
	out := Line{ID: r.ID, At: r.At.Time(), Unit: r.Unit, Actor: r.Actor, Purpose: r.Purpose, Action: r.Action, Object: r.Object,
		Reason: r.Reason, Before: r.Before, After: r.After, Batch: r.Batch}
	if r.Changed != "" {
		out.Changed = strings.Split(r.Changed, ",")
	}
	return out
}

var (
	actionForm  = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`)
	objectForm  = regexp.MustCompile(`^[a-z][a-z0-9_]*/[A-Za-z0-9_.:/+=-]{1,200}$`)
	changedForm = regexp.MustCompile(`^[a-z][a-z0-9_.]*$`)
)

// Record writes an entry in the transaction of the change.
func Record(ctx context.Context, tx store.Tx, e Entry) error {
	if err := e.validate(); err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	reason, _ := pii.Mask(strings.ToValidUTF8(strings.ReplaceAll(e.Reason, "\x00", ""), "�"))
	r := entryRow{ID: id.String(), At: tx.Now(), Entity: tx.Scope.Entity, Unit: tx.Scope.Unit, Actor: tx.Scope.Actor, Purpose: tx.Scope.Purpose,
		Action: e.Action, Object: e.Object, Reason: cut(reason, maxReason), Changed: strings.Join(e.Changed, ",")}
	if r.Before, err = digest(ctx, tx, e.Before); err != nil {
		return err
	}
	if r.After, err = digest(ctx, tx, e.After); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("audit: write entry: %w", err)
	}
	return nil
}

func (e Entry) validate() error {
	if !actionForm.MatchString(e.Action) {
		return fmt.Errorf("audit: action %q is not of the form module.thing.verb", e.Action)
	}
	if !objectForm.MatchString(e.Object) {
		return fmt.Errorf("audit: the object of %s is not of the form kind/id", e.Action)
	}
	for _, c := range e.Changed {
		if !changedForm.MatchString(c) {
			return fmt.Errorf("audit: %s names a changed field that is no field name", e.Action)
		}
	}
	return nil
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// digest is a keyed hash of the JSON of v, so that contents of few possible
// values cannot be guessed; "" for nil.
func digest(ctx context.Context, tx store.Tx, v any) (string, error) {
	if v == nil {
		return "", nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("audit: digest: %w", err)
	}
	ring := tx.Keys()
	if ring == nil {
		return "", errors.New("audit: digest: the store has no key ring")
	}
	key, err := ring.Current(ctx, keyPurpose)
	if err != nil {
		return "", fmt.Errorf("audit: digest: %w", err)
	}
	secret, err := hkdf.Key(sha256.New, key.Secret[:], nil, "omote/audit/digest", sha256.Size)
	if err != nil {
		return "", fmt.Errorf("audit: digest: %w", err)
	}
	h := hmac.New(sha256.New, secret)
	h.Write(raw)
	return key.ID + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]), nil
}
