package planfile

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/openomt/omt/internal/sheet"
)

// licence are the names of the fields in the licence XML.
var licence = columns{"ModuleName", "", "NumberOfLicenses", "Unrestricted"}

// readXML reads the vendor's licence file.
func (c *collector) readXML(text string) {
	d := xml.NewDecoder(strings.NewReader(text))
	// The text is UTF-8 by now, whatever its declaration says.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	items, plans := 0, 0
	for {
		line, _ := d.InputPos()
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			c.syntax(err, line)
			return
		}
		start, ok := t.(xml.StartElement)
		if !ok || !strings.EqualFold(start.Name.Local, "ModuleLicense") {
			continue
		}
		line, _ = d.InputPos()
		item, err := readItem(d, start)
		if err != nil {
			c.syntax(err, line)
			return
		}
		items++
		if c.item(sheet.Place{File: c.file, Unit: "line", N: line}, item) {
			plans++
		}
	}
	switch whole := (sheet.Place{File: c.file}); {
	case items == 0:
		c.problems.Add(whole, "no ModuleLicense in it: it is no licence file")
	case plans == 0:
		c.problems.Add(whole, "none of its %d ModuleLicense items is a user plan "+
			"(LicenseType 4, ExtraFlags 1, not IsHidden)", items)
	}
}

// syntax reports what the XML decoder cannot read.
func (c *collector) syntax(err error, line int) {
	var s *xml.SyntaxError
	if errors.As(err, &s) {
		line, err = s.Line, errors.New(s.Msg)
	}
	c.problems.Add(sheet.Place{File: c.file, Unit: "line", N: line}, "%w", err)
}

// readItem reads an element to its end: attributes and elements without elements below them, by lower-cased name. The
// first value of a name counts.
func readItem(d *xml.Decoder, start xml.StartElement) (map[string]string, error) {
	item := map[string]string{}
	set := func(name, value string) {
		name = strings.ToLower(name)
		if _, ok := item[name]; !ok {
			item[name] = strings.TrimSpace(value)
		}
	}
	for _, a := range start.Attr {
		set(a.Name.Local, a.Value)
	}
	var text strings.Builder
	leaf := false
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			leaf = true
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			depth--
			if leaf {
				set(t.Name.Local, text.String())
			}
			leaf = false
		}
	}
	return item, nil
}

// item takes one ModuleLicense when it is a user plan.
func (c *collector) item(at sheet.Place, item map[string]string) bool {
	if !isUser(item["licensetype"]) || item["extraflags"] != "1" {
		return false
	}
	hidden, ok := sheet.Bool(item["ishidden"])
	if !ok && item["ishidden"] != "" {
		c.problems.Add(at.In("IsHidden"), "%q: want true or false", item["ishidden"])
	}
	if hidden {
		return false
	}
	c.add(at, fields{name: item["modulename"], title: item["moduledescription"], seats: item["numberoflicenses"],
		unlimited: item["unrestricted"], columns: licence})
	return true
}

// isUser reports whether a LicenseType is the one of user licences: 4 in the vendor's enumeration. That a file may have
// the name instead of the number is a guess.
func isUser(t string) bool {
	return t == "4" || strings.EqualFold(t, "User") || strings.EqualFold(t, "UserLicense")
}
