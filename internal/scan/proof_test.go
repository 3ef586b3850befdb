package scan_test

import (
	"context"
	"errors"
	"testing"

	"github.com/openomt/omt/internal/login"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// What proves the login stands in the record; what NetServer says of rights counts more than the database; and nobody who
// may not migrate anyway is asked for a password.
func TestProof(t *testing.T) {
	s := small(t)
	w := open(t, s)
	for name, c := range map[string]struct {
		login  string
		rights []string // that are named with --admin-right
		proof  login.Proof
		err    error
		status manifest.Status
		parts  []string
		asked  bool
	}{
		"windows":                      {login: "KK", proof: login.Proof{How: login.ByWindows}, asked: true},
		"database":                     {login: "KK", proof: login.Proof{How: login.ByDatabase}, asked: true},
		"netserver, role":              {login: "KK", proof: login.Proof{How: login.ByNetServer, Role: "user level 0"}, asked: true},
		"netserver, right":             {login: "KK", rights: []string{"admin-all"}, proof: login.Proof{How: login.ByNetServer, Rights: []string{"ADMIN-all"}}, asked: true},
		"netserver makes one":          {login: "GKS", proof: login.Proof{How: login.ByNetServer, Role: "User level 0"}, asked: true},
		"netserver knows another role": {login: "KK", proof: login.Proof{How: login.ByNetServer, Role: "User level 1"}, status: manifest.Refused, parts: []string{"it is no administrator", `its role is "User level 1"`}, asked: true},
		"netserver lacks the right":    {login: "KK", rights: []string{"admin-all"}, proof: login.Proof{How: login.ByNetServer, Rights: []string{"hello"}}, status: manifest.Refused, parts: []string{"with the rights hello"}, asked: true},
		"refused":                      {login: "KK", err: manifest.Errorf(manifest.Refused, "wrong password"), status: manifest.Refused, parts: []string{"wrong password"}, asked: true},
		"failed":                       {login: "KK", err: errors.New("no answer"), status: manifest.Failed, parts: []string{"no answer"}, asked: true},
		"retired":                      {login: "OLD", status: manifest.Refused, parts: []string{"retired"}},
		"a room":                       {login: "ROOM", status: manifest.Refused, parts: []string{"no employee"}},
		"nobody":                       {login: "nobody", status: manifest.Refused, parts: []string{"no associate has it"}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			w.o.Login, w.o.AdminRights = c.login, c.rights
			w.o.Verify = func(_ context.Context, name string, a source.Account) (login.Proof, error) {
				asked = true
				if name != c.login || a.Login != c.login {
					t.Errorf("%q of %q is asked about", name, a.Login)
				}
				return c.proof, c.err
			}
			err := w.run(t)
			if asked != c.asked {
				t.Errorf("asked: %v", asked)
			}
			if c.status != manifest.OK {
				wantError(t, w, err, c.status, c.parts...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := records[manifest.Migrator](t, w, manifest.KindMigrator)[0].Verified; got != c.proof.How {
				t.Errorf("verified %q", got)
			}
		})
	}
}

func TestLive(t *testing.T) {
	w := open(t, small(t))
	for live, want := range map[bool]string{true: "live", false: "test"} {
		w.o.Live = live
		if err := w.run(t); err != nil {
			t.Fatal(err)
		}
		if got := records[manifest.Header](t, w, manifest.KindManifest)[0].Migration; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
