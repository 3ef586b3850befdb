package pack

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Lines says a forecast to people, the answer first.
func (f *Forecast) Lines() []string {
	lines := []string{f.answer()}
	for _, a := range f.Areas {
		lines = append(lines, a.line())
	}
	if f.Tables != nil {
		lines = append(lines, f.Tables.line())
		lines = append(lines, f.Tables.notes(f.Known)...)
		switch {
		case f.ReadKnown:
			lines = append(lines, fmt.Sprintf("reading and packing the tables: about %s at the rate of the last pack in this spool", span(f.Reading)))
		default:
			lines = append(lines, "how long reading and packing the tables takes is not known: no pack in this spool has read tables for long enough")
		}
	}
	if f.Left > 0 {
		lines = append(lines, "files that stay for their age: "+humanize.Comma(f.Left))
	}
	if !f.Known {
		lines = append(lines, "nothing is known to be at the destination: everything is counted; --to URL or --known FILE tells what is there")
	}
	return append(lines, fmt.Sprintf("this is a forecast: files are counted, their size in chunks and the tables are estimated; if no file compressed and every row had changed, it would be %s", size(f.Most())))
}

func (f *Forecast) answer() string {
	what := "cut-over now"
	if f.Ahead {
		what = "this part, packed now,"
	}
	text := fmt.Sprintf("%s would send %s", what, size(f.Sends()))
	if f.Tables != nil && f.Tables.Blind > 0 {
		text += fmt.Sprintf(" and what was changed in rows of %s tables", humanize.Comma(f.Tables.Blind))
	}
	if r := f.Rate; r != nil {
		perSecond := float64(r.Bytes) / r.Time.Seconds()
		return text + fmt.Sprintf(", about %s at the measured rate (%s/s to %s, %s)", span(time.Duration(float64(f.Sends())/perSecond*float64(time.Second))),
			size(int64(perSecond)), r.To, r.At.UTC().Format(time.RFC3339))
	}
	to := "a destination"
	if f.To != "" {
		to = f.To
	}
	return text + fmt.Sprintf("; how long that takes is not known: this spool tells of no push to %s that was long enough to measure", to)
}

func (a AreaForecast) line() string {
	text := fmt.Sprintf("%s: %s files, %s on disk, about %s packed", a.Area, humanize.Comma(a.Files), size(a.Bytes), size(a.Packed))
	if a.Guessed {
		text += " (as they are: nothing is known of how far such files compress)"
	}
	return text + fmt.Sprintf("; %s are at the destination", humanize.Comma(a.There))
}

func (t TableForecast) line() string {
	return fmt.Sprintf("database: %s rows in %s tables, about %s, at most %s", humanize.Comma(t.Rows), humanize.Comma(t.Tables), size(t.Likely), size(t.Most))
}

// notes say what the number rests on.
func (t TableForecast) notes(known bool) []string {
	if !known {
		return []string{fmt.Sprintf("database: %d bytes a row were assumed", assumedRow)}
	}
	var notes []string
	add := func(n int64, format string) {
		if n > 0 {
			notes = append(notes, "database: "+strings.Replace(format, "N", humanize.Comma(n), 1))
		}
	}
	add(t.Whole, "tables that are not known as they are now: N; they are counted whole")
	add(t.Blind, "tables of which one push alone is known: N; rows that were changed there are not in the forecast, rows that came are")
	add(t.Lacking, "parts without row digests in this spool: N; each is sent whole if a row of it changed, unless --spool is that of the last pack")
	return notes
}

func size(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// span is a time for people.
func span(d time.Duration) string {
	switch {
	case d < 1500*time.Millisecond:
		return "a second"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d.Round(time.Second).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Round(time.Minute).Minutes()))
	default:
		return fmt.Sprintf("%.1f hours", d.Hours())
	}
}
