// Package sealed keeps personal data unreadable in the store: whoever holds the
// database file or a backup, without the key ring, reads none of it.
//
// A column that holds personal data is marked by its type, Text. Its value is
// encrypted with AES-256-GCM under a key of the ring's purpose "field"; the
// name of table and column and the row's primary key are authenticated with it,
// so a ciphertext moved to another row or column does not open. Each column has
// a key of its own, derived from the ring's key (HKDF, RFC 5869), and each value
// names the ring's key, so keys can be rotated while old values stay readable.
//
//	type person struct {
//		ID    string      `bun:",pk"`
//		Name  sealed.Text
//		Phone sealed.Text
//		PhoneIndex string // sealed.Box.Blind
//	}
//
//	err := box.Seal(ctx, tx, &p) // before the insert or update
//	err := box.Open(ctx, tx, &p) // after the select
//
// # Searching what cannot be read
//
// An equality index (Blind) is a keyed hash of the normalised value in a column
// of its own: equal values have equal hashes, and only the holder of the key can
// make one to search with. A token index (Tokens) is a table of keyed hashes of
// the parts of a value: words of a name without diacritics, endings of a
// number. Both have their own keys (purposes "blind" and "token") and their own
// rotation. What they do reveal: which rows share a value or a part, and how
// often it occurs. Index names and numbers, not attributes with few values.
//
// # Rotation
//
// After a new key was added to the ring, new values use it at once. A Rotation
// then re-encrypts or re-indexes what is still under older keys, in batches,
// and may be stopped and started again at any time. Searches find rows under
// old and new keys meanwhile.
package sealed
