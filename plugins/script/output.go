package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/openomt/omt/plugins/sdk"
)

// maxLine is how long a line of a program's output may be.
const maxLine = 1 << 20

// subjectForm is how subjects begin.
var subjectForm = regexp.MustCompile(`^[a-z][a-z0-9-]*:\S`)

// output reads findings from what a program writes. It is given the standard output as it comes.
type output struct {
	report  sdk.Report
	stop    func() // called once, at the first error
	decoder decoder
	line    []byte // begun
	number  int    // of the lines that are ended
	err     error
}

// Write takes the next piece. After an error the rest is passed over.
func (o *output) Write(p []byte) (int, error) {
	o.take(p, false)
	return len(p), nil
}

// close takes what is left, and returns what was wrong.
func (o *output) close() error {
	o.take(nil, true)
	if o.err == nil && len(o.line) > 0 {
		o.ended(o.line)
	}
	return o.err
}

func (o *output) take(p []byte, last bool) {
	if o.err != nil {
		return
	}
	text, err := o.decoder.decode(p, last)
	if err != nil {
		o.fail(err)
		return
	}
	for o.err == nil {
		before, after, found := bytes.Cut(text, []byte("\n"))
		if o.line = append(o.line, before...); len(o.line) > maxLine {
			o.fail(fmt.Errorf("it has more than %d bytes", maxLine))
			return
		}
		if !found {
			return
		}
		o.ended(o.line)
		o.line, text = o.line[:0], after
	}
}

// ended takes one line.
func (o *output) ended(line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) > 0 {
		f, err := parseFinding(line)
		if err != nil {
			o.fail(err)
			return
		}
		o.report(f)
	}
	o.number++
}

func (o *output) fail(err error) {
	o.err = fmt.Errorf("line %d of its output: %w", o.number+1, err)
	if o.stop != nil {
		o.stop()
	}
}

// list is an array of texts, or one text: what PowerShell makes of an array with one element.
type list []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		if *l = nil; one != "" {
			*l = list{one}
		}
		return nil
	}
	var many []string
	if err := json.Unmarshal(b, &many); err != nil {
		return errors.New("subjects are texts, such as [\"user:7\"]")
	}
	*l = many
	return nil
}

// parseFinding reads a line of output.
func parseFinding(line []byte) (sdk.Finding, error) {
	if !utf8.Valid(line) {
		return sdk.Finding{}, errors.New("it is not UTF-8; in PowerShell begin with [Console]::OutputEncoding = [Text.UTF8Encoding]::new()")
	}
	var f struct {
		Severity string `json:"severity"`
		Subjects list   `json:"subjects"`
		Message  string `json:"message"`
		Final    bool   `json:"final"`
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return sdk.Finding{}, fmt.Errorf("%s is no finding: %s", excerpt(line), strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return sdk.Finding{}, fmt.Errorf("%s is more than one finding", excerpt(line))
	}
	out := sdk.Finding{Subjects: f.Subjects, Message: strings.Join(strings.Fields(f.Message), " "), Final: f.Final}
	if out.Message == "" {
		return sdk.Finding{}, fmt.Errorf("%s has no message", excerpt(line))
	}
	if f.Severity != "" {
		if err := readSeverity(&out.Severity, f.Severity); err != nil {
			return sdk.Finding{}, fmt.Errorf("severity: %w", err)
		}
	}
	for _, s := range f.Subjects {
		if !subjectForm.MatchString(s) || strings.ContainsAny(s, "\r\n") {
			return sdk.Finding{}, fmt.Errorf("%q is no subject: write word:name, such as user:7", s)
		}
	}
	return out, nil
}

// excerpt shows what a line begins with.
func excerpt(line []byte) string {
	const most = 60
	if len(line) > most {
		return fmt.Sprintf("%q…", strings.ToValidUTF8(string(line[:most]), ""))
	}
	return fmt.Sprintf("%q", line)
}

// place is how PowerShell tells where an error was made.
var place = regexp.MustCompile(`^At .*:\d+ char:\d+$`)

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

const maxTail = 4096

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if n := len(t.kept); n > 2*maxTail {
		t.kept = append(t.kept[:0], t.kept[n-maxTail:]...)
	}
	return len(p), nil
}

// last is the last line that says something. What PowerShell writes below an error is about where it happened.
func (t *tail) last() string {
	text := string(t.kept)
	if decoded, err := decodeText(t.kept); err == nil {
		text = decoded
	}
	line := ""
	for l := range strings.Lines(strings.ToValidUTF8(text, "\ufffd")) {
		l = strings.TrimSpace(strings.TrimLeft(l, " |"))
		if l != "" && !strings.HasPrefix(l, "+ ") && !place.MatchString(l) {
			line = l
		}
	}
	if len(line) > 500 {
		line = strings.ToValidUTF8(line[:500], "") + "…"
	}
	return line
}
