package linkage

import (
	"slices"
	"strings"
	"unicode"
)

// header cuts the name of a column into lower-case words without marks:
// "Customer.FirstName", "first_name" and "FIRST NAME " all contain first, name.
func header(name string) []string {
	var b strings.Builder
	last := rune(0)
	for _, r := range strings.ReplaceAll(fold(norm1(name)), "Đ", "D") { // which fold leaves: it is given small letters
		if unicode.IsUpper(r) && unicode.IsLower(last) || unicode.IsDigit(r) && unicode.IsLetter(last) {
			b.WriteByte(' ')
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		} else {
			b.WriteByte(' ')
		}
		last = r
	}
	return strings.Fields(b.String())
}

func norm1(s string) string { return strings.TrimPrefix(strings.TrimSpace(s), "\ufeff") }

// hints are words of headers and what they say, the first that is contained
// wins. Words are joined by spaces; "=" in front asks for the whole header.
var hints = []struct {
	kind  Kind
	words []string
}{
	{Email, []string{"email", "e mail", "mail", "thu dien tu"}},
	{Phone, []string{"phone", "mobile", "tel", "telephone", "cell", "fax", "msisdn", "dien thoai", "sdt", "so dt", "phone number", "di dong", "phonenumber"}},
	{Postcode, []string{"postcode", "post code", "postal code", "zip", "zipcode", "zip code", "postal", "plz", "ma buu chinh", "ma buu dien", "pcode"}},
	{Date, []string{"dob", "birth date", "birthdate", "date of birth", "birthday", "ngay sinh", "born", "date", "ngay", "birth day"}},
	{Place, []string{"birth place", "birthplace", "place of birth", "noi sinh", "que quan"}},
	{Date, []string{"=birth", "year of birth", "birth year", "nam sinh"}},
	{Number, []string{"street number", "house number", "house no", "street no", "streetnumber", "so nha", "unit number"}},
	{Category, []string{"gender", "sex", "gioi tinh", "state", "language", "ngon ngu", "title", "salutation", "marital", "race", "ethnicity", "hon nhan"}},
	{Identifier, []string{"soc sec", "ssn", "social security", "national id", "citizen id", "citizenid", "cccd", "cmnd", "passport", "ho chieu", "tax id", "taxid", "mst", "tin", "cif", "nhs", "licence", "license", "id number", "id no", "so giay to", "iban", "vat", "identity"}},
	{Given, []string{"given name", "given", "first name", "firstname", "fname", "forename", "christian name", "=ten", "givenname", "first", "=ten dem va ten"}},
	{Family, []string{"surname", "family name", "last name", "lastname", "lname", "familyname", "=ho", "last", "ho va ten dem", "=family"}},
	{Text, []string{"middle name", "middlename", "middle", "ten dem", "=mname", "middle initial"}},
	{Name, []string{"full name", "fullname", "name", "ho ten", "ho va ten", "customer", "khach hang", "person"}},
	{Geo, []string{"latlon", "lat lon", "lat long", "coordinates", "geo", "location point"}},
	{Address, []string{"address", "street", "addr", "dia chi", "road", "line 1", "line 2", "duong", "ward", "phuong"}},
	{Place, []string{"city", "town", "suburb", "place", "province", "county", "country", "district", "region", "village", "municipality", "thanh pho", "tinh", "quan", "huyen", "locality", "nationality", "quoc tich"}},
	{Numeric, []string{"price", "amount", "salary", "income", "weight", "height", "gia", "so tien", "thu nhap"}},
	{Number, []string{"year", "age", "nam", "tuoi"}},
	{Words, []string{"authors", "author", "description", "mo ta", "product", "album", "song"}},
	{Text, []string{"occupation", "job", "profession", "employer", "company", "nghe nghiep", "nghe", "organisation", "organization", "cong ty"}},
	{Ignore, []string{"created", "updated", "note", "notes", "comment", "ghi chu", "modified", "timestamp", "loaded", "rownum", "row number", "=id", "=source", "=index", "=system", "record id", "rec id", "uuid", "guid", "unique id"}},
}

// inferKind tells the kind of a column from its name and a sample of its values.
func inferKind(name string, values []string) Kind {
	h := " " + strings.Join(header(name), " ") + " "
	kind := Kind("")
	for _, hint := range hints {
		for _, w := range hint.words {
			whole := strings.HasPrefix(w, "=")
			if whole && h == " "+w[1:]+" " || !whole && strings.Contains(h, " "+w+" ") {
				kind = hint.kind
				break
			}
		}
		if kind != "" {
			break
		}
	}
	p := describe(values)
	if p.n == 0 {
		return Ignore
	}
	few := p.distinct <= 40 || p.distinct*20 < p.n
	switch kind { // a name that the values contradict is not believed
	case Category:
		if !few {
			kind = ""
		}
	case Numeric:
		if p.number < 0.5 {
			kind = ""
		}
	case Number:
		if p.wordsEach > 2 {
			kind = ""
		}
	case Email:
		if p.email < 0.3 {
			kind = ""
		}
	case Phone:
		if p.digitShare < 0.5 {
			kind = ""
		}
	case Date:
		if p.date < 0.5 {
			kind = ""
		}
	case Given, Family, Name:
		if p.digitShare > 0.5 {
			kind = ""
		}
	}
	if kind != "" {
		if kind == Text && p.wordsEach > 4 {
			return Words
		}
		return kind
	}
	switch {
	case p.email > 0.7:
		return Email
	case p.phone > 0.8:
		return Phone
	case p.date > 0.8:
		return Date
	case p.distinct <= 40 && p.distinct*10 < p.n:
		return Category
	case p.digitShare > 0.7 && p.length <= 5 && p.number > 0.9:
		return Number
	case p.digitShare > 0.4 && p.wordsEach < 1.5:
		return Identifier
	case p.wordsEach > 3:
		return Words
	}
	return Text
}

type profile struct {
	n, distinct                int
	email, phone, date, number float64 // shares of values that look like it
	digitShare                 float64 // of all signs
	length, wordsEach          float64 // means
}

func describe(values []string) profile {
	var p profile
	seen := map[string]bool{}
	letters, digitN := 0, 0
	for _, raw := range values {
		s := clean(raw)
		if absent[s] {
			continue
		}
		p.n++
		seen[s] = true
		d := digits(s)
		digitN += len(d)
		letters += len(compact(s))
		p.length += float64(len(s))
		p.wordsEach += float64(len(words(s)))
		if at := strings.IndexByte(s, '@'); at > 0 && strings.IndexByte(s[at:], '.') > 0 {
			p.email++
		}
		if len(d) >= 9 && len(d) <= 13 && strings.Trim(s, "0123456789+()-. ") == "" && (s[0] == '0' || s[0] == '+' || s[0] == '(') {
			p.phone++
		}
		if day, ok := parseDay(s, false); ok && len(s) >= 8 && day.y > 1500 && day.y < 2100 && (strings.ContainsAny(s, "-/. ") || day.m <= 12 && day.d <= 31) && len(d) <= 14 {
			p.date++
		}
		if strings.Trim(s, "0123456789.-") == "" {
			p.number++
		}
	}
	p.distinct = len(seen)
	if p.n > 0 {
		n := float64(p.n)
		p.email, p.phone, p.date, p.number = p.email/n, p.phone/n, p.date/n, p.number/n
		p.length, p.wordsEach = p.length/n, p.wordsEach/n
		p.digitShare = float64(digitN) / float64(max(letters, 1))
	}
	return p
}

// monthsFirst tells whether a column of dates writes 05/31/1990.
func monthsFirst(values []string) bool {
	first, second := 0, 0
	for _, v := range values {
		parts := strings.FieldsFunc(v, func(r rune) bool { return r < '0' || r > '9' })
		if len(parts) < 3 || len(parts[0]) > 2 {
			continue
		}
		if len(parts[0]) == 2 && parts[0] > "12" {
			first++
		}
		if len(parts[1]) == 2 && parts[1] > "12" {
			second++
		}
	}
	return second > first
}

// sample takes about n values spread over a column.
func sample(codes []int32, values []string, n int) []string {
	step := max(len(codes)/n, 1)
	out := make([]string, 0, n)
	for i := 0; i < len(codes); i += step {
		if codes[i] >= 0 {
			out = append(out, values[codes[i]])
		}
	}
	return slices.Clip(out)
}
