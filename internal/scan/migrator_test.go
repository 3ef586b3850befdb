package scan_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/scan"
)

// wantError checks the status of err, that its words hold each part, and that no record was written.
func wantError(t *testing.T, w *world, err error, status manifest.Status, parts ...string) {
	t.Helper()
	if got := manifest.StatusOf(err); got != status {
		t.Errorf("status %d, want %d: %v", got, status, err)
	}
	if err == nil {
		return
	}
	text := err.Error() + "\n" + manifest.HintOf(err)
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("error lacks %q: %s", p, text)
		}
	}
	if len(w.bytes) > 0 {
		t.Errorf("records were written: %s", w.bytes)
	}
}

func TestLogin(t *testing.T) {
	s := small(t)
	s.Add("associate", 8, "both", 0, 2, 1, 0, "twice")
	s.Add("associate", 9, "pair", 0, 2, 1, 0, "twice")
	s.Add("associate", 10, "EMP", 0, 2, 77, 0, "kk") // its user name is another's initials, which count first
	w := open(t, s)
	for login, want := range map[string]struct {
		status manifest.Status
		parts  []string
	}{
		"KK": {manifest.OK, nil}, "kk": {manifest.OK, nil}, " kk ": {manifest.OK, nil}, "KARL": {manifest.OK, nil},
		"nobody":             {manifest.Refused, []string{`login "nobody": no associate has it`, "associate.name"}},
		"GONE":               {manifest.Refused, []string{"belonged to somebody who was deleted"}},
		"OLD":                {manifest.Refused, []string{`login "OLD": it is retired`}},
		"ROOM":               {manifest.Refused, []string{"it is no employee (associate.type is 1)"}},
		"EXT":                {manifest.Refused, []string{"it is no employee (associate.type is 4)"}},
		"GKS":                {manifest.Refused, []string{"it is no administrator as far as can be told", `only the role "User level 0"`, `"User level 1" with the rights hello`, "--admin-right"}},
		"gks@example.com":    {manifest.Refused, []string{"no administrator"}},
		"twin@example.com":   {manifest.Refused, []string{"2 associates have it", "--login"}},
		"twice":              {manifest.Refused, []string{"2 associates have it"}},
		"anna@kunde.example": {manifest.Refused, []string{"it is no employee"}},
		"zoe@kunde.example":  {manifest.Refused, []string{"no associate has it"}},
	} {
		t.Run(login, func(t *testing.T) {
			w.o.Login = login
			err := w.run(t)
			if want.status != manifest.OK {
				wantError(t, w, err, want.status, want.parts...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := records[manifest.Migrator](t, w, manifest.KindMigrator)[0].Login; got != "KK" {
				t.Errorf("login %q in the record", got)
			}
		})
	}
}

func TestAdministrators(t *testing.T) {
	for name, c := range map[string]struct {
		rights, roles []string
		login         string
		admins        []string
		how           string
		fails         []string
	}{
		"guessed":           {nil, nil, "KK", []string{"KK"}, "guessed", nil},
		"a right":           {[]string{"ADMIN-all"}, nil, "KK", []string{"KK"}, "confirmed", nil},
		"another's right":   {[]string{"hello"}, nil, "GKS", []string{"GKS", "TWIN2"}, "confirmed", nil},
		"a role":            {nil, []string{"påTEplass"}, "TWIN1", []string{"TWIN1"}, "confirmed", nil},
		"both":              {[]string{"admin-import"}, []string{"User level 1"}, "kk", []string{"KK", "GKS", "TWIN2"}, "confirmed", nil},
		"not the guess":     {nil, []string{"Påteplass"}, "KK", nil, "", []string{`its role is "User level 0" with the rights admin-all, admin-import`}},
		"an unknown right":  {[]string{"admin"}, nil, "KK", nil, "", []string{`--admin-right "admin"`, "there are admin-all, admin-import, hello"}},
		"an unknown role":   {nil, []string{"Boss"}, "KK", nil, "", []string{`--admin-role "Boss"`, "Påteplass, User level 0, User level 1"}},
		"a role of nobody":  {nil, []string{"User level 5"}, "KK", nil, "", []string{`--admin-role "User level 5"`}},
		"no rights by role": {[]string{"User level 0"}, nil, "KK", nil, "", []string{"--admin-right"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, shared)
			w.o.AdminRights, w.o.AdminRoles, w.o.Login = c.rights, c.roles, c.login
			err := w.run(t)
			if c.fails != nil {
				status := manifest.Usage
				if name == "not the guess" {
					status = manifest.Refused
				}
				wantError(t, w, err, status, c.fails...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var admins []string
			for _, u := range records[manifest.User](t, w, manifest.KindUser) {
				if u.Admin {
					admins = append(admins, u.Login)
				}
			}
			if d := cmp.Diff(c.admins, admins); d != "" {
				t.Error(d)
			}
			if how := records[manifest.Migrator](t, w, manifest.KindMigrator)[0].Admin; how != c.how {
				t.Errorf("recorded as %q, want %q", how, c.how)
			}
			if log := w.log.String(); !strings.Contains(log, "admin-all, admin-import, hello") {
				t.Errorf("the log does not name the rights: %s", log)
			}
			said := strings.Join(w.said, "\n")
			if guessed := strings.Contains(said, "which is a guess"); guessed != (c.how == "guessed") {
				t.Errorf("said %q", said)
			}
		})
	}
}

// TestRolesAreNotRenamed holds that a translated role is not taken for the guessed one.
func TestNobodyHasTheGuessedRole(t *testing.T) {
	s := small(t)
	s.Table("Role").Rows[0][1] = "Brukernivå 0"
	w := open(t, s)
	wantError(t, w, w.run(t), manifest.Refused, "no administrator as far as can be told", "Brukernivå 0", "--admin-role")
}

// answers is a console that answers from a list.
type answers struct {
	list    []string
	prompts []string
}

func (a *answers) ask(_ context.Context, prompt string) (string, error) {
	a.prompts = append(a.prompts, prompt)
	if len(a.list) == 0 {
		return "", io.EOF
	}
	answer := a.list[0]
	a.list = a.list[1:]
	return answer, nil
}

func TestAsking(t *testing.T) {
	const (
		name   = "name of who migrates [Karl Klopp]: "
		emails = "e-mail address, one of\n  1  kk@example.com\n  2  karl@example.com\nits number, or another [1]: "
		phones = "phone, one of\n  1  93466018\n  2  22334455\nits number, or another [1]: "
		lang   = "language [en]: "
		login  = "login of the administrator who migrates: "
	)
	for what, c := range map[string]struct {
		given   scan.Person
		login   string
		answers []string
		prompts []string
		want    scan.Person
		fails   []string
	}{
		"everything, taking what is offered": {
			answers: []string{"kk", "", "", "", ""}, prompts: []string{login, name, emails, phones, lang},
			want: scan.Person{Name: "Karl Klopp", Email: "kk@example.com", Phone: "93466018", Language: "en"},
		},
		"by number, and typed": {
			login: "KK", answers: []string{" Karl K. ", "2", "+47 22 33", "nb-NO"}, prompts: []string{name, emails, phones, lang},
			want: scan.Person{Name: "Karl K.", Email: "karl@example.com", Phone: "+47 22 33", Language: "nb-NO"},
		},
		"only what is missing": {
			login: "KK", given: scan.Person{Name: " K ", Phone: "1", Language: "de"}, answers: []string{"k@x"}, prompts: []string{emails},
			want: scan.Person{Name: "K", Email: "k@x", Phone: "1", Language: "de"},
		},
		"asked again": {
			login: "KK", given: scan.Person{Name: "K", Phone: "1", Language: "de"}, answers: []string{"3x", "no address", "a@b"}, prompts: []string{emails, emails, emails},
			want: scan.Person{Name: "K", Email: "a@b", Phone: "1", Language: "de"},
		},
		"never a good answer": {
			login: "KK", given: scan.Person{Name: "K", Phone: "1", Language: "de"}, answers: []string{"3x", "no address", "a b@c", "a@b"}, prompts: []string{emails, emails, emails},
			fails: []string{"--migrator-email was asked for and not answered"},
		},
		"the input ends": {login: "KK", prompts: []string{name}, fails: []string{"--migrator-name was asked for and not answered"}},
		"no login":       {answers: []string{"", "", "  "}, prompts: []string{login, login, login}, fails: []string{"--login was asked for"}},
	} {
		t.Run(what, func(t *testing.T) {
			w := open(t, shared)
			a := &answers{list: c.answers}
			w.o.Ask, w.o.Migrator, w.o.Login = a.ask, c.given, c.login
			err := w.run(t)
			if d := cmp.Diff(c.prompts, a.prompts); d != "" {
				t.Error(d)
			}
			if c.fails != nil {
				wantError(t, w, err, manifest.Usage, c.fails...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m := records[manifest.Migrator](t, w, manifest.KindMigrator)[0]
			if d := cmp.Diff(c.want, scan.Person{Name: m.Name, Email: m.Email, Phone: m.Phone, Language: m.Language}); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNobodyToAsk(t *testing.T) {
	w := open(t, shared)
	w.o.Migrator.Email, w.o.Login = " ", ""
	if d := cmp.Diff([]string{"--login", "--migrator-email"}, w.o.Missing()); d != "" {
		t.Error(d)
	}
	wantError(t, w, w.run(t), manifest.Usage, "nobody to ask", "give --login, --migrator-email")
}

func TestValidate(t *testing.T) {
	for want, o := range map[string]scan.Options{
		`--migrator-email "kk": want an address`:   {Migrator: scan.Person{Email: "kk"}},
		`--migrator-phone "none": want a number`:   {Migrator: scan.Person{Phone: "none"}},
		`--migrator-language "English": want a co`: {Migrator: scan.Person{Language: "English"}},
		`area "mail" is not known`:                 {Only: []manifest.Area{"mail"}},
		"an age below zero":                        {OlderThan: -1},
	} {
		err := o.Validate()
		if err == nil || !strings.Contains(err.Error(), want) || manifest.StatusOf(err) != manifest.Usage {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := (scan.Options{Migrator: scan.Person{Email: "k@x", Phone: "+47 1", Language: "nb-NO"}}).Validate(); err != nil {
		t.Error(err)
	}
}
