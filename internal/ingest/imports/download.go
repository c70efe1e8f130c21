package imports

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"omote/internal/ingest/quarantine"
)

// WriteQuarantine writes the open quarantined rows of an import as a CSV that
// can be corrected and given to Retry: the file's own columns, preceded by the
// row's number and why it was set aside. It begins with a byte order mark, so
// that spreadsheet programs read the diacritics.
func (s *Service) WriteQuarantine(ctx context.Context, id string, to io.Writer) error {
	im, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	filter := quarantine.Filter{ImportID: im.ID, State: quarantine.Open}
	columns, err := s.quarantineColumns(ctx, filter)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(to, "\ufeff"); err != nil {
		return err
	}
	w := csv.NewWriter(to)
	header := append([]string{rowColumn, reasonColumn, fieldColumn, detailColumn}, columns...)
	if err := w.Write(header); err != nil {
		return err
	}
	for row, err := range s.Quarantine.All(ctx, filter) {
		if err != nil {
			return err
		}
		values, err := rawValues(row)
		if err != nil {
			return err
		}
		record := []string{strconv.FormatInt(row.RowNumber, 10), string(row.Reason), row.Field, row.Detail}
		for _, c := range columns {
			record = append(record, defuse(values[c]))
		}
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (s *Service) quarantineColumns(ctx context.Context, f quarantine.Filter) (columns []string, err error) {
	for row, err := range s.Quarantine.All(ctx, f) {
		if err != nil {
			return nil, err
		}
		values, err := rawValues(row)
		if err != nil {
			return nil, err
		}
		for c := range values {
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	}
	slices.Sort(columns)
	return columns, nil
}

func rawValues(row quarantine.Row) (values map[string]string, err error) {
	if err := json.Unmarshal([]byte(row.Raw.Plain), &values); err != nil {
		return nil, fmt.Errorf("decode quarantined row %s: %w", row.ID, err)
	}
	return values, nil
}

// defuse keeps spreadsheet programs from running a cell as a formula. A person's
// value that begins so comes back with the same mark, which Retry takes off.
func defuse(v string) string {
	if v != "" && strings.ContainsRune(formulaStarts, rune(v[0])) {
		return "'" + v
	}
	return v
}

// arm takes the mark of defuse off again.
func arm(v string) string {
	if len(v) > 1 && v[0] == '\'' && strings.ContainsRune(formulaStarts, rune(v[1])) {
		return v[1:]
	}
	return v
}

const formulaStarts = "=+-@\t\r"
