package blueprint

import (
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

// Improvements is what the gallery's edition of a template has that a journey
// made from it has not: a preview of the merge.
type Improvements struct {
	Merged
	// Edition is the template's edition.
	Edition int
	Rev     int64
}

// Improvements previews what a journey could take over from its template.
// Nothing to take over gives no operations.
func (s *Service) Improvements(ctx context.Context, journey string) (out Improvements, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Improvements{}, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := get(ctx, tx, journey)
		if err != nil {
			return err
		}
		out, err = s.improve(r)
		return err
	})
	return out, err
}

func (s *Service) improve(r row) (Improvements, error) {
	d, err := decode(r.Draft)
	if err != nil {
		return Improvements{}, err
	}
	out := Improvements{Merged: Merged{Document: d}, Rev: r.Rev}
	t, ok := s.template(d.Template)
	if !ok || string(r.Base) == "null" || len(r.Base) == 0 {
		return out, nil
	}
	var base Document
	if err := json.Unmarshal(r.Base, &base); err != nil {
		return out, fmt.Errorf("template of %s: %w", r.Journey, err)
	}
	out.Edition = t.Document.Edition
	out.Merged, err = Merge(&base, d, t.In(r.Locale))
	return out, err
}

// Key names what an operation changes, for choosing among offered ones.
func (o Op) Key() string { return strings.Join([]string{string(o.Kind), o.Target, o.Field}, " ") }

// Offered are the keys of all that the template has and the journey has not:
// changes that could be taken over, and clashes, where the bank changed the same
// place.
func (i *Improvements) Offered() (keys []string) {
	for _, o := range i.Taken {
		keys = append(keys, o.Key())
	}
	for _, c := range i.Clashes {
		keys = append(keys, c.Op.Key())
	}
	return keys
}

// Choice is what a bank decides of the improvements that it was offered.
type Choice struct {
	// Seen are the keys of all that was offered when it decided.
	Seen []string
	// Take are those to take over. The others are refused: they are not offered
	// again until the template changes the same place anew.
	Take []string
}

// Inherit carries out a choice among the improvements, as operations that can be
// undone. An offer that has changed since it was seen is refused whole, so that
// nothing is decided unseen.
func (s *Service) Inherit(ctx context.Context, journey, client string, choice Choice) (out Outcome, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return Outcome{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := get(ctx, tx, journey)
		if err != nil {
			return err
		}
		better, err := s.improve(r)
		if err != nil {
			return err
		}
		offered := better.Offered()
		if !sameSet(offered, choice.Seen) {
			return errs.Conflict("blueprint.error.offer", "the improvements of the template have changed; look at them again")
		}
		t, ok := s.template(better.Document.Template)
		if !ok {
			return nil
		}
		theirs := t.In(r.Locale)
		ours, err := decode(r.Draft)
		if err != nil {
			return err
		}
		ops, refused := better.chosen(ours, theirs, choice.Take)
		for i := range ops {
			ops[i].ID, ops[i].Base = newID(), r.Rev
		}
		if len(ops) > 0 {
			if out, err = s.edit(ctx, tx, journey, client, ops, ""); err != nil {
				return err
			}
		}
		if err := updateBase(ctx, tx, journey, mustJSON(theirs)); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.blueprint.inherit", Object: object(journey),
			After: map[string]any{"edition": better.Edition, "taken": len(ops), "refused": refused}})
	})
	return out, err
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// chosen gives the operations that carry out a choice, in an order in which they
// apply to ours. What belongs to a refused stage or step goes with it; a step
// whose neighbour was refused comes after the nearest one that is there.
func (i *Improvements) chosen(ours, theirs *Document, take []string) (ops []Op, refused []string) {
	c := ours.Clone()
	try := func(o Op) {
		if !slices.Contains(take, o.Key()) {
			refused = append(refused, o.Key())
			return
		}
		if _, err := c.Apply(o); err != nil {
			o.After = nearest(c, theirs, o)
			if _, err := c.Apply(o); err != nil {
				refused = append(refused, o.Key())
				return
			}
		}
		ops = append(ops, o)
	}
	for _, o := range i.Taken {
		try(o)
	}
	for _, x := range i.Clashes {
		try(x.Op)
	}
	return ops, refused
}

// nearest is the closest step (or stage) before the target in theirs that c has
// too; "" where there is none.
func nearest(c, theirs *Document, o Op) string {
	kind, id := Describe(o.Target)
	before := ""
	for _, st := range theirs.Stages {
		if kind == "stage" {
			if st.ID == id {
				return before
			}
			if c.StageAt(st.ID) >= 0 {
				before = st.ID
			}
			continue
		}
		if st.ID != o.Stage {
			continue
		}
		at := c.StageAt(st.ID)
		for _, s := range st.Steps {
			if s.ID == id || at < 0 {
				return before
			}
			if slices.ContainsFunc(c.Stages[at].Steps, func(x Step) bool { return x.ID == s.ID }) {
				before = s.ID
			}
		}
	}
	return before
}
