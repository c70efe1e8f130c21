package linkage

import (
	"bytes"
	"errors"
	"fmt"
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

// Vietnamese in the code page of old programs: tones are bytes behind their vowels.
func TestReadCSVInEightBits(t *testing.T) {
	t.Parallel()
	viet, err := ReadCSV(strings.NewReader("id;Ho\xf2 t\xean;ng\xfd\xf5\xcci\n1;Nguy\xea\xden Thi\xf2 H\xf4\xccng;a\n2;Tr\xe2\xccn \xd0\xfd\xecc;b\n"))
	if err != nil {
		t.Fatal(err)
	}
	if viet.Value(0, 1) != "Nguyễn Thị Hồng" || viet.Value(1, 1) != "Trần Đức" || viet.FindColumn("người") != 2 {
		t.Errorf("%q %q %+v", viet.Value(0, 1), viet.Value(1, 1), viet.Columns)
	}
	latin, err := ReadCSV(strings.NewReader("nom;ville\nFran\xe7ois;Orl\xe9ans\nNiccol\xf2;Forl\xec\nJos\xe9;C\xe1diz\n"))
	if err != nil {
		t.Fatal(err)
	}
	if latin.Value(0, 0) != "François" || latin.Value(1, 0) != "Niccolò" || latin.Value(1, 1) != "Forlì" {
		t.Errorf("%+v", latin.Columns)
	}
	// One broken cell among good text does not change the code of the file.
	mixed, err := ReadCSV(strings.NewReader("name\nNguye\u0302\u0303n Thi\u0323\nJos\xe9\n"))
	if err != nil || mixed.Value(1, 0) != "José" {
		t.Errorf("%+v %v", mixed, err)
	}
}

func TestStackBringsOneAndSeveralColumnsTogether(t *testing.T) {
	t.Parallel()
	a, b := NewTable("Họ tên", "Địa chỉ", "ngày sinh"), NewTable("FIRST", "LAST", "ADDR1", "CITY", "dob", "nationality")
	for i, p := range []string{"An", "Bình", "Chi", "Dung"} {
		if err := errors.Join(a.Add(0, "Lê Thị "+p, fmt.Sprint(i+1, " Kim Mã, Hà Nội"), "1990-01-01"),
			b.Add(0, "THI "+strings.ToUpper(p), "LE", fmt.Sprint(i+1, " Kim Ma"), "HA NOI", "1990-01-01", "Vietnam")); err != nil {
			t.Fatal(err)
		}
	}
	both, err := Stack(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range []string{"LE THI CHI", "3 Kim Ma HA NOI", "1990-01-01"} {
		if got := both.Value(6, c); got != want {
			t.Errorf("column %s: %q, want %q", both.Columns[c].Name, got, want)
		}
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
		{"CCCD", "079123456789|001123456789", Identifier}, {"địa chỉ", "12 Lê Lợi, Huế|3 Kim Mã", Address}, {"Địa chỉ", "12 Lê Lợi, Huế|3 Kim Mã", Address}, {"Điện thoại", "901234567|912345678", Phone}, {"created_at", "2020-01-01|2021-01-01", Ignore},
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
