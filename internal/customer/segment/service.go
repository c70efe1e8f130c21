package segment

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"omote/analytics/rule"
	"omote/analytics/text/normalise"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Positions gives where the stream stands, as a transaction sees it; the state
// projector's is one.
type Positions func(ctx context.Context, tx store.Tx) (map[int]uint64, error)

// Deps are what segments need.
type Deps struct {
	DB         *store.DB
	Facts      Facts
	Pseudonyms *pseudonym.Maker
	Clock      clock.Clock
	Entity     string
	// Hook hears of who enters and leaves; may be nil.
	Hook Hook
	// Reach tells who may be reached; may be nil where nothing decides that yet.
	Reach Reach
	// Seen lists the events that have been seen, for suggestions; may be nil.
	Seen func(ctx context.Context) ([]string, error)
}

// Service keeps segments. It is safe for concurrent use.
type Service struct {
	Deps
	Attributes *Attributes
	rules      *rules
	handler    *Handler
	filler     *Filler
	timer      *Clock
	positions  Positions
	approvals  *approval.Service // nil: whoever may edit brings to life
}

// NewService makes the service with the shipped attributes.
func NewService(d Deps) (*Service, error) {
	attributes, err := shippedAttributes()
	if err != nil {
		return nil, err
	}
	r := &rules{}
	return &Service{Deps: d, Attributes: attributes, rules: r,
		handler: &Handler{pseudonyms: d.Pseudonyms, rules: r, hook: d.Hook},
		filler:  &Filler{db: d.DB, facts: d.Facts, rules: r, hook: d.Hook, entity: d.Entity, wake: make(chan struct{}, 1)},
		timer:   &Clock{db: d.DB, rules: r, hook: d.Hook, entity: d.Entity},
	}, nil
}

// Follow tells the service where the stream's positions are found. It is called
// once, when the projector that runs the Handler exists.
func (s *Service) Follow(p Positions) { s.positions = p }

// Handler is the part that runs in the state projector.
func (s *Service) Handler() *Handler { return s.handler }

// Filler is the background work that brings versions to life.
func (s *Service) Filler() *Filler { return s.filler }

// Timer is the background work that follows time and identity.
func (s *Service) Timer() *Clock { return s.timer }

// Summary is a segment as lists show it.
type Summary struct {
	Version Version // the live one, else the newest
	Newest  int
	Draft   bool // a newer version waits to be activated
	Members int64
	Trend   []Size // observed and computed sizes, oldest first
}

// Filter narrows a list. Empty fields narrow nothing.
type Filter struct {
	Query  string // part of id, name or purpose, whatever case and marks
	Status Status
	Group  string
}

// List gives the segments by id.
func (s *Service) List(ctx context.Context, f Filter) (out []Summary, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	query := normalise.Fold(strings.TrimSpace(f.Query))
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := allVersions(ctx, tx)
		if err != nil {
			return err
		}
		sizes, err := memberCounts(ctx, tx)
		if err != nil {
			return err
		}
		trend, err := sizesOf(ctx, tx, "")
		if err != nil {
			return err
		}
		out = nil
		for id, versions := range bySegment(rows) {
			v, err := pick(versions).version()
			if err != nil {
				return err
			}
			d := v.Definition
			text := normalise.Fold(strings.Join([]string{id, d.Name.En, d.Name.Vi, d.Intent.En, d.Intent.Vi}, "\n"))
			if !strings.Contains(text, query) || f.Status != "" && v.Status != f.Status || f.Group != "" && d.Group != f.Group {
				continue
			}
			newest := versions[0]
			out = append(out, Summary{Version: *v, Newest: newest.Version, Draft: newest.Status == Draft && newest.Version != v.Version,
				Members: sizes[id], Trend: trend[id]})
		}
		slices.SortFunc(out, func(a, b Summary) int { return strings.Compare(a.Version.Definition.ID, b.Version.Definition.ID) })
		return nil
	})
	return out, err
}

// bySegment groups versions, the newest first in each.
func bySegment(rows []versionRow) map[string][]*versionRow {
	out := map[string][]*versionRow{}
	for i := range rows {
		out[rows[i].SegmentID] = append(out[rows[i].SegmentID], &rows[i])
	}
	return out
}

// pick is the version that stands for a segment: the live one, else the one that
// fills, else the newest.
func pick(versions []*versionRow) *versionRow {
	for _, status := range []Status{Live, Filling} {
		for _, v := range versions {
			if v.Status == status {
				return v
			}
		}
	}
	return versions[0]
}

// Get gives a version of a segment; 0 is the one that stands for it.
func (s *Service) Get(ctx context.Context, id string, version int) (v *Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		row, err := oneVersion(ctx, tx, id, version)
		if err != nil {
			return err
		}
		v, err = row.version()
		return err
	})
	return v, err
}

func oneVersion(ctx context.Context, tx store.Tx, id string, version int) (*versionRow, error) {
	rows, err := versionsOf(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return pick(bySegment(rows)[id]), nil
	}
	for i := range rows {
		if rows[i].Version == version {
			return &rows[i], nil
		}
	}
	return nil, errs.NotFound("segment.error.not_found", "there is no version %d of segment %s", version, id).With("id", id)
}

// Versions gives the history of a segment, the newest first.
func (s *Service) Versions(ctx context.Context, id string) (out []*Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := versionsOf(ctx, tx, id)
		if err != nil {
			return err
		}
		out = nil
		for i := range rows {
			v, err := rows[i].version()
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// maxReason bounds reasons, in bytes.
const maxReason = 1000

// Save makes a draft of a new segment or of a new version. A draft that is there
// is overwritten; reason says why.
func (s *Service) Save(ctx context.Context, d Definition, reason string) (v *Version, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxReason {
		return nil, errs.Invalid("segment.error.reason", "reason", "say why, in at most %d bytes", maxReason)
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := s.resolve(ctx, tx, &d); err != nil {
			return err
		}
		row, err := s.save(ctx, tx, d, "person", reason)
		if err != nil {
			return err
		}
		if v, err = row.version(); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.segment.save", Object: object(d.ID, v.Version), Reason: reason, After: d})
	})
	return v, err
}

func object(id string, version int) string { return fmt.Sprintf("segment/%s/%d", id, version) }

func (s *Service) save(ctx context.Context, tx store.Tx, d Definition, origin, reason string) (*versionRow, error) {
	rows, err := versionsOf(ctx, tx, d.ID)
	if err != nil && errs.KindOf(err) != errs.KindNotFound {
		return nil, err
	}
	body, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	row := &versionRow{Entity: tx.Scope.Entity, SegmentID: d.ID, Version: 1, Status: Draft, Origin: origin, Body: body, Reason: reason, CreatedAt: tx.Now(), CreatedBy: tx.Scope.Actor}
	if len(rows) > 0 {
		if rows[0].Status == Draft {
			row.Version = rows[0].Version
			// What waits for a second person was another text.
			if err := s.withdraw(ctx, tx, d.ID, row.Version); err != nil {
				return nil, err
			}
			return row, updateVersion(ctx, tx, row, "definition", "reason", "created_at", "created_by", "origin")
		}
		row.Version = rows[0].Version + 1
	}
	return row, insertVersion(ctx, tx, row)
}

// resolved is a definition's rules with all they refer to written out.
type resolved struct{ enters, leaves rule.Rule }

// resolve writes out what a definition's rules refer to: attributes, and the
// segments that are live.
func (s *Service) resolve(ctx context.Context, tx store.Tx, d *Definition) (r resolved, err error) {
	return s.resolveAmong(ctx, tx, d, nil)
}

// ActivateIn brings a draft to life within a running transaction, whose caller has
// authorised and, where members are contacted, has had it checked.
func (s *Service) ActivateIn(ctx context.Context, tx store.Tx, id string, version int) error {
	row, err := oneVersion(ctx, tx, id, version)
	if err != nil {
		return err
	}
	if row.Status != Draft {
		return notDraft(row)
	}
	if err := s.activate(ctx, tx, []*versionRow{row}); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "customer.segment.activate", Object: object(id, row.Version)})
}

func (s *Service) activate(ctx context.Context, tx store.Tx, rows []*versionRow) error {
	running, err := runningVersions(ctx, tx)
	if err != nil {
		return err
	}
	if len(running)+len(rows) > MaxSegments {
		return errs.TooLarge("segment.error.too_many", "at most %d segments are in use at a time", MaxSegments).With("max", MaxSegments)
	}
	for i := range running {
		if running[i].Status == Filling && slices.ContainsFunc(rows, func(r *versionRow) bool { return r.SegmentID == running[i].SegmentID }) {
			return errs.Conflict("segment.error.filling", "version %d of %s is taking up history", running[i].Version, running[i].SegmentID).With("id", running[i].SegmentID)
		}
	}
	changed := map[string]bool{}
	for _, r := range rows {
		changed[r.SegmentID] = true
	}
	// Segments that say "in …" of a changed one are written out anew.
	for again := true; again; {
		again = false
		for i := range running {
			d, err := running[i].definition()
			if err != nil {
				return err
			}
			if changed[d.ID] || !refersTo(&d, changed) {
				continue
			}
			follower, err := s.save(ctx, tx, d, running[i].Origin, "a segment that it refers to has changed")
			if err != nil {
				return err
			}
			changed[d.ID], again = true, true
			rows = append(rows, follower)
		}
	}
	for _, r := range rows {
		d, err := r.definition()
		if err != nil {
			return err
		}
		out, err := s.resolveAmong(ctx, tx, &d, rows)
		if err != nil {
			return err
		}
		r.Enters, r.Leaves = out.enters.String(), ""
		if d.Exit != "" {
			r.Leaves = out.leaves.String()
		}
	}
	positions, err := s.positions(ctx, tx)
	if err != nil {
		return err
	}
	if err := startFill(ctx, tx, positions, uuid.Must(uuid.NewV7()).String(), rows); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		select {
		case s.filler.wake <- struct{}{}:
		default:
		}
	})
	return nil
}

// resolveAmong resolves a definition that may refer to others that are activated with it.
func (s *Service) resolveAmong(ctx context.Context, tx store.Tx, d *Definition, rows []*versionRow) (resolved, error) {
	running, err := runningVersions(ctx, tx)
	if err != nil {
		return resolved{}, err
	}
	others := map[string]Definition{}
	for i := range running {
		def, err := running[i].definition()
		if err != nil {
			return resolved{}, err
		}
		others[def.ID] = def
	}
	for _, r := range rows {
		def, err := r.definition()
		if err != nil {
			return resolved{}, err
		}
		others[def.ID] = def
	}
	return s.among(d, others)
}

// among resolves a definition's rules among the segments that they may refer to.
func (s *Service) among(d *Definition, others map[string]Definition) (out resolved, err error) {
	others[d.ID] = *d // so that a circle is found
	c := catalogue{attributes: s.Attributes, segments: others}
	for _, part := range []struct {
		field, text string
		to          *rule.Rule
	}{{"rule", d.Rule, &out.enters}, {"exit", d.Exit, &out.leaves}} {
		if part.text == "" {
			continue
		}
		parsed, err := rule.Parse(part.text)
		if err != nil {
			return out, RuleError(part.field, err)
		}
		if *part.to, err = rule.Resolve(parsed, c); err != nil {
			return out, RuleError(part.field, err)
		}
	}
	return out, nil
}

func refersTo(d *Definition, ids map[string]bool) bool {
	for _, text := range []string{d.Rule, d.Exit} {
		r, err := rule.Parse(text)
		if err != nil {
			continue
		}
		refs, _ := r.References()
		if slices.ContainsFunc(refs, func(id string) bool { return ids[id] }) {
			return true
		}
	}
	return false
}

// Retire takes a segment out of use: its memberships end, its history stays.
func (s *Service) Retire(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxReason {
		return errs.Invalid("segment.error.reason", "reason", "say why, in at most %d bytes", maxReason)
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		running, err := runningVersions(ctx, tx)
		if err != nil {
			return err
		}
		found := false
		for i := range running {
			d, err := running[i].definition()
			if err != nil {
				return err
			}
			if d.ID != id {
				if refersTo(&d, map[string]bool{id: true}) {
					return errs.Conflict("segment.error.referred", "segment %s refers to %s", d.ID, id).With("id", id).With("by", d.ID)
				}
				continue
			}
			if running[i].Status == Filling {
				return errs.Conflict("segment.error.filling", "version %d of %s is taking up history", running[i].Version, id).With("id", id)
			}
			found = true
			running[i].Status = Retired
			if err := updateVersion(ctx, tx, &running[i], "status"); err != nil {
				return err
			}
		}
		if !found {
			return errs.NotFound("segment.error.not_found", "segment %s is not in use", id).With("id", id)
		}
		if err := departAll(ctx, tx, id); err != nil {
			return err
		}
		if err := renewSet(ctx, tx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.segment.retire", Object: "segment/" + id, Reason: reason})
	})
}

// Install brings the shipped segments in where they are missing, and activates
// them. What a bank has changed stays.
func (s *Service) Install(ctx context.Context) (added int, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return 0, err
	}
	shipped, err := shippedSegments()
	if err != nil {
		return 0, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		added = 0
		have, err := allVersions(ctx, tx)
		if err != nil {
			return err
		}
		known := bySegment(have)
		var rows []*versionRow
		for _, d := range order(shipped) {
			if known[d.ID] != nil {
				continue
			}
			row, err := s.save(ctx, tx, d, "pack:bank_segments", "shipped with the product")
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		if added = len(rows); added == 0 {
			return nil
		}
		return s.activate(ctx, tx, rows)
	})
	return added, err
}

// Check is what can be told of a rule before it is saved.
type Check struct {
	Text     string // in its settled form
	Rule     rule.Rule
	Resolved string
	Unseen   []string // events that the rule names and nobody has seen
	Counts   Counts
	Sample   []string // a few of whom it holds, for who may see members
	At       time.Time
	Took     time.Duration
}

// Check reads a rule, tells what it means, and counts it over the warehouse as of
// now when count is set.
func (s *Service) Check(ctx context.Context, text string, count bool) (*Check, error) {
	if err := auth.Require(ctx, PermRead, scope.Root); err != nil {
		return nil, err
	}
	r, err := rule.Parse(text)
	if err != nil {
		return nil, RuleError("rule", err)
	}
	out := &Check{Text: r.String(), Rule: r, At: s.Clock.Now()}
	d := Definition{ID: "draft_", Rule: text}
	var full resolved
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		full, err = s.resolve(ctx, tx, &d)
		return err
	})
	if err != nil {
		return nil, err
	}
	out.Resolved = full.enters.String()
	if s.Seen != nil {
		seen, err := s.Seen(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range full.enters.Events() {
			if e != rule.Any && e != rule.Profile && !slices.Contains(seen, e) {
				out.Unseen = append(out.Unseen, e)
			}
		}
	}
	if !count {
		return out, nil
	}
	p, err := rule.Compile(full.enters)
	if err != nil {
		return nil, RuleError("rule", err)
	}
	begin := time.Now()
	if out.Counts, err = countRule(s.whole(ctx), s.Facts, p, out.At.UnixMicro()); err != nil {
		return nil, err
	}
	out.Took = time.Since(begin)
	if out.Counts.Members > 0 && auth.Require(ctx, PermMember, scope.Root) == nil {
		out.Sample, err = sample(s.whole(ctx), s.Facts, p, out.At.UnixMicro(), sampleMembers)
	}
	return out, err
}

// sampleMembers are how many customers a check names.
const sampleMembers = 5

// whole is the scope in which figures of the whole entity are read, for somebody
// who may see the whole entity.
func (s *Service) whole(ctx context.Context) context.Context {
	sc, _ := scope.From(ctx)
	return scope.With(ctx, scope.Process(sc.Entity, "segment figures"))
}
