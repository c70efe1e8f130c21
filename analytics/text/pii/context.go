package pii

// cueBefore returns the cue of the nearest announcing word before token i. A
// longer number in between uses up a cue, unless only joining words part the
// two numbers ("079… and 001…").
func (sc *scanner) cueBefore(i int) cue {
	joined := true
	for j := i - 1; j >= 0 && j >= i-cueReach; j-- {
		t := &sc.tokens[j]
		switch t.class {
		case word:
			if c := t.cue & numberCues; c != 0 {
				return c
			}
			joined = joined && t.cue&joinCue != 0
		case masked:
			if !joined {
				return 0
			}
		case digits:
			if !joined && (t.foldE-t.fold >= 5 || sc.covered(t.start)) {
				return 0
			}
		case mark:
			if sc.is(j, '?') || sc.is(j, '!') || sc.is(j, ';') {
				return 0
			}
		}
	}
	return 0
}

// linking words may stand between a number and the word that says what it is.
var linking = map[string]bool{"la": true, "is": true, "my": true, "so": true, "our": true, "the": true, "day": true}

// cueAfter returns the cue of a word that closely follows token i, as in
// "0912… is my phone".
func (sc *scanner) cueAfter(i int) cue {
	for j := i + 1; j < len(sc.tokens) && j <= i+4; j++ {
		t := &sc.tokens[j]
		if t.class == digits {
			return 0
		}
		if c := t.cue & (phoneCue | idCue | accountCue); c != 0 {
			return c
		}
		if t.class == mark && !sc.is(j, '(') && !sc.is(j, '-') || t.class == word && !linking[string(sc.form(j))] {
			return 0
		}
	}
	return 0
}

// isAmount tells whether the window is written as money: grouped in threes
// with dots from a non-zero head, or followed by a currency.
func (sc *scanner) isAmount(w *window) bool {
	if j := w.last + 1; j < len(sc.tokens) {
		t := &sc.tokens[j]
		if t.class == word && t.cue&moneyCue != 0 {
			short := t.foldE-t.fold == 1
			if !short || t.start == sc.tokens[w.last].end {
				return w.number[0] != '0' || !phone(w.number)
			}
		}
	}
	if w.n < 2 || w.number[0] == '0' || !sc.is(w.first+1, '.') {
		return false
	}
	for _, size := range w.sizes()[1:] {
		if size != 3 {
			return false
		}
	}
	return w.groups[0] <= 3 && !sc.is(w.first-1, '+')
}

// gluedLetters tells whether letters touch the number, as in a reference code
// ("FT0912345678"). A cue word may touch it ("sdt0912345678").
func (sc *scanner) gluedLetters(w *window) bool {
	if i := w.first - 1; sc.glued(i) {
		t := &sc.tokens[i]
		if t.class == word && t.cue&(phoneCue|idCue|accountCue) == 0 || sc.is(i, '_') || sc.is(i, '/') || sc.is(i, '#') {
			return true
		}
		if (sc.is(i, '.') || sc.is(i, ',') || sc.is(i, '-')) && i > 0 && sc.glued(i-1) && sc.tokens[i-1].class != mark && sc.tokens[i-1].cue&numberCues == 0 {
			return true
		}
	}
	if j := w.last + 1; j < len(sc.tokens) && sc.glued(w.last) {
		t := &sc.tokens[j]
		if t.class == word && t.foldE-t.fold <= 2 && sc.glued(j) && j+1 < len(sc.tokens) && sc.tokens[j+1].class == digits {
			return true
		}
		return sc.is(j, '/') && sc.glued(j) || sc.is(j, '%')
	}
	return false
}

// findEmails looks around each "@" for name@host.domain.
func (sc *scanner) findEmails() {
	for i := range sc.tokens {
		if !sc.is(i, '@') || !sc.glued(i) || !sc.glued(i-1) {
			continue
		}
		from := i
		for from > 0 && sc.glued(from-1) && sc.mailPart(from-1) {
			from--
		}
		to, dots := i, 0
		for sc.glued(to) && sc.hostPart(to+1) {
			to++
			if sc.is(to, '.') {
				dots++
			}
		}
		for to > i && sc.tokens[to].class == mark {
			if sc.is(to, '.') {
				dots--
			}
			to--
		}
		for from < i && sc.tokens[from].class == mark {
			from++
		}
		if from < i && dots > 0 && sc.tokens[to].class == word {
			sc.report(from, to, Email)
		}
	}
}

func (sc *scanner) mailPart(i int) bool {
	return sc.tokens[i].class != mark || sc.is(i, '.') || sc.is(i, '_') || sc.is(i, '-') || sc.is(i, '+')
}

func (sc *scanner) hostPart(i int) bool {
	return sc.tokens[i].class != mark || sc.is(i, '.') || sc.is(i, '-')
}
