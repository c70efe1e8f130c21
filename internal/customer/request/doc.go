// Package request handles what persons ask for under data-protection law: to see
// or receive their data, to have it corrected, to withdraw, object, restrict, or
// be forgotten.
//
//	received → checked → replied → done
//	     └────────┴────────┴→ refused, with the ground in law
//
// The clocks are versioned data (packs/clocks.yaml): a request keeps the rules
// under which it was received. A withdrawal or an objection is obeyed at once, when
// it is received, because that can harm nobody; what gives data out, changes or
// erases it waits until the person's identity was checked.
//
// Files: request.go (types), clock.go (rules and deadlines), service.go,
// collect.go (what a person gets), letter.go (letters in vi and en), store.go (all
// SQL). Tables: customer_request, customer_request_step. Wishes, answers and notes
// are encrypted.
package request
