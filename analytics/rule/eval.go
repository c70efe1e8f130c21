package rule

import (
	"maps"
	"math"
	"slices"
)

// Answer is what a rule says of a customer.
type Answer uint8

// The answers.
const (
	Unknown Answer = iota
	No
	Yes
)

func answer(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

// Never is the instant of a change that does not come by time alone.
const Never = math.MaxInt64

// Set is many rules that are kept up to date together; they share features.
type Set struct {
	Features []Feature
	Rules    []*Program

	roots []node
	byID  map[uint64]int
	named map[string][]int
	any   []int
	uses  [][]int // by feature: the rules that look at it
}

// NewSet puts programs together, in the given order.
func NewSet(programs ...*Program) *Set {
	s := &Set{byID: map[uint64]int{}, named: map[string][]int{}, Rules: programs}
	for rule, p := range programs {
		at := make([]int, len(p.Features))
		for i := range p.Features {
			f := &p.Features[i]
			n, known := s.byID[f.ID]
			if !known {
				n = len(s.Features)
				s.byID[f.ID] = n
				s.Features = append(s.Features, *f)
				s.uses = append(s.uses, nil)
			}
			at[i] = n
			if !slices.Contains(s.uses[n], rule) {
				s.uses[n] = append(s.uses[n], rule)
			}
		}
		s.roots = append(s.roots, p.root.moved(at))
	}
	s.index()
	return s
}

// index finds the features by the names they listen to.
func (s *Set) index() {
	for i := range s.Features {
		for _, name := range s.Features[i].Pattern.Events {
			if name == Any {
				s.any = append(s.any, i)
			} else if !slices.Contains(s.named[name], i) {
				s.named[name] = append(s.named[name], i)
			}
		}
	}
	for name := range s.named {
		if name != Profile {
			s.named[name] = append(s.named[name], s.any...)
		}
	}
}

// moved gives the node with its features renumbered.
func (n node) moved(at []int) node {
	out := n
	if n.leaf != nil {
		out.a = at[n.a]
		if n.op == opThen {
			out.b = at[n.b]
		}
	}
	out.parts = make([]node, len(n.parts))
	for i := range n.parts {
		out.parts[i] = n.parts[i].moved(at)
	}
	return out
}

// listeners are the features that a fact of the name may change.
func (s *Set) listeners(name string) []int {
	if l, known := s.named[name]; known || name == Profile {
		return l
	}
	return s.any
}

// Listens reports whether a fact of the name can matter to any rule.
func (s *Set) Listens(name string) bool { return len(s.listeners(name)) > 0 }

// Touched marks the rules that look at any of the changed features.
func (s *Set) Touched(changed, rules []bool) {
	for f, is := range changed {
		if is {
			for _, r := range s.uses[f] {
				rules[r] = true
			}
		}
	}
}

// Evaluate gives the answer of a rule for a customer's state at an instant, and
// the first later instant at which it may change without any new fact. The
// answer stays until then.
func (s *Set) Evaluate(rule int, st *State, now int64) (Answer, int64) {
	return s.eval(&s.roots[rule], st, now)
}

func (s *Set) eval(n *node, st *State, now int64) (Answer, int64) {
	switch n.op {
	case opAll, opAny:
		decides, result := No, Yes
		if n.op == opAny {
			decides, result = Yes, No
		}
		next := int64(Never)
		for i := range n.parts {
			a, t := s.eval(&n.parts[i], st, now)
			next = min(next, t)
			switch {
			case a == decides:
				result = decides
			case a == Unknown && result != decides:
				result = Unknown
			}
		}
		return result, next
	case opNot:
		a, next := s.eval(&n.parts[0], st, now)
		switch a {
		case Yes:
			a = No
		case No:
			a = Yes
		}
		return a, next
	case opDid:
		return n.leaf.Did.eval(st.stamps(n.a, now), now)
	case opThen:
		return n.leaf.Then.eval(st.stamps(n.a, now), st.stamps(n.b, now))
	}
	return n.leaf.Is.eval(st, n.a, now)
}

// stamps are the occurrences of a feature that count at now.
func (st *State) stamps(i int, now int64) []stamp {
	all := st.cells[i].stamps
	oldest := st.set.Features[i].oldest(now)
	n := len(all)
	for n > 0 && all[n-1].at < oldest {
		n--
	}
	return all[:n]
}

func (d *Did) eval(in []stamp, now int64) (Answer, int64) {
	leaves := func(s stamp) int64 {
		if d.Within == 0 {
			return Never
		}
		return s.at + int64(d.Within)
	}
	times := max(d.Times, 1)
	if d.None {
		if len(in) == 0 {
			return Yes, Never
		}
		return No, leaves(in[0])
	}
	if len(in) < times {
		return No, Never
	}
	return Yes, leaves(in[times-1])
}

func (s *Sequence) eval(first, second []stamp) (Answer, int64) {
	for _, a := range first { // the newest first: it stays longest
		for _, b := range second {
			if b.at > a.at && b.at <= a.at+int64(s.Gap) {
				if s.Within == 0 {
					return Yes, Never
				}
				return Yes, a.at + int64(s.Within)
			}
		}
	}
	return No, Never
}

func (c *Compare) eval(st *State, i int, now int64) (Answer, int64) {
	f := &st.set.Features[i]
	if f.Keep == 0 {
		return c.evalSums(f, st.cells[i].buckets, now)
	}
	in := st.stamps(i, now)
	next := int64(Never)
	if f.Within > 0 && len(in) > 0 {
		next = in[len(in)-1].at + int64(f.Within)
	}
	if len(in) == 0 {
		return c.judge(0, "", false), next
	}
	switch c.Value.Fn {
	case Last:
		return c.judge(in[0].num, in[0].text, true), next
	case Change:
		newest, oldest := in[0].num, in[len(in)-1].num
		if len(in) < 2 || oldest == 0 {
			return c.judge(0, "", false), next
		}
		return c.judge(newest/oldest-1, "", true), next
	case DaysSince:
		days := (now - in[0].at) / int64(day)
		return c.judge(float64(days), "", true), min(next, c.turn(in[0].at, now))
	}
	return c.evalAge(in[0].num, now)
}

// evalAge compares the time since a stated day.
func (c *Compare) evalAge(stated float64, now int64) (Answer, int64) {
	if math.Abs(stated) > maxDay {
		return c.judge(0, "", false), Never
	}
	from := int64(math.Floor(stated))
	days := floor(now, int64(day))/int64(day) - from
	if days < 0 {
		return c.judge(0, "", false), from * int64(day)
	}
	if c.Value.Fn == AgeDays {
		return c.judge(float64(days), "", true), c.turn(from*int64(day), now)
	}
	years := days * 10_000 / yearDays
	birthday := ((years+1)*yearDays + 9_999) / 10_000
	return c.judge(float64(years), "", true), (from + birthday) * int64(day)
}

const (
	maxDay   = 3_000_000 // days from 1970 that a stated day may lie away
	yearDays = 3_652_425 // of 10,000 years
)

// turn is the first instant after now at which a count of whole days since an
// instant may compare differently.
func (c *Compare) turn(since, now int64) int64 {
	next := int64(Never)
	for _, v := range c.Values {
		n := math.Floor(v.Number)
		if n < 0 || n > maxDay {
			continue
		}
		for _, d := range [2]int64{int64(n), int64(n) + 1} {
			if t := since + d*int64(day); t > now {
				next = min(next, t)
			}
		}
	}
	return next
}

func (c *Compare) evalSums(f *Feature, all []bucket, now int64) (Answer, int64) {
	oldest := f.oldest(now)
	for len(all) > 0 && all[0].at < oldest {
		all = all[1:]
	}
	var total bucket
	for _, b := range all {
		total.n, total.hits, total.sum = total.n+b.n, total.hits+b.hits, total.sum+b.sum
	}
	result := c.judgeSum(total)
	if f.Within == 0 {
		return result, Never
	}
	// The first step to leave that changes the answer.
	for i, b := range all {
		var rest bucket
		if i+1 < len(all) {
			rest = total
			rest.n, rest.hits, rest.sum = rest.n-b.n, rest.hits-b.hits, rest.sum-b.sum
		}
		if total = rest; c.judgeSum(rest) != result {
			return result, b.at + f.step() + int64(f.Within)
		}
	}
	return result, Never
}

func (c *Compare) judgeSum(b bucket) Answer {
	switch c.Value.Fn {
	case Count:
		return c.judge(float64(b.n), "", true)
	case Sum:
		return c.judge(b.sum, "", true)
	case Avg:
		return c.judge(b.sum/float64(b.n), "", b.n > 0)
	}
	return c.judge(float64(b.hits)/float64(b.n), "", b.n > 0)
}

// judge compares a value that is known or not.
func (c *Compare) judge(num float64, text string, known bool) Answer {
	switch {
	case c.Op == Known:
		return answer(known)
	case !known:
		return Unknown
	case c.Values[0].Numeric:
		return answer(compareNumber(c.Op, num, c.Values))
	}
	return answer(compareText(c.Op, text, c.Values))
}

// Renumber gives the features other ids, under which states keep them. States
// made before must not be used with the set any more.
func (s *Set) Renumber(id func(uint64) uint64) {
	s.byID = make(map[uint64]int, len(s.Features))
	for i := range s.Features {
		s.Features[i].ID = id(s.Features[i].ID)
		s.byID[s.Features[i].ID] = i
	}
}

// Only gives a set that keeps some of the features and no rules: for building
// states that are later added to those of the whole set.
func (s *Set) Only(keep func(id uint64) bool) *Set {
	out := &Set{byID: map[uint64]int{}, named: map[string][]int{}}
	for i := range s.Features {
		if keep(s.Features[i].ID) {
			out.byID[s.Features[i].ID] = len(out.Features)
			out.Features = append(out.Features, s.Features[i])
			out.uses = append(out.uses, nil)
		}
	}
	out.index()
	return out
}

// Names lists the events that the features listen to; Any among them is every one.
func (s *Set) Names() []string {
	names := slices.Sorted(maps.Keys(s.named))
	if len(s.any) > 0 {
		names = append(names, Any)
	}
	return names
}
