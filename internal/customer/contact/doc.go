// Package contact decides whether a customer may be contacted now: one decision
// that surveys, flows, campaigns and messages all ask, with the word of every rule.
//
//	d, err := contacts.Decide(ctx, tx, contact.Request{Customer: id, Kind: "survey", Channel: "sms", Ref: invitation})
//	if d.Allowed { … send in the same transaction … } else { … d.Reasons says why … }
//
// A [Policy] is versioned data: kinds of contact with a purpose and a priority,
// and rules on them. [Policy.Evaluate] is a pure function of policy, request and
// facts, so the same answer can be given, explained and tested anywhere:
//
//	consent     may the data be used for the purpose over the channel (package consent)
//	exclusion   what keeps the customer out: an open case, a complaint, a vulnerability, an attribute
//	quiet       hours, weekdays and public holidays in the customer's own zone
//	gap         the least time between two contacts
//	cap         the most contacts within any window of n days
//
// A cap is shared by kinds. Two things keep it fair. Reserved slots belong to one
// kind: others may not take the last room that a rare kind has not used yet, so a
// frequent kind cannot starve it. Held slots belong to kinds of a priority or
// above. Both are tested on every window that the contact would lie in, those
// that reach into the future too, so they hold whatever the order in which
// contacts are reserved (see ADR 0034).
//
// An allowed decision reserves its place in the caller's transaction. Run it in
// store.DB.Write: of two transactions that want the last slot one sees the
// other's reservation. A Ref makes the decision idempotent: asked again, it
// judges the same reservation anew. Release gives a place back.
//
// Files: policy.go (types, Validate), evaluate.go (the pure rules), quiet.go
// (hours and days), service.go, gate.go (the outbox asks here), store.go (all
// SQL). Tables: customer_policy, customer_contact, customer_exclusion.
package contact
