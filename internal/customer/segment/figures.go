package segment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"omote/analytics/rule"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Size is how large a segment was at a time.
type Size struct {
	At        time.Time
	Members   int64
	Unknown   int64
	Customers int64
	// Observed: counted then. Else today's rule was read over the facts as of then.
	Observed bool
}

type sizeRow struct {
	bun.BaseModel `bun:"table:customer_segment_size"`
	Entity        string       `bun:",pk"`
	SegmentID     string       `bun:",pk"`
	At            store.Micros `bun:",pk"`
	Members       int64
	Unknown       int64
	Customers     int64
	Observed      bool
}

// memberCounts are the present members by segment.
func memberCounts(ctx context.Context, tx store.Tx) (map[string]int64, error) {
	var rows []struct {
		SegmentID string
		N         int64
	}
	err := tx.NewRaw("SELECT segment_id, COUNT(*) AS n FROM customer_segment_member WHERE entity = ? AND departed IS NULL GROUP BY segment_id", tx.Scope.Entity).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count members: %w", err)
	}
	out := map[string]int64{}
	for _, r := range rows {
		out[r.SegmentID] = r.N
	}
	return out, nil
}

// sizesOf are the sizes over time, of one segment or of all.
func sizesOf(ctx context.Context, tx store.Tx, id string) (map[string][]Size, error) {
	var rows []sizeRow
	q := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("segment_id", "at")
	if id != "" {
		q = q.Where("segment_id = ?", id)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read sizes: %w", err)
	}
	out := map[string][]Size{}
	for _, r := range rows {
		out[r.SegmentID] = append(out[r.SegmentID], Size{r.At.Time(), r.Members, r.Unknown, r.Customers, r.Observed})
	}
	return out, nil
}

// Share is another segment and how many members it has in common.
type Share struct {
	ID   string
	Both int64
	N    int64 // members of the other
}

// Stability is how lasting a membership is.
type Stability struct {
	// Then are the members 90 days before, by today's rule over the facts as of
	// then; Still those of them who are members now.
	Then, Still int64
	Since       time.Time
	Entered     int64 // observed, in the last 30 days
	Departed    int64
}

// Figures is what can be told of a segment in use.
type Figures struct {
	Members   int64
	Sizes     []Size
	Overlap   []Share
	Stability Stability
	Freshness time.Time // when the computed part was last read
	Filling   bool      // history is still being taken up
}

// Figures gives the figures of a segment.
func (s *Service) Figures(ctx context.Context, id string) (f *Figures, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		f = &Figures{}
		counts, err := memberCounts(ctx, tx)
		if err != nil {
			return err
		}
		f.Members = counts[id]
		sizes, err := sizesOf(ctx, tx, id)
		if err != nil {
			return err
		}
		f.Sizes = sizes[id]
		pairs, err := pairsOf(ctx, tx, pairOverlap, id)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			if p.Second != id {
				f.Overlap = append(f.Overlap, Share{p.Second, p.N, counts[p.Second]})
			}
			f.Freshness = p.At.Time()
		}
		slices.SortFunc(f.Overlap, func(a, b Share) int { return int(b.Both - a.Both) })
		if f.Stability, err = stability(ctx, tx, id); err != nil {
			return err
		}
		fill, err := oldestFill(ctx, tx)
		f.Filling = fill != nil
		return err
	})
	return f, err
}

func stability(ctx context.Context, tx store.Tx, id string) (st Stability, err error) {
	pairs, err := pairsOf(ctx, tx, pairStable, id)
	if err != nil {
		return st, err
	}
	for _, p := range pairs {
		switch p.Second {
		case "then":
			st.Then = p.N
		case "still":
			st.Still = p.N
		}
		st.Since = p.At.Time().Add(-stableDays * 24 * time.Hour)
	}
	quiet := []Cause{byFill, byHistory} // the past arriving is no coming and going
	month := tx.Now().Add(-30 * 24 * time.Hour)
	err = tx.NewRaw(`SELECT (SELECT COUNT(*) FROM customer_segment_member WHERE entity = ? AND segment_id = ? AND entered >= ? AND cause NOT IN (?)),
(SELECT COUNT(*) FROM customer_segment_member WHERE entity = ? AND segment_id = ? AND departed >= ? AND ended_by NOT IN (?))`,
		tx.Scope.Entity, id, month, bun.List(quiet), tx.Scope.Entity, id, month, bun.List(quiet)).Scan(ctx, &st.Entered, &st.Departed)
	if err != nil {
		return st, fmt.Errorf("count who came and went: %w", err)
	}
	return st, nil
}

// Kinds of pairs of figures.
const (
	pairOverlap = "overlap" // first and second share n members
	pairStable  = "stable"  // of first: then, still
	pairMoved   = "moved"   // n went from first to second in 30 days, by the rules
	pairAge     = "age"     // of first: days in the state, by quantile
)

const stableDays = 90

type pairRow struct {
	bun.BaseModel `bun:"table:customer_segment_pair"`
	Entity        string `bun:",pk"`
	Kind          string `bun:",pk"`
	First         string `bun:",pk"`
	Second        string `bun:",pk"`
	N             int64
	At            store.Micros
}

func pairsOf(ctx context.Context, tx store.Tx, kind, first string) (rows []pairRow, err error) {
	q := tx.NewSelect().Model(&rows).Where("entity = ? AND kind = ?", tx.Scope.Entity, kind).Order("first", "second")
	if first != "" {
		q = q.Where("first = ?", first)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read figures: %w", err)
	}
	return rows, nil
}

func replacePairs(ctx context.Context, tx store.Tx, kind string, rows []pairRow) error {
	if _, err := tx.NewDelete().Table("customer_segment_pair").Where("entity = ? AND kind = ?", tx.Scope.Entity, kind).Exec(ctx); err != nil {
		return fmt.Errorf("replace figures: %w", err)
	}
	for i := range rows {
		rows[i].Entity, rows[i].Kind, rows[i].At = tx.Scope.Entity, kind, tx.Now()
	}
	for part := range slices.Chunk(rows, chunk) {
		if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil {
			return fmt.Errorf("replace figures: %w", err)
		}
	}
	return nil
}

// backWeeks is how many weeks of size before now are computed for a segment that
// has no history of its own.
const backWeeks = 13

// Refresh counts what pages show and is costly: sizes now and, where missing, of
// the weeks before; overlap; stability; moves between the states of life. A job
// runs it.
func (s *Service) Refresh(ctx context.Context) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	var run *running
	var versions []versionRow
	var have map[string][]Size
	err := s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if run, err = s.rules.load(ctx, tx); err != nil {
			return err
		}
		if versions, err = runningVersions(ctx, tx); err != nil {
			return err
		}
		have, err = sizesOf(ctx, tx, "")
		return err
	})
	if err != nil || run.version == 0 {
		return err
	}
	now := s.Clock.Now()
	var sizes []sizeRow
	var stable []pairRow
	programs := map[string]*rule.Program{}
	for _, v := range versions {
		if v.Status != Live {
			continue
		}
		c, err := compileVersion(v.Enters, v.Leaves)
		if err != nil {
			return err
		}
		programs[v.SegmentID] = c.enter
	}
	life := s.lifeStates(versions)
	for _, id := range sortedKeys(programs) {
		ranked := slices.Contains(life, id)
		if len(have[id]) == 0 && !ranked {
			back, err := s.back(ctx, id, programs[id], now)
			if err != nil {
				return err
			}
			sizes = append(sizes, back...)
		}
		if ranked {
			continue
		}
		rows, err := s.stable(ctx, id, programs[id], now)
		if err != nil {
			return err
		}
		stable = append(stable, rows...)
	}
	moved, ages, lifeSizes, err := s.lifeFigures(ctx, life, programs, have, now)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		counts, err := memberCounts(ctx, tx)
		if err != nil {
			return err
		}
		customers, unknown, err := unknownCounts(ctx, tx, run)
		if err != nil {
			return err
		}
		rows := append(slices.Clone(sizes), lifeSizes...)
		for _, id := range sortedKeys(programs) {
			rows = append(rows, sizeRow{SegmentID: id, At: store.At(now.Truncate(time.Hour)), Members: counts[id], Unknown: unknown[id], Customers: customers, Observed: true})
		}
		if err := writeSizes(ctx, tx, rows); err != nil {
			return err
		}
		overlap, err := overlaps(ctx, tx)
		if err != nil {
			return err
		}
		for kind, rows := range map[string][]pairRow{pairOverlap: overlap, pairStable: stable, pairMoved: moved, pairAge: ages} {
			if err := replacePairs(ctx, tx, kind, rows); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeSizes(ctx context.Context, tx store.Tx, rows []sizeRow) error {
	for i := range rows {
		rows[i].Entity = tx.Scope.Entity
	}
	for part := range slices.Chunk(rows, chunk) {
		_, err := tx.NewInsert().Model(&part).On("CONFLICT (entity, segment_id, at) DO UPDATE").Set("members = EXCLUDED.members").
			Set("unknown = EXCLUDED.unknown").Set("customers = EXCLUDED.customers").Set("observed = EXCLUDED.observed").Exec(ctx)
		if err != nil {
			return fmt.Errorf("write sizes: %w", err)
		}
	}
	return nil
}

// back reads the rule over the facts as of past weeks.
func (s *Service) back(ctx context.Context, id string, p *rule.Program, now time.Time) (rows []sizeRow, err error) {
	for w := backWeeks; w >= 1; w-- {
		at := now.Add(-time.Duration(w) * 7 * 24 * time.Hour).Truncate(time.Hour)
		c, err := countRule(ctx, s.Facts, p, at.UnixMicro())
		if err != nil {
			return nil, err
		}
		rows = append(rows, sizeRow{SegmentID: id, At: store.At(at), Members: c.Members, Unknown: c.Unknown, Customers: c.Customers})
	}
	return rows, nil
}

func (s *Service) stable(ctx context.Context, id string, p *rule.Program, now time.Time) ([]pairRow, error) {
	then, err := answers(ctx, s.Facts, p, now.Add(-stableDays*24*time.Hour).UnixMicro())
	if err != nil {
		return nil, err
	}
	today, err := answers(ctx, s.Facts, p, now.UnixMicro())
	if err != nil {
		return nil, err
	}
	var n, still int64
	for c, a := range then {
		if a == rule.Yes {
			n++
			if today[c] == rule.Yes {
				still++
			}
		}
	}
	return []pairRow{{First: id, Second: "then", N: n}, {First: id, Second: "still", N: still}}, nil
}

// unknownCounts counts the customers, and by segment those of whom the rule
// cannot be told, from their standings.
func unknownCounts(ctx context.Context, tx store.Tx, run *running) (customers int64, unknown map[string]int64, err error) {
	unknown = map[string]int64{}
	st := run.newStanding()
	after := ""
	for {
		var rows []customerRow
		err := tx.NewSelect().Model(&rows).Column("customer_id", "standing").Where("entity = ? AND customer_id > ?", tx.Scope.Entity, after).
			Order("customer_id").Limit(5000).Scan(ctx)
		if err != nil {
			return 0, nil, fmt.Errorf("walk through standings: %w", err)
		}
		for _, r := range rows {
			st.reset()
			if err := run.decode(st, r.Standing); err != nil {
				return 0, nil, err
			}
			for i, u := range st.unknown {
				if u {
					unknown[run.segments[i].id]++
				}
			}
			after = r.CustomerID
		}
		if customers += int64(len(rows)); len(rows) < 5000 {
			return customers, unknown, nil
		}
	}
}

// overlaps counts the members that each two segments share.
func overlaps(ctx context.Context, tx store.Tx) (rows []pairRow, err error) {
	err = tx.NewRaw(`SELECT a.segment_id AS first, b.segment_id AS second, COUNT(*) AS n FROM customer_segment_member a
JOIN customer_segment_member b ON b.entity = a.entity AND b.customer_id = a.customer_id AND b.departed IS NULL AND b.segment_id <> a.segment_id
WHERE a.entity = ? AND a.departed IS NULL GROUP BY a.segment_id, b.segment_id`, tx.Scope.Entity).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count overlaps: %w", err)
	}
	return rows, nil
}

// Matrix gives how many members each two segments share.
func (s *Service) Matrix(ctx context.Context) (n map[[2]string]int64, at time.Time, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, at, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := pairsOf(ctx, tx, pairOverlap, "")
		n = make(map[[2]string]int64, len(rows))
		for _, r := range rows {
			n[[2]string{r.First, r.Second}] = r.N
			at = r.At.Time()
		}
		return err
	})
	return n, at, err
}

// Member is one customer of a segment.
type Member struct {
	CustomerID string
	Entered    time.Time
	Cause      Cause
}

// Page is a part of the members, by customer id.
type Page struct {
	Items []Member
	Next  string // "" on the last one
}

// Members gives a page of who belongs now. It is a read of customer data: the
// purpose stands in the scope, and it is on the audit trail.
func (s *Service) Members(ctx context.Context, id, after string, limit int) (p Page, err error) {
	if err := auth.Require(ctx, PermMember, scope.Root); err != nil {
		return p, err
	}
	if limit <= 0 || limit > 500 {
		limit = 50
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		p, err = members(ctx, tx, id, after, limit)
		return err
	})
	return p, err
}

// membersSQL gives a page of members. They are found in the index first: it alone
// knows who belongs now, and no page reads past memberships that ended. (SQLite keeps the order of a CROSS JOIN.)
const membersSQL = `SELECT m.customer_id, m.entered, m.cause FROM (` + belongSQL + ` AND customer_id > ? ORDER BY customer_id LIMIT ?) b
CROSS JOIN customer_segment_member m WHERE m.entity = ? AND m.customer_id = b.customer_id AND m.segment_id = ? AND m.departed IS NULL ORDER BY m.customer_id`

func members(ctx context.Context, tx store.Tx, id, after string, limit int) (p Page, err error) {
	var rows []struct {
		CustomerID string
		Entered    store.Micros
		Cause      Cause
	}
	err = tx.NewRaw(membersSQL, tx.Scope.Entity, id, after, limit+1, tx.Scope.Entity, id).Scan(ctx, &rows)
	if err != nil {
		return p, fmt.Errorf("list members: %w", err)
	}
	for _, r := range rows[:min(limit, len(rows))] {
		p.Items = append(p.Items, Member{r.CustomerID, r.Entered.Time(), r.Cause})
	}
	if len(rows) > limit {
		p.Next = p.Items[limit-1].CustomerID
	}
	return p, nil
}

// MembersAfter gives the ids of members after one, in order, for work that goes through
// all of them in steps of its own transactions.
func (s *Service) MembersAfter(ctx context.Context, tx store.Tx, id, after string, limit int) ([]string, error) {
	p, err := members(ctx, tx, id, after, limit)
	out := make([]string, len(p.Items))
	for i, m := range p.Items {
		out[i] = m.CustomerID
	}
	return out, err
}

// Stay is a membership of a customer that ended or stands.
type Stay struct {
	Segment  string
	Entered  time.Time
	Departed time.Time // zero: stands
	Cause    Cause
	EndedBy  Cause
}

// Of gives the memberships of a customer, the latest first: what their page shows.
func (s *Service) Of(ctx context.Context, customer string) (out []Stay, err error) {
	if err := auth.Require(ctx, PermMember, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var rows []struct {
			SegmentID string
			Entered   store.Micros
			Departed  *store.Micros
			Cause     Cause
			EndedBy   Cause
		}
		err := tx.NewRaw(`SELECT segment_id, entered, departed, cause, ended_by FROM customer_segment_member
WHERE entity = ? AND customer_id = ? ORDER BY entered DESC, segment_id LIMIT 500`, tx.Scope.Entity, customer).Scan(ctx, &rows)
		if err != nil {
			return fmt.Errorf("list memberships: %w", err)
		}
		out = nil
		for _, r := range rows {
			stay := Stay{Segment: r.SegmentID, Entered: r.Entered.Time(), Cause: r.Cause, EndedBy: r.EndedBy}
			if r.Departed != nil {
				stay.Departed = r.Departed.Time()
			}
			out = append(out, stay)
		}
		return nil
	})
	return out, err
}

// Wilson is the interval of a share at 95 %, for what pages say of samples.
func Wilson(hits, n int64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	p, m := float64(hits)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m)) / (1 + z*z/m)
	return max(0, mid-half), min(1, mid+half)
}

var errNoReach = errs.Unavailable("segment.error.no_reach", "nothing here decides whom one may reach")

// Export gives all members to yield. It leaves the platform, so it is on the
// audit trail.
func (s *Service) Export(ctx context.Context, id string, yield func(Member) error) error {
	if err := auth.Require(ctx, PermExport, scope.Root); err != nil {
		return err
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := oneVersion(ctx, tx, id, 0); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.segment.export", Object: "segment/" + id})
	})
	if err != nil {
		return err
	}
	return s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		for after := ""; ; {
			p, err := members(ctx, tx, id, after, 1000)
			if err != nil {
				return err
			}
			for _, m := range p.Items {
				if err := yield(m); err != nil {
					return err
				}
			}
			if after = p.Next; after == "" {
				return nil
			}
		}
	})
}
