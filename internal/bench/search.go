package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/analytics/text/normalise"
	"omote/bank"
	"omote/internal/customer"
	"omote/internal/customer/identity"
	"omote/internal/customer/profile"
	"omote/internal/customer/search"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/keyring"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// SearchOptions set a run.
type SearchOptions struct {
	Dir       string // where the store is made; one that is there already with as many customers is asked as it is
	URL       string // of an empty PostgreSQL database in which it is made instead; the keys lie in Dir
	Customers int    // default 1,000,000, one record each
	Queries   int    // default 2,000
	Progress  func(string)
}

// SearchResult is what was measured. A query is all that the page of results
// does: find, decrypt, make the profiles of up to 50 customers.
type SearchResult struct {
	Cores      int                `json:"cores"`
	Customers  int                `json:"customers"`
	Queries    int                `json:"queries"`
	P50MS      float64            `json:"p50_ms"`
	P99MS      float64            `json:"p99_ms"`
	MaxMS      float64            `json:"max_ms"`
	P99ByKind  map[string]float64 `json:"p99_ms_by_kind"`
	Missed     int                `json:"missed"` // the person asked for was not among the results, though no others were left out
	IndexMB    float64            `json:"index_mb"`
	StoreMB    float64            `json:"store_mb"`
	BuildS     float64            `json:"build_s"`          // 0 when the store was there
	BuiltPerS  float64            `json:"identified_per_s"` // records taken up by the handler
	PeakRSSMB  float64            `json:"peak_rss_mb"`
	FirstQuery float64            `json:"first_query_ms"` // with the file read by nobody yet in this process
}

// Search measures the search for customers over encrypted names and numbers.
func Search(ctx context.Context, o SearchOptions) (res SearchResult, err error) {
	if o.Customers <= 0 {
		o.Customers = 1_000_000
	}
	if o.Queries <= 0 {
		o.Queries = 2_000
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	ctx = scope.With(ctx, scope.Process(scope.DefaultEntity, "bench"))
	res = SearchResult{Cores: runtime.NumCPU(), Customers: o.Customers, Queries: o.Queries, P99ByKind: map[string]float64{}}
	r, err := newSearchRig(ctx, o)
	if err != nil {
		return res, err
	}
	defer func() { _ = r.db.Close() }()
	there, err := r.records(ctx)
	if err != nil {
		return res, err
	}
	if there != o.Customers {
		begin := time.Now()
		if err := r.fill(ctx, o); err != nil {
			return res, err
		}
		res.BuildS = time.Since(begin).Seconds()
		res.BuiltPerS = float64(o.Customers) / res.BuildS
	}
	sizes := r.sizes
	if o.URL != "" {
		sizes = r.sizesOfServer
	}
	if err := sizes(ctx, &res); err != nil {
		return res, err
	}
	if err := r.reopen(ctx, o); err != nil {
		return res, err
	}
	o.Progress("queries")
	if err := r.ask(ctx, o, &res); err != nil {
		return res, err
	}
	res.PeakRSSMB = peakRSS()
	return res, nil
}

type searchRig struct {
	keys    *keyring.File
	db      *store.DB
	box     *sealed.Box
	bank    *bank.Bank
	profile *profile.Service
	names   *pseudonym.Maker
}

func newSearchRig(ctx context.Context, o SearchOptions) (*searchRig, error) {
	r := &searchRig{}
	var err error
	if r.keys, err = keyring.OpenFile(filepath.Join(o.Dir, "keys.json")); err != nil {
		return nil, err
	}
	if r.box, err = sealed.NewBox(r.keys); err != nil {
		return nil, err
	}
	if r.names, err = pseudonym.New(ctx, r.keys); err != nil {
		return nil, err
	}
	if r.bank, err = bank.New(bank.Config{Seed: 1, Customers: 10, Months: 1, End: time.Date(2026, 1, 1, 0, 0, 0, 0, bank.Zone)}); err != nil {
		return nil, err
	}
	return r, r.open(ctx, o)
}

func (r *searchRig) open(ctx context.Context, o SearchOptions) (err error) {
	if r.db, err = store.Open(ctx, store.Options{Dir: o.Dir, URL: o.URL, Keys: r.keys, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return err
	}
	if err := r.db.Migrate(ctx, sealed.Migrations, customer.Migrations); err != nil {
		return err
	}
	r.profile, err = profile.NewService(r.db, r.box, search.NewIndex(r.box), nil)
	return err
}

func (r *searchRig) reopen(ctx context.Context, o SearchOptions) error {
	if err := r.db.Close(); err != nil {
		return err
	}
	return r.open(ctx, o)
}

// records counts the records that are there.
func (r *searchRig) records(ctx context.Context) (n int, err error) {
	err = r.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT count(*) FROM customer_record").Scan(ctx, &n)
	})
	return n, err
}

// person is customer i of the load: the head of a household of their own.
func (r *searchRig) person(i int) bank.Person { return r.bank.Person(uint64(i) << 3) }

// fill takes the customers up as the stream does, in one transaction: keys are
// hashes, so that every batch touches pages all over the file, and batches that
// commit alone write most of the file again and again. In a cache that holds all
// pages each is written once.
func (r *searchRig) fill(ctx context.Context, o SearchOptions) error {
	h := identity.NewHandler(r.names, r.box, search.NewIndex(r.box))
	const size = 20_000
	return r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if o.URL == "" {
			// KiB; of this connection, until it is opened again
			if _, err := tx.NewRaw("PRAGMA cache_size = -12582912").Exec(ctx); err != nil {
				return err
			}
		}
		for from := 0; from < o.Customers; from += size {
			o.Progress(fmt.Sprintf("%d customers are in", from))
			records, err := r.batch(from, min(from+size, o.Customers))
			if err != nil {
				return err
			}
			if err := h.Handle(ctx, tx, records); err != nil {
				return err
			}
		}
		return nil
	})
}

// batch are the events that bring customers in.
func (r *searchRig) batch(from, to int) (records []eventlog.Record, err error) {
	for i := from; i < to; i++ {
		p := r.person(i)
		traits, err := json.Marshal(map[string]string{"name": p.FullName(), "phone": p.Phone, "citizen_id": p.CitizenID, "birth_date": p.Birth.Format(time.DateOnly)})
		if err != nil {
			return nil, err
		}
		records = append(records, eventlog.Record{Event: event.Event{Kind: event.Identify, Entity: scope.DefaultEntity, Source: "core", System: "core",
			UserID: "C" + strconv.Itoa(1_000_000+i), At: int64(i + 1), ReceivedAt: int64(i + 1), Traits: traits}})
	}
	return records, nil
}

// sizesOfServer measures the tables and indexes in PostgreSQL, and has it gather
// what its planner knows of them, which a server does by itself after a while.
func (r *searchRig) sizesOfServer(ctx context.Context, res *SearchResult) error {
	return r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.NewRaw("ANALYZE").Exec(ctx); err != nil {
			return err
		}
		return tx.NewRaw(`SELECT pg_database_size(current_database()) / 1048576.0, COALESCE(SUM(pg_total_relation_size(c.oid)), 0) / 1048576.0
FROM pg_class c WHERE c.relname IN ('customer_token', 'customer_posting', 'customer_indexed')`).Scan(ctx, &res.StoreMB, &res.IndexMB)
	})
}

// sizes measures the file and the tables of the index in it.
func (r *searchRig) sizes(ctx context.Context, res *SearchResult) error {
	return r.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var all, index float64
		if err := tx.NewRaw(`SELECT page_count * page_size / 1048576.0 FROM pragma_page_count(), pragma_page_size()`).Scan(ctx, &all); err != nil {
			return err
		}
		res.StoreMB = all
		err := tx.NewRaw(`SELECT COALESCE(SUM(pgsize), 0) / 1048576.0 FROM dbstat WHERE name LIKE 'customer_token%' OR name LIKE 'customer_posting%' OR name LIKE 'customer_indexed%'
	OR name LIKE 'sqlite_autoindex_customer_indexed%'`).Scan(ctx, &index)
		if err != nil { // built without dbstat: rows times what a row takes
			var postings, tokens, records int64
			if err := tx.NewRaw(`SELECT (SELECT count(*) FROM customer_posting), (SELECT count(*) FROM customer_token), (SELECT count(*) FROM customer_indexed)`).Scan(ctx, &postings, &tokens, &records); err != nil {
				return err
			}
			index = float64(2*20*postings+90*tokens+60*records) / (1 << 20)
		}
		res.IndexMB = index
		return nil
	})
}

// kinds are the ways of asking, each with what a clerk would type for a person.
var kinds = map[string]func(p bank.Person, r *rand.Rand) string{
	"whole name":            func(p bank.Person, _ *rand.Rand) string { return plain(p.FullName()) },
	"two words":             func(p bank.Person, _ *rand.Rand) string { return plain(p.Given + " " + p.Family) },
	"name and phone end":    func(p bank.Person, _ *rand.Rand) string { return plain(p.Given) + " " + p.Phone[len(p.Phone)-4:] },
	"phone end":             func(p bank.Person, _ *rand.Rand) string { return p.Phone[len(p.Phone)-6:] },
	"citizen id end":        func(p bank.Person, _ *rand.Rand) string { return p.CitizenID[len(p.CitizenID)-4:] },
	"whole phone":           func(p bank.Person, _ *rand.Rand) string { return "+84" + p.Phone[1:] },
	"family and citizen":    func(p bank.Person, _ *rand.Rand) string { return p.Family + " " + p.CitizenID[len(p.CitizenID)-6:] },
	"one common word":       func(p bank.Person, _ *rand.Rand) string { return plain(p.Family) },
	"a name of nobody":      func(p bank.Person, r *rand.Rand) string { return "Xyz " + plain(p.Given) + strconv.Itoa(r.IntN(9)) },
	"two names of a couple": func(p bank.Person, _ *rand.Rand) string { return "nguyen tran " + plain(p.Given) },
}

func plain(text string) string {
	return strings.ToLower(string(normalise.AppendFold(nil, []byte(text))))
}

func (r *searchRig) ask(ctx context.Context, o SearchOptions, res *SearchResult) error {
	draw := rand.New(rand.NewPCG(1, 2))
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	var all measured
	by := map[string]*measured{}
	for q := range o.Queries {
		p := r.person(draw.IntN(o.Customers))
		kind := names[q%len(names)]
		query := kinds[kind](p, draw)
		begin := time.Now()
		found, err := r.profile.Find(ctx, query, 50)
		ms := time.Since(begin).Seconds() * 1000
		if err != nil {
			return fmt.Errorf("%q: %w", query, err)
		}
		if q == 0 {
			res.FirstQuery = ms
		}
		all.ms = append(all.ms, ms)
		if by[kind] == nil {
			by[kind] = &measured{}
		}
		by[kind].ms = append(by[kind].ms, ms)
		if !found.More && expects(kind) && !slices.ContainsFunc(found.Items, func(s profile.Summary) bool { return s.Name == p.FullName() }) {
			res.Missed++
		}
	}
	res.P50MS, res.P99MS, res.MaxMS = all.percentile(0.5), all.percentile(0.99), all.percentile(1)
	for kind, m := range by {
		res.P99ByKind[kind] = m.percentile(0.99)
	}
	return nil
}

func expects(kind string) bool { return kind != "a name of nobody" && kind != "two names of a couple" }
