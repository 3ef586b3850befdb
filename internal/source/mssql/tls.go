package mssql

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/openomt/omt/internal/sqlurl"
)

// What certificates of SQL Server need of Go beyond a URL stands in go.mod as godebug lines, for the whole process:
// certificates with a negative serial number, and handshakes of TLS 1.2 that are signed with SHA-1.

// prepareTLS completes the driver's settings: which certificates count, and what is offered to an old server.
func (t *target) prepareTLS(params url.Values) error {
	if v, ok := sqlurl.Get(params, "tlsmin"); ok {
		n := msdsn.TLSVersionFromString(v)
		if n == 0 {
			return usagef("parameter tlsmin: %q is none of 1.0, 1.1, 1.2 and 1.3", v)
		}
		t.lowered = n < tls.VersionTLS12
	}
	c := t.cfg.TLSConfig
	if c == nil { // encrypt=disable
		return nil
	}
	if t.lowered {
		c.CipherSuites = oldSuites()
		c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	}
	roots, pinned, err := certificates(params)
	if err != nil {
		return err
	}
	switch {
	case pinned != nil:
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error { return checkPinned(s, pinned) }
	case !c.InsecureSkipVerify:
		name := c.ServerName
		c.InsecureSkipVerify = true // the checks are those below, which say more of a certificate that fails
		c.VerifyConnection = func(s tls.ConnectionState) error { return checkCertificate(s, roots, name) }
	}
	return nil
}

// oldSuites are all suites of Go but those with RC4 and those that it calls insecure for another reason than what old
// servers have: exchange by RSA, 3DES, and CBC with SHA-256. Go itself chooses among them, the best that both know.
func oldSuites() []uint16 {
	var ids []uint16
	for _, s := range tls.CipherSuites() {
		ids = append(ids, s.ID)
	}
	for _, s := range tls.InsecureCipherSuites() {
		if !strings.Contains(s.Name, "RC4") {
			ids = append(ids, s.ID)
		}
	}
	return slices.Compact(ids)
}

// certificates reads the files of the parameters certificate (who vouches) and serverCertificate (the only one that is
// right).
func certificates(params url.Values) (roots *x509.CertPool, pinned []byte, err error) {
	ca, hasCA := sqlurl.Get(params, "certificate")
	own, hasOwn := sqlurl.Get(params, "serverCertificate")
	_, hasName := sqlurl.Get(params, "hostNameInCertificate")
	switch {
	case hasCA && hasOwn:
		return nil, nil, usagef("certificate and serverCertificate cannot both be given")
	case hasOwn && hasName:
		return nil, nil, usagef("serverCertificate and hostNameInCertificate cannot both be given: with the first no name is looked at")
	case hasCA:
		list, err := readCertificates(ca)
		if err != nil {
			return nil, nil, usagef("parameter certificate: %w", err)
		}
		roots = x509.NewCertPool()
		for _, der := range list {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, nil, usagef("parameter certificate: %q: %w", ca, err)
			}
			roots.AddCert(c)
		}
	case hasOwn:
		list, err := readCertificates(own)
		if err != nil {
			return nil, nil, usagef("parameter serverCertificate: %w", err)
		}
		pinned = list[0]
	}
	return roots, pinned, nil
}

// readCertificates reads certificates as Windows exports them: DER, or Base64 between lines, which is PEM.
func readCertificates(file string) ([][]byte, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list [][]byte
	for rest := raw; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			list = append(list, block.Bytes)
		}
	}
	if len(list) == 0 {
		if _, err := x509.ParseCertificate(raw); err != nil {
			return nil, fmt.Errorf("%q holds no certificate in PEM or DER", file)
		}
		list = [][]byte{raw}
	}
	return list, nil
}

// The problems that a certificate can have. They are told apart by these words, since the driver passes on the text of
// an error alone.
const (
	notTrusted   = "nobody whom this machine trusts vouches for it"
	notValid     = "its time is over, or has not come"
	otherName    = "it is made out to another name than"
	noName       = "it names no host"
	otherPurpose = "it is not good for a server"
	notPinned    = "it is not the one in the file of serverCertificate"
)

// checkCertificate does what Go does by itself, in the order of what is worst, and describes the certificate.
func checkCertificate(s tls.ConnectionState, roots *x509.CertPool, name string) error {
	leaf := s.PeerCertificates[0]
	if s.ServerName != "" { // the server may have sent us on to another
		name = s.ServerName
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(o); err != nil {
		return certificateProblem(leaf, verifyProblem(err), err)
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		return certificateProblem(leaf, noName, nil)
	}
	if err := leaf.VerifyHostname(name); err != nil {
		return certificateProblem(leaf, fmt.Sprintf("%s %q", otherName, name), nil)
	}
	return nil
}

func verifyProblem(err error) string {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return notValid
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return otherPurpose
	}
	return notTrusted
}

func checkPinned(s tls.ConnectionState, pinned []byte) error {
	if leaf := s.PeerCertificates[0]; !slices.Equal(leaf.Raw, pinned) {
		return certificateProblem(leaf, notPinned, nil)
	}
	return nil
}

// certificateProblem describes a certificate that does not do, so that it can be compared with the one that the server should have.
func certificateProblem(c *x509.Certificate, what string, cause error) error {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	made := "no host"
	if len(names) > 0 {
		made = strings.Join(names, ", ")
	}
	text := fmt.Sprintf("%s (certificate of %q for %s, from %q, valid %s to %s, SHA-256 %x", what, c.Subject, made, c.Issuer,
		c.NotBefore.Format("2006-01-02"), c.NotAfter.Format("2006-01-02"), sha256.Sum256(c.Raw))
	if cause != nil {
		text += "; " + cause.Error()
	}
	return errors.New(text + ")")
}
