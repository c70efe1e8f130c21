// Package pii finds and masks personal data in short Vietnamese and English
// texts: payment cards, phone numbers, citizen ids, account numbers, e-mail
// addresses, names of people and home addresses.
//
// Free text is where personal data hides: a customer complains and leaves her
// number, her card and the name of the teller. Before such text is stored for
// analysis it must lose them, and the analyst must still be able to read what
// went wrong. [Mask] replaces each finding with a word in brackets:
//
//	Gọi tôi 0912 345 678, thẻ 4111 1111 1111 1111   →   Gọi tôi [phone], thẻ [card]
//
// # The method
//
// The text is cut into words, digit groups and marks in one pass. Digit groups
// parted by a blank, dot or hyphen form a run, and each part of a run that
// could be one number is judged by three things:
//
//   - its structure: issuer prefix and the Luhn check digit for a card
//     (ISO/IEC 7812-1), operator prefixes for a phone (the national numbering
//     plan of Vietnam, old eleven-digit numbers included), province and century
//     codes for a twelve-digit citizen id (Circular 59/2021/TT-BCA);
//   - the nearest cue before it, such as "stk", "cccd", "gọi", "order": a cue can
//     turn a number into an account or forbid a phone;
//   - what follows it: a currency makes it an amount.
//
// Nine-digit ids, account numbers and phones without their leading zero have no
// structure of their own and are found only beside a cue. Names are found after
// a title ("chị Hương", "Mr Smith") or from a Vietnamese family name on;
// addresses from a house number with a street or an administrative unit.
//
// # What it is not
//
// It is a rule system: exact on what it knows and blind to the rest. A name
// without title or known family name stays. Company hotlines (1800, 1900) stay
// on purpose.
package pii
