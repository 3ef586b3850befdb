package source

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	noon := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		typ  string
		v    any
		want string // "" when it fits
	}{
		{"int", nil, ""},
		{"bit", true, ""},
		{"int", true, "a bool is no value of int"},
		{"tinyint", int64(255), ""},
		{"tinyint", int64(-1), "-1 does not fit tinyint"},
		{"tinyint", int64(256), "256 does not fit tinyint"},
		{"smallint", int64(-32768), ""},
		{"smallint", int64(32768), "32768 does not fit smallint"},
		{"int", int64(math.MaxInt32), ""},
		{"int", int64(math.MaxInt32 + 1), "2147483648 does not fit int"},
		{"bigint", int64(math.MinInt64), ""},
		{"int", 1, "a int is no value of int"},
		{"bit", int64(1), "a int64 is no value of bit"},
		{"nvarchar(5)", int64(1), "a int64 is no value of nvarchar(5)"},
		{"float", 0.1, ""},
		{"float", math.NaN(), "NaN does not fit float"},
		{"float", math.Inf(1), "+Inf does not fit float"},
		{"real", 0.1, "0.1 does not fit real"},
		{"real", float64(float32(0.1)), ""},
		{"int", 1.0, "a float64 is no value of int"},
		{"decimal(5,2)", "1.50", ""},
		{"decimal(5,2)", "1.5", `"1.5" is not written as decimal(5,2) is: "1.50"`},
		{"decimal(5,2)", "1000.00", "does not fit decimal(5,2)"},
		{"nvarchar(3)", "æøå", ""},
		{"nvarchar(3)", "abcd", "a text of 4 characters does not fit nvarchar(3)"},
		{"nvarchar(3)", "a😀", ""},
		{"nvarchar(3)", "ab😀", "a text of 4 characters does not fit nvarchar(3)"},
		{"varchar(3)", "ab😀", ""},
		{"varchar(3)", "abcd", "does not fit"},
		{"nvarchar(max)", strings.Repeat("x", 100000), ""},
		{"ntext", "\xff", "a text of 1 bytes is not valid UTF-8"},
		{"int", "1", "a text is no value of int"},
		{"varbinary(2)", []byte{1, 2}, ""},
		{"varbinary(2)", []byte{1, 2, 3}, "3 bytes do not fit varbinary(2)"},
		{"image", []byte{}, ""},
		{"nvarchar(3)", []byte("abc"), "bytes are no value of nvarchar(3)"},
		{"uniqueidentifier", [16]byte{1}, ""},
		{"binary(16)", [16]byte{1}, "no value of binary(16)"},
		{"date", noon, "does not fit date"},
		{"date", noon.Add(-12 * time.Hour), ""},
		{"datetime", noon, ""},
		{"datetime", noon.Add(time.Millisecond), "does not fit datetime"},
		{"datetime2(7)", noon.Add(100), ""},
		{"datetime2(7)", noon.Add(1), "does not fit datetime2(7)"},
		{"datetime2(7)", noon.In(time.FixedZone("", 3600)), "does not fit datetime2(7)"},
		{"datetime2(0)", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "does not fit"},
		{"time(0)", noon, "does not fit time(0)"},
		{"time(0)", time.Date(1970, 1, 1, 12, 0, 0, 0, time.UTC), ""},
		{"datetimeoffset(0)", noon.In(time.FixedZone("", 3600)), ""},
		{"datetimeoffset(0)", noon.In(time.FixedZone("", 3601)), "does not fit"},
		{"int", noon, "a time is no value of int"},
		{"nvarchar(3)", "ab\xED\xA0\xBD", ""},
		{"nvarchar(2)", "ab\xED\xA0\xBD", "a text of 3 characters does not fit nvarchar(2)"},
		{"ntext", "\xED\xA0\xBD\xED\xB8\x80", "a text of 6 bytes is not valid UTF-8"},
		{"varchar(9)", "ab\xED\xA0\xBD", "a text of 5 bytes is not valid UTF-8"},
		{"geography", noon, "a time is no value of geography"},
		{"geography", "x", "a text is no value of geography"},
	} {
		err := ParseType(c.typ).Check(c.v)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v: %v", c.typ, c.v, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v: %v, want %q", c.typ, c.v, err, c.want)
		}
	}
}

// What a cell holds is read tolerantly where a question needs no more than a number, a text or a time.
func TestCells(t *testing.T) {
	for _, c := range []struct {
		v    any
		want int64
	}{{nil, 0}, {int64(7), 7}, {true, 1}, {false, 0}, {2.9, 2}, {"12.0000", 12}, {" 5 ", 5}, {"x", 0}, {[]byte("9"), 9}, {time.Time{}, 0}} {
		if got := number64(c.v); got != c.want {
			t.Errorf("number64(%v) = %d, want %d", c.v, got, c.want)
		}
	}
	for _, c := range []struct {
		v    any
		want string
	}{{nil, ""}, {"x", "x"}, {int64(7), "7"}, {true, ""}} {
		if got := words(c.v); got != c.want {
			t.Errorf("words(%v) = %q, want %q", c.v, got, c.want)
		}
	}
	if got := moment(int64(1028190600)); !got.Equal(time.Date(2002, 8, 1, 8, 30, 0, 0, time.UTC)) || got.Location() != time.UTC {
		t.Errorf("seconds are read as %v", got)
	}
	if !moment(nil).IsZero() || !moment("x").IsZero() {
		t.Error("what is no time is not the zero time")
	}
	at := time.Date(1760, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ v, want any }{
		{nil, nil}, {int64(1), int64(1)}, {"x", "x"}, {true, true}, {1.5, 1.5}, {at, "1760-01-01 00:00:00"}, {[]byte("secret"), nil},
	} {
		if got := plain(c.v); got != c.want {
			t.Errorf("plain(%v) = %v, want %v", c.v, got, c.want)
		}
	}
}
