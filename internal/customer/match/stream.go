package match

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"omote/internal/customer/identity"
	"omote/internal/platform/clock"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
)

// Handler notes the records that stated something new. It is a handler of the
// state projector, after identity's.
type Handler struct{ pseudonyms *pseudonym.Maker }

// NewHandler makes the handler.
func NewHandler(p *pseudonym.Maker) *Handler { return &Handler{p} }

// Name implements projector.Handler.
func (*Handler) Name() string { return "customer_match" }

// Handle implements projector.Handler.
func (h *Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	noted := map[[2]string]due{}
	for i := range records {
		e := &records[i].Event
		if e.Kind != event.Identify || e.UserID == "" || len(e.Traits) <= len("{}") {
			continue
		}
		id := h.pseudonyms.Record(e.Entity, e.RecordID()).String()
		noted[[2]string{e.Entity, id}] = due{Entity: e.Entity, RecordID: id, At: store.Micros(e.ReceivedAt)}
	}
	if len(noted) == 0 {
		return nil
	}
	rows := slices.SortedFunc(maps.Values(noted), func(a, b due) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.RecordID, b.RecordID))
	})
	return noteDue(ctx, tx, rows)
}

// Pace of the worker.
const (
	idle      = 500 * time.Millisecond
	batchSize = 50
	// longestRun is how long the stream waits for a run that does not end.
	longestRun = 6 * time.Hour
)

// Work weighs noted records until the context ends. One process does it at a
// time; the caller holds the lease and gives its check.
func (s *Service) Work(ctx context.Context, check func(ctx context.Context, tx store.Tx) error) error {
	for ctx.Err() == nil {
		n, err := s.step(ctx, check)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if n == 0 {
			if err := clock.Sleep(ctx, idle); err != nil {
				return nil
			}
		}
	}
	return nil
}

// Step weighs a few noted records and tells how many; 0 when none wait.
func (s *Service) Step(ctx context.Context) (int, error) { return s.step(ctx, nil) }

func (s *Service) step(ctx context.Context, check func(ctx context.Context, tx store.Tx) error) (n int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if check != nil {
			if err := check(ctx, tx); err != nil {
				return err
			}
		}
		n = 0
		entity := tx.Scope.Entity
		k, err := s.model(ctx, tx, entity)
		if err != nil || k == nil { // nothing was learnt yet: the first run reads everybody
			return err
		}
		busy, err := running(ctx, tx, entity, tx.Now()-store.Micros(longestRun.Microseconds()))
		if err != nil || busy {
			return err
		}
		records, err := takeDue(ctx, tx, entity, batchSize)
		if err != nil || len(records) == 0 {
			return err
		}
		cal, err := calibration(ctx, tx, entity)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := s.weighRecord(ctx, tx, k, cal, r); err != nil {
				return err
			}
		}
		n = len(records)
		return nil
	})
	return n, err
}

// weighRecord compares a record's customer with those that share a key with the
// record, and decides about the likeliest.
func (s *Service) weighRecord(ctx context.Context, tx store.Tx, k *known, cal calibrated, record string) error {
	if err := deleteKeys(ctx, tx, record); err != nil {
		return err
	}
	sides, err := s.sides(ctx, tx, []string{record})
	if err != nil {
		return err
	}
	var own *side
	for _, d := range sides {
		own = d
	}
	if own == nil {
		return nil
	}
	at := slices.Index(own.records, record)
	if at < 0 {
		return nil // states too little
	}
	w, err := k.weigh(&side{customer: own.customer, records: []string{record}, rows: own.rows[at : at+1]})
	if err != nil {
		return err
	}
	candidates, err := s.index(ctx, tx, k, record, w.c.Keys(0))
	if err != nil || len(candidates) == 0 {
		return err
	}
	rivals, err := s.rivals(ctx, tx, own, candidates)
	if err != nil || len(rivals) == 0 {
		return err
	}
	return s.weighRivals(ctx, tx, k, cal, own, rivals, "stream")
}

// index stores a record's keys and gives the records that share one, those with
// the most in common first. A key of many is neither looked at nor added to.
func (s *Service) index(ctx context.Context, tx store.Tx, k *known, record string, keys []string) ([]string, error) {
	texts := keyTexts(tx.Scope.Entity, k.Version, keys)
	if len(texts) == 0 {
		return nil, nil
	}
	now, err := s.box.Tokens(ctx, tx, keyColumn, texts)
	if err != nil {
		return nil, err
	}
	every, err := s.box.TokenSearch(ctx, tx, keyColumn, texts)
	if err != nil {
		return nil, err
	}
	shared := map[string]int{}
	var rows []blindKey
	for i := range texts {
		holders, err := holdersOf(ctx, tx, tx.Scope.Entity, every[i])
		if err != nil {
			return nil, err
		}
		if len(holders) > maxHolders {
			continue
		}
		rows = append(rows, blindKey{Entity: tx.Scope.Entity, KeyIx: now[i], RecordID: record, Version: k.Version})
		for _, h := range holders {
			if h != record {
				shared[h]++
			}
		}
	}
	if err := insertKeys(ctx, tx, distinctKeys(rows)); err != nil {
		return nil, err
	}
	out := sortedKeys(shared)
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(shared[b], shared[a]) })
	return out[:min(len(out), 4*maxRivals)], nil
}

func keyTexts(entity string, version uint64, keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = entity + "\x1f" + formatVersion(version) + "\x1f" + k
	}
	return out
}

func distinctKeys(rows []blindKey) []blindKey {
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(rows, func(r blindKey) bool {
		k := [2]string{r.KeyIx, r.RecordID}
		known := seen[k]
		seen[k] = true
		return known
	})
}

// rivals reads the customers of candidates, without the own.
func (s *Service) rivals(ctx context.Context, tx store.Tx, own *side, candidates []string) ([]*side, error) {
	owners, err := identity.Owners(ctx, tx, candidates)
	if err != nil {
		return nil, err
	}
	var some []string
	seen := map[string]bool{own.customer: true}
	for _, c := range candidates {
		if o := owners[c]; !seen[o] && len(some) < maxRivals {
			seen[o] = true
			some = append(some, c)
		}
	}
	if len(some) == 0 {
		return nil, nil
	}
	all, err := s.sides(ctx, tx, some)
	if err != nil {
		return nil, err
	}
	var out []*side
	for _, c := range sortedKeys(all) {
		if len(all[c].rows) > 0 {
			out = append(out, all[c])
		}
	}
	return out, nil
}

// weighRivals weighs a customer against others and decides about the three
// likeliest, the likeliest first; a join ends it, since the customer is another
// one then and is weighed again.
func (s *Service) weighRivals(ctx context.Context, tx store.Tx, k *known, cal calibrated, own *side, rivals []*side, origin string) error {
	w, err := k.weigh(append([]*side{own}, rivals...)...)
	if err != nil {
		return err
	}
	score := map[string]float64{}
	for _, r := range rivals {
		score[r.customer] = w.c.Probability(w.at[own.customer], w.at[r.customer])
	}
	slices.SortStableFunc(rivals, func(a, b *side) int { return cmp.Compare(score[b.customer], score[a.customer]) })
	for _, r := range rivals[:min(len(rivals), 3)] {
		x, y := w.best(own.customer, r.customer)
		merged, _, err := decide(ctx, tx, own, r, w.of[x], w.of[y], score[r.customer], k, cal, origin)
		if err != nil {
			return err
		}
		if merged {
			return noteDue(ctx, tx, []due{{Entity: tx.Scope.Entity, RecordID: w.of[x], At: tx.Now()}})
		}
	}
	return nil
}
