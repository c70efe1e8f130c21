package segment

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/analytics/rule"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Reach tells for customers whether they may be contacted for a purpose over a
// channel, and if not, why: a short code of the reason. Consent fills it.
type Reach interface {
	Reach(ctx context.Context, tx store.Tx, purpose, channel string, customers []string) (map[string]string, error)
}

// Channels over which audiences are reached.
var Channels = []string{"sms", "email", "push", "zalo", "call"}

// Audience is whom one wants to reach: a segment for a use, over a channel, less
// other segments, with a share held out by a hash so that the effect can be
// measured. The same audience always holds out the same customers.
type Audience struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Segment string      `json:"segment"`
	Except  []string    `json:"except,omitempty"` // segments whose members are left out
	Use     string      `json:"use"`              // one of Uses
	Channel string      `json:"channel"`
	HoldOut float64     `json:"hold_out"` // share from 0 to 0.5
	Seed    string      `json:"seed"`     // of the split
	Made    time.Time   `json:"-"`
	MadeBy  string      `json:"-"`
	Figures Eligibility `json:"-"`
}

// Eligibility is what remains of an audience, step by step.
type Eligibility struct {
	Members int64            `json:"members"`
	Except  int64            `json:"except"` // left out for another segment
	Asked   int64            `json:"asked"`  // of how many the reach was asked: all, or a sample
	Reached int64            `json:"reached"`
	Reasons map[string]int64 `json:"reasons,omitempty"` // of those not reached
	HeldOut int64            `json:"held_out"`          // of those reached
	At      time.Time        `json:"at"`
	// Decided is false where nothing decides on reach: then nobody counts as reached.
	Decided bool `json:"decided"`
}

// Validate checks an audience.
func (a *Audience) Validate() error {
	if n := len([]rune(strings.TrimSpace(a.Name))); n == 0 || n > MaxName {
		return errs.Invalid("segment.error.name", "name", "a name has 1 to %d characters", MaxName).With("max", MaxName)
	}
	if !rule.ValidID(a.Segment) {
		return errs.Invalid("segment.error.not_found", "segment", "name a segment").With("id", a.Segment)
	}
	if !slices.Contains(Uses, a.Use) {
		return errs.Invalid("segment.error.uses", "use", "the use is one of %s", strings.Join(Uses, ", "))
	}
	if !slices.Contains(Channels, a.Channel) {
		return errs.Invalid("segment.error.channel", "channel", "the channel is one of %s", strings.Join(Channels, ", "))
	}
	if a.HoldOut < 0 || a.HoldOut > 0.5 {
		return errs.Invalid("segment.error.hold_out", "hold_out", "the share held out lies between 0 and 50 %%")
	}
	if len(a.Except) > 20 {
		return errs.Invalid("segment.error.except", "except", "at most 20 segments are left out")
	}
	return nil
}

// HeldOut reports whether a customer is held out: a hash of seed and customer
// falls into the share. It asks nobody and never changes.
func HeldOut(seed, customer string, share float64) bool {
	sum := sha256.Sum256([]byte(seed + "\x00" + customer))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11)/(1<<53) < share
}

type audienceRow struct {
	bun.BaseModel `bun:"table:customer_segment_audience"`
	Entity        string `bun:",pk"`
	ID            string `bun:",pk"`
	Body          json.RawMessage
	Figures       json.RawMessage
	CreatedAt     store.Micros
	CreatedBy     string
}

func (r *audienceRow) audience() (a Audience, err error) {
	if err := json.Unmarshal(r.Body, &a); err != nil {
		return a, fmt.Errorf("decode audience %s: %w", r.ID, err)
	}
	a.Made, a.MadeBy = r.CreatedAt.Time(), r.CreatedBy
	return a, json.Unmarshal(r.Figures, &a.Figures)
}

// MakeAudience builds an audience and counts it. A use that the segment does not
// allow is refused.
func (s *Service) MakeAudience(ctx context.Context, a Audience) (*Audience, error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return nil, err
	}
	if err := a.Validate(); err != nil {
		return nil, err
	}
	a.ID = uuid.Must(uuid.NewV7()).String()
	if a.Seed == "" {
		a.Seed = a.ID
	}
	e, err := s.count(ctx, &a)
	if err != nil {
		return nil, err
	}
	a.Figures = e
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		body, err := json.Marshal(a)
		if err != nil {
			return err
		}
		figures, err := json.Marshal(e)
		if err != nil {
			return err
		}
		row := &audienceRow{Entity: tx.Scope.Entity, ID: a.ID, Body: body, Figures: figures, CreatedAt: tx.Now(), CreatedBy: tx.Scope.Actor}
		a.Made, a.MadeBy = row.CreatedAt.Time(), row.CreatedBy
		if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
			return fmt.Errorf("store an audience: %w", err)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.segment.audience", Object: "audience/" + a.ID, After: a})
	})
	return &a, err
}

// Estimate counts an audience that is not kept.
func (s *Service) Estimate(ctx context.Context, a Audience) (Eligibility, error) {
	if err := auth.Require(ctx, PermRead, scope.Root); err != nil {
		return Eligibility{}, err
	}
	if a.Seed == "" {
		a.Seed = "estimate"
	}
	return s.count(ctx, &a)
}

// sampleSize is of how many members the reach is asked one by one; of larger
// audiences it is estimated from so many, drawn by hash.
const sampleSize = 5000

// count goes through the members.
func (s *Service) count(ctx context.Context, a *Audience) (e Eligibility, err error) {
	v, err := s.Get(ctx, a.Segment, 0)
	if err != nil {
		return e, err
	}
	if v.Status != Live {
		return e, errs.Conflict("segment.error.not_live", "segment %s is not in use", a.Segment).With("id", a.Segment)
	}
	if !slices.Contains(v.Definition.Uses, a.Use) {
		return e, errs.Denied("segment.error.use_refused", "segment %s is not to be used for %s", a.Segment, a.Use).With("id", a.Segment).With("use", a.Use)
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		e = Eligibility{At: tx.Now().Time(), Reasons: map[string]int64{}, Decided: s.Reach != nil}
		counts, err := memberCounts(ctx, tx)
		if err != nil {
			return err
		}
		e.Members = counts[a.Segment]
		share := 1.0
		if e.Members > sampleSize {
			share = sampleSize / float64(e.Members)
		}
		return s.eligible(ctx, tx, a, func(customer string, except bool) bool {
			if except {
				e.Except++
				return false
			}
			return share == 1 || HeldOut("sample", customer, share)
		}, func(customer, reason string) error {
			e.Asked++
			if reason != "" || s.Reach == nil {
				if reason != "" {
					e.Reasons[reason]++
				}
				return nil
			}
			e.Reached++
			if HeldOut(a.Seed, customer, a.HoldOut) {
				e.HeldOut++
			}
			return nil
		})
	})
	return e, err
}

// eligible walks through the members; wanted chooses whose reach is asked.
func (s *Service) eligible(ctx context.Context, tx store.Tx, a *Audience, wanted func(customer string, except bool) bool, told func(customer, reason string) error) error {
	after := ""
	for {
		page, err := members(ctx, tx, a.Segment, after, 500)
		if err != nil {
			return err
		}
		ids := make([]string, len(page.Items))
		for i, m := range page.Items {
			ids[i] = m.CustomerID
		}
		except, err := membersAmong(ctx, tx, a.Except, ids)
		if err != nil {
			return err
		}
		ids = slices.DeleteFunc(ids, func(c string) bool { return !wanted(c, except[c]) })
		reasons := map[string]string{}
		if s.Reach != nil && len(ids) > 0 {
			if reasons, err = s.Reach.Reach(ctx, tx, a.Use, a.Channel, ids); err != nil {
				return err
			}
		}
		for _, c := range ids {
			if err := told(c, reasons[c]); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// membersAmong tells which of the customers belong to any of the segments.
func membersAmong(ctx context.Context, tx store.Tx, segments, customers []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(segments) == 0 || len(customers) == 0 {
		return out, nil
	}
	var ids []string
	err := tx.NewRaw("SELECT DISTINCT customer_id FROM customer_segment_member WHERE entity = ? AND segment_id IN (?) AND customer_id IN (?) AND departed IS NULL",
		tx.Scope.Entity, bun.List(segments), bun.List(customers)).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("look for members: %w", err)
	}
	for _, id := range ids {
		out[id] = true
	}
	return out, nil
}

// Audiences gives those that were made, the newest first.
func (s *Service) Audiences(ctx context.Context) (out []Audience, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var rows []audienceRow
		if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("id DESC").Limit(200).Scan(ctx); err != nil {
			return fmt.Errorf("list audiences: %w", err)
		}
		out = nil
		for i := range rows {
			a, err := rows[i].audience()
			if err != nil {
				return err
			}
			out = append(out, a)
		}
		return nil
	})
	return out, err
}

// Audience gives one audience.
func (s *Service) Audience(ctx context.Context, id string) (a *Audience, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err = audience(ctx, tx, id)
		return err
	})
	return a, err
}

func audience(ctx context.Context, tx store.Tx, id string) (*Audience, error) {
	var row audienceRow
	err := tx.NewSelect().Model(&row).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, errs.NotFound("segment.error.no_audience", "there is no audience %s", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read an audience: %w", err)
	}
	a, err := row.audience()
	return &a, err
}

// Recipient is one customer of an audience, and whether they are held out.
type Recipient struct {
	CustomerID string
	HeldOut    bool
}

// Recipients gives whom an audience reaches now, held-out customers marked. It
// leaves the platform, so it is on the audit trail.
func (s *Service) Recipients(ctx context.Context, id string, yield func(Recipient) error) error {
	if err := auth.Require(ctx, PermExport, scope.Root); err != nil {
		return err
	}
	if s.Reach == nil {
		return errNoReach
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := audience(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.segment.export", Object: "audience/" + id})
	})
	if err != nil {
		return err
	}
	return s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err := audience(ctx, tx, id)
		if err != nil {
			return err
		}
		return s.eligible(ctx, tx, a, func(_ string, except bool) bool { return !except }, func(customer, reason string) error {
			if reason != "" {
				return nil
			}
			return yield(Recipient{customer, HeldOut(a.Seed, customer, a.HoldOut)})
		})
	})
}
