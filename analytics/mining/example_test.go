package mining_test

import (
	"fmt"
	"log"
	"time"

	"omote/analytics/mining"
)

// loans returns a log of three loan applications.
func loans() *mining.Log {
	b := mining.NewBuilder("channel")
	add := func(id, activity, channel string, hour int64) {
		b.Add(b.Case(id), b.Activity(activity), hour*int64(time.Hour/time.Microsecond), b.Value(0, channel))
	}
	add("A", "applied", "app", 0)
	add("A", "decided", "branch", 24)
	add("A", "paid out", "branch", 30)
	add("B", "applied", "app", 5)
	add("B", "decided", "branch", 17)
	add("C", "applied", "web", 50)
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func ExampleDirectlyFollows() {
	l := loans()
	for _, e := range mining.DirectlyFollows(l).Edges {
		fmt.Printf("%s → %s: %d times, median %.0f h\n",
			l.Activities().Name(e.Source), l.Activities().Name(e.Target), e.Count, e.Wait.Median/3600)
	}
	// Output:
	// applied → decided: 2 times, median 18 h
	// decided → paid out: 1 times, median 6 h
}

func ExampleFunnel() {
	l := loans()
	f := &mining.Funnel{Timeout: 48 * time.Hour}
	for _, name := range []string{"applied", "decided", "paid out"} {
		id, _ := l.Activities().Lookup(name)
		f.Steps = append(f.Steps, []int32{id})
	}
	r, err := f.Run(l)
	if err != nil {
		log.Fatal(err)
	}
	for i, step := range r.Steps {
		fmt.Printf("%s: %d cases, %d open, %d lost\n", l.Activities().Name(f.Steps[i][0]), step.Cases, step.Open, step.Lost)
	}
	// Output:
	// applied: 3 cases, 1 open, 0 lost
	// decided: 2 cases, 1 open, 0 lost
	// paid out: 1 cases, 0 open, 0 lost
}

func ExampleLog_Filter() {
	l := loans()
	decided, _ := l.Activities().Lookup("decided")
	part, steps := l.Filter(mining.CasesWith(decided), mining.DropActivities(decided))
	for _, s := range steps {
		fmt.Printf("%s: %d cases, %d events left\n", s.Name, s.Cases, s.Events)
	}
	fmt.Println(len(mining.FindVariants(part).List), "variants")
	// Output:
	// cases with activity: 2 cases, 5 events left
	// drop activities: 2 cases, 3 events left
	// 2 variants
}

func ExampleHandOffs() {
	l := loans()
	channels, _ := l.Column("channel")
	for _, h := range mining.HandOffs(l, "channel") {
		fmt.Printf("%s to %s: %d times, median wait %.0f h\n", channels.Name(h.From), channels.Name(h.To), h.Count, h.Wait.Median/3600)
	}
	// Output: app to branch: 2 times, median wait 18 h
}
