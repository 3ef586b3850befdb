package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/compare"
	"github.com/openomt/omt/internal/destination/destinationtest/relay"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
)

// cloud is a destination behind HTTP, empty, with a relay before it.
type cloud struct {
	to      string // its URL, which goes into a file
	env     []string
	secrets []string
	relay   *relay.Relay
}

// clouds start a service and give new destinations in it.
var clouds = map[string]func(t *testing.T) func(t *testing.T) cloud{
	"azure": func(t *testing.T) func(t *testing.T) cloud {
		a := servers.StartAzurite(t)
		return func(t *testing.T) cloud {
			r := relay.New(t, a.Host)
			url := a.SAS(t, a.Container(t), "rcwl", time.Hour) // the rights that the README names, and no more
			_, sig, _ := strings.Cut(url, "sig=")
			sig, _, _ = strings.Cut(sig, "&")
			return cloud{to: strings.Replace(url, a.Host, r.URL, 1), secrets: []string{sig, a.Key}, relay: r}
		}
	},
	"s3": func(t *testing.T) func(t *testing.T) cloud {
		g := servers.StartVersityGW(t)
		return func(t *testing.T) cloud {
			r := relay.New(t, g.Host)
			return cloud{
				to:  strings.Replace(g.URL(g.Bucket(t), "kalles"), g.Host, r.URL, 1),
				env: []string{"AWS_ACCESS_KEY_ID=" + g.Access, "AWS_SECRET_ACCESS_KEY=" + g.Secret}, secrets: []string{g.Secret}, relay: r,
			}
		}
	},
}

// use lets the commands of a world go there; the URL stands in a file.
func (w world) use(c cloud) {
	w.t.Helper()
	w.env = append(w.env, c.env...)
	w.write([]byte(c.to+"\n"), "tenant.url")
}

// toCloud is a step with the destination in its file.
func toCloud(step []string, flag string) []string { return with(step, flag, "@tenant.url") }

// The whole pipe into each kind of destination, the proof and the tenant's side, with the rights that are documented. The
// same is committed as into a folder, and no secret stands anywhere.
func TestClouds(t *testing.T) {
	t.Parallel()
	needs(t, "zstd")
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)(t)
			b, w := fresh(t)
			w.use(c)
			stages := piped()
			stages[3] = toCloud(stages[3], "--to")
			results := w.pipe(nil, stages...)
			w.wantAll(results, 3, 0, 0, 3)
			done := results[3].out
			w.write(done, "done.jsonl")
			same(t, "done.jsonl", normal(t, b.read("done.jsonl"), b.dir), normal(t, done, w.dir))
			results = append(results, w.want(0, "omt-push", "status", "--to", "@tenant.url"),
				w.want(0, "omt-pack", "verify", "--from", "@tenant.url", "--depth", "content"),
				w.want(0, "omt-pack", "list", "--from", "@tenant.url"), w.want(0, toCloud(unpackStep, "--from")...))
			if _, err := compare.FilesOf(w.path("done.jsonl"), w.path("out")); err != nil {
				t.Error(err)
			}
			got := tree(t, w.path("out"))
			for file, content := range tree(t, b.path("out")) {
				if got[file] != content {
					t.Fatalf("%s was unpacked with other content", file)
				}
			}
			// Pushed again, nothing is sent: the tenant has it.
			w.write(b.read("packed.jsonl"), "packed.jsonl")
			before := c.relay.Count("PUT", "/chunks/")
			results = append(results, w.want(5, toCloud(pushStep, "--to")...)) // another migration than the tenant's
			if n := c.relay.Count("PUT", "/chunks/") - before; n != 0 {
				t.Errorf("%d chunks were sent of a migration that is refused", n)
			}
			w.tells(results, c.secrets)
		})
	}
}

// tells looks for secrets in all that commands said and left behind.
func (w world) tells(results []result, secrets []string) {
	w.t.Helper()
	look := func(what string, b []byte) {
		for _, s := range secrets {
			if inText(b, s) {
				w.t.Errorf("%s holds a secret", what)
			}
		}
	}
	for _, r := range results {
		look("the output of "+r.line, r.out)
		look("what is said by "+r.line, []byte(r.err))
		look("the command line "+r.line, []byte(r.line))
	}
	logs := 0
	for _, dir := range []string{"tmp", "spool", "out"} {
		for name, content := range tree(w.t, w.path(dir)) {
			if strings.HasSuffix(name, ".log") {
				logs++
			}
			look(dir+"/"+name, []byte(content))
		}
	}
	if logs < len(results) {
		w.t.Errorf("looked at %d logs of %d runs", logs, len(results))
	}
}

// Rights that are missing, a SAS that has ended, a host where nobody answers: said before anything is sent, without the
// secret.
func TestCloudRefused(t *testing.T) {
	t.Parallel()
	a := servers.StartAzurite(t)
	b, w := fresh(t)
	w.loadSpool(b)
	w.write(b.read("packed.jsonl"), "packed.jsonl")
	name := a.Container(t)
	var results []result
	var secrets []string
	for _, c := range []struct{ url, say, hint string }{
		{a.SAS(t, name, "rl", time.Hour), "lacks the right to create (c), write (w)", "sp=rcwl"},
		{a.SAS(t, name, "rcwl", -time.Hour), "the SAS expired at", "ask whoever runs the tenant"},
		{a.SAS(t, "none-such", "rcwl", time.Hour), `the container "none-such" must be made beforehand`, "README"},
	} {
		w.write([]byte(c.url), "tenant.url")
		_, sig, _ := strings.Cut(c.url, "sig=")
		sig, _, _ = strings.Cut(sig, "&")
		secrets = append(secrets, sig)
		r := w.want(1, toCloud(pushStep, "--to")...)
		if !strings.Contains(r.err, c.say) || !strings.Contains(r.err, c.hint) || strings.Count(r.err, "\n") > 3 {
			t.Errorf("want %q and %q: %s", c.say, c.hint, r)
		}
		results = append(results, r)
	}
	w.tells(results, append(secrets, a.Key))
	w.write([]byte(a.SAS(t, name, "rl", time.Hour)), "tenant.url")
	if r := w.want(0, "omt-push", "status", "--to", "@tenant.url"); !strings.Contains(string(r.out), "nothing was committed yet") {
		t.Errorf("something was sent: %s", r.out)
	}
}

// A SAS that ends while chunks are on their way is read again from its file.
func TestRenewedSAS(t *testing.T) {
	t.Parallel()
	a := servers.StartAzurite(t)
	for _, renewed := range []bool{true, false} {
		b, w := fresh(t)
		w.loadSpool(b)
		w.write(b.read("packed.jsonl"), "packed.jsonl")
		name := a.Container(t)
		// The service does not take the signature any more from the second block on.
		r := relay.New(t, a.Host, relay.Fault{Method: "PUT", Has: "/chunks/", Call: 2, Stall: time.Second},
			relay.Fault{Method: "PUT", Has: "/chunks/", Call: 3, Status: 403, Code: "AuthenticationFailed"})
		url := func(life time.Duration) []byte {
			return []byte(strings.Replace(a.SAS(t, name, "rcwl", life), a.Host, r.URL, 1))
		}
		w.write(url(time.Hour), "tenant.url")
		push := append(toCloud(pushStep, "--to"), "--workers", "1")
		x := w.command(push...)
		var said strings.Builder
		x.Stderr = &said
		if err := x.Start(); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); r.Count("PUT", "/chunks/") < 2 && time.Since(began) < time.Minute; {
			time.Sleep(5 * time.Millisecond)
		}
		if renewed {
			w.write(url(2*time.Hour), "tenant.url")
		}
		err := x.Wait()
		switch status := x.ProcessState.ExitCode(); {
		case renewed && status != 3:
			t.Errorf("with a new SAS in its file: status %d, %v: %s", status, err, said.String())
		case !renewed && (status != 1 || strings.Count(said.String(), "403 AuthenticationFailed") != 1 || strings.Count(said.String(), "\n") > 2):
			t.Errorf("without one: status %d: %s", status, said.String())
		case !renewed:
			w.want(3, push...) // a rerun goes on
		}
	}
}

// TestCloudKill kills a push with kill -9 at random moments, and runs it again until it ends. Nothing is lost, doubled or
// half, and little is sent again. OMT_TEST_CLOUD_KILLS says how often; each kind of destination gets so many.
func TestCloudKill(t *testing.T) {
	t.Parallel()
	kills := number(t, "OMT_TEST_CLOUD_KILLS", 6)
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fresh := start(t)
			r := random(t)
			b := base(t)
			hit, rounds, sent, least := 0, 0, int64(0), int64(0)
			for ; hit < kills && rounds < 5*kills+20; rounds++ {
				c := fresh(t)
				c.relay.Slow(4_000_000)
				w := world{siteAt(t, t.TempDir())}
				w.use(c)
				w.loadSpool(b)
				w.write(b.read("packed.jsonl"), "packed.jsonl")
				push := toCloud(append(pushStep, "--keep"), "--to")
				for range 1 + r.IntN(3) {
					x := w.command(push...)
					if err := x.Start(); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Duration(r.IntN(1200)) * time.Millisecond)
					x.Process.Kill()
					x.Wait()
					if x.ProcessState.ExitCode() < 0 {
						hit++
					}
				}
				w.want(3, push...)
				w.want(0, "omt-pack", "verify", "--from", "@tenant.url", "--depth", "content")
				same(t, "done.jsonl", normal(t, b.read("done.jsonl"), b.dir), normal(t, w.read("done.jsonl"), w.dir, b.dir))
				if st := string(w.want(0, "omt-push", "status", "--to", "@tenant.url").out); !strings.Contains(st, fmt.Sprintf(" in %d chunks", len(chunksIn(t, b.path("spool"))))) {
					t.Errorf("round %d: %s", rounds, st)
				}
				sent += c.relay.Bytes()
				least += sizeOf(t, b.path("spool", "chunks"))
				os.RemoveAll(w.dir)
				if t.Failed() {
					return
				}
			}
			if hit < kills {
				t.Errorf("only %d processes were killed before they had ended", hit)
			}
			t.Logf("%d kills in %d rounds; %d bytes were sent for %d, records included", hit, rounds, sent, least)
		})
	}
}

// sizeOf is the bytes of all files below a folder.
func sizeOf(t testing.TB, dir string) (n int64) {
	for _, content := range tree(t, dir) {
		n += int64(len(content))
	}
	return n
}
