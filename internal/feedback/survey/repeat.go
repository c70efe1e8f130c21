package survey

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

var sameColumn = sealed.Column{Table: "survey_response", Name: "same"}

const (
	telling     = 20             // characters that two people hardly write alike
	sameWithinD = 24 * time.Hour // how far back the same words are looked for
)

// repeated flags a completed response whose words another one had within a day. Words
// are compared by a keyed hash; it is not made anew when a key is replaced, since it
// matters for a day.
func (s *Service) repeated(ctx context.Context, tx store.Tx, r *Response) error {
	var words []string
	for _, id := range slices.Sorted(maps.Keys(r.Answers)) {
		if text := r.Answers[id].Text; text != "" {
			words = append(words, strings.Join(strings.Fields(strings.ToLower(text)), " "))
		}
	}
	text := strings.Join(words, "\n")
	if utf8.RuneCountInString(text) < telling {
		return nil
	}
	var err error
	if r.same, err = s.Box.Blind(ctx, tx, sameColumn, text); err != nil {
		return err
	}
	all, err := s.Box.BlindSearch(ctx, tx, sameColumn, text)
	if err != nil || len(all) == 0 {
		return err
	}
	n := 0 // one is enough: common words may stand in thousands of responses
	err = tx.NewRaw("SELECT COUNT(*) FROM (SELECT 1 FROM survey_response WHERE entity = ? AND survey = ? AND same IN (?) AND same <> '' AND updated >= ? AND id <> ? LIMIT 1) t",
		tx.Scope.Entity, r.Survey, bun.List(all), store.At(r.Updated.Add(-sameWithinD)), r.ID).Scan(ctx, &n)
	if err == nil && n > 0 {
		r.Flags = append(r.Flags, Duplicate)
	}
	return err
}
