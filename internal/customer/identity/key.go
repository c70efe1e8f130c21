package identity

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// keyColumn is the token index of identifiers.
var keyColumn = sealed.Column{Table: "customer_key", Name: "key_ix"}

// key says that a record has stated an identifier.
type key struct {
	bun.BaseModel `bun:"table:customer_key"`
	Entity        string `bun:",pk"`
	Rule          string `bun:",pk"`
	KeyIx         string `bun:",pk"`
	RecordID      string `bun:",pk"`
	BaseIx        string // the identifier whose sharing spoils this one
	At            store.Micros
}

// Why an identifier does not link.
const (
	SharedMany          = "many"          // more records state it than the rule's limit
	SharedContradiction = "contradiction" // records that state it contradict each other
)

// shared is an identifier that does not link.
type shared struct {
	bun.BaseModel `bun:"table:customer_shared"`
	Entity        string `bun:",pk"`
	Rule          string `bun:",pk"`
	KeyIx         string `bun:",pk"`
	Why           string
	Holders       int64
	At            store.Micros
}

// keys writes identifiers and finds who else states them.
type keys struct{ box *sealed.Box }

// statement of identifiers by one record.
type identified struct {
	record string
	values []ruleValue
	at     store.Micros
}

type ruleValue struct {
	rule        *Rule
	value, base string
}

// newValues are the rules' values in now that are not in before.
func newValues(now, before stated) (values []ruleValue) {
	for i := range Rules {
		r := &Rules[i]
		v := now.value(r)
		if v == "" || v == before.value(r) {
			continue
		}
		rv := ruleValue{rule: r, value: v}
		if r.Base != "" {
			rv.base = now.value(ruleOf(r.Base))
		}
		values = append(values, rv)
	}
	return values
}

// group is one identifier under every key of the ring it may be indexed with;
// the first is the present one.
type group struct {
	rule *Rule
	ix   []string
	base string
}

func indexed(entity, rule, value string) string { return entity + "\x1f" + rule + "\x1f" + value }

// add stores identifiers and gives the groups that grew.
func (k keys) add(ctx context.Context, tx store.Tx, entity string, all []identified) ([]group, error) {
	texts := map[string]int{}
	var list []string
	note := func(rule, value string) {
		t := indexed(entity, rule, value)
		if _, ok := texts[t]; !ok {
			texts[t] = len(list)
			list = append(list, t)
		}
	}
	for _, s := range all {
		for _, v := range s.values {
			note(v.rule.Name, v.value)
			if v.base != "" {
				note(v.rule.Base, v.base)
			}
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	now, err := k.box.Tokens(ctx, tx, keyColumn, list)
	if err != nil {
		return nil, err
	}
	every, err := k.box.TokenSearch(ctx, tx, keyColumn, list)
	if err != nil {
		return nil, err
	}
	rows := map[[3]string]key{}
	groups := map[[2]string]group{}
	for _, s := range all {
		for _, v := range s.values {
			i := texts[indexed(entity, v.rule.Name, v.value)]
			row := key{Entity: entity, Rule: v.rule.Name, KeyIx: now[i], RecordID: s.record, At: s.at}
			g := group{rule: v.rule, ix: every[i]}
			if v.base != "" {
				row.BaseIx = now[texts[indexed(entity, v.rule.Base, v.base)]]
				g.base = row.BaseIx
			}
			rows[[3]string{row.Rule, row.KeyIx, row.RecordID}] = row
			groups[[2]string{v.rule.Name, now[i]}] = g
		}
	}
	if err := k.insert(ctx, tx, rows); err != nil {
		return nil, err
	}
	out := slices.Collect(maps.Values(groups))
	return out, nil
}

func (k keys) insert(ctx context.Context, tx store.Tx, rows map[[3]string]key) error {
	order := slices.SortedFunc(maps.Values(rows), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.KeyIx, b.KeyIx), cmp.Compare(a.RecordID, b.RecordID))
	})
	n := len(order)
	entity, rule, ix, record, base, at := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]store.Micros, n)
	for i, r := range order {
		entity[i], rule[i], ix[i], record[i], base[i], at[i] = r.Entity, r.Rule, r.KeyIx, r.RecordID, r.BaseIx, r.At
	}
	_, err := tx.Batch(ctx, "customer_key", store.Upsert{Key: []string{"entity", "rule", "key_ix", "record_id"}},
		store.Col("entity", entity), store.Col("rule", rule), store.Col("key_ix", ix), store.Col("record_id", record), store.Col("base_ix", base), store.Col("at", at))
	return err
}

// groupsOf gives the groups that records belong to, for records whose contradictions
// may have changed.
func groupsOf(ctx context.Context, tx store.Tx, entity string, records []string) ([]group, error) {
	rows, err := each(records, func(ids []string) (rows []key, err error) {
		err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", entity, bun.List(ids)).Scan(ctx)
		return rows, err
	})
	if err != nil {
		return nil, fmt.Errorf("read identifiers: %w", err)
	}
	var out []group
	for _, r := range rows {
		if rule := ruleOf(r.Rule); rule != nil && rule.Links {
			out = append(out, group{rule, []string{r.KeyIx}, r.BaseIx})
		}
	}
	return out, nil
}

// sync looks at groups that grew: one that too many records state, or whose
// records contradict each other, ends to link; of any other all records are
// proposed as one person.
func (k keys) sync(ctx context.Context, tx store.Tx, entity string, groups []group, at store.Micros) ([]Candidate, error) {
	groups = merged(groups)
	var out []Candidate
	// Rules that others rest on come first, so that their sharing counts at once.
	for _, bare := range []bool{true, false} {
		var some []group
		for _, g := range groups {
			if (g.rule.Base == "") == bare {
				some = append(some, g)
			}
		}
		c, err := k.syncSome(ctx, tx, entity, some, at)
		if err != nil {
			return nil, err
		}
		out = append(out, c...)
	}
	return out, nil
}

// merged drops repeated groups and orders them.
func merged(groups []group) []group {
	groups = slices.Clone(groups)
	slices.SortStableFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.rule.Name, b.rule.Name), cmp.Compare(a.ix[0], b.ix[0]), -cmp.Compare(len(a.ix), len(b.ix)))
	})
	return slices.CompactFunc(groups, func(a, b group) bool { return a.rule == b.rule && a.ix[0] == b.ix[0] })
}

func (k keys) syncSome(ctx context.Context, tx store.Tx, entity string, groups []group, at store.Micros) ([]Candidate, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	var names []string
	for _, g := range groups {
		names = append(append(names, g.ix...), g.base)
	}
	marks, err := marksOf(ctx, tx, entity, unique(names))
	if err != nil {
		return nil, err
	}
	var open []group
	for _, g := range groups {
		if marks[g.base] == SharedMany {
			continue
		}
		if slices.ContainsFunc(g.ix, func(ix string) bool { return marks[ix] == SharedMany }) {
			if err := countShared(ctx, tx, entity, g); err != nil {
				return nil, err
			}
			continue
		}
		open = append(open, g)
	}
	holders, err := holdersOf(ctx, tx, entity, open)
	if err != nil {
		return nil, err
	}
	states, err := exclusiveKeys(ctx, tx, entity, linkHolders(open, holders))
	if err != nil {
		return nil, err
	}
	var out []Candidate
	for _, g := range open {
		records := g.holders(holders)
		switch {
		case len(records) > g.rule.Limit:
			if err := k.spoil(ctx, tx, entity, g, SharedMany, len(records), at); err != nil {
				return nil, err
			}
		case !g.rule.Links || len(records) < 2:
		case contradictory(records, states):
			if err := k.spoil(ctx, tx, entity, g, SharedContradiction, len(records), at); err != nil {
				return nil, err
			}
		default:
			if slices.ContainsFunc(g.ix, func(ix string) bool { return marks[ix] != "" }) {
				if err := unmark(ctx, tx, entity, g); err != nil {
					return nil, err
				}
			}
			for _, id := range records[1:] {
				out = append(out, Candidate{Pair: Pair{records[0], id}, Reason: g.rule.Name, Evidence: g.ix[0], At: at})
			}
		}
	}
	return out, nil
}

// linkHolders are the records of the groups that link.
func linkHolders(groups []group, holders map[string][]string) (out []string) {
	for _, g := range groups {
		if records := g.holders(holders); g.rule.Links && len(records) > 1 && len(records) <= g.rule.Limit {
			out = append(out, records...)
		}
	}
	return unique(out)
}

func (g group) holders(all map[string][]string) (records []string) {
	for _, ix := range g.ix {
		records = append(records, all[g.rule.Name+"\x00"+ix]...)
	}
	return unique(records)
}

// contradictory reports whether any two of the records contradict each other.
func contradictory(records []string, states map[string][]key) bool {
	for i, a := range records {
		for _, b := range records[:i] {
			if contradict(byRule(states[a]), byRule(states[b])) {
				return true
			}
		}
	}
	return false
}

func byRule(rows []key) map[string][]string {
	out := map[string][]string{}
	for _, r := range rows {
		out[r.Rule] = append(out[r.Rule], r.KeyIx)
	}
	return out
}

// spoil marks an identifier as one that does not link and ends what rested on
// it, and on the identifiers it is part of.
func (k keys) spoil(ctx context.Context, tx store.Tx, entity string, g group, why string, holders int, at store.Micros) error {
	row := shared{Entity: entity, Rule: g.rule.Name, KeyIx: g.ix[0], Why: why, Holders: int64(holders), At: at}
	_, err := tx.NewInsert().Model(&row).On("CONFLICT (entity, rule, key_ix) DO UPDATE").Set("why = EXCLUDED.why").Set("holders = EXCLUDED.holders").Exec(ctx)
	if err != nil {
		return fmt.Errorf("mark a shared identifier: %w", err)
	}
	evidence := slices.Clone(g.ix)
	if why == SharedMany {
		dependent, err := dependents(ctx, tx, g.ix)
		if err != nil {
			return err
		}
		evidence = append(evidence, dependent...)
	}
	edges, err := edgesOfEvidence(ctx, tx, entity, evidence)
	if err != nil || len(edges) == 0 {
		return err
	}
	return withdraw(ctx, tx, entity, edges)
}

// withdraw ends edges whose evidence no longer counts.
func withdraw(ctx context.Context, tx store.Tx, entity string, edges []Edge) error {
	var records []string
	for _, e := range edges {
		records = append(records, e.RecordA, e.RecordB)
	}
	r, err := loadRegion(ctx, tx, entity, records)
	if err != nil {
		return err
	}
	version, err := nextVersion(ctx, tx, entity)
	if err != nil {
		return err
	}
	ended := make([]*Edge, len(edges))
	for i := range edges {
		ended[i] = &edges[i]
		delete(r.edges, edges[i].key())
	}
	if err := endEdges(ctx, tx, ended, version, ""); err != nil {
		return err
	}
	return r.settle(ctx, tx, version, tx.Scope.Actor, tx.Now(), func(string) string { return "shared" })
}

// rebuild makes a record's identifiers anew from its present traits, under the
// ring's present key.
func (k keys) rebuild(ctx context.Context, tx store.Tx, record string) error {
	var rows []Traits
	if err := tx.NewSelect().Model(&rows).Where("record_id = ?", record).Scan(ctx); err != nil {
		return fmt.Errorf("read traits: %w", err)
	}
	if err := k.box.Open(ctx, tx, &rows); err != nil {
		return err
	}
	if _, err := tx.NewDelete().Model((*key)(nil)).Where("record_id = ?", record).Exec(ctx); err != nil {
		return fmt.Errorf("delete identifiers: %w", err)
	}
	for _, r := range rows {
		values := newValues(parseStated(r.Traits.Plain), stated{})
		if _, err := k.add(ctx, tx, r.Entity, []identified{{r.RecordID, values, r.StatedAt}}); err != nil {
			return err
		}
	}
	return nil
}
