package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/spool"
	"github.com/openomt/omt/internal/tenant"
)

// office is a database of which somebody is logged on to.
type office struct {
	source.Reader
	on       []int64
	accounts []source.Account
	columns  []string
}

func (o office) Tables() []source.Table {
	t := source.Table{Name: "ActiveUser"}
	for _, c := range o.columns {
		t.Columns = append(t.Columns, source.Column{Name: c})
	}
	return []source.Table{t}
}

func (o office) Accounts(context.Context) ([]source.Account, error) { return o.accounts, nil }

func (o office) Rows(_ context.Context, t source.Table) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for _, id := range o.on {
			row := source.Row{id, fmt.Sprint("PC-", id)}
			if !yield(row[:len(t.Columns)], nil) {
				return
			}
		}
	}
}

func evening() time.Time { return time.Date(2026, 11, 27, 18, 0, 0, 0, time.UTC) }

// liveRun is a run over an office; said collects what it tells.
func liveRun(o office, l Live) (r *run, said *[]string) {
	said = new([]string)
	tell := func(format string, a ...any) { *said = append(*said, fmt.Sprintf(format, a...)) }
	r = &run{in: &intake{header: manifest.Header{Migration: "live", Phase: "full"}}, src: Source{Reader: o}}
	r.o = Options{Live: &l, Now: evening, Notice: tell, Remark: tell}
	return r, said
}

func TestIdle(t *testing.T) {
	accounts := []source.Account{{ID: 5, Login: "KK"}, {ID: 7, Login: "GKS"}}
	both := []string{"activeuser_id", "computerName"}
	crowd := make([]int64, 25)
	for name, c := range map[string]struct {
		views   [][]int64 // what each look finds, the last one for ever
		columns []string
		wait    time.Duration
		looks   int
		fails   string
		said    string
	}{
		"nobody":                    {views: [][]int64{nil}, columns: both, looks: 1, said: "nobody is logged on"},
		"some, not waited for":      {views: [][]int64{{7, 5, 99}}, columns: both, looks: 1, said: "3 still logged on: GKS at PC-7, KK at PC-5, associate 99 at PC-99"},
		"an older table":            {views: [][]int64{{5}}, columns: both[:1], looks: 1, said: "1 still logged on: KK"},
		"a table that says nothing": {views: [][]int64{{5}}, looks: 1, said: "nobody is logged on"},
		"waited for":                {views: [][]int64{{5, 7}, {5, 7}, {7}, nil}, columns: both, wait: time.Minute, looks: 4, said: "waiting for 2 to log out: GKS at PC-7, KK at PC-5\nwaiting for 1 to log out: GKS at PC-7\nnobody is logged on"},
		"waited for in vain":        {views: [][]int64{{5}}, columns: both, wait: 25 * time.Second, looks: 4, fails: "still logged on when the time was over: KK at PC-5"},
		"many":                      {views: [][]int64{crowd}, columns: both, looks: 1, said: "and 5 more"},
	} {
		t.Run(name, func(t *testing.T) {
			looks, clock := 1, evening()
			at := func() office {
				return office{on: c.views[min(looks, len(c.views))-1], accounts: accounts, columns: c.columns}
			}
			r, said := liveRun(at(), Live{WaitIdle: c.wait})
			r.o.Now = func() time.Time { return clock }
			r.o.Sleep = func(_ context.Context, d time.Duration) error { clock = clock.Add(d); return nil }
			closed := 0
			r.o.Open = func(context.Context, manifest.Installation) (Source, error) {
				looks++
				return Source{Reader: at(), Close: func() error { closed++; return nil }}, nil
			}
			err := r.idle(t.Context())
			if (err != nil) != (c.fails != "") || err != nil && (!strings.Contains(err.Error(), c.fails) || manifest.StatusOf(err) != manifest.Refused) {
				t.Errorf("%v", err)
			}
			if text := strings.Join(*said, "\n"); looks != c.looks || closed != looks-1 || !strings.Contains(text, c.said) {
				t.Errorf("%d looks, %d closed: %s", looks, closed, text)
			}
		})
	}
}

func TestAgreed(t *testing.T) {
	for answer, ok := range map[string]bool{"yes": true, " YES ": true, "y": false, "": false, "no": false} {
		r, _ := liveRun(office{}, Live{Ask: func(_ context.Context, prompt string) (string, error) {
			if !strings.Contains(prompt, "Freeze Kalles, serial number 18") || !strings.Contains(prompt, "Web users") {
				t.Errorf("%q", prompt)
			}
			return answer, nil
		}})
		r.in.installation = manifest.Installation{Owner: "Kalles", Serial: "18"}
		if err := r.agreed(t.Context()); (err == nil) != ok || err != nil && manifest.StatusOf(err) != manifest.Refused {
			t.Errorf("%q: %v", answer, err)
		}
	}
	r, _ := liveRun(office{}, Live{Yes: true})
	if err := r.agreed(t.Context()); err != nil {
		t.Error(err)
	}
	r, _ = liveRun(office{}, Live{Ask: func(context.Context, string) (string, error) { return "yes", errors.New("broken") }})
	if err := r.agreed(t.Context()); err == nil {
		t.Error("a broken console agreed")
	}
}

func TestTenantTakes(t *testing.T) {
	const gb = 1 << 30
	for name, c := range map[string]struct {
		tenant  bool
		id      string
		probe   error
		expires time.Duration // from now; 0: not known
		bytes   int64
		want    string
		status  manifest.Status
	}{
		"no destination":    {want: "needs the destination", status: manifest.Usage},
		"no lifetime":       {tenant: true, bytes: 100 * gb},
		"long enough":       {tenant: true, bytes: 10 * gb, expires: 2 * time.Hour},
		"too short":         {tenant: true, bytes: 100 * gb, expires: 2 * time.Hour, want: "can be written to until 2026-11-27T20:00:00Z, and about 107.4 GB are to be sent", status: manifest.Refused},
		"over already":      {tenant: true, expires: -time.Minute, want: "until 2026-11-27T17:59:00Z", status: manifest.Refused},
		"not to be written": {tenant: true, probe: manifest.Errorf(manifest.Failed, "denied"), want: "denied", status: manifest.Failed},
		"a wrong id":        {tenant: true, id: "x", want: "want a UUID", status: manifest.BadInput},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := liveRun(office{}, Live{
				Probe:   func(context.Context) error { return c.probe },
				Expires: func() (time.Time, bool) { return evening().Add(c.expires), c.expires != 0 },
			})
			r.in.header.ID = "01936f2a-0000-7000-8000-000000000001"
			if c.id != "" {
				r.in.header.ID = c.id
			}
			r.in.installation = manifest.Installation{Owner: "Kalles", Serial: "18"}
			r.in.forecast = map[manifest.Area]forecast{manifest.Document: {Bytes: c.bytes}}
			if c.tenant {
				d, err := dir.Open(t.TempDir(), nil)
				if err != nil {
					t.Fatal(err)
				}
				r.tenant = tenant.Open(d)
			}
			err := r.tenantTakes(t.Context(), nil)
			if (err != nil) != (c.want != "") || err != nil && (!strings.Contains(err.Error(), c.want) || manifest.StatusOf(err) != c.status) {
				t.Errorf("status %d: %v", manifest.StatusOf(err), err)
			}
		})
	}
}

// What is stored already need not be sent nor have room in the spool.
func TestRoomFor(t *testing.T) {
	s, err := spool.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	free, err := s.Free()
	if err != nil || free <= 0 {
		t.Fatalf("%d %v", free, err)
	}
	for name, c := range map[string]struct {
		bytes, known, limit int64
		ok                  bool
	}{
		"nothing": {ok: true}, "more than there is": {bytes: 2 * free}, "most of it is stored": {bytes: 2 * free, known: 2*free - 1, ok: true},
		"stored at another place": {bytes: 2 * free, known: -2 * free}, "limited": {bytes: 2 * free, limit: 1 << 20, ok: true},
	} {
		r, _ := liveRun(office{}, Live{})
		r.spool, r.o.SpoolLimit = s, c.limit
		r.in.forecast = map[manifest.Area]forecast{manifest.Document: {Bytes: c.bytes}}
		r.known = &known{places: map[manifest.Digest]*knownChunk{sum("a"): {Chunk: manifest.Chunk{Raw: max(c.known, -c.known)}, receipt: c.known > 0},
			sum("b"): {Chunk: manifest.Chunk{Raw: 2 * free, Table: "contact"}, receipt: true}}}
		if err := r.roomFor(t.Context(), nil); (err == nil) != c.ok || err != nil && (manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), "has room for")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhenToFreeze(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *run)
		live   bool
	}{
		"live": {func(*run) {}, true}, "a test": {func(r *run) { r.in.header.Migration = "test" }, false}, "a part": {func(r *run) { r.in.header.Phase = "preseed" }, false},
		"some areas": {func(r *run) { r.o.Only = manifest.Areas[:1] }, false}, "some files": {func(r *run) { r.o.OlderThan = time.Hour }, false},
	} {
		r, _ := liveRun(office{}, Live{})
		c.change(r)
		if r.live() != c.live {
			t.Errorf("%s: %v", name, r.live())
		}
		r.o.Live = nil
		if err := r.goLive(t.Context()); (err != nil) != c.live {
			t.Errorf("%s, with nothing to freeze with: %v", name, err)
		}
	}
}

func TestMayMigrate(t *testing.T) {
	accounts := []source.Account{{ID: 9, Login: "KK", Former: true}, {ID: 5, Login: "kk"}, {ID: 6, Login: "OLD", Retired: true}, {ID: 7, Login: "EXT", Type: 4}}
	for login, want := range map[string]string{"KK": "", "OLD": "by now retired", "EXT": "or no employee", "GONE": "not in the database any more"} {
		r, _ := liveRun(office{accounts: accounts}, Live{})
		var lines bytes.Buffer
		w := manifest.NewWriter(&lines, "omt-assign 0.1.0")
		for _, rec := range []manifest.Record{manifest.Header{Format: manifest.Format, Migration: "live", Phase: "full"}, manifest.Migrator{Login: login}} {
			if err := w.Write(rec); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.End(); err != nil {
			t.Fatal(err)
		}
		r.again = func() (*manifest.Reader, error) {
			return manifest.NewReader(bytes.NewReader(lines.Bytes()), manifest.ReadOptions{}), nil
		}
		var o freeze.Options
		err := r.mayMigrate(t.Context(), &o)
		if (err != nil) != (want != "") || err != nil && (!strings.Contains(err.Error(), want) || manifest.StatusOf(err) != manifest.Refused) {
			t.Errorf("%s: %v", login, err)
		}
		if err == nil && o.Associate != 5 {
			t.Errorf("the migrator is %d", o.Associate)
		}
	}
}
