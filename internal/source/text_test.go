package source

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestTimeText(t *testing.T) {
	for _, c := range []struct{ typ, text string }{
		{"date", "0001-01-01"}, {"date", "2024-02-29"}, {"date", "9999-12-31"}, {"date", "1760-01-01"},
		{"time(0)", "00:00:00"}, {"time(7)", "23:59:59.9999999"}, {"time(3)", "12:30:00.5"},
		{"datetime", "1753-01-01 00:00:00"}, {"datetime", "1760-01-01 00:00:00"}, {"datetime", "9999-12-31 23:59:59.997"},
		{"datetime", "2002-07-31 23:30:00.003"}, {"datetime", "2002-07-31 23:30:00.01"},
		{"smalldatetime", "1900-01-01 00:00:00"}, {"smalldatetime", "2079-06-06 23:59:00"},
		{"datetime2(7)", "0001-01-01 00:00:00.0000001"}, {"datetime2(0)", "9999-12-31 23:59:59"},
		{"datetimeoffset(7)", "2024-01-01 00:00:00.1234567 +14:00"}, {"datetimeoffset(0)", "2024-01-01 00:00:00 -03:30"},
		{"datetimeoffset(0)", "2024-01-01 00:00:00 +00:00"}, {"datetimeoffset(0)", "2024-01-01 00:00:00 -00:30"},
	} {
		typ := ParseType(c.typ)
		v, err := ParseTime(typ, c.text)
		if err != nil {
			t.Errorf("ParseTime(%s, %q): %v", c.typ, c.text, err)
			continue
		}
		if got := string(AppendTime(nil, typ, v)); got != c.text {
			t.Errorf("%s %q comes back as %q", c.typ, c.text, got)
		}
	}
}

func TestTimeTextRefused(t *testing.T) {
	for _, c := range []struct{ typ, text, say string }{
		{"date", "2024-2-29", "YYYY-MM-DD"},
		{"date", "2023-02-29", "YYYY-MM-DD"},
		{"date", "2024-01-01 00:00:00", "YYYY-MM-DD"},
		{"date", "0000-01-01", "YYYY-MM-DD"},
		{"date", "", "YYYY-MM-DD"},
		{"date", "２０２４-01-01", "YYYY-MM-DD"},
		{"time(3)", "24:00:00", "HH:MM:SS"},
		{"time(3)", "12:60:00", "HH:MM:SS"},
		{"time(3)", "12:00", "HH:MM:SS"},
		{"time(3)", "12:00:00.", "HH:MM:SS"},
		{"time(3)", "12:00:00.50", "HH:MM:SS"},
		{"time(3)", "12:00:00.1234", "does not fit time(3)"},
		{"time(7)", "12:00:00.1234567890", "HH:MM:SS"},
		{"datetime", "2024-01-01", "YYYY-MM-DD HH:MM:SS"},
		{"datetime", "2024-01-01T00:00:00", "YYYY-MM-DD HH:MM:SS"},
		{"datetime", "2024-01-01 00:00:00Z", "YYYY-MM-DD HH:MM:SS"},
		{"datetime", "2024-01-01 00:00:00 ", "YYYY-MM-DD HH:MM:SS"},
		{"datetime", "2024-01-01 00:00:60", "YYYY-MM-DD HH:MM:SS"},
		{"datetime", "2024-01-01 00:00:00.001", "does not fit datetime"},
		{"datetime", "1752-12-31 00:00:00", "does not fit datetime"},
		{"datetime", "January 1st", "YYYY-MM-DD HH:MM:SS"},
		{"smalldatetime", "2024-01-01 00:00:01", "does not fit smalldatetime"},
		{"smalldatetime", "1899-12-31 00:00:00", "does not fit smalldatetime"},
		{"smalldatetime", "2079-06-07 00:00:00", "does not fit smalldatetime"},
		{"datetimeoffset(0)", "2024-01-01 00:00:00", "+HH:MM"},
		{"datetimeoffset(0)", "2024-01-01 00:00:00 -00:00", "+HH:MM"},
		{"datetimeoffset(0)", "2024-01-01 00:00:00 +1:00", "+HH:MM"},
		{"datetimeoffset(0)", "2024-01-01 00:00:00 +01:60", "+HH:MM"},
		{"datetimeoffset(0)", "2024-01-01 00:00:00 +14:01", "does not fit"},
		{"datetimeoffset(0)", "0001-01-01 00:00:00 +01:00", "does not fit"},
		{"datetimeoffset(0)", "9999-12-31 23:59:59 -01:00", "does not fit"},
	} {
		if v, err := ParseTime(ParseType(c.typ), c.text); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("ParseTime(%s, %q) = %v, %v; want an error with %q", c.typ, c.text, v, err, c.say)
		}
	}
}

// Every time that a type holds has one text, and comes back from it.
func TestTimeTextProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		scale := r.IntN(8)
		unit := 1
		for i := scale; i < 9; i++ {
			unit *= 10
		}
		v := time.Date(1+r.IntN(9999), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60),
			r.IntN(1e9)/unit*unit, Zone(r.IntN(28*60+1)-14*60))
		for _, typ := range []Type{{SQL: "datetimeoffset", Kind: Offset, Scale: scale}, {SQL: "datetime2", Kind: DateTime, Scale: scale}} {
			want := v
			if typ.Kind == DateTime {
				want = time.Date(v.Year(), v.Month(), v.Day(), v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), time.UTC)
			}
			if typ.Check(want) != nil {
				continue // an offset at the edge of the calendar
			}
			text := string(AppendTime(nil, typ, want))
			got, err := ParseTime(typ, text)
			_, o1 := got.Zone()
			_, o2 := want.Zone()
			if err != nil || !got.Equal(want) || o1 != o2 {
				t.Fatalf("%v as %q comes back as %v, %v", want, text, got, err)
			}
		}
	}
}

func FuzzParseTime(f *testing.F) {
	kinds := []string{"date", "time(7)", "datetime", "smalldatetime", "datetime2(7)", "datetimeoffset(3)"}
	for i := range kinds {
		f.Add(i, "2024-01-01 00:00:00.5 +01:00")
		f.Add(i, "12:00:00")
		f.Add(i, "1760-01-01")
	}
	f.Fuzz(func(t *testing.T, kind int, s string) {
		typ := ParseType(kinds[uint(kind)%uint(len(kinds))])
		v, err := ParseTime(typ, s)
		if err != nil {
			return
		}
		if got := string(AppendTime(nil, typ, v)); got != s {
			t.Errorf("%s: %q was read as %q", typ.SQL, s, got)
		}
		if err := typ.Check(v); err != nil {
			t.Errorf("%s: %q was read, and does not fit: %v", typ.SQL, s, err)
		}
	})
}

func TestUUIDText(t *testing.T) {
	want := [16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}
	const text = "00112233-4455-6677-8899-AABBCCDDEEFF"
	if got := FormatUUID(want); got != text {
		t.Errorf("FormatUUID = %q", got)
	}
	if got, err := ParseUUID(text); got != want || err != nil {
		t.Errorf("ParseUUID = %v, %v", got, err)
	}
	for _, bad := range []string{
		"", strings.ToLower(text), text[:35], text + "0", "{" + text[1:], strings.ReplaceAll(text, "-", "0"),
		"0011223344-55-6677-8899-AABBCCDDEEFF", "G0112233-4455-6677-8899-AABBCCDDEEFF",
	} {
		if got, err := ParseUUID(bad); err == nil {
			t.Errorf("ParseUUID(%q) = %v, want an error", bad, got)
		}
	}
}

func TestCanonicalDecimal(t *testing.T) {
	for _, c := range []struct{ typ, in, want string }{
		{"decimal(5,2)", "0", "0.00"}, {"decimal(5,2)", "-0", "0.00"}, {"decimal(5,2)", "-0.00", "0.00"},
		{"decimal(5,2)", "1.5", "1.50"}, {"decimal(5,2)", ".5", "0.50"}, {"decimal(5,2)", "-.5", "-0.50"},
		{"decimal(5,2)", "007.10", "7.10"}, {"decimal(5,2)", "999.99", "999.99"}, {"decimal(5,2)", "1.", "1.00"},
		{"decimal(5,2)", "1.5000", "1.50"}, {"decimal(5,0)", "12345", "12345"}, {"decimal(5,0)", "1.0", "1"},
		{"decimal(2,2)", "0.99", "0.99"}, {"money", "-922337203685477.5808", "-922337203685477.5808"},
		{"decimal(38,0)", strings.Repeat("9", 38), strings.Repeat("9", 38)},
		{"decimal(5,2)", "1000", ""}, {"decimal(5,2)", "1.234", ""}, {"decimal(2,2)", "1.00", ""}, {"decimal(5,2)", "", ""},
		{"decimal(5,2)", "-", ""}, {"decimal(5,2)", ".", ""}, {"decimal(5,2)", "1e2", ""}, {"decimal(5,2)", "+1", ""},
		{"decimal(5,2)", "--1", ""}, {"decimal(5,2)", "1.2.3", ""}, {"decimal(5,2)", " 1", ""}, {"decimal(5,2)", "1,5", ""},
	} {
		got, err := CanonicalDecimal(ParseType(c.typ), c.in)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("CanonicalDecimal(%s, %q) = %q, %v; want %q", c.typ, c.in, got, err, c.want)
		}
	}
	long := strings.Repeat("12345", 20) + "x"
	if _, err := CanonicalDecimal(ParseType("money"), long); err == nil || !strings.Contains(err.Error(), "… (101 bytes)") {
		t.Errorf("a long text is not shortened in %v", err)
	}
}
