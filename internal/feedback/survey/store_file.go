package survey

import (
	"context"

	"omote/internal/feedback/form"
	"omote/internal/platform/store"
)

func (s *Service) putFile(ctx context.Context, tx store.Tx, customer, response, item string, f *form.Attached, content []byte) error {
	box, err := s.Box.SealBytes(ctx, filePlace(customer, response, item), content)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw(`INSERT INTO survey_file (customer_id, response_id, item, id, entity, kind, size, content, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (customer_id, response_id, item) DO UPDATE SET id = excluded.id, kind = excluded.kind, size = excluded.size, content = excluded.content, created = excluded.created`,
		customer, response, item, f.ID, tx.Scope.Entity, f.Kind, f.Size, box, tx.Now()).Exec(ctx)
	return err
}

// getFile finds a file by its id among those of a questionnaire's responses.
func (s *Service) getFile(ctx context.Context, tx store.Tx, survey, id string) (*form.Attached, []byte, error) {
	var r struct {
		CustomerID, ResponseID, Item, Kind string
		Content                            []byte
	}
	err := tx.NewRaw(`SELECT f.customer_id, f.response_id, f.item, f.kind, f.content FROM survey_file f
JOIN survey_response r ON r.customer_id = f.customer_id AND r.id = f.response_id WHERE f.id = ? AND f.entity = ? AND r.survey = ?`, id, tx.Scope.Entity, survey).Scan(ctx, &r)
	if err != nil {
		return nil, nil, errNone(err, "the file", id)
	}
	content, err := s.Box.OpenBytes(ctx, filePlace(r.CustomerID, r.ResponseID, r.Item), r.Content)
	if err != nil {
		return nil, nil, err
	}
	return &form.Attached{ID: id, Kind: r.Kind, Size: len(content)}, content, nil
}

// flagCounts counts completed responses by their list of flags.
func flagCounts(ctx context.Context, tx store.Tx, survey string, since store.Micros) (map[string]int64, error) {
	var rows []struct {
		Flags string
		N     int64
	}
	err := tx.NewRaw("SELECT flags, COUNT(*) AS n FROM survey_response WHERE entity = ? AND survey = ? AND completed >= ? GROUP BY flags", tx.Scope.Entity, survey, since).Scan(ctx, &rows)
	out := map[string]int64{}
	for _, r := range rows {
		out[r.Flags] = r.N
	}
	return out, err
}
