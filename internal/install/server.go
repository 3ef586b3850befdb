package install

import (
	"errors"
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SQLServer is the scheme of SQL Server's URLs, SQLite that of SQLite's.
const (
	SQLServer = "sqlserver"
	SQLite    = "sqlite"
)

var (
	errServer  = errors.New("the server's name is not one that is understood")
	errPipe    = errors.New("the server is reached by a named pipe, which is not supported")
	errLocalDB = errors.New("LocalDB is reached by a named pipe, which is not supported")
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
	host, instance = strings.TrimSpace(host), strings.TrimSpace(instance)
	if h, p, err := net.SplitHostPort(host); err == nil && !hasPort { // as a URL has it: not ADO.NET's way, and plain
		host, port, hasPort = h, p, true
	}
	host = strings.Trim(host, "[]")
	switch strings.ToLower(host) {
	case "(local)", ".", "localhost":
		host = "localhost"
	case "(localdb)":
		return "", errLocalDB
	}
	if !named(host, ".-_:") || strings.Contains(host, ":") && net.ParseIP(host) == nil || instance != "" && !named(instance, "_$#-") {
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

// named reports whether a name is of letters, digits and some others alone.
func named(name, others string) bool {
	for _, r := range name {
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(others, r) {
			return false
		}
	}
	return name != ""
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
