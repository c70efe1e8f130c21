package ui

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

// Column describes one column of a Table.
type Column struct {
	Key      string // in addresses: ?sort=key, ?cols=key
	Label    string
	Numeric  bool // right-aligned
	Sortable bool
	Optional bool // may be switched off in the choice of columns
	Off      bool // switched off until chosen
	Wide     bool // takes the whole row on a phone
	Narrow   bool // as narrow as its content, never broken
}

// Cell is the content of one field of a row.
type Cell struct {
	Text string          // rich
	Sub  string          // a quiet second line
	Href string          // leads to the thing itself
	Node templ.Component // instead of Text
	Mute bool            // "nobody"
	Care bool            // beyond its promise or beyond noise
}

// Cells makes plain cells of texts, in the order of the columns.
func Cells(texts ...string) []Cell {
	out := make([]Cell, len(texts))
	for i, t := range texts {
		out[i] = Cell{Text: t}
	}
	return out
}

// Row is one line of a Table. Cells follow the order of the columns, hidden
// columns included.
type Row struct {
	ID    string
	Cells []Cell
	Panel string // address of the side panel's content, opened by Enter
	Open  bool   // its panel is open
}

// TableProps describes a table. The first column is the title of a row.
type TableProps struct {
	ID      string // prefix of its parameters; needed with two tables on a page
	Label   string // what the rows are, for screen readers
	Columns []Column
	Rows    []Row
	Query   TableQuery

	Dense     bool // 36 px rows with a head that stays
	KeepTable bool // scroll sideways on a phone instead of folding rows into blocks

	Selectable bool          // check boxes, sent as "id"
	Bulk       []ButtonProps // what can be done with the selected rows; Href is the POST address

	Filter  string // label of the filter box; empty leaves it out
	Choice  bool   // offer the choice of columns
	CSV     bool   // offer the rows as CSV, at the same address with ?format=csv
	Foot    string // rich: "14 of 17, sorted by resolution clock"
	Next    string // cursor of the next page; empty when this is the last
	NextN   int    // how many rows the next page has, 0 when unknown
	Prev    bool   // a page before exists; it is reached by the first page's address
	Empty   templ.Component
	Actions templ.Component // further controls beside the filter box
}

// TableQuery is what an address says about a table: order, filter, page, columns.
type TableQuery struct {
	Sort    string // key of a sortable column
	Desc    bool
	Filter  string
	After   string   // cursor
	Columns []string // chosen columns; nil means the default ones
	CSV     bool
	params  url.Values
	path    string
	prefix  string
}

// QueryTable reads a table's query from a request. id is the table's ID; sort is
// the order the role needs first, written like the parameter: "due" or "-due" for
// descending. Unknown columns are ignored.
func QueryTable(r *http.Request, id string, columns []Column, sort string) TableQuery {
	return ParseTableQuery(r.URL, id, columns, sort)
}

// ParseTableQuery is QueryTable for an address.
func ParseTableQuery(u *url.URL, id string, columns []Column, sort string) TableQuery {
	params := u.Query()
	q := TableQuery{params: params, path: u.Path, prefix: prefixOf(id)}
	get := func(name string) string { return params.Get(q.prefix + name) }
	q.Sort, q.Desc = parseSort(sort)
	if key, desc := parseSort(get("sort")); slices.ContainsFunc(columns, func(c Column) bool { return c.Sortable && c.Key == key }) {
		q.Sort, q.Desc = key, desc
	}
	q.Filter, q.After = strings.TrimSpace(get("q")), get("after")
	q.CSV = get("format") == "csv"
	for _, list := range params[q.prefix+"cols"] {
		for key := range strings.SplitSeq(list, ",") {
			if slices.ContainsFunc(columns, func(c Column) bool { return c.Key == key }) {
				q.Columns = append(q.Columns, key)
			}
		}
	}
	return q
}

func prefixOf(id string) string {
	if id == "" {
		return ""
	}
	return id + "."
}

func parseSort(s string) (key string, desc bool) {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return rest, true
	}
	return s, false
}

// with is the address of this table with one parameter changed and the page
// reset; an empty value takes the parameter away.
func (q TableQuery) with(name, value string) string {
	params := url.Values{}
	for k, v := range q.params {
		params[k] = v
	}
	params.Del(q.prefix + "after")
	params.Del(q.prefix + "format")
	if value == "" {
		params.Del(q.prefix + name)
	} else {
		params.Set(q.prefix+name, value)
	}
	if len(params) == 0 {
		return q.path
	}
	return q.path + "?" + params.Encode()
}

// sortHref turns the order of a column around, or begins with it: descending
// first for numbers, ascending for words.
func (q TableQuery) sortHref(c Column) string {
	desc := c.Numeric
	if q.Sort == c.Key {
		desc = !q.Desc
	}
	if desc {
		return q.with("sort", "-"+c.Key)
	}
	return q.with("sort", c.Key)
}

func (q TableQuery) ariaSort(c Column) string {
	switch {
	case q.Sort != c.Key:
		return ""
	case q.Desc:
		return "descending"
	default:
		return "ascending"
	}
}

// others are the parameters that a form of this table must carry on.
func (q TableQuery) others(except ...string) [][2]string {
	var out [][2]string
	for k, values := range q.params {
		name, own := strings.CutPrefix(k, q.prefix)
		if own && (name == "after" || name == "format" || slices.Contains(except, name)) {
			continue
		}
		for _, v := range values {
			out = append(out, [2]string{k, v})
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	return out
}

// shows tells whether a column is visible.
func (q TableQuery) shows(c Column) bool {
	if !c.Optional {
		return true
	}
	if q.Columns == nil {
		return !c.Off
	}
	return slices.Contains(q.Columns, c.Key)
}

// visible gives the indices of the columns that are shown.
func (t TableProps) visible() []int {
	var out []int
	for i, c := range t.Columns {
		if t.Query.shows(c) {
			out = append(out, i)
		}
	}
	return out
}

func (t TableProps) class() string {
	class := "table"
	if t.Dense {
		class += " dense"
	}
	if !t.KeepTable {
		class += " fold"
	}
	return class
}

func (r Row) cell(i int) Cell {
	if i < len(r.Cells) {
		return r.Cells[i]
	}
	return Cell{}
}

func (r Row) attrs() templ.Attributes {
	a := templ.Attributes{}
	if r.ID != "" {
		a["data-row"] = r.ID
	}
	if r.Panel != "" {
		a["data-panel"] = r.Panel
	}
	if r.Open {
		a["data-open"] = true
	}
	return a
}

func (c Column) class() string {
	var parts []string
	if c.Numeric {
		parts = append(parts, "n")
	}
	if c.Narrow {
		parts = append(parts, "nw")
	}
	return strings.Join(parts, " ")
}

// cellAttrs names a cell on a phone, where the head of the table is not shown.
func (t TableProps) cellAttrs(at, index int) templ.Attributes {
	if at == 0 {
		return nil
	}
	if t.Columns[index].Wide {
		return templ.Attributes{"data-wide": true}
	}
	return templ.Attributes{"data-l": t.Columns[index].Label}
}

// WriteCSV answers a request with rows as a CSV file in UTF-8 with a byte order
// mark, which spreadsheets need for Vietnamese. Text that a spreadsheet would run
// as a formula is preceded by an apostrophe. Values should be plain numbers and
// ISO dates, not the formatted text of the page.
func WriteCSV(w http.ResponseWriter, filename string, columns []Column, rows func(yield func([]string) bool)) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", filename))
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = c.Label
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for row := range rows {
		safe := make([]string, len(row))
		for i, v := range row {
			safe[i] = harmless(v)
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from running a value; numbers stay numbers.
func harmless(v string) string {
	if v == "" || !strings.ContainsRune("=+-@\t\r", rune(v[0])) {
		return v
	}
	if strings.Trim(v[1:], "0123456789.eE") == "" && (v[0] == '-' || v[0] == '+') {
		return v
	}
	return "'" + v
}

// PanelProps is the head of a side panel.
type PanelProps struct {
	Title     string
	Meta      []Item // "CV-20417", "3 of 17"
	CloseHref string // the page without the panel
	PrevHref  string // key K
	NextHref  string // key J
}

func ariaSort(order string) templ.Attributes {
	if order == "" {
		return nil
	}
	return templ.Attributes{"aria-sort": order}
}

func sortArrow(order string) string {
	switch order {
	case "ascending":
		return "↑"
	case "descending":
		return "↓"
	}
	return ""
}
