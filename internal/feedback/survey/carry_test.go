package survey

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"testing"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// TestImportAndExport makes a draft of a table, does not write over one that is there,
// and writes every response once, also where a page of them ends within one moment.
func TestImportAndExport(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		table := []byte("id,type,text_vi,text_en\nscore,nps,Giới thiệu?,Recommend?\nwhy,text,Vì sao?,Why?\nmap,map,x,y\n")
		im, err := b.Import(b.ctx, "a.csv", table, "visit", true)
		must(t, err)
		if _, err := b.Versions(b.ctx, "visit"); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("a check saved something: %v", err)
		}
		im, err = b.Import(b.ctx, "a.csv", table, "visit", false)
		must(t, err)
		all, err := b.Versions(b.ctx, "visit")
		must(t, err)
		if im.Carried != 2 || im.Left != 1 || len(all) != 1 || all[0].State != Draft || len(all[0].Document.Items) != 2 {
			t.Errorf("%+v %+v", im, all)
		}
		if _, err := b.Import(b.ctx, "a.csv", table, "visit", false); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("written over: %v", err)
		}
		for n := 1; n <= 2; n++ {
			im, err := b.Import(b.ctx, "a.csv", table, "", false)
			must(t, err)
			if want := map[int]string{1: "imported_survey", 2: "imported_survey_2"}[n]; im.Document.ID != want {
				t.Errorf("import %d is %s", n, im.Document.ID)
			}
		}
		must(t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error { return golive(ctx, tx, "visit", 1) }))
		b.forget("bank")
		const n = 2*exportPage + 7
		var past []Past
		at := db.Now().Time().Add(-time.Hour)
		for i := range n {
			point := i % 11
			past = append(past, Past{Response: &Response{Channel: "qr", Locale: "vi", Probability: 1, Started: at, Completed: at.Add(time.Duration(i/3) * time.Second),
				Answers: form.Answers{"score": {Number: &point}, "why": {Text: fmt.Sprint("=1+", i)}}}})
		}
		_, err = b.Adopt(b.ctx, "visit", past)
		must(t, err)
		var out bytes.Buffer
		wrote, err := b.Export(b.ctx, "visit", &out)
		must(t, err)
		rows, err := csv.NewReader(&out).ReadAll()
		must(t, err)
		seen := map[string]bool{}
		for _, r := range rows[1:] {
			seen[r[0]] = true
			if r[12][:2] != "'=" {
				t.Fatalf("a spreadsheet would take %q for a formula", r[12])
			}
		}
		if wrote != n || len(seen) != n || len(rows) != n+1 {
			t.Errorf("%d written, %d rows, %d responses of %d", wrote, len(rows), len(seen), n)
		}
	}, tables...)
}
