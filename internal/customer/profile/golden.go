package profile

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"omote/internal/customer/identity"
	"omote/internal/platform/store"
)

// Source is what one record states.
type Source struct {
	Record string
	System string
	Said   map[string]identity.Said
}

// Statement is one record's word about an attribute.
type Statement struct {
	Value            string
	Record, System   string
	Since, Confirmed store.Micros
}

// Candidate is a value with all who state it, in one way of writing or another.
type Candidate struct {
	Value string // as it is written best
	By    []Statement
	// trust, plausible, complete and newest are what criteria compare.
	trust     int
	plausible int
	complete  int
	newest    store.Micros
}

// Systems are the systems that state the candidate.
func (c *Candidate) Systems() []string {
	out := make([]string, len(c.By))
	for i, s := range c.By {
		out[i] = s.System
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Attribute is one attribute of the golden profile.
type Attribute struct {
	Rule      *AttributeRule
	Candidate           // the value that was chosen
	Decided   Criterion // what decided; Only when nobody says anything else
	Others    []Candidate
	// Hidden tells that the value is masked.
	Hidden bool
}

// Source is who states the chosen value as it is shown.
func (a *Attribute) Source() Statement {
	for _, s := range a.By {
		if s.Value == a.Value {
			return s
		}
	}
	return a.By[0]
}

// Golden makes the golden profile. It does not depend on the order of sources.
func (r *Rules) Golden(sources []Source) []Attribute {
	var out []Attribute
	for i := range r.Attributes {
		rule := &r.Attributes[i]
		if a, ok := r.attribute(rule, sources); ok {
			out = append(out, a)
		}
	}
	return out
}

func (r *Rules) attribute(rule *AttributeRule, sources []Source) (a Attribute, ok bool) {
	groups := map[string]*Candidate{}
	for _, s := range sources {
		for _, trait := range rule.From {
			said, there := s.Said[trait]
			text := identity.TraitText(said.Value)
			if !there || text == "" {
				continue
			}
			key := rule.same(text)
			if groups[key] == nil {
				groups[key] = &Candidate{}
			}
			groups[key].By = append(groups[key].By, Statement{text, s.Record, s.System, said.Since, said.Confirmed})
			break
		}
	}
	if len(groups) == 0 {
		return a, false
	}
	var all []Candidate
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, r.weigh(rule, groups[key]))
	}
	a = Attribute{Rule: rule}
	a.Candidate, a.Decided = rule.choose(all)
	for _, c := range all {
		if c.Value != a.Value {
			a.Others = append(a.Others, c)
		}
	}
	slices.SortStableFunc(a.Others, func(x, y Candidate) int {
		return cmp.Or(-cmp.Compare(len(x.Systems()), len(y.Systems())), -cmp.Compare(x.newest, y.newest), cmp.Compare(x.Value, y.Value))
	})
	return a, true
}

// weigh chooses how a candidate is written and measures it.
func (r *Rules) weigh(rule *AttributeRule, c *Candidate) Candidate {
	slices.SortFunc(c.By, func(a, b Statement) int {
		return cmp.Or(-cmp.Compare(complete(rule.Kind, a.Value), complete(rule.Kind, b.Value)), -cmp.Compare(r.trust(a.System), r.trust(b.System)),
			-cmp.Compare(a.Confirmed, b.Confirmed), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Record, b.Record))
	})
	c.Value = c.By[0].Value
	c.complete = complete(rule.Kind, c.Value)
	c.plausible = rule.plausible(c.Value)
	for _, s := range c.By {
		c.trust, c.newest = max(c.trust, r.trust(s.System)), max(c.newest, s.Confirmed)
	}
	return *c
}

// choose narrows the candidates, criterion by criterion.
func (a *AttributeRule) choose(all []Candidate) (Candidate, Criterion) {
	if len(all) == 1 {
		return all[0], Only
	}
	left := slices.Clone(all)
	if a.Kind == KindEarliest {
		return slices.MinFunc(left, func(x, y Candidate) int { return cmp.Compare(x.Value, y.Value) }), Plausible
	}
	for _, c := range a.By {
		if left = best(left, c); len(left) == 1 {
			return left[0], c
		}
	}
	// A tie: any order that is always the same.
	return slices.MinFunc(left, func(x, y Candidate) int {
		return cmp.Or(-cmp.Compare(x.newest, y.newest), cmp.Compare(x.Value, y.Value))
	}), a.By[len(a.By)-1]
}

// day is how close confirmations may lie without deciding.
const day = store.Micros(24 * 3600 * 1_000_000)

func best(all []Candidate, c Criterion) []Candidate {
	measure := func(x *Candidate) int64 {
		switch c {
		case Plausible:
			return int64(x.plausible)
		case Completeness:
			return int64(x.complete)
		case Quorum:
			if n := len(x.Systems()); n > 1 {
				return int64(n)
			}
			return 0
		case Trust:
			return int64(x.trust)
		}
		return int64(x.newest)
	}
	most := measure(&all[0])
	for i := range all {
		most = max(most, measure(&all[i]))
	}
	var out []Candidate
	for i := range all {
		m := measure(&all[i])
		if m == most || c == Recency && store.Micros(m)+day >= store.Micros(most) {
			out = append(out, all[i])
		}
	}
	return out
}

// same is a form that is equal for values that say the same.
func (a *AttributeRule) same(text string) string {
	form := ""
	switch a.Kind {
	case KindName:
		form = identity.Name(text)
	case KindPhone:
		form = identity.Phone(text)
	case KindMail:
		form = identity.Email(text)
	case KindCitizen:
		if id, old := identity.CitizenID(text); id != "" {
			form = id
		} else {
			form = old
		}
	case KindAddress:
		form = identity.Address(text)
	}
	return cmp.Or(form, strings.ToLower(strings.Join(strings.Fields(text), " ")))
}

// plausible is 1 for a value that can be one, 2 for one that is better still.
func (a *AttributeRule) plausible(text string) int {
	is := func(ok bool) int {
		if ok {
			return 1
		}
		return 0
	}
	switch a.Kind {
	case KindDate:
		return is(identity.BirthDate(text) != "")
	case KindPhone:
		return is(identity.Phone(text) != "")
	case KindMail:
		return is(identity.Email(text) != "")
	case KindCitizen:
		id, old := identity.CitizenID(text)
		return 2*is(id != "") + is(old != "")
	}
	return 1
}

// complete measures how much a way of writing says.
func complete(kind Kind, text string) int {
	words := strings.Fields(text)
	if kind != KindName && kind != KindAddress {
		return 0
	}
	score := 10 * min(len(words), 6)
	if kind == KindAddress {
		score = 10 * min(len(words), 20)
	}
	if text != strings.ToUpper(text) {
		score += 2
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) }) {
		score += 4
	}
	return score
}

// mask is what is left of a value.
func (a *AttributeRule) mask(text string) string {
	switch a.Mask {
	case MaskNumber:
		return lastDigits(text, 3)
	case MaskMail:
		if at := strings.LastIndexByte(text, '@'); at > 0 {
			first := []rune(text)[0]
			return string(first) + "•••" + text[at:]
		}
		return "•••"
	case MaskYear:
		if len(text) >= 4 {
			return text[:4]
		}
		return "•••"
	case MaskPlace:
		parts := strings.Split(text, ",")
		return "•••, " + strings.TrimSpace(parts[len(parts)-1])
	case MaskAll:
		return "•••"
	}
	return text
}

func lastDigits(text string, n int) string {
	var d []rune
	for _, r := range text {
		if unicode.IsDigit(r) {
			d = append(d, r)
		}
	}
	if len(d) <= n+2 {
		return "•••"
	}
	return "•••• " + string(d[len(d)-n:])
}

// Text is the text of a JSON trait.
func Text(raw json.RawMessage) string { return identity.TraitText(raw) }

// Amount reads a number that a trait states, such as an income.
func Amount(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
