package bandwidth

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Want says what Parse reads, for messages.
const Want = `a rate such as 20Mbit or 2.5MB/s, or a timetable such as "08:00-17:00=20Mbit,100Mbit"`

// Timetable is how many bytes in a second may be sent, by the time of the day. The zero value limits nothing.
type Timetable struct {
	spans     []span
	otherwise int64
}

// span is a part of the day, in minutes; one that ends before it begins leads over midnight.
type span struct {
	from, to int
	rate     int64
	entry    int
}

const day = 24 * 60

func (s span) holds(minute int) bool {
	if s.from < s.to {
		return s.from <= minute && minute < s.to
	}
	return minute >= s.from || minute < s.to
}

// At is how many bytes in a second may be sent at that time, by the wall clock of its location; 0 is no limit.
func (t Timetable) At(at time.Time) int64 {
	minute := at.Hour()*60 + at.Minute()
	for _, s := range t.spans {
		if s.holds(minute) {
			return s.rate
		}
	}
	return t.otherwise
}

// Limits reports whether anything is limited at any time.
func (t Timetable) Limits() bool {
	for _, s := range t.spans {
		if s.rate > 0 {
			return true
		}
	}
	return t.otherwise > 0
}

// Parse reads a rate or a timetable. An error names the entry and the character, counted from 1, where it begins.
func Parse(text string) (Timetable, error) {
	var t Timetable
	entries := strings.Split(text, ",")
	at := 1
	for i, entry := range entries {
		begin := at + utf8.RuneCountInString(entry) - utf8.RuneCountInString(strings.TrimLeft(entry, " "))
		off, err := t.add(strings.TrimSpace(entry), i+1, i == len(entries)-1)
		if err != nil {
			return Timetable{}, fmt.Errorf("entry %d, at character %d: %w", i+1, begin+off, err)
		}
		at += utf8.RuneCountInString(entry) + 1
	}
	return t, nil
}

// add reads an entry. off is where in it an error lies.
func (t *Timetable) add(entry string, number int, last bool) (off int, err error) {
	hours, text, ranged := strings.Cut(entry, "=")
	if !ranged {
		hours, text = "", entry
	} else {
		off = utf8.RuneCountInString(hours) + 1
	}
	var s span
	if ranged {
		if s.from, s.to, err = parseSpan(strings.TrimSpace(hours)); err != nil {
			return 0, err
		}
	}
	s.entry = number
	if s.rate, err = parseRate(strings.TrimSpace(text)); err != nil {
		return off, err
	}
	if !ranged {
		if !last {
			return 0, fmt.Errorf("%q is for all other times, and stands last: put HH:MM-HH:MM= before it, or move it", entry)
		}
		t.otherwise = s.rate
		return 0, nil
	}
	for _, o := range t.spans {
		if o.holds(s.from) || s.holds(o.from) {
			return 0, fmt.Errorf("the range %q overlaps that of entry %d", hours, o.entry)
		}
	}
	t.spans = append(t.spans, s)
	return 0, nil
}

func parseSpan(text string) (from, to int, err error) {
	first, second, ok := strings.Cut(text, "-")
	if from, ok = parseClock(first, ok); ok {
		to, ok = parseClock(second, ok)
	}
	switch {
	case !ok || from == day:
		return 0, 0, fmt.Errorf("%q is no range of the day: want HH:MM-HH:MM", text)
	case from == to:
		return 0, 0, fmt.Errorf("the range %q ends when it begins: leave it out for the whole day", text)
	}
	return from, to, nil
}

// parseClock reads 8:00, 08:00 or 24:00 as minutes.
func parseClock(text string, ok bool) (int, bool) {
	h, m, found := strings.Cut(strings.TrimSpace(text), ":")
	hour, herr := strconv.ParseUint(h, 10, 8)
	minute, merr := strconv.ParseUint(m, 10, 8)
	if !ok || !found || herr != nil || merr != nil || len(h) > 2 || len(m) != 2 || minute > 59 || hour*60+minute > day {
		return 0, false
	}
	return int(hour*60 + minute), true
}

// units are bytes in one. Bits may be written in any case, bytes not: the case of b is all that tells them apart.
var units = map[string]float64{
	"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	"bit": 1. / 8, "kbit": 1e3 / 8, "mbit": 1e6 / 8, "gbit": 1e9 / 8,
}

const (
	unlimited = "unlimited"
	least     = 1000 // bytes in a second
	most      = 1e12
)

var errUnit = errors.New("want a number with its unit, bits as in 20Mbit or bytes as in 2.5MB/s, or " + unlimited)

func parseRate(text string) (int64, error) {
	if text == unlimited {
		return 0, nil
	}
	end := strings.LastIndexAny(text, "0123456789.") + 1
	number, unit := text[:end], strings.TrimSpace(text[end:])
	name := strings.TrimSuffix(unit, "/s")
	size, known := units[name]
	if low := strings.ToLower(name); !known && strings.HasSuffix(low, "bit") {
		size, known = units[low]
	}
	f, err := strconv.ParseFloat(number, 64)
	switch {
	case strings.Trim(number, "0123456789.") != "" || err != nil:
		return 0, fmt.Errorf("%q is no rate: %w", text, errUnit)
	case unit == "":
		return 0, fmt.Errorf("%q has no unit: %w", text, errUnit)
	case !known:
		return 0, fmt.Errorf("%q is no unit: %w", unit, errUnit)
	}
	f *= size
	if f < least || f > most {
		return 0, fmt.Errorf("%q is not from 8kbit to 8000Gbit; for no limit write %s", text, unlimited)
	}
	return int64(f), nil
}
