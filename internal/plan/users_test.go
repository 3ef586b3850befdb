package plan

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/openomt/omt/internal/manifest"
)

// shown is choices as text.
func shown(list []Choice) []string {
	var out []string
	for _, c := range list {
		s := fmt.Sprintf("%s|%s|%s|%s|%s|%s|%s|%s", c.At, c.ID, c.Login, c.Plan, c.Username, c.Admin, c.Confidential, c.Welcome)
		if c.Earlier {
			s += "|earlier"
		}
		out = append(out, s)
	}
	return out
}

func TestReadUsersTable(t *testing.T) {
	got, err := ReadUsers(strings.NewReader("Login;ID;User name;Plan;Welcome;name\nGKS;7;g@x.no;-;true;ignored\n\nHUH;;;?;;\n"),
		"users.csv", "", manifest.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"users.csv: row 2|7|GKS|-|g@x.no|||true", "users.csv: row 4||HUH|?||||"}, shown(got)); d != "" {
		t.Error(d)
	}
	for in, want := range map[string]string{
		"name;plan\n":           `users.csv: the header has neither column "id" nor "login"`,
		"id;name\n":             "users.csv: the header has no column that chooses: plan, username, admin, confidential, welcome",
		"company;role\n":        "users.csv: the header has neither column \"id\" nor \"login\"\nusers.csv: the header has no column that chooses: plan, username, admin, confidential, welcome",
		"id;plan\n1;\"a\"b;c\n": "users.csv: row 2: a quoted cell does not end before the separator or the end of the row; double the quotes inside it",
	} {
		if _, err := ReadUsers(strings.NewReader(in), "users.csv", "", manifest.ReadOptions{}); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

func TestReadUsersInOtherEncodings(t *testing.T) {
	const table = "login;plan\r\nŁÓ;A\r\n"
	ansi, err := charmap.Windows1250.NewEncoder().String(table)
	if err != nil {
		t.Fatal(err)
	}
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(table)
	if err != nil {
		t.Fatal(err)
	}
	for in, told := range map[string]string{ansi: "windows-1250", utf16: "", table: ""} {
		got, err := ReadUsers(strings.NewReader(in), "users.csv", told, manifest.ReadOptions{})
		if err != nil || len(got) != 1 || got[0].Login != "ŁÓ" {
			t.Errorf("%q: %v, %v", in, shown(got), err)
		}
	}
	if got, err := ReadUsers(strings.NewReader(""), "users.csv", "", manifest.ReadOptions{}); err == nil {
		t.Errorf("an empty file gave %v", got)
	}
}

// build writes a manifest with the records given.
func build(t testing.TB, records ...manifest.Record) []byte {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-scan 0.1.0")
	header := manifest.Header{Format: manifest.Format, ID: "0192f0c1-0000-7000-8000-000000000000", Tool: "omt-scan 0.1.0",
		Created: manifest.At(now), Migration: "test", Phase: "full"}
	for _, r := range append([]manifest.Record{header}, records...) {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadUsersManifest(t *testing.T) {
	m := build(t, user(7, "GKS", has("PlanA", "g@x.no"), mails(false), admin), user(8, "HUH", has("", "")), user(9, "BB"))
	want := []string{"old.jsonl: line 2|7|GKS|PlanA|g@x.no|||false|earlier", "old.jsonl: line 3|8|HUH|-|||||earlier",
		"old.jsonl: line 4|9|BB||||||earlier"}
	utf16, err := unicode.UTF16(unicode.LittleEndian,
		unicode.UseBOM).NewEncoder().Bytes(bytes.ReplaceAll(m, []byte("\n"), []byte("\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"as written": m, "with mark": append([]byte("\ufeff"), m...),
		"through PowerShell": utf16} {
		got, err := ReadUsers(bytes.NewReader(in), "old.jsonl", "", manifest.ReadOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, shown(got)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	cut := m[:len(m)-200]
	if _, err := ReadUsers(bytes.NewReader(cut), "old.jsonl", "",
		manifest.ReadOptions{}); err == nil || !strings.HasPrefix(err.Error(), "old.jsonl: the manifest is cut short") {
		t.Errorf("cut short: %v", err)
	}
	edited := bytes.Replace(m, []byte("PlanA"), []byte("PlanB"), 1)
	if _, err := ReadUsers(bytes.NewReader(edited), "old.jsonl", "",
		manifest.ReadOptions{}); err == nil || !strings.HasPrefix(err.Error(), "old.jsonl: the manifest was edited") {
		t.Errorf("edited: %v", err)
	}
	got, err := ReadUsers(bytes.NewReader(edited), "old.jsonl", "", manifest.ReadOptions{AcceptEdits: true})
	if err != nil || got[0].Plan != "PlanB" {
		t.Errorf("edited and accepted: %v, %v", got, err)
	}
}

func TestExport(t *testing.T) {
	var b bytes.Buffer
	u := user(7, "GKS g@x.no", has("Sales; Premium", "g@x.no"), mails(true), admin)
	u.Name, u.Company, u.Group, u.Role = "=1+2", "Åge & Sønn", "Sales", "User level 0"
	if err := Export(&b, ';', []manifest.User{u, user(8, "HUH", has("", "")), user(9, "BB")}); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffid;login;name;company;group;role;admin;confidential;plan;username;welcome\r\n" +
		"7;GKS;=1+2;Åge & Sønn;Sales;User level 0;true;false;\"Sales; Premium\";g@x.no;true\r\n" +
		"8;HUH;Name of HUH;;;;false;false;-;;\r\n" +
		"9;BB;Name of BB;;;;false;false;;;\r\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// random makes users in every state, with names and logins that trouble tables.
func random(rnd *rand.Rand) []manifest.User {
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	var users []manifest.User
	for i := range 1 + rnd.IntN(12) {
		u := manifest.User{ID: int64(100 - i), Person: int64(rnd.IntN(9)),
			Login: fmt.Sprintf("%s%d", pick("GK", "gk", "Ø", "a;b", `q"q`, "x,y", "007-"), i),
			Name:  pick("", "Gunn\nK.", "=cmd()", "Ærø; \"x\""), Onsite: pick("", "ten-a", "ten-b", "free", "old")}
		for range rnd.IntN(3) {
			u.Emails = append(u.Emails, pick("a@x.no", "B@x.no", "b@x.no", "c@x.no", "n/a"))
		}
		if rnd.IntN(2) == 0 {
			u.Plan = ptr(pick("", "PlanA", "PlanB", "Free", "Gone"))
		}
		u.Username = pick("", "", "a@x.no", "A@x.no", "b@x.no", "c@x.no", "not a name")
		if rnd.IntN(2) == 0 {
			u.Welcome = ptr(rnd.IntN(2) == 0)
		}
		u.Admin, u.Confidential = rnd.IntN(3) == 0, rnd.IntN(3) == 0
		users = append(users, u)
	}
	return users
}

// TestExportComesBack: a table of the present state, given back, is never refused and changes nothing, whatever is wrong
// with the state; given to users without choices it restores the state where it can be.
func TestExportComesBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	restored := 0
	for range 150 {
		users := random(rnd)
		in := Input{Plans: append(tenant(), manifest.Plan{Name: "Gone", Seats: 1}), Users: users}
		var b bytes.Buffer
		if err := Export(&b, []rune{';', ',', '\t'}[rnd.IntN(3)], users); err != nil {
			t.Fatal(err)
		}
		rows, err := ReadUsers(&b, "users.csv", "", manifest.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Assign(in, Choices{Users: rows, Now: now})
		if err != nil {
			t.Fatalf("%s: %v", show(users), err)
		}
		if d := cmp.Diff(users, r.Users); d != "" {
			t.Fatal(d)
		}
		bare := append([]manifest.User(nil), users...)
		for i := range bare {
			bare[i].Plan, bare[i].Username, bare[i].Welcome, bare[i].Admin, bare[i].Confidential = nil, "", nil, false, false
		}
		in.Users = bare
		if r, err = Assign(in, Choices{Users: rows, Now: now}); err == nil {
			restored++
			if d := cmp.Diff(users, r.Users); d != "" {
				t.Fatal(d)
			}
		}
	}
	if restored < 10 {
		t.Errorf("%d states were restored; the test proves little", restored)
	}
}

// TestAutoNeverOverfills: whatever the state and the rows, --auto adds nobody to a plan beyond its seats, changes no
// choice, and a second run changes nothing.
func TestAutoNeverOverfills(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		in := Input{Plans: tenant(), Users: random(rnd)}
		r, err := Assign(in, Choices{Auto: true, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range tenant() {
			before, after := 0, 0
			for i, u := range r.Users {
				if was := in.Users[i].Plan; was != nil && *was == p.Name {
					before++
				}
				if u.Plan != nil && *u.Plan == p.Name {
					after++
				}
			}
			if !p.Unlimited && after > max(before, p.Seats) {
				t.Fatalf("plan %s: %d users before, %d after, for %d seats", p.Name, before, after, p.Seats)
			}
		}
		for i, u := range r.Users {
			was := in.Users[i]
			if was.Plan != nil && !same(was.Plan,
				u.Plan) || was.Username != "" && was.Username != u.Username || was.Welcome != nil && !same(was.Welcome, u.Welcome) {
				t.Fatalf("a choice was changed: %s %s", show([]manifest.User{was}), show([]manifest.User{u}))
			}
		}
		in.Users, in.Reviews = r.Users, r.Reviews
		again, err := Assign(in, Choices{Auto: true, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r.Users, again.Users); d != "" {
			t.Fatal(d)
		}
	}
}
