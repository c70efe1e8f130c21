package bank

import (
	"strings"
	"time"
)

// Purposes of the independent random streams.
const (
	sHousehold = iota + 1
	sPerson
	sContact
	sBehaviour
	sRecord
	sText
	sWave
	sStaff
	sBranch
	sApp
	sMessage
	sID
	sStyle
	sOps
	sArrival
)

// Person is the truth about one human being: what no system knows whole.
type Person struct {
	Index     uint64
	Household uint64
	Family    string
	Middle    string // may be empty
	Given     string
	Female    bool
	Birth     time.Time
	Expat     string // country of a foreign customer, "" for Vietnamese
	Language  string // "vi" or "en": what the person writes in
	Province  int    // of residence, index into the 63
	Born      int    // province of birth registration
	Address   Address
	Phone     string // 10 digits, in a block no operator holds
	OldPhone  string // the 11-digit form before 2018, or an earlier number; may be empty
	Carrier   string // "A", "B" or "C"
	Email     string // in a reserved domain; may be empty
	CitizenID string // 12 digits beginning with 9, which no province has
	OldID     string // 9-digit card number beginning with 9, or ""
	Job       string
	Income    int64 // VND a month
	Head      bool  // first adult of the household
	style     uint64
}

// Address is a postal address in both the old and the new administrative form.
type Address struct {
	Street   string
	Ward     string // before July 2025
	District string // gone since July 2025
	Province string // before July 2025
	NewWard  string
	Merged   string // province since July 2025
}

// Old writes the address as before July 2025.
func (a Address) Old() string {
	return a.Street + ", " + a.Ward + ", " + a.District + ", " + a.Province
}

// New writes the address as since July 2025: no district, new ward, merged province.
func (a Address) New() string { return a.Street + ", " + a.NewWard + ", " + a.Merged }

// FullName is the name in Vietnamese order, with diacritics.
func (p *Person) FullName() string {
	if p.Expat != "" {
		return p.Given + " " + p.Family
	}
	if p.Middle == "" {
		return p.Family + " " + p.Given
	}
	return p.Family + " " + p.Middle + " " + p.Given
}

// Age in whole years at t.
func (p *Person) Age(t time.Time) int {
	y := t.Year() - p.Birth.Year()
	if t.YearDay() < p.Birth.YearDay() {
		y--
	}
	return y
}

// householdBlock is how many consecutive person indices are cut into households.
const householdBlock = 8

// A person's index is slot<<3 | ordinal. Slots number the customers of the first
// day and those who come by themselves; an ordinal above 0 is somebody whom the
// person of the slot referred.

// household finds the household of a person: its id, the position of the person
// in it and its size. A block of eight slots is cut into households of one to
// four members who all bank here; a referred person is counted alone.
func (b *Bank) household(i uint64) (id uint64, pos, size int) {
	if i&7 != 0 {
		return 1<<50 | i, 0, 1
	}
	slot := i >> 3
	block := slot / householdBlock
	at := int(slot % householdBlock)
	r := stream(b.cfg.Seed, sHousehold, block)
	start := 0
	for {
		size = 1 + householdSizes.draw(&r)
		size = min(size, householdBlock-start)
		if at < start+size {
			return block*householdBlock + uint64(start), at - start, size
		}
		start += size
	}
}

var householdSizes = newChoice([]float64{0.62, 0.24, 0.09, 0.05})

// drawAge draws the age of a customer who keeps a household: adults by band,
// younger than the population since most of the young bank on the phone.
func drawAge(r *rng) int {
	bands := [...]struct{ from, years int }{{18, 7}, {25, 10}, {35, 10}, {45, 15}, {60, 18}}
	b := bands[ageBands.draw(r)]
	return b.from + r.below(b.years)
}

var ageBands = newChoice([]float64{0.15, 0.31, 0.26, 0.20, 0.08})

type job struct {
	name   string
	median float64 // VND million a month, national median of the simulated customers
	sigma  float64
	share  float64
	salary bool // paid through an account
}

// Jobs and their pay. Medians lie around the published average labour income of
// about 8 million VND a month (2025), higher for the salaried who bank; shares are assumptions.
var jobs = []job{
	{"office_worker", 13, 0.45, 0.27, true},
	{"factory_worker", 9.2, 0.28, 0.17, true},
	{"civil_servant", 10.5, 0.35, 0.10, true},
	{"teacher", 10, 0.35, 0.05, true},
	{"health_worker", 12, 0.45, 0.03, true},
	{"engineer", 20, 0.5, 0.07, true},
	{"manager", 38, 0.55, 0.05, true},
	{"household_business", 18, 0.75, 0.08, false},
	{"freelancer", 11, 0.7, 0.07, false},
	{"farmer", 6, 0.5, 0.04, false},
	{"student", 3.5, 0.4, 0.05, false},
	{"retired", 5.5, 0.5, 0.06, false},
}

var jobChoice = func() choice {
	w := make([]float64, len(jobs))
	for i := range jobs {
		w[i] = jobs[i].share
	}
	return newChoice(w)
}()

const (
	jobHouseholdBusiness = 7
	jobStudent           = 10
	jobRetired           = 11
)

var foreigners = []struct {
	country       string
	family, given []string
}{
	{"KR", []string{"Kim", "Lee", "Park", "Choi", "Jung"}, []string{"Min-jun", "Seo-yeon", "Ji-hoon", "Hye-jin", "Dong-hyun"}},
	{"JP", []string{"Sato", "Suzuki", "Tanaka", "Watanabe", "Ito"}, []string{"Haruto", "Yui", "Kenji", "Aiko", "Takumi"}},
	{"GB", []string{"Harper", "Whitlock", "Ashdown", "Pemberton", "Lowe"}, []string{"Oliver", "Emma", "James", "Grace", "Daniel"}},
	{"US", []string{"Miller", "Carver", "Brooks", "Hayward", "Stone"}, []string{"Ethan", "Olivia", "Mason", "Chloe", "Ryan"}},
	{"IN", []string{"Sharma", "Iyer", "Mehta", "Reddy", "Nair"}, []string{"Arjun", "Priya", "Rohan", "Ananya", "Vikram"}},
	{"FR", []string{"Moreau", "Lambert", "Girard", "Fontaine", "Roche"}, []string{"Lucas", "Camille", "Hugo", "Manon", "Louis"}},
}

// Person gives the truth about person i. It is a function of the seed and i alone.
func (b *Bank) Person(i uint64) Person {
	c := b.packs
	hid, pos, size := b.household(i)
	hr := stream(b.cfg.Seed, sHousehold, 1<<60|hid)
	p := Person{Index: i, Household: hid, Head: pos == 0, style: mix(b.cfg.Seed ^ mix(i+sStyle*0x9e37))}
	p.Province = c.byProvince.draw(&hr)
	home := &c.provinces[p.Province]
	family := c.surnames.draw(&hr, Regions[home.region].north)
	other := c.surnames.draw(&hr, Regions[home.region].north)
	p.Address = drawAddress(&hr, home)
	headFemale := hr.chance(0.47)
	headAge := drawAge(&hr)
	shared := drawPhone(&hr)

	r := stream(b.cfg.Seed, sPerson, i)
	age := headAge
	switch {
	case pos == 0:
		p.Female, p.Family = headFemale, family
	case pos == 1 && size <= 3:
		p.Female, p.Family = !headFemale, other
		age = headAge - 3 + r.below(7)
	case pos == 1:
		p.Female, p.Family = !headFemale, other
		age = headAge - 2 + r.below(5)
	default:
		p.Female, p.Family = r.chance(0.5), family
		if age = headAge - 22 - r.below(9); age < 16 {
			age = headAge + 22 + r.below(8)
		}
	}
	age = min(max(age, 16), 88)
	year := b.cfg.Start.Year() - age
	p.Birth = time.Date(year, time.Month(1+r.below(12)), 1+r.below(28), 0, 0, 0, 0, time.UTC)
	b.nameOf(&p, &r, year)
	p.Born = p.Province
	if Regions[home.region].income > 1.1 && r.chance(0.45) {
		p.Born = c.byProvince.draw(&r)
	}
	b.workOf(&p, &r, age, home)
	b.contactsOf(&p, age, shared)
	return p
}

func (b *Bank) nameOf(p *Person, r *rng, year int) {
	c := b.packs
	p.Language = "vi"
	if r.chance(b.cfg.English) {
		p.Language = "en"
		if p.Head && r.chance(0.7) {
			f := foreigners[r.below(len(foreigners))]
			p.Expat, p.Family, p.Given = f.country, f.family[r.below(len(f.family))], f.given[r.below(len(f.given))]
			return
		}
	}
	sex := 0
	if p.Female {
		sex = 1
	}
	cohort := 0
	switch {
	case year >= 2000:
		cohort = 3
	case year >= 1990:
		cohort = 2
	case year >= 1970:
		cohort = 1
	}
	p.Middle = c.middle[sex].draw(r, cohort)
	p.Given = c.given[sex].draw(r, cohort)
	four := []float64{0.08, 0.14, 0.2, 0.26}[cohort]
	if p.Female {
		four = []float64{0.18, 0.3, 0.45, 0.62}[cohort]
	}
	if p.Middle != "" && r.chance(four) {
		for range 4 {
			second := c.middle[sex].draw(r, cohort)
			if second == "" || second == "Thị" || second == "Văn" || second == p.Middle || second == p.Given {
				continue
			}
			p.Middle += " " + second
			break
		}
	}
	for p.Given == p.Middle || strings.HasSuffix(p.Middle, " "+p.Given) {
		p.Given = c.given[sex].draw(r, cohort)
	}
}

func (b *Bank) workOf(p *Person, r *rng, age int, home *province) {
	j := jobChoice.draw(r)
	switch {
	case age < 22 && r.chance(0.75):
		j = jobStudent
	case age >= 60:
		j = jobRetired
	case age > 24 && j == jobStudent, age < 55 && j == jobRetired:
		j = 0
	}
	p.Job = jobs[j].name
	scale := Regions[home.region].income * (0.75 + 0.012*float64(min(max(age, 20), 50)-20))
	if j == jobStudent || j == jobRetired {
		scale = 1
	}
	if scale *= 1.13; p.Female { // men earn 1.3 times what women earn
		scale *= 0.77
	}
	p.Income = roundTo(int64(1e6*r.lognormal(jobs[j].median, jobs[j].sigma)*scale), 100_000)
}

func (p *Person) job() int {
	for j := range jobs {
		if jobs[j].name == p.Job {
			return j
		}
	}
	return 0
}

func roundTo(v, unit int64) int64 { return (v + unit/2) / unit * unit }

var streets = []string{"Nguyễn Trãi", "Lê Lợi", "Trần Hưng Đạo", "Hai Bà Trưng", "Lý Thường Kiệt", "Quang Trung", "Nguyễn Huệ", "Lê Duẩn", "Phan Chu Trinh",
	"Điện Biên Phủ", "Cách Mạng Tháng Tám", "Nguyễn Văn Cừ", "Hoàng Hoa Thám", "Trường Chinh", "Lê Hồng Phong", "Ngô Quyền", "Phạm Văn Đồng", "Võ Văn Kiệt",
	"Nguyễn Thị Minh Khai", "Tôn Đức Thắng", "Lạc Long Quân", "Âu Cơ", "Kim Mã", "Giải Phóng", "Phan Đình Phùng", "Bà Triệu", "Hùng Vương", "Nguyễn Du"}

func drawAddress(r *rng, p *province) Address {
	no := 1 + r.below(480)
	street := make([]byte, 0, 48)
	switch r.below(10) {
	case 0, 1:
		street = append(appendInt(append(street, "Ngõ "...), int64(1+r.below(200))), ", số "...)
		street = appendInt(street, int64(1+no%60))
	case 2:
		street = append(appendInt(append(street, "Căn hộ "...), int64(3+r.below(28))), '0')
		street = append(appendInt(street, int64(1+r.below(9))), ", chung cư "...)
		street = append(append(street, [...]string{"Ánh Dương", "Sông Xanh", "Hoa Sen", "Bình Minh"}[r.below(4)]...), ", đường"...)
	default:
		street = appendInt(street, int64(no))
		if r.chance(0.3) {
			street = append(appendInt(append(street, '/'), int64(1+r.below(60))), ""...)
		}
	}
	street = append(append(street, ' '), streets[r.below(len(streets))]...)
	at := p.places[r.below(len(p.places))]
	ward := at.ward
	if rest, ok := strings.CutPrefix(ward, "P. Phường "); ok {
		ward = "Phường " + rest
	}
	return Address{Street: string(street), Ward: ward, District: at.district, Province: p.name, NewWard: at.newWard, Merged: p.merged}
}

// Phone numbers are 10 digits in the blocks 030, 031 (carrier A), 051 (C) and
// 095 (B). No operator holds these blocks, so no number here can ring; yet they
// have the length and the first digits that the general numbering pattern allows.
func drawPhone(r *rng) string {
	prefix := [...]string{"030", "031", "030", "031", "095", "095", "095", "051", "051", "031"}[r.below(10)]
	var d [10]byte
	copy(d[:], prefix)
	n := r.next()
	for i := 3; i < 10; i++ {
		d[i] = byte('0' + n%10)
		n /= 10
	}
	return string(d[:])
}

func carrierOf(phone string) string {
	switch phone[:3] {
	case "095":
		return "B"
	case "051":
		return "C"
	}
	return "A"
}

// EmailDomains are the domains of every simulated e-mail address. All lie under
// names reserved for examples (RFC 2606), so no mail can arrive anywhere.
var EmailDomains = []string{"example.com", "example.net", "thu.example", "hopthu.example", "congty.example", "example.org"}

func (b *Bank) contactsOf(p *Person, age int, shared string) {
	r := stream(b.cfg.Seed, sContact, p.Index)
	p.Phone = drawPhone(&r)
	if !p.Head && (age > 65 || age < 18) && r.chance(0.35) {
		p.Phone = shared // an elder or a child on the household's number
	}
	if p.Head {
		p.Phone = shared
	}
	p.Carrier = carrierOf(p.Phone)
	switch {
	case p.Phone[:2] == "03" && r.chance(0.5):
		p.OldPhone = "016" + p.Phone[2:] // before September 2018: 016x became 03x
	case r.chance(0.15):
		p.OldPhone = drawPhone(&r)
	}
	if r.chance(0.72 - 0.006*float64(max(age-45, 0))) {
		p.Email = emailOf(p, &r)
	}
	century := 0
	if p.Birth.Year() >= 2000 {
		century = 2
	}
	if p.Female {
		century++
	}
	id := append(make([]byte, 0, 12), '9')
	id = append(id, b.packs.provinces[p.Born].code[1:]...)
	id = append(id, byte('0'+century), byte('0'+p.Birth.Year()/10%10), byte('0'+p.Birth.Year()%10))
	n := r.next()
	for range 6 {
		id = append(id, byte('0'+n%10))
		n /= 10
	}
	p.CitizenID = string(id)
	if p.Birth.Year() < 2002 {
		old := append(make([]byte, 0, 9), '9')
		for range 8 {
			old = append(old, byte('0'+n%10))
			n /= 10
		}
		p.OldID = string(old)
	}
}

func emailOf(p *Person, r *rng) string {
	given, family := strings.ToLower(unaccent(p.Given)), strings.ToLower(unaccent(p.Family))
	middle := strings.ReplaceAll(strings.ToLower(unaccent(p.Middle)), " ", "")
	given = strings.ReplaceAll(given, "-", "")
	var s string
	switch r.below(6) {
	case 0:
		s = given + "." + family
	case 1:
		s = family + middle + given
	case 2:
		s = given + family[:1] + middle
	case 3:
		s = given + middle
	case 4:
		s = family[:1] + middle + given
	default:
		s = given + family
	}
	suffix := make([]byte, 0, 4)
	switch r.below(4) {
	case 0:
		suffix = appendInt(suffix, int64(p.Birth.Year()))
	case 1:
		suffix = appendInt(suffix, int64(p.Birth.Year()%100))
	case 2:
		suffix = appendInt(suffix, int64(r.below(1000)))
	default:
		suffix = appendInt(suffix, int64(1+r.below(99)))
	}
	return s + string(suffix) + "@" + EmailDomains[r.below(len(EmailDomains))]
}
