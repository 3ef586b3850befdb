package install

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// meaning is what a key of a connection string is to us.
type meaning int

const (
	unknown  meaning = iota // not in the list below: named, never dropped without a word
	harmless                // changes neither where nor how the connection goes
	where                   // server, database, login: read one by one
	option                  // a parameter of the URL too
	refused                 // would lead elsewhere or change what is read, and is not built in
)

// connectionKeys are the keys of System.Data.SqlClient, Microsoft.Data.SqlClient, of ODBC and OLE DB for SQL Server as
// Microsoft's documentation lists them, and those of the URL.
var connectionKeys = keys(map[meaning]string{
	where: `server datasource address addr networkaddress database initialcatalog userid uid user password pwd
		integratedsecurity trustedconnection driver provider dsn port network networklibrary net`,
	option: `encrypt useencryptionfordata trustservercertificate hostnameincertificate servercertificate certificate
		serverspn failoverpartner failoverpartnerspn applicationintent multisubnetfailover authentication tlsmin`,
	refused: `attachdbfilename extendedproperties initialfilename userinstance contextconnection columnencryptionsetting
		columnencryption filedsn savefile keystoreauthentication keystoreprincipalid keystoresecret`,
	harmless: `app applicationname async asynchronousprocessing attestationprotocol enclaveattestationurl commandtimeout
		connecttimeout connectiontimeout timeout connectionlifetime loadbalancetimeout connectretrycount connectretryinterval
		connectionreset currentlanguage language enlist ipaddresspreference maxpoolsize minpoolsize
		multipleactiveresultsets marsconnection packetsize persistsecurityinfo poolblockingperiod pooling replication
		transactionbinding transparentnetworkipresolution typesystemversion workstationid wsid connectiontype
		ansinpw autotranslate description getdataextensions keepalive keepaliveinterval longasmax querylogon querylogfile
		querylogtime quotedid regional retryexec statslogon statslogfile usefmtonly lastuser
		datatypecompatibility oledbservices prompt locale identifier localeidentifier generalcommandtimeout
		useprocedureforprepare tagwithcolumncollationwhenpossible bulkcopytimeout`,
})

func keys(lists map[meaning]string) map[string]meaning {
	out := map[string]meaning{}
	for m, list := range lists {
		for _, k := range strings.Fields(list) {
			out[k] = m
		}
	}
	return out
}

// place is what a connection string says.
type place struct {
	server, database string
	user, password   string
	integrated       bool // the operating system's user logs in
	dsn              string
	options          url.Values
	notes            []string // what is not used, for people
}

// problem is what makes a connection string unusable, or what it says that is not used. It shows no value but names of
// engines and drivers.
type problem struct {
	engine string // a database of another kind
	text   string
}

func (p *problem) Error() string {
	if p.engine != "" {
		return fmt.Sprintf("a database of %s cannot be read", p.engine)
	}
	return p.text
}

func problemf(format string, args ...any) *problem {
	return &problem{text: fmt.Sprintf(format, args...)}
}

// place reads the keys. strict makes an error of a key that is not known, which is a note otherwise.
func (c connection) place(strict bool) (place, error) {
	p := place{
		server:   c.first("server", "datasource", "address", "addr", "networkaddress"),
		database: c.first("database", "initialcatalog"),
		user:     c.first("userid", "uid", "user"),
		password: c.first("password", "pwd"),
		dsn:      c.get("dsn"),
	}
	switch strings.ToLower(c.first("integratedsecurity", "trustedconnection")) {
	case "true", "yes", "sspi":
		p.integrated = true
	}
	if err := c.engine(p.server); err != nil {
		return p, err
	}
	if err := c.refusals(); err != nil {
		return p, err
	}
	if text := c.unknown(); text != "" {
		if strict {
			return p, problemf("%s", text)
		}
		p.notes = append(p.notes, text+"; it is not used")
	}
	if port := c.get("port"); port != "" && !strings.Contains(p.server, ",") {
		p.server += "," + port
	}
	return p, c.readOptions(&p)
}

// engine is an error where driver, provider or server is not SQL Server's.
func (c connection) engine(server string) error {
	for _, key := range []string{"driver", "provider"} {
		name := c.get(key)
		switch e := engineOf(name); {
		case e != "":
			return &problem{engine: e}
		case name != "" && !ofSQLServer(name):
			return problemf("%s %q is none of SQL Server's", key, name)
		}
	}
	if strings.HasPrefix(strings.ToLower(squeeze.Replace(server)), "(description=") {
		return &problem{engine: "Oracle"}
	}
	return nil
}

// refusals is an error where a key is not taken. A key that switches something off is not in the way.
func (c connection) refusals() error {
	for _, p := range c {
		switch strings.ToLower(p.value) {
		case "", "false", "no", "disabled":
			continue
		}
		if connectionKeys[p.key] == refused {
			return problemf("the connection string's key %q is not taken", p.name)
		}
		if p.key == "network" || p.key == "networklibrary" || p.key == "net" {
			switch strings.ToLower(p.value) {
			case "dbmssocn", "dbmslpcn", "tcp":
			default:
				return problemf("the connection string's key %q chooses another network than TCP/IP, which is not supported", p.name)
			}
		}
	}
	return nil
}

// unknown names the keys that are not known. One that follows a password without quotes is not named: it may be the rest
// of the password.
func (c connection) unknown() string {
	var names []string
	rest := false
	for _, p := range c {
		switch {
		case p.key == "password" || p.key == "pwd":
			rest = true
		case connectionKeys[p.key] != unknown:
			rest = false
		case rest:
			return "what follows the password is no key of a connection string (a password that holds ; stands in double quotes)"
		default:
			names = append(names, fmt.Sprintf("%q", p.name))
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "the connection string's key " + names[0] + " is not known"
	}
	return "the connection string's keys " + strings.Join(names, ", ") + " are not known"
}

// readOptions collects the settings that the driver's URL has too and that were asked for in so many words.
func (c connection) readOptions(p *place) error {
	p.options = url.Values{}
	for _, o := range []struct {
		name string
		keys []string
	}{
		{"hostNameInCertificate", []string{"hostnameincertificate"}}, {"serverCertificate", []string{"servercertificate"}},
		{"certificate", []string{"certificate"}}, {"tlsmin", []string{"tlsmin"}}, {"ServerSPN", []string{"serverspn"}},
		{"FailoverPartnerSPN", []string{"failoverpartnerspn"}},
	} {
		if v := c.first(o.keys...); v != "" {
			p.options.Set(o.name, v)
		}
	}
	for _, o := range []struct {
		name   string
		label  string
		value  string
		values map[string]string
	}{
		{"encrypt", "Encrypt", c.first("encrypt", "useencryptionfordata"), encryption},
		{"TrustServerCertificate", "TrustServerCertificate", c.get("trustservercertificate"), truth},
		{"MultiSubnetFailover", "MultiSubnetFailover", c.get("multisubnetfailover"), truth},
		{"ApplicationIntent", "ApplicationIntent", c.get("applicationintent"), map[string]string{"readonly": "ReadOnly", "readwrite": ""}},
		{"fedauth", "Authentication", squeeze.Replace(c.get("authentication")), entra},
	} {
		if o.value == "" {
			continue
		}
		v, known := o.values[strings.ToLower(o.value)]
		if !known {
			return problemf("the connection string's value of %s is not one that is taken", o.label)
		}
		if v != "" {
			p.options.Set(o.name, v)
		}
	}
	c.failover(p)
	return nil
}

var (
	truth      = map[string]string{"true": "true", "yes": "true", "1": "true", "enabled": "true", "false": "false", "no": "false", "0": "false", "disabled": "false"}
	encryption = map[string]string{"true": "true", "yes": "true", "mandatory": "true", "1": "true", "false": "false", "no": "false", "optional": "false", "0": "false",
		"disable": "disable", "strict": "strict"}
	// entra are the values of ADO.NET and ODBC for Authentication, by what the URL's fedauth calls them.
	entra = map[string]string{
		"sqlpassword": "", "notspecified": "", "activedirectorypassword": "ActiveDirectoryPassword",
		"activedirectorydefault": "ActiveDirectoryDefault", "activedirectoryinteractive": "ActiveDirectoryInteractive",
		"activedirectoryserviceprincipal": "ActiveDirectoryServicePrincipal", "activedirectorydevicecodeflow": "ActiveDirectoryDeviceCode",
		"activedirectorymanagedidentity": "ActiveDirectoryManagedIdentity", "activedirectorymsi": "ActiveDirectoryManagedIdentity",
		"activedirectoryworkloadidentity": "ActiveDirectoryWorkloadIdentity",
	}
)

// failover takes the partner of a mirrored database. The driver knows its host and port alone.
func (c connection) failover(p *place) {
	partner, err := withoutProtocol(strings.TrimSpace(c.get("failoverpartner")))
	if partner == "" && err == nil {
		return
	}
	host, port, _ := strings.Cut(partner, ",")
	if err != nil || strings.ContainsAny(host, `\/?#@ `) {
		p.notes = append(p.notes, "the failover partner is not used: only HOST or HOST,PORT is understood")
		return
	}
	p.options.Set("failoverpartner", host)
	if port = strings.TrimSpace(port); port != "" {
		p.options.Set("failoverport", port)
	}
}

// engineOf tells a database of another kind by a name: a driver's, a provider's, or what a configuration calls it.
func engineOf(name string) string {
	name = strings.ToLower(name)
	if e := foreign[name]; e != "" {
		return e
	}
	for _, e := range []struct {
		engine string
		parts  []string
	}{
		{"Oracle", []string{"oracle", "oraoledb", "msdaora", "sqora"}},
		{"Sybase", []string{"sybase", "sql anywhere", "sqlanywhere", "saoledb", "adaptive server", "dbodbc", "aseoledb"}},
		{"DB2", []string{"db2"}},
		{"MySQL", []string{"mysql", "mariadb", "myodbc"}},
		{"PostgreSQL", []string{"postgres", "psqlodbc"}},
		{"Microsoft Access", []string{"microsoft access", "jet.oledb", "ace.oledb", "odbcjt32", "aceodbc"}},
	} {
		if slices.ContainsFunc(e.parts, func(part string) bool { return strings.Contains(name, part) }) {
			return e.engine
		}
	}
	return ""
}

// ofSQLServer tells drivers and providers of SQL Server, by their names and by the names of their files.
func ofSQLServer(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"sql server", "sql native client", "sqlsrv32", "sqlncli", "msodbcsql", "sqloledb", "msoledbsql", "sqlserver", "freetds", "libtdsodbc", "system.data.sqlclient", "microsoft.data.sqlclient"},
		func(part string) bool { return strings.Contains(name, part) })
}
