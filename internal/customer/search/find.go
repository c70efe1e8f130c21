package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/customer/identity"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Hit is a customer that a query found.
type Hit struct {
	Customer string
	Records  []string // of the customer that have what was asked for
	// Exact tells that the whole name or a whole number is the one asked for.
	Exact    bool
	LastSeen store.Micros
}

// Found is what a query gives.
type Found struct {
	Hits []Hit
	// More tells that further customers fit: another word or number narrows it.
	More bool
	// Full tells that the query held a whole number or mail address.
	Full bool
}

// Find gives the customers that fit a query, exact ones first, then those seen
// last. It runs in the caller's transaction and within its entity; the caller has
// authorised.
func (x *Index) Find(ctx context.Context, tx store.Tx, query string, limit int) (out Found, err error) {
	if len([]rune(query)) > MaxQuery {
		return out, errs.TooLarge("customer.search.error.length", "the query is longer than %d characters", MaxQuery).With("max", MaxQuery)
	}
	limit = min(cmp.Or(limit, 50), MaxResults)
	terms := parse(query)
	if len(terms) == 0 {
		return out, nil
	}
	name := identity.Name(query)
	for _, t := range terms {
		out.Full = out.Full || strings.HasPrefix(t.any[0], codeToken) || strings.HasPrefix(t.any[0], mailToken)
	}
	all := terms
	if name != "" {
		all = append(slices.Clone(terms), term{any: []string{nameToken + name}})
	}
	if err := x.number(ctx, tx, all); err != nil {
		return out, err
	}
	byCode, err := x.byExternal(ctx, tx, query)
	if err != nil {
		return out, err
	}
	var records []string
	if name != "" {
		if records, _, err = recordsWith(ctx, tx, all[len(terms):], walk); err != nil {
			return out, err
		}
	}
	if len(records) < walk {
		some, cut, err := recordsWith(ctx, tx, all[:len(terms)], walk+1)
		if err != nil {
			return out, err
		}
		out.More = len(some) > walk || cut
		records = append(records, some...)
	}
	records = append(records, byCode...)
	hits, err := x.compare(ctx, tx, records, byCode, all[:len(terms)], name)
	if err != nil {
		return out, err
	}
	if len(hits) == 0 && len(terms) > 1 {
		if hits, err = x.across(ctx, tx, all[:len(terms)]); err != nil {
			return out, err
		}
	}
	if len(hits) > limit {
		hits, out.More = hits[:limit], true
	}
	out.Hits, out.Full = hits, out.Full || len(byCode) > 0
	return out, nil
}

// number looks the tokens of the terms up in the dictionary.
func (x *Index) number(ctx context.Context, tx store.Tx, terms []term) error {
	var texts []string
	for _, t := range terms {
		for _, token := range t.any {
			texts = append(texts, within(tx.Scope.Entity, token))
		}
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	sets, err := x.box.TokenSearch(ctx, tx, entryColumn, texts)
	if err != nil {
		return err
	}
	rows, err := dictionary(ctx, tx, slices.Concat(sets...))
	if err != nil {
		return err
	}
	for i := range terms {
		for _, token := range terms[i].any {
			at, _ := slices.BinarySearch(texts, within(tx.Scope.Entity, token))
			for _, entry := range sets[at] {
				for _, r := range rows[entry] {
					terms[i].ids, terms[i].n = append(terms[i].ids, r.ID), terms[i].n+max(r.N, 0)
				}
			}
		}
	}
	return nil
}

// budget is how many records of the rarest term are walked at most. Two common
// words that hardly anybody has together would be asked of every record that has
// one of them; whoever searches so is told to narrow it, as with too many finds.
const budget = 12_000

// recordsWith gives records that have every term, at most limit. It walks those of
// the rarest term and asks for each of the others in the order of rarity. cut
// tells that it walked its budget and may have left some out.
func recordsWith(ctx context.Context, tx store.Tx, terms []term, limit int) (records []string, cut bool, err error) {
	terms = slices.Clone(terms)
	sort.SliceStable(terms, func(i, j int) bool { return terms[i].n < terms[j].n })
	for _, t := range terms {
		if len(t.ids) == 0 {
			return nil, false, nil // nobody has it
		}
	}
	rarest := tx.NewSelect().TableExpr("customer_posting").ColumnExpr("record").Where("token IN (?)", bun.List(terms[0].ids)).Limit(budget)
	q := tx.NewSelect().TableExpr("(?) AS p", rarest).ColumnExpr("p.record").Limit(int64(limit))
	for _, t := range terms[1:] {
		q = q.Where("EXISTS (SELECT 1 FROM customer_posting q WHERE q.token IN (?) AND q.record = p.record)", bun.List(t.ids))
	}
	var numbers []int64
	if err := q.Scan(ctx, &numbers); err != nil {
		return nil, false, fmt.Errorf("walk postings: %w", err)
	}
	records, err = recordsOf(ctx, tx, numbers)
	return records, terms[0].n > budget && len(numbers) < limit, err
}

func recordsOf(ctx context.Context, tx store.Tx, numbers []int64) (ids []string, err error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	err = tx.NewRaw("SELECT record_id FROM customer_indexed WHERE record IN (?) AND entity = ?", bun.List(numbers), tx.Scope.Entity).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("read found records: %w", err)
	}
	return ids, nil
}

// byExternal gives the records that a system calls by the query's number.
func (x *Index) byExternal(ctx context.Context, tx store.Tx, query string) ([]string, error) {
	code := strings.TrimSpace(query)
	if code == "" || strings.ContainsAny(code, " @") || digits(code) == "" {
		return nil, nil
	}
	return identity.ByExternal(ctx, tx, x.box, code)
}

// compare decrypts what was found, keeps the records that really fit, and orders
// their customers.
func (x *Index) compare(ctx context.Context, tx store.Tx, records, byCode []string, terms []term, name string) ([]Hit, error) {
	slices.Sort(records)
	records = slices.Compact(records)
	traits, err := identity.TraitsOf(ctx, tx, x.box, records)
	if err != nil {
		return nil, err
	}
	var fitting []string
	exact := map[string]bool{}
	for _, id := range records {
		if slices.Contains(byCode, id) {
			fitting, exact[id] = append(fitting, id), true
			continue
		}
		t := traits[id]
		if t == nil {
			continue
		}
		tokens := Tokens(t.Traits.Plain)
		if fits(terms, tokens) {
			fitting = append(fitting, id)
			exact[id] = name != "" && slices.Contains(tokens, nameToken+name) || hasCode(terms)
		}
	}
	return hits(ctx, tx, fitting, exact)
}

func hasCode(terms []term) bool {
	return slices.ContainsFunc(terms, func(t term) bool {
		return strings.HasPrefix(t.any[0], codeToken) || strings.HasPrefix(t.any[0], mailToken)
	})
}

func fits(terms []term, tokens []string) bool {
	for _, t := range terms {
		if !slices.ContainsFunc(t.any, func(want string) bool { return slices.Contains(tokens, want) }) {
			return false
		}
	}
	return true
}

// across finds customers of whom one record has the name and another the number:
// from the records of the rarest term, when these are few.
func (x *Index) across(ctx context.Context, tx store.Tx, terms []term) ([]Hit, error) {
	rarest := slices.MinFunc(terms, func(a, b term) int { return cmp.Compare(a.n, b.n) })
	if rarest.n > walk {
		return nil, nil
	}
	start, _, err := recordsWith(ctx, tx, []term{rarest}, walk)
	if err != nil || len(start) == 0 {
		return nil, err
	}
	members, err := identity.MembersOf(ctx, tx, start)
	if err != nil {
		return nil, err
	}
	traits, err := identity.TraitsOf(ctx, tx, x.box, slices.Concat(values(members)...))
	if err != nil {
		return nil, err
	}
	// The words of a name must be one record's; each number may be another's.
	words, rest := []term{}, []term{}
	for _, t := range terms {
		if strings.HasPrefix(t.any[0], wordToken) {
			words = append(words, t)
		} else {
			rest = append(rest, t)
		}
	}
	var fitting []string
	for _, records := range members {
		var tokens, some []string
		named := len(words) == 0
		for _, id := range records {
			t := traits[id]
			if t == nil {
				continue
			}
			own := Tokens(t.Traits.Plain)
			tokens = append(tokens, own...)
			calls := len(words) > 0 && fits(words, own)
			named = named || calls
			if calls || slices.ContainsFunc(rest, func(t term) bool { return fits([]term{t}, own) }) {
				some = append(some, id)
			}
		}
		if named && fits(rest, tokens) {
			fitting = append(fitting, some...)
		}
	}
	return hits(ctx, tx, fitting, nil)
}

func values(m map[string][]string) (out [][]string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// hits gathers records into customers and orders these.
func hits(ctx context.Context, tx store.Tx, records []string, exact map[string]bool) ([]Hit, error) {
	owners, err := identity.Owners(ctx, tx, records)
	if err != nil {
		return nil, err
	}
	seen, err := identity.LastSeen(ctx, tx, records)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	var out []Hit
	for _, id := range records {
		c := owners[id]
		if _, ok := at[c]; !ok {
			at[c] = len(out)
			out = append(out, Hit{Customer: c})
		}
		h := &out[at[c]]
		h.Records = append(h.Records, id)
		h.Exact = h.Exact || exact[id]
		h.LastSeen = max(h.LastSeen, seen[id])
	}
	slices.SortFunc(out, func(a, b Hit) int {
		if a.Exact != b.Exact {
			if a.Exact {
				return -1
			}
			return 1
		}
		return cmp.Or(-cmp.Compare(a.LastSeen, b.LastSeen), cmp.Compare(a.Customer, b.Customer))
	})
	return out, nil
}
