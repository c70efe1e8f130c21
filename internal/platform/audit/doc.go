// Package audit is the trail of who did what, when, to what and why, that
// cannot be edited without being found out.
//
// Record writes an entry in the transaction of the change it speaks of: both
// commit or neither does. Entries name nobody: the actor is the id of an account
// or key, the object "kind/id", and what a record held before and after appears
// only as a keyed digest, equal for equal contents. Personal data in a reason is
// masked.
//
// # Sealing
//
// Once a second a Sealer takes the entries that are not sealed yet as a batch.
// It computes the batch's Merkle root (as RFC 6962, section 2.1) over the
// entries in the order of their ids, and writes a head:
//
//	hash = SHA-256(number, time, first id, last id, count, root, hash of the head before)
//
// signed with Ed25519 by a key of the ring (purpose "audit"). Triggers refuse
// changes and deletions of entries and heads on both engines; they stop
// accidents and the application. Whoever owns the database can drop them, and
// that is what the chain is for: Verify finds entries that were edited, deleted,
// added or moved, and heads that were edited, reordered or cut out of the middle.
// What it cannot see from the inside is a chain whose end was cut off, or that
// was rewritten by someone who also holds the signing key. Therefore heads are
// exported off the machine; Verify with an exported head finds both.
//
// An entry can be removed unseen only in the second before it is sealed, by
// somebody who can write to the database past the triggers.
//
// Files: audit.go (entries), seal.go (the chain), verify.go, store.go (all SQL).
// Tables: audit_entry, audit_head.
package audit
