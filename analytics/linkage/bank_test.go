package linkage_test

import (
	"context"
	"os"
	"testing"

	"omote/analytics/linkage"
	"omote/bank"
)

// bankRecords gives what a simulated bank's systems hold, and who is who.
func bankRecords(t testing.TB, customers int, seed uint64) (*linkage.Table, []int32) {
	t.Helper()
	b, err := bank.New(bank.Config{Customers: customers, Months: 1, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	tab := linkage.NewTable("name", "birth", "gender", "phone", "email", "citizen_id", "address")
	var truth []int32
	number := map[uint64]int32{}
	for person, r := range b.Records() {
		n, ok := number[person]
		if !ok {
			n = int32(len(number))
			number[person] = n
		}
		if err := tab.Add(0, r.Name, r.Birth, r.Gender, r.Phone, r.Email, r.CitizenID, r.Address); err != nil {
			t.Fatal(err)
		}
		truth = append(truth, n)
	}
	return tab, truth
}

// Across the bank's source systems people are found, and nobody's cluster is
// larger than the largest person by chaining.
func TestSimulatedBank(t *testing.T) {
	t.Parallel()
	customers := 1500
	if os.Getenv("OMOTE_VERIFY") != "" {
		customers = 50_000
	}
	tab, truth := bankRecords(t, customers, 5)
	res, err := linkage.Link(context.Background(), tab, linkage.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := linkage.ScoreClusters(truth, res.Entity, nil)
	t.Logf("%d records: pairs %+v, B-cubed %+v, coverage %.4f", tab.Len(), s.Pairs, s.B3, res.Coverage)
	if s.Pairs.F1 < 0.97 {
		t.Errorf("pairs %+v", s.Pairs)
	}
	most := func(of []int32) (n int) {
		size := map[int32]int{}
		for _, e := range of {
			size[e]++
			n = max(n, size[e])
		}
		return n
	}
	if found, true := most(res.Entity), most(truth); found > true {
		t.Errorf("a customer of %d records; the largest true one has %d", found, true)
	}
}
