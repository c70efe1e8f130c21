package worktime

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func testCalendars(t testing.TB) map[string]*Calendar {
	day := []string{"08:00-12:00", "13:00-17:00"}
	office := Weekdays(day...)
	saturday := Weekdays(day...)
	saturday[time.Saturday] = []string{"08:00-12:00"}
	whole := Weekdays("00:00-24:00")
	specs := map[string]Spec{
		"vn":     {Zone: "Asia/Ho_Chi_Minh", Week: office, Holidays: []Rule{{Vietnam: true}}},
		"vnsat":  {Zone: "Asia/Ho_Chi_Minh", Week: saturday, Holidays: []Rule{{Vietnam: true}}},
		"vnswap": {Zone: "Asia/Ho_Chi_Minh", Week: office, Holidays: []Rule{{Vietnam: true}}, Days: map[string][]string{"2026-08-22": day, "2026-08-31": nil}},
		"uk":     {Zone: "Europe/London", Week: whole, Holidays: EnglandWales()},
		"us":     {Zone: "America/New_York", Week: whole, Holidays: USFederal()},
		"eu":     {Zone: "Europe/Brussels", Week: whole, Holidays: Target()},
		"ch":     {Zone: "Europe/Zurich", Week: whole, Holidays: Swiss()},
	}
	out := map[string]*Calendar{}
	for name, spec := range specs {
		c, err := New(spec)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = c
	}
	return out
}

func parseTerm(t *testing.T, text string) (term Term) {
	words := strings.Fields(text)
	amount, err := strconv.Atoi(words[0])
	if err != nil {
		t.Fatal(err)
	}
	term = Term{Amount: amount, Unit: Unit(words[1])}
	for _, w := range words[2:] {
		switch w {
		case "roll":
			term.Roll = true
		case "closing":
			term.End = Closing
		case "when_open":
			term.WhenOpen = true
		case "same_moment":
			term.Count = SameMoment
		}
	}
	if err := term.Validate(); err != nil {
		t.Fatal(err)
	}
	return term
}

// TestDeadlines compares with the table of deadlines derived by hand.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	calendars := testCalendars(t)
	f, err := os.Open("testdata/deadlines.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		n++
		row := strings.Split(lines.Text(), "\t")
		if len(row) != 7 {
			t.Fatalf("%q: %d fields", lines.Text(), len(row))
		}
		c := calendars[row[1]]
		at := func(s string) time.Time {
			layout := "2006-01-02 15:04"
			if strings.Count(s, ":") == 2 {
				layout += ":05"
			}
			out, err := time.ParseInLocation(layout, s, c.Zone())
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		clock := Clock{Start: at(row[2]), Policy: Policy{Term: parseTerm(t, row[3]), Calendar: c}}
		for _, change := range strings.Split(strings.Trim(row[4], "-"), ";") {
			kind, rest, _ := strings.Cut(change, " ")
			words := strings.Fields(rest)
			switch kind {
			case "pause":
				for i := 0; i+2 < len(words); i += 2 {
					fromDay, _, _ := strings.Cut(words[i], "/")
					fromTime, toDay, _ := strings.Cut(words[i+1], "/")
					clock.Pauses = append(clock.Pauses, Pause{From: at(fromDay + " " + fromTime), To: at(toDay + " " + words[i+2])})
					words[i+2] = words[min(i+3, len(words)-1)]
					if i+3 < len(words) {
						words = append(words[:i+2], words[i+3:]...)
					}
				}
			case "extend":
				amount, _ := strconv.Atoi(words[0])
				clock.Extensions = append(clock.Extensions, Extension{Amount: amount, Unit: Unit(words[1]), At: at(strings.Join(words[2:], " "))})
			case "swap":
				anew := words[2] == "anew"
				if anew {
					words = append(words[:2], words[3:]...)
				}
				clock.Swaps = append(clock.Swaps, Swap{Anew: anew, At: at(strings.Join(words[2:], " ")),
					Policy: Policy{Term: parseTerm(t, words[0]+" "+words[1]), Calendar: c}})
			}
		}
		if err := clock.Validate(); err != nil {
			t.Errorf("%s: %v", row[0], err)
		}
		got, want := clock.Due(at("2030-01-01 00:00")), at(row[5])
		if !got.Equal(want) {
			t.Errorf("%s: %s from %s with %s: got %s, by hand %s (%s)", row[0], row[3], row[2], row[4], got.In(c.Zone()).Format(time.DateTime), row[5], row[6])
		}
	}
	if n < 200 {
		t.Errorf("only %d rows", n)
	}
}

// walk is the oracle: it asks each minute's wall clock whether it is working time.
type walk struct{ c *Calendar }

func (w walk) open(t time.Time) bool {
	l := t.In(w.c.zone)
	d := On(l.Date())
	minute := l.Hour()*60 + l.Minute()
	for _, s := range w.c.Shifts(d) {
		if minute >= s.From && minute < s.To {
			return true
		}
	}
	return false
}

func (w walk) add(t time.Time, minutes int, paused func(time.Time) bool) time.Time {
	for minutes > 0 {
		if w.open(t) && !paused(t) {
			minutes--
		}
		t = t.Add(time.Minute)
	}
	return t
}

func drawCalendar(t *rapid.T) *Calendar {
	zone := rapid.SampledFrom([]string{"Asia/Ho_Chi_Minh", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia"}).Draw(t, "zone")
	var week Pattern
	shift := rapid.SampledFrom([][]string{nil, {"00:00-24:00"}, {"08:00-12:00", "13:00-17:00"}, {"01:15-01:45", "02:10-03:05"}, {"22:00-24:00"}, {"00:00-02:30", "12:00-12:01"}})
	for i := range week {
		week[i] = shift.Draw(t, "shifts")
	}
	week[1] = []string{"00:30-02:30", "09:00-18:00"}
	c, err := New(Spec{Zone: zone, Week: week, Holidays: rapid.SampledFrom([][]Rule{nil, {{Vietnam: true}}, EnglandWales(), USFederal()}).Draw(t, "holidays")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func drawStart(t *rapid.T) time.Time {
	// Near changes of the clocks as often as anywhere.
	base := rapid.SampledFrom([]string{"2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z", "2026-03-07T00:00:00Z", "2026-10-31T12:00:00Z", "2026-04-03T00:00:00Z", "2018-11-03T00:00:00Z", "2011-12-29T00:00:00Z", "2026-02-14T00:00:00Z", "2026-06-01T00:00:00Z"}).Draw(t, "base")
	at, _ := time.Parse(time.RFC3339, base)
	return at.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "minutes")) * time.Minute)
}

// TestWalk compares adding and counting of working time with walking every minute.
func TestWalk(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, start := drawCalendar(t), drawStart(t)
		minutes := rapid.IntRange(1, 1500).Draw(t, "length")
		from := start.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "pause from")) * time.Minute)
		pause := Span{from, from.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "pause length")) * time.Minute)}
		paused := func(at time.Time) bool { return !at.Before(pause.From) && at.Before(pause.To) }
		w := walk{c}
		want := w.add(start, minutes, paused)
		// The oracle stops after the last minute worked; so does the calendar.
		if got := c.addExcept(start, time.Duration(minutes)*time.Minute, []Span{pause}); !got.Equal(want) {
			t.Fatalf("%d minutes from %s: got %s, walked to %s", minutes, start.In(c.zone), got.In(c.zone), want.In(c.zone))
		}
		if got := c.betweenExcept(start, want, []Span{pause}); got != time.Duration(minutes)*time.Minute {
			t.Fatalf("between: got %s, walked %d minutes", got, minutes)
		}
		if got := c.IsOpen(start); got != w.open(start) {
			t.Fatalf("IsOpen(%s) = %t", start.In(c.zone), got)
		}
		next := start
		for !w.open(next) {
			next = next.Add(time.Minute)
		}
		if got := c.NextOpen(start); !got.Equal(next) {
			t.Fatalf("NextOpen(%s) = %s, walked to %s", start, got, next)
		}
	})
}

// TestDayStart compares the pieces of civil days with walking every minute.
func TestDayStart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, start := drawCalendar(t), drawStart(t)
		d := c.Date(start)
		clock := rapid.IntRange(0, 1439).Draw(t, "clock")
		at := start.Add(-30 * time.Hour)
		for l := at.In(c.zone); On(l.Date()) < d || On(l.Date()) == d && l.Hour()*60+l.Minute() < clock; l = at.In(c.zone) {
			at = at.Add(time.Minute)
		}
		if got := d.At(time.Duration(clock)*time.Minute, c.zone); !got.Equal(at) {
			t.Fatalf("%s at minute %d: got %s, walked to %s", d, clock, got.In(c.zone), at.In(c.zone))
		}
	})
}

// TestClockProperties are what any clock keeps.
func TestClockProperties(t *testing.T) {
	t.Parallel()
	far := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		c, start := drawCalendar(t), drawStart(t)
		unit := rapid.SampledFrom([]Unit{Minute, Hour, WorkingHour, WorkingDay, Day, Week, Month}).Draw(t, "unit")
		term := Term{Amount: rapid.IntRange(1, 40).Draw(t, "amount"), Unit: unit, Roll: rapid.Bool().Draw(t, "roll")}
		clock := Clock{Start: start, Policy: Policy{Term: term, Calendar: c}}
		due := clock.Due(far)
		if due.Before(start) {
			t.Fatalf("due %s before start %s", due, start)
		}
		from := start.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "from")) * time.Minute)
		clock.Pauses = []Pause{{From: from, To: from.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "length")) * time.Minute)}}
		paused := clock.Due(far)
		if paused.Before(due) {
			t.Fatalf("a pause brought the deadline forward from %s to %s", due, paused)
		}
		if !from.Before(due) && !paused.Equal(due) {
			t.Fatalf("a pause after the deadline moved it from %s to %s", due, paused)
		}
		clock.Extensions = []Extension{{At: start, Amount: 3}}
		if extended := clock.Due(far); extended.Before(paused) {
			t.Fatalf("an extension brought the deadline forward")
		}
		swapped := Clock{Start: start, Policy: Policy{Term: Term{Amount: 1, Unit: Hour}, Calendar: c}, Swaps: []Swap{{At: start.Add(time.Minute), Policy: clock.Policy}}}
		if got := swapped.Due(far); !got.Equal(due) {
			t.Fatalf("a swap from the start gives %s and not %s", got, due)
		}
		now := start.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "now")) * time.Minute)
		r := clock.At(now)
		if (r.State == Breached) != !r.Due.After(now) {
			t.Fatalf("state %s at %s with deadline %s", r.State, now, r.Due)
		}
	})
}

func TestReading(t *testing.T) {
	t.Parallel()
	c := testCalendars(t)["vn"]
	at := func(s string) time.Time {
		out, err := time.ParseInLocation("2006-01-02 15:04", s, c.Zone())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	clock := Clock{Start: at("2026-03-02 09:00"), Policy: Policy{Term: Term{Amount: 8, Unit: WorkingHour}, Calendar: c}}
	if r := clock.At(at("2026-03-02 16:00")); r.State != Running || r.Working != 2*time.Hour || r.Remaining != 17*time.Hour {
		t.Errorf("running: %+v", r)
	}
	if got := clock.Share(at("2026-03-02 16:00"), 0.5); !got.Equal(at("2026-03-02 14:00")) {
		t.Errorf("half of the time is over at %s", got)
	}
	clock.Pauses = []Pause{{From: at("2026-03-02 16:00")}}
	for _, now := range []string{"2026-03-02 16:30", "2026-03-09 11:00"} {
		if r := clock.At(at(now)); r.State != Paused || r.Working != 2*time.Hour {
			t.Errorf("paused at %s: %+v", now, r)
		}
	}
	clock.Pauses[0].To = at("2026-03-09 11:00")
	if r := clock.At(at("2026-03-09 11:00")); r.State != Running || !r.Due.Equal(at("2026-03-09 14:00")) {
		t.Errorf("resumed: %+v", r)
	}
	clock.Met = at("2026-03-09 13:59")
	if r := clock.At(at("2026-03-20 11:00")); r.State != Met {
		t.Errorf("met: %+v", r)
	}
	clock.Met = at("2026-03-09 14:00")
	if r := clock.At(at("2026-03-20 11:00")); r.State != Late {
		t.Errorf("met at the deadline itself is late: %+v", r)
	}
}

// TestHolidays compares with the published lists.
func TestHolidays(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"uk 2022": "2022-01-01 2022-01-03 2022-04-15 2022-04-18 2022-05-02 2022-05-30 2022-08-29 2022-12-25 2022-12-26 2022-12-27", // without the Jubilee's moved days
		"uk 2028": "2028-01-01 2028-01-03 2028-04-14 2028-04-17 2028-05-01 2028-05-29 2028-08-28 2028-12-25 2028-12-26",
		"us 2022": "2022-01-01 2022-01-17 2022-02-21 2022-05-30 2022-06-19 2022-06-20 2022-07-04 2022-09-05 2022-10-10 2022-11-11 2022-11-24 2022-12-25 2022-12-26",
		"eu 2025": "2025-01-01 2025-04-18 2025-04-21 2025-05-01 2025-12-25 2025-12-26",
	} {
		country, year, _ := strings.Cut(name, " ")
		y, _ := strconv.Atoi(year)
		got := holidays(map[string][]Rule{"uk": EnglandWales(), "us": USFederal(), "eu": Target()}[country], y)
		var list []string
		for d := On(y, 1, 1); d < On(y+1, 1, 1); d++ {
			if got[d] != "" {
				list = append(list, d.String())
			}
		}
		if g := strings.Join(list, " "); g != want {
			t.Errorf("%s:\n got %s\nwant %s", name, g, want)
		}
	}
	// Easter Sundays: published by the U.S. Census Bureau.
	for _, want := range []string{"2000-04-23", "2008-03-23", "2011-04-24", "2019-04-21", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"} {
		d, _ := ParseDate(want)
		y, _, _ := d.Civil()
		if easter(y) != d {
			t.Errorf("Easter %d: %s", y, easter(y))
		}
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	week := Weekdays("08:00-17:00")
	for name, spec := range map[string]Spec{
		"zone":         {Zone: "Mars/Olympus", Week: week},
		"local":        {Zone: "Local", Week: week},
		"no zone":      {Week: week},
		"no work":      {Zone: "UTC"},
		"overlap":      {Zone: "UTC", Week: Weekdays("08:00-12:00", "11:00-17:00")},
		"backwards":    {Zone: "UTC", Week: Weekdays("17:00-08:00")},
		"minute":       {Zone: "UTC", Week: Weekdays("08:60-12:00")},
		"past the end": {Zone: "UTC", Week: Weekdays("08:00-24:01")},
		"sign":         {Zone: "UTC", Week: Weekdays("+8:00-12:00")},
		"month":        {Zone: "UTC", Week: week, Holidays: []Rule{{Name: "x", Month: 13, Day: 1}}},
		"day":          {Zone: "UTC", Week: week, Holidays: []Rule{{Name: "x", Month: 1}}},
		"date":         {Zone: "UTC", Week: week, Days: map[string][]string{"2026-02-30": nil}},
	} {
		if _, err := New(spec); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, term := range []Term{{Amount: -1, Unit: Day}, {Amount: 1, Unit: "fortnight"}, {Amount: 1, Unit: Day, Count: "x"}, {Amount: MaxAmount + 1, Unit: Day}, {Unit: Day, End: "x"}} {
		if term.Validate() == nil {
			t.Errorf("%+v: no error", term)
		}
	}
}

func FuzzParseShift(f *testing.F) {
	for _, s := range []string{"08:00-17:00", "00:00-24:00", "24:00-24:00", "-", "08:00", "08:00-08:00", " 1:00-2:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseShift(text)
		if err != nil {
			return
		}
		if s.From < 0 || s.From >= s.To || s.To > 1440 {
			t.Fatalf("%q gives %v", text, s)
		}
		if again, err := ParseShift(s.String()); err != nil || again != s {
			t.Fatalf("%q: %v, %v", text, again, err)
		}
	})
}

func BenchmarkDue(b *testing.B) {
	c := testCalendars(b)["vn"]
	start := time.Date(2026, 2, 11, 2, 30, 0, 0, time.UTC)
	term := Term{Amount: 7, Unit: WorkingDay}
	b.ReportAllocs()
	for b.Loop() {
		term.Due(start, c)
	}
}
