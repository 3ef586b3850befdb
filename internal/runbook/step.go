package runbook

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Step is one thing to be done.
type Step struct {
	Number   int
	Title    string
	Who      string
	When     string
	Takes    string
	Done     string // why it is behind; empty: it is still to be done, or nothing tells
	Notes    []Note
	Commands []Command
	After    []Note  // what to know after the commands
	Back     Note    // the way back
	Undo     Command // of it; nil: none
}

// Mark says what a note rests on, where that is not the manifest, the tools or a document of the vendor's.
type Mark string

// The marks.
const (
	Guess        Mark = "guess"
	Undocumented Mark = "not documented"
	Suggested    Mark = "suggested"
)

// Note is a sentence or two.
type Note struct {
	Mark Mark
	Text string
}

func say(format string, args ...any) Note { return Note{Text: fmt.Sprintf(format, args...)} }

func marked(m Mark, format string, args ...any) Note { return Note{m, fmt.Sprintf(format, args...)} }

// length is how long something takes: what was measured, and what is not known.
type length struct {
	known   time.Duration
	unknown []string
}

func (l length) plus(o length) length {
	return length{l.known + o.known, append(append([]string(nil), l.unknown...), o.unknown...)}
}

// offset says when something begins that so much comes before: behind T, and as a clock time where there is a start.
func (l length) offset(start time.Time) string {
	text := "T"
	if l.known > 0 || len(l.unknown) == 0 {
		text += " + " + hours(l.known)
	}
	clock := ""
	if !start.IsZero() {
		clock = clockOf(start.Add(l.known))
	}
	for _, u := range l.unknown {
		text += " + " + u
	}
	if clock == "" {
		return text
	}
	if len(l.unknown) > 0 {
		clock += " and what " + enumerate(l.unknown) + " " + takeTakes(l.unknown)
	}
	return text + " (" + clock + ")"
}

func takeTakes(list []string) string {
	if len(list) > 1 || strings.HasSuffix(list[0], "s") {
		return "take"
	}
	return "takes"
}

// clockOf is a time for people, to the minute.
func clockOf(t time.Time) string { return t.Format("Mon 2006-01-02 15:04") }

// hours is a length of time as h:mm.
func hours(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d/time.Hour), int(d%time.Hour/time.Minute))
}

// daysBefore says when something is to be done that many days before.
func daysBefore(days int, start time.Time) string {
	text := "T − " + strconv.Itoa(days) + " d"
	if days == 1 {
		text = "T − 1 d"
	}
	if start.IsZero() {
		return text + ", suggested"
	}
	return text + " (" + start.AddDate(0, 0, -days).Format("Mon 2006-01-02") + "), suggested"
}

// lasts is a length of time for people.
func lasts(d time.Duration) string {
	switch {
	case d < time.Minute:
		return plural(int64(d/time.Second), "second", "seconds")
	case d < time.Hour:
		return plural(int64(d/time.Minute), "minute", "minutes")
	}
	return strconv.Itoa(int(d/time.Hour)) + " h " + strconv.Itoa(int(d%time.Hour/time.Minute)) + " min"
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(n) + " " + many
}

func size(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// enumerate joins words: "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
