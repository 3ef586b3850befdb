package install

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

// Kind is the kind of a configuration file.
type Kind string

// The kinds, by the name that their files usually have.
const (
	JSON    Kind = "omt.json"
	Net     Kind = "SuperOffice.config or web.config"
	INI     Kind = "SuperOffice.ini"
	Service Kind = "config of Customer Service"
)

// Config is what files, or flags, say about an installation. Empty means that nothing was said.
type Config struct {
	DB     string // URL without user info
	Prefix string
	// Roots are folders as the file calls them, made absolute from the file's folder: Map is not applied yet. An area
	// with an empty list is said not to exist.
	Roots       map[manifest.Area][]string
	Map         []string // FROM=TO, TO absolute
	Login       string
	NetServer   string
	AdminRights []string
	AdminRoles  []string
	Migrator    Migrator
	Credentials Secret // for DB alone

	Sources []Source // which file said what, in the order of the fields
	Notes   []string // what was seen and cannot be used, for people

	engine Source                 // Name is an engine that cannot be read
	dsn    Source                 // Name is an ODBC data source
	open   Source                 // Name lists placeholders of a connection string that no key fills
	spare  Secret                 // a login that stands without a database, for dsn
	why    string                 // why the database that is named cannot be used
	local  map[manifest.Area]bool // Roots that this machine names so already
}

// Migrator is the person who migrates.
type Migrator struct{ Name, Email, Phone, Language string }

// Source says that a value came from a file.
type Source struct{ Name, File string }

// sources are the names under which the values of a Config have their Source.
const (
	nameDB     = "db"
	namePrefix = "prefix"
	nameMap    = "map"
)

func rootName(a manifest.Area) string { return "roots." + string(a) }

// From returns the file that said name ("db", "prefix", "roots.document", …), or "".
func (c Config) From(name string) string {
	for _, s := range c.Sources {
		if s.Name == name {
			return s.File
		}
	}
	return ""
}

func (c *Config) said(name, file string) {
	if c.From(name) == "" {
		c.Sources = append(c.Sources, Source{name, file})
	}
}

func (c *Config) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

func (c *Config) setRoot(a manifest.Area, dirs []string, file string) {
	if c.Roots == nil {
		c.Roots = map[manifest.Area][]string{}
	}
	c.Roots[a] = dirs
	c.said(rootName(a), file)
}

// Give sets the folders of an area as this machine names them: Map is not for them. No folder says that there is no such
// area. from is what said so: "--root".
func (c *Config) Give(a manifest.Area, dirs []string, from string) {
	c.setRoot(a, dirs, from)
	if c.local == nil {
		c.local = map[manifest.Area]bool{}
	}
	c.local[a] = true
}

// Say sets the origin of a value that is no folder: "db", "--db".
func (c *Config) Say(name, from string) { c.said(name, from) }

// Fill takes from b what c does not say; mappings are joined, those of c first. Credentials come with the database that
// they are for. Where two files name different databases or folders, a note says so.
func (c *Config) Fill(b Config) {
	c.Notes = append(c.Notes, b.Notes...)
	if c.DB == "" {
		c.DB, c.Credentials = b.DB, b.Credentials
		c.take(nameDB, b, b.DB != "")
	} else if b.DB != "" && !SameDatabase(b.DB, c.DB) && c.isFile(nameDB) {
		c.note("%q names another database, %s; it is not used", b.From(nameDB), b.DB)
	}
	c.fillText(&c.Prefix, namePrefix, b, b.Prefix)
	c.fillText(&c.Login, "login", b, b.Login)
	c.fillText(&c.NetServer, "netserver", b, b.NetServer)
	c.fillText(&c.Migrator.Name, "migrator.name", b, b.Migrator.Name)
	c.fillText(&c.Migrator.Email, "migrator.email", b, b.Migrator.Email)
	c.fillText(&c.Migrator.Phone, "migrator.phone", b, b.Migrator.Phone)
	c.fillText(&c.Migrator.Language, "migrator.language", b, b.Migrator.Language)
	for _, m := range b.Map {
		if !slices.Contains(c.Map, m) {
			c.Map = append(c.Map, m)
			c.take(nameMap, b, true)
		}
	}
	c.fillList(&c.AdminRights, "adminRights", b, b.AdminRights)
	c.fillList(&c.AdminRoles, "adminRoles", b, b.AdminRoles)
	for _, a := range manifest.Areas {
		c.fillRoot(a, b)
	}
	if c.engine.Name == "" {
		c.engine = b.engine
	}
	if c.dsn.Name == "" {
		c.dsn = b.dsn
	}
	if c.open.Name == "" {
		c.open = b.open
	}
	if c.spare.IsZero() {
		c.spare = b.spare
	}
	c.why = cmp.Or(c.why, b.why)
}

func (c *Config) fillText(dst *string, name string, b Config, value string) {
	if *dst == "" {
		*dst = value
		c.take(name, b, value != "")
	}
}

func (c *Config) fillList(dst *[]string, name string, b Config, value []string) {
	if len(*dst) == 0 {
		*dst = value
		c.take(name, b, len(value) > 0)
	}
}

func (c *Config) fillRoot(a manifest.Area, b Config) {
	dirs, ok := b.Roots[a]
	if !ok {
		return
	}
	mine, have := c.Roots[a]
	if !have && b.local[a] {
		c.Give(a, dirs, b.From(rootName(a)))
		return
	}
	if !have {
		c.setRoot(a, dirs, b.From(rootName(a)))
		return
	}
	if len(mine) > 0 && len(dirs) > 0 && !slices.EqualFunc(mine, dirs, samePath) && c.isFile(rootName(a)) {
		c.note("%q names other folders for %s, %s; they are not used", b.From(rootName(a)), a, quoteAll(dirs))
	}
}

func (c *Config) take(name string, b Config, said bool) {
	if said {
		c.said(name, b.From(name))
	}
}

// isFile reports whether a file said name, and not a flag.
func (c *Config) isFile(name string) bool { return !strings.HasPrefix(c.From(name), "--") }

// samePath compares as Windows does, separators at the end aside.
func samePath(a, b string) bool {
	return archive.Fold(trimPath(a)) == archive.Fold(trimPath(b))
}

func trimPath(p string) string {
	return strings.TrimRight(strings.ReplaceAll(p, `\`, "/"), "/")
}

func quoteAll(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
}

// NoDatabase is the error for a Config that names no database that can be read; it says why and which flag to give.
func (c Config) NoDatabase() error {
	const hint = "give --db sqlserver://HOST?database=NAME, and --prefix NAME"
	switch {
	case c.engine.Name != "":
		return unreadableEngine(c.engine)
	case c.why != "":
		return manifest.Errorf(manifest.Usage, "%s", c.why).WithHint(hint)
	case c.dsn.Name != "":
		return manifest.Errorf(manifest.Usage, "%q names the database by the ODBC data source %q, whose server stands in the registry of Windows alone",
			c.dsn.File, c.dsn.Name).WithHint(hint)
	case c.open.Name != "":
		return manifest.Errorf(manifest.Usage, "%q leaves %s open in its connection string: no key gives a value", c.open.File, c.open.Name).WithHint(hint)
	case len(c.Sources) > 0:
		return manifest.Errorf(manifest.Usage, "%q names no database", c.Sources[0].File).WithHint(hint)
	}
	return manifest.Errorf(manifest.Usage, "no database is named").
		WithHint("give --install DIR, --config FILE, or --db URL with --root document=DIR")
}

func unreadableEngine(s Source) error {
	return manifest.Errorf(manifest.Usage, "%q names a database of %s, which cannot be read", s.File, s.Name).
		WithHint("SQL Server and SQLite can; a copy of the database in SQL Server is given with --db")
}
