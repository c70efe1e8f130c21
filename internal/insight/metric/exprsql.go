package metric

import (
	"fmt"
	"strconv"
	"strings"

	"omote/internal/platform/warehouse"
)

// builder writes SQL and keeps its arguments.
type builder struct {
	dialect warehouse.Dialect
	args    []any
}

// arg adds an argument and gives its placeholder.
func (b *builder) arg(v any) string {
	b.args = append(b.args, v)
	return "$" + strconv.Itoa(len(b.args))
}

// float writes a number as a literal of 64-bit float type.
func (b *builder) float(x float64) string {
	return "CAST(" + strconv.FormatFloat(x, 'e', -1, 64) + " AS " + b.dialect.Double() + ")"
}

// in writes a list of arguments.
func (b *builder) in(values []string) string {
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = b.arg(v)
	}
	return "(" + strings.Join(marks, ", ") + ")"
}

// where writes a filter that is true or false, never NULL; nil is true.
func (b *builder) where(e *Expr, fields fieldSet) string {
	switch {
	case e == nil:
		return "true"
	case len(e.All) > 0:
		return b.group(e.All, " AND ", fields)
	case len(e.Any) > 0:
		return b.group(e.Any, " OR ", fields)
	case e.Not != nil:
		return "NOT " + b.where(e.Not, fields)
	}
	f, _ := fields.find(e.Field)
	return "coalesce(" + b.comparison(e, f) + ", false)"
}

func (b *builder) group(es []Expr, op string, fields fieldSet) string {
	parts := make([]string, len(es))
	for i := range es {
		parts[i] = b.where(&es[i], fields)
	}
	return "(" + strings.Join(parts, op) + ")"
}

func (b *builder) comparison(e *Expr, f field) string {
	for _, c := range []struct {
		op    string
		bound *float64
	}{{"<", e.Lt}, {"<=", e.Le}, {">", e.Gt}, {">=", e.Ge}} {
		if c.bound != nil {
			return fmt.Sprintf("%s %s %s", b.number(f), c.op, b.float(*c.bound))
		}
	}
	switch {
	case e.Set != nil && *e.Set:
		return b.text(f) + " IS NOT NULL"
	case e.Set != nil:
		return b.text(f) + " IS NULL"
	case e.Prefix != "":
		return fmt.Sprintf("starts_with(%s, %s)", b.text(f), b.arg(e.Prefix))
	case e.Ne != nil:
		return b.equal(f, e.Ne, "<>")
	case e.Eq != nil:
		return b.equal(f, e.Eq, "=")
	}
	parts := make([]string, len(e.In))
	for i, v := range e.In {
		parts[i] = b.equal(f, v, "=")
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

func (b *builder) equal(f field, v any, op string) string {
	if x, ok := number(v); ok {
		return fmt.Sprintf("%s %s %s", b.number(f), op, b.float(x))
	}
	if x, ok := v.(bool); ok {
		if f.kind == boolField {
			return fmt.Sprintf("%s %s %t", f.column, op, x)
		}
		return fmt.Sprintf("%s %s '%t'", b.text(f), op, x)
	}
	return fmt.Sprintf("%s %s %s", b.text(f), op, b.arg(v))
}

// text is the field as text (numbers and booleans as they are), NULL when
// absent. Columns of text hold "" for what is unknown.
func (b *builder) text(f field) string {
	switch {
	case f.prop != "":
		return b.dialect.Prop(f.column, f.prop)
	case f.kind == textField:
		return "nullif(" + f.column + ", '')"
	}
	return f.column
}

// number is the field as a 64-bit float, NULL when absent.
func (b *builder) number(f field) string {
	if f.prop != "" {
		return b.dialect.PropNumber(f.column, f.prop)
	}
	return "CAST(" + f.column + " AS " + b.dialect.Double() + ")"
}
