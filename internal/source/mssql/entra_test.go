package mssql

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/openomt/omt/internal/manifest"
)

// Every login by Entra ID makes a connector, under its own name whatever the letter case, and nothing secret is recorded.
func TestEntraConnectors(t *testing.T) {
	for _, c := range []struct{ login, params, password, method, clean string }{
		{"", "fedauth=ActiveDirectoryDefault", "", byDefault, "fedauth=ActiveDirectoryDefault"},
		{"", "fedauth=activedirectoryazcli", "", byAzCli, "fedauth=activedirectoryazcli"},
		{"", "fedauth=ActiveDirectoryAzureDeveloperCli", "", byAzureDeveloperCli, ""},
		{"", "fedauth=ActiveDirectoryEnvironment", "", byEnvironment, ""},
		{"", "fedauth=ActiveDirectoryManagedIdentity", "", byManagedIdentity, ""},
		{"id@", "fedauth=ActiveDirectoryMSI", "", byMSI, ""},
		{"", "fedauth=ActiveDirectoryManagedIdentity&resource+id=/sub/x", "", byManagedIdentity, "fedauth=ActiveDirectoryManagedIdentity&resource+id=%2Fsub%2Fx"},
		{"id%40tenant:inside@", "fedauth=ActiveDirectoryServicePrincipal", "", byServicePrincipal, "fedauth=ActiveDirectoryServicePrincipal"},
		{"id%40tenant@", "fedauth=ACTIVEDIRECTORYAPPLICATION", odd, byApplication, ""},
		{"id@", "fedauth=ActiveDirectoryServicePrincipal&clientcertpath=/c.pem", "", byServicePrincipal, "fedauth=ActiveDirectoryServicePrincipal&clientcertpath=%2Fc.pem"},
		{"", "fedauth=ActiveDirectoryServicePrincipalAccessToken", odd, byAccessToken, ""},
		{"u%40x.example@", "fedauth=ActiveDirectoryPassword&applicationclientid=app", odd, byPassword, "fedauth=ActiveDirectoryPassword&applicationclientid=app"},
		{"u%40x.example@", "fedauth=ActiveDirectoryInteractive&applicationclientid=app", "", byInteractive, ""},
		{"", "fedauth=ActiveDirectoryDeviceCode", "", byDeviceCode, ""},
		{"", "fedauth=ActiveDirectoryWorkloadIdentity&tokenfilepath=/t", "", byWorkloadIdentity, ""},
	} {
		u := "sqlserver://" + c.login + "host?database=crm&" + c.params
		to, err := parseURL(u, c.password, "linux")
		if err != nil {
			t.Errorf("%s: %v (%s)", u, err, manifest.HintOf(err))
			continue
		}
		con, err := newConnector(to, settings{prompt: func(string) {}})
		if err != nil || con.driver == nil || to.login.method != c.method {
			t.Errorf("%s: method %q, %v", u, to.login.method, err)
		}
		person := c.method == byInteractive || c.method == byDeviceCode
		if (con.waits > time.Minute) != person {
			t.Errorf("%s: the login may take %s", u, con.waits)
		}
		d, err := Open(u, c.password, Prompt(func(string) {}))
		if err != nil {
			t.Fatal(err)
		}
		if want := "sqlserver://host?database=crm&"; !strings.HasPrefix(d.URL(), want) || c.clean != "" && d.URL() != want+c.clean ||
			strings.Contains(d.URL(), "inside") || strings.Contains(d.URL(), "tenant") || strings.Contains(d.URL(), odd) {
			t.Errorf("%s is recorded as %s", u, d.URL())
		}
		d.Close()
	}
}

func TestEntraRefuses(t *testing.T) {
	for _, c := range []struct{ url, say, hint string }{
		{"sqlserver://host?database=crm&fedauth=ActiveDirectoryMagic", `"ActiveDirectoryMagic" is not known`, byDefault + ", " + byPassword},
		{"sqlserver://host?database=crm&fedauth=ActiveDirectoryAzurePipelines", "is not known", byWorkloadIdentity},
		{"sqlserver://host?database=crm&fedauth=ActiveDirectoryIntegrated", "is not known", byInteractive},
		{"sqlserver://u:secret@host?database=crm&fedauth=ActiveDirectoryPassword", "needs the parameter applicationclientid", "client ID"},
		{"sqlserver://u@host?database=crm&fedauth=ActiveDirectoryPassword&applicationclientid=a", "needs a login and its password", "OMT_DB_PASSWORD"},
		{"sqlserver://u@host?database=crm&fedauth=ActiveDirectoryInteractive", "needs the parameter applicationclientid", "client ID"},
		{"sqlserver://host?database=crm&fedauth=ActiveDirectoryServicePrincipal&password=secret", "needs the application's client ID as login", "CLIENT-ID%40TENANT-ID"},
		{"sqlserver://id@host?database=crm&fedauth=ActiveDirectoryServicePrincipal", "needs the application's secret in OMT_DB_PASSWORD", "OMT_DB_PASSWORD"},
		{"sqlserver://host?database=crm&fedauth=ActiveDirectoryServicePrincipalAccessToken", "needs an access token in OMT_DB_PASSWORD", "az account get-access-token"},
		{"sqlserver://host?database=crm&fedauth=ActiveDirectoryDeviceCode", "nobody can be told the code here", byAzCli},
	} {
		_, err := Open(c.url, "")
		says(t, err, manifest.Usage, []string{c.say}, []string{c.hint})
		if err != nil && strings.Contains(err.Error(), "secret") && !strings.Contains(c.say, "secret") {
			t.Errorf("the password is in %v", err)
		}
	}
}

// fakeCredential gives a token, and counts.
type fakeCredential struct {
	calls  atomic.Int64
	scopes []string
}

func (c *fakeCredential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.calls.Add(1)
	c.scopes = o.Scopes
	return azcore.AccessToken{Token: "directory-token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// A token goes to the server that asks for it, by the directory that the server names.
func TestEntraLogin(t *testing.T) {
	own := makeCert(t, nil, nil)
	s := (&fakeServer{directory: "https://login.microsoftonline.com/tenant", encryption: encryptOn, tls: serverTLS(own), errors: denied}).start(t)
	con := connectorOf(t, "sqlserver://id@"+s.addr+"?database=crm&TrustServerCertificate=true&fedauth=ActiveDirectoryServicePrincipal")
	cred := &fakeCredential{}
	con.to.login.credential = cred
	for range 2 {
		_, err := con.Connect(t.Context())
		says(t, (&Driver{name: "x"}).explain("connecting to", err), manifest.Usage, []string{"error 18456"}, nil)
	}
	if len(s.tokens) != 2 || !bytes.Contains(s.tokens[1], utf16le("directory-token")) || cred.scopes[0] != "https://database.windows.net//.default" {
		t.Errorf("%d tokens, scopes %q", len(s.tokens), cred.scopes)
	}
	if l := s.last(t); l.password != "" || strings.Contains(string(l.raw), odd) || bytes.Contains(l.raw, utf16le(odd)) {
		t.Error("the secret is sent to the server")
	}

	// A token that is given is sent as it is, and nobody is asked.
	says(t, askWith(t, "sqlserver://"+s.addr+"?database=crm&TrustServerCertificate=true&fedauth=ActiveDirectoryServicePrincipalAccessToken", "a-token"),
		manifest.Usage, []string{"error 18456"}, nil)
	if !bytes.Contains(s.last(t).raw, utf16le("a-token")) {
		t.Error("the token is not sent")
	}

	// A server that names another directory gets nothing, and nobody is asked.
	evil := (&fakeServer{directory: "https://login.microsoftonline.com.evil.example/tenant", encryption: encryptOn, tls: serverTLS(own), errors: denied}).start(t)
	err := ask(t, "sqlserver://id@"+evil.addr+"?database=crm&TrustServerCertificate=true&fedauth=ActiveDirectoryServicePrincipal")
	says(t, err, manifest.Usage, []string{"the login by Entra ID failed: fedauth=ActiveDirectoryServicePrincipal", "evil.example", "none of Entra ID's"}, []string{"FROM EXTERNAL PROVIDER"})
	if len(evil.tokens) > 0 {
		t.Error("the server got a token")
	}

	// A server without Entra ID.
	plain := (&fakeServer{encryption: encryptOn, tls: serverTLS(own), errors: denied}).start(t)
	err = ask(t, "sqlserver://"+plain.addr+"?database=crm&TrustServerCertificate=true&fedauth=ActiveDirectoryManagedIdentity")
	says(t, err, manifest.Usage, []string{"knows no login by Entra ID"}, []string{"take fedauth out"})
}

// What makes a credential needs no directory, and its errors hold no secret.
func TestNewCredential(t *testing.T) {
	for _, m := range entraMethods {
		if m == byAccessToken || m == byEnvironment {
			continue // the one has none, the other asks the variables of this machine
		}
		e := &entra{method: m, user: "id@tenant", password: odd, params: map[string][]string{"applicationclientid": {"app"}, "tokenfilepath": {"/t"}}, prompt: func(string) {}}
		c, err := e.newCredential("https://login.microsoftonline.com", "tenant")
		if err != nil || c == nil {
			t.Errorf("%s: %v", m, err)
		}
	}
	e := &entra{method: byServicePrincipal, user: "id", password: odd, params: map[string][]string{"clientcertpath": {"entra_test.go"}}}
	if _, err := e.newCredential("https://login.microsoftonline.com", "tenant"); err == nil || strings.Contains(err.Error(), odd) {
		t.Errorf("a certificate that is none: %v", err)
	}
	var told string
	d := &entra{method: byDeviceCode, params: map[string][]string{}, prompt: func(text string) { told = text }}
	if err := d.tell(t.Context(), azidentity.DeviceCodeMessage{Message: "enter ABC"}); err != nil || told != "enter ABC" {
		t.Errorf("told %q, %v", told, err)
	}
}

func TestSplitAuthority(t *testing.T) {
	for in, want := range map[string][2]string{
		"https://login.microsoftonline.com/tenant": {"https://login.microsoftonline.com", "tenant"},
		"https://login.windows.net/tenant/":        {"https://login.windows.net", "tenant"},
		"https://LOGIN.microsoftonline.us/x":       {"https://LOGIN.microsoftonline.us", "x"},
		"http://login.microsoftonline.com/tenant":  {},
		"https://login.microsoftonline.com@evil/x": {},
		"https://evil/login.microsoftonline.com/x": {},
		"https://login.microsoftonline.com.evil/x": {},
		"%": {}, "": {},
	} {
		a, tenant, err := splitAuthority(in)
		if a != want[0] || tenant != want[1] || (err == nil) != (want[0] != "") {
			t.Errorf("%q: %q, %q, %v", in, a, tenant, err)
		}
	}
}
