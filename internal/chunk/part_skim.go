package chunk

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/openomt/omt/internal/source"
)

// skim checks the next row as Read does and refuses what Read refuses, but makes no values: their canonical encoding comes
// from the pages. The first and the last row are read, for their keys.
func (r *PartReader) skim() error {
	n := r.content.rows + 1
	if n == 1 || n == r.footer.rows || r.err != nil {
		_, err := r.Read()
		return err
	}
	if err := r.skimRow(); err != nil {
		return r.fail(n, err)
	}
	return nil
}

func (r *PartReader) skimRow() error {
	if r.left == 0 {
		if err := r.open(); err != nil {
			return err
		}
	}
	c := r.content
	buf := c.begin()
	halves := 0
	for i := range r.fields {
		var half bool
		var err error
		if buf, half, err = r.fields[i].skim(buf, r.dec, c); err != nil {
			return err
		}
		if half {
			halves++
		}
	}
	c.end(buf)
	if halves != c.halves {
		return errNoUTF16
	}
	r.left--
	return nil
}

// errNoUTF16 is a text that its page alone cannot hold.
var errNoUTF16 = errors.New("a text is not UTF-8, and its UTF-16 is missing")

// skim appends the canonical encoding of the next value of a column.
func (f *fieldReader) skim(dst []byte, d *decoder, c *content) (_ []byte, half bool, err error) {
	at, present, err := f.value.advance(d)
	if err != nil {
		return dst, false, f.blame(err)
	}
	if f.utf16 != nil {
		text, half, err := f.text(d, at, present)
		if err != nil {
			return dst, false, f.blame(err)
		}
		if !present {
			return append(dst, tagNull), half, nil
		}
		if !half && len(text) < bigValue && utf8.ValidString(text) {
			dst = binary.AppendUvarint(append(dst, tagValue), uint64(len(text)))
			return append(dst, text...), false, nil
		}
		dst, err = appendColumn(dst, &f.Column, text, &c.aside)
		return dst, half, err
	}
	ticks, err := f.ticks.companion(d, present)
	if err != nil {
		return dst, false, f.blame(err)
	}
	offset, err := f.offset.companion(d, present)
	if err != nil {
		return dst, false, f.blame(err)
	}
	if !present {
		return append(dst, tagNull), false, nil
	}
	if out, ok := f.direct(dst, at, int64(ticks), int16(offset)); ok {
		return out, false, nil
	}
	v, err := f.get(at, int64(ticks), int16(offset))
	if err != nil {
		return dst, false, f.blame(err)
	}
	dst, err = appendColumn(dst, &f.Column, v, &c.aside)
	return dst, false, err
}

// direct appends the value that is at a place of the open page. Where it is not sure that the type holds it, or would not
// be faster, it says so and nothing is appended.
func (f *fieldReader) direct(dst []byte, at int, ticks int64, offset int16) ([]byte, bool) {
	be := binary.BigEndian
	p := f.value
	switch f.Type.Kind {
	case source.Bool:
		return append(dst, tagValue, p.data[at]), p.data[at] <= 1
	case source.Int:
		v := p.int(at)
		return be.AppendUint64(append(dst, tagValue), uint64(v)), fitsInt(v, f.Type.Bits)
	case source.Decimal:
		n := p.decimal(at)
		return n.append(append(dst, tagValue, byte(f.Type.Scale))), n.below(f.Type.Precision)
	case source.Float:
		return be.AppendUint64(append(dst, tagValue), binary.LittleEndian.Uint64(p.data[8*at:])), true
	case source.UUID:
		return append(append(dst, tagValue), p.data[16*at:][:16]...), true
	case source.Text:
		text := p.text[p.offsets[at]:p.offsets[at+1]]
		if len(text) >= bigValue || !utf8.ValidString(text) {
			return dst, false
		}
		dst = binary.AppendUvarint(append(dst, tagValue), uint64(len(text)))
		return append(dst, text...), true
	case source.Bytes:
		value := p.data[p.offsets[at]:p.offsets[at+1]]
		if len(value) >= bigValue {
			return dst, false
		}
		dst = binary.AppendUvarint(append(dst, tagValue), uint64(len(value)))
		return append(dst, value...), true
	case source.Date:
		days := p.i32[at]
		s := int64(days) * secondsPerDay
		return be.AppendUint32(append(dst, tagValue), uint32(days)), s >= firstSecond && s <= lastSecond
	case source.Clock, source.DateTime, source.Offset:
		return f.directTime(dst, at, ticks, offset)
	}
	return dst, false
}

func (f *fieldReader) directTime(dst []byte, at int, ticks int64, offset int16) ([]byte, bool) {
	micros := f.value.int(at)
	if ticks < 0 || ticks >= ticksPerMicro || micros < firstSecond*1e6 || micros >= (lastSecond+1)*1e6 {
		return dst, false
	}
	ticks += micros * ticksPerMicro
	dst = binary.BigEndian.AppendUint64(append(dst, tagValue), uint64(ticks))
	switch f.Type.Kind {
	case source.Clock:
		return dst, ticks >= 0 && ticks < ticksPerDay
	case source.Offset:
		return binary.BigEndian.AppendUint16(dst, uint16(offset)), offset >= -maxOffset && offset <= maxOffset
	}
	return dst, true
}
