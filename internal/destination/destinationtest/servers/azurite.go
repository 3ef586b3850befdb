package servers

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
)

// Azurite is a running emulator of Azure Blob Storage.
type Azurite struct {
	Host    string // http://127.0.0.1:PORT
	Account string
	Key     string

	cred *container.SharedKeyCredential
	n    atomic.Int32
}

var listening = regexp.MustCompile(`listens on (http://[0-9.]+:[0-9]+)`)

// StartAzurite starts Azurite, or skips the test where it is not to be had.
func StartAzurite(t testing.TB) *Azurite {
	t.Helper()
	bin := program(t, "OMT_TEST_AZURITE", "node_modules/azurite/dist/src/blob/main.js", "Azurite")
	key := sha256.Sum256([]byte(t.Name()))
	a := &Azurite{Account: "omttest", Key: base64.StdEncoding.EncodeToString(append(key[:], key[:]...))}
	cmd := exec.Command("node", bin, "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", t.TempDir(),
		"--skipApiVersionCheck", "--disableTelemetry", "--silent")
	cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+a.Account+":"+a.Key)
	m := listening.FindStringSubmatch(line(t, child(t, cmd), "successfully listen"))
	if m == nil {
		t.Fatal("Azurite does not say where it listens")
	}
	a.Host = m[1]
	var err error
	if a.cred, err = container.NewSharedKeyCredential(a.Account, a.Key); err != nil {
		t.Fatal(err)
	}
	return a
}

// Container makes an empty container and returns its name.
func (a *Azurite) Container(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("tenant%d", a.n.Add(1))
	c, err := container.NewClientWithSharedKeyCredential(a.Host+"/"+a.Account+"/"+name, a.cred, nil)
	if err == nil {
		_, err = c.Create(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// SAS is a container's URL with a signature that gives rights, such as "rcwl", from now on for as long as life says; a
// negative life is one that has ended.
func (a *Azurite) SAS(t testing.TB, name, rights string, life time.Duration) string {
	t.Helper()
	var p sas.ContainerPermissions
	for _, r := range rights {
		switch r {
		case 'r':
			p.Read = true
		case 'c':
			p.Create = true
		case 'w':
			p.Write = true
		case 'l':
			p.List = true
		case 'd':
			p.Delete = true
		}
	}
	now := time.Now().UTC() //nolint:forbidigo // of a test alone
	q, err := sas.BlobSignatureValues{
		Protocol: sas.ProtocolHTTPSandHTTP, StartTime: now.Add(-24 * time.Hour), ExpiryTime: now.Add(life),
		Permissions: p.String(), ContainerName: name,
	}.SignWithSharedKey(a.cred)
	if err != nil {
		t.Fatal(err)
	}
	return a.Host + "/" + a.Account + "/" + name + "?" + q.Encode()
}
