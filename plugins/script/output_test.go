package main

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/openomt/omt/plugins/sdk"
)

// utf16Text is a text as Windows PowerShell writes it to a file: a byte order mark and two bytes a unit.
func utf16Text(s string, big bool) string {
	var order binary.AppendByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	b := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// readOutput gives a text to a reader in pieces of some size.
func readOutput(text string, piece int) (all []sdk.Finding, stopped int, err error) {
	o := &output{report: func(f sdk.Finding) { all = append(all, f) }, stop: func() { stopped++ }}
	for p := []byte(text); len(p) > 0; {
		n := min(piece, len(p))
		if w, err := o.Write(p[:n]); w != n || err != nil {
			panic("a write was not taken whole")
		}
		clear(p[:n]) // whoever writes may use it again
		p = p[n:]
	}
	return all, stopped, o.close()
}

func TestOutput(t *testing.T) {
	const lines = `{"severity":"error","subjects":["user:7","table:x"],"message":"bl` + "å\U0001F600" + `b` + "\u00e6" + `r"}` + "\n\n" +
		`{"message":" two\n lines ","subjects":"user:8"}` + "\n  \n" + `{"Message":"no subject","subjects":[],"final":true}`
	const want = "error user:7,table:x: blå\U0001F600bær\n user:8: two lines\n : no subject (final)\n"
	crlf := strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n"
	for form, text := range map[string]string{
		"UTF-8": lines, "a line end at the end": lines + "\n", "CRLF": crlf, "byte order mark": "\ufeff" + crlf,
		"UTF-16LE": utf16Text(crlf, false), "UTF-16BE": utf16Text(lines, true),
	} {
		for piece := 1; piece <= len(text); piece = piece*2 + 1 {
			got, stopped, err := readOutput(text, piece)
			if err != nil || found(got) != want || stopped != 0 {
				t.Errorf("%s, %d bytes at a time: %v, %q", form, piece, err, found(got))
			}
		}
	}
	for _, text := range []string{"", "\ufeff", "\xff\xfe", "\r\n", "\n"} {
		if got, _, err := readOutput(text, 1); err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestBadOutput(t *testing.T) {
	const ok = `{"message":"m"}` + "\r\n"
	for text, want := range map[string]string{
		ok + "looking…":                      "line 2 of its output: \"looking…\" is no finding",
		ok + "\r\n" + `{"message":"m"`:       "line 3 of its output: ",
		"[1]":                                `is no finding`,
		"null":                               "has no message",
		"{}":                                 "has no message",
		`{"message":""}`:                     "has no message",
		`{"message":" \n "}`:                 "has no message",
		`{"message":7}`:                      "is no finding",
		`{"mesage":"m"}`:                     `unknown field "mesage"`,
		`{"message":"m"}{"message":"m"}`:     "is more than one finding",
		`{"message":"m"} x`:                  "is more than one finding",
		`{"message":"m","severity":"fatal"}`: `severity: "fatal" is none of`,
		`{"message":"m","subjects":["7"]}`:   `"7" is no subject`,
		`{"message":"m","subjects":["a: "]}`: `is no subject`,
		`{"message":"m","subjects":[7]}`:     "subjects are texts",
		`{"message":"bl` + "\x86" + `b"}`:    "it is not UTF-8; in PowerShell", // å of code page 850
		`{"message":"` + strings.Repeat("m", maxLine) + `"}`: "line 1 of its output: it has more than 1048576 bytes",
		utf16Text(ok, false) + "x":                           "in the middle of a UTF-16 character",
		ok + "\ufeff" + ok:                                   "line 2 of its output",
	} {
		for _, piece := range []int{1 << 20, 7} {
			got, stopped, err := readOutput(text+"\n", piece)
			if strings.HasSuffix(want, "UTF-16 character") {
				got, stopped, err = readOutput(text, piece)
			}
			if err == nil || !strings.Contains(err.Error(), want) || stopped != 1 || len(got) > 1 {
				t.Errorf("%.80q: %v, stopped %d times, %d findings; want %q", text, err, stopped, len(got), want)
			}
		}
	}
}

// FuzzOutput: findings do not depend on how the bytes come, are what the host takes, and an error is told once.
func FuzzOutput(f *testing.F) {
	f.Add([]byte(`{"severity":"error","subjects":["user:7"],"message":"m"}`+"\r\n"), 3)
	f.Add([]byte(utf16Text("{\"message\":\"\U0001F600\"}\n", false)), 1)
	f.Add([]byte("\ufeff{\"message\":\"m\",\"subjects\":\"a:b\"}\nx"), 2)
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		if piece < 1 {
			return
		}
		whole, stopped, err := readOutput(string(b), len(b)+1)
		parts, _, perr := readOutput(string(b), piece)
		if (err == nil) != (perr == nil) || err == nil && found(whole) != found(parts) || err != nil && err.Error() != perr.Error() {
			t.Errorf("%q: %v and %q, in pieces %v and %q", b, err, found(whole), perr, found(parts))
		}
		if (err != nil) != (stopped == 1) {
			t.Errorf("%q: %v, stopped %d times", b, err, stopped)
		}
		for _, f := range whole {
			if f.Message == "" || strings.ContainsAny(f.Message, "\r\n") || !utf8.ValidString(f.Message) {
				t.Errorf("%q: message %q", b, f.Message)
			}
			for _, s := range f.Subjects {
				if !subjectForm.MatchString(s) || strings.ContainsAny(s, "\r\n") || !utf8.ValidString(s) {
					t.Errorf("%q: subject %q", b, s)
				}
			}
		}
	})
}

func TestTail(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"one\ntwo\r\n\r\n":           "two",
		utf16Text("a\r\nblå", false): "blå",
		"Get-Item : Cannot find path 'C:\\x'.\r\nAt C:\\rules\\check.ps1:3 char:1\r\n+ Get-Item x\r\n+ ~~~~~~~~\r\n    + CategoryInfo          : ObjectNotFound\r\n": "Get-Item : Cannot find path 'C:\\x'.",
		"Get-Item: /x/check.ps1:3\nLine |\n   3 |  Get-Item x\n     |  ~~~~\n     | Cannot find path '/x'.\n":                                                        "Cannot find path '/x'.",
		"Traceback:\n  File \"x.py\"\nKeyError: 'a'\n": "KeyError: 'a'",
		"bl\x86b": "bl\ufffdb",
	} {
		var w tail
		for i := range len(text) {
			if _, err := w.Write([]byte(text[i : i+1])); err != nil {
				t.Fatal(err)
			}
		}
		check(t, "last line", w.last(), want)
	}
	var w tail
	for range 100_000 {
		if _, err := w.Write([]byte("much of nothing\n")); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.kept) > 2*maxTail || w.last() != "much of nothing" {
		t.Errorf("%d bytes kept, %q", len(w.kept), w.last())
	}
	if _, err := w.Write([]byte(strings.Repeat("ø", 1000))); err != nil || len(w.last()) > 510 || !utf8.ValidString(w.last()) {
		t.Errorf("a long line: %q", w.last())
	}
}
