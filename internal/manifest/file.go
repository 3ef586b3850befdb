package manifest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
)

// maxInt bounds integers: every reader of JSON holds those below it exactly.
const maxInt = 1 << 53

// AppendJSON appends the record in our form: kind first, ASCII, no line end. A string that is not valid UTF-8, an
// integer of 2⁵³ or more and a year that RFC 3339 cannot hold are errors.
func (f *File) AppendJSON(dst []byte) ([]byte, error) {
	e := encoder{dst: dst}
	e.raw(`{"kind":"file","area":`)
	e.text(string(f.Area))
	if f.ID != 0 {
		e.int(`,"id":`, f.ID)
	}
	e.optional(`,"path":`, f.Path)
	e.optional(`,"disk":`, f.Disk)
	e.int(`,"root":`, int64(f.Root))
	e.int(`,"size":`, f.Size)
	if !f.MTime.IsZero() {
		e.time(`,"mtime":`, f.MTime)
	}
	e.optional(`,"owner":`, f.Owner)
	e.optional(`,"title":`, f.Title)
	e.raw(`,"state":`)
	e.text(string(f.State))
	e.optional(`,"reason":`, f.Reason)
	e.optional(`,"also":`, f.Also)
	if len(f.Candidates) > 0 {
		e.list(`,"candidates":`, f.Candidates)
	}
	if f.Raw {
		e.raw(`,"raw":true`)
	}
	e.digest(`,"sha256":"`, &f.SHA256)
	e.digest(`,"chunk":"`, &f.Chunk)
	if f.Offset != 0 {
		e.int(`,"offset":`, f.Offset)
	}
	e.optional(`,"same":`, f.Same)
	e.raw(`}`)
	return e.dst, e.err
}

// encoder appends JSON until the first error.
type encoder struct {
	dst []byte
	err error
}

func (e *encoder) raw(s string) { e.dst = append(e.dst, s...) }

func (e *encoder) text(s string) {
	dst, err := appendString(e.dst, s)
	if err != nil {
		if e.err == nil {
			e.err = err
		}
		return
	}
	e.dst = dst
}

func (e *encoder) optional(key, s string) {
	if s != "" {
		e.raw(key)
		e.text(s)
	}
}

func (e *encoder) list(key string, list []string) {
	e.raw(key)
	for i, s := range list {
		if i == 0 {
			e.raw(`[`)
		} else {
			e.raw(`,`)
		}
		e.text(s)
	}
	e.raw(`]`)
}

func (e *encoder) int(key string, n int64) {
	if (n >= maxInt || n <= -maxInt) && e.err == nil {
		e.err = fmt.Errorf("%s%d is not below 2^53", key[1:], n)
	}
	e.raw(key)
	e.dst = strconv.AppendInt(e.dst, n, 10)
}

func (e *encoder) time(key string, t Time) {
	e.raw(key)
	e.raw(`"`)
	dst, err := t.appendText(e.dst)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.dst = append(dst, '"')
}

func (e *encoder) digest(key string, d *Digest) {
	if !d.IsZero() {
		e.raw(key)
		e.dst = append(hex.AppendEncode(e.dst, d[:]), '"')
	}
}

// File decodes a file record. A line as AppendJSON makes it takes a fast way, any other encoding/json; the result is the
// same. Errors are those of Decode.
func (l Line) File() (File, error) {
	var f File
	if parseFile(l.Raw, &f) {
		return f, nil
	}
	f = File{}
	if err := json.Unmarshal(l.Raw, &f); err != nil {
		return File{}, l.misfit(err)
	}
	return f, nil
}

// parseFile decodes a line in our form; false leaves it to encoding/json.
func parseFile(raw []byte, f *File) bool {
	d := decoder{rest: raw}
	if !d.skip(`{"kind":"file"`) {
		return false
	}
	for {
		if d.skip(`}`) {
			return len(d.rest) == 0
		}
		if !d.skip(`,"`) {
			return false
		}
		key, rest, ok := cutPlain(d.rest)
		if !ok || len(rest) == 0 || rest[0] != ':' {
			return false
		}
		d.rest = rest[1:]
		if !d.field(string(key), f) {
			return false
		}
	}
}

// decoder takes values off the front of rest.
type decoder struct {
	rest    []byte
	scratch []byte
}

func (d *decoder) skip(s string) bool {
	if len(d.rest) < len(s) || string(d.rest[:len(s)]) != s {
		return false
	}
	d.rest = d.rest[len(s):]
	return true
}

func (d *decoder) field(key string, f *File) bool {
	switch key {
	case "area":
		return decodeName(d, &f.Area, Areas[:])
	case "state":
		return decodeName(d, &f.State, states[:])
	case "id":
		return d.int(&f.ID)
	case "size":
		return d.int(&f.Size)
	case "offset":
		return d.int(&f.Offset)
	case "root":
		var n int64
		ok := d.int(&n)
		f.Root = int(n)
		return ok && int64(f.Root) == n
	case "mtime":
		return d.time(&f.MTime)
	case "sha256":
		return d.digest(&f.SHA256)
	case "chunk":
		return d.digest(&f.Chunk)
	case "candidates":
		return d.list(&f.Candidates)
	case "raw":
		f.Raw = true
		return d.skip("true")
	}
	return d.textField(key, f)
}

func (d *decoder) textField(key string, f *File) bool {
	switch key {
	case "path":
		return d.text(&f.Path)
	case "disk":
		return d.text(&f.Disk)
	case "owner":
		return d.text(&f.Owner)
	case "title":
		return d.text(&f.Title)
	case "reason":
		return d.text(&f.Reason)
	case "also":
		return d.text(&f.Also)
	case "same":
		return d.text(&f.Same)
	}
	return false
}

// bytes takes a string. What is not plain ASCII text is left to encoding/json.
func (d *decoder) bytes() ([]byte, bool) {
	if !d.skip(`"`) {
		return nil, false
	}
	from := d.rest
	s, rest, ok := cutString(from, &d.scratch)
	if !ok {
		return nil, false
	}
	for _, c := range from[:len(from)-len(rest)] {
		if c < 0x20 || c > 0x7e {
			return nil, false
		}
	}
	d.rest = rest
	return s, true
}

func (d *decoder) text(s *string) bool {
	b, ok := d.bytes()
	*s = string(b)
	return ok
}

// decodeName takes a string that is most often one of known, which need no memory of their own.
func decodeName[S ~string](d *decoder, s *S, known []S) bool {
	b, ok := d.bytes()
	for _, k := range known {
		if string(b) == string(k) {
			*s = k
			return ok
		}
	}
	*s = S(b)
	return ok
}

func (d *decoder) int(n *int64) (ok bool) {
	*n, d.rest, ok = cutInt(d.rest)
	return ok
}

func (d *decoder) time(t *Time) bool {
	b, ok := d.bytes()
	return ok && t.UnmarshalText(b) == nil
}

func (d *decoder) digest(g *Digest) bool {
	b, ok := d.bytes()
	return ok && g.UnmarshalText(b) == nil
}

func (d *decoder) list(list *[]string) bool {
	*list = nil
	ok := d.skip(`[`)
	for ok {
		var s string
		ok = d.text(&s)
		*list = append(*list, s)
		if !d.skip(`,`) {
			break
		}
	}
	return ok && d.skip(`]`)
}
