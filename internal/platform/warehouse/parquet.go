package warehouse

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/parquet-go/parquet-go"
)

// rowGroup bounds the memory of a Parquet export: rows held before they are
// written.
const rowGroup = 100_000

type parquetEncoder struct {
	w     *parquet.Writer
	kinds []columnKind
	row   []parquet.Row
}

// parquetTags are the annotations of the columns of each kind.
var parquetTypes = map[columnKind]struct {
	goType reflect.Type
	tag    string
}{
	textColumn:  {reflect.TypeFor[string](), "dict"},
	jsonColumn:  {reflect.TypeFor[string](), "json"},
	intColumn:   {reflect.TypeFor[int64](), ""},
	floatColumn: {reflect.TypeFor[float64](), ""},
	boolColumn:  {reflect.TypeFor[bool](), ""},
	timeColumn:  {reflect.TypeFor[int64](), "timestamp(microsecond)"},
	dateColumn:  {reflect.TypeFor[int32](), "date"},
}

// newParquet describes the columns as a struct type, because only that keeps
// their order.
func newParquet(out io.Writer, columns []column) (encoder, error) {
	e := &parquetEncoder{row: []parquet.Row{make(parquet.Row, len(columns))}}
	fields := make([]reflect.StructField, len(columns))
	for i, c := range columns {
		t := parquetTypes[c.kind]
		tag := c.name + ",optional"
		if t.tag != "" {
			tag += "," + t.tag
		}
		fields[i] = reflect.StructField{
			Name: fmt.Sprintf("C%d", i), Type: t.goType,
			Tag: reflect.StructTag(fmt.Sprintf("parquet:%q", tag)),
		}
		e.kinds = append(e.kinds, c.kind)
	}
	schema := parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Elem().Interface())
	e.w = parquet.NewWriter(out, schema, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowGroup))
	return e, nil
}

func (e *parquetEncoder) Row(values []any) error {
	row := e.row[0]
	for i, v := range values {
		var p parquet.Value
		switch v := v.(type) {
		case nil:
			row[i] = parquet.NullValue().Level(0, 0, i)
			continue
		case string:
			p = parquet.ByteArrayValue([]byte(v))
		case json.RawMessage:
			p = parquet.ByteArrayValue(v)
		case int64:
			p = parquet.Int64Value(v)
		case float64:
			p = parquet.DoubleValue(v)
		case bool:
			p = parquet.BooleanValue(v)
		case time.Time:
			if e.kinds[i] == dateColumn {
				p = parquet.Int32Value(int32(v.Unix() / 86400))
			} else {
				p = parquet.Int64Value(v.UnixMicro())
			}
		}
		row[i] = p.Level(0, 1, i)
	}
	_, err := e.w.WriteRows(e.row)
	return err
}

func (e *parquetEncoder) Close() error { return e.w.Close() }
