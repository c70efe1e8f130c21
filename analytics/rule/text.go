package rule

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parse reads a rule from text. Errors are of type *Error and say where.
//
//	rule    = term { "or" term }
//	term    = factor { "and" factor }
//	factor  = "not" factor | "(" rule ")" | cond
//	cond    = "did" events [ number "times" ] [ "within" span ]
//	        | "did" events "then" events "within" span [ "in" "last" span ]
//	        | "no" events [ "within" span ]
//	        | "in" segment
//	        | value ( op constant | "in" list | "contains" text | "is" "known" )
//	value   = attribute | function "(" events [ "." property ] [ "within" span ] ")"
//	events  = name { "|" name } [ "[" filter { "," filter } "]" ]
//	filter  = property ( op constant | "in" list | "contains" text )
//	list    = "(" constant { "," constant } ")"
//	op      = "=" | "!=" | "<" | "<=" | ">" | ">="
//
// Names with other characters than letters, digits, '_' and '$' are quoted.
func Parse(text string) (Rule, error) {
	if len(text) > MaxText {
		return Rule{}, fail("too_long", Pos{}, map[string]any{"max": MaxText}, "a rule has at most %d bytes", MaxText)
	}
	p := &parser{lex: lexer{text: text, line: 1, column: 1}}
	if err := p.next(); err != nil {
		return Rule{}, err
	}
	if p.tok.kind == end {
		return Rule{}, fail("empty", p.tok.pos, nil, "the rule is empty")
	}
	r, err := p.or(1)
	if err != nil {
		return Rule{}, err
	}
	if p.tok.kind != end {
		return Rule{}, p.unexpected("and", "or")
	}
	return r, r.Validate()
}

// ParseValue reads what stands before a comparison: an attribute or a function.
func ParseValue(text string) (Value, error) {
	p := &parser{lex: lexer{text: text, line: 1, column: 1}}
	if err := p.next(); err != nil {
		return Value{}, err
	}
	v, err := p.value()
	if err != nil {
		return Value{}, err
	}
	if p.tok.kind != end {
		return Value{}, p.unexpected()
	}
	if v.Fn == "" {
		return v, nil
	}
	return v, v.validate(v.pos)
}

var keywords = map[string]bool{"and": true, "or": true, "not": true, "did": true, "no": true, "then": true, "within": true, "in": true, "last": true,
	"times": true, "true": true, "false": true, "contains": true, "is": true, "known": true, "count": true, "sum": true, "avg": true, "share": true,
	"change": true, "days_since": true, "age_days": true, "age_years": true}

type kind uint8

const (
	end kind = iota
	word
	quoted
	number
	span
	sign
)

type token struct {
	kind kind
	text string
	pos  Pos
}

type lexer struct {
	text         string
	at           int
	line, column int
}

func (l *lexer) rune() rune {
	r, size := utf8.DecodeRuneInString(l.text[l.at:])
	l.at += size
	if l.column++; r == '\n' {
		l.line, l.column = l.line+1, 1
	}
	return r
}

func (l *lexer) peek() rune {
	if l.at >= len(l.text) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(l.text[l.at:])
	return r
}

func letter(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }
func digit(r rune) bool  { return r >= '0' && r <= '9' }

func (l *lexer) next() (token, error) {
	for l.at < len(l.text) && unicode.IsSpace(l.peek()) {
		l.rune()
	}
	t := token{pos: Pos{l.line, l.column}}
	if l.at >= len(l.text) {
		return t, nil
	}
	from := l.at
	switch r := l.rune(); {
	case letter(r):
		for letter(l.peek()) || digit(l.peek()) {
			l.rune()
		}
		t.kind, t.text = word, l.text[from:l.at]
	case digit(r) || r == '-' && digit(l.peek()):
		return l.number(t, from)
	case r == '"':
		return l.quote(t)
	case strings.ContainsRune("()[],.|*=", r):
		t.kind, t.text = sign, string(r)
	case r == '<' || r == '>' || r == '!':
		if l.peek() == '=' {
			l.rune()
		}
		t.kind, t.text = sign, l.text[from:l.at]
		if t.text == "!" {
			return t, fail("sign", t.pos, map[string]any{"name": "!"}, "the character \"!\" is not understood; write !=")
		}
	default:
		return t, fail("sign", t.pos, map[string]any{"name": string(r)}, "the character %q is not understood", r)
	}
	return t, nil
}

// number reads 12, -0.5, 1_000_000, or a span such as 30d.
func (l *lexer) number(t token, from int) (token, error) {
	for digit(l.peek()) || l.peek() == '_' {
		l.rune()
	}
	if l.peek() == '.' && l.at+1 < len(l.text) && digit(rune(l.text[l.at+1])) {
		l.rune()
		for digit(l.peek()) {
			l.rune()
		}
	}
	if l.peek() == 'e' {
		l.rune()
		if l.peek() == '-' || l.peek() == '+' {
			l.rune()
		}
		for digit(l.peek()) {
			l.rune()
		}
	}
	t.kind, t.text = number, strings.ReplaceAll(l.text[from:l.at], "_", "")
	if letter(l.peek()) {
		for letter(l.peek()) || digit(l.peek()) {
			l.rune()
		}
		t.kind, t.text = span, l.text[from:l.at]
		if _, ok := ParseSpan(t.text); !ok {
			return t, fail("span_form", t.pos, map[string]any{"name": t.text}, "%q is no length of time such as 30d, 12h or 90m", t.text)
		}
		return t, nil
	}
	if _, err := strconv.ParseFloat(t.text, 64); err != nil {
		return t, fail("number", t.pos, map[string]any{"name": t.text}, "%q is no number", t.text)
	}
	return t, nil
}

func (l *lexer) quote(t token) (token, error) {
	var b strings.Builder
	for l.at < len(l.text) {
		switch r := l.rune(); r {
		case '"':
			t.kind, t.text = quoted, b.String()
			return t, nil
		case '\\':
			if next := l.peek(); next != '"' && next != '\\' {
				return t, fail("escape", t.pos, nil, "after a backslash only \\\" and \\\\ are understood")
			}
			b.WriteRune(l.rune())
		case '\n':
			return t, fail("quote", t.pos, nil, "the quote is not closed on its line")
		default:
			b.WriteRune(r)
		}
	}
	return t, fail("quote", t.pos, nil, "the quote is not closed")
}

type parser struct {
	lex lexer
	tok token
}

func (p *parser) next() (err error) {
	p.tok, err = p.lex.next()
	return err
}

func (p *parser) is(text string) bool {
	return (p.tok.kind == word || p.tok.kind == sign) && p.tok.text == text
}

// accept takes the token if it is text.
func (p *parser) accept(text string) (bool, error) {
	if !p.is(text) {
		return false, nil
	}
	return true, p.next()
}

func (p *parser) expect(text string) error {
	if ok, err := p.accept(text); ok || err != nil {
		return err
	}
	return p.unexpected(text)
}

func (p *parser) unexpected(wanted ...string) *Error {
	found := p.tok.text
	if p.tok.kind == end {
		return fail("end", p.tok.pos, map[string]any{"wanted": strings.Join(wanted, ", ")}, "the rule ends where %s is expected", strings.Join(wanted, ", "))
	}
	if len(wanted) == 0 {
		return fail("surplus", p.tok.pos, map[string]any{"found": found}, "%q does not belong here", found)
	}
	return fail("unexpected", p.tok.pos, map[string]any{"found": found, "wanted": strings.Join(wanted, ", ")}, "%q stands where %s is expected", found, strings.Join(wanted, ", "))
}

func (p *parser) or(depth int) (Rule, error) {
	return p.list(depth, "or", func(d int) (Rule, error) {
		return p.list(d, "and", p.factor, func(all []Rule, pos Pos) Rule { return Rule{All: all, pos: pos} })
	}, func(all []Rule, pos Pos) Rule { return Rule{Any: all, pos: pos} })
}

func (p *parser) list(depth int, joint string, part func(int) (Rule, error), join func([]Rule, Pos) Rule) (Rule, error) {
	pos := p.tok.pos
	first, err := part(depth)
	if err != nil || !p.is(joint) {
		return first, err
	}
	all := []Rule{first}
	for p.is(joint) {
		if err := p.next(); err != nil {
			return Rule{}, err
		}
		r, err := part(depth)
		if err != nil {
			return Rule{}, err
		}
		all = append(all, r)
	}
	return join(all, pos), nil
}

func (p *parser) factor(depth int) (Rule, error) {
	pos := p.tok.pos
	if depth > 2*MaxDepth {
		return Rule{}, fail("too_deep", pos, map[string]any{"max": MaxDepth}, "a rule is at most %d levels deep", MaxDepth)
	}
	if ok, err := p.accept("not"); ok || err != nil {
		if err != nil {
			return Rule{}, err
		}
		r, err := p.factor(depth + 1)
		return Rule{Not: &r, pos: pos}, err
	}
	if ok, err := p.accept("("); ok || err != nil {
		if err != nil {
			return Rule{}, err
		}
		r, err := p.or(depth + 1)
		if err != nil {
			return Rule{}, err
		}
		return r, p.expect(")")
	}
	r, err := p.cond()
	r.pos = pos
	return r, err
}

func (p *parser) cond() (Rule, error) {
	switch {
	case p.is("did"):
		return p.did()
	case p.is("no"):
		if err := p.next(); err != nil {
			return Rule{}, err
		}
		d := &Did{None: true}
		var err error
		if d.Pattern, err = p.events(); err != nil {
			return Rule{}, err
		}
		d.Within, err = p.within()
		return Rule{Did: d}, err
	case p.is("in"):
		if err := p.next(); err != nil {
			return Rule{}, err
		}
		if p.tok.kind != word {
			return Rule{}, p.unexpected("a segment")
		}
		name := p.tok.text
		return Rule{In: name}, p.next()
	}
	v, err := p.value()
	if err != nil {
		return Rule{}, err
	}
	c := &Compare{Value: v}
	if ok, err := p.accept("is"); ok || err != nil {
		if err != nil {
			return Rule{}, err
		}
		c.Op = Known
		return Rule{Is: c}, p.expect("known")
	}
	c.Op, c.Values, err = p.comparison()
	return Rule{Is: c}, err
}

func (p *parser) did() (Rule, error) {
	if err := p.next(); err != nil {
		return Rule{}, err
	}
	first, err := p.events()
	if err != nil {
		return Rule{}, err
	}
	if ok, err := p.accept("then"); ok || err != nil {
		if err != nil {
			return Rule{}, err
		}
		return p.then(first)
	}
	d := &Did{Pattern: first, Times: 1}
	if p.tok.kind == number {
		n, err := strconv.Atoi(p.tok.text)
		if err != nil || n < 1 || n > MaxTimes {
			return Rule{}, fail("times", p.tok.pos, map[string]any{"max": MaxTimes}, "did takes 1 to %d times; count() takes more", MaxTimes)
		}
		d.Times = n
		if err := p.next(); err != nil {
			return Rule{}, err
		}
		if err := p.expect("times"); err != nil {
			return Rule{}, err
		}
	}
	d.Within, err = p.within()
	return Rule{Did: d}, err
}

func (p *parser) then(first Pattern) (Rule, error) {
	s := &Sequence{First: first}
	var err error
	if s.Second, err = p.events(); err != nil {
		return Rule{}, err
	}
	if err := p.expect("within"); err != nil {
		return Rule{}, err
	}
	if s.Gap, err = p.span(); err != nil {
		return Rule{}, err
	}
	if ok, err := p.accept("in"); !ok || err != nil {
		return Rule{Then: s}, err
	}
	if err := p.expect("last"); err != nil {
		return Rule{}, err
	}
	s.Within, err = p.span()
	return Rule{Then: s}, err
}

func (p *parser) within() (Span, error) {
	if ok, err := p.accept("within"); !ok || err != nil {
		return 0, err
	}
	return p.span()
}

func (p *parser) span() (Span, error) {
	if p.tok.kind != span {
		return 0, p.unexpected("30d")
	}
	s, _ := ParseSpan(p.tok.text)
	if s <= 0 || s.Duration() > MaxSpan {
		return 0, fail("span", p.tok.pos, map[string]any{"max": int(MaxSpan.Hours() / 24)}, "a window is at most %d days long", int(MaxSpan.Hours()/24))
	}
	return s, p.next()
}

func (p *parser) value() (Value, error) {
	v := Value{pos: p.tok.pos}
	if p.tok.kind != word {
		return v, p.unexpected("did", "no", "in", "not", "an attribute")
	}
	name := p.tok.text
	if err := p.next(); err != nil {
		return v, err
	}
	if !p.is("(") {
		if keywords[name] {
			return v, fail("keyword", v.pos, map[string]any{"name": name}, "%q is a word of the language and no attribute", name)
		}
		v.Attr = name
		return v, nil
	}
	v.Fn = Fn(name)
	if _, known := functions[v.Fn]; !known {
		return v, fail("function", v.pos, map[string]any{"name": name}, "%q is no function", name)
	}
	if err := p.next(); err != nil {
		return v, err
	}
	pattern, err := p.events()
	if err != nil {
		return v, err
	}
	v.Pattern = &pattern
	if ok, err := p.accept("."); ok || err != nil {
		if err != nil {
			return v, err
		}
		if p.tok.kind != word {
			return v, p.unexpected("a property")
		}
		v.Prop = p.tok.text
		if err := p.next(); err != nil {
			return v, err
		}
	}
	if v.Within, err = p.within(); err != nil {
		return v, err
	}
	return v, p.expect(")")
}

func (p *parser) events() (Pattern, error) {
	pat := Pattern{pos: p.tok.pos}
	for {
		switch {
		case p.is("*"), p.tok.kind == quoted, p.tok.kind == word && !keywords[p.tok.text]:
			pat.Events = append(pat.Events, p.tok.text)
		default:
			return pat, p.unexpected("an event")
		}
		if err := p.next(); err != nil {
			return pat, err
		}
		if ok, err := p.accept("|"); !ok || err != nil {
			if err != nil {
				return pat, err
			}
			break
		}
	}
	if ok, err := p.accept("["); !ok || err != nil {
		return pat, err
	}
	for {
		if p.tok.kind != word {
			return pat, p.unexpected("a property")
		}
		f := Filter{Prop: p.tok.text}
		if err := p.next(); err != nil {
			return pat, err
		}
		var err error
		if f.Op, f.Values, err = p.comparison(); err != nil {
			return pat, err
		}
		pat.Filters = append(pat.Filters, f)
		if ok, err := p.accept(","); !ok || err != nil {
			if err != nil {
				return pat, err
			}
			break
		}
	}
	return pat, p.expect("]")
}

func (p *parser) comparison() (Op, []Const, error) {
	op := Op(p.tok.text)
	if p.tok.kind != sign && p.tok.kind != word || !op.valid() || op == Known {
		return "", nil, p.unexpected("=", "!=", "<", "<=", ">", ">=", "in", "contains")
	}
	if err := p.next(); err != nil {
		return "", nil, err
	}
	if op != In {
		c, err := p.constant()
		return op, []Const{c}, err
	}
	if err := p.expect("("); err != nil {
		return "", nil, err
	}
	var values []Const
	for {
		c, err := p.constant()
		if err != nil {
			return "", nil, err
		}
		values = append(values, c)
		if ok, err := p.accept(","); !ok || err != nil {
			if err != nil {
				return "", nil, err
			}
			break
		}
	}
	return op, values, p.expect(")")
}

func (p *parser) constant() (c Const, err error) {
	switch {
	case p.tok.kind == number:
		f, err := strconv.ParseFloat(p.tok.text, 64)
		if err != nil {
			return c, fail("number", p.tok.pos, map[string]any{"name": p.tok.text}, "%q is no number", p.tok.text)
		}
		c = Num(f)
	case p.tok.kind == quoted:
		c = Str(p.tok.text)
	case p.is("true"), p.is("false"):
		c = Bool(p.tok.text == "true")
	default:
		return c, p.unexpected("a number", "a text in quotes", "true", "false")
	}
	return c, p.next()
}
