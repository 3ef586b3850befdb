package login

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// Path is what follows NetServer's URL.
const Path = "/api/v1/User/currentPrincipal"

// answerLimit is how long an answer may be, and how long it may take.
const (
	answerLimit = 1 << 20
	timeLimit   = time.Minute
)

// Principal is what NetServer says of who logged in.
type Principal struct {
	UserType       string
	Associate      string
	AssociateID    int64 `json:"AssociateId"`
	UserName       string
	RoleName       string
	FunctionRights []string
}

// NetServer asks one NetServer.
type NetServer struct {
	URL    *url.URL
	Client *http.Client  // must not follow redirects
	Limit  time.Duration // how long an answer may take; 0: a minute
	// Network makes an error of the way there one that says what to do, without what was sent; nil: the error as it is.
	Network func(ctx context.Context, doing string, err error) error
}

// ParseURL reads what --netserver takes: the address in front of /api/v1.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	hint := "write https://HOST/PATH, the address in front of " + Path
	switch {
	case err != nil:
		return nil, manifest.Errorf(manifest.Usage, "it is not a URL").WithHint("%s", hint)
	case u.User != nil:
		return nil, manifest.Errorf(manifest.Usage, "it holds a user name or a password").
			WithHint("the login is given with --login; the password is asked for, or given with --netserver-password @FILE")
	case u.Scheme != "https":
		return nil, manifest.Errorf(manifest.Usage, "want https, since a password is sent").WithHint("%s", hint)
	case u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return nil, manifest.Errorf(manifest.Usage, "want an address with a host, without ? and #").WithHint("%s", hint)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), Path)
	u.Path, u.RawPath = strings.TrimRight(strings.TrimSuffix(u.Path, "/api/v1"), "/"), ""
	return u, nil
}

// Ask logs in once.
func (n NetServer) Ask(ctx context.Context, user, password string) (Principal, error) {
	limit := n.Limit
	if limit <= 0 {
		limit = timeLimit
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	doing := fmt.Sprintf("asking NetServer at %s", n.URL)
	req, err := http.NewRequestWithContext(timed, http.MethodGet, n.URL.String()+Path, nil)
	if err != nil {
		return Principal{}, manifest.Errorf(manifest.Usage, "%s: %w", doing, err)
	}
	req.SetBasicAuth(user, password)
	req.Header.Set("Accept", "application/json")
	resp, err := n.Client.Do(req)
	if err != nil {
		return Principal{}, n.unreachable(ctx, timed, limit, doing, err)
	}
	defer resp.Body.Close()
	if err := refusal(doing, user, resp); err != nil {
		return Principal{}, err
	}
	var p Principal
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	switch {
	case err != nil:
		return Principal{}, n.unreachable(ctx, timed, limit, doing, err)
	case len(body) > answerLimit:
		return Principal{}, notNetServer(doing, "the answer is longer than any principal is")
	case json.Unmarshal(body, &p) != nil:
		return Principal{}, notNetServer(doing, "the answer is not the JSON of a principal")
	case p.AssociateID == 0:
		return Principal{}, notNetServer(doing, "the answer names no AssociateId")
	}
	return p, nil
}

func notNetServer(doing, what string) error {
	return manifest.Errorf(manifest.Failed, "%s: %s", doing, what).
		WithHint("check the address: it is the one in front of %s, and a NetServer must answer there; without --netserver the database's login counts", Path)
}

// unreachable explains why there is no answer.
func (n NetServer) unreachable(ctx, timed context.Context, limit time.Duration, doing string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	case timed.Err() != nil:
		return manifest.Errorf(manifest.Failed, "%s: no answer within %s", doing, limit).
			WithHint("check that NetServer runs and that nothing between keeps the way closed; then run the same command again")
	}
	if n.Network != nil {
		err = n.Network(ctx, doing, err)
	} else {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		err = fmt.Errorf("%s: %w", doing, err)
	}
	e := manifest.Errorf(manifest.Failed, "%w", err)
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return e.WithHint("the address must be one that speaks https")
	}
	return e.WithHint("check the address, the network and, behind a proxy, HTTPS_PROXY and NO_PROXY; without --netserver the database's login counts")
}

// refusal explains a status that is not 200.
func refusal(doing, user string, resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusUnauthorized:
		e := manifest.Errorf(manifest.Refused, "%s: it refuses the user name %q or its password (401)", doing, user)
		if schemes, basic := offered(resp.Header); len(schemes) > 0 && !basic {
			return e.WithHint("it offers %s and not Basic: basic authentication is off there, which the vendor describes how to switch on; "+
				"a right password is refused without it", strings.Join(schemes, ", "))
		}
		return e.WithHint("it was asked once and is not asked again, since wrong passwords lock accounts; check login and password, and that basic authentication is on there")
	case code == http.StatusForbidden:
		return manifest.Errorf(manifest.Refused, "%s: the user name %q may not use it (403)", doing, user)
	case code >= 300 && code < 400:
		where := "elsewhere"
		if u, err := resp.Location(); err == nil {
			where = u.Scheme + "://" + u.Host + u.Path
		}
		return manifest.Errorf(manifest.Usage, "%s: it sends on to %s (%d), where no password is sent", doing, where, code).
			WithHint("give the address of NetServer itself, in front of %s", Path)
	case code == http.StatusNotFound:
		return manifest.Errorf(manifest.Usage, "%s: there is no %s (404)", doing, Path).
			WithHint("give the address in front of %s; the REST service of NetServer must be installed", Path)
	default:
		return manifest.Errorf(manifest.Failed, "%s: it answers with status %d", doing, code).
			WithHint("look into NetServer's log; then run the same command again")
	}
}

// offered are the schemes of authentication that an answer lists.
func offered(h http.Header) (schemes []string, basic bool) {
	for _, v := range h.Values("WWW-Authenticate") {
		name, _, _ := strings.Cut(strings.TrimSpace(v), " ")
		schemes = append(schemes, name)
		basic = basic || strings.EqualFold(name, "Basic")
	}
	return schemes, basic
}
