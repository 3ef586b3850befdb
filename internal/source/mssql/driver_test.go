package mssql

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/source"
)

func TestConvert(t *testing.T) {
	oslo := time.FixedZone("", 3600)
	at := time.Date(2024, 2, 29, 12, 30, 0, 5, oslo)
	for _, c := range []struct {
		typ     string
		v, want any
	}{
		{"int", int64(5), int64(5)},
		{"bit", true, true},
		{"float", 1.5, 1.5},
		{"real", float32(0.1), float64(float32(0.1))},
		{"nvarchar(5)", "x", "x"},
		{"decimal(5,2)", []byte("1.5"), "1.50"},
		{"decimal(5,2)", "-.5", "-0.50"},
		{"money", []byte("12.5000"), "12.5000"},
		{"varbinary(5)", []byte(nil), []byte{}},
		{"image", []byte{1}, []byte{1}},
		{"date", at, time.Date(2024, 2, 29, 12, 30, 0, 5, time.UTC)},
		{"datetime2(7)", at, time.Date(2024, 2, 29, 12, 30, 0, 5, time.UTC)},
		{"time(7)", time.Date(1, 1, 1, 12, 30, 0, 5, oslo), time.Date(1970, 1, 1, 12, 30, 0, 5, time.UTC)},
		{"uniqueidentifier", []byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF},
			[16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}},
	} {
		got, err := (&conn{}).Converter(source.Column{Name: "c", Type: source.ParseType(c.typ)})(c.v)
		if err != nil || fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", c.want, c.want) {
			t.Errorf("%s %v: %T %v, %v", c.typ, c.v, got, got, err)
		}
	}
	off, err := (&conn{}).Converter(source.Column{Type: source.ParseType("datetimeoffset(7)")})(at)
	if x, ok := off.(time.Time); err != nil || !ok || !x.Equal(at) || x.Format("-07:00") != "+01:00" {
		t.Errorf("datetimeoffset: %v, %v", off, err)
	}
	for _, c := range []struct {
		typ string
		v   any
	}{
		{"int", "5"}, {"nvarchar(5)", int64(5)}, {"bit", int64(1)}, {"int", true}, {"int", at}, {"int", 1.5}, {"decimal(5,2)", []byte("x")},
		{"decimal(5,2)", []byte("1000")}, {"uniqueidentifier", []byte{1}}, {"nvarchar(5)", []byte("x")}, {"point", []byte{1}},
		{"int", struct{}{}}, {"float", float32(1)},
	} {
		if got, err := (&conn{}).Converter(source.Column{Name: "col", Type: source.ParseType(c.typ)})(c.v); err == nil || !strings.Contains(err.Error(), `column "col"`) {
			t.Errorf("%s %v is taken as %v, %v", c.typ, c.v, got, err)
		}
	}
}
