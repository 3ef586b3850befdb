package mssql

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	mssqldb "github.com/microsoft/go-mssqldb"
	"github.com/pkg/browser"

	"github.com/openomt/omt/internal/sqlurl"
)

// The logins by Entra ID, the values of fedauth.
const (
	byDefault           = "ActiveDirectoryDefault"
	byPassword          = "ActiveDirectoryPassword"
	byManagedIdentity   = "ActiveDirectoryManagedIdentity"
	byMSI               = "ActiveDirectoryMSI"
	byServicePrincipal  = "ActiveDirectoryServicePrincipal"
	byApplication       = "ActiveDirectoryApplication"
	byAccessToken       = "ActiveDirectoryServicePrincipalAccessToken"
	byInteractive       = "ActiveDirectoryInteractive"
	byDeviceCode        = "ActiveDirectoryDeviceCode"
	byAzCli             = "ActiveDirectoryAzCli"
	byAzureDeveloperCli = "ActiveDirectoryAzureDeveloperCli"
	byEnvironment       = "ActiveDirectoryEnvironment"
	byWorkloadIdentity  = "ActiveDirectoryWorkloadIdentity"
)

var entraMethods = []string{byDefault, byPassword, byManagedIdentity, byMSI, byServicePrincipal, byApplication, byAccessToken,
	byInteractive, byDeviceCode, byAzCli, byAzureDeveloperCli, byEnvironment, byWorkloadIdentity}

// personWaits is how long a login may take that a person does in a browser.
const personWaits = 10 * time.Minute

// entra is a login by Entra ID. Its credential is made once and kept, so that a person who logs in does so once and not
// for every connection.
type entra struct {
	method         string // one of entraMethods
	user, password string
	params         url.Values
	prompt         func(text string)

	mu         sync.Mutex
	credential azcore.TokenCredential
}

// parseEntra reads the parameters of a login by Entra ID; nil when fedauth is not given.
func parseEntra(params url.Values, user, password string) (*entra, error) {
	value, ok := sqlurl.Get(params, "fedauth")
	if !ok {
		return nil, nil
	}
	i := slices.IndexFunc(entraMethods, func(m string) bool { return strings.EqualFold(m, value) })
	if i < 0 {
		return nil, usagef("parameter fedauth: %q is not known", value).WithHint("the logins by Entra ID are %s", strings.Join(entraMethods, ", "))
	}
	e := &entra{method: entraMethods[i], user: user, password: password, params: params}
	client, certificate := e.param("applicationclientid"), e.param("clientcertpath")
	lacks := func(what, hint string) error {
		return usagef("fedauth=%s needs %s", e.method, what).WithHint("%s", hint)
	}
	switch e.method {
	case byPassword:
		switch {
		case client == "":
			return nil, lacks("the parameter applicationclientid", "it is the client ID of an application of your directory that may log in to Azure SQL")
		case user == "" || password == "":
			return nil, lacks("a login and its password", urlHint)
		}
	case byInteractive:
		if client == "" {
			return nil, lacks("the parameter applicationclientid", "it is the client ID of an application of your directory that may log in to Azure SQL")
		}
	case byServicePrincipal, byApplication:
		switch {
		case user == "":
			return nil, lacks("the application's client ID as login", "the login in the URL is the client ID, or CLIENT-ID%40TENANT-ID, and the secret stands in OMT_DB_PASSWORD")
		case password == "" && certificate == "":
			return nil, lacks("the application's secret in OMT_DB_PASSWORD, or its certificate in the parameter clientcertpath", urlHint)
		}
	case byAccessToken:
		if password == "" {
			return nil, lacks("an access token in OMT_DB_PASSWORD", "such as the one that az account get-access-token --resource https://database.windows.net prints")
		}
	}
	return e, nil
}

// entraNeedsPassword reports whether OMT_DB_PASSWORD is the only way to log in so.
func entraNeedsPassword(params url.Values) bool {
	method, _ := sqlurl.Get(params, "fedauth")
	if certificate, _ := sqlurl.Get(params, "clientcertpath"); certificate != "" {
		return false
	}
	return slices.ContainsFunc([]string{byPassword, byServicePrincipal, byApplication, byAccessToken}, func(m string) bool { return strings.EqualFold(m, method) })
}

func (e *entra) param(name string) string {
	v, _ := sqlurl.Get(e.params, name)
	return v
}

// waits is how long the login may take beyond that of a program.
func (e *entra) waits() time.Duration {
	if e != nil && (e.method == byInteractive || e.method == byDeviceCode) {
		return personWaits
	}
	return 0
}

// connector makes the driver's connector with this login.
func (e *entra) connector(t target) (*mssqldb.Connector, error) {
	switch e.method {
	case byAccessToken:
		return mssqldb.NewSecurityTokenConnector(t.cfg, func(context.Context) (string, error) { return e.password, nil })
	case byManagedIdentity, byMSI:
		return mssqldb.NewActiveDirectoryTokenConnector(t.cfg, mssqldb.FedAuthADALWorkflowMSI, e.token)
	}
	return mssqldb.NewActiveDirectoryTokenConnector(t.cfg, mssqldb.FedAuthADALWorkflowPassword, e.token)
}

// token gets an access token for the server whose name and directory the server has told.
func (e *entra) token(ctx context.Context, serverSPN, stsURL string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.credential == nil {
		authority, tenant, err := splitAuthority(stsURL)
		if err != nil {
			return "", &entraError{e.method, err}
		}
		c, err := e.newCredential(authority, tenant)
		if err != nil {
			return "", &entraError{e.method, err}
		}
		e.credential = c
	}
	scope := serverSPN
	if !strings.HasSuffix(scope, "/.default") {
		scope += "/.default"
	}
	t, err := e.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		return "", &entraError{e.method, err}
	}
	return t.Token, nil
}

// entraError is a login that Entra ID, or what asks it, refused.
type entraError struct {
	method string
	err    error
}

func (e *entraError) Error() string { return "fedauth=" + e.method + ": " + e.err.Error() }
func (e *entraError) Unwrap() error { return e.err }

// authorities are the hosts of Entra ID in its clouds. The server says which one to ask; any other would be sent the
// password by whoever poses as the server.
var authorities = []string{"login.microsoftonline.com", "login.windows.net", "sts.windows.net", "login.microsoft.com",
	"login.microsoftonline.us", "login.usgovcloudapi.net", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn"}

// splitAuthority takes "https://login.microsoftonline.com/TENANT" apart.
func splitAuthority(stsURL string) (authority, tenant string, err error) {
	u, err := url.Parse(stsURL)
	if err != nil || u.Scheme != "https" || !slices.Contains(authorities, strings.ToLower(u.Host)) {
		return "", "", fmt.Errorf("the server names %q as the directory to ask, which is none of Entra ID's", stsURL)
	}
	return "https://" + u.Host, path.Base(strings.TrimSuffix(u.Path, "/")), nil
}

// splitClient takes CLIENT@TENANT apart.
func splitClient(user string) (client, tenant string) {
	client, tenant, _ = strings.Cut(user, "@")
	return client, tenant
}

// newCredential makes the credential of a method. What the driver's own package for this does is done here because that
// package writes device codes to standard output, where records belong, and logs in anew for every connection.
func (e *entra) newCredential(authority, tenant string) (azcore.TokenCredential, error) {
	client := azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: authority}}
	others := e.tenants()
	noDiscovery := strings.EqualFold(e.param("disableinstancediscovery"), "true")
	id, own := splitClient(e.user)
	switch e.method {
	case byPassword:
		//nolint:staticcheck // deprecated since it knows no second factor; a directory that allows it still has it
		return azidentity.NewUsernamePasswordCredential(tenant, e.param("applicationclientid"), e.user, e.password, &azidentity.UsernamePasswordCredentialOptions{
			ClientOptions: client, AdditionallyAllowedTenants: others, DisableInstanceDiscovery: noDiscovery})
	case byManagedIdentity, byMSI:
		return e.managedIdentity(id)
	case byServicePrincipal, byApplication:
		if own != "" {
			tenant = own
		}
		return e.servicePrincipal(client, tenant, id, others, noDiscovery)
	case byInteractive:
		browser.Stdout, browser.Stderr = io.Discard, io.Discard // what a browser prints must not come between records
		return azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
			ClientOptions: client, ClientID: e.param("applicationclientid"), TenantID: tenant, LoginHint: e.user,
			AdditionallyAllowedTenants: others, DisableInstanceDiscovery: noDiscovery})
	case byDeviceCode:
		return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: client, ClientID: e.param("applicationclientid"), TenantID: tenant,
			AdditionallyAllowedTenants: others, DisableInstanceDiscovery: noDiscovery,
			UserPrompt: e.tell})
	case byAzCli:
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{AdditionallyAllowedTenants: others})
	case byAzureDeveloperCli:
		return azidentity.NewAzureDeveloperCLICredential(&azidentity.AzureDeveloperCLICredentialOptions{AdditionallyAllowedTenants: others})
	case byEnvironment:
		return azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: noDiscovery})
	case byWorkloadIdentity:
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: client, ClientID: id, TenantID: own, TokenFilePath: e.param("tokenfilepath"),
			AdditionallyAllowedTenants: others, DisableInstanceDiscovery: noDiscovery})
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: client, AdditionallyAllowedTenants: others, DisableInstanceDiscovery: noDiscovery})
}

// tell shows a person the code and where to enter it.
func (e *entra) tell(_ context.Context, m azidentity.DeviceCodeMessage) error {
	e.prompt(m.Message)
	return nil
}

// tenants are the directories besides its own that a login may ask.
func (e *entra) tenants() []string {
	return strings.FieldsFunc(e.param("additionallyallowedtenants"), func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
}

func (e *entra) managedIdentity(id string) (azcore.TokenCredential, error) {
	o := &azidentity.ManagedIdentityCredentialOptions{}
	if r := e.param("resource id"); r != "" {
		o.ID = azidentity.ResourceID(r)
	} else if id != "" {
		o.ID = azidentity.ClientID(id)
	}
	return azidentity.NewManagedIdentityCredential(o)
}

func (e *entra) servicePrincipal(client azcore.ClientOptions, tenant, id string, others []string, noDiscovery bool) (azcore.TokenCredential, error) {
	file := e.param("clientcertpath")
	if file == "" {
		return azidentity.NewClientSecretCredential(tenant, id, e.password, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: client, AdditionallyAllowedTenants: others, DisableInstanceDiscovery: noDiscovery})
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	certs, key, err := azidentity.ParseCertificates(data, []byte(e.password))
	if err != nil {
		return nil, err
	}
	return azidentity.NewClientCertificateCredential(tenant, id, certs, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: client, AdditionallyAllowedTenants: others, DisableInstanceDiscovery: noDiscovery,
		SendCertificateChain: strings.EqualFold(e.param("sendcertificatechain"), "true")})
}
