package bank

import (
	"fmt"
	"strings"
)

// grammar holds the comment forms of one language, by section.
type grammar struct {
	sections map[string][]form
}

// form is a parsed line: parts in sequence.
type form []part

// part is a literal, a slot or a choice between forms.
type part struct {
	text   string // literal, or the slot's name
	slot   bool
	choice []form
}

func parseGrammar(lines []string) *grammar {
	g := &grammar{sections: map[string][]form{}}
	section := ""
	for _, line := range lines {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = name
			continue
		}
		f, rest := parseForm(line, "")
		if rest != "" {
			panic(fmt.Sprintf("bank: comment form %q is not closed", line))
		}
		g.sections[section] = append(g.sections[section], f)
	}
	return g
}

// parseForm reads parts until one of the stop characters or the end.
func parseForm(s, stop string) (form, string) {
	var f form
	for s != "" {
		if stop != "" && strings.IndexByte(stop, s[0]) >= 0 {
			return f, s
		}
		switch s[0] {
		case '[':
			p := part{}
			rest := s[1:]
			for {
				var alt form
				alt, rest = parseForm(rest, "|]")
				p.choice = append(p.choice, alt)
				if rest == "" {
					panic("bank: comment form: [ without ]")
				}
				end := rest[0] == ']'
				if rest = rest[1:]; end {
					break
				}
			}
			f, s = append(f, p), rest
		case '{':
			i := strings.IndexByte(s, '}')
			f, s = append(f, part{text: s[1:i], slot: true}), s[i+1:]
		default:
			i := strings.IndexAny(s, "[{|]")
			if stop == "" {
				i = strings.IndexAny(s, "[{")
			}
			if i < 0 {
				i = len(s)
			}
			f, s = append(f, part{text: s[:i]}), s[i:]
		}
	}
	return f, ""
}

// write appends one reading of a form.
func (f form) write(dst []byte, r *rng, slot func(string) string) []byte {
	for i := range f {
		p := &f[i]
		switch {
		case p.choice != nil:
			dst = p.choice[r.below(len(p.choice))].write(dst, r, slot)
		case p.slot:
			dst = append(dst, slot(p.text)...)
		default:
			dst = append(dst, p.text...)
		}
	}
	return dst
}

// readings counts the different texts a section can give, slots counted once.
func (g *grammar) readings(section string) float64 {
	sum := 0.0
	for _, f := range g.sections[section] {
		sum += f.readings()
	}
	return sum
}

func (f form) readings() float64 {
	n := 1.0
	for i := range f {
		if f[i].choice == nil {
			continue
		}
		sum := 0.0
		for _, alt := range f[i].choice {
			sum += alt.readings()
		}
		n *= sum
	}
	return n
}
