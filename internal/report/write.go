package report

import "io"

// Part says what of a report is written.
type Part string

// The parts.
const (
	Whole   Part = ""
	Missing Part = "missing" // the list of what did not make it
	Names   Part = "users"   // the user summary
)

// form finds how a part is written in a format; nil where there is no such form.
func form(format string, p Part) func(r *Report, w io.Writer, separator rune) error {
	plain := func(write func(r *Report, w io.Writer) error) func(r *Report, w io.Writer, separator rune) error {
		return func(r *Report, w io.Writer, _ rune) error { return write(r, w) }
	}
	switch format + " " + string(p) {
	case "html ":
		return plain((*Report).WriteHTML)
	case "html missing":
		return plain((*Report).WriteMissingHTML)
	case "csv ":
		return (*Report).WriteCSV
	case "csv missing":
		return (*Report).WriteMissingCSV
	case "csv users":
		return (*Report).WriteUsersCSV
	case "json ":
		return plain((*Report).WriteJSON)
	case "json missing":
		return plain((*Report).WriteMissingJSON)
	case "json users":
		return plain((*Report).WriteUsersJSON)
	}
	return nil
}

// Can reports whether a part has a format: "html", "csv", "json".
func Can(format string, p Part) bool { return form(format, p) != nil }

// Write writes a part of the report in a format that Can has. separator stands between the cells of CSV.
func (r *Report) Write(w io.Writer, format string, p Part, separator rune) error {
	return form(format, p)(r, w, separator)
}
