package sourceflags

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/manifest"
)

// Flags holds the values of the flags.
type Flags struct {
	Install string
	Config  string
	DB      string
	Prefix  string
	Roots   []string // AREA=DIR
	Maps    []string // FROM=TO
	Folders []string // LOGIN=NAME

	secrets map[string]install.Secret // typed in this run, by login and database
}

// New makes the values of a command's flags, all empty.
func New() *Flags { return &Flags{} }

// Flags makes the flags of a command. omt-scan detect has no use for --folder and takes the others.
func (f *Flags) Flags() []*cli.Flag {
	return append(f.Files(),
		cli.Strings("folder", "look for a renamed user's documents in a second folder too: `LOGIN=NAME`", &f.Folders))
}

// Again makes the flags of a command that looks at the folders alone, and opens no database.
func (f *Flags) Again() []*cli.Flag {
	all := f.Flags()
	return slices.DeleteFunc(all, func(x *cli.Flag) bool { return slices.Contains([]string{"db", "prefix"}, x.Names()[0]) })
}

// Files are the flags that a configuration file can stand for.
func (f *Flags) Files() []*cli.Flag {
	return []*cli.Flag{
		cli.String("install", "look for the installation's configuration in `DIR`: omt.json there, or SuperOffice.ini, SuperOffice.config, web.config and Service's config up to three levels below", &f.Install),
		cli.String("config", "read the configuration from `FILE`: omt.json or one of the above", &f.Config),
		cli.String("db", "read the database at `URL`: sqlserver://LOGIN@HOST[:PORT][/INSTANCE]?database=NAME with the password in OMT_DB_PASSWORD, a connection string such as a config file holds, ODBC:NAME on Windows, or sqlite:PATH", &f.DB),
		cli.String("prefix", "use the tables under the prefix `NAME`, a schema on SQL Server", &f.Prefix),
		cli.Strings("root", "folder of an area: `AREA=DIR`, of template, document, service (base, template, text) or attachment; AREA= for none", &f.Roots),
		cli.Strings("map", "a path of the database or of a configuration file that begins with FROM begins with TO here: `FROM=TO`", &f.Maps),
	}
}

// Load reads the configuration files that the flags name and returns what they and the flags say. No database is opened.
// Errors have status Usage.
func (f *Flags) Load() (install.Config, error) {
	c, err := f.own()
	if err != nil {
		return install.Config{}, err
	}
	files, err := install.Load(f.Install, f.Config)
	if err != nil {
		return install.Config{}, err
	}
	if f.DB != "" && install.SameDatabase(files.DB, c.DB) && c.Credentials.IsZero() {
		c.Credentials = files.Credentials
	}
	c.Fill(files)
	return c, nil
}

// own is what the flags alone say.
func (f *Flags) own() (install.Config, error) {
	var c install.Config
	here, err := filepath.Abs(".")
	if err != nil {
		return c, fmt.Errorf("looking for the working directory: %w", err)
	}
	if f.DB != "" {
		if c.DB, c.Credentials, err = install.SplitURL(f.DB, here); err != nil {
			return c, manifest.Errorf(manifest.Usage, "--db: %w", err).WithHint("%s", manifest.HintOf(err))
		}
		c.Say("db", "--db")
	}
	if c.Prefix = f.Prefix; c.Prefix != "" {
		c.Say("prefix", "--prefix")
	}
	for _, m := range f.Maps {
		full, err := install.Mapping(m, here)
		if err != nil {
			return c, manifest.Errorf(manifest.Usage, "--map: %w", err)
		}
		c.Map = append(c.Map, full)
		c.Say("map", "--map")
	}
	for _, l := range f.Folders {
		if login, name, ok := strings.Cut(l, "="); !ok || login == "" || name == "" {
			return c, manifest.Errorf(manifest.Usage, "--folder %q: want LOGIN=NAME", l)
		}
	}
	return c, f.giveRoots(&c)
}

func (f *Flags) giveRoots(c *install.Config) error {
	dirs := map[manifest.Area][]string{}
	for _, r := range f.Roots {
		name, dir, ok := strings.Cut(r, "=")
		area := manifest.Area(strings.ToLower(strings.TrimSpace(name)))
		if !ok || area.Rank() <= manifest.Database.Rank() {
			return manifest.Errorf(manifest.Usage, "--root %q: want AREA=DIR", r).
				WithHint("the areas with folders are %s", areaNames())
		}
		if dir = strings.TrimSpace(dir); dir == "" {
			dirs[area] = []string{}
			continue
		}
		full, err := filepath.Abs(dir)
		if err != nil {
			return manifest.Errorf(manifest.Usage, "--root %q: %w", r, err)
		}
		dirs[area] = append(dirs[area], full)
	}
	for _, a := range manifest.Areas {
		if list, ok := dirs[a]; ok {
			c.Give(a, list, "--root")
		}
	}
	return nil
}

func areaNames() string {
	var list []string
	for _, a := range manifest.Areas[1:] {
		list = append(list, string(a))
	}
	return strings.Join(list, ", ")
}

// Areas reads the value of --only. It is an error of status Usage where one is not known.
func Areas(list []string) ([]manifest.Area, error) {
	var areas []manifest.Area
	for _, s := range list {
		a := manifest.Area(strings.ToLower(s))
		if a.Rank() < 0 {
			return nil, manifest.Errorf(manifest.Usage, "--only %q: no such area", s).
				WithHint("the areas are %s, %s", manifest.Database, areaNames())
		}
		if !slices.Contains(areas, a) {
			areas = append(areas, a)
		}
	}
	return areas, nil
}
