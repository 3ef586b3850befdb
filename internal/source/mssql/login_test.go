//go:build !windows

package mssql

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/openomt/omt/internal/manifest"
)

// A login of a domain goes by NTLM, whether it is asked for or not, and its password never leaves the machine.
func TestDomainLogin(t *testing.T) {
	for _, params := range []string{"", "&authenticator=ntlm"} {
		s := (&fakeServer{encryption: encryptNotSupported, errors: []fakeError{{18452, 1, "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."}}}).start(t)
		err := ask(t, "sqlserver://CORP%5Ckarl@"+s.addr+"?database=crm&encrypt=disable"+params)
		says(t, err, manifest.Usage, []string{"untrusted domain", "error 18452"}, []string{"DOMAIN%5CLOGIN"})
		l := s.last(t)
		if l.user != "" || l.password != "" || !bytes.Contains(l.raw, []byte("NTLMSSP\x00")) || bytes.Contains(l.raw, utf16le(odd)) || bytes.Contains(l.raw, []byte(odd)) {
			t.Errorf("%q: login %q %q", params, l.user, l.password)
		}
	}
}

// What stops a login by ticket before the server is asked.
func TestTicketLogin(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "krb5.conf")
	if err := os.WriteFile(conf, []byte("[libdefaults]\ndefault_realm = CORP.EXAMPLE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KRB5CCNAME", "")
	t.Setenv("KRB5_KTNAME", "")
	s := (&fakeServer{encryption: encryptNotSupported, errors: denied}).start(t)
	for params, text := range map[string]string{
		"&krb5-configfile=/none/krb5.conf":                          "/none/krb5.conf",
		"&krb5-configfile=" + conf + "&krb5-credcachefile=/none/cc": "krb5-credcachefile does not exist",
		"&krb5-configfile=" + conf + "&krb5-keytabfile=/none/kt":    "user id is required",
	} {
		err := ask(t, "sqlserver://"+s.addr+"?database=crm&encrypt=disable&authenticator=krb5"+params)
		says(t, err, manifest.Failed, []string{`"` + s.addr + `": the login failed: `, text}, []string{"ServerSPN"})
	}
}
