package blueprint

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// OpState is what became of an operation.
type OpState string

// The states of an operation.
const (
	OpApplied  OpState = "applied"
	OpConflict OpState = "conflict" // somebody else changed the same place: a choice is open
	OpSettled  OpState = "settled"  // the choice was made
)

// maxOps bounds the operations of one request.
const maxOps = 500

// Conflict is an operation that met a change of the same place by somebody else.
// Nothing of it is lost: both values stand side by side until somebody chooses.
type Conflict struct {
	Op     Op              `json:"op"`
	Actor  string          `json:"actor"` // whose operation waits
	Theirs json.RawMessage `json:"theirs"`
	By     string          `json:"by"` // who changed the place
}

// Outcome is what an edit led to.
type Outcome struct {
	Rev       int64      `json:"rev"`
	Applied   []string   `json:"applied"` // ids of operations
	Conflicts []Conflict `json:"conflicts"`
}

// Edit applies operations to a draft, in their order, on behalf of one editor:
// client tells the windows of one person apart. An operation on a place that
// somebody else changed after its base revision is kept as a conflict, unless
// both wanted the same or the field is a list, which merges by member.
func (s *Service) Edit(ctx context.Context, journey, client string, ops []Op) (out Outcome, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return Outcome{}, err
	}
	if len(ops) == 0 || len(ops) > maxOps {
		return Outcome{}, errs.Invalid("blueprint.error.ops", "ops", "an edit has 1 to %d operations", maxOps).With("max", maxOps)
	}
	for _, o := range ops {
		if !ValidID(o.ID) {
			return Outcome{}, errs.Invalid("blueprint.error.op_id", "id", "an operation needs an id of its own, not %q", o.ID).With("value", o.ID)
		}
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = s.edit(ctx, tx, journey, client, ops, "")
		return err
	})
	return out, err
}

// editor is an edit under way.
type editor struct {
	r       row
	d       *Document
	client  string
	history []opRow // in force, since the oldest base
	done    []opRow
	out     Outcome
}

func (s *Service) edit(ctx context.Context, tx store.Tx, journey, client string, ops []Op, undoes string) (Outcome, error) {
	e := editor{client: client}
	var err error
	if e.r, err = get(ctx, tx, journey); err != nil {
		return Outcome{}, err
	}
	if e.d, err = decode(e.r.Draft); err != nil {
		return Outcome{}, err
	}
	base := e.r.Rev
	for _, o := range ops {
		base = min(base, o.Base)
	}
	if e.history, err = opsSince(ctx, tx, journey, base); err != nil {
		return Outcome{}, err
	}
	before := e.d.Clone()
	for _, o := range ops {
		was, err := opByID(ctx, tx, journey, o.ID)
		if err != nil {
			return Outcome{}, err
		}
		if was != nil { // sent twice
			if was.State == OpApplied {
				e.out.Applied = append(e.out.Applied, o.ID)
			}
			continue
		}
		if err := e.apply(tx, o, undoes); err != nil {
			return Outcome{}, err
		}
	}
	e.out.Rev = e.r.Rev
	if len(e.done) == 0 {
		return e.out, nil
	}
	if err := e.d.Validate(); err != nil {
		return Outcome{}, err
	}
	if e.d.Parent != before.Parent {
		all, err := list(ctx, tx)
		if err != nil {
			return Outcome{}, err
		}
		if err := checkParent(all, e.d); err != nil {
			return Outcome{}, err
		}
	}
	return e.out, s.keep(ctx, tx, &e, before)
}

func (e *editor) apply(tx store.Tx, o Op, undoes string) error {
	body := mustJSON(o)
	r := opRow{Entity: e.r.Entity, Journey: e.r.Journey, Op: o.ID, State: OpApplied, Kind: o.Kind, Target: o.Target, Field: o.Field, Body: body,
		Before: json.RawMessage("null"), Actor: tx.Scope.Actor, Client: e.client, At: tx.Now(), Undoes: undoes}
	if rival := e.rival(o); rival != nil {
		theirs, err := e.d.Field(o.Target, o.Field)
		switch {
		case o.Kind == OpSet && err == nil && bytes.Equal(normal(theirs), normal(o.Value)):
			// both wanted the same
		case o.Kind == OpSet && err == nil && isList(o.Field):
			o.Value = mergeLists(e.since(o), theirs, o.Value)
		default:
			r.State = OpConflict
			e.done = append(e.done, r)
			e.out.Conflicts = append(e.out.Conflicts, Conflict{Op: o, Actor: tx.Scope.Actor, Theirs: theirs, By: rival.Actor})
			return nil
		}
	}
	before, err := e.d.Apply(o)
	if err != nil {
		return err
	}
	if before != nil {
		r.Before = before
	}
	r.Body = mustJSON(o)
	e.r.Rev++
	r.Rev = e.r.Rev
	e.done = append(e.done, r)
	e.out.Applied = append(e.out.Applied, o.ID)
	return nil
}

// rival finds the newest operation of somebody else, after o's base, on the same
// place: the same field; or the thing that o takes away; or one that took away
// the thing that o is about.
func (e *editor) rival(o Op) *opRow {
	for i := len(e.history) - 1; i >= 0; i-- {
		h := &e.history[i]
		if h.Rev <= o.Base || h.Client == e.client || h.Target != o.Target {
			continue
		}
		same := h.Kind == OpSet && o.Kind == OpSet && h.Field == o.Field || h.Kind == OpMove && o.Kind == OpMove
		if same || o.Kind == OpRemove && h.Kind != OpMove || h.Kind == OpRemove && o.Kind != OpAdd {
			return h
		}
	}
	return nil
}

// since gives the value of o's field at o's base.
func (e *editor) since(o Op) json.RawMessage {
	for _, h := range e.history {
		if h.Rev > o.Base && h.Kind == OpSet && h.Target == o.Target && h.Field == o.Field {
			return h.Before
		}
	}
	now, _ := e.d.Field(o.Target, o.Field)
	return now
}

// keep writes the draft and the operations.
func (s *Service) keep(ctx context.Context, tx store.Tx, e *editor, before *Document) error {
	draft, err := json.Marshal(e.d)
	if err != nil {
		return fmt.Errorf("encode a map: %w", err)
	}
	if len(draft) > MaxBody {
		return errs.TooLarge("blueprint.error.body", "a map has at most %d bytes", MaxBody).With("max", MaxBody)
	}
	for i := range e.done {
		if err := insertOp(ctx, tx, &e.done[i]); err != nil {
			return err
		}
	}
	if len(e.out.Applied) > 0 {
		e.r.Draft, e.r.UpdatedAt, e.r.UpdatedBy = draft, tx.Now(), tx.Scope.Actor
		if err := updateRow(ctx, tx, &e.r); err != nil {
			return err
		}
	}
	entity, journey := e.r.Entity, e.r.Journey
	tx.AfterCommit(func() { s.wake(entity, journey) })
	var changed []string
	for _, o := range e.done {
		field := o.Field
		if field == "" {
			field = string(o.Kind)
		}
		if !slices.Contains(changed, field) && len(changed) < 20 {
			changed = append(changed, field)
		}
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "journey.blueprint.edit", Object: object(journey), Changed: changed, Before: before, After: e.d})
}

// Undo takes the actor's last operation back; Redo does it again. An operation
// whose place somebody else has changed since is not taken back: that is told.
func (s *Service) Undo(ctx context.Context, journey, client string) (Outcome, error) {
	return s.step(ctx, journey, client, false)
}

// Redo does again what the actor's last Undo took back.
func (s *Service) Redo(ctx context.Context, journey, client string) (Outcome, error) {
	return s.step(ctx, journey, client, true)
}

func (s *Service) step(ctx context.Context, journey, client string, redo bool) (out Outcome, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return Outcome{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		mine, err := lastOps(ctx, tx, journey, tx.Scope.Actor)
		if err != nil {
			return err
		}
		o := lastToUndo(mine)
		if redo {
			o = lastToRedo(mine)
		}
		if o == nil {
			out.Rev, _, err = revision(ctx, tx, journey)
			return err
		}
		var done Op
		if err := json.Unmarshal(o.Body, &done); err != nil {
			return fmt.Errorf("operation %s: %w", o.Op, err)
		}
		inv, err := done.Inverse(o.Before)
		if err != nil {
			return err
		}
		inv.ID, inv.Base = newID(), o.Rev
		undoes := o.Op
		if redo {
			undoes = redoMark + o.Op
		}
		// The inverse meets only what others did since; one's own later windows count
		// as others, so that nothing is taken back unseen.
		if out, err = s.edit(ctx, tx, journey, o.Client, []Op{inv}, undoes); err != nil || len(out.Applied) == 0 {
			return err
		}
		o.Undone = true
		if err := updateOp(ctx, tx, o); err != nil {
			return err
		}
		if redo { // the operation that was taken back holds again
			was, err := opByID(ctx, tx, journey, o.Undoes)
			if err != nil || was == nil {
				return err
			}
			was.Undone = false
			return updateOp(ctx, tx, was)
		}
		return nil
	})
	return out, err
}

// lastToUndo is the newest own operation that holds. mine is newest first.
func lastToUndo(mine []opRow) *opRow {
	for i := range mine {
		if mine[i].Undoes == "" && !mine[i].Undone {
			return &mine[i]
		}
	}
	return nil
}

// lastToRedo is the newest undo that no new operation has followed.
func lastToRedo(mine []opRow) *opRow {
	for i := range mine {
		o := &mine[i]
		if o.Undoes == "" {
			return nil
		}
		if !strings.HasPrefix(o.Undoes, redoMark) && !o.Undone {
			return o
		}
	}
	return nil
}

// redoMark stands before the id of the undo that an operation does again.
const redoMark = "redo/"

// Conflicts gives the choices that are open in a draft.
func (s *Service) Conflicts(ctx context.Context, journey string) (out []Conflict, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = nil
		r, err := get(ctx, tx, journey)
		if err != nil {
			return err
		}
		d, err := decode(r.Draft)
		if err != nil {
			return err
		}
		rows, err := openConflicts(ctx, tx, journey)
		if err != nil {
			return err
		}
		for _, o := range rows {
			c := Conflict{Actor: o.Actor}
			if err := json.Unmarshal(o.Body, &c.Op); err != nil {
				return fmt.Errorf("operation %s: %w", o.Op, err)
			}
			c.Theirs, _ = d.Field(o.Target, o.Field) // gone when the thing was taken away
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// Settle makes an open choice: mine puts the waiting value in, otherwise what
// stands there stays.
func (s *Service) Settle(ctx context.Context, journey, op string, mine bool) (out Outcome, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return Outcome{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		o, err := opByID(ctx, tx, journey, op)
		if err != nil {
			return err
		}
		if o == nil || o.State != OpConflict {
			return errs.NotFound("blueprint.error.no_conflict", "there is no open choice %q", op)
		}
		o.State = OpSettled
		if err := updateOp(ctx, tx, o); err != nil {
			return err
		}
		if !mine {
			entity := tx.Scope.Entity
			tx.AfterCommit(func() { s.wake(entity, journey) })
			out.Rev, _, err = revision(ctx, tx, journey)
			return err
		}
		var again Op
		if err := json.Unmarshal(o.Body, &again); err != nil {
			return fmt.Errorf("operation %s: %w", op, err)
		}
		if again.Base, _, err = revision(ctx, tx, journey); err != nil {
			return err
		}
		again.ID = newID()
		out, err = s.edit(ctx, tx, journey, o.Client, []Op{again}, "")
		return err
	})
	return out, err
}
