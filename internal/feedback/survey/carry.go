package survey

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Import makes a draft of a questionnaire of another program and tells what could not
// be carried over. id "" makes one of the title. With check nothing is saved.
func (s *Service) Import(ctx context.Context, name string, content []byte, id string, check bool) (*form.Imported, error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	im, err := form.Import(name, content, id)
	if err != nil || check {
		return im, err
	}
	if id == "" {
		if im.Document.ID, err = s.freeID(ctx, im.Document.ID); err != nil {
			return nil, err
		}
	}
	_, err = s.Save(ctx, im.Document, 0, fmt.Sprintf("import: %d questions, %d left", im.Carried, im.Left))
	return im, err
}

// freeID puts a number behind an id that is taken.
func (s *Service) freeID(ctx context.Context, id string) (free string, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		for n := 1; ; n++ {
			if free = id; n > 1 {
				free = id + "_" + strconv.Itoa(n)
			}
			if v, err := latest(ctx, tx, free); err != nil || v == nil {
				return err
			}
		}
	})
	return free, err
}

// Export writes completed responses of a questionnaire as a table, the newest first, one
// column a question. It names no customer. What an anonymous questionnaire was answered
// is not written one by one.
func (s *Service) Export(ctx context.Context, id string, w io.Writer) (n int, err error) {
	if err := auth.Require(ctx, PermAnswers, ""); err != nil {
		return 0, err
	}
	var d *form.Document
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		v, err := s.current(ctx, tx, id)
		if err != nil {
			return err
		}
		if d = v.Document; d.Anonymity == form.Anonymous {
			return errs.Denied("feedback.survey.error.anonymous", "answers of an anonymous questionnaire are not read one by one")
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.survey.export", Object: "survey/" + id})
	})
	if err != nil {
		return 0, err
	}
	out := csv.NewWriter(w)
	head := []string{"id", "version", "completed", "channel", "language", "unit", "via", "journey", "product", "probability", "flags"}
	for i := range d.Items {
		head = append(head, d.Items[i].Fields()...)
	}
	if err := out.Write(head); err != nil {
		return 0, err
	}
	before, skip := time.Time{}, map[string]bool{}
	for {
		page, err := s.Recent(ctx, id, before, exportPage)
		if err != nil {
			return n, err
		}
		for _, r := range page {
			if skip[r.ID] {
				continue
			}
			row := []string{r.ID, strconv.FormatInt(r.Version, 10), r.Completed.Format(time.RFC3339), r.Channel, r.Locale, r.Unit, r.Via, r.Journey, r.Product,
				strconv.FormatFloat(r.Probability, 'g', 6, 64), strings.Join(r.Flags, " ")}
			for i := range d.Items {
				row = append(row, cells(&d.Items[i], r.Answers[d.Items[i].ID])...)
			}
			if err := out.Write(harmless(row)); err != nil {
				return n, err
			}
			n++
		}
		if out.Flush(); len(page) < exportPage || out.Error() != nil {
			return n, out.Error()
		}
		// Several may share the last moment: the next page begins with it again.
		last := page[len(page)-1].Completed
		next := map[string]bool{}
		for _, r := range page {
			if r.Completed.Equal(last) {
				next[r.ID] = true
			}
		}
		if len(next) == exportPage {
			return n, fmt.Errorf("export: more than %d responses of one moment", exportPage)
		}
		before, skip = last.Add(time.Microsecond), next
	}
}

const exportPage = 1000

// cells writes an answer, one cell for each of the question's fields.
func cells(it *form.Item, a form.Answer) (out []string) {
	number := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	switch it.Type {
	case form.Paired:
		return []string{number(a.Number), number(a.Second)}
	case form.Matrix:
		for _, row := range it.Rows {
			cell := ""
			if p, ok := a.Rows[row.ID]; ok {
				cell = strconv.Itoa(p)
			}
			out = append(out, cell)
		}
		return out
	case form.Rank:
		for _, o := range it.Options {
			cell := ""
			if place := slices.Index(a.Chosen, o.ID); place >= 0 {
				cell = strconv.Itoa(place + 1)
			}
			out = append(out, cell)
		}
		return out
	}
	switch {
	case a.Number != nil:
		return []string{number(a.Number)}
	case len(a.Chosen) > 0:
		return []string{strings.Join(a.Chosen, " ")}
	case a.File != nil:
		return []string{a.File.Name}
	}
	return []string{a.Text}
}

// harmless keeps a spreadsheet from taking what people wrote for a formula.
func harmless(row []string) []string {
	for i, cell := range row {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			if _, err := strconv.ParseFloat(cell, 64); err != nil {
				row[i] = "'" + cell
			}
		}
	}
	return row
}

// Flagged counts completed responses of a time by quality flag.
func (s *Service) Flagged(ctx context.Context, id string, since time.Time) (out map[string]int64, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		counts, err := flagCounts(ctx, tx, id, store.At(since))
		out = map[string]int64{}
		for _, list := range slices.Sorted(maps.Keys(counts)) {
			for flag := range strings.SplitSeq(list, ",") {
				if flag != "" {
					out[flag] += counts[list]
				}
			}
		}
		return err
	})
	return out, err
}
