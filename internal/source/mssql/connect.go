package mssql

import (
	"database/sql"
	"errors"
	"net"
	"net/url"
	"runtime"
	"strings"

	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sqlurl"
)

// Option changes how Open connects.
type Option func(*settings)

type settings struct {
	prompt func(text string)
}

// Prompt says where a person is told what to do to log in: a login by device code shows a code and an address. Without
// it, that login is refused.
func Prompt(tell func(text string)) Option { return func(s *settings) { s.prompt = tell } }

// Open prepares a connection to "sqlserver://[LOGIN@]HOST[:PORT][/INSTANCE]?database=NAME" with the login's password; a
// password in the URL is used when the other is empty. Without a login, Windows' own is used there. Nothing is asked of
// the network yet. All errors have status Usage.
func Open(rawURL, password string, options ...Option) (*Driver, error) {
	var s settings
	for _, o := range options {
		o(&s)
	}
	t, err := parseURL(rawURL, password, runtime.GOOS)
	if err != nil {
		return nil, err
	}
	c, err := newConnector(t, s)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(maxConnections)
	return &Driver{db: db, url: t.clean, name: t.cfg.Host + "/" + t.cfg.Database, adrift: t.adrift}, nil
}

// maxConnections is how many connections a Driver has at most.
const maxConnections = 4

// target is what a URL says.
type target struct {
	cfg     msdsn.Config
	clean   string // the URL without user info
	server  string // as people write it: sql1, sql1:1444, sql1\CRM
	login   *entra // a login by Entra ID, or nil
	lowered bool   // tlsmin allows versions before TLS 1.2
	adrift  bool   // snapshot=off
}

const urlHint = "write sqlserver://LOGIN@HOST:PORT?database=NAME, and give the password in OMT_DB_PASSWORD"

// usagef is an error in a URL. Nothing of the URL's own text may be in it but names of parameters.
func usagef(format string, args ...any) *manifest.Error {
	return manifest.Errorf(manifest.Usage, "database URL: "+format, args...).WithHint("%s", urlHint)
}

// parseURL reads a URL without ever putting it into an error, since it may hold a password.
func parseURL(rawURL, password, goos string) (target, error) {
	u, params, err := splitURL(rawURL)
	if err != nil {
		return target{}, err
	}
	q := url.Values{}
	for k, v := range params {
		q[k] = v
	}
	for _, file := range []string{"certificate", "serverCertificate"} { // read here, whatever the file is called
		sqlurl.Drop(q, file)
	}
	snapshot, given := sqlurl.Get(q, "snapshot")
	if given && snapshot != "off" {
		return target{}, usagef("parameter %q takes %q alone: without it there is a snapshot where the database allows one", "snapshot", "off")
	}
	sqlurl.Drop(q, "snapshot") // ours
	sqlurl.Rename(q, "uid", "user id")
	sqlurl.Rename(q, "user", "user id")
	sqlurl.Rename(q, "pwd", "password")
	if _, ok := sqlurl.Get(q, "encrypt"); !ok {
		q.Set("encrypt", "true")
	}
	if _, ok := sqlurl.Get(q, "app name"); !ok {
		q.Set("app name", "omt")
	}
	full := *u
	full.RawQuery = q.Encode()
	cfg, err := msdsn.Parse(full.String())
	if err != nil {
		return target{}, usagef("%s", strings.ReplaceAll(err.Error(), full.String(), "…"))
	}
	if password != "" {
		cfg.Password = password
	}
	t := target{cfg: cfg, clean: sqlurl.Clean(u, params), server: serverName(cfg), adrift: given}
	if err := t.prepareTLS(params); err != nil {
		return target{}, err
	}
	if err := t.prepareLogin(params, goos); err != nil {
		return target{}, err
	}
	return t, nil
}

func splitURL(rawURL string) (*url.URL, url.Values, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, usagef("it is not a URL")
	}
	if u.Scheme+"://" != Scheme || u.Host == "" {
		return nil, nil, usagef("it does not begin with sqlserver:// and a host")
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, usagef("its parameters cannot be read")
	}
	if err := sqlurl.Check(u, params); err != nil {
		return nil, nil, usagef("%w", err)
	}
	if db, _ := sqlurl.Get(params, "database"); db == "" {
		return nil, nil, usagef("it names no database")
	}
	return u, params, nil
}

// serverName names a server for people.
func serverName(cfg msdsn.Config) string {
	switch {
	case cfg.Port != 0:
		return net.JoinHostPort(cfg.Host, portText(cfg.Port))
	case cfg.Instance != "":
		return cfg.Host + `\` + cfg.Instance
	}
	return cfg.Host
}

// prepareLogin reads who logs in. The driver takes a login with a backslash for one of a Windows domain.
func (t *target) prepareLogin(params url.Values, goos string) error {
	authenticator, _ := sqlurl.Get(params, "authenticator")
	switch {
	case authenticator == "", authenticator == "ntlm", authenticator == "krb5" && goos != "windows", authenticator == "winsspi" && goos == "windows":
	default:
		return usagef("parameter authenticator: %q is none of ntlm, krb5 (not on Windows) and winsspi (on Windows)", authenticator)
	}
	var err error
	if t.login, err = parseEntra(params, t.cfg.User, t.cfg.Password); err != nil {
		return err
	}
	switch {
	case t.login != nil && authenticator != "":
		return usagef("fedauth and authenticator are two logins; give one of them")
	case authenticator == "ntlm" && !strings.Contains(t.cfg.User, `\`):
		return usagef(`authenticator=ntlm needs a login of a domain, DOMAIN\LOGIN (%%5C in a URL is \)`)
	case t.cfg.User == "" && t.login == nil && authenticator != "krb5" && goos != "windows":
		return usagef("it names no login").WithHint("%s; outside Windows a login of a domain is DOMAIN%%5CLOGIN, or a ticket (authenticator=krb5)", urlHint)
	}
	return nil
}

// NeedsPassword reports whether the login that a URL asks for has a password, so that it is worth asking for.
func NeedsPassword(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return true // Open will say what is wrong
	}
	params := u.Query()
	if a, _ := sqlurl.Get(params, "authenticator"); a == "krb5" {
		return false // a keytab or a ticket; a password is taken where it is given
	}
	if _, ok := sqlurl.Get(params, "fedauth"); ok {
		return entraNeedsPassword(params)
	}
	user, _ := sqlurl.Get(params, "user id")
	return u.User.Username() != "" || user != ""
}

var errPrompt = errors.New("nobody can be told the code here")
