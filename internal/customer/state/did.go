package state

import (
	"fmt"
	"strconv"
	"strings"

	"omote/internal/platform/store"
)

// Did is what a record did: in all, and under each event name and currency.
type Did struct {
	First, Last store.Micros // event times; both 0 where it did nothing
	Events      int64
	// The newest event, and the newest channel, journey and unit that one named.
	Event, Channel, Journey, Unit string
	Deeds                         []Deed
}

// Deed is what a record did under one event name.
type Deed struct {
	Name     string
	Currency string // "" where no amount was named
	N        int64
	Amount   int64 // minor units
	Last     store.Micros
}

// MaxDeeds is how many names and currencies are kept apart for one record; what
// is named after that counts among its events alone.
const MaxDeeds = 400

// Note adds an event at a time. A blank channel, journey or unit says nothing.
func (d *Did) Note(at store.Micros, name, channel, journey, unit, currency string, amount int64) {
	name, channel, journey, unit, currency = clean(name), clean(channel), clean(journey), clean(unit), clean(currency)
	if d.Events == 0 {
		d.First, d.Last = at, at
	}
	d.Events++
	if at >= d.Last {
		d.Event = name
		if channel != "" {
			d.Channel = channel
		}
		if journey != "" {
			d.Journey = journey
		}
		if unit != "" {
			d.Unit = unit
		}
	}
	d.First, d.Last = min(d.First, at), max(d.Last, at)
	for i := range d.Deeds {
		if k := &d.Deeds[i]; k.Name == name && k.Currency == currency {
			k.N, k.Amount, k.Last = k.N+1, k.Amount+amount, max(k.Last, at)
			return
		}
	}
	if len(d.Deeds) < MaxDeeds {
		d.Deeds = append(d.Deeds, Deed{name, currency, 1, amount, at})
	}
}

// The text of Did is a line in all and a line a deed, fields apart by tabs, so
// that SQL could write it from the tables before.
const (
	fieldsOfAll  = 7
	fieldsOfDeed = 5
)

var unwritable = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

func clean(s string) string {
	if strings.ContainsAny(s, "\t\n\r") {
		return unwritable.Replace(s)
	}
	return s
}

// Append writes d.
func (d *Did) Append(b []byte) []byte {
	b = strconv.AppendInt(b, int64(d.First), 10)
	b = strconv.AppendInt(append(b, '\t'), int64(d.Last), 10)
	b = strconv.AppendInt(append(b, '\t'), d.Events, 10)
	for _, s := range [...]string{d.Event, d.Channel, d.Journey, d.Unit} {
		b = append(append(b, '\t'), s...)
	}
	for i := range d.Deeds {
		k := &d.Deeds[i]
		b = append(append(b, '\n'), k.Name...)
		b = append(append(b, '\t'), k.Currency...)
		b = strconv.AppendInt(append(b, '\t'), k.N, 10)
		b = strconv.AppendInt(append(b, '\t'), k.Amount, 10)
		b = strconv.AppendInt(append(b, '\t'), int64(k.Last), 10)
	}
	return b
}

// Parse reads what Append wrote; of "" it makes a record that did nothing.
func (d *Did) Parse(text string) error {
	*d = Did{Deeds: d.Deeds[:0]}
	if text == "" {
		return nil
	}
	all, rest, more := strings.Cut(text, "\n")
	p := fields{rest: all}
	d.First, d.Last, d.Events = store.Micros(p.number()), store.Micros(p.number()), p.number()
	d.Event, d.Channel, d.Journey, d.Unit = p.text(), p.text(), p.text(), p.text()
	if p.n != fieldsOfAll || p.bad || !p.over {
		return fmt.Errorf("what a record did is unreadable: %q", all)
	}
	for more {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		p := fields{rest: line}
		k := Deed{p.text(), p.text(), p.number(), p.number(), store.Micros(p.number())}
		if p.n != fieldsOfDeed || p.bad || !p.over {
			return fmt.Errorf("what a record did is unreadable: %q", line)
		}
		d.Deeds = append(d.Deeds, k)
	}
	return nil
}

// fields reads a line.
type fields struct {
	rest string
	n    int // fields read that were there
	over bool
	bad  bool
}

func (p *fields) text() string {
	if p.over {
		p.bad = true
		return ""
	}
	p.n++
	i := strings.IndexByte(p.rest, '\t')
	if i < 0 {
		p.over = true
		return p.rest
	}
	s := p.rest[:i]
	p.rest = p.rest[i+1:]
	return s
}

func (p *fields) number() int64 {
	n, err := strconv.ParseInt(p.text(), 10, 64)
	p.bad = p.bad || err != nil
	return n
}
