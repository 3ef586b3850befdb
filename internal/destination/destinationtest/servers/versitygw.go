package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// VersityGW is a running S3 service that keeps objects as files.
type VersityGW struct {
	Host   string // http://127.0.0.1:PORT
	Access string
	Secret string
	Dir    string // a folder for each bucket

	n atomic.Int32
}

// StartVersityGW starts versitygw, or skips the test where it is not to be had.
func StartVersityGW(t testing.TB) *VersityGW {
	t.Helper()
	bin := program(t, "OMT_TEST_VERSITYGW", "versitygw", "versitygw")
	addr := freePort(t)
	g := &VersityGW{Host: "http://" + addr, Access: "omttest", Secret: "Secret/of+" + filepath.Base(t.Name()), Dir: t.TempDir()}
	cmd := exec.Command(bin, "--port", addr, "--quiet", "posix", "--sidecar", t.TempDir(), g.Dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+g.Access, "ROOT_SECRET_KEY="+g.Secret)
	child(t, cmd)
	answers(t, addr)
	return g
}

// Bucket makes an empty bucket and returns its name.
func (g *VersityGW) Bucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("tenant%d", g.n.Add(1))
	if err := os.Mkdir(filepath.Join(g.Dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// URL is a bucket's, for the destination.
func (g *VersityGW) URL(bucket, prefix string) string {
	return "s3://" + bucket + "/" + prefix + "?endpoint=" + g.Host
}

// Getenv gives the variables that hold the credential.
func (g *VersityGW) Getenv(name string) string {
	return map[string]string{"AWS_ACCESS_KEY_ID": g.Access, "AWS_SECRET_ACCESS_KEY": g.Secret}[name]
}
