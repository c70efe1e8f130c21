// Package normalise turns a customer's raw words into tokens that mean the
// same thing however they were typed.
//
// Short Vietnamese and English feedback is written on phones: tone marks are
// left out or put on another vowel ("hòa", "hoà"), letters are repeated for
// stress ("quáaaa"), words are shortened ("ko dc" for "không được"), and a face
// such as ":)" or an emoji carries the mood. A model that sees each spelling as
// a new word wastes its training data. This package removes the accidents of
// typing and keeps what carries meaning.
//
// # The steps
//
// [Normaliser.Parse] walks the text once and fills a reusable [Document]:
//
//  1. Tokens are cut: words, numbers, links, addresses, hashtags, mentions,
//     emoji, emoticons and sentence marks. Each keeps its byte offsets in the
//     composed source, so that a finding can be shown in the customer's own words.
//  2. Words are lower-cased and composed to Unicode NFC (UAX #15).
//  3. Repeated letters are collapsed and the token is flagged [Elongated].
//  4. The Vietnamese tone mark is moved to one canonical vowel, see [Tone].
//  5. Teencode and abbreviations are expanded from data packs, see [Pack].
//  6. A second, diacritic-free form is made, see [Fold]. A model trained on
//     both forms understands customers who type without marks.
//
// Numbers keep their digits, and [Document.Shape] gives their outline.
//
// Parsing allocates nothing once the Document's buffers have grown, and a
// Normaliser may be shared by goroutines (a Document may not).
//
// # Sources
//
// Unicode Standard Annex #15 (normalisation forms) and #29 (text
// segmentation); the rule of tone placement follows the Vietnamese Ministry of
// Education's 1984 orthography ("new style": hoà, khoẻ, thuý). The data packs
// were written for this package.
package normalise
