package bank

import "iter"

// Records gives the records that the bank's systems hold about the customers of
// the first day, one customer after another, each with the index of the person
// it is truly about.
func (b *Bank) Records() iter.Seq2[uint64, Record] {
	return func(yield func(uint64, Record) bool) {
		var c customer
		for slot := range uint64(b.cfg.Customers) {
			b.newCustomer(&c, slot<<3, 0)
			p := b.Person(c.idx)
			for _, r := range recordBits {
				if c.records&r.bit != 0 && !yield(c.idx, b.record(&p, r.sys, r.copy, 0, c.joined)) {
					return
				}
			}
		}
	}
}
