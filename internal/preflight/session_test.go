package preflight

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func of(findings []manifest.Finding, rule string) []manifest.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f manifest.Finding) bool { return f.Rule != rule })
}

func TestAFloodIsCounted(t *testing.T) {
	o := options(folder(t, "flood"))
	o.MaxFindings, o.RuleTimeout = 20, time.Minute
	checks, findings := check(t, open(t, o), header(), users(1)[0])
	got := of(findings, "flood")
	if len(got) != 21 || checks[0].Findings != 21 || checks[0].Status != manifest.CheckDone {
		t.Fatalf("%d findings, check %+v", len(got), checks[0])
	}
	for i, f := range got[:20] {
		if f.Message != fmt.Sprintf("finding %d", i) {
			t.Fatalf("finding %d: %s", i, f.Message)
		}
	}
	last := manifest.Finding{Rule: "flood", Severity: manifest.SeverityWarning, Message: "and 49980 more findings of this rule, which are not listed"}
	if d := cmp.Diff(last, got[20]); d != "" {
		t.Error(d)
	}
}

func TestWhatIsKeptOfFindings(t *testing.T) {
	_, findings := check(t, open(t, options(folder(t, "long", "final", "onefinal"))), header())
	long := of(findings, "long")[0]
	if n := utf8.RuneCountInString(long.Message); n > 2000 || n < 1900 {
		t.Errorf("%d characters", n)
	}
	if !strings.HasPrefix(long.Message, "two lines [31mred üü") || len(long.Subjects) != 100 || long.Subjects[99] != "user:99" {
		t.Errorf("%.60q, %d subjects", long.Message, len(long.Subjects))
	}
	if f := of(findings, "final")[0]; !f.Final {
		t.Errorf("a finding of a rule whose findings cannot be waived: %+v", f)
	}
	var finals []string
	for _, f := range of(findings, "onefinal") {
		finals = append(finals, fmt.Sprint(f.Severity, f.Message, f.Final))
	}
	if d := cmp.Diff([]string{"errorthis onetrue", "warningthat onefalse"}, finals); d != "" {
		t.Error(d)
	}
}

func TestKeptIsConstant(t *testing.T) {
	var k kept
	f := manifest.Finding{Rule: "r", Severity: manifest.SeverityInfo, Message: strings.Repeat("x", 1000)}
	for range 5000 {
		k.add(f, 10_000)
	}
	if len(k.findings) > maxText/1000 || k.more != 5000-len(k.findings) {
		t.Errorf("%d kept, %d more", len(k.findings), k.more)
	}
	k.add(manifest.Finding{Severity: manifest.SeverityError, Final: true}, 10_000)
	k.add(manifest.Finding{Severity: manifest.SeverityWarning}, 10_000)
	all := k.all("r")
	if last := all[len(all)-1]; last.Severity != manifest.SeverityError || !last.Final {
		t.Errorf("the last finding is %+v", last)
	}
	one := kept{more: 1, worst: manifest.SeverityInfo}
	if got := one.all("r")[0].Message; got != "and 1 more finding of this rule, which are not listed" && got != "and 1 more finding of this rule, which is not listed" {
		t.Error(got)
	}
}

func TestAPluginThatReadsNothing(t *testing.T) {
	t.Parallel()
	o := options(folder(t, "deaf", "honest"))
	o.RuleTimeout = 6 * time.Second
	checks, findings := check(t, open(t, o), append([]manifest.Record{header()}, users(5000)...)...)
	want := []string{"deaf-rule not-completed: it took longer than 6s", "saw-users done", "saw-files done", "saw-facts done"}
	if d := cmp.Diff(want, said(checks, nil)); d != "" {
		t.Error(d)
	}
	if f := of(findings, "saw-users"); len(f) != 1 || f[0].Message != "saw 5000 user" {
		t.Errorf("findings %+v", f)
	}
}

func TestWhatIsNoUTF8(t *testing.T) {
	checks, findings := check(t, open(t, options(folder(t, "garbage"))), header())
	if len(findings) > 0 || checks[0].Status == manifest.CheckDone || !strings.Contains(checks[0].Reason, "invalid UTF-8") {
		t.Errorf("%+v %+v", checks, findings)
	}
}

func TestAPluginThatHasEndedEndsItsRulesAlone(t *testing.T) {
	h := open(t, options(folder(t, "crash", "honest")))
	check(t, h, header(), users(1)[0])
	checks, _ := check(t, h, header(), users(1)[0]) // it does not run any more
	want := []string{
		"crash not-completed: its plugin ended in the middle (exit status 2): panic: boom in the middle [recovered, repanicked]",
		"crash-beside not-completed: its plugin ended in the middle (exit status 2): panic: boom in the middle [recovered, repanicked]",
		"saw-users done", "saw-files done", "saw-facts done",
	}
	if d := cmp.Diff(want, said(checks, nil)); d != "" {
		t.Error(d)
	}
}

// A plugin that breaks off before it knows that it has seen all has done nothing, not even what it called done.
func TestNothingIsDoneWhereThePluginBreaksOff(t *testing.T) {
	s, err := open(t, options(folder(t, "half"))).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users(2 * batchRecords) {
		if err := s.Observe(manifest.Line{Kind: manifest.KindUser}, u); err != nil {
			t.Fatal(err)
		}
	}
	within(t, time.Minute, "breaking off", func() { <-s.feeds[0].over })
	checks, findings, err := s.Finish(t.Context())
	if err != nil || len(findings) > 0 {
		t.Errorf("%v %+v", err, findings)
	}
	for _, c := range checks {
		if c.Status != manifest.CheckNotCompleted || !strings.Contains(c.Reason, "boom at the second") {
			t.Errorf("check %+v", c)
		}
	}
}

func TestQueries(t *testing.T) {
	o := options(folder(t, "asks"))
	o.CheckQuery = func(sql string) error {
		if !strings.HasPrefix(sql, "SELECT") {
			return errors.New("it is no SELECT")
		}
		return nil
	}
	h := open(t, o)
	want := []Query{
		{Name: "asks-done.a", SQL: "SELECT 1", MaxRows: 10_000, Timeout: 30 * time.Second},
		{Name: "asks-absent.a", SQL: "SELECT 1", MaxRows: 5, Timeout: 1500 * time.Millisecond},
		{Name: "asks-failed.a", SQL: "SELECT 1", MaxRows: 10_000, Timeout: 30 * time.Second},
		{Name: "asks-never.a", SQL: "SELECT 1", MaxRows: 10_000, Timeout: 30 * time.Second},
	}
	if d := cmp.Diff(want, h.Queries()); d != "" {
		t.Error(d)
	}
	status := func(id, status, reason string) manifest.Record {
		return manifest.Fact{Name: "query", ID: id, Data: map[string]any{"status": status, "rows": 1, "reason": reason}}
	}
	row := func(id string) manifest.Record {
		return manifest.Fact{Name: id, ID: "1", Data: map[string]any{"x": 1}}
	}
	checks, findings := check(t, h, header(), row("asks-done.a"), status("asks-done.a", "done", ""),
		status("asks-absent.a", "absent", "no table x"), status("asks-failed.a", "failed", "too\nslow"),
		row("another.a"), status("another.a", "done", ""))
	lines := []string{
		"asks-done done", "asks-absent done",
		"asks-failed not-completed: its query a: too slow",
		"asks-never not-completed: its query a was never asked: run omt-scan with this plugin",
		"asks-badly not-completed: its query a cannot be asked: it is no SELECT",
		"asks-done warning [table:x] saw 4 fact, asks-done.a/1, query/asks-done.a, query/asks-absent.a, query/asks-failed.a",
	}
	if d := cmp.Diff(lines, said(checks, findings)); d != "" {
		t.Error(d)
	}
}

// A record that cannot be sent makes the rules that read it not completed, and no others.
func TestRecordsThatCannotBeSent(t *testing.T) {
	big := manifest.Fact{Name: "licence", ID: "1", Data: map[string]any{"x": strings.Repeat("x", 5<<20)}}
	checks, _ := check(t, open(t, options(folder(t, "honest"))), header(), users(1)[0], big)
	if checks[0].Status != manifest.CheckDone || checks[2].Status == manifest.CheckDone ||
		!strings.Contains(checks[2].Reason, "more than the 4193280 that a rule can be sent") {
		t.Errorf("checks %+v", checks)
	}
	h := open(t, options(folder(t, "honest")))
	s, err := h.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines := []manifest.Line{
		{Kind: manifest.KindUser, Raw: []byte(`{"kind":"user","id":"seven"}`)},
		{Kind: manifest.KindFile, Raw: []byte(`{"kind":"file","area":"document","path":"a","state":"present"}`)},
		{Kind: "unheard-of", Raw: []byte(`{"kind":"unheard-of"}`)},
	}
	for _, l := range lines {
		if err := s.Observe(l, nil); err != nil {
			t.Fatal(err)
		}
	}
	checks, findings, err := s.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if checks[0].Status == manifest.CheckDone || !strings.Contains(checks[0].Reason, "it was not given a user record: ") {
		t.Errorf("check %+v", checks[0])
	}
	if len(of(findings, "saw-files")) != 1 || checks[1].Status != manifest.CheckDone {
		t.Errorf("checks %+v", checks)
	}
}

// A large record does not make a message that libraries refuse, together with others.
func TestLargeRecordsGoAlone(t *testing.T) {
	records := []manifest.Record{header()}
	for i := range 5 {
		records = append(records, manifest.Fact{Name: "licence", ID: fmt.Sprint(i), Data: map[string]any{"x": strings.Repeat("x", 900<<10+i*700<<10)}})
	}
	checks, findings := check(t, open(t, options(folder(t, "honest"))), records...)
	if checks[2].Status != manifest.CheckDone || len(of(findings, "saw-facts")) != 1 ||
		!strings.Contains(of(findings, "saw-facts")[0].Message, "licence/0, licence/1, licence/2, licence/3") {
		t.Errorf("%+v %+v", checks, findings)
	}
}

// The host is at most 4 batches ahead of the slowest rule, however much there is.
func TestTheHostWaitsForTheSlowest(t *testing.T) {
	t.Parallel()
	o := options(folder(t, "hang"))
	o.RuleTimeout = 6 * time.Second
	s, err := open(t, o).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fed := make(chan error, 1)
	go func() {
		for _, u := range users(20 * batchRecords) {
			if err := s.Observe(manifest.Line{Kind: manifest.KindUser}, u); err != nil {
				fed <- err
				return
			}
		}
		fed <- nil
	}()
	f := s.feeds[0]
	most, batches := int64(0), int64(0)
	for waiting := true; waiting; {
		select {
		case err := <-fed:
			if err != nil {
				t.Fatal(err)
			}
			waiting = false
		case <-time.After(time.Millisecond):
		}
		f.mu.Lock()
		if f.parts[0].state == live {
			most = max(most, f.number)
		}
		batches = f.number
		f.mu.Unlock()
	}
	if most != window || batches != 20 {
		t.Errorf("%d batches while the first rule hung, %d in all", most, batches)
	}
	checks, findings, err := s.Finish(t.Context())
	if err != nil || checks[0].Reason != "it took longer than 6s" || len(findings) != 1 ||
		findings[0].Message != fmt.Sprintf("saw %d user", 20*batchRecords) {
		t.Errorf("%v %+v %+v", err, checks, findings)
	}
}

// The time in which a rule has nothing to do is not its own.
func TestWaitingForTheHostIsNoRulesTime(t *testing.T) {
	t.Parallel()
	o := options(folder(t, "honest"))
	o.RuleTimeout = 5 * time.Second
	s, err := open(t, o).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range users(2 * batchRecords) {
		if i%batchRecords == 1 {
			time.Sleep(6 * time.Second)
		}
		if err := s.Observe(manifest.Line{Kind: manifest.KindUser}, u); err != nil {
			t.Fatal(err)
		}
	}
	checks, _, err := s.Finish(t.Context())
	if err != nil || checks[0].Status != manifest.CheckDone {
		t.Errorf("%v %+v", err, checks)
	}
}

func TestTimeGrowsWithRecords(t *testing.T) {
	rule := &Rule{ID: "r"}
	for _, tt := range []struct {
		records int64
		late    bool
	}{{0, true}, {15_000, true}, {25_000, false}} {
		ctx, cancel := context.WithCancel(t.Context())
		f := &feed{parts: []*part{{rule: rule}}, living: 1, number: 1, records: tt.records, ctx: ctx, cancel: cancel,
			queue: make(chan any, 9), wake: make(chan struct{}, 1), stale: func() {}}
		for range 20 {
			f.age(100*time.Millisecond, time.Second)
		}
		if late := f.parts[0].state == lost; late != tt.late {
			t.Errorf("2 s over 1 s with %d records: late is %t", tt.records, late)
		}
		cancel()
	}
}

func TestASessionEndsWithItsContext(t *testing.T) {
	before := runtime.NumGoroutine()
	h := open(t, options(folder(t, "hang")))
	ctx, cancel := context.WithCancel(t.Context())
	s, err := h.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(200*time.Millisecond, cancel)
	within(t, time.Minute, "Observe", func() {
		err := error(nil)
		for i := 0; err == nil; i++ {
			err = s.Observe(manifest.Line{Kind: manifest.KindUser}, manifest.User{ID: 1})
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	within(t, time.Minute, "the end of the stream", func() { <-s.feeds[0].over })
	if err := s.Observe(manifest.Line{Kind: manifest.KindUser}, manifest.User{ID: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("Observe after the end: %v", err)
	}
	if _, err := h.Begin(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin: %v", err)
	}
	s, err = h.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Observe(manifest.Line{Kind: manifest.KindUser}, manifest.User{ID: 1}); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, _, err := s.Finish(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Finish: %v", err)
	}
	h.Close()
	for range 1500 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%d goroutines before, now %d:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
}

func TestNoPlugins(t *testing.T) {
	h := open(t, options(t.TempDir()))
	checks, findings := check(t, h, header(), users(1)[0])
	if len(checks)+len(findings)+len(h.Plugins())+len(h.Rules()) > 0 {
		t.Errorf("%+v %+v", checks, findings)
	}
}
