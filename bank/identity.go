package bank

import (
	"strings"
	"time"
)

// Record is what one system holds about a person, errors included. It is the
// content of an identify event; Errors is the truth beside it.
type Record struct {
	System    string
	ID        string
	Name      string
	Birth     string // as the system writes it, YYYY-MM-DD; may be empty or a default
	Gender    string
	Phone     string
	Email     string
	CitizenID string
	Address   string
	Language  string
	Created   time.Time
	Errors    []string
}

// Kinds of error a record can have.
const (
	ErrTypo        = "typo"
	ErrSwapped     = "swapped_names"
	ErrPlain       = "no_diacritics"
	ErrPartial     = "partial_name"
	ErrOldPhone    = "old_phone"
	ErrSharedPhone = "shared_phone"
	ErrStaleAddr   = "stale_address"
	ErrDefaultDate = "default_date"
	ErrSwappedDate = "day_month_swapped"
	ErrOldID       = "old_citizen_id"
)

// habits are the error rates of a system.
type habits struct {
	plain, typo, swapped, partial          float64
	oldPhone, sharedPhone                  float64
	noBirth, defaultDate, swappedDate      float64
	noEmail, noID, oldID, noAddress, stale float64
	upper                                  bool
	truncate                               int
	format                                 float64 // chance of an unusual way to write the phone
	gender, language                       bool
}

var systemHabits = [...]habits{
	sysCore: {plain: 0.14, typo: 0.012, swapped: 0.003, oldPhone: 0.13, sharedPhone: 0.01, defaultDate: 0.03, swappedDate: 0.006,
		noEmail: 0.5, oldID: 0.16, stale: 0.12, gender: true},
	sysCRM: {plain: 0.16, typo: 0.03, swapped: 0.02, oldPhone: 0.07, sharedPhone: 0.03, noBirth: 0.25, defaultDate: 0.02, swappedDate: 0.01,
		noEmail: 0.4, noID: 0.45, oldID: 0.1, noAddress: 0.4, stale: 0.15, format: 0.2, language: true},
	sysCard: {plain: 1, typo: 0.01, oldPhone: 0.12, noEmail: 0.6, noID: 0.3, oldID: 0.2, stale: 0.2, upper: true, truncate: 26},
	sysCall: {plain: 0.55, typo: 0.05, swapped: 0.02, partial: 0.12, sharedPhone: 0.09, noBirth: 0.7, noEmail: 0.9, noID: 0.88, noAddress: 0.92, format: 0.35, language: true},
	sysApp:  {typo: 0.002, noEmail: 0.35, noAddress: 1, gender: true, language: true},
}

// record gives what a system holds about a person: copy 0 is the first record,
// copy 1 the duplicate; moves is how often the person has moved by then, joined
// when the relationship began.
func (b *Bank) record(p *Person, sys, copy, moves uint8, joined int64) Record {
	h := &systemHabits[sys]
	r := stream(b.cfg.Seed, sRecord, p.Index<<5|uint64(sys)<<1|uint64(copy))
	rec := Record{System: systemNames[sys], ID: string(b.appendID(nil, sys, copy, p.Index)), Created: time.UnixMicro(joined).In(Zone)}
	e := func(kind string) { rec.Errors = append(rec.Errors, kind) }
	if sys == sysCall || copy == 1 { // made some time later
		rec.Created = time.UnixMicro(joined + int64(r.float()*float64(max(b.start-joined, 0)))).In(Zone)
	}
	rec.Name = recordName(p, h, &r, copy, e)
	rec.Birth = recordBirth(p, h, &r, e)
	b.recordContacts(&rec, p, h, &r, moves, e)
	if h.gender {
		rec.Gender = "M"
		if p.Female {
			rec.Gender = "F"
		}
	}
	if h.language {
		rec.Language = p.Language
	}
	return rec
}

func recordName(p *Person, h *habits, r *rng, copy uint8, e func(string)) string {
	name := p.FullName()
	typo := h.typo
	if copy == 1 {
		typo = 0.25 // a duplicate is often there because the search for the first failed
	}
	u := [5]float64{r.float(), r.float(), r.float(), r.float(), r.float()}
	if u[0] < h.partial && p.Expat == "" {
		title := "Anh "
		if p.Female {
			title = "Chị "
		}
		e(ErrPartial)
		name = title + p.Given
	} else if u[1] < h.swapped && p.Expat == "" {
		e(ErrSwapped)
		name = strings.TrimSpace(p.Given + " " + p.Middle + " " + p.Family)
		if u[4] < 0.4 {
			name = strings.TrimSpace(p.Given + " " + p.Family + " " + p.Middle)
		}
	}
	if u[2] < typo {
		e(ErrTypo)
		name = garble(name, r)
	}
	if u[3] < h.plain {
		if !h.upper {
			e(ErrPlain)
		}
		name = unaccent(name)
		if h.upper || u[4] < 0.5 {
			name = strings.ToUpper(name)
		}
	}
	if h.truncate > 0 && len(name) > h.truncate {
		words := strings.Fields(name)
		name = words[0] + " " + words[1][:1] + " " + words[len(words)-1]
	}
	return name
}

func recordBirth(p *Person, h *habits, r *rng, e func(string)) string {
	u, v, w := r.float(), r.float(), r.float()
	birth := p.Birth
	switch {
	case u < h.noBirth:
		return ""
	case v < h.defaultDate:
		e(ErrDefaultDate)
		if w < 0.3 {
			return "1900-01-01"
		}
		birth = time.Date(birth.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case w < h.swappedDate && birth.Day() <= 12 && int(birth.Month()) != birth.Day():
		e(ErrSwappedDate)
		birth = time.Date(birth.Year(), time.Month(birth.Day()), int(birth.Month()), 0, 0, 0, 0, time.UTC)
	}
	return birth.Format(time.DateOnly)
}

// merger is the day from which addresses have no district and 34 provinces.
var merger = time.Date(2025, 7, 1, 0, 0, 0, 0, Zone)

func (b *Bank) recordContacts(rec *Record, p *Person, h *habits, r *rng, moves uint8, e func(string)) {
	u := [9]float64{}
	for i := range u {
		u[i] = r.float()
	}
	phone, address := p.Phone, p.Address
	for m := range moves {
		mr := stream(b.cfg.Seed, sContact, p.Index<<5|uint64(m)|1<<60)
		if mr.chance(0.6) {
			phone = drawPhone(&mr)
		} else {
			address = drawAddress(&mr, &b.packs.provinces[p.Province])
		}
	}
	rec.Phone = phone
	switch {
	case moves == 0 && u[0] < h.oldPhone && p.OldPhone != "":
		e(ErrOldPhone)
		rec.Phone = p.OldPhone
	case u[1] < h.sharedPhone && !p.Head:
		head := b.Person(headIndex(p.Household))
		if head.Phone != phone {
			e(ErrSharedPhone)
			rec.Phone = head.Phone
		}
	}
	if u[2] < h.format {
		rec.Phone = writtenPhone(rec.Phone, r)
	}
	if u[3] >= h.noEmail {
		rec.Email = p.Email
	}
	if u[4] >= h.noID {
		rec.CitizenID = p.CitizenID
		if p.OldID != "" && u[5] < h.oldID && rec.Created.Before(time.Date(2021, 7, 1, 0, 0, 0, 0, Zone)) {
			e(ErrOldID)
			rec.CitizenID = p.OldID
		}
	}
	if u[6] >= h.noAddress {
		if moves == 0 && u[7] < h.stale {
			e(ErrStaleAddr)
			sr := stream(b.cfg.Seed, sContact, p.Index|1<<61)
			address = drawAddress(&sr, &b.packs.provinces[p.Born])
		}
		if rec.Address = address.New(); rec.Created.Before(merger) && u[8] < 0.85 {
			rec.Address = address.Old()
		}
		if h.upper {
			rec.Address = strings.ToUpper(unaccent(rec.Address))
		}
	}
}

// headIndex is the person index of the head of a household.
func headIndex(household uint64) uint64 { return household << 3 }

// writtenPhone writes a number as people do: +84, spaces, dots.
func writtenPhone(p string, r *rng) string {
	switch r.below(4) {
	case 0:
		return "+84" + p[1:]
	case 1:
		return "84" + p[1:]
	case 2:
		return p[:4] + " " + p[4:7] + " " + p[7:]
	}
	return p[:4] + "." + p[4:7] + "." + p[7:]
}

var telex = strings.NewReplacer("ễ", "eex", "ế", "ees", "ề", "eef", "ầ", "aaf", "ấ", "aas", "ồ", "oof", "ố", "oos", "ơ", "ow", "ư", "uw", "đ", "dd", "Đ", "DD", "ă", "aw", "ị", "ij", "ọ", "oj")

var tones = strings.NewReplacer("ễ", "ể", "ẽ", "ẻ", "ỗ", "ổ", "ã", "ả", "ũ", "ủ", "ý", "í", "ỳ", "ì", "ỹ", "ỷ", "ả", "ã", "ủ", "ũ")

// garble makes one slip that a person typing a name makes.
func garble(name string, r *rng) string {
	if r.chance(0.2) { // an input method that was off
		if s := telex.Replace(name); s != name {
			return s
		}
	}
	return slip(name, r)
}

// slip makes one slip of the fingers or of the ear.
func slip(text string, r *rng) string {
	runes := []rune(text)
	at := 1 + r.below(max(len(runes)-2, 1))
	switch r.below(5) {
	case 0: // hỏi and ngã, i and y
		if s := tones.Replace(text); s != text {
			return s
		}
	case 1: // two letters change places
		if at+1 < len(runes) && runes[at] != ' ' && runes[at+1] != ' ' && runes[at] != runes[at+1] {
			runes[at], runes[at+1] = runes[at+1], runes[at]
			return string(runes)
		}
	case 2: // a letter is lost
		if runes[at] != ' ' {
			return string(append(runes[:at:at], runes[at+1:]...))
		}
	case 3: // a letter is doubled
		if runes[at] != ' ' {
			return string(append(runes[:at+1:at+1], runes[at:]...))
		}
	}
	return neighbour(runes, at)
}

// neighbour replaces the first plain letter from position at on with the key beside it.
func neighbour(runes []rune, at int) string {
	const keys = "qwertyuiopasdfghjklzxcvbnm"
	for k := range runes {
		i := (at + k) % len(runes)
		if p := strings.IndexRune(keys, runes[i]); p >= 0 {
			runes[i] = rune(keys[(p+1)%len(keys)])
			break
		}
	}
	return string(runes)
}
