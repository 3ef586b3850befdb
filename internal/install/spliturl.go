package install

import (
	"errors"
	"net/url"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sqlurl"
)

// SplitURL reads what a person gives as a database, and takes the credentials out of it. It is
//
//   - sqlserver://USER:PASSWORD@HOST[:PORT][/INSTANCE]?database=NAME, credentials also under the query keys that the
//     driver takes for them; a backslash in the login or before the instance is taken as it is meant;
//   - a connection string of ADO.NET, OLE DB or ODBC, every key of which must be known;
//   - ODBC:NAME, a data source of this machine, which Windows alone has;
//   - sqlite:PATH.
//
// What is returned is a URL. Relative paths are made absolute from folder. Its error never shows the text.
func SplitURL(raw, folder string) (string, Secret, error) {
	return splitURL(raw, folder, systemRegistry())
}

func splitURL(raw, folder string, reg registry) (string, Secret, error) {
	raw = strings.TrimSpace(raw)
	if isConnection(raw) {
		return splitConnection(raw, folder, reg)
	}
	scheme, rest, ok := strings.Cut(raw, ":")
	scheme = strings.ToLower(scheme)
	engine := foreign[scheme]
	if scheme == "jdbc" {
		kind, _, _ := strings.Cut(rest, ":")
		engine = foreign[strings.ToLower(kind)]
	}
	switch {
	case !ok:
		return "", Secret{}, errURL()
	case scheme == SQLite:
		rest = strings.TrimPrefix(rest, "//")
		if rest == "" {
			return "", Secret{}, errURL()
		}
		return SQLite + ":" + absolute(folder, rest), Secret{}, nil
	case scheme == SQLServer:
		return splitServer(raw, folder)
	case scheme == "odbc" && isConnection(rest):
		return splitConnection(rest, folder, reg)
	case scheme == "odbc":
		return splitConnection("DSN={"+strings.ReplaceAll(strings.TrimSpace(rest), "}", "}}")+"}", folder, reg)
	case engine != "":
		return "", Secret{}, usage(&problem{engine: engine})
	}
	return "", Secret{}, errURL()
}

// foreign are engines that people name and that cannot be read, by scheme or DatabaseMajor or dbType in lower case.
var foreign = map[string]string{
	"oracle": "Oracle", "oci": "Oracle", "ora": "Oracle",
	"sybase": "Sybase", "sqlany": "Sybase", "sqlanywhere": "Sybase", "asa": "Sybase", "ase": "Sybase", "sybasesqlanywhere": "Sybase",
	"db2": "DB2", "postgres": "PostgreSQL", "postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MySQL", "firebird": "Firebird",
}

func errURL() error {
	return manifest.Errorf(manifest.Usage, "the database's URL is not understood").
		WithHint("want sqlserver://HOST[:PORT][/INSTANCE]?database=NAME, a connection string (Server=HOST;Database=NAME;User ID=LOGIN), or sqlite:PATH; " +
			"special characters of a password are written as %%XX in a URL, and in double quotes in a connection string")
}

// usage gives a reason status 2 and its hint.
func usage(err error) error {
	var p *problem
	hint := "want Server=HOST;Database=NAME;User ID=LOGIN, with the password in OMT_DB_PASSWORD"
	if errors.As(err, &p) && p.engine != "" {
		hint = "SQL Server and SQLite can; a copy of the database in SQL Server is given with --db"
	}
	return manifest.Errorf(manifest.Usage, "%w", err).WithHint("%s", hint)
}

func splitConnection(raw, folder string, reg registry) (string, Secret, error) {
	c, err := parseConnection(raw)
	if err != nil {
		return "", Secret{}, usage(err)
	}
	p, err := c.place(true)
	if err == nil && p.dsn != "" {
		err = p.lookUp(reg)
	}
	if err != nil {
		return "", Secret{}, usage(err)
	}
	return p.url(folder)
}

// url is the place as a URL, with its credentials.
func (p place) url(folder string) (string, Secret, error) {
	switch {
	case p.server == "":
		return "", Secret{}, usage(problemf("the connection string names no server"))
	case p.database == "":
		return "", Secret{}, usage(problemf("the connection string names no database"))
	}
	u, err := serverURL(p.server, p.database, absoluteFiles(p.options, folder))
	if err != nil {
		return "", Secret{}, usage(err)
	}
	if p.integrated {
		return u, Secret{}, nil
	}
	return u, NewSecret(p.user, p.password), nil
}

// files are the parameters that name a file.
var files = []string{"certificate", "servercertificate", "clientcertpath", "tokenfilepath", "krb5-configfile", "krb5-keytabfile", "krb5-credcachefile"}

// absoluteFiles makes the paths among parameters absolute, since a manifest that holds them is read elsewhere.
func absoluteFiles(q url.Values, folder string) url.Values {
	for key, values := range q {
		for _, f := range files {
			if strings.EqualFold(key, f) && len(values) == 1 && values[0] != "" {
				q[key] = []string{absolute(folder, values[0])}
			}
		}
	}
	return q
}

func splitServer(raw, folder string) (string, Secret, error) {
	u, err := url.Parse(forward(raw))
	if err != nil || u.Host == "" || u.Opaque != "" || u.Fragment != "" {
		return "", Secret{}, errURL()
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", Secret{}, errURL()
	}
	if err := sqlurl.Check(u, query); err != nil {
		return "", Secret{}, manifest.Errorf(manifest.Usage, "the database's URL: %w", err).WithHint("its parameters are %s", strings.Join(sqlurl.Kept(), ", "))
	}
	user := u.User.Username()
	password, _ := u.User.Password()
	for key, values := range query {
		switch strings.ToLower(strings.ReplaceAll(key, " ", "")) {
		case "userid", "uid", "user":
			user = values[0]
		case "password", "pwd":
			password = values[0]
		default:
			continue
		}
		query.Del(key)
	}
	u.User, u.RawQuery = nil, absoluteFiles(query, folder).Encode()
	return u.String(), NewSecret(user, password), nil
}

// forward writes DOMAIN\LOGIN@HOST\INSTANCE as a URL has it.
func forward(raw string) string {
	head, query, hasQuery := strings.Cut(raw, "?")
	at := strings.LastIndex(head, "@") + 1
	head = strings.ReplaceAll(head[:at], `\`, "%5C") + strings.ReplaceAll(head[at:], `\`, "/")
	if hasQuery {
		head += "?" + query
	}
	return head
}

// SameDatabase reports whether two URLs name the same database of the same server: how it is reached may differ.
func SameDatabase(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	if errX != nil || errY != nil || x.Scheme != SQLServer || y.Scheme != SQLServer {
		return false
	}
	return strings.EqualFold(x.Host, y.Host) && strings.EqualFold(strings.Trim(x.Path, "/"), strings.Trim(y.Path, "/")) &&
		databaseOf(x) != "" && strings.EqualFold(databaseOf(x), databaseOf(y))
}

func databaseOf(u *url.URL) string {
	for key, values := range u.Query() {
		if strings.EqualFold(key, "database") && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}
