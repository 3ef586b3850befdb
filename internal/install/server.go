package install

import (
	"errors"
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// SQLServer is the scheme of SQL Server's URLs, SQLite that of SQLite's.
const (
	SQLServer = "sqlserver"
	SQLite    = "sqlite"
)

var (
	errServer = errors.New("the server's name is not one that is understood")
	errPipe   = errors.New("the server is reached by a named pipe, which is not supported")
)

// serverURL makes a URL of SQL Server's way to name a server: host, host\INSTANCE, host,port, with or without tcp: in
// front; (local) and . are this machine. A port makes the instance superfluous.
func serverURL(server, database string, query url.Values) (string, error) {
	server, err := withoutProtocol(strings.TrimSpace(server))
	if err != nil {
		return "", err
	}
	server, port, hasPort := strings.Cut(server, ",")
	host, instance, _ := strings.Cut(server, `\`)
	host, instance = strings.Trim(strings.TrimSpace(host), "[]"), strings.TrimSpace(instance)
	switch strings.ToLower(host) {
	case "(local)", ".", "localhost":
		host = "localhost"
	}
	if host == "" || strings.ContainsAny(host, `/?#@ ()<>"%`) || strings.ContainsAny(instance, `/\?#@ `) {
		return "", errServer
	}
	u := url.URL{Scheme: SQLServer, Host: host}
	if strings.Contains(host, ":") {
		u.Host = "[" + host + "]"
	}
	if hasPort {
		n, err := strconv.ParseUint(strings.TrimSpace(port), 10, 16)
		if err != nil || n == 0 {
			return "", errServer
		}
		u.Host = net.JoinHostPort(host, strconv.FormatUint(n, 10))
	} else if instance != "" {
		u.Path = "/" + instance
	}
	q := url.Values{"database": {database}}
	maps.Copy(q, query)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// withoutProtocol takes tcp: off, and lpc:, since shared memory leads to the same server on this machine.
func withoutProtocol(server string) (string, error) {
	if strings.HasPrefix(server, `\\`) {
		return "", errPipe
	}
	protocol, rest, ok := strings.Cut(server, ":")
	if !ok {
		return server, nil
	}
	switch strings.ToLower(protocol) {
	case "tcp", "lpc":
		return rest, nil
	case "np":
		return "", errPipe
	}
	return server, nil
}

// SplitURL takes the credentials out of a database's URL: sqlserver://USER:PASSWORD@HOST…, and the query keys that
// go-mssqldb takes for them. A relative path of SQLite is made absolute from folder. Its error never shows the URL.
func SplitURL(raw, folder string) (string, Secret, error) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(raw), ":")
	scheme = strings.ToLower(scheme)
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
		return splitServer(raw)
	case foreign[scheme] != "":
		return "", Secret{}, manifest.Errorf(manifest.Usage, "a database of %s cannot be read", foreign[scheme]).
			WithHint("SQL Server and SQLite can; a copy of the database in SQL Server is given with --db")
	}
	return "", Secret{}, errURL()
}

// foreign are engines that people name and that cannot be read, by scheme or DatabaseMajor or dbType in lower case.
var foreign = map[string]string{
	"oracle": "Oracle", "oci": "Oracle", "ora": "Oracle",
	"sybase": "Sybase", "sqlany": "Sybase", "sqlanywhere": "Sybase", "asa": "Sybase", "sybasesqlanywhere": "Sybase",
	"db2": "DB2", "postgres": "PostgreSQL", "postgresql": "PostgreSQL", "mysql": "MySQL",
}

func errURL() error {
	return manifest.Errorf(manifest.Usage, "the database's URL is not understood").
		WithHint("want sqlserver://HOST[:PORT][/INSTANCE]?database=NAME or sqlite:PATH; special characters of a password are written as %%XX")
}

func splitServer(raw string) (string, Secret, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" || u.Opaque != "" || u.Fragment != "" {
		return "", Secret{}, errURL()
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", Secret{}, errURL()
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
	u.User, u.RawQuery = nil, query.Encode()
	return u.String(), NewSecret(user, password), nil
}
