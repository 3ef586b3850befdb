package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func TestDigest(t *testing.T) {
	const text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	d, err := ParseDigest(text)
	if err != nil || d.String() != text || d != sum("abc") || d.IsZero() || !(Digest{}).IsZero() {
		t.Errorf("%s, %v", d, err)
	}
	for _, bad := range []string{"", "00", text[1:], text + "0", strings.ToUpper(text), "g" + text[1:], " " + text[1:]} {
		if d, err := ParseDigest(bad); err == nil {
			t.Errorf("%q became %s", bad, d)
		}
	}
}

func TestTime(t *testing.T) {
	for in, want := range map[string]string{
		`"2026-11-22T04:00:00Z"`:                `"2026-11-22T04:00:00Z"`,
		`"2026-11-22T05:30:00.120+01:30"`:       `"2026-11-22T04:00:00.12Z"`,
		`"1760-01-01T00:00:00.000000001Z"`:      `"1760-01-01T00:00:00.000000001Z"`,
		`"9999-12-31T23:59:59.999999999Z"`:      `"9999-12-31T23:59:59.999999999Z"`,
		`"0001-01-01T00:00:00Z"`:                `"0001-01-01T00:00:00Z"`,
		`"2026-11-22T04:00:00.100000000Z"`:      `"2026-11-22T04:00:00.1Z"`,
		`"2026-11-22T04:00:00.000000000-00:00"`: `"2026-11-22T04:00:00Z"`,
	} {
		var a Time
		if err := json.Unmarshal([]byte(in), &a); err != nil {
			t.Error(err)
		}
		if out, err := json.Marshal(a); err != nil || string(out) != want {
			t.Errorf("%s became %s, %v", in, out, err)
		}
		var b Time
		if err := b.UnmarshalText([]byte(strings.Trim(in, `"`))); err != nil || b != a || a.Location() != time.UTC {
			t.Errorf("%s: %v and %v, %v", in, a, b, err)
		}
		if out, err := b.MarshalText(); err != nil || string(out) != strings.Trim(want, `"`) {
			t.Errorf("%s became %s, %v", in, out, err)
		}
	}
	for _, bad := range []string{`"2026-11-22"`, `"2026-11-22 04:00:00Z"`, `7`, `"x"`} {
		var a Time
		if json.Unmarshal([]byte(bad), &a) == nil {
			t.Errorf("%s became %v", bad, a)
		}
	}
	if _, err := At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)).MarshalText(); err == nil {
		t.Error("the year 10000 was written")
	}
	// The year is that of UTC.
	if _, err := At(time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200))).MarshalText(); err == nil {
		t.Error("the year 10000 was written")
	}
}

func TestAreas(t *testing.T) {
	for i, a := range Areas {
		if a.Rank() != i {
			t.Errorf("%q has rank %d", a, a.Rank())
		}
	}
	if Area("mail").Rank() != -1 {
		t.Error("an unknown area has a rank")
	}
}

func TestDiskPath(t *testing.T) {
	if p := (File{Path: "a"}).DiskPath(); p != "a" {
		t.Error(p)
	}
	if p := (File{Path: "a", Disk: "A"}).DiskPath(); p != "A" {
		t.Error(p)
	}
}

func TestErrors(t *testing.T) {
	err := fmt.Errorf("outer: %w", Errorf(Refused, "reading %q: %w", "x", io.ErrUnexpectedEOF).WithHint("do %s", "this"))
	if StatusOf(err) != Refused || HintOf(err) != "do this" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v: status %d, hint %q", err, StatusOf(err), HintOf(err))
	}
	if err.Error() != `outer: reading "x": unexpected EOF` {
		t.Error(err)
	}
	if StatusOf(nil) != OK || StatusOf(io.EOF) != Failed || HintOf(io.EOF) != "" {
		t.Error("statuses of errors without one")
	}
}
