//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/destinationtest/relay"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
)

// transfer is one tool that brings the tree to one service.
type transfer struct {
	name    string
	full    func() *exec.Cmd // into what is empty, or where it was killed
	again   func() *exec.Cmd // when nothing has changed; nil: full
	resumes func() *exec.Cmd // after a kill; nil: full
	fresh   func(t *testing.T) *relay.Relay
}

// TestTransfer measures omt-pack and omt-push against rclone and azcopy (OMT_BENCH_AZCOPY is its program), over Azurite and
// versitygw, all through the same relay. OMT_BENCH_TRANSFER is how many files; without it nothing is measured. The commands
// are those of OMT_BENCH_BIN.
func TestTransfer(t *testing.T) {
	files := 0
	if _, err := fmt.Sscan(os.Getenv("OMT_BENCH_TRANSFER"), &files); err != nil || files < 1 {
		t.Skip("OMT_BENCH_TRANSFER does not say how many files are to be transferred")
	}
	b := &bench{bin: os.Getenv("OMT_BENCH_BIN"), dir: t.TempDir(), documents: 20}
	b.tree = tree{dir: b.path("tree"), files: files, seed: 1}
	if err := b.tree.write(); err != nil {
		t.Fatal(err)
	}
	if err := b.assigned(t.Context()); err != nil {
		t.Fatal(err)
	}
	packing, err := measure(b.pack("spool"), 0)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := measure(b.pack("spool"), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d MB, packed as %d MB in %.1f s (%.1f s of processor, %d MiB), and again in %.1f s (%.1f s)", files, size(b.tree.dir)/1e6,
		size(b.path("spool", "chunks"))/1e6, packing.wall.Seconds(), packing.cpu.Seconds(), packing.peak, packed.wall.Seconds(), packed.cpu.Seconds())
	t.Log("| tool | full: wall s / CPU s | MiB | wire MB | requests | killed at half: sent again | no change: wall s / CPU s | requests |")
	for _, service := range []func(*testing.T, *bench) []transfer{azure, s3} {
		for _, tr := range service(t, b) {
			t.Log(tr.measure(t))
		}
	}
}

// measure is the row of a tool.
func (tr transfer) measure(t *testing.T) string {
	t.Helper()
	r := tr.fresh(t)
	full, err := measure(tr.full(), 0, 3)
	if err != nil {
		return fmt.Sprintf("| %s | %v |", tr.name, err)
	}
	wire, bodies, requests := r.Wire(), r.Bytes(), len(r.Seen())
	again := tr.full
	if tr.again != nil {
		again = tr.again
	}
	same, err := measure(again(), 0, 3)
	if err != nil {
		return fmt.Sprintf("| %s, no change | %v |", tr.name, err)
	}
	unchanged := len(r.Seen()) - requests
	r = tr.fresh(t)
	x := tr.full()
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { _ = x.Wait(); close(over) }()
	for r.Bytes() < bodies/2 {
		select {
		case <-over:
			t.Fatalf("%s ended before half was sent", tr.name)
		case <-time.After(time.Millisecond):
		}
	}
	_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
	<-over
	rest := tr.full
	if tr.resumes != nil {
		rest = tr.resumes
	}
	resent := "it did not go on"
	if _, err := measure(rest(), 0, 3); err == nil {
		n := max(0, r.Bytes()-bodies)
		resent = fmt.Sprintf("%.1f MB, %.2f %%", float64(n)/1e6, 100*float64(n)/float64(bodies))
	} else {
		t.Log(err)
	}
	return fmt.Sprintf("| %s | %.1f / %.1f | %d | %.1f | %d | %s | %.2f / %.2f | %d |", tr.name, full.wall.Seconds(), full.cpu.Seconds(), full.peak,
		float64(wire)/1e6, requests, resent, same.wall.Seconds(), same.cpu.Seconds(), unchanged)
}

// push is omt-push to what the file tenant.url names.
func (b *bench) push(env ...string) *exec.Cmd {
	return with(b.tool("omt-push", "--in", b.path("packed.jsonl"), "--spool", b.path("spool"), "--to", "@"+b.path("tenant.url"),
		"--out", b.path("done.jsonl"), "--keep"), env...)
}

// newTenant forgets what was sent elsewhere.
func (b *bench) newTenant(t *testing.T, url string) {
	t.Helper()
	_ = os.Remove(b.path("spool", "receipts.jsonl"))
	if err := os.WriteFile(b.path("tenant.url"), []byte(url), 0o600); err != nil {
		t.Fatal(err)
	}
}

// with gives a command variables. An own file of certificates is none of them: rclone fails over it.
func with(x *exec.Cmd, env ...string) *exec.Cmd {
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "AWS_") {
			x.Env = append(x.Env, e)
		}
	}
	x.Env = append(x.Env, env...)
	return x
}

// azure are the tools that take a SAS of Azurite.
func azure(t *testing.T, b *bench) []transfer {
	a := servers.StartAzurite(t)
	var url string
	fresh := func(t *testing.T) *relay.Relay {
		r := relay.New(t, a.Host)
		url = strings.Replace(a.SAS(t, a.Container(t), "rcwld", 24*time.Hour), a.Host, r.URL, 1)
		b.newTenant(t, url)
		return r
	}
	all := []transfer{{name: "omt-push, Azurite", fresh: fresh, full: func() *exec.Cmd { return b.push() }}}
	if rclone, err := exec.LookPath("rclone"); err == nil {
		all = append(all, transfer{name: "rclone copy, Azurite", fresh: fresh, full: func() *exec.Cmd {
			name := regexp.MustCompile(`/(tenant\d+)\?`).FindStringSubmatch(url)[1]
			return with(exec.Command(rclone, "copy", b.tree.dir, "peer:"+name, "--transfers", "4", "--config", os.DevNull),
				"RCLONE_CONFIG_PEER_TYPE=azureblob", "RCLONE_CONFIG_PEER_SAS_URL="+url)
		}})
	} else {
		t.Log("rclone is not there")
	}
	azcopy := os.Getenv("OMT_BENCH_AZCOPY")
	if _, err := os.Stat(azcopy); err == nil {
		plans := b.path("azcopy")
		env := []string{"AZCOPY_JOB_PLAN_LOCATION=" + plans, "AZCOPY_LOG_LOCATION=" + plans, "AZCOPY_DISABLE_SYSLOG=true", "AZCOPY_CONCURRENCY_VALUE=4"}
		forget := func(t *testing.T) *relay.Relay {
			_ = os.RemoveAll(plans)
			return fresh(t)
		}
		all = append(all, transfer{name: "azcopy, Azurite", fresh: forget,
			full: func() *exec.Cmd {
				return with(exec.Command(azcopy, "copy", b.tree.dir+"/*", url, "--recursive", "--from-to=LocalBlob", "--put-md5"), env...)
			},
			again: func() *exec.Cmd {
				return with(exec.Command(azcopy, "sync", b.tree.dir, url, "--recursive", "--from-to=LocalBlob"), env...)
			},
			resumes: func() *exec.Cmd {
				_, signature, _ := strings.Cut(url, "?")
				return with(exec.Command(azcopy, "jobs", "resume", jobOf(plans), "--destination-sas", signature), env...)
			},
		})
	} else {
		t.Log("azcopy is not there")
	}
	return all
}

// jobOf is the number of azcopy's latest job.
func jobOf(plans string) string {
	found, _ := filepath.Glob(filepath.Join(plans, "*.steV*"))
	if len(found) == 0 {
		return "none"
	}
	id, _, _ := strings.Cut(filepath.Base(found[len(found)-1]), "--")
	return id
}

// s3 are those that speak to versitygw.
func s3(t *testing.T, b *bench) []transfer {
	g := servers.StartVersityGW(t)
	var bucket string
	var r *relay.Relay
	fresh := func(t *testing.T) *relay.Relay {
		r, bucket = relay.New(t, g.Host), g.Bucket(t)
		b.newTenant(t, strings.Replace(g.URL(bucket, "kalles"), g.Host, r.URL, 1))
		return r
	}
	all := []transfer{{name: "omt-push, versitygw", fresh: fresh, full: func() *exec.Cmd {
		return b.push("AWS_ACCESS_KEY_ID="+g.Access, "AWS_SECRET_ACCESS_KEY="+g.Secret)
	}}}
	if rclone, err := exec.LookPath("rclone"); err == nil {
		all = append(all, transfer{name: "rclone copy, versitygw", fresh: fresh, full: func() *exec.Cmd {
			return with(exec.Command(rclone, "copy", b.tree.dir, "peer:"+bucket+"/kalles", "--transfers", "4", "--config", os.DevNull),
				"RCLONE_CONFIG_PEER_TYPE=s3", "RCLONE_CONFIG_PEER_PROVIDER=Other", "RCLONE_CONFIG_PEER_ENDPOINT="+r.URL,
				"RCLONE_CONFIG_PEER_ACCESS_KEY_ID="+g.Access, "RCLONE_CONFIG_PEER_SECRET_ACCESS_KEY="+g.Secret, "RCLONE_CONFIG_PEER_REGION=us-east-1")
		}})
	}
	return all
}
