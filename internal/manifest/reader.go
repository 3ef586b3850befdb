package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format is the version of the format that this package writes.
const Format = "omt/1"

// Line is one record as it was read. Raw is valid until the next call of Next.
type Line struct {
	Kind   Kind
	Raw    []byte // the record without its line end, decoded to UTF-8 (ASCII when one of ours wrote it)
	Number int64  // of the line in the input, as an editor counts; 0 for a line that was not read
	place  int    // of the kind, or placeUnknown for a line made elsewhere
	ascii  bool   // Raw is known to hold nothing above U+007E
}

// Decode decodes the record into rec, ignoring unknown fields. A record that does not fit is an Error (BadInput) that
// names its line.
func (l Line) Decode(rec any) error {
	if err := json.Unmarshal(l.Raw, rec); err != nil {
		return l.misfit(err)
	}
	return nil
}

func (l Line) misfit(err error) error {
	return Errorf(BadInput, "line %d: decoding the %s record: %w", l.Number, l.Kind, err)
}

// ReadOptions are the choices of a Reader.
type ReadOptions struct {
	AcceptEdits bool // an end record that does not match is accepted; Edited then tells
}

// Reader reads a manifest as a stream.
type Reader struct {
	in     lines
	accept bool
	hash   hash.Hash
	hashed []byte // lines that have not gone into hash yet
	tally  tally
	names  map[string]Kind // unknown kinds met
	begun  bool
	header Header
	end    End
	edited bool
	err    error // what every further call of Next returns
}

const hashBlock = 32 << 10

// NewReader makes a Reader of r. It reads nothing yet.
func NewReader(r io.Reader, o ReadOptions) *Reader {
	return &Reader{
		in:     lines{src: r},
		accept: o.AcceptEdits,
		hash:   sha256.New(),
		hashed: make([]byte, 0, hashBlock+4096),
	}
}

// Next returns the next record before end. After a good end it returns io.EOF. A manifest that is cut short, edited,
// not a manifest, of a newer format, or ended by an abort gives an *Error (status BadInput, or for an abort the status
// that the last stage must end with).
func (r *Reader) Next() (Line, error) {
	if r.err != nil {
		return Line{}, r.err
	}
	l, err := r.next()
	if err != nil {
		r.err = err
		return Line{}, err
	}
	return l, nil
}

// Header returns the manifest record, once Next has returned the first record.
func (r *Reader) Header() Header { return r.header }

// Counts returns the lines of every kind returned so far.
func (r *Reader) Counts() map[string]int64 { return r.tally.counts() }

// End returns the end record after Next returned io.EOF.
func (r *Reader) End() End { return r.end }

// Edited returns the digest that the end record had when the manifest was edited and edits were accepted.
func (r *Reader) Edited() (was Digest, edited bool) { return r.end.SHA256, r.edited }

func (r *Reader) next() (Line, error) {
	raw, err := r.in.next()
	if errors.Is(err, io.EOF) {
		return Line{}, r.cut()
	}
	if err != nil {
		return Line{}, err
	}
	l, err := r.classify(raw)
	if err != nil {
		return Line{}, r.garbage(err.Error())
	}
	switch {
	case l.place == placeAbort:
		return Line{}, r.abort(l)
	case !r.begun:
		if err := r.first(l); err != nil {
			return Line{}, err
		}
		r.begun = true
	case l.place == placeManifest:
		return Line{}, Errorf(BadInput, "line %d: a second manifest record: two manifests were joined", l.Number).
			WithHint("give one manifest at a time")
	case l.place == placeEnd:
		return Line{}, r.finish(l)
	}
	r.tally.add(l.place, l.Kind)
	r.hashed = append(append(r.hashed, raw...), '\n')
	if len(r.hashed) >= hashBlock {
		r.sum()
	}
	return l, nil
}

func (r *Reader) sum() {
	r.hash.Write(r.hashed)
	r.hashed = r.hashed[:0]
}

var (
	errNoObject = errors.New("not a JSON object")
	errNoKind   = errors.New(`a record without "kind"`)
	errNotUTF8  = errors.New("not UTF-8")
)

const kindPrefix = `{"kind":"`

// classify finds the kind of a line. Lines as our writers make them are not decoded, unless a person may have edited
// them.
func (r *Reader) classify(raw []byte) (Line, error) {
	l := Line{Raw: raw, Number: r.in.number, ascii: isASCII(raw)}
	if !l.ascii && !utf8.Valid(raw) {
		return l, errNotUTF8
	}
	kind, ok := quickKind(raw)
	if ok && (!r.accept || json.Valid(raw)) {
		if l.place = placeOf(string(kind)); l.place != placeUnknown {
			l.Kind = known[l.place].kind
		} else {
			l.Kind = r.intern(kind)
		}
		return l, nil
	}
	var slow struct {
		Kind string `json:"kind"`
	}
	if raw[0] != '{' && bytes.TrimLeft(raw, " \t")[0] != '{' || json.Unmarshal(raw, &slow) != nil {
		return l, errNoObject
	}
	if slow.Kind == "" {
		return l, errNoKind
	}
	l.place, l.Kind = placeOf(slow.Kind), Kind(slow.Kind)
	return l, nil
}

// quickKind takes the kind from a line that begins with it and looks whole.
func quickKind(raw []byte) ([]byte, bool) {
	if len(raw) < len(kindPrefix)+2 || string(raw[:len(kindPrefix)]) != kindPrefix || raw[len(raw)-1] != '}' {
		return nil, false
	}
	rest := raw[len(kindPrefix):]
	n := bytes.IndexByte(rest, '"')
	if n <= 0 || n+1 >= len(rest) || rest[n+1] != ',' && rest[n+1] != '}' {
		return nil, false
	}
	for _, c := range rest[:n] {
		if (c < 'a' || c > 'z') && c != '-' && (c < '0' || c > '9') {
			return nil, false
		}
	}
	return rest[:n], true
}

func (r *Reader) intern(kind []byte) Kind {
	if k, ok := r.names[string(kind)]; ok {
		return k
	}
	if r.names == nil {
		r.names = map[string]Kind{}
	}
	k := Kind(kind)
	r.names[string(k)] = k
	return k
}

// first judges the line that must be the manifest record.
func (r *Reader) first(l Line) error {
	if l.place != placeManifest {
		return Errorf(BadInput, "the input is no manifest: line %d is a %q record", l.Number, l.Kind).
			WithHint("its first record must be the one of kind \"manifest\"")
	}
	if json.Unmarshal(l.Raw, &r.header) != nil {
		return r.garbage("a manifest record that cannot be decoded")
	}
	if r.header.Format == Format {
		return nil
	}
	digits, ours := strings.CutPrefix(r.header.Format, "omt/")
	if n, err := strconv.Atoi(digits); ours && err == nil && n > 1 {
		return Errorf(BadInput, "the manifest was written by a newer version: format %q, known is %q", r.header.Format, Format).
			WithHint("use the version that wrote it, %q, for every stage", r.header.Tool)
	}
	return Errorf(BadInput, "the input is no manifest: format %q, known is %q", r.header.Format, Format)
}

// cut is the error of a manifest without its end.
func (r *Reader) cut() error {
	if !r.begun {
		return Errorf(BadInput, "the input holds no manifest: it is empty or cut short").
			WithHint("the stage before wrote none; see its messages and run it again")
	}
	return Errorf(BadInput, "the manifest is cut short: it stops after line %d without an end record", r.in.number).
		WithHint("the stage before did not finish, or the file was not copied whole; run that stage again")
}

// garbage is the error of a line that cannot be understood; the last line of all was more likely cut than damaged.
func (r *Reader) garbage(what string) error {
	number := r.in.number
	_, err := r.in.next()
	if errors.Is(err, io.EOF) && r.begun {
		return r.cut()
	}
	if !r.begun {
		return Errorf(BadInput, "the input is no manifest: line %d is %s", number, what)
	}
	return Errorf(BadInput, "line %d of the manifest is %s", number, what).
		WithHint("something else wrote into it; run the stage before again, or mend the line")
}

// abort is the error of a manifest whose stage gave up.
func (r *Reader) abort(l Line) error {
	var a Abort
	if json.Unmarshal(l.Raw, &a) != nil {
		return r.garbage("an abort record that cannot be decoded")
	}
	status := BadInput
	if a.Status == Refused || a.Status == Interrupted {
		status = a.Status
	}
	return Errorf(status, "%s stopped with status %d: %s", a.Tool, a.Status, a.Message).
		WithHint("nothing was changed here; run that stage again once the cause is mended")
}

// finish judges the end record and makes sure that nothing follows it.
func (r *Reader) finish(l Line) error {
	var e struct {
		Tool   string           `json:"tool"`
		Counts map[string]int64 `json:"counts"`
		SHA256 string           `json:"sha256"`
	}
	if json.Unmarshal(l.Raw, &e) != nil {
		return r.garbage("an end record that cannot be decoded")
	}
	number := l.Number
	if _, err := r.in.next(); err == nil {
		return Errorf(BadInput, "line %d stands after the end record of line %d", r.in.number, number).
			WithHint("two manifests were joined, or a record was added below end; give one manifest, with end last")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	r.sum()
	var sum Digest
	r.hash.Sum(sum[:0])
	was, err := ParseDigest(e.SHA256)
	r.end = End{Tool: e.Tool, Counts: e.Counts, SHA256: was}
	if err == nil && was == sum && sameCounts(e.Counts, r.tally.counts()) {
		return io.EOF
	}
	if !r.accept {
		return Errorf(BadInput, "the manifest was edited: its end record does not match the %d lines before it", number-1).
			WithHint("if the edit was meant, say --accept-edits; else run the stage before again")
	}
	r.edited = true
	return io.EOF
}

// sameCounts compares counts; a kind with none may be left out.
func sameCounts(a, b map[string]int64) bool {
	for k, n := range a {
		if b[k] != n {
			return false
		}
	}
	for k, n := range b {
		if a[k] != n {
			return false
		}
	}
	return true
}
