package mssql

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// makeCert makes a certificate of the test's key as SQL Server makes its own, then as change has it. signer is who
// vouches, itself when nil.
func makeCert(t testing.TB, change func(c *x509.Certificate), signer *x509.Certificate) tls.Certificate {
	t.Helper()
	return certOf(t, testKey(), change, signer)
}

func certOf(t testing.TB, key *rsa.PrivateKey, change func(c *x509.Certificate), signer *x509.Certificate) tls.Certificate {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: "SSL_Self_Signed_Fallback"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().AddDate(30, 0, 0),
	}
	if change != nil {
		change(c)
	}
	if signer == nil {
		signer = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, signer, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// makeCA makes an authority.
func makeCA(t testing.TB) (*x509.Certificate, string) {
	t.Helper()
	c := makeCert(t, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = "OMT test CA", true, true, x509.KeyUsageCertSign
	}, nil)
	ca, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return ca, certFile(t, "ca.cer", c)
}

func forLoopback(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }

// certFile writes a certificate as its name says: .pem as PEM, all else as DER.
func certFile(t testing.TB, name string, c tls.Certificate) string {
	t.Helper()
	b := c.Certificate[0]
	if filepath.Ext(name) == ".pem" {
		b = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b})
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// withSerial puts other bytes in the place of the serial number, and signs again: what Go would not make, and a server
// may have.
func withSerial(t testing.TB, c tls.Certificate, serial ...byte) tls.Certificate {
	t.Helper()
	var whole struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.Certificate[0], &whole); err != nil {
		t.Fatal(err)
	}
	var version, old asn1.RawValue
	rest, err := asn1.Unmarshal(whole.TBS.Bytes, &version)
	if err == nil {
		rest, err = asn1.Unmarshal(rest, &old)
	}
	if err != nil || old.Tag != asn1.TagInteger {
		t.Fatalf("the certificate is not what was expected: %v", err)
	}
	number, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagInteger, Bytes: serial})
	if err != nil {
		t.Fatal(err)
	}
	whole.TBS = asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: slices.Concat(version.FullBytes, number, rest)}
	made, err := asn1.Marshal(whole.TBS)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(made)
	sig, err := rsa.SignPKCS1v15(rand.Reader, testKey(), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	whole.Signature = asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}
	der, err := asn1.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: testKey()}
}

// serverTLS is what SQL Server does for its versions before TDS 8: TLS 1.2 at most.
func serverTLS(c tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c}, MaxVersion: tls.VersionTLS12}
}
