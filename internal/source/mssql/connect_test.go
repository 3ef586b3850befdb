package mssql

import (
	"crypto/tls"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/openomt/omt/internal/manifest"
)

// odd is a password with every character that means something somewhere.
const odd = `p;"a'}s{s=w %@/?#&\+:rd`

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url, password, clean, user, gotPassword, server string
		encrypted                                       bool
	}{
		{"sqlserver://sa@host:1433?database=crm", "pw", "sqlserver://host:1433?database=crm", "sa", "pw", "host:1433", true},
		{"sqlserver://sa:inside@host?database=crm", "", "sqlserver://host?database=crm", "sa", "inside", "host", true},
		{"sqlserver://sa:inside@host?database=crm", "given", "sqlserver://host?database=crm", "sa", "given", "host", true},
		{"sqlserver://host/SQL2019?DATABASE=crm&Encrypt=disable&user+id=sa&password=hidden", "pw", "sqlserver://host/SQL2019?database=crm&encrypt=disable", "sa", "pw", `host\SQL2019`, false},
		{"sqlserver://sa@host?database=b+c%26d&TrustServerCertificate=true&workstation+id=w", odd, "sqlserver://host?database=b+c%26d&TrustServerCertificate=true", "sa", odd, "host", true},
		{"sqlserver://host?database=crm&UID=sa&pwd=hidden", "", "sqlserver://host?database=crm", "sa", "hidden", "host", true},
		{"sqlserver://sa:" + url.QueryEscape(odd) + "@host?database=crm&tlsMin=1.0", "", "sqlserver://host?database=crm&tlsmin=1.0", "sa", strings.ReplaceAll(odd, " ", "+"), "host", true},
		{"sqlserver://sa@host?database=crm&Snapshot=off", "pw", "sqlserver://host?database=crm&snapshot=off", "sa", "pw", "host", true},
		{"sqlserver://CORP%5Ckarl@[::1]:1444?database=crm&failoverpartner=sql2&failoverport=1444", "pw", "sqlserver://[::1]:1444?database=crm&failoverpartner=sql2&failoverport=1444", `CORP\karl`, "pw", "[::1]:1444", true},
	} {
		got, err := parseURL(c.url, c.password, "linux")
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		cfg := got.cfg
		if got.clean != c.clean || cfg.User != c.user || cfg.Password != c.gotPassword || cfg.AppName != "omt" || got.server != c.server {
			t.Errorf("%s: %q, %q, %q, app %q, server %q", c.url, got.clean, cfg.User, cfg.Password, cfg.AppName, got.server)
		}
		if got.adrift != strings.Contains(c.clean, "snapshot=off") || cfg.Parameters["snapshot"] != "" {
			t.Errorf("%s: without a snapshot: %v; the driver is told %q", c.url, got.adrift, cfg.Parameters["snapshot"])
		}
		if enc := cfg.Encryption == msdsn.EncryptionRequired; enc != c.encrypted {
			t.Errorf("%s: encryption %v", c.url, cfg.Encryption)
		}
		again, err := parseURL(c.clean, "x", "windows")
		if err != nil || again.clean != got.clean || again.cfg.Database != cfg.Database || again.cfg.Host != cfg.Host || again.cfg.Instance != cfg.Instance {
			t.Errorf("%s read again: %q, %v", c.clean, again.clean, err)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, c := range []struct{ url, say string }{
		{"", "does not begin with sqlserver://"},
		{"mssql://sa:secret@host?database=crm", "does not begin with sqlserver://"},
		{"sqlserver://?database=crm", "a host"},
		{"sqlserver://sa:secret@host", "names no database"},
		{"sqlserver://sa:secret@host?database=", "names no database"},
		{"sqlserver://host?database=crm&password=secret", "names no login"},
		{"sqlserver://sa:secret@host:port?database=crm", "is not a URL"},
		{"sqlserver://sa:secret@ho st?database=crm", "is not a URL"},
		{"sqlserver://sa:secret@host?database=crm;x", "parameters cannot be read"},
		{"sqlserver://sa:secret@host?database=crm&encrypt=maybe", "encrypt"},
		{"sqlserver://sa:secret@host?database=crm&Timezone=Europe/Oslo", `"timezone" is not taken`},
		{"sqlserver://sa:secret@host?database=crm&guid+conversion=true", "not taken"},
		{"sqlserver://sa:secret@host?database=crm&systemtoken=secret", `"systemtoken" is not taken`},
		{"sqlserver://sa:secret@host?database=crm&log=63", "not taken"},
		{"sqlserver://sa:secret@host?database=crm&TrustServerCertficate=true", `"TrustServerCertficate" is not known`},
		{"sqlserver://sa:secret@host?database=crm&encrypt=true&encrypt=false", `"encrypt" is given twice`},
		{"sqlserver://sa:secret@host?database=crm&snapshot=on", `"snapshot" takes "off" alone`},
		{"sqlserver://sa:secret@host?database=crm&protocol=np", "np"},
		{"sqlserver://sa:secret@host?database=crm&tlsmin=1.4", "none of 1.0, 1.1, 1.2 and 1.3"},
		{"sqlserver://sa:secret@host?database=crm&authenticator=kerberos", `"kerberos" is none of ntlm, krb5`},
		{"sqlserver://sa:secret@host?database=crm&authenticator=ntlm", `DOMAIN\LOGIN`},
		{"sqlserver://sa:secret@host?database=crm&certificate=none.pem", "parameter certificate: open none.pem"},
		{"sqlserver://sa:secret@host?database=crm&serverCertificate=connect_test.go", "holds no certificate"},
		{"sqlserver://sa:secret@host?database=crm&serverCertificate=a&certificate=b", "cannot both be given"},
		{"sqlserver://sa:secret@host?database=crm&serverCertificate=a&hostNameInCertificate=b", "cannot both be given"},
		// The rest of a password that is not escaped is not named, whatever it looks like.
		{"sqlserver://sa:1234?secret=x@host?database=crm", "a parameter that is not known"},
		{"sqlserver://sa@host?database=crm&password=abc&secret=x", "a parameter that is not known"},
		{"sqlserver://sa:12#secret@host?database=crm", "names no database"},
	} {
		_, err := parseURL(c.url, "", "linux")
		if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), c.say) || !strings.Contains(manifest.HintOf(err), "OMT_DB_PASSWORD") {
			t.Errorf("%q: %v (%s), want %q", c.url, err, manifest.HintOf(err), c.say)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %v", err)
		}
		if _, err := OpenLoader(c.url, ""); err == nil && c.say != "names no login" {
			t.Errorf("OpenLoader takes %q", c.url)
		}
	}
}

// Who logs in where the URL names nobody.
func TestLoginOfTheSystem(t *testing.T) {
	for _, c := range []struct {
		url, goos string
		ok        bool
	}{
		{"sqlserver://host?database=crm", "windows", true},
		{"sqlserver://host?database=crm", "linux", false},
		{"sqlserver://host?database=crm&authenticator=krb5", "linux", true},
		{"sqlserver://host?database=crm&authenticator=krb5", "windows", false},
		{"sqlserver://host?database=crm&authenticator=winsspi", "windows", true},
		{"sqlserver://host?database=crm&authenticator=winsspi", "linux", false},
		{"sqlserver://CORP%5Ck@host?database=crm&authenticator=ntlm", "linux", true},
		{"sqlserver://host?database=crm&fedauth=ActiveDirectoryDefault", "linux", true},
		{"sqlserver://host?database=crm&fedauth=ActiveDirectoryDefault&authenticator=krb5", "linux", false},
	} {
		if _, err := parseURL(c.url, "", c.goos); (err == nil) != c.ok {
			t.Errorf("%s on %s: %v", c.url, c.goos, err)
		}
	}
	if _, err := parseURL("sqlserver://host?database=crm", "", "linux"); !strings.Contains(manifest.HintOf(err), "authenticator=krb5") || !strings.Contains(manifest.HintOf(err), "DOMAIN%5CLOGIN") {
		t.Errorf("%v (%s)", err, manifest.HintOf(err))
	}
}

func TestNeedsPassword(t *testing.T) {
	for in, want := range map[string]bool{
		"sqlserver://sa@host?database=crm":                                                          true,
		"sqlserver://host?database=crm&user+id=sa":                                                  true,
		"sqlserver://host?database=crm":                                                             false,
		"sqlserver://k@host?database=crm&authenticator=krb5":                                        false,
		"sqlserver://id@host?database=crm&fedauth=activedirectoryserviceprincipal":                  true,
		"sqlserver://id@host?database=crm&fedauth=ActiveDirectoryServicePrincipal&clientcertpath=x": false,
		"sqlserver://host?database=crm&fedauth=ActiveDirectoryServicePrincipalAccessToken":          true,
		"sqlserver://id@host?database=crm&fedauth=ActiveDirectoryManagedIdentity":                   false,
		"sqlserver://u%40x.example@host?database=crm&fedauth=ActiveDirectoryInteractive":            false,
		"sqlserver://u%40x.example@host?database=crm&fedauth=ActiveDirectoryPassword":               true,
		"sqlserver://%": true,
	} {
		if got := NeedsPassword(in); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}

// Old ciphers and versions are offered where tlsmin asks for them, and nowhere else.
func TestOldCiphers(t *testing.T) {
	old := []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}
	for min, want := range map[string]bool{"": false, "1.3": false, "1.2": false, "1.1": true, "1.0": true} {
		u := "sqlserver://sa@host?database=crm"
		if min != "" {
			u += "&tlsmin=" + min
		}
		got, err := parseURL(u, "x", "linux")
		if err != nil {
			t.Fatal(err)
		}
		c := got.cfg.TLSConfig
		if got.lowered != want || (c.CipherSuites != nil) != want || (c.CurvePreferences != nil) != want {
			t.Errorf("tlsmin=%q: lowered %v, suites %v", min, got.lowered, c.CipherSuites)
		}
		for _, id := range old {
			if want && !slices.Contains(c.CipherSuites, id) {
				t.Errorf("tlsmin=%s does not offer %s", min, tls.CipherSuiteName(id))
			}
		}
		for _, id := range c.CipherSuites {
			if strings.Contains(tls.CipherSuiteName(id), "RC4") {
				t.Errorf("tlsmin=%s offers %s", min, tls.CipherSuiteName(id))
			}
		}
	}
}

// Files of certificates are told by their content, not by their names.
func TestReadCertificates(t *testing.T) {
	c := makeCert(t, nil, nil)
	for _, name := range []string{"a.cer", "a.pem", "a.der", "a"} {
		list, err := readCertificates(certFile(t, name, c))
		if err != nil || len(list) != 1 || !slices.Equal(list[0], c.Certificate[0]) {
			t.Errorf("%s: %d certificates, %v", name, len(list), err)
		}
	}
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCertificates(key); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("a key: %v", err)
	}
}
