// Package erasure carries out that a person is forgotten, on the platform's
// primitive of the same name: it finds the person's records, keeps back those
// under a legal hold, runs every part's eraser, and writes the certificate.
//
//	order   transaction: the erasure's row, restriction of held records, audit
//	list    a line in the list of erasures, on disk before anything is erased
//	carry   projectors take up the log, then every eraser; repeated until no part
//	        says that something is pending
//
// A record under a [Hold] (a complaint, anti-money-laundering, litigation, tax) is
// not erased: it is restricted, so nothing that its person can forbid uses it, and
// the certificate lists it with its reason. When the hold ends, the erasure that
// waited for it goes on.
//
// The list of erasures lies outside the data folder, beside the key ring, because
// a restored back-up forgets what happened after it was taken. Restore applies the
// list again; it holds pseudonyms and keyed hashes, nothing else.
//
// The event log cannot be cut into; it is encrypted and expires. The certificate
// states when.
//
// Files: erasure.go (types), service.go, list.go (the file), erasers.go (this
// module's own), store.go. Tables: customer_hold, customer_erasure.
package erasure
