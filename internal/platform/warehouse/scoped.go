package warehouse

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// relations are the tables and views that a query may name in braces, and
// whether their rows belong to a unit.
var relations = map[string]bool{
	"event": true, "event_customer": true, "event_day": true,
	"response": true, "response_customer": true, "response_day": true,
	"identity_link": false, "feed": false, "unit": false,
}

var relationName = regexp.MustCompile(`\{([a-z_]+)(?: ([a-z_0-9]+))?\}`)

// Query runs a query on the pool of readers. Tables are named in braces, with an
// alias if one is wished, and stand for the rows that the scope of ctx may see;
// arguments are $1, $2, …
//
//	w.Query(ctx, `SELECT e.name, count(*) FROM {event e} WHERE e.occurred_at >= $1 GROUP BY e.name`, since)
func (w *Warehouse) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	text, args, err := scoped(ctx, query, args)
	if err != nil {
		return nil, err
	}
	rows, err := w.engine.Reader().QueryContext(ctx, text, args...)
	if err != nil {
		return nil, queryError(ctx, err)
	}
	return rows, nil
}

// queryError keeps the cancellation of the caller apart from failures.
func queryError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("query warehouse: %w", err)
}

// scoped replaces the names in braces by the visible rows of the tables and
// adds the arguments of the scope.
func scoped(ctx context.Context, query string, args []any) (string, []any, error) {
	s, ok := scope.From(ctx)
	if !ok {
		return "", nil, errs.Denied("warehouse.error.scope", "a warehouse query needs a scope")
	}
	if strings.Contains(query, schemaName+".") {
		return "", nil, fmt.Errorf("a warehouse query names a table without braces: %s", query)
	}
	entity, unit := len(args)+1, len(args)+2
	var unknown string
	used, usedUnit := false, false
	text := relationName.ReplaceAllStringFunc(query, func(m string) string {
		parts := relationName.FindStringSubmatch(m)
		name, alias := parts[1], cmp.Or(parts[2], parts[1])
		hasUnit, known := relations[name]
		if !known {
			unknown = name
			return m
		}
		used = true
		filter := fmt.Sprintf("entity = $%d", entity)
		if hasUnit && s.Unit != scope.Root {
			usedUnit = true
			filter += fmt.Sprintf(" AND unit IN (SELECT u.code FROM warehouse.unit u WHERE u.entity = $%d AND starts_with(u.path, $%d))", entity, unit)
		}
		return fmt.Sprintf("(SELECT * FROM warehouse.%s WHERE %s) AS %s", name, filter, alias)
	})
	if unknown != "" {
		return "", nil, fmt.Errorf("a warehouse query names {%s}, which is no table", unknown)
	}
	if !used {
		return "", nil, fmt.Errorf("a warehouse query names no table in braces: %s", query)
	}
	args = append(args[:len(args):len(args)], s.Entity)
	if usedUnit {
		args = append(args, s.Unit)
	}
	return text, args, nil
}
