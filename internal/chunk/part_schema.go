package chunk

import (
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// tableKey is the key under which a part's metadata holds SchemaJSON.
const tableKey = "omt.table"

// leaf is one column of a Parquet file.
type leaf struct {
	name     string
	typ      format.Type
	width    int // of a fixed-length value in bytes
	optional bool
	sparse   bool // almost all values are NULL, and pages need not end where those of other leaves do
	logical  format.LogicalTypeValue
	old      deprecated.ConvertedType // for readers that do not know logical types; negative: none
}

const noOldType = deprecated.ConvertedType(-1)

// field is a column of the table and the leaves that hold its values.
type field struct {
	col    source.Column
	value  leaf
	ticks  *leaf // what is left of a time below a microsecond, in steps of 100 ns
	offset *leaf // minutes ahead of UTC
	utf16  *leaf // texts that are no Unicode, as the server keeps them
}

// partSchema is how a table lies in a Parquet file.
type partSchema struct {
	table  manifest.Table
	cols   []source.Column
	fields []field
	key    Key
	json   []byte // SchemaJSON
}

func newPartSchema(t manifest.Table) (*partSchema, error) {
	table := source.FromRecord(t)
	key, err := KeyOf(table)
	if err != nil {
		return nil, err
	}
	s := &partSchema{table: t, cols: table.Columns, key: key}
	if s.json, err = SchemaJSON(t); err != nil {
		return nil, err
	}
	stored := table.Stored()
	if len(stored) == 0 {
		return nil, fmt.Errorf("table %q: has no column with stored values", t.Name)
	}
	names := make(map[string]bool, len(stored))
	for _, c := range stored {
		if names[c.Name] {
			return nil, fmt.Errorf("table %q: has two columns %q", t.Name, c.Name)
		}
		names[c.Name] = true
	}
	for _, c := range stored {
		f, err := newField(c, names)
		if err != nil {
			return nil, fmt.Errorf("table %q: %w", t.Name, err)
		}
		s.fields = append(s.fields, f)
	}
	return s, nil
}

// newField chooses the leaves of a column. names are those in use.
func newField(c source.Column, names map[string]bool) (field, error) {
	l, ok := valueLeaf(c.Type)
	if !ok {
		return field{}, fmt.Errorf("column %q has type %q, which is not known", c.Name, c.Type.SQL)
	}
	l.name, l.optional = c.Name, c.Null
	f := field{col: c, value: l}
	companion := func(suffix string, l leaf) *leaf {
		for l.name = c.Name + suffix; names[l.name]; {
			l.name += "$"
		}
		names[l.name] = true
		return &l
	}
	number := func(bits int8, old deprecated.ConvertedType) leaf {
		return leaf{typ: format.Int32, optional: c.Null, logical: &format.IntType{BitWidth: bits, IsSigned: true}, old: old}
	}
	switch c.Type.Kind {
	case source.Clock, source.DateTime, source.Offset:
		if c.Type.Scale > 6 {
			f.ticks = companion("$ticks", number(32, deprecated.Int32))
		}
		if c.Type.Kind == source.Offset {
			f.offset = companion("$offset", number(16, deprecated.Int16))
		}
	case source.Text:
		if c.Type.UTF16() {
			f.utf16 = companion("$utf16", leaf{typ: format.ByteArray, optional: true, sparse: true, old: noOldType})
		}
	}
	return f, nil
}

// valueLeaf says how values of a type lie in Parquet.
func valueLeaf(t source.Type) (leaf, bool) {
	micros := format.TimeUnit{Value: &format.MicroSeconds{}}
	switch t.Kind {
	case source.Bool:
		return leaf{typ: format.Boolean, old: noOldType}, true
	case source.Int:
		return intLeaf(t.Bits)
	case source.Float:
		return leaf{typ: format.Double, old: noOldType}, true
	case source.Real:
		return leaf{typ: format.Float, old: noOldType}, true
	case source.Decimal:
		return decimalLeaf(t)
	case source.Text:
		return leaf{typ: format.ByteArray, logical: &format.StringType{}, old: deprecated.UTF8}, true
	case source.Bytes:
		return leaf{typ: format.ByteArray, old: noOldType}, true
	case source.UUID:
		return leaf{typ: format.FixedLenByteArray, width: 16, logical: &format.UUIDType{}, old: noOldType}, true
	case source.Date:
		return leaf{typ: format.Int32, logical: &format.DateType{}, old: deprecated.Date}, true
	case source.Clock:
		return leaf{typ: format.Int64, logical: &format.TimeType{Unit: micros}, old: noOldType}, true
	case source.DateTime:
		return leaf{typ: format.Int64, logical: &format.TimestampType{Unit: micros}, old: noOldType}, true
	case source.Offset:
		return leaf{typ: format.Int64, logical: &format.TimestampType{IsAdjustedToUTC: true, Unit: micros}, old: deprecated.TimestampMicros}, true
	}
	return leaf{}, false
}

func intLeaf(bits int) (leaf, bool) {
	l := leaf{typ: format.Int32, logical: &format.IntType{BitWidth: int8(bits), IsSigned: bits != 8}}
	switch bits {
	case 8:
		l.old = deprecated.Uint8
	case 16:
		l.old = deprecated.Int16
	case 32:
		l.old = deprecated.Int32
	case 64:
		l.typ, l.old = format.Int64, deprecated.Int64
	default:
		return l, false
	}
	return l, true
}

func decimalLeaf(t source.Type) (leaf, bool) {
	l := leaf{logical: &format.DecimalType{Scale: int32(t.Scale), Precision: int32(t.Precision)}, old: deprecated.Decimal}
	switch p := t.Precision; {
	case p < 1 || p > 38 || t.Scale < 0 || t.Scale > p:
		return l, false
	case p <= 9:
		l.typ = format.Int32
	case p <= 18:
		l.typ = format.Int64
	default:
		l.typ = format.FixedLenByteArray
		l.width = (int(math.Ceil(float64(p)*math.Log2(10))) + 1 + 7) / 8 // digits, a sign, rounded up to bytes
	}
	return l, true
}

// leaves returns the columns of the file in their order.
func (s *partSchema) leaves() []leaf {
	var all []leaf
	for _, f := range s.fields {
		all = append(all, f.value)
		for _, l := range []*leaf{f.ticks, f.offset, f.utf16} {
			if l != nil {
				all = append(all, *l)
			}
		}
	}
	return all
}

// elements is the schema as the footer holds it.
func (s *partSchema) elements() []format.SchemaElement {
	leaves := s.leaves()
	all := []format.SchemaElement{{Name: s.table.Name, NumChildren: thrift.New(int32(len(leaves)))}}
	for _, l := range leaves {
		e := format.SchemaElement{
			Name:           l.name,
			Type:           thrift.New(l.typ),
			RepetitionType: thrift.New(format.Required),
			LogicalType:    format.LogicalType{Value: l.logical},
		}
		if l.optional {
			e.RepetitionType = thrift.New(format.Optional)
		}
		if l.width > 0 {
			e.TypeLength = thrift.New(int32(l.width))
		}
		if l.old != noOldType {
			e.ConvertedType = thrift.New(l.old)
		}
		if d, ok := l.logical.(*format.DecimalType); ok {
			e.Scale, e.Precision = thrift.New(d.Scale), thrift.New(d.Precision)
		}
		all = append(all, e)
	}
	return all
}

// encoding is how a leaf's pages encode values. A value of at least bigValue has a page of its own, in PLAIN.
func (l *leaf) encoding() format.Encoding {
	switch l.typ {
	case format.Int32, format.Int64:
		return format.DeltaBinaryPacked
	case format.ByteArray:
		return format.DeltaLengthByteArray
	}
	return format.Plain
}
