package linkage

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// sharedFile opens a published data set; the folder of the shared data is named
// by OMOTE_SHARED_DATA.
func sharedTable(t *testing.T, name, id, truth string) (*Table, []int32) {
	t.Helper()
	dir := os.Getenv("OMOTE_SHARED_DATA")
	if dir == "" {
		t.Skip("OMOTE_SHARED_DATA does not name the folder of the published data sets")
	}
	f, err := os.Open(filepath.Join(dir, "identity", name))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	tab, err := ReadCSV(f)
	if err != nil {
		t.Fatal(err)
	}
	i, j := tab.FindColumn(id), tab.FindColumn(truth)
	var ids, truths []string
	for r := range tab.Len() {
		ids, truths = append(ids, tab.Value(r, i)), append(truths, tab.Value(r, j))
	}
	return tab.Without(i, j), Truth(truths, ids)
}

func TestPublishedDataSets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, id, truth string
		pairs, b3       float64
		long            bool
	}{
		{"febrl_dataset1.csv", "rec_id", "rec_id", 0.998, 0.998, false},
		{"febrl_dataset2.csv", "rec_id", "rec_id", 0.998, 0.998, true},
		{"febrl_dataset3.csv", "rec_id", "rec_id", 0.998, 0.998, false},
		{"splink_historical_50k.csv", "unique_id", "cluster", 0.87, 0.90, true},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			if c.long && os.Getenv("OMOTE_VERIFY") == "" {
				t.Skip("only with OMOTE_VERIFY=1")
			}
			tab, truth := sharedTable(t, c.file, c.id, c.truth)
			res, err := Link(context.Background(), tab, Options{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			s := ScoreClusters(truth, res.Entity, nil)
			if s.Pairs.F1 < c.pairs || s.B3.F1 < c.b3 {
				t.Errorf("pairs %+v, B-cubed %+v", s.Pairs, s.B3)
			}
			t.Logf("threshold %.2f, pairs %+v, B-cubed %+v", res.Threshold, s.Pairs, s.B3)
		})
	}
}

// people makes records of n persons, each with copies that carry slips.
func people(n int, seed uint64) (*Table, []int32) {
	given := strings.Fields("an binh chi dung giang hoa hung khanh lan linh long mai minh nam nga ngoc nhung phuc phuong quan quynh son thao thu tuan van vinh yen")
	family := strings.Fields("nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly")
	rng := rand.New(rand.NewPCG(seed, 9))
	t := NewTable("given_name", "surname", "date_of_birth", "phone", "email")
	var truth []int32
	for p := range n {
		g, m, f := given[rng.IntN(len(given))], given[rng.IntN(len(given))], family[rng.IntN(len(family))]
		date := fmt.Sprintf("%d-%02d-%02d", 1940+rng.IntN(65), 1+rng.IntN(12), 1+rng.IntN(28))
		phone := fmt.Sprintf("09%08d", rng.IntN(1e8))
		mail := fmt.Sprintf("%s%s%d@example.com", g, f, rng.IntN(1000))
		for range 1 + rng.IntN(3) {
			r := []string{g + " " + m, f, date, phone, mail}
			if rng.IntN(4) == 0 {
				r[0] = g
			}
			if rng.IntN(10) == 0 {
				r[2] = ""
			}
			if rng.IntN(8) == 0 {
				r[3] = fmt.Sprintf("09%08d", rng.IntN(1e8))
			}
			if rng.IntN(3) == 0 {
				r[4] = ""
			}
			if rng.IntN(12) == 0 && len(r[1]) > 2 {
				r[1] = r[1][:1] + r[1][2:]
			}
			t.Add(0, r...)
			truth = append(truth, int32(p))
		}
	}
	return t, truth
}

func TestSameSeedSameResultOnAnyCores(t *testing.T) {
	t.Parallel()
	tab, truth := people(1500, 3)
	var first *Result
	for _, workers := range []int{1, 2, 5} {
		res, err := Link(context.Background(), tab, Options{Seed: 7, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = res
			if s := ScoreClusters(truth, res.Entity, nil); s.Pairs.F1 < 0.97 {
				t.Errorf("F1 %+v", s.Pairs)
			}
			continue
		}
		if !reflect.DeepEqual(first.Entity, res.Entity) || first.Threshold != res.Threshold {
			t.Errorf("%d workers give another result", workers)
		}
	}
	var out bytes.Buffer
	if err := first.Model.Write(&out); err != nil {
		t.Fatal(err)
	}
	read, err := ReadModel(&out)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Fields) != len(first.Model.Fields) || read.Prior != first.Model.Prior {
		t.Error("the model read is not the one written")
	}
}

func TestTwoFilesLinkBetweenThem(t *testing.T) {
	t.Parallel()
	all, truth := people(2000, 5)
	a := NewTable("First Name", "LAST NAME", "DOB", "Mobile No", "e-mail")
	b := NewTable("e_mail_address", "fname", "lname", "birth date", "tel")
	var ta, tb []int32
	for r := range all.Len() {
		v := make([]string, 5)
		for c := range v {
			v[c] = all.Value(r, c)
		}
		if r > 0 && truth[r] == truth[r-1] && (len(tb) == 0 || tb[len(tb)-1] != truth[r]) {
			b.Add(0, v[4], v[0], v[1], v[2], v[3])
			tb = append(tb, truth[r])
		} else if len(ta) == 0 || ta[len(ta)-1] != truth[r] {
			a.Add(0, v...)
			ta = append(ta, truth[r])
		}
	}
	both, err := Stack(a, b)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Link(context.Background(), both, Options{Seed: 1, Between: true})
	if err != nil {
		t.Fatal(err)
	}
	s := ScoreClusters(append(ta, tb...), res.Entity, both.Source)
	if s.Pairs.F1 < 0.97 {
		t.Errorf("%+v", s.Pairs)
	}
	seen := map[[2]int32]bool{}
	for r, e := range res.Entity {
		k := [2]int32{e, int32(both.Source[r])}
		if seen[k] {
			t.Fatal("a file without duplicates has two records in one cluster")
		}
		seen[k] = true
	}
}

func TestHostileInputIsBounded(t *testing.T) {
	t.Parallel()
	n := 20_000
	if os.Getenv("OMOTE_VERIFY") != "" {
		n = 100_000
	}
	odd := []string{"", "\u200b", "\u202eمحمد", strings.Repeat("x", 5000), "😀", "0", "null", "\x00\x01", "Nguyễn\u200dThị", "a b c d e f g h i j k l m n o p q r s t u v"}
	tab := NewTable("name", "phone", "dob")
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		name := odd[i%len(odd)]
		if i%2 == 0 {
			name = fmt.Sprintf("person %d %d", rng.IntN(5000), i)
		}
		tab.Add(0, name, "0900000000", fmt.Sprintf("%d-01-01", 1900+i%100))
	}
	res, err := Link(context.Background(), tab, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if res.Compared > 60e6 {
		t.Errorf("%d pairs compared", res.Compared)
	}
	// nothing at all, and one column of nothing
	if res, err := Link(context.Background(), NewTable("a"), Options{}); err != nil || res.Clusters != 0 {
		t.Error(res, err)
	}
	empty := NewTable("a")
	empty.Add(0, "")
	if _, err := Link(context.Background(), empty, Options{}); err == nil {
		t.Error("a table without a value is linked")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Link(ctx, tab, Options{}); err == nil {
		t.Error("a cancelled run gives a result")
	}
}
