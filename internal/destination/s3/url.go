package s3

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

const amazon = "https://s3.amazonaws.com"

// Place is where objects go and by what right.
type Place struct {
	Endpoint string // scheme and host
	Region   string // empty: the service is asked
	Bucket   string
	Prefix   string // empty, or ends with a slash

	access, secret, session string // empty: those of the shared file
	file, profile           string
}

// Is tells URLs that are this package's.
func Is(to string) bool { return strings.HasPrefix(strings.ToLower(to), "s3://") }

// Secrets are what must appear nowhere.
func (p Place) Secrets() []string { return []string{p.secret, p.session} }

// URL names the place without secrets.
func (p Place) URL() string {
	u := "s3://" + p.Bucket + strings.TrimSuffix("/"+p.Prefix, "/")
	if p.Endpoint != amazon {
		u += "?endpoint=" + p.Endpoint
	}
	return u
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// Parse reads a URL. Its text is never quoted in an error.
func Parse(to string, getenv func(string) string) (Place, error) {
	u, err := url.Parse(to)
	if err != nil {
		return Place{}, errors.New("not a URL (it is not repeated here)")
	}
	if u.User != nil || u.Fragment != "" {
		return Place{}, errors.New("an s3 URL has neither user nor fragment; keys go into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	p := Place{
		Endpoint: amazon, Bucket: u.Host,
		access: getenv("AWS_ACCESS_KEY_ID"), secret: getenv("AWS_SECRET_ACCESS_KEY"), session: getenv("AWS_SESSION_TOKEN"),
		file: getenv("AWS_SHARED_CREDENTIALS_FILE"), profile: getenv("AWS_PROFILE"),
	}
	if (p.access == "") != (p.secret == "") {
		return p, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together, and one is not set")
	}
	if !bucketName.MatchString(p.Bucket) {
		return p, fmt.Errorf("%q is no name of a bucket: 3 to 63 lower-case letters, digits, hyphens and full stops", p.Bucket)
	}
	if err := p.query(u); err != nil {
		return p, err
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if p.Region == "" {
			p.Region = getenv(name)
		}
	}
	if p.Region == "" && p.Endpoint != amazon {
		p.Region = "us-east-1"
	}
	if p.Prefix = strings.Trim(u.Path, "/"); p.Prefix != "" {
		if err := destination.CheckName(path.Join(p.Prefix, "x")); err != nil {
			return p, fmt.Errorf("the part of the URL below the bucket: %w", err)
		}
		p.Prefix += "/"
	}
	return p, nil
}

func (p *Place) query(u *url.URL) error {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("its query is not readable")
	}
	for name := range q {
		if name != "endpoint" && name != "region" {
			return errors.New("its query holds a parameter that is not known: s3:// has endpoint and region") // not quoted: it may be a secret
		}
	}
	p.Region = q.Get("region")
	e := q.Get("endpoint")
	if e == "" {
		return nil
	}
	eu, err := url.Parse(e)
	if err != nil || eu.User != nil || strings.Trim(eu.Path, "/") != "" || eu.RawQuery != "" || eu.Fragment != "" {
		return errors.New("endpoint is not the URL of a service: want https://HOST[:PORT]")
	}
	if err := web.CheckPlain(eu); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	p.Endpoint = eu.Scheme + "://" + strings.ToLower(eu.Host)
	return nil
}
