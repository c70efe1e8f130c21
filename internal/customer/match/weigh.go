package match

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"omote/analytics/linkage"
	"omote/internal/customer/identity"
	"omote/internal/platform/store"
)

// known is a model with what is needed to use it.
type known struct {
	*Model
	linkage *linkage.Model
}

// model gives the newest model, opened and parsed; nil when nothing was learnt yet.
func (s *Service) model(ctx context.Context, tx store.Tx, entity string) (*known, error) {
	v, err := newestVersion(ctx, tx, entity)
	if err != nil || v == 0 {
		return nil, err
	}
	s.mu.Lock()
	k := s.models[entity]
	s.mu.Unlock()
	if k != nil && k.Version == v {
		return k, nil
	}
	m, err := newestModel(ctx, tx, entity)
	if err != nil || m == nil {
		return nil, err
	}
	if err := s.box.Open(ctx, tx, m); err != nil {
		return nil, err
	}
	k = &known{Model: m}
	if k.linkage, err = linkage.ReadModel(strings.NewReader(m.Model.Plain)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.models[entity] = k
	s.mu.Unlock()
	return k, nil
}

// calibration corrects the model by the newest answers.
func calibration(ctx context.Context, tx store.Tx, entity string) (linkage.Calibration, error) {
	rows, err := answers(ctx, tx, entity, 2000)
	if err != nil {
		return linkage.Calibration{}, err
	}
	labels := make([]linkage.Label, len(rows))
	for i, p := range rows {
		labels[i] = linkage.Label{Probability: p.Score, Same: p.State == Same}
	}
	return linkage.Calibrate(labels), nil
}

// side is one customer with what its records state.
type side struct {
	customer string
	records  []string // those that state something, at most maxMembers
	rows     [][]string
}

// sides reads customers by any of their records.
func (s *Service) sides(ctx context.Context, tx store.Tx, records []string) (map[string]*side, error) {
	members, err := identity.MembersOf(ctx, tx, records)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, c := range sortedKeys(members) {
		ids := members[c]
		// the records that were asked for come first, so that they are looked at
		slices.SortStableFunc(ids, func(a, b string) int { return boolOrder(slices.Contains(records, b), slices.Contains(records, a)) })
		members[c] = ids[:min(len(ids), maxMembers)]
		all = append(all, members[c]...)
	}
	traits, err := identity.TraitsOf(ctx, tx, s.box, all)
	if err != nil {
		return nil, err
	}
	out := map[string]*side{}
	for c, ids := range members {
		d := &side{customer: c}
		for _, id := range ids {
			t := traits[id]
			if t == nil {
				continue
			}
			if row, ok := rowOf(t.Traits.Plain); ok {
				d.records, d.rows = append(d.records, id), append(d.rows, row)
			}
		}
		out[c] = d
	}
	return out, nil
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// weighing is the comparison of a few customers.
type weighing struct {
	c  *linkage.Comparison
	at map[string][]int // rows of each customer
	of []string         // record of each row
}

func (k *known) weigh(sides ...*side) (*weighing, error) {
	t := newTable()
	w := &weighing{at: map[string][]int{}}
	for _, d := range sides {
		for i, row := range d.rows {
			w.at[d.customer] = append(w.at[d.customer], len(w.of))
			w.of = append(w.of, d.records[i])
			if err := t.Add(0, row...); err != nil {
				return nil, err
			}
		}
	}
	var err error
	w.c, err = k.linkage.Compare(t)
	return w, err
}

// best gives the two customers' records that are most alike.
func (w *weighing) best(a, b string) (x, y int) {
	most := -1.0
	for _, i := range w.at[a] {
		for _, j := range w.at[b] {
			if p := w.c.Explain(i, j).Probability; p > most {
				most, x, y = p, i, j
			}
		}
	}
	return x, y
}

// decide does with two customers what their likeness asks for: it joins them,
// asks a steward, or does nothing.
func decide(ctx context.Context, tx store.Tx, a, b *side, recordA, recordB string, score float64, k *known, cal linkage.Calibration, origin string) (merged, asked bool, err error) {
	p := cal.Apply(score)
	l := k.limits()
	before, err := pairBetween(ctx, tx, a.records, b.records)
	if err != nil || before != nil && before.State == Different {
		return false, false, err
	}
	if p < l.Lower {
		if before != nil { // it was put before a steward, so a steward answers
			before.Score, before.Probability, before.Version = score, p, k.Version
			err = savePair(ctx, tx, before)
		}
		return false, false, err
	}
	x, y := ordered(recordA, recordB)
	if p >= l.Upper {
		out, err := identity.Join(ctx, tx, []identity.Candidate{{Pair: identity.Pair{A: x, B: y}, Reason: Reason, Detail: detail(p, k.Version), At: tx.Now()}})
		if err != nil || len(out.Refused) == 0 {
			if err == nil && before != nil {
				before.State = Settled
				err = savePair(ctx, tx, before)
			}
			return out.Made > 0, false, err
		}
		if out.Refused[0].Why != identity.RefusedConflict { // a person said no, or the customer is too large
			return false, false, nil
		}
	}
	if before != nil {
		before.Score, before.Probability, before.Version = score, p, k.Version
		return false, false, savePair(ctx, tx, before)
	}
	rejected, err := identity.Rejected(ctx, tx, a.records, b.records)
	if err != nil || rejected {
		return false, false, err
	}
	pair := Pair{Entity: tx.Scope.Entity, RecordA: x, RecordB: y, ID: uuid.Must(uuid.NewV7()).String(), State: Waiting, Score: score, Probability: p,
		Version: k.Version, Origin: origin, FoundAt: tx.Now()}
	return false, true, savePair(ctx, tx, &pair)
}
