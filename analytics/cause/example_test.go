package cause_test

import (
	"fmt"

	"omote/analytics/cause"
)

func ExampleLocate() {
	t := cause.NewTable("branch", "channel")
	for b := range 12 {
		for c := range 6 {
			expected := float64(80 + 7*b + 11*c)
			actual := expected * (1 + 0.01*float64((3*b+5*c)%7-3))
			if b == 4 { // this branch lost a third
				actual = expected * 2 / 3
			}
			t.Add([]string{fmt.Sprint("b", b), fmt.Sprint("c", c)}, actual, expected)
		}
	}
	for _, c := range cause.Locate(t, cause.Options{}).Causes {
		fmt.Printf("%v: %.0f instead of %.0f, ×%.2f\n", c, c.Actual, c.Expected, c.Factor)
	}
	// Output: branch=b4: 542 instead of 813, ×0.67
}

func ExampleLocateRates() {
	t := cause.NewRateTable("app version", "device")
	for day := range int64(10) {
		for v := range 4 {
			for d := range 5 {
				failures := 30 + float64((int(day)*5+v*3+d*7)%11-5)
				if day == 9 && v == 2 {
					failures *= 3
				}
				t.Add(day, []string{fmt.Sprint("4.", v), fmt.Sprint("d", d)}, failures, 1000)
			}
		}
	}
	got, err := cause.LocateRates(t, 9, cause.Options{})
	if err != nil {
		panic(err)
	}
	for _, c := range got.Causes {
		fmt.Printf("%v ×%.1f\n", c, c.Factor)
	}
	// Output: app version=4.2 ×2.9
}

func ExampleDrivers() {
	names := []string{"staff", "waiting"}
	var x [][]float64
	var y []float64
	for i := range 40 {
		staff, waiting := float64(i%5), float64((i*7)%4)
		x = append(x, []float64{staff, waiting})
		y = append(y, 3*staff-waiting+float64(i%3))
	}
	r, err := cause.Drivers(names, x, y, cause.DriverOptions{})
	if err != nil {
		panic(err)
	}
	for _, d := range r.Drivers {
		fmt.Printf("%s %.0f %%\n", d.Name, 100*d.Shapley)
	}
	fmt.Printf("explained %.0f %%, collinear: %t\n", 100*r.R2, r.Collinear)
	// Output:
	// staff 91 %
	// waiting 6 %
	// explained 97 %, collinear: false
}

func ExampleMatchEvents() {
	events := []cause.Event{{Name: "outage", Kind: "incident", Time: 200}}
	for week := range 52 {
		events = append(events, cause.Event{Name: "release", Kind: "release", Time: float64(7*week + 2)})
	}
	changes := []cause.ChangePoint{{Name: "NPS", Time: 201, Low: 200, High: 202}}
	r := cause.MatchEvents(changes, events, cause.EventOptions{Before: 5, After: 1, Start: 0, End: 364})
	for _, m := range r.Matches {
		fmt.Printf("%s %.0f day before, by chance %.1f %%\n", events[m.Event].Name, m.Gap, 100*m.Chance)
	}
	// Output:
	// outage 1 day before, by chance 0.5 %
	// release 3 day before, by chance 57.1 %
}

func ExampleLeadingIndicators() {
	const n = 120
	waiting, nps := make([]float64, n), make([]float64, n)
	for i := range n {
		waiting[i] = float64((i * i * 7) % 13)
		nps[i] = 40 + float64((i*i*5)%7)/10
		if i >= 2 {
			nps[i] -= waiting[i-2]
		}
	}
	leads, err := cause.LeadingIndicators(nps, []cause.Indicator{{Name: "waiting", Values: waiting}}, cause.LeadingOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s leads by %d periods: %t\n", leads[0].Name, leads[0].Lag, leads[0].Adjusted < 0.05)
	// Output: waiting leads by 2 periods: true
}

func ExampleEffortCurve() {
	var minutes, score []float64
	for i := range 600 {
		m := float64(i % 30)
		s := 9 + float64((i*7)%5-2)/2
		if m > 12 {
			s -= (m - 12) / 4
		}
		minutes, score = append(minutes, m), append(score, s)
	}
	c, err := cause.EffortCurve(minutes, score, cause.EffortOptions{Falling: true, Seed: 1})
	if err != nil {
		panic(err)
	}
	fmt.Printf("knee near %.0f minutes, clear: %t\n", c.Knee, c.Clear)
	// Output: knee near 12 minutes, clear: true
}
