package form

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"

	"omote/internal/feedback/condition"
)

// random gives the same sequence for the same seed and use, so that a page that is
// loaded twice asks the same questions in the same order.
func random(seed, use string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(seed))
	a := h.Sum64()
	h.Write([]byte{0})
	h.Write([]byte(use))
	return rand.New(rand.NewPCG(a, h.Sum64()))
}

// Drawn gives the questions that the person with the seed may see, in the order
// of the document: anchors always, the others at random, each equally likely
// within what PerDim allows.
func (d *Document) Drawn(seed string) []*Item {
	if d.Draw.Items == 0 {
		return pointers(d.Items)
	}
	chosen, dims := map[string]bool{}, map[string]int{}
	take := func(it *Item) {
		chosen[it.ID] = true
		dims[it.Dim]++
	}
	for _, id := range d.Draw.Anchor {
		take(d.Item(id))
	}
	rest := pointers(d.Items)
	random(seed, "draw").Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	for _, it := range rest {
		full := d.Draw.PerDim > 0 && it.Dim != "" && dims[it.Dim] >= d.Draw.PerDim
		if len(chosen) < d.Draw.Items && !chosen[it.ID] && !full {
			take(it)
		}
	}
	return slices.DeleteFunc(pointers(d.Items), func(it *Item) bool { return !chosen[it.ID] })
}

func pointers(items []Item) []*Item {
	out := make([]*Item, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}

// Shown gives the questions that the person sees after the answers so far: drawn,
// and with a show_if that holds. A condition counts only answers to questions
// that are themselves shown.
func (d *Document) Shown(seed string, a Answers) (out []*Item) {
	facts := condition.Facts{}
	for _, it := range d.Drawn(seed) {
		p, err := condition.ParseNull(it.ShowIf)
		if err != nil || !p.Holds(facts) {
			continue
		}
		out = append(out, it)
		if f := a[it.ID].fact(); f != nil && f != "" {
			facts[it.ID] = f
		}
	}
	return out
}

// Next is the first question shown that is neither answered nor skipped; nil when
// all are.
func (d *Document) Next(seed string, a Answers) *Item {
	for _, it := range d.Shown(seed, a) {
		if _, ok := a[it.ID]; !ok {
			return it
		}
	}
	return nil
}

// OtherVia stands for the channels that no option of a question names.
const OtherVia = "default"

// offered gives the options that are offered after an event on a channel.
func (it *Item) offered(via string) (out []Option) {
	if !slices.ContainsFunc(it.Options, func(o Option) bool { return slices.Contains(o.Via, via) }) {
		via = OtherVia
	}
	for _, o := range it.Options {
		if len(o.Via) == 0 || slices.Contains(o.Via, via) {
			out = append(out, o)
		}
	}
	return out
}

// Ordered gives the options as the person sees them after an event on a channel, ""
// where no event led to the asking.
func (it *Item) Ordered(seed, via string) []Option {
	out := it.offered(via)
	if !it.Shuffle {
		return out
	}
	random(seed, it.ID).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	slices.SortStableFunc(out, func(a, b Option) int {
		switch {
		case a.Last == b.Last:
			return 0
		case a.Last:
			return 1
		}
		return -1
	})
	return out
}

// Reader is for whom texts are filled in.
type Reader struct {
	Locale string
	Form   string // form of address the customer chose; "" the default
	Bank   string
	// Fills are further fillings: thing, do_thing, and "answer.ID" for piping.
	Fills map[string]string
}

// Fill puts the reader's address, the bank and fillings into a text. An answer is
// piped as {answer.ID}; what has no filling is left out.
func (d *Document) Fill(t Text, r Reader) string {
	text := t.In(r.Locale)
	if !strings.Contains(text, "{") {
		return text
	}
	you := d.address(r)
	fills := map[string]string{"you": you.You, "You": you.YouStart, "bank": r.Bank}
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		b.WriteString(before)
		if !open {
			return strings.TrimSpace(b.String())
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return strings.TrimSpace(b.String())
		}
		if v, ok := fills[name]; ok {
			b.WriteString(v)
		} else {
			b.WriteString(r.Fills[name])
		}
		text = after
	}
}

func (d *Document) address(r Reader) Address {
	lang := "en"
	if strings.HasPrefix(r.Locale, "vi") {
		lang = "vi"
	}
	if a, ok := d.Address.Forms[lang][r.Form]; ok && r.Form != "" {
		return a
	}
	if a, ok := d.Address.Default[lang]; ok {
		return a
	}
	if lang == "vi" {
		return Address{"anh/chị", "Anh/chị"}
	}
	return Address{"you", "You"}
}
