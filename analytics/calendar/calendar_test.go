package calendar_test

import (
	"fmt"
	"testing"
	"time"

	"omote/analytics/calendar"

	"pgregory.net/rapid"
)

func civil(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// Dates of Tết as the Vietnamese calendar was kept. 1968, 1985, 2007 and 2030
// differ from the Chinese new year.
func TestTetAsPublished(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"1968-01-29", "1976-01-31", "1985-01-21", "1986-02-09", "1990-01-27", "1995-01-31", "1999-02-16",
		"2000-02-05", "2001-01-24", "2002-02-12", "2003-02-01", "2004-01-22", "2005-02-09", "2006-01-29", "2007-02-17",
		"2008-02-07", "2009-01-26", "2010-02-14", "2011-02-03", "2012-01-23", "2013-02-10", "2014-01-31", "2015-02-19",
		"2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22",
		"2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-02",
	} {
		want := civil(s)
		if got := calendar.Tet(want.Year()); !got.Equal(want) {
			t.Errorf("Tết of %d is %s, want %s", want.Year(), got.Format(time.DateOnly), s)
		}
	}
}

func TestLeapMonthsAsPublished(t *testing.T) {
	t.Parallel()
	leaps := map[int]int{2004: 2, 2006: 7, 2009: 5, 2012: 4, 2014: 9, 2017: 6, 2020: 4, 2023: 2, 2025: 6}
	for year := 2004; year <= 2025; year++ {
		for month := 1; month <= 12; month++ {
			_, err := calendar.FromLunar(calendar.Lunar{Year: year, Month: month, Day: 1, Leap: true})
			if exists := err == nil; exists != (leaps[year] == month) {
				t.Errorf("leap month %d of %d: %v", month, year, err)
			}
		}
	}
}

func TestKnownDates(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]calendar.Lunar{
		"2024-04-18": {Year: 2024, Month: 3, Day: 10}, // Hùng Kings' anniversary
		"2025-04-07": {Year: 2025, Month: 3, Day: 10},
		"2023-09-29": {Year: 2023, Month: 8, Day: 15}, // mid-autumn
		"2024-02-09": {Year: 2023, Month: 12, Day: 30},
		"2025-07-25": {Year: 2025, Month: 6, Day: 1, Leap: true},
	} {
		if got := calendar.ToLunar(civil(s)); got != want {
			t.Errorf("%s is %v, want %v", s, got, want)
		}
	}
}

func TestLunarRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		day := time.Unix(rapid.Int64Range(-2208988800, 4102444800).Draw(t, "unix")/86400*86400, 0).UTC()
		l := calendar.ToLunar(day)
		back, err := calendar.FromLunar(l)
		if err != nil || !back.Equal(day) {
			t.Fatalf("%s → %v → %v (%v)", day.Format(time.DateOnly), l, back, err)
		}
		next := calendar.ToLunar(day.AddDate(0, 0, 1))
		if next.Day != l.Day+1 && (next.Day != 1 || l.Day < 29) {
			t.Fatalf("%v is followed by %v", l, next)
		}
	})
}

func TestHolidaysOf2024(t *testing.T) {
	t.Parallel()
	var got []string
	for _, h := range calendar.Holidays(2024) {
		s := h.Date.Format("02.01 ") + h.VI
		if h.InLieu {
			s += " (bù)"
		}
		got = append(got, s)
	}
	want := []string{"01.01 Tết Dương lịch",
		"09.02 Tết Nguyên đán", "10.02 Tết Nguyên đán", "11.02 Tết Nguyên đán", "12.02 Tết Nguyên đán", "13.02 Tết Nguyên đán",
		"14.02 Tết Nguyên đán (bù)", "15.02 Tết Nguyên đán (bù)",
		"18.04 Giỗ Tổ Hùng Vương", "30.04 Ngày Giải phóng miền Nam", "01.05 Ngày Quốc tế Lao động",
		"01.09 Quốc khánh", "02.09 Quốc khánh", "03.09 Quốc khánh (bù)"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q", got)
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	v := &calendar.Vietnam{Extra: map[string]string{"2024-07-08": "system-down"}}
	for s, want := range map[string]string{
		"2024-02-01": calendar.BeforeTet, "2024-02-09": calendar.TetDays, "2024-02-14": calendar.TetDays,
		"2024-02-20": calendar.AfterTet, "2024-04-30": calendar.OffDay, "2024-07-08": "system-down",
		"2024-07-25": calendar.PayDay, "2024-07-26": calendar.PayDay, "2024-08-09": calendar.PayDay, // the 10th is a Saturday
		"2024-07-17": "", "2024-12-31": calendar.PayDay, "2025-01-01": calendar.OffDay,
	} {
		if got := v.Class(civil(s)); got != want {
			t.Errorf("%s is %q, want %q", s, got, want)
		}
	}
}

func FuzzFromLunar(f *testing.F) {
	f.Add(2024, 1, 1, false)
	f.Add(2025, 6, 30, true)
	f.Fuzz(func(t *testing.T, year, month, day int, leap bool) {
		l := calendar.Lunar{Year: 1900 + abs(year)%300, Month: month, Day: day, Leap: leap}
		if d, err := calendar.FromLunar(l); err == nil && calendar.ToLunar(d) != l {
			t.Errorf("%v → %v → %v", l, d, calendar.ToLunar(d))
		}
	})
}

func abs(x int) int {
	if x < 0 {
		return -(x + 1)
	}
	return x
}

func ExampleTet() {
	fmt.Println(calendar.Tet(2027).Format("2 January 2006"))
	// Output: 6 February 2027
}

func BenchmarkToLunar(b *testing.B) {
	b.ReportAllocs()
	day := civil("2024-07-17")
	for b.Loop() {
		calendar.ToLunar(day)
	}
}
