package azblob

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

// Place is where objects go and by what right.
type Place struct {
	Endpoint  string // scheme, host and, where it stands in the path, the account
	Account   string // of azblob:// alone
	Container string
	Prefix    string // empty, or ends with a slash

	sas string // the query of a SAS
	key string // of the account
}

// Is tells URLs that are this package's.
func Is(to string) bool {
	scheme, _, found := strings.Cut(strings.ToLower(to), "://")
	return found && (scheme == "https" || scheme == "http" || scheme == "azblob")
}

// Secrets are what must appear nowhere: the signature, in the forms in which it might, and the account's key.
func (p Place) Secrets() []string {
	var s []string
	if q, err := url.ParseQuery(p.sas); err == nil && q.Get("sig") != "" {
		sig := q.Get("sig")
		s = append(s, sig, url.QueryEscape(sig))
	}
	if p.key != "" {
		s = append(s, p.key)
	}
	return s
}

// URL names the place without secrets.
func (p Place) URL() string {
	return p.Endpoint + "/" + p.Container + strings.TrimSuffix("/"+p.Prefix, "/")
}

// Parse reads a URL. Its text is never quoted in an error.
func Parse(to string, getenv func(string) string) (Place, error) {
	u, err := url.Parse(to)
	if err != nil {
		return Place{}, errors.New("not a URL (it is not repeated here, since it may hold a signature)")
	}
	if u.User != nil || u.Fragment != "" {
		return Place{}, errors.New("a URL of Azure has neither user nor fragment")
	}
	if strings.EqualFold(u.Scheme, "azblob") {
		return parseNamed(u, getenv)
	}
	return parseSigned(u)
}

func parseSigned(u *url.URL) (Place, error) {
	p := Place{sas: u.RawQuery}
	elements := strings.Split(strings.Trim(u.Path, "/"), "/")
	endpoint := url.URL{Scheme: strings.ToLower(u.Scheme), Host: strings.ToLower(u.Host)}
	if err := web.CheckPlain(&endpoint); err != nil {
		return p, err
	}
	p.Endpoint = endpoint.String()
	if inPath(endpoint.Hostname()) {
		if len(elements) < 2 {
			return p, errors.New("want http://HOST/ACCOUNT/CONTAINER")
		}
		p.Endpoint += "/" + elements[0]
		elements = elements[1:]
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return p, errors.New("its query is not readable (it is not repeated here, since it holds a signature); quote the URL, or keep it in a file")
	}
	if q.Get("sig") == "" {
		return p, errors.New("it has no shared access signature (sig=…); with a key or a login, write azblob://CONTAINER")
	}
	return p, p.take(elements)
}

// inPath tells hosts whose URLs hold the account in their path.
func inPath(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host) != nil
}

func parseNamed(u *url.URL, getenv func(string) string) (Place, error) {
	p := Place{Account: getenv("AZURE_STORAGE_ACCOUNT"), key: getenv("AZURE_STORAGE_KEY")}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return p, errors.New("its query is not readable")
	}
	for name := range q {
		if name != "endpoint" {
			return p, errors.New("its query holds a parameter that is not known: azblob:// has endpoint alone; a SAS goes into an https:// URL or AZURE_STORAGE_SAS_TOKEN")
		}
	}
	if p.key == "" {
		p.sas = strings.TrimPrefix(getenv("AZURE_STORAGE_SAS_TOKEN"), "?")
	}
	if !accountName.MatchString(p.Account) {
		return p, errors.New("azblob:// needs the name of the storage account in AZURE_STORAGE_ACCOUNT")
	}
	p.Endpoint = "https://" + p.Account + ".blob.core.windows.net"
	if e := q.Get("endpoint"); e != "" {
		eu, err := url.Parse(e)
		if err != nil || eu.User != nil || eu.RawQuery != "" || eu.Fragment != "" {
			return p, errors.New("endpoint is not the URL of a service, such as https://ACCOUNT.blob.core.windows.net")
		}
		if err := web.CheckPlain(eu); err != nil {
			return p, fmt.Errorf("endpoint: %w", err)
		}
		p.Endpoint = strings.TrimSuffix(e, "/")
	}
	return p, p.take(append([]string{u.Host}, strings.Split(strings.Trim(u.Path, "/"), "/")...))
}

var (
	accountName   = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	containerName = regexp.MustCompile(`^(?:\$root|[a-z0-9](?:-?[a-z0-9])+)$`)
)

// take reads container and prefix.
func (p *Place) take(elements []string) error {
	p.Container = elements[0]
	if !containerName.MatchString(p.Container) || len(p.Container) < 3 || len(p.Container) > 63 {
		return fmt.Errorf("%q is no name of a container: 3 to 63 lower-case letters, digits and single hyphens", p.Container)
	}
	p.Prefix = strings.Join(elements[1:], "/")
	if p.Prefix == "" {
		return nil
	}
	if err := destination.CheckName(path.Join(p.Prefix, "x")); err != nil {
		return fmt.Errorf("the part of the URL below the container: %w", err)
	}
	p.Prefix += "/"
	return nil
}

// lacks names the rights that a SAS says it does not give; nothing where it does not say.
func (p Place) lacks(write bool) []string {
	q, err := url.ParseQuery(p.sas)
	if err != nil || q.Get("sp") == "" {
		return nil
	}
	var lacks []string
	for _, r := range rights {
		if (write || !r.write) && !strings.Contains(q.Get("sp"), r.letter) {
			lacks = append(lacks, r.name)
		}
	}
	return lacks
}

type right struct {
	letter, name string
	write        bool
}

var rights = []right{{"r", "read (r)", false}, {"l", "list (l)", false}, {"c", "create (c)", true}, {"w", "write (w)", true}}
