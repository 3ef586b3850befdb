package planfile

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/sheet"
)

// readJSON reads an array of objects, one at a time, so that a problem names its item.
func (c *collector) readJSON(text string) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	whole := sheet.Place{File: c.file}
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		c.problems.Add(whole, `want an array of objects: [{"name":"…","seats":10}, …]`)
		return
	}
	for n := 1; d.More(); n++ {
		at := sheet.Place{File: c.file, Unit: "item", N: n}
		var item any
		if err := d.Decode(&item); err != nil {
			c.problems.Add(at, "%w", lineOf(err, text, d.InputOffset()))
			return
		}
		object, ok := item.(map[string]any)
		if !ok {
			c.problems.Add(at, "want an object with the keys name, title, onsite, seats, unlimited")
			continue
		}
		c.object(at, object)
	}
	if _, err := d.Token(); err != nil {
		c.problems.Add(whole, "%w", lineOf(err, text, d.InputOffset()))
		return
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		c.problems.Add(whole, "something stands after the array")
	}
}

// syntaxError is an error of the form with its line.
type syntaxError struct {
	line int
	err  error
}

// Error names the line first.
func (e syntaxError) Error() string {
	return "line " + strconv.Itoa(e.line) + ": " + e.err.Error()
}

// lineOf puts the line into an error of the decoder.
func lineOf(err error, text string, offset int64) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err, offset = errors.New("the array does not end; the file is cut short"), int64(len(text))
	}
	return syntaxError{1 + strings.Count(text[:min(offset, int64(len(text)))], "\n"), err}
}

// object takes the fields of one object. Keys are compared without regard to case; unknown ones are ignored.
func (c *collector) object(at sheet.Place, object map[string]any) {
	f := fields{columns: plain}
	before := c.problems.Len()
	for _, key := range slices.Sorted(maps.Keys(object)) {
		var to *string
		switch strings.ToLower(key) {
		case "name":
			to = &f.name
		case "title":
			to = &f.title
		case "onsite":
			to = &f.onsite
		case "seats":
			to = &f.seats
		case "unlimited":
			to = &f.unlimited
		default:
			continue
		}
		switch v := object[key].(type) {
		case nil:
		case string:
			*to = strings.TrimSpace(v)
		case json.Number:
			*to = v.String()
		case bool:
			*to = map[bool]string{true: "true", false: "false"}[v]
		default:
			c.problems.Add(at.In(strings.ToLower(key)), "want a single value")
		}
	}
	if c.problems.Len() == before {
		c.add(at, f)
	}
}
