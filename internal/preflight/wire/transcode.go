package wire

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/openomt/omt/internal/manifest"
)

// Append appends the encoded message of a record (see Record) to dst. A file whose line has the form that our writers give
// it is not decoded: its values are copied from JSON to protobuf. sent is false for a kind that is not sent.
func (e *Encoder) Append(dst []byte, l manifest.Line, rec manifest.Record) (encoded []byte, sent bool, err error) {
	if l.Kind == manifest.KindFile {
		var ok bool
		if e.body, ok = appendFile(e.body[:0], l.Raw); ok {
			dst = protowire.AppendTag(dst, fieldFile, protowire.BytesType)
			return protowire.AppendBytes(dst, e.body), true, nil
		}
	}
	m, err := e.Record(l, rec)
	if err != nil || m == nil {
		return dst, false, err
	}
	dst, err = proto.MarshalOptions{}.MarshalAppend(dst, m)
	return dst, err == nil, err
}

// fieldFile is the number of Record.file in the contract.
const fieldFile protowire.Number = 11

// The ways in which values of a file are copied.
const (
	copyText = iota
	copyInt
	copyTime
	copyDigest
	copyTrue
)

// fileFields are the values of a file in the order of the line, which is that of the numbers in the contract too.
// Candidates are rare and missing here.
var fileFields = [...]struct {
	key    string
	number protowire.Number
	way    int
}{
	{`"area":`, 1, copyText},
	{`"id":`, 2, copyInt},
	{`"path":`, 3, copyText},
	{`"disk":`, 4, copyText},
	{`"root":`, 5, copyInt},
	{`"size":`, 6, copyInt},
	{`"mtime":`, 7, copyTime},
	{`"owner":`, 8, copyText},
	{`"title":`, 9, copyText},
	{`"state":`, 10, copyText},
	{`"reason":`, 11, copyText},
	{`"also":`, 12, copyText},
	{`"raw":`, 14, copyTrue},
	{`"sha256":`, 15, copyDigest},
	{`"chunk":`, 16, copyDigest},
	{`"offset":`, 17, copyInt},
	{`"same":`, 18, copyText},
}

// appendFile appends a proto File made from a line. Where it returns false the line has another form than ours, and what
// it means is for encoding/json to say: this function decides about speed and never about meaning.
func appendFile(dst, raw []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(raw, []byte(`{"kind":"file"`))
	if !ok {
		return dst, false
	}
	next := 0
	for len(rest) > 1 && rest[0] == ',' {
		rest = rest[1:]
		for next < len(fileFields) && !bytes.HasPrefix(rest, []byte(fileFields[next].key)) {
			next++
		}
		if next == len(fileFields) {
			return dst, false
		}
		f := &fileFields[next]
		next++
		if dst, rest, ok = appendValue(dst, rest[len(f.key):], f.number, f.way); !ok {
			return dst, false
		}
	}
	return dst, len(rest) == 1 && rest[0] == '}'
}

func appendValue(dst, b []byte, number protowire.Number, way int) (out, rest []byte, ok bool) {
	switch way {
	case copyInt:
		n, rest, ok := cutInt(b)
		if ok && n != 0 {
			dst = protowire.AppendTag(dst, number, protowire.VarintType)
			dst = protowire.AppendVarint(dst, n)
		}
		return dst, rest, ok
	case copyTrue:
		rest, ok := bytes.CutPrefix(b, []byte("true"))
		dst = protowire.AppendTag(dst, number, protowire.VarintType)
		return protowire.AppendVarint(dst, 1), rest, ok
	}
	s, rest, ok := cutText(b)
	switch {
	case !ok || way == copyDigest && !isDigest(s) || way == copyTime && !isTime(s):
		return dst, nil, false
	case len(s) > 0:
		dst = protowire.AppendTag(dst, number, protowire.BytesType)
		dst = protowire.AppendBytes(dst, s)
	}
	return dst, rest, true
}

// cutText takes a string of ASCII. One with escapes is decoded by encoding/json.
func cutText(b []byte) (s, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	escaped := false
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"' && escaped:
			var text string
			if json.Unmarshal(b[:i+1], &text) != nil {
				return nil, nil, false
			}
			return []byte(text), b[i+1:], true
		case c == '"':
			return b[1:i], b[i+1:], true
		case c == '\\':
			escaped = true
			i++
		case c < 0x20 || c > 0x7e:
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// cutInt takes an integer of at most 18 digits that is not negative.
func cutInt(b []byte) (n uint64, rest []byte, ok bool) {
	i := 0
	for i < len(b) && i < 19 && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + uint64(b[i]-'0')
		i++
	}
	return n, b[i:], i > 0 && i < 19 && (b[0] != '0' || i == 1)
}

// isDigest reports whether s is a digest that is surely not the empty one.
func isDigest(s []byte) bool {
	if len(s) != 64 || string(s[:8]) == "00000000" {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isTime reports whether s is a time that decoding and encoding would not change: RFC 3339 in UTC, a day that every month
// has.
func isTime(s []byte) bool {
	const form = "1999-19-29T29:59:59" // no digit is larger than here
	n := len(form)
	if len(s) < n+1 || s[len(s)-1] != 'Z' || s[0] == '0' {
		return false
	}
	for i, c := range s[:n] {
		if f := form[i]; c != f && (f < '0' || f > '9' || c < '0' || i > 3 && c > f || c > '9') {
			return false
		}
	}
	month, day, hour := string(s[5:7]), string(s[8:10]), string(s[11:13])
	if month < "01" || month > "12" || day < "01" || day > "28" || hour > "23" {
		return false
	}
	fraction := s[n : len(s)-1]
	if len(fraction) == 0 {
		return true
	}
	for _, c := range fraction[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return fraction[0] == '.' && len(fraction) > 1 && len(fraction) <= 10 && fraction[len(fraction)-1] != '0'
}
