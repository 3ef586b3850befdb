package rules

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteJSON writes the listing, or a part of it, as JSON.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// WriteTable writes the listing for people: the rules, then what takes no part and why. Titles are cut so that lines fit
// into columns; 0 cuts nothing.
func (l Listing) WriteTable(w io.Writer, columns int) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RULE\tSEVERITY\tPLUGIN\tFROM\tLOCK\tTITLE")
	for _, r := range l.Rules {
		fmt.Fprintf(t, "%s\t%s\t%s %s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Plugin, r.Version, r.From, cmp.Or(string(r.Lock), "-"), r.Title)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, cutTo(strings.TrimRight(line, " \n"), columns)); err != nil {
			return err
		}
	}
	return l.writeOut(w)
}

// writeOut writes what takes no part.
func (l Listing) writeOut(w io.Writer) error {
	var b strings.Builder
	for _, p := range l.Plugins {
		if p.Error != "" {
			fmt.Fprintf(&b, "%s (%s): %s\n", p.File, p.Lock, p.Error)
		}
	}
	for _, r := range l.Rules {
		if r.Error != "" {
			fmt.Fprintf(&b, "rule %s of %s is not run: %s\n", r.ID, r.From, r.Error)
		}
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(w, "\n"+b.String())
	return err
}

// cutTo cuts a line to a number of characters.
func cutTo(line string, columns int) string {
	r := []rune(line)
	if columns <= 1 || len(r) <= columns {
		return line
	}
	return strings.TrimRight(string(r[:columns-1]), " ") + "…"
}

// WriteMarkdown writes the rules as a table in Markdown.
func (l Listing) WriteMarkdown(w io.Writer) error {
	cell := func(s string) string {
		return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "\n", " ").Replace(s)
	}
	if _, err := io.WriteString(w, "| rule | severity | plugin | from | checks that |\n| --- | --- | --- | --- | --- |\n"); err != nil {
		return err
	}
	for _, r := range l.Rules {
		if _, err := fmt.Fprintf(w, "| `%s` | %s | %s %s | %s | %s |\n", r.ID, r.Severity, r.Plugin, r.Version, cell(r.From), cell(r.Title)); err != nil {
			return err
		}
	}
	return nil
}

// WriteText writes a rule in full.
func (r Rule) WriteText(w io.Writer) error {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			b.WriteString(wrap(fmt.Sprintf("%-10s ", name), text))
		}
	}
	fmt.Fprintf(&b, "%s: %s\n\n", r.ID, r.Title)
	if r.Help != "" {
		b.WriteString(wrap("", r.Help) + "\n")
	}
	line("severity", string(r.Severity))
	waived := "yes, with omt-assign --waive " + r.ID + "[:SUBJECT]=REASON; single findings may be final"
	if r.Final != "" {
		waived = "never: " + r.Final
	}
	line("waived", waived)
	if r.Required {
		line("required", "nothing is packed or pushed before it ran to its end")
	}
	line("plugin", r.Plugin+" "+r.Version)
	from := r.From
	if r.Lock != "" {
		from += " (" + string(r.Lock) + ")"
	}
	line("from", from)
	line("rests on", r.Evidence)
	line("reads", strings.Join(r.Reads, ", "))
	line("facts", strings.Join(r.Facts, ", "))
	for _, q := range r.Queries {
		line("query", fmt.Sprintf("%s (at most %d rows, %d s): %s", q.Name, q.MaxRows, q.Seconds, oneLine(q.SQL)))
	}
	line("not run", r.Error)
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine is a statement on one line, without the lines of it that are comments.
func oneLine(sql string) string {
	var words []string
	for line := range strings.Lines(sql) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			words = append(words, strings.Fields(line)...)
		}
	}
	return strings.Join(words, " ")
}

// wide is how many characters a line of help has.
const wide = 100

// wrap breaks a text into lines, the first behind a name, the others below it.
func wrap(name, text string) string {
	var b strings.Builder
	indent := strings.Repeat(" ", len(name))
	for n, part := range strings.Split(text, "\n") {
		at := name
		if n > 0 {
			at = indent
		}
		for _, word := range strings.Fields(part) {
			if at != name && at != indent {
				if len([]rune(at))+1+len([]rune(word)) > wide {
					b.WriteString(at + "\n")
					at = indent
				} else {
					at += " "
				}
			}
			at += word
		}
		b.WriteString(strings.TrimRight(at, " ") + "\n")
	}
	return b.String()
}
