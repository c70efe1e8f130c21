// Package export hands out rows within the reader's scope, as open formats: CSV,
// NDJSON and Parquet. What it gives is pseudonymous, as the warehouse is: no
// name, no contact, comments masked.
package export

import (
	"context"
	"io"
	"net/http"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// PermRun is the right to take rows out.
const PermRun auth.Permission = "report.export.run"

// tables are what can be exported and where it comes from.
var tables = map[string]string{
	"events":    `SELECT * FROM {event_customer e}`,
	"responses": `SELECT * FROM {response_customer r}`,
	"customers": `SELECT customer_id, COUNT(DISTINCT record_id) AS records, COUNT(*) AS events, MIN(occurred_at) AS first_at, MAX(occurred_at) AS last_at
FROM {event_customer e} GROUP BY customer_id`,
}

// Service writes exports.
type Service struct {
	DB        *store.DB
	Warehouse *warehouse.Warehouse
}

// Write writes what (events, responses or customers) to out and gives the number
// of rows. The export is on the audit trail before its first row leaves.
func (s Service) Write(ctx context.Context, what string, format warehouse.Format, out io.Writer) (int64, error) {
	if err := auth.Require(ctx, PermRun, ""); err != nil {
		return 0, err
	}
	query, known := tables[what]
	if !known {
		return 0, errs.NotFound("export.error.what", "%q cannot be exported; use events, customers or responses", what)
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return audit.Record(ctx, tx, audit.Entry{Action: "report.export.run", Object: "export/" + what, Reason: string(format)})
	})
	if err != nil {
		return 0, err
	}
	return s.Warehouse.Export(ctx, out, format, nil, query)
}

var types = map[warehouse.Format]string{
	warehouse.CSV: "text/csv; charset=utf-8", warehouse.NDJSON: "application/x-ndjson", warehouse.Parquet: "application/vnd.apache.parquet",
}

// Routes adds GET /api/v1/exports/{what}?format=csv|ndjson|parquet, which
// streams.
func (s Service) Routes(r *httpx.Router) {
	r.Handle("GET /api/v1/exports/{what}", PermRun, func(w http.ResponseWriter, r *http.Request) error {
		format := warehouse.Format(r.URL.Query().Get("format"))
		if format == "" {
			format = warehouse.CSV
		}
		contentType, known := types[format]
		if !known {
			return errs.Invalid("export.error.format", "format", "format is csv, ndjson or parquet, not %q", format)
		}
		what := r.PathValue("what")
		if _, known := tables[what]; !known {
			return errs.NotFound("export.error.what", "%q cannot be exported; use events, customers or responses", what)
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Disposition", `attachment; filename="`+what+"-"+s.DB.Clock().Now().Format(time.DateOnly)+"."+string(format)+`"`)
		_, err := s.Write(r.Context(), what, format, w)
		return err
	})
}
