// Package condition reads and evaluates conditions over facts, as rule packs, case
// rules and questionnaires write them:
//
//	jurisdiction == 'UK' and complaint_kind not in ['psd', 'emd']
//	score <= 6 and (journey == 'cards' or amount > 1000000)
//	not account_new and cause_id set
//	cf_settled != settled
package condition

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Facts are what a predicate may ask about: text, numbers (float64) and yes or no.
// None of them names a person. A fact that is not there is "", 0 and no.
type Facts map[string]any

// Predicate is a condition over facts. Comparisons are ==, !=, <, <=, >, >=; in and
// not in take a list; set asks whether a fact is there; ~ asks whether a text holds
// another, without regard to case. A bare name is true when the fact is yes. Texts
// stand in single quotes; for ParseNull one word needs none. "true" holds always; so does "".
type Predicate struct {
	text string
	node node
}

// maxPredicate bounds the length of a predicate in bytes, and with it its depth.
const maxPredicate = 2_000

// Parse reads a predicate; the error says where it is wrong. A fact that is not
// there is "", 0 and no.
func Parse(text string) (Predicate, error) { return parse(text, false) }

// ParseNull reads a predicate in which a fact that is not there equals nothing and
// differs from nothing, as an unanswered question.
func ParseNull(text string) (Predicate, error) { return parse(text, true) }

func parse(text string, null bool) (Predicate, error) {
	if len(text) > maxPredicate {
		return Predicate{}, fmt.Errorf("condition: a condition has at most %d bytes", maxPredicate)
	}
	tokens, err := lex(text)
	if err != nil {
		return Predicate{}, err
	}
	p := &parser{tokens: tokens, null: null}
	if len(tokens) == 0 {
		return Predicate{text: text, node: constant(true)}, nil
	}
	n, err := p.or()
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("condition: unexpected %q in the condition %q", p.tokens[p.at].text, text)
	}
	return Predicate{text: text, node: n}, err
}

// Names lists the facts that the predicate asks about, each once.
func (p Predicate) Names() (out []string) {
	each(p.node, func(name string, _ ...any) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	})
	return out
}

// Values lists the texts that the predicate compares a fact with.
func (p Predicate) Values(name string) (out []string) {
	each(p.node, func(asked string, values ...any) {
		for _, v := range values {
			if text, ok := v.(string); ok && asked == name {
				out = append(out, text)
			}
		}
	})
	return out
}

// each visits every question that a predicate asks: the fact's name, and what it
// is compared with.
func each(n node, visit func(name string, values ...any)) {
	switch n := n.(type) {
	case both:
		each(n.a, visit)
		each(n.b, visit)
	case either:
		each(n.a, visit)
		each(n.b, visit)
	case negated:
		each(n.a, visit)
	case bare:
		visit(string(n))
	case isSet:
		visit(string(n))
	case member:
		visit(n.name, n.list...)
	case compared:
		visit(n.name, n.value)
	}
}

// String is the text that the predicate was read from.
func (p Predicate) String() string { return p.text }

// Holds reports whether the predicate is true of the facts.
func (p Predicate) Holds(f Facts) bool { return p.node == nil || p.node.holds(f) }

type node interface{ holds(Facts) bool }

type (
	constant bool
	both     struct{ a, b node }
	either   struct{ a, b node }
	negated  struct{ a node }
	bare     string
	isSet    string
	member   struct {
		name string
		list []any
	}
	compared struct {
		name, op string
		value    any
		absent   bool // what a comparison with a fact that is not there gives
	}
)

func (c constant) holds(Facts) bool { return bool(c) }
func (n both) holds(f Facts) bool   { return n.a.holds(f) && n.b.holds(f) }
func (n either) holds(f Facts) bool { return n.a.holds(f) || n.b.holds(f) }
func (n negated) holds(f Facts) bool {
	return !n.a.holds(f)
}

func (n bare) holds(f Facts) bool {
	switch v := f[string(n)].(type) {
	case bool:
		return v
	case string:
		return v == "true"
	}
	return false
}

func (n isSet) holds(f Facts) bool {
	v, ok := f[string(n)]
	return ok && v != "" && v != nil
}

func (n member) holds(f Facts) bool {
	return slices.ContainsFunc(n.list, func(v any) bool { return equal(f[n.name], v) })
}

func (n compared) holds(f Facts) bool {
	got, there := f[n.name]
	if !there && !n.absent && n.op == "!=" {
		return false
	}
	switch n.op {
	case "==":
		return equal(got, n.value)
	case "!=":
		return !equal(got, n.value)
	case "~":
		a, _ := got.(string)
		b, _ := n.value.(string)
		return strings.Contains(strings.ToLower(a), strings.ToLower(b))
	}
	a, aOK := number(got)
	b, bOK := number(n.value)
	if !aOK || !bOK {
		return false
	}
	switch n.op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

func equal(got, want any) bool {
	switch w := want.(type) {
	case bool:
		b, _ := got.(bool)
		return b == w
	case float64:
		g, ok := number(got)
		return ok && g == w
	}
	if got == nil {
		got = ""
	}
	return got == want
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	}
	return 0, false
}

type token struct {
	text string
	kind rune // 'n' name, 's' text, '0' number, 'o' operator or bracket
}

func lex(text string) (out []token, err error) {
	for i := 0; i < len(text); {
		c := rune(text[i])
		switch {
		case unicode.IsSpace(c):
			i++
		case c == '\'':
			end := strings.IndexByte(text[i+1:], '\'')
			if end < 0 {
				return nil, fmt.Errorf("condition: a text without its end in the condition %q", text)
			}
			out = append(out, token{text[i+1 : i+1+end], 's'})
			i += end + 2
		case c >= '0' && c <= '9' || c == '-' && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9':
			j := i + 1
			for j < len(text) && (text[j] >= '0' && text[j] <= '9' || text[j] == '.') {
				j++
			}
			out = append(out, token{text[i:j], '0'})
			i = j
		case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i
			for j < len(text) && (text[j] == '_' || text[j] == '.' || text[j] >= 'a' && text[j] <= 'z' || text[j] >= 'A' && text[j] <= 'Z' || text[j] >= '0' && text[j] <= '9') {
				j++
			}
			out = append(out, token{text[i:j], 'n'})
			i = j
		default:
			n := 1
			if i+1 < len(text) && slices.Contains([]string{"==", "!=", "<=", ">="}, text[i:i+2]) {
				n = 2
			} else if !strings.ContainsRune("<>~()[],", c) {
				return nil, fmt.Errorf("condition: unexpected %q in the condition %q", text[i:i+1], text)
			}
			out = append(out, token{text[i : i+n], 'o'})
			i += n
		}
	}
	return out, nil
}

type parser struct {
	tokens []token
	at     int
	null   bool
}

func (p *parser) peek(text string) bool {
	return p.at < len(p.tokens) && p.tokens[p.at].kind != 's' && p.tokens[p.at].text == text
}

func (p *parser) accept(text string) bool {
	if p.peek(text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return fmt.Errorf("condition: %q is missing in a condition", text)
	}
	return nil
}

func (p *parser) or() (node, error) {
	a, err := p.and()
	for err == nil && p.accept("or") {
		var b node
		if b, err = p.and(); err == nil {
			a = either{a, b}
		}
	}
	return a, err
}

func (p *parser) and() (node, error) {
	a, err := p.not()
	for err == nil && p.accept("and") {
		var b node
		if b, err = p.not(); err == nil {
			a = both{a, b}
		}
	}
	return a, err
}

func (p *parser) not() (node, error) {
	if p.accept("not") {
		a, err := p.not()
		return negated{a}, err
	}
	if p.accept("(") {
		a, err := p.or()
		if err == nil {
			err = p.expect(")")
		}
		return a, err
	}
	return p.term()
}

func (p *parser) term() (node, error) {
	if p.at >= len(p.tokens) || p.tokens[p.at].kind != 'n' {
		return nil, fmt.Errorf("condition: a condition ends where a name should be")
	}
	name := p.tokens[p.at].text
	p.at++
	switch {
	case name == "true" || name == "false":
		return constant(name == "true"), nil
	case p.accept("set"):
		return isSet(name), nil
	case p.accept("in"):
		list, err := p.list()
		return member{name, list}, err
	case p.peek("not") && p.at+1 < len(p.tokens) && p.tokens[p.at+1].text == "in":
		p.at += 2
		list, err := p.list()
		return negated{member{name, list}}, err
	}
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">", "~"} {
		if p.accept(op) {
			value, err := p.value()
			return compared{name, op, value, !p.null}, err
		}
	}
	return bare(name), nil
}

func (p *parser) list() (out []any, err error) {
	if err := p.expect("["); err != nil {
		return nil, err
	}
	for !p.accept("]") {
		if len(out) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (p *parser) value() (any, error) {
	if p.at >= len(p.tokens) {
		return nil, fmt.Errorf("condition: a condition ends where a value should be")
	}
	t := p.tokens[p.at]
	p.at++
	switch {
	case t.kind == 's':
		return t.text, nil
	case t.kind == '0':
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, fmt.Errorf("condition: %q is no number", t.text)
		}
		return f, nil
	case t.text == "true" || t.text == "false":
		return t.text == "true", nil
	}
	if t.kind == 'n' && p.null {
		return t.text, nil
	}
	return nil, fmt.Errorf("condition: %q is no value; texts stand in single quotes", t.text)
}
