package connect

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"omote/internal/ingest/files"
	"omote/internal/ingest/mapping"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// pull runs an SQL connector: page by page from where it stands to the newest row.
func (s *Service) pull(ctx context.Context, c *Connector) error {
	src := c.Config.Source
	password := c.Secret.Plain
	db, err := Open(src, password)
	if err != nil {
		return err
	}
	defer db.Close()
	limit := src.Page
	if limit == 0 {
		limit = DefaultPage
	}
	at := src.back(mark{c.Mark, c.MarkKey})
	c.LastRows = 0
	filled := map[string]int64{}
	for {
		query, args, err := pageQuery(src, at, limit)
		if err != nil {
			return err
		}
		page, err := s.page(ctx, c, db, query, args, filled)
		if page.err != nil {
			return scrub(page.err, password)
		}
		if err != nil {
			return err
		}
		if page.rows > 0 {
			at = page.last
			if later(src, at, mark{c.Mark, c.MarkKey}) {
				c.Mark, c.MarkKey = at.value, at.key
			}
			c.Rows, c.LastRows = c.Rows+page.rows, c.LastRows+page.rows
			if err := s.note(ctx, c); err != nil {
				return err
			}
		}
		if page.rows < int64(limit) {
			return nil
		}
	}
}

// later tells whether a mark lies beyond another.
func later(s *Source, a, b mark) bool {
	if b.value == "" {
		return true
	}
	x, errX := s.typed(a.value)
	y, errY := s.typed(b.value)
	if errX != nil || errY != nil {
		return false
	}
	switch x := x.(type) {
	case time.Time:
		if !x.Equal(y.(time.Time)) {
			return x.After(y.(time.Time))
		}
	case int64:
		if x != y.(int64) {
			return x > y.(int64)
		}
	}
	return a.key > b.key
}

// page is what one page of rows came to. err is the database's.
type page struct {
	rows int64
	last mark
	err  error
}

func (s *Service) page(ctx context.Context, c *Connector, db *sql.DB, query string, args []any, filled map[string]int64) (p page, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	src := c.Config.Source
	rows, err := readRows(ctx, db, query, args)
	if err != nil {
		return page{err: err}, nil
	}
	defer rows.rows.Close()
	m := c.Config.Mapping
	m.System = c.Config.System
	builder, err := mapping.NewBuilder(&m, s.Plans.Checker(c.Entity), mapping.Origin{Entity: c.Entity, History: c.Config.History, Received: s.DB.Now().Time()})
	if err != nil {
		return p, err
	}
	var batch []event.Event
	var bad []quarantine.Row
	for {
		row, err := rows.next()
		if err != nil {
			return page{err: err}, nil
		}
		if row == nil {
			break
		}
		p.rows++
		for i, v := range row.Values {
			if v.Kind != files.Null {
				filled[row.Columns[i]]++
			}
		}
		key, _ := row.Get(src.Key)
		at, _ := row.Get(src.Mark)
		value := at.Text
		if src.MarkIs == ByTime && at.Kind != files.Instant {
			return p, errs.Invalid("connect.error.mark", "mark", "the watermark column %s is no time", src.Mark)
		}
		if src.MarkIs == ByTime {
			c.Newest = max(c.Newest, store.Micros(at.Micros))
		}
		p.last = mark{value, key.Text}
		events, err := builder.Build(row)
		if rowErr, isRow := errors.AsType[*files.RowError](err); isRow {
			bad = append(bad, s.refused(c, row, key.Text, rowErr))
			continue
		}
		if err != nil {
			return p, err
		}
		id := messageID(c.ID, key.Text, value)
		for i := range events {
			e := events[i]
			e.Source, e.MessageID, e.Import = sourceName(c), id, ""
			if i > 0 {
				e.MessageID += fmt.Sprintf(":%d", i)
			}
			batch = append(batch, e)
		}
	}
	c.Columns = c.Columns[:0]
	for _, name := range rows.columns {
		c.Columns = append(c.Columns, Column{Name: name, To: target(&m, name), Filled: filled[name]})
	}
	if err := s.send(ctx, batch); err != nil {
		return p, err
	}
	c.Sent, c.Quarantined = c.Sent+int64(len(batch)), c.Quarantined+int64(len(bad))
	return p, s.Quarantine.Put(ctx, bad)
}

// sourceName is the feed of a connector's events.
func sourceName(c *Connector) string { return "connect:" + c.ID[max(0, len(c.ID)-12):] }

// messageID makes the id of a row: the same row at the same mark is the same fact.
func messageID(connector, key, mark string) string {
	sum := sha256.Sum256([]byte(connector + "\x00" + key + "\x00" + mark))
	return hex.EncodeToString(sum[:16])
}

// send puts events into the log; it waits while the log asks for patience.
func (s *Service) send(ctx context.Context, batch []event.Event) error {
	for from := 0; from < len(batch); from += sendBatch {
		part := batch[from:min(from+sendBatch, len(batch))]
		for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			_, err := s.Log.Append(ctx, part)
			if err == nil {
				break
			}
			if errs.KindOf(err) != errs.KindUnavailable {
				return err
			}
			if err := clock.Sleep(ctx, wait); err != nil {
				return err
			}
		}
	}
	return nil
}

const sendBatch = 2_000

func (s *Service) refused(c *Connector, row *files.Row, key string, e *files.RowError) quarantine.Row {
	raw := map[string]string{}
	for i, v := range row.Values {
		if v.Kind != files.Null {
			raw[row.Columns[i]] = v.Text
		}
	}
	body, err := json.Marshal(raw)
	if err != nil {
		body = []byte("{}")
	}
	reason := e.Reason
	if reason == "" {
		reason = plan.Malformed
	}
	return quarantine.Row{Entity: c.Entity, Source: sourceName(c), RowNumber: row.Number, MessageID: key, Reason: reason, Field: e.Field, Detail: strings.TrimSpace(e.Detail), Raw: sealed.New(string(body))}
}
