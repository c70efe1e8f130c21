package align_test

import (
	"fmt"
	"log"
	"time"

	"omote/analytics/mining"
	"omote/analytics/mining/align"
)

func ExampleModel_Align() {
	activities := mining.NewDict("applied", "decided", "paid out", "enquired")
	task := func(name string, wait time.Duration) align.Node {
		id, _ := activities.Lookup(name)
		return align.Task(align.Step{ID: name, Activities: []int32{id}, MaxWait: wait})
	}
	enquired, _ := activities.Lookup("enquired")
	model, err := align.Compile(align.Sequence(
		task("applied", 0),
		task("decided", 24*time.Hour),
		task("paid out", 4*time.Hour),
	), align.Options{Activities: activities.Len(), Exceptions: []int32{enquired}})
	if err != nil {
		log.Fatal(err)
	}
	// Applied, asked where things stand, and was decided after two days.
	const hour = int64(time.Hour / time.Microsecond)
	a := model.Align([]int32{0, 3, 1}, []int64{0, 30 * hour, 48 * hour})
	fmt.Printf("cost %d, fitness %.2f\n", a.Cost, a.Fitness)
	for _, move := range a.Moves {
		switch {
		case move.Event < 0:
			fmt.Println("skipped:", model.Steps()[move.Step].ID)
		case !move.Match:
			fmt.Println("extra event:", move.Extra)
		case move.Late:
			fmt.Println("late:", model.Steps()[move.Step].ID)
		default:
			fmt.Println("as designed:", model.Steps()[move.Step].ID)
		}
	}
	// Output:
	// cost 3, fitness 0.50
	// as designed: applied
	// extra event: exception
	// late: decided
	// skipped: paid out
}
