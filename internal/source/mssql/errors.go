package mssql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	mssqldb "github.com/microsoft/go-mssqldb"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// explain says what an error of the server or of the network means. The driver's errors hold no password.
func (d *Driver) explain(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s database %q: %w", doing, d.name, err)
	}
	var ce *connectError
	if errors.As(err, &ce) {
		return ce.explain(d.name)
	}
	var se mssqldb.Error
	if errors.As(err, &se) {
		return explainServer(doing, d.name, se)
	}
	if connectionLost(err) {
		return manifest.Errorf(manifest.Failed, "%s database %q: the connection broke: %w", doing, d.name, err).
			WithHint("run the same command again; where it breaks again, look for a firewall that cuts long connections, and into the server's error log")
	}
	return fmt.Errorf("%s database %q: %w", doing, d.name, err)
}

// connectionLost tells a connection that broke from an answer of the server.
func connectionLost(err error) bool {
	var op *net.OpError
	var stream mssqldb.StreamError
	return errors.As(err, &op) || errors.As(err, &stream) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// loginFailed is what a server says of every login that it refuses, behind what is wrong where it wants to tell.
const loginFailed = 18456

// victim is what a server says to the one that it breaks off, of those who wait for one another.
const victim = 1205

// advice is about an error of the server that has a cause which a person can act on.
type advice struct {
	status manifest.Status
	hint   string
}

const (
	databaseHint = "check the database's name, and that the login is a user of it: CREATE USER [LOGIN] FOR LOGIN [LOGIN]"
	rightsHint   = "the login needs SELECT on all tables under the prefix: GRANT SELECT, VIEW DEFINITION ON SCHEMA::[PREFIX] TO [LOGIN]"
	fillHint     = "to fill a database the login needs CREATE SCHEMA, CREATE TABLE and ALTER on the schema; a member of db_owner has them"
	laterHint    = "wait and run the same command again, or ask whoever runs the server"
	tempdbHint   = "tempdb has no room for the versions of rows that a snapshot needs: give it more, run when less is written, or without a snapshot (snapshot=off in the URL)"
	passwordHint = "change it with another tool (sqlcmd, Management Studio), or have it changed: ALTER LOGIN [LOGIN] WITH PASSWORD = '…'"
)

// knownErrors are by the numbers of Microsoft's documentation (Database Engine events and errors; Azure SQL connection
// errors). Tried are 18456, 4060 and 911 on Babelfish, and all on a server that sends their number.
var knownErrors = map[int32]advice{
	loginFailed: {manifest.Usage, "check the login in the URL and the password in OMT_DB_PASSWORD"},
	18450:       {manifest.Usage, "the server takes logins of Windows alone: log in with Windows' account, or DOMAIN%5CLOGIN in the URL"},
	18452: {manifest.Usage, "the account is of a domain that the server's does not trust: run the program under an account of the server's domain, " +
		"give DOMAIN%5CLOGIN, or a login of SQL Server"},
	18470: {manifest.Usage, "the login is disabled; have it enabled: ALTER LOGIN [LOGIN] ENABLE"},
	18486: {manifest.Usage, "the login is locked after wrong passwords; have it unlocked: ALTER LOGIN [LOGIN] WITH PASSWORD = '…' UNLOCK"},
	18487: {manifest.Usage, "the password has expired: " + passwordHint},
	18488: {manifest.Usage, "the password must be changed before the first login: " + passwordHint},
	18451: {manifest.Failed, "the server lets only administrators in now: " + laterHint},
	18461: {manifest.Failed, "the server is in single-user mode: " + laterHint},
	18401: {manifest.Failed, "the server is being upgraded: " + laterHint},
	17142: {manifest.Failed, "the server is paused: " + laterHint},
	6005:  {manifest.Failed, "the server is shutting down: " + laterHint},
	17809: {manifest.Failed, "the server has as many connections as it may: " + laterHint},
	17892: {manifest.Failed, "a logon trigger of the server refuses the login; it may ask for a program name (app name=… in the URL, \"omt\" otherwise) or a machine"},

	4060: {manifest.Usage, databaseHint},
	4063: {manifest.Usage, databaseHint},
	4064: {manifest.Usage, databaseHint},
	911:  {manifest.Usage, databaseHint},
	916:  {manifest.Usage, databaseHint},
	942:  {manifest.Failed, "the database is offline"},
	927:  {manifest.Failed, "the database is being restored: " + laterHint},
	922:  {manifest.Failed, "the database is being recovered: " + laterHint},
	924:  {manifest.Failed, "the database is in single-user mode and somebody is in it"},
	976:  {manifest.Failed, "this replica of the availability group cannot be read: connect to the primary, or to one that can"},
	978:  {manifest.Usage, "this replica can be read with ApplicationIntent=ReadOnly in the URL"},

	229:   {manifest.Failed, rightsHint},
	230:   {manifest.Failed, rightsHint},
	297:   {manifest.Failed, rightsHint},
	300:   {manifest.Failed, rightsHint},
	262:   {manifest.Failed, fillHint},
	2760:  {manifest.Failed, fillHint},
	15247: {manifest.Failed, fillHint},

	40615: {manifest.Usage, "let this machine's address through the server's firewall: Azure portal, the server, Networking"},
	40914: {manifest.Usage, "let this network through the server's firewall: Azure portal, the server, Networking"},
	47073: {manifest.Usage, "the server takes connections over a private endpoint alone: run this inside its network"},
	40532: {manifest.Usage, "check the server's name, and write the login as LOGIN@SERVER"},
	40613: {manifest.Failed, "the database is starting: " + laterHint},
	40197: {manifest.Failed, laterHint},
	40501: {manifest.Failed, laterHint},

	3958: {manifest.Failed, tempdbHint},
	3966: {manifest.Failed, tempdbHint},
	3967: {manifest.Failed, tempdbHint},
}

// loginStates are the meanings of the state of error 18456 in Microsoft's documentation. A server tells state 1 and keeps the
// true one to its error log.
var loginStates = map[uint8]string{
	2: "there is no such login", 5: "there is no such login", 6: "a login of Windows was given with a password of SQL Server",
	7: "the login is disabled and the password is wrong", 8: "the password is wrong", 9: "the password is wrong",
	11: "the login is right and may not connect to this server", 12: "the login is right and may not connect to this server",
	18: "the password must be changed", 38: "the database cannot be opened", 46: "the database cannot be opened",
	40: "the login's default database cannot be opened", 58: "the server takes logins of Windows alone",
	122: "the login or the password is empty", 123: "the login or the password is empty", 124: "the login or the password is empty",
	126: "there is no such database",
}

func explainServer(doing, name string, e mssqldb.Error) error {
	e = telling(e)
	number := fmt.Sprintf("error %d", e.Number)
	if e.Number == loginFailed && e.State > 0 {
		number += fmt.Sprintf(", state %d", e.State)
	}
	text := fmt.Sprintf("%s database %q: %s (%s)", doing, name, serverText(e), number)
	k, ok := knownErrors[e.Number]
	if !ok {
		return &serverError{text: text, cause: e}
	}
	hint := k.hint
	if e.Number == loginFailed {
		hint += stateHint(e.State)
	}
	return &manifest.Error{Status: k.status, Err: &serverError{text: text, cause: e}, Hint: hint}
}

func stateHint(state uint8) string {
	switch s := loginStates[state]; {
	case s != "":
		return "; the server says that " + s
	case state >= 102 && state <= 133:
		return "; the server says that the login by Entra ID failed"
	}
	return "; the reason stands in the server's error log, as a state behind error 18456: 5 no such login, 8 wrong password, 58 only logins of Windows"
}

// telling is the error that says most: a refused login comes with error 18456 behind the one that tells why.
func telling(e mssqldb.Error) mssqldb.Error {
	i := slices.IndexFunc(e.All, func(x mssqldb.Error) bool { _, ok := knownErrors[x.Number]; return ok && x.Number != loginFailed })
	if i < 0 {
		i = slices.IndexFunc(e.All, func(x mssqldb.Error) bool { return x.Number == loginFailed })
	}
	if i < 0 {
		return e
	}
	return e.All[i]
}

func serverText(e mssqldb.Error) string {
	return strings.TrimSpace(strings.TrimPrefix(e.Message, "login error: "))
}

// serverError is an error of the server in our words; its cause repeats the same text.
type serverError struct {
	text  string
	cause mssqldb.Error
}

// Error returns the text.
func (e *serverError) Error() string { return e.text }

// Is tells a query that fell victim to a deadlock.
func (e *serverError) Is(target error) bool {
	return target == source.ErrVictim && e.cause.Number == victim
}

// Unwrap returns the driver's error.
func (e *serverError) Unwrap() error { return e.cause }
