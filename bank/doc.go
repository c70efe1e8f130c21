// Package bank simulates a retail bank in Vietnam whose truth is known: who is
// who behind the records of its systems, what every customer feels, what was
// planted to happen and what it did. The demo, the tests and every claim about
// an analysis draw from it, since no real bank publishes such data together.
//
// A Bank is made from a Config; the same seed gives the same bytes. It can be
// read in three ways:
//
//   - History and Stream give all events in one order of time; a Stream can go on
//     past the history and Live plays it in real or accelerated time.
//   - ByCustomer gives one customer after another in constant memory, for bulk loads.
//   - Generate writes one file per source system, and the truth in files of its own.
//
// How it works, for a newcomer: each customer is a small state (customer.go) with
// an agenda of planned items (a heap in time). Every week the customer plans what
// habit brings (week.go): transfers, visits, calls. A journey (journey_*.go) plans
// its events ahead, with waits and failures that depend on the place, the hour
// and the planted effects (plan.go). When a journey is lived through, feeling
// moves (feeling.go), a survey may be due (survey.go), a complaint may follow, and
// once a week the hazard of leaving is lived through (lifecycle.go). An item
// becomes an Event only when its time has come (render.go); who the person is,
// and what each system believes, is a function of the seed (person.go, identity.go).
// Nothing is stored but the agendas, so a million customers fit in memory, and one
// customer after another fits in a cache.
//
// Names, telephone numbers, citizen ids and e-mail addresses are fictitious by
// construction: names are drawn word by word, telephone numbers lie in blocks no
// operator holds, citizen ids carry a province code that does not exist, e-mail
// domains are reserved for examples. docs/reference/bank.md states the sources of
// every distribution and which figures are assumptions.
package bank
