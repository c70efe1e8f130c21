package linkage

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestReadCSVFindsOutTheDelimiter(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"\ufeffid, Họ tên ,sdt\n1, Lê An ,090\n2,\"Trần, B\",\n",
		"id;Họ tên;sdt\n1;Lê An;090\n2;Trần, B;\n\n",
		"id\tHọ tên\tsdt\r\n1\tLê An\t090\r\n2\tTrần, B\r\n",
		"id|Họ tên|sdt\n1|Lê An|090\n2|Trần, B||extra\n",
	} {
		tab, err := ReadCSV(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		if tab.Len() != 2 || len(tab.Columns) != 3 || tab.Value(0, 1) != "Lê An" || tab.Value(1, 1) != "Trần, B" || tab.Value(1, 2) != "" {
			t.Errorf("%q: %+v", in, tab)
		}
		if tab.FindColumn("HO_TEN") != 1 || tab.FindColumn("nope") != -1 {
			t.Errorf("%q: columns are not found by how people write them", in)
		}
	}
	latin, _ := ReadCSV(strings.NewReader("name\nJos\xe9\n"))
	if latin.Value(0, 0) != "José" {
		t.Errorf("%q", latin.Value(0, 0))
	}
	wide, _ := ReadCSV(strings.NewReader("\xff\xfen\x00,\x00m\x00\n\x00a\x00,\x00b\x00\n\x00"))
	if wide.Len() != 1 || wide.Value(0, 1) != "b" {
		t.Errorf("%+v", wide)
	}
}

func TestKindsAreInferred(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, values string
		want         Kind
	}{
		{"CustomerFirstName", "An Bình", Given}, {"Họ và tên", "Lê An|Trần Bình", Name}, {"NGÀY SINH", "31/12/1990|01/02/1985", Date}, {"x1", "1990-12-31|1985-02-01", Date},
		{"SĐT", "0901234567|0912345678", Phone}, {"liên hệ", "a@b.vn|c@d.vn", Email}, {"contact", "0901234567|0912345678", Phone}, {"Zip Code", "70000|71000", Postcode},
		{"CCCD", "079123456789|001123456789", Identifier}, {"địa chỉ", "12 Lê Lợi, Huế|3 Kim Mã", Address}, {"created_at", "2020-01-01|2021-01-01", Ignore},
		{"birth_place", "london|paris", Place}, {"date_of_birth", "", Ignore}, {"occupation", "painter|judge", Text}, {"soc_sec_id", "1234567|7654321", Identifier},
	} {
		if got := inferKind(c.name, strings.Split(c.values, "|")); got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.name, c.values, got, c.want)
		}
	}
}

func TestTruthShapes(t *testing.T) {
	t.Parallel()
	if got := Truth([]string{"rec-1-org", "rec-2-org", "rec-1-dup-0"}, nil); !reflect.DeepEqual(got, []int32{0, 1, 0}) {
		t.Error(got)
	}
	if got := Truth([]string{"x", "", "x", "y"}, nil); !reflect.DeepEqual(got, []int32{0, -1, 0, 1}) {
		t.Error(got)
	}
	if got := Truth([]string{"", "", "a"}, []string{"a", "b", "c"}); !reflect.DeepEqual(got, []int32{0, -1, 0}) {
		t.Error(got)
	}
}

func TestScoresAgreeWithCountingByHand(t *testing.T) {
	t.Parallel()
	// truth {0,1,2} {3}; found {0,1} {2,3}
	s := ScoreClusters([]int32{0, 0, 0, 1}, []int32{0, 0, 1, 1}, nil)
	if s.Pairs.Precision != 0.5 || s.Pairs.Recall != 1.0/3 {
		t.Errorf("%+v", s.Pairs)
	}
	if s.B3.Precision != (1+1+0.5+0.5)/4 || s.B3.Recall != (2.0/3+2.0/3+1.0/3+1)/4 {
		t.Errorf("%+v", s.B3)
	}
	between := ScoreClusters([]int32{0, 0, 0, 1}, []int32{0, 0, 1, 1}, []uint8{0, 0, 1, 1})
	if between.Pairs.Precision != 0 || between.Pairs.Recall != 0 {
		t.Errorf("%+v", between.Pairs)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Add([]byte("\xff\xfea\x00"))
	f.Add([]byte("a;b\n\"x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tab, err := ReadCSV(bytes.NewReader(data))
		if err != nil {
			return
		}
		for i := range tab.Columns {
			if len(tab.Columns[i].Codes) != tab.Len() {
				t.Fatal("a column has another length than the table")
			}
			k := inferKind(tab.Columns[i].Name, sample(tab.Columns[i].Codes, tab.Columns[i].Values, 100))
			if k == Ignore {
				continue
			}
			fd := newField("f", k, i)
			last := missing
			for _, v := range tab.Columns[i].Values {
				if c := fd.code(v); c >= 0 {
					if last >= 0 {
						fd.level(last, c)
					}
					last = c
				}
			}
			for _, p := range parts[k] {
				for c := range fd.values {
					fd.keyOf(&fd.values[c], p)
				}
			}
		}
	})
}

func FuzzParseSettings(f *testing.F) {
	f.Add([]byte("columns:\n  a: name\nthreshold: 0.9\n"))
	f.Add([]byte("threshold: .nan"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSettings(data)
		if err == nil && !(s.Threshold >= 0 && s.Threshold < 1) {
			t.Fatal(s.Threshold)
		}
	})
}

func FuzzReadModel(f *testing.F) {
	f.Add([]byte(`{"fields":[{"field":"a","kind":"number","column":"a","levels":[{"name":"different","m":0.1,"u":0.9},{"name":"one edit","m":0.1,"u":0.05},{"name":"equal","m":0.8,"u":0.05}]}],"prior":0.001,"threshold":0.5,"seed":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadModel(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, fd := range m.Fields {
			for _, l := range fd.Levels {
				if w := l.Weight(); w != w {
					t.Fatal("a weight is no number")
				}
			}
		}
	})
}
