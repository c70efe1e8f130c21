package profile

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"omote/internal/customer/identity"
	"omote/internal/customer/search"
	"omote/internal/customer/state"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/warehouse"
)

// PermRead allows reading customers, masked; a stated purpose opens more.
const PermRead auth.Permission = "customer.profile.read"

// Units tells which unit codes lie in the place of the actor.
type Units func(ctx context.Context) (map[string]bool, error)

// Cases gives a customer's open cases. A part that has cases provides it.
type Cases interface {
	OpenOf(ctx context.Context, records []string) ([]Case, error)
}

// Case is an open case as the customer's page shows it.
type Case struct {
	ID, Title, State, Href string
	Due                    store.Micros // 0 for none
	Late                   bool
}

// Consents gives what a customer has agreed to, over all records: the most
// restrictive counts. A part that keeps consents provides it.
type Consents interface {
	Of(ctx context.Context, records []string) ([]Consent, error)
}

// Consent is one purpose and channel with the decision.
type Consent struct {
	Purpose, Channel string // as people read them
	Allowed          bool
	Reason           string
	At               store.Micros
}

// Service reads customers. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	box       *sealed.Box
	index     *search.Index
	warehouse *warehouse.Warehouse
	rules     *Rules
	// Units, Cases and Consents are filled by the program; nil means that the part
	// is not there.
	Units    Units
	Cases    Cases
	Consents Consents

	counted sync.Mutex
	counts  map[string]heldCounts // by entity
}

// NewService makes the service with the built-in rules.
func NewService(db *store.DB, box *sealed.Box, index *search.Index, w *warehouse.Warehouse) (*Service, error) {
	rules, err := BuiltIn()
	if err != nil {
		return nil, err
	}
	return &Service{db: db, box: box, index: index, warehouse: w, rules: rules}, nil
}

// Purposes are the reasons for which identifiers can be seen.
func (s *Service) Purposes() []Purpose { return s.rules.Purposes }

// Customer is one customer as the reader may see them.
type Customer struct {
	ID         string
	Name       string // as shown; "" for nobody known
	Prospect   bool   // only anonymous records
	Records    []identity.Record
	Attributes []Attribute
	Computed   []Computed
	FirstSeen  store.Micros
	LastSeen   store.Micros
	Events     int64
	// Purpose is what the reader has stated, until when; nil for none.
	Purpose *Purpose
	Until   store.Micros
	// Closed tells that the customer lies outside the reader's place and no purpose
	// was stated: nothing but the masked name is given.
	Closed bool
}

// Attribute finds an attribute of the profile, nil when nobody states it.
func (c *Customer) Attribute(name string) *Attribute {
	for i := range c.Attributes {
		if c.Attributes[i].Rule.Name == name {
			return &c.Attributes[i]
		}
	}
	return nil
}

// Value gives the shown value of an attribute, "" when nobody states it.
func (c *Customer) Value(name string) string {
	if a := c.Attribute(name); a != nil {
		return a.Value
	}
	return ""
}

// RecordIDs are the ids of the customer's records.
func (c *Customer) RecordIDs() []string {
	out := make([]string, len(c.Records))
	for i, r := range c.Records {
		out[i] = r.RecordID
	}
	return out
}

// Systems are the systems that know the customer.
func (c *Customer) Systems() (out []string) {
	for _, r := range c.Records {
		if !r.Anonymous {
			out = append(out, r.System)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Get reads the customer that an id belongs to. Identifiers are masked unless the
// reader has stated a purpose that opens them.
func (s *Service) Get(ctx context.Context, id string) (c *Customer, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	codes, err := s.codes(ctx)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		customer, records, err := identity.Members(ctx, tx, id)
		if err != nil {
			return err
		}
		c, err = s.read(ctx, tx, customer, records, codes)
		return err
	})
	return c, err
}

// codes are the units of the reader's place; nil means all.
func (s *Service) codes(ctx context.Context) (map[string]bool, error) {
	sc, _ := scope.From(ctx)
	if sc.Unit == scope.Root || s.Units == nil {
		return nil, nil
	}
	return s.Units(ctx)
}

// material is what profiles are made of, for several customers at once.
type material struct {
	members map[string][]string // customer → records
	records map[string]identity.Record
	traits  map[string]*identity.Traits
	grants  map[string]grant // by customer
}

func (s *Service) load(ctx context.Context, tx store.Tx, members map[string][]string) (*material, error) {
	m := &material{members: members, records: map[string]identity.Record{}}
	var customers, ids []string
	for c, records := range members {
		customers, ids = append(customers, c), append(ids, records...)
	}
	records, err := identity.RecordsOf(ctx, tx, s.box, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		m.records[r.RecordID] = r
	}
	if m.traits, err = identity.TraitsOf(ctx, tx, s.box, ids); err != nil {
		return nil, err
	}
	m.grants, err = grantsOf(ctx, tx, customers)
	return m, err
}

// read reads one customer whole.
func (s *Service) read(ctx context.Context, tx store.Tx, customer string, ids []string, codes map[string]bool) (*Customer, error) {
	m, err := s.load(ctx, tx, map[string][]string{customer: ids})
	if err != nil {
		return nil, err
	}
	c, err := s.make(m, customer, codes)
	if err != nil || c.Closed {
		return c, err
	}
	did, err := identity.DidOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var deeds []state.Deed
	for _, d := range did {
		deeds = append(deeds, d.Deeds...)
	}
	c.Computed = s.rules.compute(deeds)
	return c, nil
}

// make makes a customer of what was loaded, masked for the reader.
func (s *Service) make(m *material, customer string, codes map[string]bool) (*Customer, error) {
	var records []identity.Record
	for _, id := range m.members[customer] {
		if r, ok := m.records[id]; ok {
			records = append(records, r)
		}
	}
	if len(records) == 0 {
		return nil, errs.NotFound("customer.error.not_found", "no customer %s", customer)
	}
	identity.Order(records)
	c := &Customer{ID: customer, Records: records, Prospect: true, FirstSeen: records[0].FirstSeen}
	for _, r := range records {
		c.Prospect = c.Prospect && r.Anonymous
		c.FirstSeen, c.LastSeen, c.Events = min(c.FirstSeen, r.FirstSeen), max(c.LastSeen, r.LastSeen), c.Events+r.Events
	}
	if g, ok := m.grants[customer]; ok {
		c.Purpose, c.Until = s.rules.Purpose(g.Purpose), g.Until
	}
	c.Closed = c.Purpose == nil && codes != nil && !slices.ContainsFunc(records, func(r identity.Record) bool { return codes[r.Unit] })
	sources := make([]Source, 0, len(records))
	for _, r := range records {
		if t := m.traits[r.RecordID]; t != nil {
			said, err := t.Members()
			if err != nil {
				return nil, err
			}
			sources = append(sources, Source{r.RecordID, r.System, said})
		}
	}
	c.Attributes = s.rules.Golden(sources)
	c.Name = c.Value("name")
	if c.Closed {
		c.Attributes, c.Records, c.Name = nil, nil, initials(c.Name)
		return c, nil
	}
	c.hide()
	return c, nil
}

// hide masks what no purpose opens, in the chosen values and in all others.
func (c *Customer) hide() {
	for i := range c.Attributes {
		a := &c.Attributes[i]
		if a.Rule.Mask == MaskNone || c.Purpose.opens(a.Rule.Name) {
			continue
		}
		a.Hidden = true
		a.Candidate = a.Rule.hidden(a.Candidate)
		for j := range a.Others {
			a.Others[j] = a.Rule.hidden(a.Others[j])
		}
	}
	if c.Purpose == nil || !c.Purpose.opens("citizen_id") {
		for i := range c.Records {
			c.Records[i].External.Plain = maskedExternal(c.Records[i].External.Plain)
		}
	}
}

func (a *AttributeRule) hidden(c Candidate) Candidate {
	c.By = slices.Clone(c.By)
	for i := range c.By {
		c.By[i].Value = a.mask(c.By[i].Value)
	}
	c.Value = a.mask(c.Value)
	return c
}

// maskedExternal keeps the system and the last digits of a record's own number.
func maskedExternal(name string) string {
	at := strings.LastIndexByte(name, ':')
	if at < 0 {
		return ""
	}
	id := []rune(name[at+1:])
	return name[:at+1] + "••" + string(id[max(0, len(id)-3):])
}

// initials is a name that only tells people apart.
func initials(name string) string {
	var out []string
	for _, w := range strings.Fields(name) {
		out = append(out, string([]rune(w)[:1])+".")
	}
	return strings.Join(out, " ")
}

// Summary is a customer in a list.
type Summary struct {
	*Customer
	Hit search.Hit
}

// Results are the customers that a search found.
type Results struct {
	Items []Summary
	More  bool
}

// Find searches customers. Outside the reader's place a customer is given only
// when a whole number or mail address was asked for, which the customer in front
// of the reader has told.
func (s *Service) Find(ctx context.Context, query string, limit int) (out Results, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return out, err
	}
	codes, err := s.codes(ctx)
	if err != nil {
		return out, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = Results{}
		found, err := s.index.Find(ctx, tx, query, cmp.Or(limit, 50))
		if err != nil {
			return err
		}
		out.More = found.More
		var records []string
		for _, h := range found.Hits {
			records = append(records, h.Customer)
		}
		members, err := identity.MembersOf(ctx, tx, records)
		if err != nil {
			return err
		}
		m, err := s.load(ctx, tx, members)
		if err != nil {
			return err
		}
		for _, h := range found.Hits {
			c, err := s.make(m, h.Customer, codes)
			if err != nil {
				return err
			}
			if c.Closed && !found.Full {
				continue
			}
			out.Items = append(out.Items, Summary{c, h})
		}
		return nil
	})
	return out, err
}

// State writes down for which purpose the reader looks at a customer. It opens
// what the purpose opens, for its time, and stands in the audit trail.
func (s *Service) State(ctx context.Context, id, purpose, reason string) error {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return err
	}
	p := s.rules.Purpose(purpose)
	if p == nil {
		return errs.Invalid("customer.profile.error.purpose", "purpose", "unknown purpose %q", purpose)
	}
	if len(reason) > identity.MaxReason {
		return errs.TooLarge("customer.identity.error.reason_length", "the reason is longer than %d bytes", identity.MaxReason).With("max", identity.MaxReason)
	}
	sc, _ := scope.From(ctx)
	sc.Purpose = purpose
	return s.db.Write(scope.With(ctx, sc), func(ctx context.Context, tx store.Tx) error {
		customer, records, err := identity.Members(ctx, tx, id)
		if err != nil {
			return err
		}
		known, err := identity.LastSeen(ctx, tx, records)
		if err != nil {
			return err
		}
		if len(known) == 0 {
			return errs.NotFound("customer.error.not_found", "no customer %s", id)
		}
		g := grant{Entity: tx.Scope.Entity, CustomerID: customer, Actor: tx.Scope.Actor, Purpose: purpose, At: tx.Now(), Until: tx.Now().Add(p.Lasts())}
		if err := storeGrant(ctx, tx, &g); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.profile.open", Object: "customer/" + customer, Reason: reason})
	})
}
