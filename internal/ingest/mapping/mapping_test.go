package mapping

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"omote/internal/ingest/files"
	"omote/internal/ingest/plan"
	"omote/internal/platform/errs"

	"omote/internal/testkit/shared"
)

func checker(t testing.TB, properties ...plan.Property) *plan.Checker {
	t.Helper()
	c, err := plan.NewChecker(&plan.Plan{Version: 1, Unknown: plan.Pass, Violations: plan.Pass, Common: append(properties,
		plan.Property{Name: "instrument", Type: plan.String}, plan.Property{Name: "item", Type: plan.String},
		plan.Property{Name: "score", Type: plan.Number}, plan.Property{Name: "verbatim", Type: plan.String, MaxLength: plan.MaxText},
		plan.Property{Name: "aspect", Type: plan.String}, plan.Property{Name: "polarity", Type: plan.String})}, "VND")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sample(t testing.TB, format files.Format, name, content string) []files.Row {
	t.Helper()
	r, err := files.Open(format, bytes.NewReader([]byte(content)), files.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := files.Sample(r, 100)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestSuggestReadsVietnameseHeaders(t *testing.T) {
	t.Parallel()
	rows := sample(t, files.CSV, "x.csv", "Thời gian,Mã khách hàng,Điểm,Nhận xét,Kênh,Số điện thoại\n19/11/2026 09:41,KH1,9,tốt,quầy,0900000000\n")
	m := Suggest(Feedback, "phan hoi.csv", rows, "Asia/Ho_Chi_Minh")
	want := map[Field]string{Time: "Thời gian", User: "Mã khách hàng", Score: "Điểm", Comment: "Nhận xét", Channel: "Kênh"}
	for f, column := range want {
		if m.Fields[f] != column {
			t.Errorf("%s: %q, want %q", f, m.Fields[f], column)
		}
	}
	if m.TimeFormat != "02/01/2006 15:04" || m.Constants[Instrument] != "phan_hoi" {
		t.Errorf("format %q, constants %v", m.TimeFormat, m.Constants)
	}
	if p := m.Properties[0]; p.Name != "so_dien_thoai" || !p.Personal || p.Type != plan.String {
		t.Errorf("phone column: %+v", p)
	}
	if err := m.Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m     Mapping
		field string
	}{
		{Mapping{Kind: "nonsense"}, "kind"},
		{Mapping{Kind: EventLog, Fields: map[Field]string{Case: "c", Time: "t"}}, "event"},
		{Mapping{Kind: Feedback}, "score"},
		{Mapping{Kind: Customers, Fields: map[Field]string{User: "u"}, Zone: "Mars"}, "zone"},
		{Mapping{Kind: Customers, Fields: map[Field]string{User: "u", Score: "s"}}, "score"},
	} {
		invalid, ok := errors.AsType[*errs.Error](c.m.Validate())
		if !ok || invalid.Field != c.field {
			t.Errorf("%+v: %v, want a complaint about %s", c.m, invalid, c.field)
		}
	}
}

func TestLabelsBecomeOneAnswerEach(t *testing.T) {
	t.Parallel()
	rows := sample(t, files.NDJSON, "c.jsonl", `{"text":"tốt nhưng chậm","labels":["STAFF#POSITIVE","SPEED#NEGATIVE"]}`)
	m := Suggest(Feedback, "c.jsonl", rows, "")
	b, err := NewBuilder(&m, checker(t), Origin{Entity: "bank", Received: time.Unix(1_800_000_000, 0), History: true})
	if err != nil {
		t.Fatal(err)
	}
	events, err := b.Build(&rows[0])
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if events[0].MessageID == events[1].MessageID || !strings.Contains(string(events[1].Props), `"aspect":"speed"`) || !events[0].History {
		t.Errorf("%+v\n%s", events, events[1].Props)
	}
}

func TestBadCellsAreRowErrors(t *testing.T) {
	t.Parallel()
	rows := sample(t, files.CSV, "x.csv", "time,user,event,n\n2026-11-19T09:41:00Z,u,e,1\nlater,u,e,1\n2026-11-19T09:41:00Z,,e,1\n2026-11-19T09:41:00Z,u,,1\n2026-11-19T09:41:00Z,u,e,x\n2099-01-01T00:00:00Z,u,e,1\n")
	m := Mapping{Kind: Events, Fields: map[Field]string{Time: "time", User: "user", Event: "event"}, Properties: []Property{{Column: "n", Name: "n", Type: plan.Integer}}}
	b, err := NewBuilder(&m, checker(t, plan.Property{Name: "n", Type: plan.Integer}), Origin{Entity: "bank", Received: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.Reason{"", plan.WrongType, plan.Malformed, plan.Malformed, plan.WrongType, plan.InFuture}
	for i := range rows {
		_, err := b.Build(&rows[i])
		bad, _ := errors.AsType[*files.RowError](err)
		if (want[i] == "") != (err == nil) || (bad != nil && bad.Reason != want[i]) {
			t.Errorf("row %d: %v, want %q", i+1, err, want[i])
		}
	}
}

// The real log and the real comments of the shared data go in by what Suggest
// guesses alone.
func TestRealFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path   string
		kind   Kind
		events int
	}{
		{"eventlogs/bpic2012/BPI_Challenge_2012.xes.gz", EventLog, 262_200},
		{"text/uts2017_bank/train.jsonl", Feedback, 1977},
		{"text/vi_bank_app_reviews/cleaned_reviews.csv", Feedback, 5400},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			t.Parallel()
			path := shared.Path(t, c.path)
			rows, n, bad := readAll(t, path, c.kind)
			if n < c.events || bad > c.events/100 {
				t.Errorf("%d events of %d rows, %d bad; want at least %d", n, rows, bad, c.events)
			}
		})
	}
}

func readAll(t testing.TB, path string, kind Kind) (rows, events, bad int) {
	t.Helper()
	format, err := files.FormatOf(path)
	if err != nil {
		t.Fatal(err)
	}
	openFile := func() files.Reader {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		r, err := files.Open(format, f, files.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	head, _, err := files.Sample(openFile(), 200)
	if err != nil {
		t.Fatal(err)
	}
	m := Suggest(kind, path, head, "Asia/Ho_Chi_Minh")
	b, err := NewBuilder(&m, checker(t, m.Declarations()...), Origin{Entity: "bank", Received: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), History: true})
	if err != nil {
		t.Fatalf("%v: %+v", err, m)
	}
	r := openFile()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, events, bad
		}
		rows++
		if err == nil {
			built, buildErr := b.Build(row)
			err, events = buildErr, events+len(built)
		}
		if _, isRow := errors.AsType[*files.RowError](err); isRow {
			bad++
		} else if err != nil {
			t.Fatal(err)
		}
		if rows%1000 == 0 {
			b.Reset()
		}
	}
}

func BenchmarkXESToEvents(b *testing.B) {
	path := shared.Path(b, "eventlogs/bpic2012/BPI_Challenge_2012.xes.gz")
	b.ReportAllocs()
	for b.Loop() {
		readAll(b, path, EventLog)
	}
}
