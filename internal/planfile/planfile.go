// Package planfile reads the plans that the tenant has: names, seats, and the name that a plan has on site.
//
// Which form a file has is told by its content, not by its name:
//
//   - it begins with "<": the vendor's licence XML;
//   - it begins with "[": JSON, an array of objects with the keys name, title, onsite, seats, unlimited;
//   - anything else: CSV with those columns, in any order (package sheet says what is read).
//
// A plan must have a name, and seats or unlimited. No two plans have the same name, nor the same on-site name, since
// nobody could say then which of them takes the place of the one on site (letter case does not count). "-" and "?" are
// no names of plans: they mean no plan and undecided.
//
// # The licence XML
//
// The elements and their meaning come from the vendor's description of the licence file: ModuleLicense items with
// LicenseType, ModuleName, ModuleDescription, NumberOfLicenses, Unrestricted, IsHidden, ExtraFlags. How they are laid
// out is not documented, so the reader takes an element ModuleLicense at any depth and in any namespace, and its values
// from attributes or from elements below it, without regard to case. A user plan is an item of LicenseType 4 (user; the
// names User and UserLicense are taken too, which is a guess) with ExtraFlags 1 that is not hidden, as in the database
// table of the same name. Its on-site name stays empty: it is the tenant's licence, and plans of equal name are found
// by their name.
//
// Everything that is wrong is reported at once, with row and column, item or line.
package planfile

import (
	"cmp"
	"io"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
)

// sourceTenant is the source of plans that come from a file.
const sourceTenant = "tenant"

// maxSeats keeps a mistyped number from passing for a licence; nothing documents a limit.
const maxSeats = 10_000_000

// Read reads the plans of a file. File is what problems call it, encoding an encoding's name or empty (sheet.Decode).
// The error is a *sheet.Problems.
func Read(r io.Reader, file, encoding string) ([]manifest.Plan, error) {
	c := &collector{file: file}
	text, used, err := sheet.Decode(r, encoding)
	if err != nil {
		c.problems.Add(sheet.Place{File: file}, "%w", err)
		return nil, c.problems.Err()
	}
	switch start := strings.TrimSpace(text); {
	case strings.HasPrefix(start, "<"):
		c.readXML(text)
	case strings.HasPrefix(start, "["), strings.HasPrefix(start, "{"):
		c.readJSON(text)
	default:
		c.readCSV(text, used)
	}
	c.compare()
	if c.problems.Len() == 0 && len(c.plans) == 0 {
		c.problems.Add(sheet.Place{File: file}, "it names no plan")
	}
	if err := c.problems.Err(); err != nil {
		return nil, err
	}
	return c.plans, nil
}

// collector gathers plans and problems.
type collector struct {
	file     string
	plans    []manifest.Plan
	places   []sheet.Place // of each plan
	problems sheet.Problems
}

// fields are the texts of one plan. Columns says what the file calls them.
type fields struct {
	name, title, onsite, seats, unlimited string
	columns                               columns
}

// columns are what a form calls the fields that can be wrong.
type columns struct{ name, onsite, seats, unlimited string }

// plain are the names in CSV and JSON.
var plain = columns{"name", "onsite", "seats", "unlimited"}

// add checks one plan's texts and takes it.
func (c *collector) add(at sheet.Place, f fields) {
	before := c.problems.Len()
	p := manifest.Plan{Name: strings.TrimSpace(f.name), Title: strings.TrimSpace(f.title),
		Onsite: strings.TrimSpace(f.onsite), Source: sourceTenant}
	switch p.Name {
	case "":
		c.problems.Add(at.In(f.columns.name), "the plan has no name")
	case "-", "?":
		c.problems.Add(at.In(f.columns.name), "%q cannot be a plan's name: it means %s", p.Name,
			map[string]string{"-": "no plan", "?": "undecided"}[p.Name])
	}
	if f.unlimited != "" {
		var ok bool
		if p.Unlimited, ok = sheet.Bool(f.unlimited); !ok {
			c.problems.Add(at.In(f.columns.unlimited), "%q: want true or false", f.unlimited)
			p.Unlimited = true // so that missing seats are not reported as well
		}
	}
	seats, err := strconv.Atoi(cmp.Or(f.seats, "0"))
	switch {
	case f.seats == "" && !p.Unlimited:
		c.problems.Add(at.In(f.columns.seats), "it is empty; give a number, or true as %s", f.columns.unlimited)
	case err != nil, seats < 0, seats > maxSeats:
		c.problems.Add(at.In(f.columns.seats), "%q: want a whole number from 0 to %d", f.seats, maxSeats)
	}
	p.Seats = seats
	if c.problems.Len() == before {
		c.plans = append(c.plans, p)
		c.places = append(c.places, at)
	}
}

// compare finds plans that cannot be told apart.
func (c *collector) compare() {
	names, onsites := map[string]int{}, map[string]int{}
	for i, p := range c.plans {
		key := strings.ToLower(p.Name)
		if j, ok := names[key]; ok {
			c.problems.Add(c.places[i], "plan %q stands already in %s %d", p.Name, c.places[j].Unit, c.places[j].N)
			continue
		}
		names[key] = i
		if p.Onsite == "" {
			continue
		}
		key = strings.ToLower(p.Onsite)
		if j, ok := onsites[key]; ok {
			c.problems.Add(c.places[i], "plan %q has the on-site name %q of plan %q (%s %d); leave one of them empty",
				p.Name, p.Onsite, c.plans[j].Name, c.places[j].Unit, c.places[j].N)
		}
		onsites[key] = i
	}
}

// readCSV reads a table.
func (c *collector) readCSV(text, used string) {
	t, err := sheet.Parse(text, used, sheet.Options{File: c.file,
		Columns: []string{"name", "title", "onsite", "seats", "unlimited"}, Required: []string{"name"}})
	if err != nil {
		c.problems.AddError(err)
		return
	}
	for _, r := range t.Rows {
		c.add(r.At, fields{r.Cell("name"), r.Cell("title"), r.Cell("onsite"), r.Cell("seats"), r.Cell("unlimited"), plain})
	}
}
