package profile

import (
	"cmp"
	"slices"

	"omote/internal/customer/state"
	"omote/internal/platform/store"
)

// Computed is one computed attribute of a customer.
type Computed struct {
	Rule *ComputedRule
	N    int64        // of events, for a count
	At   store.Micros // the last time; 0 for never
	Sums []Sum        // by currency
}

// Sum is an amount in minor units of a currency.
type Sum struct {
	Currency string
	Amount   int64
}

// compute makes the computed attributes of what a customer's records did.
func (r *Rules) compute(deeds []state.Deed) []Computed {
	out := make([]Computed, len(r.Computed))
	for i := range r.Computed {
		rule := &r.Computed[i]
		c := Computed{Rule: rule}
		sums := map[string]int64{}
		for _, a := range deeds {
			switch {
			case rule.Count != nil && of(*rule.Count, a.Name):
				c.N += a.N
			case rule.Last != nil && of(*rule.Last, a.Name):
				c.At = max(c.At, a.Last)
			case rule.Sum != nil && of(*rule.Sum, a.Name) && a.Currency != "":
				sums[a.Currency] += a.Amount
			}
		}
		for currency, amount := range sums {
			c.Sums = append(c.Sums, Sum{currency, amount})
		}
		slices.SortFunc(c.Sums, func(a, b Sum) int { return cmp.Compare(a.Currency, b.Currency) })
		out[i] = c
	}
	return out
}

func of(names []string, name string) bool { return len(names) == 0 || slices.Contains(names, name) }
