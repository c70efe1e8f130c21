// Package erasure takes a person out of everything the program keeps, and says of
// each place what became of it.
//
// Each part that keeps personal data registers an [Eraser]; package app collects
// them in a [Registry]. Tables of the store need none when they name the person
// in a column called record_id, customer_id, record_a, record_b or subject: their
// rows are deleted by the sweep. A part whose rows must be treated otherwise
// claims its tables, and a table that is kept says why (Keep). A test asks
// Registry.Unclaimed for tables that nobody answers for.
//
// A [Subject] is named by pseudonyms alone, so the list of erasures that is kept
// for restored back-ups (package customer/erasure) holds no personal data. Text
// in which a person may stand without a pseudonym, such as a quarantined message,
// is searched value by value: Subject.Names makes the pseudonym that the value
// would have, and compares keyed hashes of what the person can be reached by.
//
// Everything here may be run again at any time: an erasure that was cut off, or
// that met something in flight, is repeated until nothing is left.
package erasure

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/uptrace/bun"

	"omote/internal/platform/event"
	"omote/internal/platform/keyring"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
)

// Action is what became of a place.
type Action string

// The actions. The texts have the keys customer.erasure.action.*.
const (
	Deleted  Action = "deleted"  // rows are gone
	Unlinked Action = "unlinked" // facts stay as statistics; nothing leads to the person
	Expires  Action = "expires"  // cannot be cut into; gone by itself at Until
	Kept     Action = "kept"     // stays, for the reason in Why
	Again    Action = "again"    // copies that are erased again when they are restored
	Pending  Action = "pending"  // in use at the moment; the erasure runs again
)

// Line is one place of a certificate.
type Line struct {
	Place  string    `json:"place"` // "customer_trait", "warehouse.event", "log"
	Action Action    `json:"action"`
	Count  int64     `json:"count"` // rows, files or messages
	Until  time.Time `json:"until,omitzero"`
	// Why is the key of a text that explains what is kept or waits.
	Why string `json:"why,omitempty"`
}

// Eraser takes persons out of one part. Either function may be nil.
type Eraser struct {
	Name string
	// Tables of the store that the eraser answers for; the sweep leaves them alone.
	Tables []string
	// InStore works in the one transaction of the store.
	InStore func(ctx context.Context, tx store.Tx, s *Subject) ([]Line, error)
	// Outside works in transactions of its own, or on other engines and files.
	Outside func(ctx context.Context, s *Subject) ([]Line, error)
}

// columns by which a table names a person.
var columns = []string{"record_id", "customer_id", "record_a", "record_b", "subject"}

// Registry collects the erasers. It is filled at start and then only read.
type Registry struct {
	erasers []Eraser
	kept    map[string]string // table → why
}

// Add registers erasers.
func (r *Registry) Add(e ...Eraser) { r.erasers = append(r.erasers, e...) }

// Keep says that a table is left as it is, and why, for engineers.
func (r *Registry) Keep(why string, tables ...string) {
	if r.kept == nil {
		r.kept = map[string]string{}
	}
	for _, t := range tables {
		r.kept[t] = why
	}
}

func (r *Registry) claimed(table string) bool {
	_, kept := r.kept[table]
	return kept || slices.ContainsFunc(r.erasers, func(e Eraser) bool { return slices.Contains(e.Tables, table) })
}

// swept gives the columns by which the sweep finds a person in the table.
func (r *Registry) swept(t store.Table) (by []string) {
	if r.claimed(t.Name) {
		return nil
	}
	for _, c := range t.Columns {
		if c.Type == "text" && slices.Contains(columns, c.Name) {
			by = append(by, c.Name)
		}
	}
	return by
}

// Unclaimed lists tables that may hold personal data, because they have a sealed
// column, and that neither the sweep nor an eraser nor Keep answers for.
func (r *Registry) Unclaimed(s store.Schema) (out []string) {
	for _, t := range s {
		sealed := slices.ContainsFunc(t.Columns, func(c store.SchemaColumn) bool { return c.Type == "bytes" })
		if sealed && !r.claimed(t.Name) && len(r.swept(t)) == 0 {
			out = append(out, t.Name)
		}
	}
	return out
}

// Run takes the subject out of everything. Lines are sorted by place. After an
// error it may be run again. step, when set, is told how far it is.
func (r *Registry) Run(ctx context.Context, db *store.DB, s *Subject, step func(done, total int) error) (lines []Line, err error) {
	if step == nil {
		step = func(int, int) error { return nil }
	}
	schema, err := db.ReadSchema(ctx)
	if err != nil {
		return nil, err
	}
	total := 1
	for _, e := range r.erasers {
		if e.Outside != nil {
			total++
		}
	}
	err = db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		lines = nil
		for _, e := range r.erasers {
			if e.InStore == nil {
				continue
			}
			more, err := e.InStore(ctx, tx, s)
			if err != nil {
				return fmt.Errorf("erase from %s: %w", e.Name, err)
			}
			lines = append(lines, more...)
		}
		more, err := r.sweep(ctx, tx, schema, s)
		lines = append(lines, more...)
		return err
	})
	if err != nil {
		return nil, err
	}
	done := 1
	for _, e := range r.erasers {
		if e.Outside == nil {
			continue
		}
		if err := step(done, total); err != nil {
			return lines, err
		}
		more, err := e.Outside(ctx, s)
		if err != nil {
			return lines, fmt.Errorf("erase from %s: %w", e.Name, err)
		}
		lines = append(lines, more...)
		done++
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return strings.Compare(a.Place, b.Place) })
	return lines, step(total, total)
}

// sweep deletes the rows of every table that names the subject in a column.
func (r *Registry) sweep(ctx context.Context, tx store.Tx, schema store.Schema, s *Subject) (lines []Line, err error) {
	for _, t := range schema {
		by := r.swept(t)
		if len(by) == 0 {
			continue
		}
		n, err := DeleteRows(ctx, tx, t.Name, by, s)
		if err != nil {
			return nil, err
		}
		lines = append(lines, Line{Place: t.Name, Action: Deleted, Count: n})
	}
	return lines, nil
}

// DeleteRows deletes the rows of a table in which one of the columns names the
// subject, and gives their number. Table and columns are names of the program.
func DeleteRows(ctx context.Context, tx store.Tx, table string, columns []string, s *Subject) (int64, error) {
	var total int64
	for chunk := range slices.Chunk(s.Records, 500) {
		var where []string
		var args []any
		for _, c := range columns {
			where = append(where, c+" IN (?)")
			args = append(args, bun.List(chunk))
		}
		res, err := tx.NewRaw("DELETE FROM "+table+" WHERE "+strings.Join(where, " OR "), args...).Exec(ctx)
		if err != nil {
			return total, fmt.Errorf("erase from %s: %w", table, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// Subject is the person to take out.
type Subject struct {
	Entity string
	// Records are the pseudonyms of the person's records.
	Records []string
	// Marks are keyed hashes of what the person can be reached and told by.
	Marks []string
	// At is when the erasure was ordered: facts that arrived later are not touched.
	At time.Time
	// Systems are the systems whose ids may stand in raw messages.
	Systems []string

	Pseudonyms *pseudonym.Maker
	marker     *Marker
}

// NewSubject makes a subject; the marker may be nil where no marks are known.
func NewSubject(entity string, at time.Time, records, marks, systems []string, names *pseudonym.Maker, m *Marker) *Subject {
	return &Subject{Entity: entity, Records: records, Marks: marks, At: at, Systems: systems, Pseudonyms: names, marker: m}
}

// Names reports whether a value is an id of the subject in one of the systems, or
// something that they are reached by.
func (s *Subject) Names(value string) bool {
	if value == "" || len(value) > event.MaxIDLength {
		return false
	}
	if slices.Contains(s.Records, value) {
		return true
	}
	is := func(record string) bool {
		return slices.Contains(s.Records, s.Pseudonyms.Record(s.Entity, record).String())
	}
	for _, system := range s.Systems {
		if is(event.UserRecord(system, value)) || is(event.AnonymousRecord(system, value)) {
			return true
		}
	}
	if s.marker == nil || len(s.Marks) == 0 {
		return false
	}
	mark, ok := s.marker.Mark(value)
	return ok && slices.Contains(s.Marks, mark)
}

// InJSON reports whether any value within a JSON document names the subject. Text
// that is no JSON is one value.
func (s *Subject) InJSON(raw string) bool {
	var v any
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return s.Names(strings.TrimSpace(raw))
	}
	return s.inValue(v)
}

func (s *Subject) inValue(v any) bool {
	switch v := v.(type) {
	case string:
		return s.Names(v)
	case json.Number:
		return s.Names(v.String())
	case []any:
		return slices.ContainsFunc(v, s.inValue)
	case map[string]any:
		for _, each := range v {
			if s.inValue(each) {
				return true
			}
		}
	}
	return false
}

// Marker makes marks under a key of the ring.
type Marker struct{ secret []byte }

// NewMarker takes the key of pseudonyms, which is never rotated.
func NewMarker(ctx context.Context, keys keyring.Provider) (*Marker, error) {
	k, err := keys.Current(ctx, keyring.Pseudonym)
	if err != nil {
		return nil, fmt.Errorf("key of erasure marks: %w", err)
	}
	secret, err := hkdf.Key(sha256.New, k.Secret[:], nil, "omote/erasure/mark", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("key of erasure marks: %w", err)
	}
	return &Marker{secret}, nil
}

// Least sizes of what gets a mark: names are shared by many people and get none.
const (
	minDigits = 8
	maxMarked = 200
)

// Mark gives the mark of a value by which one person is told: an e-mail address or
// a number of at least eight digits, such as a phone, a citizen id or an account.
// ok is false for any other.
func (m *Marker) Mark(value string) (mark string, ok bool) {
	if len(value) > maxMarked {
		return "", false
	}
	normal := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-.()+", r) && !strings.Contains(value, "@") {
			return -1
		}
		return unicode.ToLower(r)
	}, value)
	digits, letters := 0, 0
	for _, r := range normal {
		switch {
		case r >= '0' && r <= '9':
			digits++
		default:
			letters++
		}
	}
	if !strings.Contains(normal, "@") && (digits < minDigits || letters > 2) {
		return "", false
	}
	if letters == 0 && digits == 11 && strings.HasPrefix(normal, "84") {
		normal = "0" + normal[2:] // a Vietnamese phone with its country code
	}
	h := hmac.New(sha256.New, m.secret)
	h.Write([]byte(normal))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]), true
}
