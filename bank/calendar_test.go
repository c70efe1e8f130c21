package bank

import (
	"testing"
	"time"
)

func date(t *testing.T, s string) int {
	t.Helper()
	x, err := time.ParseInLocation(time.DateOnly, s, Zone)
	if err != nil {
		t.Fatal(err)
	}
	return dayOf(x.UnixMicro())
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	c := theAlmanac()
	for _, s := range []string{"2026-02-17", "2026-02-16", "2026-02-19", "2025-01-29", "2026-01-01", "2026-04-30", "2026-05-01", "2025-09-01", "2025-09-02", "2026-04-26", "2026-04-27", "2026-02-20"} {
		if d := c.at(date(t, s)); !d.holiday || d.office {
			t.Errorf("%s is no holiday", s)
		}
	}
	for _, s := range []string{"2026-02-12", "2026-02-25", "2026-03-03", "2025-12-24"} {
		if d := c.at(date(t, s)); d.holiday || !d.office {
			t.Errorf("%s is no working day", s)
		}
	}
	if d := c.at(date(t, "2026-02-17")); d.tet != 0 {
		t.Errorf("mùng một 2026 is %d days from Tết", d.tet)
	}
}

func TestPaydaysAreWorkingDays(t *testing.T) {
	t.Parallel()
	c := theAlmanac()
	months := 0
	for d := range c.days {
		if c.days[d].payday != 0 && !c.days[d].office {
			t.Fatalf("day %d is a payday but no working day", d)
		}
		if c.days[d].payday&1 != 0 {
			months++
		}
	}
	if months < 30*12-1 {
		t.Errorf("the first of the month is paid %d times in thirty years", months)
	}
}

func TestClockRoundTrip(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"2020-01-01T00:00:00+07:00", "2026-02-17T23:59:59+07:00", "2030-06-15T07:30:00+07:00"} {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		at := x.UnixMicro()
		if got := dayStart(dayOf(at)) + clockOf(at); got != at {
			t.Errorf("%s: day and clock give %s", s, time.UnixMicro(got))
		}
		if y := x.In(Zone); int64(y.Hour())*hour+int64(y.Minute())*minute+int64(y.Second())*second != clockOf(at) {
			t.Errorf("%s: the clock is %d", s, clockOf(at)/minute)
		}
	}
}

func TestOfficeTime(t *testing.T) {
	t.Parallel()
	c := theAlmanac()
	for _, s := range []string{"2026-02-14T10:00:00+07:00", "2026-02-18T03:00:00+07:00", "2026-03-04T18:30:00+07:00", "2026-03-05T09:15:00+07:00"} {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		got := c.officeTime(x.UnixMicro())
		d, clock := c.at(dayOf(got)), clockOf(got)
		if got < x.UnixMicro() || !d.office || clock < 8*hour || clock >= 17*hour {
			t.Errorf("%s moves to %s", s, time.UnixMicro(got).In(Zone))
		}
	}
}
