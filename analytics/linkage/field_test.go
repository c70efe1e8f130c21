package linkage

import (
	"testing"

	"pgregory.net/rapid"
)

func TestValuesAgreeAtTheLevelAPersonWouldSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind Kind
		a, b string
		want string
	}{
		{Name, "Nguyễn Thị Hồng", "nguyễn thị hồng", "equal"},
		{Name, "Nguyễn Thị Hồng", "NGUYEN THI HONG", "equal without marks"},
		{Name, "Nguyễn Thị Hồng", "Hồng Nguyễn Thị", "same words in other order"},
		{Name, "Nguyễn Thị Minh Hồng", "Nguyen T. Hong", "first and last word"},
		{Name, "Chị Hồng", "Hồng", "equal"},
		{Name, "Nguyễn Thị Hồng", "Ng. Th. Hồng", "all words similar"},
		{Name, "Nguyễn Thị Hồng", "Hồng Nguyễn", "all words similar"},
		{Name, "Nguyễn Thị Hồng", "Nguyễn Hồng", "first and last word"},
		{Name, "Trần Văn Tý", "Tran Van Ty", "equal without marks"},
		{Name, "Lê Thị Bé", "Lê Bé", "first and last word"},
		{Name, "John Smith", "Smith, John", "same words in other order"},
		{Name, "Bob Smith", "Robert Smyth", "all words similar"},
		{Name, "Lê Văn An", "Trần Thu Bích", "different"},
		{Given, "William", "Bill", "nickname"},
		{Given, "w", "William", "initial or part"},
		{Given, "wiliam", "william", "one edit"},
		{Family, "Smith", "Jones", "different"},
		{Date, "1990-05-31", "31/05/1990", "equal"},
		{Date, "19900531", "1990-05-13", "one edit"},
		{Date, "1990-05-07", "1990-07-05", "day and month exchanged"},
		{Date, "1990-05-07", "1990-01-01", "same year, rest a default"},
		{Date, "1990-05-07", "1960-05-07", "one edit"},
		{Date, "1991-01-01", "1957-01-01", "different"},
		{Phone, "+84 912 345 678", "0912.345.678", "equal"},
		{Phone, "0162 345 6789", "0323456789", "two edits"},
		{Phone, "0162 345 6789", "032 345 6789", "equal"},
		{Email, "An.Le+bank@Example.com", "an.le@example.com", "equal"},
		{Email, "an.le@example.com", "an.le@thu.example", "same name before the @"},
		{Postcode, "TN8 5BW", "tn8 5qn", "same sector"},
		{Postcode, "TN8 5BW", "TN8 6AA", "same district"},
		{Identifier, "079-123-456", "079123465", "one edit"},
		{Address, "12 Nguyễn Trãi, P. Bến Thành, Q. 1", "12 nguyen trai phuong ben thanh quan 1", "most shared"},
		{Geo, "10.7769,106.7009", "10.7770,106.7010", "within 50 m"},
		{Geo, "10.7769,106.7009", "21.0278,105.8342", "far"},
		{Numeric, "100", "104", "within a twentieth"},
	} {
		f := newField("f", c.kind, 0)
		x, y := f.code(c.a), f.code(c.b)
		if x < 0 || y < 0 {
			t.Errorf("%s: %q or %q is taken for missing", c.kind, c.a, c.b)
			continue
		}
		if got := levels[c.kind][f.level(x, y)]; got != c.want && !(c.want == "two edits" && got != "different") {
			t.Errorf("%s: %q and %q: %q, want %q", c.kind, c.a, c.b, got, c.want)
		}
	}
}

func TestAbsentValuesAreMissing(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "  ", "N/A", "null", "không rõ", "\u200b\u200e", "-", "…", "\u202e"} {
		for k := range levels {
			if newField("f", k, 0).code(s) != missing {
				t.Errorf("%s: %q has a code", k, s)
			}
		}
	}
}

// What a child is called at home says of nobody who they are; a registered name
// that ends in such a word does.
func TestHomeNamesAreNoEvidence(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"Tèo": true, "bé Na": true, "cu Tý": true, "  CÚN ": true, "bé\u200b Bống": true, "chị Bé": true, "Nguyễn Văn Tý": false, "Lê Thị Bé": false, "Nụ": false,
		"Ben": false, "Bi": false, "Bé Thị Na": false, "": false, "Út Nguyễn Văn": false} {
		if HouseholdName(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
		f := newField("f", Name, 0)
		if got := f.code(s) == missing; got != want && s != "" {
			t.Errorf("%q is compared: %v", s, !got)
		}
	}
}

// Levels do not depend on which value comes first, and equal values are at the top.
func TestLevelsAreSymmetric(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{Given, Family, Name, Date, Phone, Email, Identifier, Postcode, Place, Address, Number, Category, Text, Words, Numeric, Geo}).Draw(t, "kind")
		gen := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9/ .-]{1,12}`), rapid.StringMatching(`[a-cđễ]{1,4}( [a-c]{1,4}){0,3}`), rapid.StringMatching(`[a-c]{1,4}@[a-c]{1,3}\.vn`), rapid.StringMatching(`[1-8][0-9](\.[0-9])?,[1-8][0-9]`))
		f := newField("f", kind, 0)
		x, y := f.code(gen.Draw(t, "a")), f.code(gen.Draw(t, "b"))
		if x < 0 || y < 0 {
			return
		}
		a, b := f.level(x, y), f.level(y, x)
		if a != b {
			t.Fatalf("level %d one way, %d the other", a, b)
		}
		if int(a) >= len(levels[kind]) {
			t.Fatalf("level %d of %d", a, len(levels[kind]))
		}
		if int(f.level(x, x)) != len(levels[kind])-1 {
			t.Fatal("a value is not equal to itself")
		}
	})
}
