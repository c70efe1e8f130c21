// Package record keeps the documents of governance. Every concept is a typed body
// with the same head, in a table of its own of one shape, so that reading within
// scope, changing without losing another's change, and moving with a unit are
// written once.
package record

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Head is what every document has.
type Head struct {
	ID      string
	Unit    string // path of the unit it belongs to
	State   string // word of the concept
	Ref     string // another document or thing, as the concept says; may be empty
	Version int    // 1 at first, grows with each change

	Created   time.Time
	CreatedBy string
	Changed   time.Time
	ChangedBy string
}

// Doc is a document.
type Doc[T any] struct {
	Head
	Body T
}

// Sight is which documents a reader sees.
type Sight uint8

const (
	// Down: those of the reader's place and below.
	Down Sight = iota
	// Along: also those of the places above, up to the whole bank: what holds for
	// the reader too, such as the bank's promises.
	Along
)

// Table is where the documents of one concept lie.
type Table[T any] struct {
	// Name is the table, Thing the word in error keys: governance.<Thing>.error.….
	Name  string
	Thing string
	Sight Sight
}

type row struct {
	bun.BaseModel `bun:"table:governance_node,alias:d"`

	Entity    string `bun:",pk"`
	ID        string `bun:",pk"`
	Unit      string
	State     string
	Ref       string
	Version   int64
	Body      json.RawMessage
	Created   store.Micros
	CreatedBy string
	Changed   store.Micros
	ChangedBy string
}

func (t Table[T]) ident() string { return "governance_" + t.Name }

func (t Table[T]) doc(r row) (Doc[T], error) {
	d := Doc[T]{Head: Head{ID: r.ID, Unit: r.Unit, State: r.State, Ref: r.Ref, Version: int(r.Version), Created: r.Created.Time(), CreatedBy: r.CreatedBy,
		Changed: r.Changed.Time(), ChangedBy: r.ChangedBy}}
	if err := json.Unmarshal(r.Body, &d.Body); err != nil {
		return d, fmt.Errorf("governance: decode %s %s: %w", t.Name, r.ID, err)
	}
	return d, nil
}

func (t Table[T]) sees(tx store.Tx, unit string) bool {
	return tx.Scope.Sees(unit) || t.Sight == Along && strings.HasPrefix(tx.Scope.Unit, unit)
}

func (t Table[T]) notFound(id string) error {
	return errs.NotFound("governance."+t.Thing+".error.not_found", "no %s %s", t.Thing, id)
}

// NewID makes an id.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Add adds a document of the unit; the id is made unless h.ID is set. An id that is
// taken is a conflict.
func (t Table[T]) Add(ctx context.Context, tx store.Tx, h Head, body T) (Doc[T], error) {
	if h.ID == "" {
		h.ID = NewID()
	}
	if h.Unit == "" {
		h.Unit = tx.Scope.Unit
	}
	if !tx.Scope.Sees(h.Unit) {
		return Doc[T]{}, errs.Denied("governance.error.unit", "%s lies beyond the actor's place", h.Unit).With("unit", h.Unit)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return Doc[T]{}, fmt.Errorf("governance: encode %s: %w", t.Name, err)
	}
	now := tx.Now()
	r := row{Entity: tx.Scope.Entity, ID: h.ID, Unit: h.Unit, State: h.State, Ref: h.Ref, Version: 1, Body: raw, Created: now, CreatedBy: tx.Scope.Actor,
		Changed: now, ChangedBy: tx.Scope.Actor}
	res, err := tx.NewInsert().Model(&r).ModelTableExpr("?", bun.Ident(t.ident())).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return Doc[T]{}, fmt.Errorf("governance: add %s: %w", t.Name, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = errs.Conflict("governance.error.taken", "there is a %s %s already", t.Thing, h.ID)
		}
		return Doc[T]{}, err
	}
	return t.doc(r)
}

// Get reads a document that the scope sees.
func (t Table[T]) Get(ctx context.Context, tx store.Tx, id string) (Doc[T], error) {
	var r row
	err := tx.NewSelect().Model(&r).ModelTableExpr("? AS d", bun.Ident(t.ident())).Where("d.entity = ? AND d.id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) || err == nil && !t.sees(tx, r.Unit) {
		return Doc[T]{}, t.notFound(id)
	}
	if err != nil {
		return Doc[T]{}, fmt.Errorf("governance: read %s: %w", t.Name, err)
	}
	return t.doc(r)
}

// Filter picks documents. Empty fields pick all.
type Filter struct {
	State string
	Ref   string
}

// List reads the documents that the scope sees, oldest first.
func (t Table[T]) List(ctx context.Context, tx store.Tx, f Filter) ([]Doc[T], error) {
	var rows []row
	q := tx.NewSelect().Model(&rows).ModelTableExpr("? AS d", bun.Ident(t.ident())).Where("d.entity = ?", tx.Scope.Entity).Order("d.created", "d.id")
	if f.State != "" {
		q = q.Where("d.state = ?", f.State)
	}
	if f.Ref != "" {
		q = q.Where("d.ref = ?", f.Ref)
	}
	// Paths hold only lower-case letters, digits, "-" and "/": no LIKE patterns.
	if t.Sight == Along {
		q = q.Where("(d.unit LIKE ? OR ? LIKE d.unit || '%')", tx.Scope.Unit+"%", tx.Scope.Unit)
	} else {
		q = q.Where("d.unit LIKE ?", tx.Scope.Unit+"%")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("governance: list %s: %w", t.Name, err)
	}
	out := make([]Doc[T], len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = t.doc(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Save writes a document that was read in this version. A document that somebody
// else changed meanwhile is a conflict.
func (t Table[T]) Save(ctx context.Context, tx store.Tx, d *Doc[T]) error {
	if !tx.Scope.Sees(d.Unit) {
		return t.notFound(d.ID)
	}
	raw, err := json.Marshal(d.Body)
	if err != nil {
		return fmt.Errorf("governance: encode %s: %w", t.Name, err)
	}
	now := tx.Now()
	r := row{Entity: tx.Scope.Entity, ID: d.ID, Unit: d.Unit, State: d.State, Ref: d.Ref, Version: int64(d.Version) + 1, Body: raw, Changed: now, ChangedBy: tx.Scope.Actor}
	res, err := tx.NewUpdate().Model(&r).ModelTableExpr("? AS d", bun.Ident(t.ident())).Column("unit", "state", "ref", "version", "body", "changed", "changed_by").
		Where("d.entity = ? AND d.id = ? AND d.version = ?", r.Entity, r.ID, d.Version).Exec(ctx)
	if err != nil {
		return fmt.Errorf("governance: change %s: %w", t.Name, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = errs.Conflict("governance.error.changed", "%s %s was changed by somebody else meanwhile", t.Thing, d.ID)
		}
		return err
	}
	d.Version++
	d.Changed, d.ChangedBy = now.Time(), tx.Scope.Actor
	return nil
}

// tables are all that hold units.
var tables = []string{"node", "assignment", "matrix", "letter", "initiative", "meeting", "decision", "line", "assessment", "rating"}

// Follower lets the documents follow a unit that moved (org.Follower).
type Follower struct{}

// UnitMoved rewrites the paths that begin with from.
func (Follower) UnitMoved(ctx context.Context, tx store.Tx, from, to string) error {
	for _, name := range tables {
		_, err := tx.NewUpdate().Model((*row)(nil)).ModelTableExpr("? AS d", bun.Ident("governance_"+name)).Set("unit = ? || substr(unit, ?)", to, len(from)+1).
			Where("entity = ? AND unit LIKE ?", tx.Scope.Entity, from+"%").Exec(ctx)
		if err != nil {
			return fmt.Errorf("governance: move unit of %s: %w", name, err)
		}
	}
	return nil
}
