package e2e

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/openomt/omt/internal/compare"
	"github.com/openomt/omt/internal/destination/destinationtest/relay"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
)

// cloud is a destination behind HTTP, empty, with a relay before it.
type cloud struct {
	to      string // its URL, which goes into a file
	env     []string
	secrets []string
	store   store // what it keeps
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
			return cloud{to: strings.Replace(url, a.Host, r.URL, 1), secrets: []string{sig, a.Key}, store: objectsOf(t, url), relay: r}
		}
	},
	"s3": func(t *testing.T) func(t *testing.T) cloud {
		g := servers.StartVersityGW(t)
		return func(t *testing.T) cloud {
			r := relay.New(t, g.Host)
			bucket := g.Bucket(t)
			return cloud{
				to:  strings.Replace(g.URL(bucket, "kalles"), g.Host, r.URL, 1),
				env: []string{"AWS_ACCESS_KEY_ID=" + g.Access, "AWS_SECRET_ACCESS_KEY=" + g.Secret}, secrets: []string{g.Secret},
				store: folder(t, filepath.Join(g.Dir, bucket)), relay: r,
			}
		}
	},
}

// objectsOf are those of the container that a URL names, read as any client of Azure reads them.
func objectsOf(t *testing.T, url string) store {
	return func(yield func(string, []byte)) {
		c, err := container.NewClientWithNoCredential(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background() // the test's own has ended when what it stored is looked at
		for pages := c.NewListBlobsFlatPager(nil); pages.More(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Segment.BlobItems {
				got, err := c.NewBlobClient(*item.Name).DownloadStream(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(got.Body)
				got.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				yield(*item.Name, b)
				yield(*item.Name+": what is said of it", fmt.Append(nil, item.Metadata, item.BlobTags))
			}
		}
	}
}

// folder is what versitygw keeps of a bucket.
func folder(t *testing.T, dir string) store {
	return func(yield func(string, []byte)) {
		for name, content := range tree(t, dir) {
			yield(name, []byte(content))
		}
	}
}

// use lets the commands of a world go there; the URL stands in a file.
func (w world) use(c cloud) {
	w.t.Helper()
	w.env = append(w.env, c.env...)
	w.hide(c.secrets...)
	if c.store != nil { // a folder of the site is looked through with it
		w.stores = append(w.stores, c.store)
	}
	w.write([]byte(c.to+"\n"), "tenant.url")
}

// toCloud is a step with the destination in its file.
func toCloud(step []string, flag string) []string { return with(step, flag, "@tenant.url") }

// The whole pipe into each kind of destination, the proof and the tenant's side, with the rights that are documented. The
// same is committed as into a folder.
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
			w.want(0, "omt-push", "status", "--to", "@tenant.url")
			w.want(0, "omt-pack", "verify", "--from", "@tenant.url", "--depth", "content")
			w.want(0, "omt-pack", "list", "--from", "@tenant.url")
			w.want(0, toCloud(unpackStep, "--from")...)
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
			w.want(5, toCloud(pushStep, "--to")...) // another migration than the tenant's
			if n := c.relay.Count("PUT", "/chunks/") - before; n != 0 {
				t.Errorf("%d chunks were sent of a migration that is refused", n)
			}
		})
	}
}

// What a destination refuses, and where nobody answers: said before anything is sent, in few lines and without the secret
// that was refused, which a wrong one may well be with a letter more.
func TestCloudRefused(t *testing.T) {
	t.Parallel()
	a, g := servers.StartAzurite(t), servers.StartVersityGW(t)
	const wrong = "d3Jvbmctc2VjcmV0LW9mLWEtdGVzdC13cm9uZy1zZWNyZXQ="
	name, bucket := a.Container(t), g.Bucket(t)
	byKey := "azblob://" + name + "?endpoint=" + a.Host + "/" + a.Account
	byLogin := func(access, secret string) []string {
		return []string{"AWS_ACCESS_KEY_ID=" + access, "AWS_SECRET_ACCESS_KEY=" + secret, "AZURE_STORAGE_KEY=" + secret, "AZURE_STORAGE_ACCOUNT=" + access}
	}
	forged := func(u string) string {
		before, sig, _ := strings.Cut(u, "sig=")
		_, after, more := strings.Cut(sig, "&")
		if more {
			after = "&" + after
		}
		return before + "sig=" + url.QueryEscape(wrong) + after
	}
	proxy := relay.NewProxy(t, strings.TrimPrefix(a.Host, "http://"), "karl", "the-right-word-of-the-proxy")
	through := func(password string) []string {
		p := strings.Replace(proxy.URL, "http://", "http://karl:"+password+"@", 1)
		return []string{"HTTPS_PROXY=" + p, "HTTP_PROXY=" + p}
	}
	for what, c := range map[string]struct {
		url  string
		env  []string
		say  string
		hint string
	}{
		"rights that are missing":   {a.SAS(t, name, "rl", time.Hour), nil, "lacks the right to create (c), write (w)", "sp=rcwl"},
		"a SAS that has ended":      {a.SAS(t, name, "rcwl", -time.Hour), nil, "the SAS expired at", "ask whoever runs the tenant"},
		"a SAS with another end":    {forged(a.SAS(t, name, "rcwl", time.Hour)), nil, "403", ""},
		"no such container":         {a.SAS(t, "none-such", "rcwl", time.Hour), nil, `the container "none-such" must be made beforehand`, "README"},
		"a wrong key of an account": {byKey, byLogin(a.Account, wrong), "403", ""},
		"no key at all":             {byKey, byLogin(a.Account, "no base64 secret!"), "AZURE_STORAGE_KEY", ""},
		"a wrong key of S3":         {g.URL(bucket, "kalles"), byLogin(g.Access, wrong), "403", ""},
		"nobody's access key":       {g.URL(bucket, "kalles"), byLogin("nobody", wrong), "UserNotFound", ""},
		"no such bucket":            {g.URL("none-such", "kalles"), byLogin(g.Access, g.Secret), "none-such", ""},
		"a wrong word at the proxy": {"https://tenant.example/" + name + "?sv=2024-11-04&sp=rcwl&se=2999-01-01&sr=c&sig=" + url.QueryEscape(wrong), through("wrong-word-of-the-proxy"), "checking https://tenant.example/" + name + ": the proxy wants a user name and a password, or others", "--ca"},
		"no TLS behind the proxy":   {"https://tenant.example/" + name + "?sv=2024-11-04&sp=rcwl&se=2999-01-01&sr=c&sig=" + url.QueryEscape(wrong), through("the-right-word-of-the-proxy"), "tenant.example", ""},
	} {
		t.Run(what, func(t *testing.T) {
			b, w := fresh(t)
			w.loadSpool(b)
			w.write(b.read("packed.jsonl"), "packed.jsonl")
			w.hide(a.Key, g.Secret, wrong)
			w.env = c.env
			w.write([]byte(c.url), "tenant.url")
			for _, step := range [][]string{toCloud(pushStep, "--to"), {"omt-push", "status", "--to", "@tenant.url"},
				{"omt-pack", "verify", "--from", "@tenant.url"}} {
				r := w.run(step...)
				if step[1] == "--in" && (r.status != 1 || !strings.Contains(r.err, c.say) || !strings.Contains(r.err, c.hint)) || strings.Count(r.err, "\n") > 3 {
					t.Errorf("want status 1, %q and %q: %s", c.say, c.hint, r)
				}
				if r.status == 0 && !strings.Contains(string(r.out), "nothing was committed yet") {
					t.Errorf("it did something: %s\n%s", r, r.out)
				}
			}
		})
	}
	_, w := fresh(t)
	w.write([]byte(a.SAS(t, name, "rl", time.Hour)), "tenant.url")
	if r := w.want(0, "omt-push", "status", "--to", "@tenant.url"); !strings.Contains(string(r.out), "nothing was committed yet") {
		t.Errorf("something was sent: %s", r.out)
	}
	if left := tree(t, filepath.Join(g.Dir, bucket)); len(left) > 0 {
		t.Errorf("something was sent: %d objects", len(left))
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
		w.heard("omt-push", []byte(said.String()))
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
			hit, runs, rounds, sent, least := 0, 0, 0, int64(0), int64(0)
			for ; hit < kills && rounds < 5*kills+20; rounds++ {
				c := fresh(t)
				c.relay.Slow(4_000_000)
				w := world{newSite(t)}
				w.use(c)
				w.loadSpool(b)
				w.write(b.read("packed.jsonl"), "packed.jsonl")
				push := toCloud(append(pushStep, "--keep"), "--to")
				for range 1 + r.IntN(3) {
					runs++
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
				runs++
				w.want(3, push...)
				w.want(0, "omt-pack", "verify", "--from", "@tenant.url", "--depth", "content")
				same(t, "done.jsonl", normal(t, b.read("done.jsonl"), b.dir), normal(t, w.read("done.jsonl"), w.dir, b.dir))
				if st := string(w.want(0, "omt-push", "status", "--to", "@tenant.url").out); !strings.Contains(st, fmt.Sprintf(" in %d chunks", len(chunksIn(t, b.path("spool"))))) {
					t.Errorf("round %d: %s", rounds, st)
				}
				sent += c.relay.Bytes()
				least += sizeOf(t, b.path("spool", "chunks"))
				w.hunt()
				os.RemoveAll(w.dir)
				if t.Failed() {
					return
				}
			}
			if hit < kills {
				t.Errorf("only %d processes were killed before they had ended", hit)
			}
			t.Logf("%d kills of %d runs, in %d rounds; %d bytes were sent for chunks of %d, records included: %.1f %% more", hit, runs, rounds, sent, least,
				100*float64(sent-least)/float64(least))
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
