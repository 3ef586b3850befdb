package source

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A value of sql_variant has a type of its own, and for texts a collation, which the server keeps with it. Both stand
// before the value, so that it can be made again and be read by people:
//
//	int:42
//	decimal(9,2):12.50
//	varchar(20) COLLATE Danish_Norwegian_CI_AS:tekst
//	varbinary(4):00FF01
//
// The value is in the text form of its type (see above AppendTime), a bit 0 or 1, a float in the fewest digits that give
// it back, bytes as upper-case hex.

const collate = " COLLATE "

// FormatVariant writes a value of sql_variant. t is its own type, collation may be empty. A type that cannot be in a
// sql_variant (xml, (max), another sql_variant) and a value that t does not hold are errors.
func FormatVariant(t Type, collation string, v any) (string, error) {
	if !variantHolds(t) {
		return "", fmt.Errorf("a sql_variant holds no %s", t.SQL)
	}
	if err := t.Check(v); err != nil {
		return "", err
	}
	text, err := variantText(t, v)
	if err != nil {
		return "", err
	}
	if collation != "" && t.Kind == Text {
		return t.SQL + collate + collation + ":" + text, nil
	}
	return t.SQL + ":" + text, nil
}

func variantHolds(t Type) bool {
	switch t.Kind {
	case Other:
		return false
	case Text, Bytes:
		return t.Length > 0 && t.SQL != "rowversion" && t.SQL != "hierarchyid"
	}
	return true
}

func variantText(t Type, v any) (string, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return "1", nil
		}
		return "0", nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return formatFloat(t, v), nil
	case string:
		return v, nil
	case []byte:
		return strings.ToUpper(hex.EncodeToString(v)), nil
	case time.Time:
		return string(AppendTime(nil, t, v)), nil
	case [16]byte:
		return FormatUUID(v), nil
	}
	return "", errors.New("a sql_variant has no NULL of a type")
}

func formatFloat(t Type, v float64) string {
	bits := 64
	if t.Kind == Real {
		bits = 32
	}
	return strconv.FormatFloat(v, 'g', -1, bits)
}

// ParseVariant reads what FormatVariant writes, and nothing else.
func ParseVariant(s string) (t Type, collation string, v any, err error) {
	head, text, ok := strings.Cut(s, ":")
	if !ok {
		return t, "", nil, fmt.Errorf("%q is no sql_variant: want TYPE:VALUE", clip(s))
	}
	spelling, collation, _ := strings.Cut(head, collate)
	t = ParseType(spelling)
	if v, err = variantValue(t, text); err != nil {
		return t, collation, nil, fmt.Errorf("sql_variant of type %q: %w", clip(head), err)
	}
	if again, err := FormatVariant(t, collation, v); err != nil || again != s {
		return t, collation, nil, fmt.Errorf("%q is no sql_variant as it is written", clip(s))
	}
	return t, collation, v, nil
}

func variantValue(t Type, text string) (any, error) {
	switch t.Kind {
	case Bool:
		return text == "1", nil
	case Int:
		return strconv.ParseInt(text, 10, 64)
	case Float, Real:
		f, err := strconv.ParseFloat(text, 64)
		if t.Kind == Real {
			f = float64(float32(f))
		}
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, fmt.Errorf("%s does not fit", clip(text))
		}
		return f, err
	case Decimal, Text:
		return text, nil
	case Bytes:
		return hex.DecodeString(text)
	case Date, Clock, DateTime, Offset:
		return ParseTime(t, text)
	case UUID:
		return ParseUUID(text)
	}
	return nil, errors.New("the type is not known")
}
