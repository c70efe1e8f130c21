package bank

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// FileOptions say how Generate writes.
type FileOptions struct {
	// Format is "ndjson" (default) or "csv".
	Format string
	// Gzip compresses each file.
	Gzip bool
	// ByCustomer writes one customer after another instead of one order of time:
	// constant memory for any number of customers.
	ByCustomer bool
	// Progress, when set, is called now and then with the number of events so far.
	Progress func(events int)
}

// Summary is what Generate wrote.
type Summary struct {
	Events int            `json:"events"`
	Feeds  map[string]int `json:"feeds"`
	Truth  TruthSummary   `json:"truth"`
}

// Generate writes the history as the bank's systems would hand it over: under
// feeds/ one file of events per feed and one file of customer records per
// system, in launches.json what the bank itself launched and where, under truth/
// what only the simulation knows.
func (b *Bank) Generate(dir string, o FileOptions) (Summary, error) {
	sum := Summary{Feeds: map[string]int{}}
	if o.Format == "" {
		o.Format = "ndjson"
	}
	if o.Format != "ndjson" && o.Format != "csv" {
		return sum, fmt.Errorf("bank: the format is ndjson or csv, not %q", o.Format)
	}
	events := b.History()
	if o.ByCustomer {
		events = b.ByCustomer()
	}
	if err := writeFeeds(filepath.Join(dir, "feeds"), events, o, &sum); err != nil {
		return sum, err
	}
	if err := b.writeLaunches(filepath.Join(dir, "launches.json")); err != nil {
		return sum, err
	}
	var err error
	sum.Truth, err = b.WriteTruth(filepath.Join(dir, "truth"))
	return sum, err
}

func (b *Bank) writeLaunches(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("bank: writing the launches: %w", err)
	}
	encodeIndented(f, b.Launches())
	if err := f.Close(); err != nil {
		return fmt.Errorf("bank: writing the launches: %w", err)
	}
	return nil
}

func writeFeeds(dir string, events iter.Seq[*Event], o FileOptions, sum *Summary) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("bank: making the folder of the feeds: %w", err)
	}
	open := map[string]*sink{}
	defer func() {
		for _, s := range open {
			if e := s.close(); e != nil && err == nil {
				err = fmt.Errorf("bank: writing %s: %w", s.name, e)
			}
		}
	}()
	for e := range events {
		name := e.Source
		if e.Kind == Identify {
			name += "_customers"
		}
		s := open[name]
		if s == nil {
			if s, err = newSink(dir, name, o); err != nil {
				return err
			}
			open[name] = s
		}
		if err := s.write(e); err != nil {
			return fmt.Errorf("bank: writing %s: %w", s.name, err)
		}
		sum.Feeds[name]++
		if sum.Events++; o.Progress != nil && sum.Events%100_000 == 0 {
			o.Progress(sum.Events)
		}
	}
	return nil
}

// sink is one file being written.
type sink struct {
	name string
	file *os.File
	zip  *gzip.Writer
	buf  *bufio.Writer
	csv  *csv.Writer
	line []byte
	row  []string
	cols []string
}

func newSink(dir, name string, o FileOptions) (*sink, error) {
	path := filepath.Join(dir, name+"."+o.Format)
	if o.Gzip {
		path += ".gz"
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("bank: making a file: %w", err)
	}
	s := &sink{name: path, file: f}
	var w io.Writer = f
	if o.Gzip {
		s.zip, _ = gzip.NewWriterLevel(f, gzip.BestSpeed) // the level is valid
		w = s.zip
	}
	s.buf = bufio.NewWriterSize(w, 1<<18)
	if o.Format == "csv" {
		s.csv = csv.NewWriter(s.buf)
		s.cols = eventColumns
		if len(name) > 10 && name[len(name)-10:] == "_customers" {
			s.cols = customerColumns
		}
		return s, s.csv.Write(s.cols)
	}
	return s, nil
}

// The columns of a CSV. The first are the common fields of an event.
var (
	eventColumns = []string{"message_id", "time", "event", "user_id", "anonymous_id", "system", "journey", "case", "channel", "unit", "product", "outcome", "amount",
		"currency", "reason_code", "staff_key", "wait_seconds", "handle_seconds", "instrument", "trigger_event", "item", "score", "reason", "language", "verbatim",
		"app_version", "carrier", "purpose", "campaign", "variant", "severity", "stars", "revenue", "cost_to_serve", "products", "referred_key", "referrer_key", "from_unit",
		"to_unit", "grant_kind", "limit_id", "behaviour_id", "standard_met", "request_kind", "source_system", "basis"}
	customerColumns = []string{"message_id", "time", "user_id", "anonymous_id", "system", "name", "birth_date", "gender", "phone", "email", "citizen_id", "address",
		"language", "home_branch", "preferred_channel", "address_form", "access_need", "job", "declared_income", "created_at"}
)

func (s *sink) write(e *Event) error {
	if s.csv != nil {
		return s.writeCSV(e)
	}
	o := object{b: s.line[:0]}
	o.open()
	o.str("message_id", e.MessageID)
	o.key("time")
	o.b = append(appendTime(append(o.b, '"'), e.At), '"')
	o.str("event", e.Name)
	o.str("user_id", e.UserID)
	o.str("anonymous_id", e.AnonymousID)
	o.str("system", e.System)
	o.str("journey", e.Journey)
	o.str("case", e.Case)
	o.str("channel", e.Channel)
	o.str("unit", e.Unit)
	o.str("product", e.Product)
	o.str("outcome", e.Outcome)
	if e.Currency != "" {
		o.int("amount", e.Amount)
		o.str("currency", e.Currency)
	}
	for _, more := range [...][]byte{e.Props, e.Traits} {
		if len(more) > 2 {
			o.b = append(append(o.b, ','), more[1:len(more)-1]...)
		}
	}
	o.close()
	s.line = append(o.b, '\n')
	_, err := s.buf.Write(s.line)
	return err
}

// appendTime writes an instant as RFC 3339 in the bank's zone.
func appendTime(dst []byte, at int64) []byte {
	return time.UnixMicro(at).In(Zone).AppendFormat(dst, "2006-01-02T15:04:05.000000-07:00")
}

func (s *sink) writeCSV(e *Event) error {
	fields := map[string]string{"message_id": e.MessageID, "time": string(appendTime(nil, e.At)), "event": e.Name, "user_id": e.UserID, "anonymous_id": e.AnonymousID,
		"system": e.System, "journey": e.Journey, "case": e.Case, "channel": e.Channel, "unit": e.Unit, "product": e.Product, "outcome": e.Outcome}
	if e.Currency != "" {
		fields["amount"], fields["currency"] = strconv.FormatInt(e.Amount, 10), e.Currency
	}
	for _, more := range [...][]byte{e.Props, e.Traits} {
		if more == nil {
			continue
		}
		var values map[string]json.RawMessage
		if err := json.Unmarshal(more, &values); err != nil {
			return err
		}
		for k, v := range values {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			fields[k] = text
		}
	}
	s.row = s.row[:0]
	for _, c := range s.cols {
		s.row = append(s.row, fields[c])
	}
	return s.csv.Write(s.row)
}

func (s *sink) close() error {
	var first error
	keep := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	if s.csv != nil {
		s.csv.Flush()
		keep(s.csv.Error())
	}
	keep(s.buf.Flush())
	if s.zip != nil {
		keep(s.zip.Close())
	}
	keep(s.file.Close())
	return first
}
