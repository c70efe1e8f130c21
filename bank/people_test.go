package bank

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Everything personal is fictitious by construction.
var (
	fictitiousPhone = regexp.MustCompile(`^0(30|31|51|95)\d{7}$|^01(60|61)\d{7}$`)
	fictitiousID    = regexp.MustCompile(`^9\d{11}$|^9\d{8}$`)
	reservedMail    = regexp.MustCompile(`@([a-z]+\.)?example(\.(com|net|org))?$`)
)

func TestPersonalDataIsFictitious(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 6, Customers: 3000, Months: 1})
	seen := 0
	for e := range b.ByCustomer() {
		if e.Traits == nil {
			continue
		}
		seen++
		var r struct{ Phone, Email, CitizenID string }
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(e.Traits), "citizen_id", "citizenid")), &r); err != nil {
			t.Fatal(err)
		}
		phone := strings.NewReplacer(" ", "", ".", "").Replace(r.Phone)
		phone = regexp.MustCompile(`^\+?84`).ReplaceAllString(phone, "0")
		if !fictitiousPhone.MatchString(phone) {
			t.Fatalf("the telephone number %s may be somebody's", r.Phone)
		}
		if r.CitizenID != "" && !fictitiousID.MatchString(r.CitizenID) {
			t.Fatalf("the citizen id %s may be somebody's", r.CitizenID)
		}
		if r.Email != "" && !reservedMail.MatchString(r.Email) {
			t.Fatalf("the address %s may reach somebody", r.Email)
		}
	}
	if seen < 6000 {
		t.Fatalf("only %d records were seen", seen)
	}
}

func TestIDsAreOneToOne(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{1, 2, 10, 1000, 4097} {
		seen := make([]bool, n)
		for x := range n {
			y := scatter(42, x, n)
			if y >= n || seen[y] {
				t.Fatalf("of %d ids, %d and another are both %d", n, x, y)
			}
			seen[y] = true
		}
	}
}

func TestHouseholdsPartitionTheSlots(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 8, Customers: 10})
	members := map[uint64]int{}
	size := map[uint64]int{}
	for slot := range uint64(4000) {
		id, pos, n := b.household(slot << 3)
		if pos != members[id] || id+uint64(pos) != slot {
			t.Fatalf("slot %d stands at place %d of household %d", slot, pos, id)
		}
		members[id]++
		size[id] = n
	}
	for id, n := range size {
		if members[id] != n {
			t.Errorf("household %d has %d members of %d", id, members[id], n)
		}
	}
}

func TestMembersShareAHome(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 8, Customers: 10})
	for slot := range uint64(2000) {
		if id, pos, _ := b.household(slot << 3); pos > 0 {
			head, p := b.Person(headIndex(id)), b.Person(slot<<3)
			if head.Address != p.Address {
				t.Fatalf("%s and %s are one household at two addresses", head.FullName(), p.FullName())
			}
		}
	}
}

func TestNamesFollowTheirDistribution(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 1, Customers: 10})
	n := map[string]int{}
	const people = 20_000
	thi := map[bool]int{}
	old := map[bool]int{}
	for i := range uint64(people) {
		p := b.Person(i << 3)
		n[p.Family]++
		if p.Female && p.Expat == "" {
			cohort := p.Birth.Year() < 1980
			old[cohort]++
			if strings.HasPrefix(p.Middle, "Thị") {
				thi[cohort]++
			}
		}
	}
	for name, want := range map[string][2]float64{"Nguyễn": {0.31, 0.38}, "Trần": {0.09, 0.13}, "Lê": {0.08, 0.11}, "Phạm": {0.05, 0.075}, "Đặng": {0.015, 0.025}} {
		if share := float64(n[name]) / people; share < want[0] || share > want[1] {
			t.Errorf("%s: %.3f of the people, published counts give %.3f to %.3f", name, share, want[0], want[1])
		}
	}
	if older, younger := ratio(float64(thi[true]), float64(old[true])), ratio(float64(thi[false]), float64(old[false])); older < 0.7 || younger > older-0.15 {
		t.Errorf("Thị is the middle name of %.2f of older women and %.2f of younger", older, younger)
	}
}

func TestRegionsSpeakDifferentNames(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 1, Customers: 10})
	var south, north [2]int // Huỳnh, Hoàng
	for i := range uint64(20_000) {
		p := b.Person(i << 3)
		k := slices.Index([]string{"Huỳnh", "Hoàng"}, p.Family)
		if k < 0 {
			continue
		}
		switch Regions[b.packs.provinces[p.Province].region].north {
		case 0:
			north[k]++
		case 2:
			south[k]++
		}
	}
	if south[0] < 2*south[1] || north[1] < 10*north[0] {
		t.Errorf("Huỳnh/Hoàng: %v in the south, %v in the north", south, north)
	}
}

func TestRecordsDisagree(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 3, Customers: 10})
	errors := map[string]int{}
	for i := range uint64(8000) {
		p := b.Person(i << 3)
		for _, r := range recordBits {
			rec := b.record(&p, r.sys, r.copy, 0, b.start-2000*day)
			for _, e := range rec.Errors {
				errors[e]++
			}
			if r.sys == sysCard && strings.IndexFunc(rec.Name, func(r rune) bool { return r > 127 }) >= 0 {
				t.Fatalf("a card carries %q", rec.Name)
			}
		}
	}
	for _, e := range []string{ErrTypo, ErrSwapped, ErrPlain, ErrPartial, ErrOldPhone, ErrSharedPhone, ErrStaleAddr, ErrDefaultDate, ErrSwappedDate, ErrOldID} {
		if errors[e] < 20 {
			t.Errorf("%s befalls %d records only", e, errors[e])
		}
	}
}

func TestGarbleKeepsTextValid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-ZĐ][a-zăâêôơưễếạ]{1,6}( [A-Z][a-zăâêôơư]{1,6}){0,3}`).Draw(t, "name")
		r := rng(rapid.Uint64().Draw(t, "seed"))
		if got := garble(name, &r); got == "" || strings.ContainsRune(got, '\uFFFD') {
			t.Fatalf("%q becomes %q", name, got)
		}
	})
}

func TestUnaccent(t *testing.T) {
	t.Parallel()
	if got := unaccent("Nguyễn Thị Hương, Đắk Lắk, quận Gò Vấp"); got != "Nguyen Thi Huong, Dak Lak, quan Go Vap" {
		t.Error(got)
	}
}

func TestProvincesAndBranches(t *testing.T) {
	t.Parallel()
	c := packs()
	merged := map[string]bool{}
	for i, p := range c.provinces {
		merged[p.merged] = true
		if len(c.local[i]) == 0 {
			t.Errorf("%s has no branch to go to", p.name)
		}
		for _, at := range p.places {
			if at.ward == "" || at.newWard == "" || at.district == "" {
				t.Errorf("%s has an incomplete place %+v", p.name, at)
			}
		}
	}
	if len(c.provinces) != 63 || len(merged) != 34 {
		t.Errorf("%d provinces became %d", len(c.provinces), len(merged))
	}
	if len(c.branches) < 60 {
		t.Errorf("only %d branches", len(c.branches))
	}
	for _, b := range c.branches {
		if b.Province == "" || b.Path != "/"+b.Region+"/"+b.Code+"/" {
			t.Errorf("branch %+v has no place", b)
		}
	}
}
