package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/openomt/omt/plugins/sdk"
)

// rowsQuery is the name of the one query that a rule of a .sql file has.
const rowsQuery = "rows"

// header is what the comments at the top of a .sql file say.
type header struct {
	id, title, help string
	severity        sdk.Severity
	final           string
	message         *template
	subjects        []template
	maxRows         int
	timeout         time.Duration
}

// sqlRule makes a rule of the text of a .sql file. id is what the file's name says.
func sqlRule(id, text string) (sdk.Rule, error) {
	h, body, err := parseHeader(text)
	if err != nil {
		return sdk.Rule{}, err
	}
	if h.id == "" {
		h.id = id
	}
	if err := h.check(body); err != nil {
		return sdk.Rule{}, err
	}
	return sdk.Rule{
		ID: h.id, Title: h.title, Help: h.help, Severity: h.severity, Final: h.final,
		// The whole file is the query, so that a place in it that is refused is told as an editor counts.
		Queries: []sdk.Query{{Name: rowsQuery, SQL: text, MaxRows: h.maxRows, Timeout: h.timeout}},
		Check:   h.report,
	}, nil
}

// report makes a finding of every row.
func (h *header) report(_ context.Context, in *sdk.Input, report sdk.Report) error {
	for row := range in.Rows(rowsQuery) {
		f := sdk.Finding{}
		f.Message, _ = h.message.fill(row, "(none)")
		for _, s := range h.subjects {
			if subject, whole := s.fill(row, ""); whole {
				f.Subjects = append(f.Subjects, subject)
			}
		}
		report(f)
	}
	return nil
}

var headerLine = regexp.MustCompile(`^--\s?([a-z][a-z-]*):\s*(.*)$`)

// parseHeader reads the comment lines at the top, up to the first line that is none. A line that begins with more than one
// blank goes on with the line before it.
func parseHeader(text string) (h *header, body string, err error) {
	h = &header{severity: sdk.Warning}
	var key, value string
	first, at := 0, 0
	set := func() error {
		if key == "" {
			return nil
		}
		if err := h.set(key, strings.TrimSpace(value)); err != nil {
			return fmt.Errorf("line %d: %s: %w", first, key, err)
		}
		return nil
	}
	for line := range strings.Lines(text) {
		trimmed := strings.TrimRight(line, " \t\r\n")
		if !strings.HasPrefix(trimmed, "--") {
			break
		}
		at++
		text = text[len(line):]
		if more, ok := strings.CutPrefix(trimmed, "--  "); ok && key != "" {
			value += " " + strings.TrimSpace(more)
			continue
		}
		if err := set(); err != nil {
			return nil, "", err
		}
		m := headerLine.FindStringSubmatch(trimmed)
		if key = ""; strings.TrimSpace(trimmed[2:]) == "" {
			continue
		}
		if m == nil {
			return nil, "", fmt.Errorf("line %d: the lines at the top are written %q, or %q to go on with one", at, "-- title: …", "--   …")
		}
		key, value, first = m[1], m[2], at
	}
	if err := set(); err != nil {
		return nil, "", err
	}
	return h, text, nil
}

// set takes one line.
func (h *header) set(key, value string) error {
	if value == "" {
		return fmt.Errorf("it is empty")
	}
	once := func(to *string) error {
		if *to != "" {
			return fmt.Errorf("it is there twice")
		}
		*to = value
		return nil
	}
	switch key {
	case "id":
		return once(&h.id)
	case "title":
		return once(&h.title)
	case "final":
		return once(&h.final)
	case "help":
		h.help = strings.TrimSpace(h.help + " " + value)
	case "severity":
		return readSeverity(&h.severity, value)
	case "message":
		if h.message != nil {
			return fmt.Errorf("it is there twice")
		}
		t, err := parseTemplate(value)
		h.message = &t
		return err
	case "subject":
		t, err := parseTemplate(value)
		if err == nil && !subjectForm.MatchString(t.text[0]+"x") {
			err = fmt.Errorf("a subject is written word:name, such as user:{associate_id}")
		}
		h.subjects = append(h.subjects, t)
		return err
	case "max-rows":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > sdk.MaxRows {
			return fmt.Errorf("%q is no number from 1 to %d", value, sdk.MaxRows)
		}
		h.maxRows = n
	case "timeout":
		d, err := readTimeout(value)
		h.timeout = d
		return err
	default:
		return fmt.Errorf("this is not known; what is: id, title, help, severity, final, message, subject, max-rows, timeout")
	}
	return nil
}

// readSeverity reads a severity.
func readSeverity(to *sdk.Severity, s string) error {
	switch v := sdk.Severity(s); v {
	case sdk.Error, sdk.Warning, sdk.Info:
		*to = v
		return nil
	}
	return fmt.Errorf("%q is none of error, warning and info", s)
}

// readTimeout reads "45s", "2m" or a number of seconds.
func readTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if n, nerr := strconv.Atoi(s); nerr == nil && n <= int(sdk.MaxTimeout/time.Second) {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < time.Millisecond || d > sdk.MaxTimeout {
		return 0, fmt.Errorf("%q is no time up to %v, such as 45s", s, sdk.MaxTimeout)
	}
	return d, nil
}

// check looks at the header as a whole.
func (h *header) check(body string) error {
	switch {
	case h.title == "":
		return fmt.Errorf("it has no %q at the top", "-- title: …")
	case h.message == nil:
		return fmt.Errorf("it has no %q at the top, which says what is wrong with a row", "-- message: …")
	case strings.TrimSpace(body) == "":
		return fmt.Errorf("it has no SELECT behind the lines at the top")
	}
	if h.help == "" {
		h.help = h.title + ": every row that the query gives is a finding."
	}
	if strings.Contains(body, "*") { // what the columns are is not known then
		return nil
	}
	for _, t := range append([]template{*h.message}, h.subjects...) {
		for _, c := range t.columns {
			if !regexp.MustCompile(`(?i)\b` + c + `\b`).MatchString(body) {
				return fmt.Errorf("{%s}: the query has no column of that name", c)
			}
		}
	}
	return nil
}
