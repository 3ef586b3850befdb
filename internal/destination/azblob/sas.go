package azblob

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// signer adds the SAS to each request that leaves, and asks for a newer one when it is refused.
type signer struct {
	place  Place
	getenv func(string) string
	again  func() (value string, ok bool, err error)

	mu  sync.Mutex
	sas string
}

func (s *signer) current() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sas
}

// Do implements policy.Policy.
func (s *signer) Do(req *policy.Request) (*http.Response, error) {
	plain := *req.Raw().URL
	used := s.current()
	s.sign(req, plain, used)
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	fresh, ok := s.renew(used)
	if !ok {
		return resp, nil
	}
	if err := req.RewindBody(); err != nil {
		return resp, nil
	}
	resp.Body.Close()
	s.sign(req, plain, fresh)
	return req.Next()
}

func (s *signer) sign(req *policy.Request, plain url.URL, sas string) {
	if plain.RawQuery != "" {
		plain.RawQuery += "&"
	}
	plain.RawQuery += sas
	req.Raw().URL = &plain
}

// renew gives another SAS than the one that was refused, if there is one.
func (s *signer) renew(used string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sas != used {
		return s.sas, true
	}
	if s.again == nil {
		return "", false
	}
	value, ok, err := s.again()
	if !ok || err != nil {
		return "", false
	}
	p, err := Parse(value, s.getenv)
	if err != nil || p.URL() != s.place.URL() || p.sas == used {
		return "", false
	}
	s.sas = p.sas
	return p.sas, true
}

// lifetime says in words what the SAS says of itself that explains a refusal.
func (s *signer) lifetime(now time.Time) string {
	q, err := url.ParseQuery(s.current())
	if err != nil {
		return ""
	}
	if until, ok := sasTime(q.Get("se")); ok && !now.Before(until) {
		return fmt.Sprintf("; the SAS expired at %s: put a new one into the file that --to names, or give it, and run the same command again", until.Format(time.RFC3339))
	}
	if from, ok := sasTime(q.Get("st")); ok && now.Before(from) {
		return fmt.Sprintf("; the SAS is good from %s on", from.Format(time.RFC3339))
	}
	return ""
}

// sasTime reads a time in the forms that a SAS may have.
func sasTime(v string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(form, v); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
