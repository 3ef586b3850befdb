package install

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/openomt/omt/internal/manifest"
)

// The sections that are read; no other is kept, since keys and passwords stand in them.
const (
	sectionDatabase  = "data/database"
	sectionExplicit  = "data/explicit"
	sectionDocuments = "documents"
)

const superOfficeElement = "superoffice"

// settings are the keys of the sections, in lower case.
type settings struct {
	found     bool // there is a SuperOffice element
	sections  map[string]map[string]string
	elsewhere []string // sections that are kept in another file
}

// parseNet reads the sections of SuperOffice.config or web.config. Its errors say where and never what: a value may be a
// password.
func parseNet(raw []byte) (settings, error) {
	text, marked, err := decode(raw)
	if err != nil {
		return settings{}, err
	}
	if !marked && declared.Match(raw[:min(len(raw), maxDeclaration)]) {
		text = raw
	}
	s := settings{sections: map[string]map[string]string{
		sectionDatabase: {}, sectionExplicit: {}, sectionDocuments: {},
	}}
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) { return charset(label, in, marked) }
	return s, s.walk(d)
}

// maxDeclaration is how far into a file an XML declaration reaches.
const maxDeclaration = 200

// declared is an XML declaration that names another encoding than UTF-8, which the XML decoder then asks charset for.
var declared = regexp.MustCompile(`(?i)^\s*<\?xml[^>]*encoding\s*=\s*["'](?:[^u"']|u[^t"']|utf-?16)`)

// charset reads what an XML declaration calls label; marked text has been decoded already.
func charset(label string, in io.Reader, marked bool) (io.Reader, error) {
	if marked {
		return in, nil
	}
	e, err := htmlindex.Get(label)
	if err != nil {
		return nil, fmt.Errorf("encoding %q is not known", label)
	}
	return e.NewDecoder().Reader(in), nil
}

func (s *settings) walk(d *xml.Decoder) error {
	var path []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			line, _ := d.InputPos()
			return fmt.Errorf("the XML is damaged at line %d", line)
		}
		switch t := token.(type) {
		case xml.StartElement:
			s.element(path, t)
			path = append(path, strings.ToLower(t.Name.Local))
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

// element takes what stands in one element below path.
func (s *settings) element(path []string, t xml.StartElement) {
	name := strings.ToLower(t.Name.Local)
	if name == superOfficeElement && len(path) <= 1 {
		s.found = true
	}
	var section string
	for i, p := range path {
		if p == superOfficeElement {
			section = strings.Join(path[i+1:], "/")
			break
		}
	}
	key, value, source := attributes(t)
	if source != "" {
		s.elsewhere = append(s.elsewhere, source)
	}
	keys := s.sections[section]
	if keys == nil {
		return
	}
	switch name {
	case "add":
		keys[strings.ToLower(key)] = value
	case "remove":
		delete(keys, strings.ToLower(key))
	case "clear":
		clear(keys)
	}
}

func attributes(t xml.StartElement) (key, value, source string) {
	for _, a := range t.Attr {
		switch strings.ToLower(a.Name.Local) {
		case "key":
			key = strings.TrimSpace(a.Value)
		case "value":
			value = strings.TrimSpace(a.Value)
		case "configsource":
			source = a.Value
		}
	}
	return key, value, source
}

// readNet makes a Config of SuperOffice.config or web.config.
func readNet(raw []byte, file, folder string) (Config, error) {
	s, err := parseNet(raw)
	if err != nil {
		return Config{}, manifest.Errorf(manifest.Usage, "reading %q: %w", file, err)
	}
	if !s.found {
		return Config{}, manifest.Errorf(manifest.Usage, "reading %q: there is no element SuperOffice", file)
	}
	var c Config
	docs := s.sections[sectionDocuments]
	c.setArchive(archivePaths(docs, folder), docs["templatepath"], file, folder)
	if c.Prefix = s.sections[sectionDatabase]["tableprefix"]; c.Prefix != "" {
		c.said(namePrefix, file)
	}
	for _, e := range s.elsewhere {
		c.note("%q keeps a section in %q, which is not read", file, e)
	}
	c.setServer(s, file)
	return c, nil
}

// setServer sets the database and its credentials as far as they are named.
func (c *Config) setServer(s settings, file string) {
	db, explicit := s.sections[sectionDatabase], s.sections[sectionExplicit]
	switch major := db["databasemajor"]; {
	case engineOf(major) != "":
		c.engine = Source{engineOf(major), file}
		return
	case major != "" && !strings.EqualFold(major, "MSSQL") && !strings.EqualFold(major, "SQLServer"):
		c.engine = Source{fmt.Sprintf("engine %q", major), file}
		return
	}
	login := NewSecret(firstOf(explicit["dbuser"], db["user"]), firstOf(explicit["dbpassword"], db["password"]))
	user, password := login.Reveal()
	text, open := fillIn(db["connectionstring"], map[string]string{
		"server": db["server"], "database": db["database"], "user": user, "password": password,
	})
	p, err := c.readConnection(text, file)
	if err != nil {
		return
	}
	p.server, p.database = firstOf(p.server, db["server"]), firstOf(p.database, db["database"])
	c.open, c.spare = Source{bracketed(open), file}, login
	if p.server == "" || p.database == "" {
		c.halves(p, file)
		return
	}
	u, err := serverURL(p.server, p.database, p.options)
	if err != nil {
		c.note("%q names the server %q: %v", file, p.server, err)
		return
	}
	c.DB = u
	c.said(nameDB, file)
	if p.integrated {
		return
	}
	if len(open) > 0 {
		c.note("%q leaves %s open in its connection string: no key gives a value", file, bracketed(open))
	}
	c.Credentials = NewSecret(firstOf(p.user, user), firstOf(p.password, password))
}

// readConnection reads the connection string of a file. One that is damaged is passed over with a note; one that leads
// where we cannot go is an error, and its note or the engine is set.
func (c *Config) readConnection(text, file string) (place, error) {
	conn, err := parseConnection(text)
	if err != nil {
		c.note("%q: %v; it is not used", file, err)
		return place{}, nil
	}
	p, err := conn.place(false)
	var not *problem
	switch {
	case errors.As(err, &not) && not.engine != "":
		c.engine = Source{not.engine, file}
	case err != nil:
		c.why = fmt.Sprintf("%q: %v", file, err)
	}
	for _, n := range p.notes {
		c.note("%q: %s", file, n)
	}
	if p.dsn != "" && c.dsn.Name == "" {
		c.dsn = Source{p.dsn, file}
	}
	return p, err
}

// halves says that only one of server and database is named, unless an ODBC data source or a placeholder stands for the
// other.
func (c *Config) halves(p place, file string) {
	if (p.server != "" || p.database != "") && c.open.Name == "" && c.dsn.Name == "" {
		c.note("%q names the database by halves: server %q, database %q; it is not used", file, p.server, p.database)
	}
}

// bracketed lists names as the connection string has them.
func bracketed(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = "[@" + n + "]"
	}
	return strings.Join(list, " and ")
}
