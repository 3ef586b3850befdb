package mssql_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/mssql"
)

// One database is known by whatever name its server is reached.
func TestFingerprint(t *testing.T) {
	s := connect(t)
	raw, password := s.create(t)
	of := func(change func(u *url.URL, q url.Values)) (print, at string) {
		t.Helper()
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		change(u, q)
		u.RawQuery = q.Encode()
		d, err := mssql.Open(u.String(), password)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if print, err = d.Fingerprint(t.Context()); err != nil {
			t.Fatal(err)
		}
		return print, d.URL()
	}
	first, at := of(func(*url.URL, url.Values) {})
	ways := map[string]func(u *url.URL, q url.Values){
		"letter case": func(_ *url.URL, q url.Values) { q.Set("database", strings.ToUpper(q.Get("database"))) },
		"a parameter": func(_ *url.URL, q url.Values) { q.Set("packet size", "8192") },
	}
	if s.url.Hostname() == "127.0.0.1" {
		ways["a host name"] = func(u *url.URL, _ url.Values) { u.Host = "localhost:" + u.Port() }
	}
	for what, change := range ways {
		if print, other := of(change); print != first || other == at {
			t.Errorf("%s: %s (%s) is taken for another database than %s (%s)", what, other, print, at, first)
		}
	}
	raw, password = s.create(t)
	if print, other := of(func(*url.URL, url.Values) {}); print == first {
		t.Errorf("%s is taken for %s", other, at)
	}
}

// What becomes another type is named.
func TestNotes(t *testing.T) {
	s := connect(t)
	raw, password := s.create(t)
	l, err := mssql.OpenLoader(raw, password)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	table := source.Table{Name: "a", Key: []string{"id"}, Columns: []source.Column{
		{Name: "id", Type: source.ParseType("int")}, {Name: "rv", Type: source.ParseType("rowversion")},
	}}
	if err := l.Begin(t.Context(), "run", "crm7", []source.Table{table}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1 column of type rowversion made binary(8): crm7.a.rv"}, source.MergeNotes(l.Notes())); d != "" {
		t.Error(d)
	}
}
