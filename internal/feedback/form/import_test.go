package form

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"omote/internal/platform/errs"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func noted(im *Imported, at, code string) bool {
	return slices.ContainsFunc(im.Notes, func(n Note) bool { return n.At == at && n.Code == code })
}

// TestLSS carries a survey of LimeSurvey 6 over: what it becomes, and what is said to be
// left behind.
func TestLSS(t *testing.T) {
	t.Parallel()
	im, err := Import("visit.lss", read(t, "visit.lss"), "")
	if err != nil {
		t.Fatal(err)
	}
	d := im.Document
	if d.ID != "branch_visit" || d.Name.VI != "Chuyến ghé chi nhánh" || d.Close.EN != "Thank you!" {
		t.Errorf("document %s %+v %+v", d.ID, d.Name, d.Close)
	}
	types := map[string]Type{}
	for _, it := range d.Items {
		types[it.ID] = it.Type
	}
	want := map[string]Type{"nps": NPS, "reason": Single, "detail": Words, "again": YesNo, "parts": Multi, "table": Matrix, "order": Rank, "when": Date, "photo": File, "age": Words,
		"words_w1": Words, "words_w2": Words, "rate": Stars}
	if !reflect.DeepEqual(types, want) {
		t.Errorf("types %v", types)
	}
	for id, cond := range map[string]string{"reason": "( ( nps <= 6 ) )", "detail": "( reason == 'a1' and nps < 5 )", "parts": "again == 'yes'", "age": ""} {
		if got := d.Item(id).ShowIf; got != cond {
			t.Errorf("%s is shown if %q, want %q", id, got, cond)
		}
	}
	if it := d.Item("nps"); !it.Required || it.Text.EN != "How likely are you to recommend us?" || it.Scale.Labels[0].EN != "0 not at all" {
		t.Errorf("nps %+v %+v", it, it.Scale)
	}
	if it := d.Item("detail"); it.Text.EN != "You chose {answer.reason}. Tell us more, ." {
		t.Errorf("piping %q", it.Text.EN)
	}
	if it := d.Item("parts"); it.Max != 2 || !it.Shuffle || len(it.Options) != 3 || it.Options[1].Text.VI != "Branch" {
		t.Errorf("parts %+v", it)
	}
	if it := d.Item("table"); it.Scale.Max != 3 || it.Scale.Labels[2].VI != "Tạm" || len(it.Rows) != 2 || it.Rows[1].Text.VI != "Nhân viên" {
		t.Errorf("table %+v", it)
	}
	if it := d.Item("photo"); it.MaxKB != 2048 {
		t.Errorf("photo %+v", it)
	}
	if im.Left != 2 || im.Carried != 13 {
		t.Errorf("%d carried, %d left", im.Carried, im.Left)
	}
	for _, n := range []Note{{At: "Sum", Code: NoteType}, {At: "Grid", Code: NoteType}, {At: "Age", Code: NoteCondition}, {At: "Age", Code: NoteRule}, {At: "Reason", Code: NotePart}, {At: "Parts", Code: NoteLanguage},
		{At: "NPS", Code: NoteMarkup}, {At: "Detail", Code: NotePiping}, {At: "", Code: NoteBranch}} {
		if !noted(im, n.At, n.Code) {
			t.Errorf("nothing says %+v: %+v", n, im.Notes)
		}
	}
}

// TestLSSOld reads the form of LimeSurvey 2 and 3, with texts in the rows of questions.
func TestLSSOld(t *testing.T) {
	t.Parallel()
	im, err := Import("x", read(t, "visit3.lss"), "old_form")
	if err != nil {
		t.Fatal(err)
	}
	d := im.Document
	if d.ID != "old_form" || len(d.Items) != 2 || d.Items[0].Options[0].Text.EN != "Good & quick" || d.Items[1].ShowIf != "( ( q01 == 'a2' ) )" || d.Items[1].Help.VI != "In a few words" {
		t.Errorf("%+v", d.Items)
	}
	if !noted(im, "Q01", NoteLanguage) || im.Left != 0 {
		t.Errorf("%+v", im.Notes)
	}
}

// TestCSV reads a table as people write them.
func TestCSV(t *testing.T) {
	t.Parallel()
	table := "\ufeffType;Question vi;Question en;Options;Required;Show_if;ID\n" +
		"nps;Giới thiệu?;Recommend?;;yes;;Score\n" +
		"single;Vì sao?;Why?;Chờ | Waiting; Phí | Fees;;score <= 6;\n" +
		"text;;Anything else?;;;nobody == 1;more\n" +
		"map;Ở đâu?;Where?;;;;\n" +
		";;;;;;\n"
	im, err := Import("a.csv", []byte(strings.ReplaceAll(table, "Chờ | Waiting; Phí | Fees", "\"Chờ | Waiting; Phí | Fees\"")), "")
	if err != nil {
		t.Fatal(err)
	}
	d := im.Document
	if len(d.Items) != 3 || d.Items[0].Type != NPS || d.Items[1].ShowIf != "score <= 6" || len(d.Items[1].Options) != 2 || d.Items[1].Options[0].ID != "waiting" || d.Items[2].Text.VI != "Anything else?" {
		t.Errorf("%+v", d.Items)
	}
	if im.Left != 1 || !noted(im, "more", NoteCondition) || !noted(im, "more", NoteLanguage) || !noted(im, "line 5", NoteType) {
		t.Errorf("%d left, %+v", im.Left, im.Notes)
	}
	for _, bad := range []string{"", "a,b\n1,2\n", "type,text_en\n", "type,text_en\nmap,x\n", "\"", "<?xml version=\"1.0\"?><a/>", "<?xml version=\"1.0\"?><document><LimeSurveyDocType>Group</LimeSurveyDocType></document>"} {
		if _, err := Import("", []byte(bad), ""); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestCSVRoundTrip writes every shipped questionnaire as a table and reads it again.
func TestCSVRoundTrip(t *testing.T) {
	t.Parallel()
	all, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		var b bytes.Buffer
		if err := WriteCSV(&b, d); err != nil {
			t.Fatal(err)
		}
		im, err := ParseCSV(b.Bytes(), d.ID)
		if err != nil {
			t.Errorf("%s: %v", d.ID, err)
			continue
		}
		if im.Left != 0 || len(im.Document.Items) != len(d.Items) {
			t.Errorf("%s: %d of %d questions, %+v", d.ID, len(im.Document.Items), len(d.Items), im.Notes)
			continue
		}
		for i, got := range im.Document.Items {
			want := d.Items[i]
			if got.ID != want.ID || got.Type != want.Type || got.Text != want.Text || got.ShowIf != want.ShowIf || got.Required != want.Required || len(got.Options) != len(want.Options) {
				t.Errorf("%s: %+v, want %+v", d.ID, got, want)
			}
		}
	}
}

// FuzzImport wants of any file a valid document or a plain refusal.
func FuzzImport(f *testing.F) {
	f.Add("a.lss", read(f, "visit.lss"))
	f.Add("a.lss", read(f, "visit3.lss"))
	f.Add("a.csv", []byte("type,text_vi,options,show_if\nsingle,A?,a|b;c|d,\ntext,B?,,q1 == 'a'\n"))
	f.Add("a.csv", []byte("type;text_en;min;max\nmatrix;x;-99999999999999999999;5\nrating;{you} {answer.q1} {\ufeff;1;99\n"))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		im, err := Import(name, raw, "")
		if err != nil {
			if k := errs.KindOf(err); k != errs.KindInvalid && k != errs.KindTooLarge {
				t.Errorf("%v", err)
			}
			return
		}
		if err := im.Document.Validate(); err != nil {
			t.Errorf("an invalid document: %v", err)
		}
		if im.Carried != len(im.Document.Items) {
			t.Errorf("%d carried, %d there", im.Carried, len(im.Document.Items))
		}
		im.Document.Shown("s", Answers{})
	})
}
