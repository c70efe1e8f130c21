package pii

// findAddresses finds addresses down to the house: a house number with a
// street, or a lane number, together with further parts; or what follows
// "địa chỉ".
func (sc *scanner) findAddresses() {
	for i := 0; i < len(sc.tokens); i++ {
		t := &sc.tokens[i]
		var to int
		switch {
		case t.class == digits:
			to = sc.houseAt(i)
		case t.class == word && t.cue&houseCue != 0:
			to = sc.houseAt(i + 1)
		case t.class == word && t.cue&laneCue != 0:
			to = sc.laneAt(i)
		case t.class == word && t.cue&addressCue != 0:
			to = sc.afterAddress(i)
		}
		if to > i {
			i = to
		}
	}
}

// houseAt reads "12/3B (đường) Lê Lợi, phường …" from the number at token i. A
// street word or an administrative unit must confirm it.
func (sc *scanner) houseAt(i int) int {
	p, ok := sc.houseNumber(i)
	if !ok {
		return 0
	}
	confirmed := false
	if p < len(sc.tokens) && sc.tokens[p].cue&streetCue != 0 {
		confirmed = true
		p++
	}
	street := sc.capitals(p)
	if street == p {
		return 0
	}
	p = street
	if p < len(sc.tokens) && sc.tokens[p].cue&streetEnd != 0 {
		confirmed = true
		p++
	} else if sc.tokens[p-1].cue&streetEnd != 0 {
		confirmed = true
	}
	end, parts := sc.parts(p)
	if !confirmed && parts == 0 {
		return 0
	}
	start := i
	if i > 0 && (sc.tokens[i-1].cue&houseCue != 0 || isForm(sc, i-1, "so")) {
		start--
	}
	sc.report(start, end-1, Address)
	return end
}

// houseNumber reads "12", "12A", "12/3", "12/3/4B" and returns the token after.
func (sc *scanner) houseNumber(i int) (next int, ok bool) {
	if i >= len(sc.tokens) || sc.tokens[i].class != digits || sc.tokens[i].foldE-sc.tokens[i].fold > 4 {
		return i, false
	}
	p := i + 1
	for p < len(sc.tokens) && sc.glued(p-1) {
		t := &sc.tokens[p]
		short := t.class == word && t.foldE-t.fold == 1
		if !(short || t.class == digits || sc.is(p, '/') || sc.is(p, '-')) {
			break
		}
		p++
	}
	return p, true
}

// laneAt reads "ngõ 12 ngách 3 (đường) Láng, …"; it needs a number after the
// lane word and at least one further part.
func (sc *scanner) laneAt(i int) int {
	p, ok := sc.houseNumber(i + 1)
	if !ok {
		return 0
	}
	for p+1 < len(sc.tokens) && sc.tokens[p].cue&laneCue != 0 {
		next, more := sc.houseNumber(p + 1)
		if !more {
			break
		}
		p = next
	}
	lane := p
	if p < len(sc.tokens) && sc.tokens[p].cue&streetCue != 0 {
		p++
	}
	p = sc.capitals(p)
	end, parts := sc.parts(p)
	if p == lane && parts == 0 {
		return 0
	}
	sc.report(i, end-1, Address)
	return end
}

// afterAddress reads what follows "địa chỉ:", which must hold a number or an
// administrative unit.
func (sc *scanner) afterAddress(i int) int {
	p := i + 1
	for p < len(sc.tokens) && p <= i+4 && (sc.is(p, ':') || sc.tokens[p].class == word && !sc.tokens[p].capital && sc.tokens[p].cue&(unitCue|laneCue|streetCue) == 0) {
		p++
	}
	start := p
	if p > i+1 && (isForm(sc, p-1, "so") || sc.tokens[p-1].cue&houseCue != 0) {
		start--
	}
	if next, ok := sc.houseNumber(p); ok {
		p = next
	}
	if p < len(sc.tokens) && sc.tokens[p].cue&streetCue != 0 {
		p++
	}
	p = sc.capitals(p)
	end, parts := sc.parts(p)
	numbered := p > start && sc.digitsIn(start, p)
	if sc.is(p, '@') || parts == 0 && !numbered {
		return 0
	}
	sc.report(start, end-1, Address)
	return end
}

// digitsIn tells whether a digit group stands in tokens [from, to).
func (sc *scanner) digitsIn(from, to int) bool {
	for _, t := range sc.tokens[from:to] {
		if t.class == digits {
			return true
		}
	}
	return false
}

// capitals skips up to six capitalised words (a street's or place's name; a
// street may be named by a date or number).
func (sc *scanner) capitals(i int) int {
	p := i
	for p < len(sc.tokens) && p-i < 6 {
		t := &sc.tokens[p]
		if t.class != word || !t.capital || t.cue&unitCue != 0 {
			break
		}
		p++
	}
	return p
}

// parts skips ", phường 5, Q.3, TP.HCM" and the like, and counts the units.
func (sc *scanner) parts(i int) (end, count int) {
	end = i
	for {
		p := end
		if sc.is(p, ',') || sc.is(p, '-') {
			p++
		}
		if p >= len(sc.tokens) || sc.tokens[p].class != word {
			return end, count
		}
		t := &sc.tokens[p]
		next := p
		if t.cue&(unitCue|laneCue|streetCue) != 0 && (t.foldE-t.fold > 2 || t.capital) {
			next = sc.unitName(p + 1)
			if next == p+1 {
				return end, count
			}
		} else if p > end && t.capital {
			next = sc.capitals(p)
		}
		if next == p {
			return end, count
		}
		end = next
		count++
	}
}

// unitName reads the name or number of an administrative unit.
func (sc *scanner) unitName(i int) int {
	if sc.is(i, '.') {
		i++
	}
	if i < len(sc.tokens) && sc.tokens[i].class == digits && sc.tokens[i].foldE-sc.tokens[i].fold <= 3 {
		return i + 1
	}
	return sc.capitals(i)
}
