package sdk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/plugins/sdk/proto"
)

func TestCheck(t *testing.T) {
	users := lister("users")
	users.Reads = []string{KindUser}
	files := lister("files")
	files.Reads, files.Facts = []string{KindFile}, []string{"drive"}
	h := begin(t, pluginOf(users, files, lister("idle")), "users", "files")
	h.batch(1, userMessage(7, "GKS\r\nnext line"), factMessage("drive", "1", "{}"), factMessage("other", "1", "{}"))
	h.batch(2, fileMessage(123, "Offer"))
	h.finish()
	all := h.rest()
	same(t, of(all, "users"),
		"users found SEVERITY_UNSPECIFIED [user:7]: GKS next line", "users took 1", "users took 2", "users done")
	same(t, of(all, "files"),
		"files found SEVERITY_ERROR []: fact drive", "files took 1",
		"files found SEVERITY_INFO [file:document:123]: Offer final", "files took 2", "files done")
	if len(all) != 9 {
		t.Errorf("a rule that was not asked for answered: %v", all)
	}
}

func TestInputOfTheRun(t *testing.T) {
	r := rule("a", func(_ context.Context, in *Input, report Report) error {
		report(Finding{Message: in.Tool + " " + in.Now.String()})
		return nil
	})
	h := begin(t, pluginOf(r), "a")
	h.finish()
	same(t, h.rest(), "a found SEVERITY_UNSPECIFIED []: omt-scan 9 2026-11-22 04:00:00 +0000 UTC", "a done")
}

// TestTakenWhenThrough: a batch is taken when the rule asks for more, not when it begins with it.
func TestTakenWhenThrough(t *testing.T) {
	goOn := make(chan struct{})
	r := rule("a", func(_ context.Context, in *Input, report Report) error {
		for range in.Records() {
			report(Finding{Message: "x"})
			<-goOn
			report(Finding{Message: "y"})
		}
		return nil
	})
	h := begin(t, pluginOf(r), "a")
	h.batch(1, userMessage(1, "A"))
	got := []string{h.next()}
	close(goOn)
	h.finish()
	same(t, append(got, h.rest()...), "a found SEVERITY_UNSPECIFIED []: x", "a found SEVERITY_UNSPECIFIED []: y", "a took 1", "a done")
}

// TestLeavesEarly: a rule that has seen enough is done, and the others are fed on.
func TestLeavesEarly(t *testing.T) {
	early := rule("early", func(context.Context, *Input, Report) error { return nil })
	h := begin(t, pluginOf(early, lister("late")), "early", "late")
	var sent sync.WaitGroup
	sent.Go(func() {
		for n := range int64(3 * ahead) {
			h.batch(n+1, userMessage(n, "A"))
		}
		h.finish()
	})
	all := h.rest()
	sent.Wait()
	same(t, of(all, "early"), "early done")
	late := of(all, "late")
	if len(late) != 2*3*ahead+1 || late[len(late)-1] != "late done" {
		t.Errorf("got %d messages, the last of them %q", len(late), late[len(late)-1])
	}
}

// TestOneFails: what befalls one rule does not disturb another.
func TestOneFails(t *testing.T) {
	panics := rule("panics", func(_ context.Context, in *Input, report Report) error {
		for range in.Records() {
			var none []int
			report(Finding{Message: fmt.Sprint(none[1])})
		}
		return nil
	})
	fails := rule("fails", func(context.Context, *Input, Report) error { return errors.New("no\nway") })
	h := begin(t, pluginOf(panics, fails, lister("other")), "panics", "fails", "other")
	h.batch(1, userMessage(7, "GKS"))
	h.finish()
	all := h.rest()
	same(t, of(all, "panics"), "panics failed: panic: runtime error: index out of range [1] with length 0")
	same(t, of(all, "fails"), "fails failed: no way")
	same(t, of(all, "other"), "other found SEVERITY_UNSPECIFIED [user:7]: GKS", "other took 1", "other done")
}

func TestCancel(t *testing.T) {
	ended := make(chan error, 1)
	waits := rule("waits", func(ctx context.Context, _ *Input, report Report) error {
		<-ctx.Done()
		report(Finding{Message: "too late"})
		ended <- ctx.Err()
		return nil
	})
	h := begin(t, pluginOf(waits, lister("other")), "waits", "other")
	h.batch(1, userMessage(7, "GKS"))
	h.cancelRule("waits")
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the rule's context ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the rule goes on")
	}
	h.finish()
	all := h.rest()
	same(t, of(all, "waits"), "waits failed: the host cancelled it")
	same(t, of(all, "other"), "other found SEVERITY_UNSPECIFIED [user:7]: GKS", "other took 1", "other done")
}

// TestCancelHanging: a rule that does not heed its context does not keep the stream open.
func TestCancelHanging(t *testing.T) {
	release := make(chan struct{})
	hangs := rule("hangs", func(context.Context, *Input, Report) error { <-release; return nil })
	h := begin(t, pluginOf(hangs), "hangs")
	h.cancelRule("hangs")
	same(t, h.rest(), "hangs failed: the host cancelled it")
	close(release)
}

// TestBrokenStream: no rule is done where the host went before finish.
func TestBrokenStream(t *testing.T) {
	h := begin(t, pluginOf(lister("a")), "a")
	h.batch(1, userMessage(7, "GKS"))
	h.next()
	if err := h.conn.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for _, s := range h.rest() {
		if strings.HasSuffix(s, " done") {
			t.Errorf("got %q", s)
		}
	}
}

// TestHostGone: the context of a rule ends with the host.
func TestHostGone(t *testing.T) {
	started, ended := make(chan struct{}), make(chan struct{})
	r := rule("a", func(ctx context.Context, in *Input, _ Report) error {
		close(started)
		for range in.Records() {
		}
		<-ctx.Done()
		close(ended)
		return nil
	})
	h := begin(t, pluginOf(r), "a")
	<-started
	h.cancel()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the rule goes on")
	}
}

func TestProtocolMistakes(t *testing.T) {
	user := userMessage(1, "A")
	for name, c := range map[string]struct {
		ids  []string
		send func(*host)
		want string
	}{
		"an unknown rule": {[]string{"b"}, func(*host) {}, `InvalidArgument: start: there is no rule "b"`},
		"a rule twice":    {[]string{"a", "a"}, func(*host) {}, `InvalidArgument: start: rule "a" is named twice`},
		"a bad time": {[]string{"a"}, func(h *host) {
			h.batch(3, &proto.Record{Kind: &proto.Record_File{File: &proto.File{Mtime: "today"}}})
		}, `InvalidArgument: batch 3: record of kind "file": parsing time`},
		"no finish": {[]string{"a"}, func(h *host) { _ = h.conn.CloseSend() }, "Aborted: the host closed its side before finish"},
		"start again": {[]string{"a"}, func(h *host) {
			h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Start{Start: &proto.Start{}}})
		}, "InvalidArgument: start came twice"},
		"a batch behind finish": {[]string{"a"}, func(h *host) {
			h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Finish{}})
			h.batch(1, user)
		}, "InvalidArgument: a batch came behind finish"},
		"finish twice": {[]string{"a"}, func(h *host) {
			h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Finish{}})
			h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Finish{}})
		}, "InvalidArgument: finish came twice"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rule("a", func(ctx context.Context, _ *Input, _ Report) error { <-ctx.Done(); return ctx.Err() })
			h := begin(t, pluginOf(r), c.ids...)
			c.send(h)
			all := h.rest()
			if got := all[len(all)-1]; !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFirstMustBeStart(t *testing.T) {
	conn, err := connect(t, pluginOf(lister("a"))).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, conn: conn}
	h.finish()
	same(t, h.rest(), "InvalidArgument: the first message must be start")
}

func TestNoRules(t *testing.T) {
	h := begin(t, pluginOf(lister("a")))
	same(t, h.rest())
}

// TestSlowRule: a host that does not wait for taken is held up, and nothing is lost.
func TestSlowRule(t *testing.T) {
	slow := rule("slow", func(_ context.Context, in *Input, report Report) error {
		n := 0
		for range Each[*User](in) {
			n++
			time.Sleep(time.Millisecond)
		}
		report(Finding{Message: fmt.Sprint(n)})
		return nil
	})
	h := begin(t, pluginOf(slow), "slow")
	var sent sync.WaitGroup
	sent.Go(func() {
		for n := range int64(5 * ahead) {
			h.batch(n+1, userMessage(n, "A"))
		}
		h.finish()
	})
	all := h.rest()
	sent.Wait()
	same(t, all[len(all)-2:], fmt.Sprintf("slow found SEVERITY_UNSPECIFIED []: %d", 5*ahead), "slow done")
}

// TestConcurrentReports: findings of one rule from several goroutines, all before done.
func TestConcurrentReports(t *testing.T) {
	many := rule("many", func(_ context.Context, _ *Input, report Report) error {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { report(Finding{Message: "x"}) })
		}
		wg.Wait()
		return nil
	})
	h := begin(t, pluginOf(many), "many")
	h.finish()
	all := h.rest()
	if len(all) != 21 || all[20] != "many done" {
		t.Errorf("got %d messages, the last of them %q", len(all), all[len(all)-1])
	}
}

func TestShared(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]Record{}
	keeper := func(id string) Rule {
		return rule(id, func(_ context.Context, in *Input, _ Report) error {
			for r := range in.Records() {
				mu.Lock()
				seen[id] = r
				mu.Unlock()
			}
			return nil
		})
	}
	h := begin(t, pluginOf(keeper("a"), keeper("b")), "a", "b")
	h.batch(1, userMessage(7, "GKS"))
	h.finish()
	h.rest()
	if seen["a"] == nil || seen["a"] != seen["b"] {
		t.Errorf("the rules got %p and %p", seen["a"], seen["b"])
	}
}

func TestLargeMessage(t *testing.T) {
	measures := rule("a", func(_ context.Context, in *Input, report Report) error {
		for u := range Each[*User](in) {
			report(Finding{Message: fmt.Sprint(len(u.Login))})
		}
		return nil
	})
	h := begin(t, pluginOf(measures), "a")
	h.batch(1, userMessage(7, strings.Repeat("x", maxMessage-1000)))
	h.finish()
	same(t, h.rest(), fmt.Sprintf("a found SEVERITY_UNSPECIFIED []: %d", maxMessage-1000), "a took 1", "a done")
}
