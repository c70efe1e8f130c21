package linkage_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"omote/analytics/linkage"
)

// exampleTable is a small register in which some people stand twice.
func exampleTable() *linkage.Table {
	rng := rand.New(rand.NewPCG(1, 2))
	given := strings.Fields("An Bình Chi Dung Hà Hoa Hùng Khánh Lan Long Mai Minh Nam Ngọc Phúc Quân Sơn Thảo Tuấn Yến")
	family := strings.Fields("Nguyễn Trần Lê Phạm Hoàng Vũ Đặng Bùi Đỗ Hồ")
	t := linkage.NewTable("full_name", "birth_date", "phone")
	for i := range 300 {
		name := family[rng.IntN(10)] + " " + given[rng.IntN(20)] + " " + given[rng.IntN(20)]
		birth := fmt.Sprintf("%d-%02d-%02d", 1950+rng.IntN(50), 1+rng.IntN(12), 1+rng.IntN(28))
		phone := fmt.Sprintf("03%08d", rng.IntN(1e8))
		t.Add(0, name, birth, phone)
		if i%2 == 0 { // another system writes the name without marks, sometimes with another number
			if i%6 == 0 {
				phone = fmt.Sprintf("03%08d", rng.IntN(1e8))
			}
			t.Add(0, strings.NewReplacer("ễ", "e", "ầ", "a", "ê", "e", "ạ", "a").Replace(name), birth, phone)
		}
	}
	return t
}

func ExampleLink() {
	t := exampleTable()
	res, err := linkage.Link(context.Background(), t, linkage.Options{Seed: 1})
	if err != nil {
		panic(err)
	}
	fmt.Println(t.Len(), "records,", res.Clusters, "people")
	// Output: 450 records, 300 people
}

func ExampleIndex() {
	t := exampleTable()
	res, err := linkage.Link(context.Background(), t, linkage.Options{Seed: 1})
	if err != nil {
		panic(err)
	}
	x, err := linkage.NewIndex(res.Model, t, res.Entity)
	if err != nil {
		panic(err)
	}
	// the first person again, name in capitals and another telephone number
	again := []string{strings.ToUpper(t.Value(0, 0)), t.Value(0, 1), "0399999999"}
	found, err := x.Match(again, 0.5)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(found), "person, of record", found[0].Record)
	why, err := x.Explain(again, found[0].Record)
	if err != nil {
		panic(err)
	}
	for _, s := range why.Steps {
		fmt.Println(s.Field, "is", s.Level)
	}
	// Output:
	// 1 person, of record 0
	// full_name is equal
	// birth_date is equal
	// phone is different
}

func ExampleCalibrate() {
	// a steward refused most of what the model gave 90 per cent
	var answers []linkage.Label
	for i := range 60 {
		answers = append(answers, linkage.Label{Probability: 0.9, Same: i%3 == 0}, linkage.Label{Probability: 0.999, Same: true}, linkage.Label{Probability: 0.01, Same: false})
	}
	c := linkage.Calibrate(answers)
	fmt.Printf("0.9 means %.1f\n", c.Apply(0.9))
	// Output: 0.9 means 0.3
}
