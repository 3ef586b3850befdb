package mssql

import (
	"fmt"
	"time"

	"github.com/openomt/omt/internal/source"
)

// Converter returns the function that makes canonical values of what the driver scans.
func (c *conn) Converter(col source.Column) func(v any) (any, error) {
	t, name := col.Type, col.Name
	return func(v any) (any, error) {
		out, ok := convert(t, v)
		if !ok {
			return nil, fmt.Errorf("column %q: the driver gave a %T for %s", name, v, t.SQL)
		}
		if s, isText := out.(string); isText && t.Kind == source.Decimal {
			d, err := source.CanonicalDecimal(t, s)
			if err != nil {
				return nil, fmt.Errorf("column %q: %w", name, err)
			}
			return d, nil
		}
		return out, nil
	}
}

// convert maps the driver's types; the server has checked the values.
func convert(t source.Type, v any) (any, bool) {
	switch v := v.(type) {
	case int64:
		return v, t.Kind == source.Int
	case string:
		return v, t.Kind == source.Text || t.Kind == source.Decimal
	case float64:
		return v, t.Kind == source.Float || t.Kind == source.Real
	case float32:
		return float64(v), t.Kind == source.Real
	case bool:
		return v, t.Kind == source.Bool
	case time.Time:
		return convertTime(t, v)
	case []byte:
		switch t.Kind {
		case source.Decimal:
			return string(v), true
		case source.UUID:
			return swapUUID(v)
		case source.Bytes:
			if v == nil {
				v = []byte{}
			}
			return v, true
		}
	}
	return nil, false
}

func convertTime(t source.Type, v time.Time) (any, bool) {
	switch t.Kind {
	case source.Offset:
		_, off := v.Zone()
		return v.In(source.Zone(off / 60)), true
	case source.Clock:
		h, m, s := v.Clock()
		return time.Date(1970, 1, 1, h, m, s, v.Nanosecond(), time.UTC), true
	case source.Date, source.DateTime:
		y, mo, d := v.Date()
		h, m, s := v.Clock()
		return time.Date(y, mo, d, h, m, s, v.Nanosecond(), time.UTC), true
	}
	return nil, false
}

// swapUUID turns SQL Server's bytes, whose first three groups are little-endian, into the order of the text form.
func swapUUID(v []byte) (any, bool) {
	if len(v) != 16 {
		return nil, false
	}
	u := [16]byte(v)
	u[0], u[1], u[2], u[3] = u[3], u[2], u[1], u[0]
	u[4], u[5] = u[5], u[4]
	u[6], u[7] = u[7], u[6]
	return u, true
}
