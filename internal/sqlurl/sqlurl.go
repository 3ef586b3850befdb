package sqlurl

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// use is what becomes of a parameter of a URL.
type use int

const (
	kept     use = iota + 1 // says where the database is and how to reach it: recorded
	taken                   // taken, and neither shown nor recorded: it may be a secret, or says nothing of the place
	notTaken                // would change what values look like, log what is sent, or needs what is not built in
)

// parameters are those of the driver and one of ours (snapshot), spelled as they are recorded. No other is taken: a misspelled one would be dropped
// without a word, and with it what it was to protect.
var parameters = []struct {
	name string
	use  use
}{
	{"database", kept}, {"encrypt", kept}, {"TrustServerCertificate", kept}, {"certificate", kept},
	{"serverCertificate", kept}, {"hostNameInCertificate", kept}, {"tlsmin", kept}, {"ServerSPN", kept},
	{"ApplicationIntent", kept}, {"MultiSubnetFailover", kept}, {"failoverpartner", kept}, {"failoverport", kept},
	{"FailoverPartnerSPN", kept}, {"protocol", kept}, {"packet size", kept}, {"connection timeout", kept},
	{"dial timeout", kept}, {"keepAlive", kept}, {"notraceid", kept}, {"epa enabled", kept},
	{"authenticator", kept}, {"krb5-configfile", kept}, {"krb5-keytabfile", kept}, {"krb5-credcachefile", kept},
	{"krb5-realm", kept}, {"krb5-dnslookupkdc", kept}, {"krb5-udppreferencelimit", kept},
	{"fedauth", kept}, {"applicationclientid", kept}, {"resource id", kept}, {"clientcertpath", kept},
	{"sendcertificatechain", kept}, {"tokenfilepath", kept}, {"additionallyallowedtenants", kept},
	{"disableinstancediscovery", kept}, {"snapshot", kept},

	{"user id", taken}, {"uid", taken}, {"user", taken}, {"password", taken}, {"pwd", taken}, {"app name", taken}, {"workstation id", taken}, {"disableretry", taken},

	{"guid conversion", notTaken}, {"timezone", notTaken}, {"log", notTaken}, {"change password", notTaken},
	{"columnencryption", notTaken}, {"pipe", notTaken}, {"server", notTaken}, {"port", notTaken},
	{"serviceconnectionid", notTaken}, {"systemtoken", notTaken}, {"clientassertion", notTaken}, {"userassertion", notTaken},
}

// Kept are the names of the parameters that are recorded.
func Kept() []string {
	var names []string
	for _, p := range parameters {
		if p.use == kept {
			names = append(names, p.name)
		}
	}
	return names
}

// Get looks a parameter up without regard to letter case.
func Get(q url.Values, name string) (string, bool) {
	for k, v := range q {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0], true
		}
	}
	return "", false
}

// Rename gives a parameter its other name, unless something has that.
func Rename(q url.Values, from, to string) {
	v, ok := Get(q, from)
	if _, taken := Get(q, to); ok && !taken {
		q.Set(to, v)
	}
	if ok {
		Drop(q, from)
	}
}

// Drop takes a parameter out.
func Drop(q url.Values, name string) {
	maps.DeleteFunc(q, func(k string, _ []string) bool { return strings.EqualFold(k, name) })
}

func useOf(name string) use {
	for _, p := range parameters {
		if strings.EqualFold(p.name, name) {
			return p.use
		}
	}
	return 0
}

// Check refuses parameters that are not taken or not known. It names one that is not known unless the URL may
// hold a password that was not escaped, whose rest it would be.
func Check(u *url.URL, q url.Values) error {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		use := useOf(name)
		_, long := Get(q, "password")
		_, short := Get(q, "pwd")
		switch {
		case use == notTaken:
			return fmt.Errorf("parameter %q is not taken", strings.ToLower(name))
		case use == 0 && (long || short || strings.Contains(u.RawQuery+u.Path, "@")):
			return fmt.Errorf("it has a parameter that is not known (the characters & ? # @ / of a password are written as %%XX)")
		case use == 0:
			return fmt.Errorf("parameter %q is not known", name)
		case len(q[name]) > 1 || seen[strings.ToLower(name)]:
			return fmt.Errorf("parameter %q is given twice", strings.ToLower(name))
		}
		seen[strings.ToLower(name)] = true
	}
	return nil
}

// Clean is the URL without user info and with kept parameters only, in their order.
func Clean(u *url.URL, params url.Values) string {
	var q []string
	for _, p := range parameters {
		if v, ok := Get(params, p.name); ok && p.use == kept {
			q = append(q, url.QueryEscape(p.name)+"="+url.QueryEscape(v))
		}
	}
	c := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawQuery: strings.Join(q, "&")}
	return c.String()
}
