package mapping

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"omote/internal/ingest/files"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/when"
)

// synonyms are names under which columns of a meaning are found, folded: lower
// case, without diacritics, words joined by one underscore.
var synonyms = map[Field][]string{
	MessageID:  {"message_id", "messageid", "event_id", "uuid"},
	Time:       {"time:timestamp", "time", "timestamp", "occurred_at", "event_time", "datetime", "date_time", "created_at", "answered_at", "date", "at", "thoi_gian", "thoi_diem", "ngay_gio", "ngay"},
	Event:      {"concept:name", "event", "activity", "event_name", "action", "su_kien", "hoat_dong"},
	User:       {"user", "user_id", "userid", "customer_key", "customer_id", "customer", "customer_no", "client_id", "cif", "ma_khach_hang", "ma_kh", "so_cif"},
	Anonymous:  {"anonymous_id", "anonymousid", "device_id", "session_id"},
	Case:       {"case:concept:name", "case", "case_id", "caseid", "case_key", "application_id", "ticket_id", "ma_ho_so", "ma_vu_viec"},
	Journey:    {"journey", "journey_id", "process", "hanh_trinh"},
	Channel:    {"channel", "kenh"},
	Unit:       {"unit", "branch", "branch_id", "don_vi", "chi_nhanh"},
	Product:    {"product", "product_code", "san_pham"},
	Outcome:    {"outcome", "result", "status", "ket_qua"},
	Amount:     {"amount", "so_tien"},
	Currency:   {"currency", "tien_te"},
	Instrument: {"instrument", "survey", "khao_sat"},
	Item:       {"item", "question", "cau_hoi"},
	Score:      {"score", "rating", "stars", "nps", "csat", "diem", "so_sao"},
	Comment:    {"comment", "verbatim", "content", "text", "review", "feedback", "nhan_xet", "y_kien", "noi_dung", "gop_y"},
	Language:   {"language", "lang", "ngon_ngu"},
	Aspect:     {"aspect", "topic", "khia_canh", "chu_de"},
	Polarity:   {"polarity", "sentiment", "cam_xuc"},
	Labels:     {"labels"},
}

// Fold brings a column's name into the form of the synonyms.
func Fold(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		if r == 'đ' {
			r = 'd'
		}
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == ':':
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r)
			gap = false
		default:
			gap = true
		}
	}
	return b.String()
}

// Suggest guesses a mapping from the columns' names and sample rows. What it
// cannot guess stays empty for a person to say.
func Suggest(kind Kind, fileName string, rows []files.Row, zone string) Mapping {
	m := Mapping{Kind: kind, Fields: map[Field]string{}, Constants: map[Field]string{}, Zone: zone}
	columns := columnsOf(rows)
	known, _ := Fields(kind)
	taken := map[string]bool{}
	for _, f := range known {
		for _, synonym := range synonyms[f] {
			i := slices.IndexFunc(columns, func(c string) bool { return Fold(c) == synonym && !taken[c] })
			if i >= 0 {
				m.Fields[f], taken[columns[i]] = columns[i], true
				break
			}
		}
	}
	m.TimeFormat = timeFormat(rows, m.Fields[Time], zone)
	for _, c := range columns {
		if !taken[c] {
			m.Properties = append(m.Properties, guessProperty(kind, c, rows))
		}
	}
	if _, has := m.Fields[Journey]; !has && kind == EventLog {
		m.Constants[Journey] = slug(fileName)
	}
	if kind == Feedback {
		m.constant(Instrument, slug(fileName))
		m.constant(Item, map[bool]string{true: "score", false: "comment"}[m.Fields[Score] != ""])
	}
	return m
}

func (m *Mapping) constant(f Field, value string) {
	if _, has := m.Fields[f]; !has {
		m.Constants[f] = value
	}
}

func columnsOf(rows []files.Row) (columns []string) {
	seen := map[string]bool{}
	for _, r := range rows {
		for _, c := range r.Columns {
			if !seen[c] {
				seen[c] = true
				columns = append(columns, c)
			}
		}
	}
	return columns
}

func samples(rows []files.Row, column string) (out []files.Value) {
	for i := range rows {
		if v, ok := rows[i].Get(column); ok && v.Kind != files.Null {
			out = append(out, v)
		}
	}
	return out
}

func timeFormat(rows []files.Row, column, zone string) string {
	var texts []string
	for _, v := range samples(rows, column) {
		if v.Kind == files.Instant {
			return "iso"
		}
		texts = append(texts, v.Text)
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	if f, ok := when.Detect(texts, location); ok {
		return f.Name
	}
	return ""
}

// personalNames are words in a column's name that speak of a person.
var personalNames = regexp.MustCompile(`(^|_)(name|first|last|surname|phone|mobile|tel|email|mail|address|street|postcode|birth|dob|passport|id_no|national_id|soc_sec_id|cccd|cmnd|ten|ho|ho_ten|dien_thoai|sdt|dia_chi|ngay_sinh)(_|$)`)

// guessProperty says how a column would be kept. Customers' columns are all
// personal until a person says otherwise.
func guessProperty(kind Kind, column string, rows []files.Row) Property {
	p := Property{Column: column, Name: strings.Trim(strings.ReplaceAll(Fold(column), ":", "_"), "_"), Type: plan.String,
		Personal: kind == Customers || personalNames.MatchString(Fold(column))}
	if p.Name == "" {
		p.Name = "column"
	}
	values := samples(rows, column)
	if len(values) == 0 {
		return p
	}
	switch {
	case all(values, func(v files.Value) bool { return v.Kind == files.Instant }):
		p.Type = plan.Date
	case all(values, func(v files.Value) bool { return v.Kind == files.Bool }):
		p.Type = plan.Boolean
	case all(values, isInteger):
		p.Type = plan.Integer
	case all(values, isNumber):
		p.Type = plan.Number
	}
	return p
}

func all(values []files.Value, test func(files.Value) bool) bool {
	return !slices.ContainsFunc(values, func(v files.Value) bool { return !test(v) })
}

// isInteger refuses leading zeros: they mark codes, not amounts.
func isInteger(v files.Value) bool {
	n, err := strconv.ParseInt(v.Text, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == v.Text
}

func isNumber(v files.Value) bool {
	_, ok := decimal(v.Text)
	return ok && !(len(v.Text) > 1 && v.Text[0] == '0' && v.Text[1] != '.')
}

// slug names a file's content by the file: "BPI_Challenge_2012.xes.gz" → "bpi_challenge_2012".
func slug(fileName string) string {
	base := filepath.Base(fileName)
	base, _, _ = strings.Cut(base, ".")
	if s := Fold(base); s != "" {
		return s
	}
	return "import"
}
