package pii

import "bytes"

const (
	maxGroups = 8  // digit groups looked at together
	maxDigits = 24 // digits of the longest window
	cueReach  = 8  // tokens between a cue and its number
)

// findNumbers judges each run of digit groups.
func (sc *scanner) findNumbers() {
	for i := 0; i < len(sc.tokens); i++ {
		if sc.tokens[i].class != digits {
			continue
		}
		if end := sc.judgeAt(i); end > i {
			i = end - 1
		}
	}
}

// next returns the token of the digit group that continues the run after
// group i, or -1. Groups are parted by nothing but blanks or by one dot,
// hyphen, underscore or closing bracket.
func (sc *scanner) next(i int) int {
	j := i + 1
	if sc.is(j, '.') || sc.is(j, '-') || sc.is(j, '_') || sc.is(j, ')') {
		j++
	}
	if j >= len(sc.tokens) || sc.tokens[j].class != digits {
		return -1
	}
	if sc.tokens[j].start-sc.tokens[i].end > 4 {
		return -1
	}
	return j
}

// window is a candidate: one or more digit groups read as one number.
type window struct {
	number      []byte
	first, last int // tokens
	groups      [maxGroups]int
	n           int
}

func (w *window) sizes() []int { return w.groups[:w.n] }

// judgeAt finds the best reading that starts at digit group i and reports it.
// It returns the token after the reading, or i.
func (sc *scanner) judgeAt(i int) int {
	best, bestEnd := kinds, i
	sc.number = sc.number[:0]
	w := window{first: i}
	before := sc.cueBefore(i)
	for j := i; j >= 0 && w.n < maxGroups; j = sc.next(j) {
		sc.number = append(sc.number, sc.form(j)...)
		if len(sc.number) > maxDigits {
			break
		}
		w.groups[w.n] = len(sc.form(j))
		w.n++
		w.number, w.last = sc.number, j
		if kind := sc.judge(&w, before); kind < best || kind == best && kind < kinds {
			best, bestEnd = kind, j
		}
	}
	if best == kinds {
		return i
	}
	sc.report(sc.openFrom(i, best), bestEnd, best)
	return bestEnd + 1
}

// passportLetter tells whether one letter is glued before group i ("B1234567").
func (sc *scanner) passportLetter(i int) bool {
	return i > 0 && sc.glued(i-1) && sc.tokens[i-1].class == word && sc.tokens[i-1].foldE-sc.tokens[i-1].fold == 1
}

// openFrom steps back over a "+", "(" or "(+" that belongs to a phone number,
// or over the letter of a passport.
func (sc *scanner) openFrom(i int, kind Kind) int {
	if kind == CitizenID && sc.passportLetter(i) {
		return i - 1
	}
	if kind != Phone {
		return i
	}
	if sc.is(i-1, '+') && sc.glued(i-1) {
		i--
	}
	if sc.is(i-1, '(') && sc.glued(i-1) {
		i--
	}
	return i
}

// judge names the kind of a window, or kinds when it is none.
func (sc *scanner) judge(w *window, before cue) Kind {
	n := len(w.number)
	if n < 6 {
		return kinds
	}
	if n >= 13 && n <= 19 && cardGroups(w.sizes()) && cardIssuer(w.number) && luhn(w.number) {
		return Card
	}
	if sc.isAmount(w) {
		return kinds
	}
	glued := sc.gluedLetters(w)
	after := before
	if before == 0 {
		after = sc.cueAfter(w.last)
	}
	switch {
	case after&idCue != 0 && (n == 12 || n == 9 || (n == 7 || n == 8) && sc.passportLetter(w.first)) && evenGroups(w.sizes()):
		return CitizenID
	case after&accountCue != 0 && n <= 19 && evenGroups(w.sizes()):
		return Account
	case glued && after&phoneCue == 0:
		return kinds
	case sc.is(w.first-1, '+') && n >= 9 && n <= 15 && evenGroups(w.sizes()):
		return Phone
	case before&refCue != 0:
		return kinds
	case n == 12 && citizenID(w.number) && evenGroups(w.sizes()) && before&phoneCue == 0:
		return CitizenID
	case phoneGroups(w.sizes()) && (phone(w.number) || after&phoneCue != 0 && n == 9 && mobileTail(w.number)):
		return Phone
	}
	return kinds
}

// luhn checks the last digit (ISO/IEC 7812-1, annex B).
func luhn(number []byte) bool {
	sum, double := 0, false
	for i := len(number) - 1; i >= 0; i-- {
		d := int(number[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum%10 == 0
}

// prefix reads the first n digits.
func prefix(number []byte, n int) int {
	v := 0
	for _, c := range number[:n] {
		v = v*10 + int(c-'0')
	}
	return v
}

// cardIssuer checks the issuer's prefix and length.
func cardIssuer(number []byte) bool {
	n := len(number)
	two, four := prefix(number, 2), prefix(number, 4)
	switch {
	case four == 9704: // NAPAS
		return n == 16 || n == 19
	case two/10 == 4: // Visa
		return n == 13 || n == 16 || n == 19
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720: // Mastercard
		return n == 16
	case two == 34, two == 37: // American Express
		return n == 15
	case four >= 3528 && four <= 3589, two == 35: // JCB
		return n >= 16
	case two == 36, two == 38, two == 39, four >= 3000 && four <= 3059: // Diners Club
		return n >= 14
	case two == 62, two == 81: // UnionPay
		return n >= 16
	case four == 6011, two == 64, two == 65: // Discover
		return n >= 16
	case two == 50, two >= 56 && two <= 69: // Maestro
		return true
	case four >= 2200 && four <= 2204: // Mir
		return n >= 16
	}
	return false
}

// cardGroups refuses partings in which no card is written.
func cardGroups(sizes []int) bool {
	if len(sizes) == 1 {
		return true
	}
	for i, s := range sizes {
		last := i == len(sizes)-1
		if s < 3 && !last || s > 13 || !last && s != 4 && s != 6 && s != 8 && s != 5 {
			return false
		}
	}
	return true
}

// evenGroups accepts a number written in one piece or in pieces of 2 to 7.
func evenGroups(sizes []int) bool {
	if len(sizes) == 1 {
		return true
	}
	for i, s := range sizes {
		if s > 7 || s < 2 && i > 0 {
			return false
		}
	}
	return true
}

// phoneGroups accepts a number in one piece, or in at most six pieces of two
// or more digits, the first (a prefix) perhaps of one.
func phoneGroups(sizes []int) bool {
	if len(sizes) == 1 {
		return true
	}
	if len(sizes) > 6 {
		return false
	}
	for i, s := range sizes {
		if s < 2 && i > 0 || s > 9 {
			return false
		}
	}
	return true
}

// phone checks the Vietnamese numbering plan: ten-digit mobile numbers, the
// eleven-digit ones used until 2018, land lines before and after 2017, each
// with 0, 84 or 0084 in front.
func phone(number []byte) bool {
	switch {
	case bytes.HasPrefix(number, []byte("0084")):
		return national(number[4:])
	case bytes.HasPrefix(number, []byte("840")):
		return national(number[3:])
	case number[0] == '0':
		return national(number[1:])
	case bytes.HasPrefix(number, []byte("84")) && len(number) >= 11:
		return national(number[2:])
	}
	return false
}

// national checks what follows the trunk prefix.
func national(tail []byte) bool {
	if mobileTail(tail) {
		return true
	}
	switch len(tail) {
	case 10: // old mobile, new land line
		two := prefix(tail, 2)
		return two == 12 || two == 16 || two == 18 || two == 19 || two == 24 || two == 28 ||
			tail[0] == '2' && tail[1] != '3' && tail[1] != '0' || two == 20 || two == 23
	case 9: // old land line of Hà Nội and Hồ Chí Minh City
		return tail[0] == '4' && tail[1] >= '2' && tail[1] <= '7' || tail[0] == '8' && tail[1] >= '2'
	}
	return false
}

// mobileTail checks the nine digits of a mobile number.
func mobileTail(tail []byte) bool {
	if len(tail) != 9 {
		return false
	}
	second := tail[1]
	switch tail[0] {
	case '3':
		return second >= '2'
	case '5':
		return second == '2' || second == '5' || second == '6' || second == '8' || second == '9'
	case '7':
		return second == '0' || second >= '6'
	case '8', '9':
		return second >= '0'
	}
	return false
}

// provinces are the codes that open a twelve-digit citizen id.
var provinces = [97]bool{
	1: true, 2: true, 4: true, 6: true, 8: true, 10: true, 11: true, 12: true, 14: true, 15: true, 17: true, 19: true,
	20: true, 22: true, 24: true, 25: true, 26: true, 27: true, 30: true, 31: true, 33: true, 34: true, 35: true, 36: true,
	37: true, 38: true, 40: true, 42: true, 44: true, 45: true, 46: true, 48: true, 49: true, 51: true, 52: true, 54: true,
	56: true, 58: true, 60: true, 62: true, 64: true, 66: true, 67: true, 68: true, 70: true, 72: true, 74: true, 75: true,
	77: true, 79: true, 80: true, 82: true, 83: true, 84: true, 86: true, 87: true, 89: true, 91: true, 92: true, 93: true,
	94: true, 95: true, 96: true,
}

// citizenID checks the structure of a twelve-digit id: province, then century
// and sex (0 to 3 for those born from 1900 to 2099), then the year.
func citizenID(number []byte) bool {
	province := prefix(number, 3)
	return province < len(provinces) && provinces[province] && number[3] <= '3'
}
