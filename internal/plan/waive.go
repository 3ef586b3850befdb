package plan

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
)

// ReadWaivers reads a table of waivers: rule, subject, reason, by, until. Rule and reason must be there, until is a date
// (2026-12-31 or, as spreadsheets of many countries rewrite it, 31.12.2026 or 31-12-2026). The error is a
// *sheet.Problems.
func ReadWaivers(r io.Reader, file, encoding string) ([]Waiver, error) {
	t, err := sheet.Read(r, sheet.Options{File: file, Encoding: encoding,
		Columns: []string{"rule", "subject", "reason", "by", "until"}, Required: []string{"rule", "reason"}})
	if err != nil {
		return nil, err
	}
	var problems sheet.Problems
	var list []Waiver
	for _, row := range t.Rows {
		until, err := date(row.Cell("until"))
		if err != nil {
			problems.Add(row.At.In("until"), "%w", err)
		}
		w := Waiver{At: row.At, Waiver: manifest.Waiver{Rule: row.Cell("rule"), Subject: row.Cell("subject"),
			Reason: row.Cell("reason"), By: row.Cell("by"), Until: until}}
		if w.Rule == "" {
			problems.Add(row.At.In("rule"), "it is empty")
		}
		if w.Reason == "" {
			problems.Add(row.At.In("reason"), "a waiver needs a reason")
		}
		list = append(list, w)
	}
	return list, problems.Err()
}

// date reads a date and returns it as manifests hold it.
func date(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	for _, form := range [...]string{"2006-01-02", "2.1.2006", "2-1-2006"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.Format("2006-01-02"), nil
		}
	}
	return "", fmt.Errorf("%q: want a date such as 2026-12-31", text)
}

// checkWaivers judges the waivers of this run.
func (a *assignment) checkWaivers() {
	type what struct{ rule, subject string }
	said := map[what]string{}
	for _, w := range a.choices.Waivers {
		if why := a.choices.final(w.Rule); why != "" {
			a.problems.Add(w.At, "%s cannot be waived: %s", w.Rule, why)
		}
		if strings.TrimSpace(w.Reason) == "" {
			a.problems.Add(w.At, "a waiver needs a reason")
		}
		if w.Expired(a.choices.Now) {
			a.problems.Add(w.At, "the waiver ended on %s already", w.Until)
		}
		key := what{w.Rule, w.Subject}
		if reason, twice := said[key]; twice && reason != w.Reason {
			a.problems.Add(w.At, "the same is waived with another reason, %q", reason)
		}
		said[key] = w.Reason
	}
}

// final says why no finding of a rule can be waived, or nothing.
func (c Choices) final(rule string) string {
	if c.Final == nil {
		return ""
	}
	return c.Final(rule)
}

// waive puts new waivers among those of the input and counts what they cover. Waivers of rules that cannot be waived, which
// only an edit or a rule's earlier version can have let through, are left out. notes tell what has no effect.
func waive(findings []manifest.Finding, old []manifest.Waiver, c Choices, m manifest.Migrator) (list []manifest.Waiver, notes []string) {
	for _, w := range old {
		if why := c.final(w.Rule); why != "" {
			notes = append(notes, fmt.Sprintf("the waiver of %s is left out: %s", w, why))
			continue
		}
		list = append(list, w)
	}
	for _, n := range c.Waivers {
		w := n.Waiver
		w.By, w.At, w.Covers = cmp.Or(w.By, m.Login, c.By), manifest.At(c.Now), n.About(findings)
		i := slices.IndexFunc(list, func(o manifest.Waiver) bool { return o.Rule == w.Rule && o.Subject == w.Subject })
		if i < 0 {
			list = append(list, w)
		} else {
			list[i] = w
		}
	}
	return list, append(notes, manifest.WaiverNotes(findings, list, c.Now)...)
}
