package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Service is how people and other parts read and decide identity. It is safe for
// concurrent use.
type Service struct{ db *store.DB }

// NewService makes the service.
func NewService(db *store.DB) *Service { return &Service{db} }

// Merge makes the customers of two records one. It takes back rejections between
// them; undo brings these back. It refuses customers that are one already.
func (s *Service) Merge(ctx context.Context, p Pair, reason string) (a Act, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return a, err
	}
	if err := s.valid(p, reason); err != nil {
		return a, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err = MergeIn(ctx, tx, p, reason)
		return err
	})
	return a, err
}

// Unmerge takes records out of a customer: they become one customer of their own,
// the others stay together. The two are remembered as two people.
func (s *Service) Unmerge(ctx context.Context, customer string, records []string, reason string) (a Act, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return a, err
	}
	if err := validReason(reason); err != nil {
		return a, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err = UnmergeIn(ctx, tx, customer, records, reason)
		return err
	})
	return a, err
}

// Reject remembers that two customers are two people, so that no evidence merges
// them later. Customers that are one are to be unmerged instead.
func (s *Service) Reject(ctx context.Context, p Pair, reason string) (a Act, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return a, err
	}
	if err := s.valid(p, reason); err != nil {
		return a, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err = RejectIn(ctx, tx, p, reason)
		return err
	})
	return a, err
}

// Undo takes a decision back. Every record is again where it would be without
// it: with evidence that was refused because of it taken up. Later decisions
// about the same records are to be undone first.
func (s *Service) Undo(ctx context.Context, act, reason string) (a Act, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return a, err
	}
	if err := validReason(reason); err != nil {
		return a, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err = UndoIn(ctx, tx, act, reason)
		return err
	})
	return a, err
}

func (s *Service) valid(p Pair, reason string) error {
	if err := p.Validate(); err != nil {
		return err
	}
	return validReason(reason)
}

// decision is an act on its way: the region it changes and its version.
type decision struct {
	Act
	region *region
}

func begin(ctx context.Context, tx store.Tx, kind Kind, reason string, records ...string) (*decision, error) {
	for _, id := range records {
		if err := mustKnow(ctx, tx, id); err != nil {
			return nil, err
		}
	}
	r, err := loadRegion(ctx, tx, tx.Scope.Entity, records)
	if err != nil {
		return nil, err
	}
	version, err := nextVersion(ctx, tx, r.entity)
	if err != nil {
		return nil, err
	}
	return &decision{Act{Entity: r.entity, ID: uuid.Must(uuid.NewV7()).String(), Kind: kind, Version: version, Reason: strings.TrimSpace(reason),
		MadeBy: tx.Scope.Actor, At: tx.Now()}, r}, nil
}

// end settles the links, writes the act and its audit line.
func (d *decision) end(ctx context.Context, tx store.Tx, linkReason string, sides ...[]string) (Act, error) {
	if err := d.region.settle(ctx, tx, d.Version, d.MadeBy, d.At, func(string) string { return linkReason }); err != nil {
		return d.Act, err
	}
	if err := insertAct(ctx, tx, &d.Act, sides...); err != nil {
		return d.Act, err
	}
	return d.Act, audit.Record(ctx, tx, audit.Entry{Action: "customer.identity." + string(d.Kind), Object: "identity/" + d.ID, Reason: d.Reason, After: sides})
}

func mustKnow(ctx context.Context, tx store.Tx, record string) error {
	n, err := tx.NewSelect().Model((*Record)(nil)).Where("entity = ? AND record_id = ?", tx.Scope.Entity, record).Count(ctx)
	if err != nil {
		return fmt.Errorf("look for a record: %w", err)
	}
	if n == 0 {
		return errs.NotFound("customer.error.not_found", "no customer or record %s", record)
	}
	return nil
}

// members lists the region's records of a customer.
func (r *region) members(customer string) (ids []string) {
	for _, id := range r.records() {
		if r.owner[id] == customer {
			ids = append(ids, id)
		}
	}
	return ids
}

// Apart tells whether a person has said that someone in the one record's customer
// is another than someone in the other's. Merge would take that back.
func Apart(ctx context.Context, tx store.Tx, p Pair) (bool, error) {
	_, left, err := Members(ctx, tx, p.A)
	if err != nil {
		return false, err
	}
	_, right, err := Members(ctx, tx, p.B)
	if err != nil {
		return false, err
	}
	standing, err := between(ctx, tx, tx.Scope.Entity, left, right)
	return len(standing) > 0, err
}

// MergeIn is Merge within the caller's transaction, for parts that decide in a
// person's place. The caller has authorised.
func MergeIn(ctx context.Context, tx store.Tx, p Pair, reason string) (Act, error) {
	d, err := begin(ctx, tx, KindMerge, reason, p.A, p.B)
	if err != nil {
		return Act{}, err
	}
	r := d.region
	a, b := r.owner[p.A], r.owner[p.B]
	if a == b {
		return Act{}, errs.Conflict("customer.identity.error.one", "the two are one customer already")
	}
	left, right := r.members(a), r.members(b)
	if len(left)+len(right) > MaxRecords {
		return Act{}, errs.TooLarge("customer.identity.error.too_many", "a customer has at most %d records", MaxRecords).With("max", MaxRecords)
	}
	rejections, err := between(ctx, tx, r.entity, left, right)
	if err != nil {
		return Act{}, err
	}
	if err := endRejections(ctx, tx, rejections, d.Version, d.ID); err != nil {
		return Act{}, err
	}
	e := d.edge(Pair{a, b}, Decided)
	if err := insertEdges(ctx, tx, []Edge{e}); err != nil {
		return Act{}, err
	}
	r.edges[e.key()] = &e
	return d.end(ctx, tx, Decided, left, right)
}

func (d *decision) edge(p Pair, reason string) Edge {
	p = p.ordered()
	return Edge{Entity: d.Entity, RecordA: p.A, RecordB: p.B, Reason: reason, Evidence: d.ID, FromVersion: d.Version, Act: d.ID, MadeBy: d.MadeBy, At: d.At}
}

// UnmergeIn is Unmerge within the caller's transaction. The caller has authorised.
func UnmergeIn(ctx context.Context, tx store.Tx, customer string, records []string, reason string) (Act, error) {
	d, err := begin(ctx, tx, KindUnmerge, reason, customer)
	if err != nil {
		return Act{}, err
	}
	r := d.region
	all := r.members(r.owner[customer])
	out := unique(records)
	for _, id := range out {
		if !slices.Contains(all, id) {
			return Act{}, errs.Invalid("customer.identity.error.not_member", "records", "a record does not belong to this customer")
		}
	}
	if len(out) == 0 || len(out) == len(all) {
		return Act{}, errs.Invalid("customer.identity.error.split", "records", "choose some of the customer's records, not none and not all")
	}
	stay := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(out, id) })
	var cut []*Edge
	for k, e := range r.edges {
		if slices.Contains(out, k.A) != slices.Contains(out, k.B) {
			cut = append(cut, e)
			delete(r.edges, k)
		}
	}
	if err := endEdges(ctx, tx, cut, d.Version, d.ID); err != nil {
		return Act{}, err
	}
	var made []Edge
	for _, side := range [][]string{out, stay} {
		made = append(made, d.hold(side)...)
	}
	if err := insertEdges(ctx, tx, made); err != nil {
		return Act{}, err
	}
	if err := d.rejectAll(ctx, tx, out, stay); err != nil {
		return Act{}, err
	}
	return d.end(ctx, tx, string(KindUnmerge), out, stay)
}

// hold keeps a side together that the cut would let fall to pieces.
func (d *decision) hold(side []string) (made []Edge) {
	u := newUnion(side)
	for k := range d.region.edges {
		if slices.Contains(side, k.A) && slices.Contains(side, k.B) {
			u.join(k.A, k.B)
		}
	}
	for _, id := range side[1:] {
		if u.find(id) != u.find(side[0]) {
			e := d.edge(Pair{side[0], id}, Kept)
			made = append(made, e)
			d.region.edges[e.key()] = &e
			u.join(side[0], id)
		}
	}
	return made
}

// RejectIn is Reject within the caller's transaction. The caller has authorised.
func RejectIn(ctx context.Context, tx store.Tx, p Pair, reason string) (Act, error) {
	d, err := begin(ctx, tx, KindReject, reason, p.A, p.B)
	if err != nil {
		return Act{}, err
	}
	r := d.region
	a, b := r.owner[p.A], r.owner[p.B]
	if a == b {
		return Act{}, errs.Conflict("customer.identity.error.unmerge_first", "the two are one customer; take them apart instead")
	}
	left, right := r.members(a), r.members(b)
	if err := d.rejectAll(ctx, tx, left, right); err != nil {
		return Act{}, err
	}
	return d.end(ctx, tx, string(KindReject), left, right)
}

// UndoIn is Undo within the caller's transaction. The caller has authorised.
func UndoIn(ctx context.Context, tx store.Tx, id, reason string) (Act, error) {
	entity := tx.Scope.Entity
	a, err := actOf(ctx, tx, id)
	if store.IsNoRows(err) {
		return a, errs.NotFound("customer.identity.error.no_act", "no decision %s", id)
	}
	if err != nil {
		return a, fmt.Errorf("read a decision: %w", err)
	}
	if a.UndoneVersion != nil {
		return a, errs.Conflict("customer.identity.error.undone", "the decision was taken back already")
	}
	rows, err := recordsOfAct(ctx, tx, entity, id)
	if err != nil {
		return a, fmt.Errorf("read a decision's records: %w", err)
	}
	var records []string
	for _, r := range rows {
		records = append(records, r.RecordID)
	}
	later, err := actsOn(ctx, tx, entity, records)
	if err != nil {
		return a, err
	}
	for _, l := range later {
		if l.Version > a.Version && l.UndoneVersion == nil {
			return a, errs.Conflict("customer.identity.error.later", "a later decision about the same records stands; take it back first")
		}
	}
	r, err := loadRegion(ctx, tx, entity, records)
	if err != nil {
		return a, err
	}
	version, err := nextVersion(ctx, tx, entity)
	if err != nil {
		return a, err
	}
	if err := takeBack(ctx, tx, r, &a, version); err != nil {
		return a, err
	}
	now := tx.Now()
	a.UndoneVersion, a.UndoneReason, a.UndoneBy, a.UndoneAt = &version, strings.TrimSpace(reason), tx.Scope.Actor, &now
	if _, err := tx.NewUpdate().Model(&a).Column("undone_version", "undone_reason", "undone_by", "undone_at").WherePK().Exec(ctx); err != nil {
		return a, fmt.Errorf("take a decision back: %w", err)
	}
	if err := retryRefused(ctx, tx, entity, records); err != nil {
		return a, err
	}
	return a, audit.Record(ctx, tx, audit.Entry{Action: "customer.identity.undo", Object: "identity/" + a.ID, Reason: a.UndoneReason, Changed: []string{"undone"}})
}

// takeBack ends what the act made and makes again what it ended.
func takeBack(ctx context.Context, tx store.Tx, r *region, a *Act, version uint64) error {
	made, ended, err := edgesOfAct(ctx, tx, a)
	if err != nil {
		return err
	}
	if err := endEdges(ctx, tx, made, version, a.ID); err != nil {
		return err
	}
	for _, e := range made {
		delete(r.edges, e.key())
	}
	spoilt, err := sharedAmong(ctx, tx, r.entity, evidenceOf(ended))
	if err != nil {
		return err
	}
	again := make([]Edge, 0, len(ended))
	for _, e := range ended {
		if _, stands := r.edges[e.key()]; stands || spoilt[e.Evidence] {
			continue
		}
		e.FromVersion, e.ToVersion, e.EndedAct, e.EndedAt = version, nil, "", nil
		again = append(again, *e)
		r.edges[e.key()] = e
	}
	if err := insertEdges(ctx, tx, again); err != nil {
		return err
	}
	if err := takeBackRejections(ctx, tx, a, version); err != nil {
		return err
	}
	return r.settle(ctx, tx, version, tx.Scope.Actor, tx.Now(), func(string) string { return "undo" })
}

// retryRefused takes up evidence that was refused, where nothing speaks against
// it any more.
func retryRefused(ctx context.Context, tx store.Tx, entity string, records []string) error {
	refused, err := refusedOf(ctx, tx, entity, records)
	if err != nil || len(refused) == 0 {
		return err
	}
	if err := deleteRefused(ctx, tx, refused); err != nil {
		return err
	}
	slices.SortStableFunc(refused, func(a, b Refused) int { return cmp.Compare(a.At, b.At) })
	evidence := make([]string, len(refused))
	for i, f := range refused {
		evidence[i] = f.Evidence
	}
	spoilt, err := sharedAmong(ctx, tx, entity, evidence)
	if err != nil {
		return err
	}
	var candidates []Candidate
	for _, f := range refused {
		if !spoilt[f.Evidence] {
			candidates = append(candidates, Candidate{Pair: Pair{f.RecordA, f.RecordB}, Reason: f.Reason, Evidence: f.Evidence, Detail: f.Detail, At: f.At})
		}
	}
	_, err = join(ctx, tx, entity, candidates)
	return err
}

func evidenceOf(edges []*Edge) []string {
	out := make([]string, len(edges))
	for i, e := range edges {
		out[i] = e.Evidence
	}
	return out
}
