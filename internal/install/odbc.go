package install

import (
	"errors"
	"fmt"
	"strings"
)

// registry reads text values of Windows' registry. Keys are full paths that begin with HKLM or HKCU.
type registry interface {
	// values returns the text values of a key by their names; ok is false where there is no such key.
	values(key string) (values map[string]string, ok bool, err error)
}

// odbcKeys are where data sources stand: SuperOffice's Windows client is a 32-bit program, whose system data sources come
// first; then those of 64-bit programs and those of the user.
var odbcKeys = [...]string{
	`HKLM\SOFTWARE\WOW6432Node\ODBC\ODBC.INI`,
	`HKLM\SOFTWARE\ODBC\ODBC.INI`,
	`HKCU\SOFTWARE\ODBC\ODBC.INI`,
}

// aliasKeys are where the SQL Server client keeps other names of servers, which a data source may be made with.
var aliasKeys = [...]string{
	`HKLM\SOFTWARE\WOW6432Node\Microsoft\MSSQLServer\Client\ConnectTo`,
	`HKLM\SOFTWARE\Microsoft\MSSQLServer\Client\ConnectTo`,
}

var errNoRegistry = errors.New("its server stands in the registry of Windows alone")

// lookUp completes a place that names a data source. What the connection string says itself counts.
func (p *place) lookUp(reg registry) error {
	d, err := dataSource(reg, p.dsn)
	if err != nil {
		return err
	}
	if p.server == "" {
		p.server = d.server
	}
	if p.database == "" {
		p.database = d.database
	}
	p.integrated = p.integrated || d.integrated && p.user == ""
	for k, v := range d.options {
		if !p.options.Has(k) {
			p.options[k] = v
		}
	}
	p.notes = append(p.notes, d.notes...)
	return nil
}

// dataSource reads an ODBC data source. Its errors name the data source and, of another engine, that engine.
func dataSource(reg registry, name string) (place, error) {
	if reg == nil {
		return place{}, problemf("the ODBC data source %q is named: %v", name, errNoRegistry)
	}
	for _, root := range odbcKeys {
		values, ok, err := reg.values(root + `\` + name)
		if err != nil {
			return place{}, problemf("reading the ODBC data source %q from the registry: %v", name, err)
		}
		if !ok {
			continue
		}
		drivers, _, err := reg.values(root + `\ODBC Data Sources`)
		if err != nil {
			return place{}, problemf("reading the list of ODBC data sources from the registry: %v", err)
		}
		d, err := sourcePlace(values, value(drivers, name))
		if err != nil {
			var p *problem
			if errors.As(err, &p) && p.engine != "" {
				return place{}, p
			}
			return place{}, problemf("the ODBC data source %q: %v", name, err)
		}
		d.server, err = alias(reg, d.server)
		return d, err
	}
	return place{}, problemf("the ODBC data source %q is not in the registry: neither among the system's (32-bit, then 64-bit) nor the user's", name)
}

// value looks a registry value up without regard to letter case.
func value(values map[string]string, name string) string {
	for k, v := range values {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// sourcePlace makes a place of a data source's values and the name of its driver. A value there is as a key of a
// connection string; Driver is the path of a file.
func sourcePlace(values map[string]string, driver string) (place, error) {
	var c connection
	for name, v := range values {
		switch key := strings.ToLower(squeeze.Replace(name)); {
		case key == "driver":
			if driver == "" {
				driver = v
			} else if e := engineOf(v); e != "" {
				driver = v
			}
		case connectionKeys[key] != unknown:
			c = append(c, pair{key: key, name: name, value: v})
		}
	}
	if driver == "" {
		return place{}, problemf("it names no driver")
	}
	c = append(c, pair{key: "driver", name: "Driver", value: driver})
	p, err := c.place(false)
	if err == nil && (p.server == "" || p.database == "") {
		err = problemf("it names server %q and database %q, and both are needed", p.server, p.database)
	}
	return p, err
}

// alias returns the server that a name of the SQL Server client stands for, or the name. An entry is a network and what
// leads there: "DBMSSOCN,sql1,1444".
func alias(reg registry, server string) (string, error) {
	for _, key := range aliasKeys {
		values, ok, err := reg.values(key)
		if err != nil {
			return "", problemf("reading the client's names of servers from the registry: %v", err)
		}
		if !ok {
			continue
		}
		network, rest, found := strings.Cut(value(values, server), ",")
		switch {
		case !found:
			continue
		case !strings.EqualFold(network, "DBMSSOCN"):
			return "", problemf("the server %q is a name of the SQL Server client that leads over another network than TCP/IP", server)
		}
		return rest, nil
	}
	return server, nil
}

// resolve fills in the database of a data source where no file named a database itself.
func (c *Config) resolve(reg registry) {
	if c.DB != "" || c.engine.Name != "" || c.dsn.Name == "" || reg == nil {
		return
	}
	p, err := dataSource(reg, c.dsn.Name)
	var not *problem
	switch {
	case errors.As(err, &not) && not.engine != "":
		c.engine = Source{not.engine, c.dsn.File}
		return
	case err != nil:
		c.why = fmt.Sprintf("%q: %v", c.dsn.File, err)
		return
	}
	for _, n := range p.notes {
		c.note("%q: the ODBC data source %q: %s", c.dsn.File, c.dsn.Name, n)
	}
	u, err := serverURL(p.server, p.database, p.options)
	if err != nil {
		c.why = fmt.Sprintf("%q: the ODBC data source %q names the server %q: %v", c.dsn.File, c.dsn.Name, p.server, err)
		return
	}
	if c.why != "" {
		c.note("%s; the ODBC data source %q is used instead", c.why, c.dsn.Name)
	}
	c.DB, c.why = u, ""
	c.said(nameDB, c.dsn.File)
	if !p.integrated {
		c.Credentials = c.spare
	}
}
