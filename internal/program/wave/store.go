package wave

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

type waveRow struct {
	bun.BaseModel `bun:"table:program_wave,alias:w"`

	Entity    string `bun:",pk"`
	ID        string `bun:",pk"`
	Unit      string
	State     string
	Version   int64
	Body      json.RawMessage
	Created   store.Micros
	CreatedBy string
	Changed   store.Micros
	ChangedBy string
}

func (r waveRow) doc() (Doc, error) {
	d := Doc{Head: Head{ID: r.ID, Unit: r.Unit, State: State(r.State), Version: int(r.Version), Created: r.Created.Time(), CreatedBy: r.CreatedBy, Changed: r.Changed.Time(), ChangedBy: r.ChangedBy}}
	if err := json.Unmarshal(r.Body, &d.Wave); err != nil {
		return d, fmt.Errorf("program: decode wave %s: %w", r.ID, err)
	}
	return d, nil
}

func notFound(id string) error {
	return errs.NotFound("program.wave.error.not_found", "no campaign %s", id)
}

// sees: a campaign is seen from above, and by the branches below that it holds for.
func sees(tx store.Tx, unit string) bool {
	return tx.Scope.Sees(unit) || strings.HasPrefix(tx.Scope.Unit, unit)
}

func add(ctx context.Context, tx store.Tx, unit string, w Wave) (Doc, error) {
	if unit == "" {
		unit = tx.Scope.Unit
	}
	if !tx.Scope.Sees(unit) {
		return Doc{}, errs.Denied("program.error.unit", "%s lies beyond the actor's place", unit).With("unit", unit)
	}
	raw, err := json.Marshal(w)
	if err != nil {
		return Doc{}, fmt.Errorf("program: encode wave: %w", err)
	}
	now := tx.Now()
	r := waveRow{Entity: tx.Scope.Entity, ID: uuid.Must(uuid.NewV7()).String(), Unit: unit, State: string(Draft), Version: 1, Body: raw, Created: now, CreatedBy: tx.Scope.Actor,
		Changed: now, ChangedBy: tx.Scope.Actor}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return Doc{}, fmt.Errorf("program: add wave: %w", err)
	}
	return r.doc()
}

func get(ctx context.Context, tx store.Tx, id string) (Doc, error) {
	var r waveRow
	err := tx.NewSelect().Model(&r).Where("w.entity = ? AND w.id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) || err == nil && !sees(tx, r.Unit) {
		return Doc{}, notFound(id)
	}
	if err != nil {
		return Doc{}, fmt.Errorf("program: read wave: %w", err)
	}
	return r.doc()
}

// list gives the campaigns that the scope sees, newest first.
func list(ctx context.Context, tx store.Tx, states ...State) ([]Doc, error) {
	var rows []waveRow
	q := tx.NewSelect().Model(&rows).Where("w.entity = ?", tx.Scope.Entity).Order("w.created DESC", "w.id DESC")
	if len(states) > 0 {
		q = q.Where("w.state IN (?)", bun.List(states))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("program: list waves: %w", err)
	}
	var out []Doc
	for _, r := range rows {
		if !sees(tx, r.Unit) {
			continue
		}
		d, err := r.doc()
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// save writes a wave that was read in this version.
func save(ctx context.Context, tx store.Tx, d *Doc) error {
	if !tx.Scope.Sees(d.Unit) {
		return notFound(d.ID)
	}
	raw, err := json.Marshal(d.Wave)
	if err != nil {
		return fmt.Errorf("program: encode wave: %w", err)
	}
	now := tx.Now()
	r := waveRow{Entity: tx.Scope.Entity, ID: d.ID, Unit: d.Unit, State: string(d.State), Version: int64(d.Version) + 1, Body: raw, Changed: now, ChangedBy: tx.Scope.Actor}
	res, err := tx.NewUpdate().Model(&r).Column("unit", "state", "version", "body", "changed", "changed_by").
		Where("w.entity = ? AND w.id = ? AND w.version = ?", r.Entity, r.ID, d.Version).Exec(ctx)
	if err != nil {
		return fmt.Errorf("program: change wave: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = errs.Conflict("program.error.changed", "the campaign was changed by somebody else meanwhile")
		}
		return err
	}
	d.Version++
	d.Changed, d.ChangedBy = now.Time(), tx.Scope.Actor
	return nil
}

type checkInRow struct {
	bun.BaseModel `bun:"table:program_checkin,alias:c"`

	Entity    string `bun:",pk"`
	Wave      string `bun:",pk"`
	Unit      string `bun:",pk"`
	Day       string `bun:",pk"`
	Behaviour string `bun:",pk"`
	Kept      bool
	Reason    string
	By        string
	At        store.Micros
}

// chunk is how many rows are written in one statement.
const chunk = 200

// putCheckIns writes check-ins; a later word on the same day and behaviour replaces
// an earlier one. It tells how many say something new.
func putCheckIns(ctx context.Context, tx store.Tx, wave string, list []CheckIn) (changed int, err error) {
	rows := make([]checkInRow, len(list))
	for i, c := range list {
		rows[i] = checkInRow{Entity: tx.Scope.Entity, Wave: wave, Unit: c.Unit, Day: c.Day.Format(time.DateOnly), Behaviour: c.Behaviour, Kept: c.Kept, Reason: c.Reason,
			By: tx.Scope.Actor, At: tx.Now()}
	}
	for len(rows) > 0 {
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		res, err := tx.NewInsert().Model(&part).On("CONFLICT (entity, wave, unit, day, behaviour) DO UPDATE").
			Set("kept = EXCLUDED.kept, reason = EXCLUDED.reason, by = EXCLUDED.by, at = EXCLUDED.at").
			Where("c.kept <> EXCLUDED.kept OR c.reason <> EXCLUDED.reason").Exec(ctx)
		if err != nil {
			return changed, fmt.Errorf("program: write check-ins: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return changed, err
		}
		changed += int(n)
	}
	return changed, nil
}

// checkIns reads the check-ins of a wave within the scope; unit "" reads all.
func checkIns(ctx context.Context, tx store.Tx, wave, unit string) ([]CheckIn, error) {
	var rows []checkInRow
	q := tx.NewSelect().Model(&rows).Where("c.entity = ? AND c.wave = ?", tx.Scope.Entity, wave).Order("c.unit", "c.day", "c.behaviour")
	if unit != "" {
		q = q.Where("c.unit = ?", unit)
	}
	if err := q.Where("c.unit LIKE ?", tx.Scope.Unit+"%").Scan(ctx); err != nil {
		return nil, fmt.Errorf("program: read check-ins: %w", err)
	}
	out := make([]CheckIn, len(rows))
	for i, r := range rows {
		day, err := time.Parse(time.DateOnly, r.Day)
		if err != nil {
			return nil, fmt.Errorf("program: a check-in's day: %w", err)
		}
		out[i] = CheckIn{Unit: r.Unit, Day: day, Behaviour: r.Behaviour, Kept: r.Kept, Reason: r.Reason, By: r.By, At: r.At.Time()}
	}
	return out, nil
}

type observationRow struct {
	bun.BaseModel `bun:"table:program_observation,alias:o"`

	Entity    string `bun:",pk"`
	Wave      string `bun:",pk"`
	Unit      string `bun:",pk"`
	Slot      string `bun:",pk"`
	Seat      int64  `bun:",pk"`
	Day       string
	Behaviour string
	Answers   string
	Met       bool
	Known     bool
	By        string
	At        store.Micros
}

// putObservations writes what was seen. A seat that is taken keeps its first word.
func putObservations(ctx context.Context, tx store.Tx, wave string, list []Observation) (added int, err error) {
	rows := make([]observationRow, len(list))
	for i, o := range list {
		rows[i] = observationRow{Entity: tx.Scope.Entity, Wave: wave, Unit: o.Unit, Slot: o.Slot, Seat: int64(o.Seat), Day: o.Day.Format(time.DateOnly), Behaviour: o.Behaviour,
			Answers: o.Answers, Met: o.Met, Known: o.Known, By: tx.Scope.Actor, At: tx.Now()}
	}
	for len(rows) > 0 {
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		res, err := tx.NewInsert().Model(&part).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return added, fmt.Errorf("program: write observations: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return added, err
		}
		added += int(n)
	}
	return added, nil
}

func observations(ctx context.Context, tx store.Tx, wave, unit string) ([]Observation, error) {
	var rows []observationRow
	q := tx.NewSelect().Model(&rows).Where("o.entity = ? AND o.wave = ?", tx.Scope.Entity, wave).Order("o.day", "o.unit", "o.slot", "o.seat")
	if unit != "" {
		q = q.Where("o.unit = ?", unit)
	}
	if err := q.Where("o.unit LIKE ?", tx.Scope.Unit+"%").Scan(ctx); err != nil {
		return nil, fmt.Errorf("program: read observations: %w", err)
	}
	out := make([]Observation, len(rows))
	for i, r := range rows {
		day, err := time.Parse(time.DateOnly, r.Day)
		if err != nil {
			return nil, fmt.Errorf("program: an observation's day: %w", err)
		}
		out[i] = Observation{Unit: r.Unit, Slot: r.Slot, Seat: int(r.Seat), Day: day, Behaviour: r.Behaviour, Answers: r.Answers, Met: r.Met, Known: r.Known, By: r.By, At: r.At.Time()}
	}
	return out, nil
}

type readingRow struct {
	bun.BaseModel `bun:"table:program_reading,alias:r"`

	Entity string `bun:",pk"`
	Wave   string `bun:",pk"`
	Day    string `bun:",pk"`
	Final  bool
	Body   json.RawMessage
	At     store.Micros
}

// putReading keeps a reading. What is final is never written over.
func putReading(ctx context.Context, tx store.Tx, wave string, r Reading) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("program: encode reading: %w", err)
	}
	row := readingRow{Entity: tx.Scope.Entity, Wave: wave, Day: r.Day.Format(time.DateOnly), Final: r.Final, Body: raw, At: tx.Now()}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (entity, wave, day) DO UPDATE").Set("final = EXCLUDED.final, body = EXCLUDED.body, at = EXCLUDED.at").
		Where("NOT r.final").Exec(ctx)
	if err != nil {
		return fmt.Errorf("program: write reading: %w", err)
	}
	return nil
}

// readings are those of a wave, oldest first.
func readings(ctx context.Context, tx store.Tx, wave string) ([]Reading, error) {
	var rows []readingRow
	if err := tx.NewSelect().Model(&rows).Where("r.entity = ? AND r.wave = ?", tx.Scope.Entity, wave).Order("r.day").Scan(ctx); err != nil {
		return nil, fmt.Errorf("program: read readings: %w", err)
	}
	out := make([]Reading, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal(r.Body, &out[i]); err != nil {
			return nil, fmt.Errorf("program: decode reading: %w", err)
		}
		out[i].Final = r.Final
	}
	return out, nil
}

// UnitMoved rewrites the paths that begin with from.
func UnitMoved(ctx context.Context, tx store.Tx, from, to string) error {
	all, err := list(ctx, tx)
	if err != nil {
		return err
	}
	for _, d := range all {
		moved := false
		for i := range d.Places {
			if rest, ok := strings.CutPrefix(d.Places[i].Unit, from); ok {
				d.Places[i].Unit, moved = to+rest, true
			}
		}
		if rest, ok := strings.CutPrefix(d.Unit, from); ok {
			d.Unit, moved = to+rest, true
		}
		if !moved {
			continue
		}
		if err := save(ctx, tx, &d); err != nil {
			return err
		}
	}
	for _, model := range []any{(*checkInRow)(nil), (*observationRow)(nil)} {
		if _, err := tx.NewUpdate().Model(model).Set("unit = ? || substr(unit, ?)", to, len(from)+1).Where("entity = ? AND unit LIKE ?", tx.Scope.Entity, from+"%").Exec(ctx); err != nil {
			return fmt.Errorf("program: move unit: %w", err)
		}
	}
	return nil
}
