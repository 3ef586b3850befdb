package sample

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/openomt/omt/internal/source"
)

// partnerLog has no key, and rows that are there twice.
func (w *world) partnerLog(add func(values) bool) {
	for i := range 60 {
		at := time.Date(2019, 1, 1, 0, 0, i/2, 123_000_000, time.UTC)
		v := values{"at": at, "what": "synced " + fmt.Sprint(i/3)}
		if i%4 == 0 {
			v["amount"] = fmt.Sprintf("%d.%04d", i/4*1000, i)
		}
		if i%2 == 1 {
			v["at"], v["what"], v["amount"] = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC), "nothing to do", nil
		}
		add(v)
	}
}

// partnerCodes has a key of text, in two alphabets.
func (w *world) partnerCodes(add func(values) bool) {
	for i := range 40 {
		code := fmt.Sprintf("%c%03d", "aÅbøc日"[0], i)
		if i%3 == 0 {
			code = fmt.Sprintf("Å%03d", i)
		}
		v := values{"code": code, "meaning": "kode " + fmt.Sprint(i), "ratio": 1 / float64(i+1)}
		if i%2 == 0 {
			v["token"] = [16]byte{byte(i), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
			v["picture"] = noise(w.rand(4, uint64(i)), 100+i)
		}
		add(v)
	}
}

// partnerRates has a key of two columns.
func (w *world) partnerRates(add func(values) bool) {
	for i, c := range []string{"DKK", "EUR", "SEK"} {
		for d := range 10 {
			day := time.Date(2020, 1, 1+d, 0, 0, 0, 0, time.UTC)
			v := values{"currency": c, "day": day, "rate": fmt.Sprintf("%d.%06d", i+1, d*1111), "checked": d%2 == 0}
			if d%3 == 0 {
				v["seen"] = time.Date(1970, 1, 1, 8, d, 0, 250_000_000, time.UTC)
				v["stamped"] = day.Add(9 * time.Hour).In(time.FixedZone("", 3600))
			}
			add(v)
		}
	}
}

// partnerKinds have a value of each type that both engines hold and no other table has: usual ones, the ends of their
// ranges, and none.
var partnerKinds = []values{
	{"id": 1, "tiny": 7, "big": 1 << 40, "flag": true, "single": 0.5, "price": "1999.9000", "fee": "-0.0500", "exact": "12.345", "wide": "1.5000000000",
		"fixed": "NO47", "ansi": "Bl\u00e5b\u00e6r", "ansi_long": strings.Repeat("ansi ", 2000), "ansi_old": "before 7.5", "nfixed": "\u5927\u962a\u5e02",
		"long": strings.Repeat("langt 🚀 ", 1000), "old": "ntext before 7.5", "markup": "<order id=\"7\"><line>\u00f8l</line></order>",
		"raw": []byte{0xDE, 0xAD, 0xBE, 0xEF}, "raw_old": []byte("GIF89a\x00\x01"), "minute": time.Date(2004, 2, 29, 12, 30, 0, 0, time.UTC)},
	{"id": 2, "tiny": 255, "big": -1 << 63, "flag": false, "single": -float64(float32(3.4e38)), "price": "-922337203685477.5808", "fee": "214748.3647",
		"exact": "-999999999999.999", "wide": "-9999999999999999999999999999.9999999999", "fixed": "    ", "ansi": "", "ansi_long": "", "ansi_old": "",
		"nfixed": "   ", "long": "", "old": "", "markup": "<empty/>", "raw": []byte{0, 0, 0, 0}, "raw_old": []byte{}, "minute": time.Date(2079, 6, 6, 23, 59, 0, 0, time.UTC)},
	{"id": 3},
}

// partnerShapes have values of the types that SQL Server alone has, as it writes them, and a text that was cut inside an
// emoji: its last character is half a surrogate pair.
var partnerShapes = []values{
	{"id": 1, "any": "int:7", "node": []byte{0x58}, "place": point(4326, 59.91, 10.75), "outline": point(0, 3, 4), "cut": "takk for turen \xed\xa0\xbd",
		"version": []byte{0, 0, 0, 0, 0, 0, 7, 0xD1}},
	{"id": 2, "any": "nvarchar(20):bl\u00e5", "node": []byte{}, "cut": "hel 🚀", "version": []byte{0, 0, 0, 0, 0, 0, 7, 0xD2}},
	{"id": 3, "any": "datetime:1760-01-01 00:00:00"},
}

// point is a point as SQL Server writes it: the reference system, version 1, the mark of a single valid point, and two
// coordinates.
func point(srid uint32, x, y float64) []byte {
	b := append(binary.LittleEndian.AppendUint32(nil, srid), 1, 0x0C)
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, math.Float64bits(x)), math.Float64bits(y))
}

// known are the tables that were not made by hand.
func known(tables []source.Table) []source.Table {
	return slices.DeleteFunc(slices.Clone(tables), func(t source.Table) bool { return t.Name == handmade })
}

// modelData is a model of the tables in a form that the real one may have or not: its compression and layout are not
// documented.
func modelData(tables []source.Table) ([]byte, error) {
	type field struct{ Name, Type string }
	type entry struct {
		Name   string
		Number int
		Fields []field
	}
	model := struct {
		ModelVersion string
		Tables       []entry
	}{ModelVersion: "1.0"}
	for i, t := range known(tables) {
		e := entry{Name: t.Name, Number: i + 1}
		for _, c := range t.Columns {
			e.Fields = append(e.Fields, field{c.Name, c.Type.SQL})
		}
		model.Tables = append(model.Tables, e)
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(z).Encode(model); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
