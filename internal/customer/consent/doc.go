// Package consent says what a customer allows: for which purpose, over which
// channel, under which version of the text they were shown.
//
// What people say is kept as it was said: a [Statement] is a row that is added and
// never changed, and statements count in the order of the time they were made,
// not of their arrival. Nothing is computed ahead. [Service.Decide] reads the
// rows in the caller's transaction, so a withdrawal that has committed is obeyed
// by the very next decision, and a send that asks in its claim transaction
// (package outbox) cannot overtake one.
//
// A purpose has a lawful basis, and the basis says what silence means:
//
//	consent               allowed only after a grant; silence means no
//	legitimate_interest   allowed until the person objects
//	contract              allowed; cannot be withdrawn while the contract stands
//	legal_obligation      allowed; cannot be withdrawn
//
// A customer may have records of several systems (package identity). A statement
// belongs to the record through which it came; of the records that have spoken,
// the most restrictive one decides. A statement that the person made for all
// that they are (in the preference centre, or to staff) counts for every record
// of the customer as long as it belongs to them. Both follow the identity links
// as they stand in the transaction: a merge needs no copying, and after an
// unmerge each record has exactly its own consent again.
//
// Files: purpose.go (purposes and their texts), statement.go (what was said, and
// the decision as a pure function), service.go, handler.go (statements that
// arrive as events), link.go (the signed link of the preference centre),
// store.go (all SQL). Tables: customer_purpose, customer_consent,
// customer_restriction.
package consent
