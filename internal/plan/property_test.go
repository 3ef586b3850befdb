package plan

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
)

// TestOrderOfUsersDoesNotMatter: users in another order get the same, and the same is found.
func TestOrderOfUsersDoesNotMatter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	for range 200 {
		users := random(rnd)
		shuffled := slices.Clone(users)
		rnd.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		c := Choices{Auto: true, Now: now}
		a, err := Assign(Input{Plans: tenant(), Users: users}, c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Assign(Input{Plans: tenant(), Users: shuffled}, c)
		if err != nil {
			t.Fatal(err)
		}
		byID := func(x, y manifest.User) int { return cmp.Compare(x.ID, y.ID) }
		slices.SortFunc(a.Users, byID)
		slices.SortFunc(b.Users, byID)
		if d := gocmp.Diff(show(a.Users), show(b.Users)); d != "" {
			t.Fatal(d)
		}
		if d := gocmp.Diff(told(a.Findings), told(b.Findings)); d != "" {
			t.Fatal(d)
		}
		if d := gocmp.Diff(a.Removals, b.Removals); d != "" {
			t.Fatal(d)
		}
	}
}

// TestTableAndFlagAgree: the same choices have the same result as rows and as values of --set, and where one is refused
// the other is.
func TestTableAndFlagAgree(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	accepted := 0
	for range 500 {
		users := random(rnd)
		var rows, sets []Choice
		for i, u := range users {
			if rnd.IntN(2) == 0 {
				continue
			}
			c := Choice{Login: u.Login, Plan: pick("", "", "PlanA", "planb", "Free", "-", "?"),
				Username: pick("", "", "new1@x.no", "new2@x.no", "a@x.no", "-"),
				Admin:    pick("", "true", "FALSE"), Confidential: pick("", "true", "false"), Welcome: pick("", "true", "false", "?")}
			c.At = sheet.Place{File: "x", Unit: "row", N: i}
			rows, sets = append(rows, c), append(sets, c)
		}
		in := Input{Plans: tenant(), Users: users}
		a, errA := Assign(in, Choices{Users: rows, Now: now})
		b, errB := Assign(in, Choices{Set: sets, Now: now})
		if fmt.Sprint(errA) != fmt.Sprint(errB) {
			t.Fatalf("rows: %v\nsets: %v", errA, errB)
		}
		if errA == nil {
			accepted++
		}
		if d := gocmp.Diff(show(a.Users), show(b.Users)); d != "" {
			t.Fatal(d)
		}
		if d := gocmp.Diff(told(a.Findings), told(b.Findings)); d != "" {
			t.Fatal(d)
		}
	}
	if accepted < 50 {
		t.Errorf("%d of 500 were accepted; the test proves little", accepted)
	}
}

// full is a writer that fails when it has taken a number of bytes.
type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestRunReportsAFullDisk: wherever the output ends, Run or the end says so.
func TestRunReportsAFullDisk(t *testing.T) {
	records := []manifest.Record{manifest.Plan{Name: "PlanA", Onsite: "ten-a", Unlimited: true}}
	for i := range 800 {
		records = append(records, user(int64(i+1), fmt.Sprintf("U%d/ten-a", i)))
	}
	for i := range 800 {
		records = append(records, manifest.Address{Person: int64(5000 + i), Email: fmt.Sprintf("p%05d@x.no", i)})
	}
	for i := range 800 {
		records = append(records, manifest.Finding{Rule: "satellite", Severity: manifest.SeverityInfo, Message: fmt.Sprint(i)})
	}
	in := build(t, records...)
	whole, _, err := run(t, in, RunOptions{Choices: Choices{Auto: true}})
	if err != nil {
		t.Fatal(err)
	}
	if len(whole) < 4*64<<10 {
		t.Fatalf("%d bytes are too few for this test", len(whole))
	}
	for _, room := range []int{0, 64 << 10, len(whole) / 2, len(whole) - 1} {
		w := manifest.NewWriter(&full{room}, "omt-assign 0.1.0")
		_, err := Run(context.Background(), RunOptions{Choices: Choices{Auto: true, Now: now}, Tool: "omt-assign 0.1.0"},
			manifest.NewReader(bytes.NewReader(in), manifest.ReadOptions{}), w)
		if err == nil {
			_, err = w.End()
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("room for %d of %d bytes: %v", room, len(whole), err)
		}
	}
}

// TestRunNamesARecordThatDoesNotFit: each kind that is decoded.
func TestRunNamesARecordThatDoesNotFit(t *testing.T) {
	for kind, edit := range map[string][2]string{
		"migrator": {`"login":"KK"`, `"login":1`},
		"plan":     {`"seats":2`, `"seats":"two"`},
		"user":     {`"login":"BB"`, `"login":{}`},
		"review":   {`"how":"board"`, `"how":[]`},
		"address":  {`"person":56`, `"person":"x"`},
		"removal":  {`"person":1,`, `"person":true,`},
		"check":    {`"findings":2`, `"findings":"2"`},
		"finding":  {`["satellite:1"]`, `"satellite:1"`},
		"waiver":   {`"covers":1`, `"covers":"one"`},
	} {
		in := whole(t)
		if !bytes.Contains(in, []byte(edit[0])) {
			t.Fatalf("%s: %s is not in the input", kind, edit[0])
		}
		in = reend(t, bytes.Replace(in, []byte(edit[0]), []byte(edit[1]), 1))
		_, _, err := run(t, in, RunOptions{})
		if manifest.StatusOf(err) != manifest.BadInput || !strings.Contains(err.Error(), "decoding the "+kind+" record") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestRunChangesEveryChoice: each changeable field of a record, in both directions.
func TestRunChangesEveryChoice(t *testing.T) {
	in := build(t, manifest.Plan{Name: "PlanA", Unlimited: true}, user(1, "AA", has("PlanA", "a@x.no"), mails(true), admin),
		user(2, "BB"))
	out, _, err := run(t, in, RunOptions{Choices: Choices{Set: []Choice{
		set(t, "AA:plan=?,username=-,welcome=?,admin=false,confidential=true"), set(t,
			"BB:plan=plana,username=b@x.no,welcome=false,admin=true")}}})
	if err != nil {
		t.Fatal(err)
	}
	want := lines(`{"kind":"user","id":1,"login":"AA","person":101,"name":"Name of AA","company":"","group":"","role":"","position":"","admin":false,"confidential":true,"emails":[],"onsite":""}`,
		`{"kind":"user","id":2,"login":"BB","person":102,"name":"Name of BB","company":"","group":"","role":"","position":"","admin":true,"confidential":false,"emails":[],"onsite":"","plan":"PlanA","username":"b@x.no","welcome":false}`)
	if d := gocmp.Diff(want, of(out, "user")); d != "" {
		t.Error(d)
	}
}

// TestRunRefusesUsersBehindReviews: only an edit can put them there, and they would be missed.
func TestRunRefusesUsersBehindReviews(t *testing.T) {
	in := build(t, user(1, "AA"), manifest.Fact{Name: "f"})
	late := append(bytes.Split(bytes.TrimSuffix(in, []byte("\n")), []byte("\n"))[:3:3], []byte(`{"kind":"user","id":2,"login":"BB"}`))
	edited := append(bytes.Join(late, []byte("\n")), "\n{\"kind\":\"end\",\"tool\":\"x\",\"counts\":{},\"sha256\":\"\"}\n"...)
	var b bytes.Buffer
	_, err := Run(context.Background(), RunOptions{Choices: Choices{Now: now}},
		manifest.NewReader(bytes.NewReader(edited), manifest.ReadOptions{AcceptEdits: true}), manifest.NewWriter(&b, "x"))
	if manifest.StatusOf(err) != manifest.BadInput || err.Error() != "line 4: a user record stands behind the reviews" {
		t.Errorf("%v", err)
	}
}
