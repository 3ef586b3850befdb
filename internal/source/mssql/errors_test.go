package mssql

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	mssqldb "github.com/microsoft/go-mssqldb"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestExplain(t *testing.T) {
	d := &Driver{name: "host/crm"}
	for _, c := range []struct {
		err    error
		status manifest.Status
		say    string
		hint   string
	}{
		{mssqldb.Error{Number: 229, Message: "The SELECT permission was denied"}, manifest.Failed, "error 229", "needs SELECT"},
		{mssqldb.Error{Number: 208, Message: "Invalid object name"}, manifest.Failed, `reading from database "host/crm": Invalid object name (error 208)`, ""},
		{&net.OpError{Op: "read", Net: "tcp", Err: errors.New("wsarecv: An existing connection was forcibly closed by the remote host.")}, manifest.Failed, "the connection broke", "run the same command again"},
		{io.ErrUnexpectedEOF, manifest.Failed, "the connection broke: unexpected EOF", "error log"},
		{mssqldb.StreamError{InnerError: errors.New("bad token")}, manifest.Failed, "the connection broke", ""},
		{errors.New("something else"), manifest.Failed, `database "host/crm": something else`, ""},
		{context.Canceled, manifest.Failed, "context canceled", ""},
	} {
		err := d.explain("reading from", c.err)
		if manifest.StatusOf(err) != c.status || !strings.Contains(err.Error(), c.say) || !strings.Contains(manifest.HintOf(err), c.hint) {
			t.Errorf("%v: status %d, %v, hint %q", c.err, manifest.StatusOf(err), err, manifest.HintOf(err))
		}
	}
	var se mssqldb.Error
	if err := d.explain("x", mssqldb.Error{Number: 2627}); !errors.As(err, &se) || se.Number != 2627 {
		t.Errorf("the number is lost in %v", err)
	}
	if err := d.explain("x", mssqldb.Error{Number: 18456}); !errors.As(err, &se) || se.Number != 18456 {
		t.Errorf("the number is lost in %v", err)
	}
	if err := d.explain("x", mssqldb.Error{Number: 1205}); !errors.Is(err, source.ErrVictim) || errors.Is(d.explain("x", mssqldb.Error{Number: 1204}), source.ErrVictim) {
		t.Errorf("a deadlock is lost in %v, or seen in another error", err)
	}
	if err := d.explain("x", context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost in %v", err)
	}
}

// What a person gets to read of a login that the server refuses, as a server sends it.
func TestRefusedLogins(t *testing.T) {
	failed := fakeError{18456, 1, "Login failed for user 'omt'."}
	for name, c := range map[string]struct {
		errors []fakeError
		status manifest.Status
		text   string
		hint   []string
	}{
		"wrong password":        {[]fakeError{failed}, 2, "Login failed for user 'omt'. (error 18456, state 1)", []string{"OMT_DB_PASSWORD", "error log", "58 only logins of Windows"}},
		"told state":            {[]fakeError{{18456, 8, "Login failed for user 'omt'."}}, 2, "(error 18456, state 8)", []string{"the server says that the password is wrong"}},
		"windows alone":         {[]fakeError{{18456, 58, "Login failed for user 'omt'."}}, 2, "state 58", []string{"logins of Windows alone"}},
		"entra":                 {[]fakeError{{18456, 132, "Login failed for user 'omt'."}}, 2, "state 132", []string{"Entra ID failed"}},
		"untrusted domain":      {[]fakeError{{18452, 1, "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."}}, 2, "untrusted domain", []string{"DOMAIN%5CLOGIN", "account of the server's domain"}},
		"no such database":      {[]fakeError{{4060, 1, `Cannot open database "crm" requested by the login. The login failed.`}, failed}, 2, `Cannot open database "crm" requested by the login. The login failed. (error 4060)`, []string{"database's name", "CREATE USER"}},
		"no default database":   {[]fakeError{{4064, 1, "Cannot open user default database. Login failed."}, failed}, 2, "error 4064", []string{"database's name"}},
		"changes of database":   {[]fakeError{failed, {4060, 1, "Cannot open database"}}, 2, "error 4060", []string{"CREATE USER"}},
		"database is not there": {[]fakeError{{911, 1, "Database 'crm' does not exist."}}, 2, "error 911", []string{"database's name"}},
		"no user of it":         {[]fakeError{{916, 1, `The server principal "omt" is not able to access the database "crm" under the current security context.`}}, 2, "error 916", []string{"user of it"}},
		"disabled":              {[]fakeError{{18470, 1, "Login failed for user 'omt'. Reason: The account is disabled."}}, 2, "The account is disabled. (error 18470)", []string{"ALTER LOGIN [LOGIN] ENABLE"}},
		"locked":                {[]fakeError{{18486, 1, "Login failed for user 'omt' because the account is currently locked out."}}, 2, "error 18486", []string{"UNLOCK"}},
		"expired":               {[]fakeError{{18487, 1, "Login failed for user 'omt'.  Reason: The password of the account has expired."}}, 2, "error 18487", []string{"has expired", "sqlcmd"}},
		"must change":           {[]fakeError{{18488, 1, "Login failed for user 'omt'.  Reason: The password of the account must be changed."}}, 2, "error 18488", []string{"must be changed"}},
		"trigger":               {[]fakeError{{17892, 1, "Logon failed for login 'omt' due to trigger execution."}}, 1, "error 17892", []string{"logon trigger", "app name"}},
		"single user":           {[]fakeError{{18461, 1, "Login failed for user 'omt'. Reason: Server is in single user mode."}}, 1, "error 18461", []string{"single-user mode"}},
		"azure firewall":        {[]fakeError{{40615, 1, "Cannot open server 'x' requested by the login. Client with IP address '203.0.113.24' is not allowed to access the server."}}, 2, "203.0.113.24", []string{"firewall", "Networking"}},
		"a replica":             {[]fakeError{{978, 1, "The target database ('crm') is in an availability group and is currently accessible for connections when the application intent is set to read only."}, failed}, 2, "error 978", []string{"ApplicationIntent=ReadOnly"}},
		"something new":         {[]fakeError{{99999, 1, "Something new."}}, 1, "Something new. (error 99999)", nil},
		"something new at last": {[]fakeError{{99999, 1, "Something new."}, failed}, 2, "error 18456", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := (&fakeServer{encryption: encryptNotSupported, errors: c.errors}).start(t)
			err := ask(t, s.url("&encrypt=disable"))
			says(t, err, c.status, []string{`connecting to database "127.0.0.1/crm": `, c.text}, c.hint)
			if strings.Contains(err.Error(), "login error") {
				t.Errorf("%v repeats the driver's words", err)
			}
		})
	}
}
