package pii

import "bytes"

const maxNameWords = 5

// findNames finds names after a title or an announcing word, and full names
// that open with a Vietnamese family name.
func (sc *scanner) findNames() {
	for i := 0; i < len(sc.tokens); i++ {
		t := &sc.tokens[i]
		if t.class != word {
			continue
		}
		end := -1
		switch {
		case t.cue&(titleCue|nameCue) != 0:
			end = sc.nameAfter(i)
		case t.capital && t.cue&familyName != 0 && !sc.inStreet(i):
			if to := sc.nameFrom(i); to >= i+2 && (to >= i+3 || sc.clearFamily(i)) && !sc.place(i) {
				sc.report(i, to-1, Name)
				end = to
			}
		}
		if end > i {
			i = end - 1
		}
	}
}

// nameAfter reports the name that follows the title at token i and returns the
// token after it, or -1.
func (sc *scanner) nameAfter(i int) int {
	from := i + 1
	announced := sc.tokens[i].cue&nameCue != 0
	for from < len(sc.tokens) && (sc.is(from, '.') || announced && (sc.is(from, ':') || isForm(sc, from, "la") || isForm(sc, from, "is"))) {
		from++
	}
	// A title may follow a title: "chị nhân viên Hương", "anh tên Tuấn".
	if from >= len(sc.tokens) || sc.tokens[from].class != word {
		return -1
	}
	t := &sc.tokens[from]
	if t.cue&(titleCue|nameCue) != 0 && t.cue&(familyName|givenName) == 0 {
		return -1
	}
	to := sc.nameFrom(from)
	if to == from && t.cue&givenName != 0 {
		to = from + 1 // "chị hương", as phones write it
	}
	if to == from {
		return -1
	}
	sc.report(from, to-1, Name)
	return to
}

func isForm(sc *scanner, i int, form string) bool {
	return i < len(sc.tokens) && string(sc.form(i)) == form
}

// nameFrom returns the token after the capitalised words that start at i, or i
// when no name starts there.
func (sc *scanner) nameFrom(i int) int {
	to := i
	for to < len(sc.tokens) && to-i < maxNameWords {
		t := &sc.tokens[to]
		if t.class != word || !t.capital || t.allCaps && !sc.capsName(i, to) {
			break
		}
		if t.cue&notName != 0 && t.cue&(familyName|givenName) == 0 {
			break
		}
		if to > i && t.start != sc.tokens[to-1].end+1 {
			break
		}
		to++
	}
	return to
}

// capsName accepts capitals only inside a name that opens with a family name,
// since customers also shout.
func (sc *scanner) capsName(i, to int) bool {
	return sc.tokens[i].cue&familyName != 0 && (to == i || sc.tokens[to].cue&notName == 0)
}

// inStreet tells whether the name at token i names a street or place: after
// "đường", "TP." or a house number.
func (sc *scanner) inStreet(i int) bool {
	if sc.is(i-1, '.') {
		i--
	}
	if i == 0 {
		return false
	}
	p := &sc.tokens[i-1]
	return p.class == word && p.cue&(streetCue|unitCue) != 0 || p.class == digits && !sc.covered(p.start)
}

// covered tells whether an earlier finding holds the byte.
func (sc *scanner) covered(at int) bool {
	for _, f := range sc.found {
		if f.Start <= at && at < f.End {
			return true
		}
	}
	return false
}

// clearFamily tells whether one further word makes a full name.
func (sc *scanner) clearFamily(i int) bool {
	switch string(sc.form(i)) {
	case "nguyen", "tran", "le", "pham", "huynh", "phan", "bui":
		return true
	}
	return false
}

// place tells whether a place starts at token i.
func (sc *scanner) place(i int) bool {
	rest := sc.folded[sc.tokens[i].fold:]
	for _, name := range places {
		if bytes.HasPrefix(rest, []byte(name)) {
			return true
		}
	}
	return false
}
