package profile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/customer/identity"
	"omote/internal/platform/auth"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// grant is a purpose that an actor has stated for a customer.
type grant struct {
	bun.BaseModel `bun:"table:customer_opened"`
	Entity        string `bun:",pk"`
	CustomerID    string `bun:",pk"`
	Actor         string `bun:",pk"`
	Purpose       string
	At            store.Micros
	Until         store.Micros
}

// grantsOf gives the purposes that the actor of the transaction has stated for
// customers and that still count, by customer.
func grantsOf(ctx context.Context, tx store.Tx, customers []string) (map[string]grant, error) {
	var rows []grant
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND customer_id IN (?) AND actor = ? AND until > ?", tx.Scope.Entity, bun.List(customers), tx.Scope.Actor, tx.Now()).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read stated purposes: %w", err)
	}
	out := make(map[string]grant, len(rows))
	for _, g := range rows {
		out[g.CustomerID] = g
	}
	return out, nil
}

func storeGrant(ctx context.Context, tx store.Tx, g *grant) error {
	_, err := tx.NewInsert().Model(g).On("CONFLICT (entity, customer_id, actor) DO UPDATE").
		Set("purpose = EXCLUDED.purpose").Set("at = EXCLUDED.at").Set("until = EXCLUDED.until").Exec(ctx)
	if err != nil {
		return fmt.Errorf("store a stated purpose: %w", err)
	}
	return nil
}

// Counts are the figures over all customers.
type Counts struct {
	Records   int64 // of known persons
	Customers int64 // known
	Merged    int64 // known customers with more than one known record
	Systems   int64
	// Devices are anonymous records, Joined those that belong to a known customer.
	Devices, Joined int64
}

// Prospects are people who only left anonymous records.
func (c Counts) Prospects() int64 { return c.Devices - c.Joined }

// Counts counts customers and prospects of the whole entity.
func (s *Service) Counts(ctx context.Context) (c Counts, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return c, err
	}
	sc, _ := scope.From(ctx)
	s.counted.Lock()
	defer s.counted.Unlock()
	if held, ok := s.counts[sc.Entity]; ok && s.db.Now().Sub(held.at) < countsLast {
		return held.Counts, nil
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw(`WITH owned AS (
	SELECT r.anonymous, COALESCE(l.customer_id, r.record_id) AS customer
	FROM customer_record r LEFT JOIN customer_link l ON l.entity = r.entity AND l.record_id = r.record_id AND l.to_version IS NULL
	WHERE r.entity = ?
), person AS (
	SELECT SUM(CASE WHEN anonymous THEN 0 ELSE 1 END) AS known, SUM(CASE WHEN anonymous THEN 1 ELSE 0 END) AS devices FROM owned GROUP BY customer
)
SELECT COALESCE(SUM(known), 0), COALESCE(SUM(CASE WHEN known > 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN known > 1 THEN 1 ELSE 0 END), 0),
	(SELECT count(*) FROM customer_system WHERE entity = ?), COALESCE(SUM(devices), 0), COALESCE(SUM(CASE WHEN known > 0 THEN devices ELSE 0 END), 0) FROM person`,
			tx.Scope.Entity, tx.Scope.Entity).Scan(ctx, &c.Records, &c.Customers, &c.Merged, &c.Systems, &c.Devices, &c.Joined)
	})
	if err != nil {
		return c, fmt.Errorf("count customers: %w", err)
	}
	if s.counts == nil {
		s.counts = map[string]heldCounts{}
	}
	s.counts[sc.Entity] = heldCounts{c, s.db.Now()}
	return c, nil
}

// countsLast is how long figures over all customers are kept: counting walks over
// every record.
const countsLast = time.Minute

type heldCounts struct {
	Counts
	at store.Micros
}

// Relative is another customer of a household. Households are inferred from what
// people share; nobody has stated them.
type Relative struct {
	*Customer
	// Evidence is what they share: "address", "phone", "family_name".
	Evidence []string
}

// maxHousehold bounds how many people one roof is believed to hold.
const maxHousehold = 12

// Household gives those who seem to live with a customer: the same address, and a
// family name or a phone in common. An address that many share is a tower or a
// dormitory and shows nobody.
func (s *Service) Household(ctx context.Context, id string) (out []Relative, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	codes, err := s.codes(ctx)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = nil
		customer, records, err := identity.Members(ctx, tx, id)
		if err != nil {
			return err
		}
		roof, err := identity.Sharing(ctx, tx, records, "address", maxHousehold*4)
		if err != nil || len(roof) == 0 {
			return err
		}
		phone, err := identity.Sharing(ctx, tx, records, "phone", maxHousehold*4)
		if err != nil {
			return err
		}
		members, err := identity.MembersOf(ctx, tx, roof)
		if err != nil || len(members) > maxHousehold {
			return err
		}
		members[customer] = records
		m, err := s.load(ctx, tx, members)
		if err != nil {
			return err
		}
		me, err := s.make(m, customer, nil)
		if err != nil {
			return err
		}
		for c, ids := range members {
			if c == customer {
				continue
			}
			other, err := s.make(m, c, codes)
			if err != nil {
				return err
			}
			r := Relative{Customer: other, Evidence: []string{"address"}}
			if family(me.Name) != "" && family(me.Name) == family(other.Name) {
				r.Evidence = append(r.Evidence, "family_name")
			}
			if slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(phone, id) }) {
				r.Evidence = append(r.Evidence, "phone")
			}
			if len(r.Evidence) > 1 && !other.Closed {
				out = append(out, r)
			}
		}
		slices.SortFunc(out, func(a, b Relative) int {
			if len(a.Evidence) != len(b.Evidence) {
				return len(b.Evidence) - len(a.Evidence)
			}
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
		return nil
	})
	return out, err
}

// family is the first word of a Vietnamese name.
func family(name string) string {
	if words := identity.NameWords(name); len(words) > 1 {
		return words[0]
	}
	return ""
}

// whole widens a scope to the whole entity: who may see a customer sees all of
// them.
func whole(ctx context.Context) context.Context {
	sc, ok := scope.From(ctx)
	if !ok {
		return ctx
	}
	sc.Unit = scope.Root
	return scope.With(ctx, sc)
}
