package warehouse

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

func TestExportsHoldTheRows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		fs := facts(rand.New(rand.NewPCG(12, 12)), 700, 1)
		fs[0].Case = "quote \" comma , line\nend"
		if err := w.append(ctx, 0, last(fs), fs); err != nil {
			t.Fatal(err)
		}
		const query = `SELECT event_id, occurred_at, case_key, amount, history, props, CAST(occurred_at AS DATE) AS day, log_seq * 0.5 AS half FROM {event}`
		want := map[string]*Fact{}
		for i := range fs {
			want[w.EventID(&fs[i].Event).String()] = &fs[i]
		}
		for _, format := range []Format{CSV, NDJSON, Parquet} {
			var b bytes.Buffer
			var told int64
			n, err := w.Export(ctx, &b, format, func(rows int64) { told = rows }, query)
			if err != nil || n != int64(len(fs)) || told != n {
				t.Fatalf("%s: %d rows, told %d, %v", format, n, told, err)
			}
			got := readExport(t, format, b.Bytes())
			if len(got) != len(fs) {
				t.Fatalf("%s: %d rows read back", format, len(got))
			}
			for _, r := range got {
				f := want[r.id]
				if f == nil {
					t.Fatalf("%s: unknown id %q", format, r.id)
				}
				amount := ""
				if f.Currency != "" {
					amount = fmt.Sprint(f.Amount)
				}
				if !r.at.Equal(f.Time()) || r.caseKey != f.Case || r.amount != amount || r.day != f.Time().Format(time.DateOnly) || r.half != float64(f.Seq)/2 {
					t.Fatalf("%s: %+v is not %+v", format, r, f)
				}
				if !json.Valid([]byte(r.props)) {
					t.Fatalf("%s: props %q", format, r.props)
				}
			}
		}
	})
}

type exported struct {
	id, caseKey, amount, props, day string
	at                              time.Time
	half                            float64
}

func readExport(t *testing.T, format Format, b []byte) (out []exported) {
	t.Helper()
	switch format {
	case CSV:
		rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows[1:] {
			e := exported{id: r[0], caseKey: r[2], amount: r[3], props: r[5], day: r[6]}
			e.at, err = time.Parse(time.RFC3339, r[1])
			if err != nil {
				t.Fatal(err)
			}
			fmt.Sscan(r[7], &e.half)
			out = append(out, e)
		}
	case NDJSON:
		for line := range strings.SplitSeq(strings.TrimSpace(string(b)), "\n") {
			var r struct {
				ID    string          `json:"event_id"`
				At    time.Time       `json:"occurred_at"`
				Case  string          `json:"case_key"`
				Sum   *int64          `json:"amount"`
				Props json.RawMessage `json:"props"`
				Day   string          `json:"day"`
				Half  float64         `json:"half"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			e := exported{id: r.ID, caseKey: r.Case, props: string(r.Props), day: r.Day, at: r.At, half: r.Half}
			if r.Sum != nil {
				e.amount = fmt.Sprint(*r.Sum)
			}
			out = append(out, e)
		}
	case Parquet:
		out = readParquet(t, b)
	}
	return out
}

// readParquet reads the file with another reader than the one that wrote it.
func readParquet(t *testing.T, b []byte) (out []exported) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT event_id, occurred_at, case_key, coalesce(CAST(amount AS VARCHAR), ''), CAST(props AS VARCHAR), CAST(day AS VARCHAR), half FROM read_parquet('` + path + `')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var e exported
		if err := rows.Scan(&e.id, &e.at, &e.caseKey, &e.amount, &e.props, &e.day, &e.half); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func TestExportOfTables(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		fs := facts(rand.New(rand.NewPCG(13, 13)), 100, 1)
		if err := w.append(ctx, 0, last(fs), fs); err != nil {
			t.Fatal(err)
		}
		for table := range relations {
			for _, format := range []Format{CSV, NDJSON, Parquet} {
				if _, err := w.ExportTable(ctx, &bytes.Buffer{}, format, nil, table); err != nil {
					t.Errorf("%s as %s: %v", table, format, err)
				}
			}
		}
		if _, err := w.ExportTable(ctx, &bytes.Buffer{}, CSV, nil, "watermark"); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("an inner table was exported: %v", err)
		}
		if _, err := w.ExportTable(ctx, &bytes.Buffer{}, "xlsx", nil, "event"); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("an unknown format: %v", err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := w.ExportTable(cancelled, &bytes.Buffer{}, CSV, nil, "event"); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled export: %v", err)
		}
	})
}
