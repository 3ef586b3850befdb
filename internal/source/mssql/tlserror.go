package mssql

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/openomt/omt/internal/manifest"
)

// What the parameters cost that get past a failure.
const (
	costDisable = "the cost: everything, the password too, goes over the network for anyone there to read"
	costTrust   = "the cost: it is encrypted, but somebody between who poses as the server is not noticed, and reads the password"
	costOld     = "the cost: old ciphers, which somebody on the network may break with much effort"
	costNone    = "it costs no safety"
)

const (
	adviseDisable = "add encrypt=disable to the URL; " + costDisable + "; better give SQL Server another certificate"
	adviseTrust   = "TrustServerCertificate=true; " + costTrust
	advisePin     = "add serverCertificate=FILE with the server's own certificate (exported as .cer or .pem), which costs no safety, or " + adviseTrust
)

// explainTLS is about a handshake that failed.
func (e *connectError) explainTLS(name string, a prelogin) error {
	text := strings.TrimPrefix(e.err.Error(), "TLS Handshake failed: ")
	if what, hint, ok := e.certificateHelp(text); ok {
		return e.fail(manifest.Usage, name, "%s%s: %s: %s", e.at(), e.product(a), what, text)("%s", hint)
	}
	switch {
	case timedOut(e.err):
		return e.fail(manifest.Failed, name, "%s%s did not answer within %s when encryption was to begin", e.at(), e.product(a), e.limit)("%s", e.olderHint("1.0"))
	case hungUp(e.err) && a.encryption == encryptRequired && e.to.cfg.TLSConfig == nil:
		return e.required(name, a)
	case hungUp(e.err):
		return e.fail(manifest.Usage, name, "%s%s closed the connection when encryption was to begin", e.at(), e.product(a))("%s", e.olderHint("1.0"))
	}
	return e.fail(manifest.Usage, name, "%s%s: encryption cannot begin: %s", e.at(), e.product(a), text)("%s", e.olderHint(versionIn(text)))
}

// required is the answer to encrypt=disable of a server that encrypts everything.
func (e *connectError) required(name string, a prelogin) error {
	return e.fail(manifest.Usage, name, "%s%s takes encrypted connections alone, and the URL says encrypt=disable", e.at(), e.product(a))(
		"take encrypt=disable out of the URL; where the certificate then is not trusted, add %s", adviseTrust)
}

// certificateHelp tells what is wrong with a certificate. Our own words come first: those of Go may stand behind them.
func (e *connectError) certificateHelp(text string) (what, hint string, ok bool) {
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has(notPinned):
		return "the certificate is not the one that serverCertificate names", "have the server's present certificate exported again; if it should not have changed, do not connect", true
	case has(noName):
		return "the certificate is trusted, and cannot be the server's by name", advisePin, true
	case has(otherName):
		return "the certificate is another server's by name",
			fmt.Sprintf("if that is the server, add hostNameInCertificate=%s to the URL: %s", nameIn(text), costNone), true
	case has(notValid):
		return "the certificate is not valid now", "check this machine's clock; else " + advisePin, true
	case has(otherPurpose):
		return "the certificate is not good for a server", advisePin, true
	case has(notTrusted):
		return "the certificate is not trusted", "add certificate=FILE with the certificate of the authority that vouches for it, or, where the server made it itself, " +
			strings.TrimPrefix(advisePin, "add "), true
	case has("negative serial number"):
		return "the server's certificate has a negative serial number", "take x509negativeserial out of the variable GODEBUG, which forbids what this program allows", true
	case has("failed to parse certificate", "x509: malformed", "x509: invalid"):
		return "the server's certificate cannot be read", adviseDisable, true
	case has("keys are insecure", "RSA key too small", "larger than", "RSA public key"):
		return "the server's key is of a length that is not taken", adviseDisable, true
	}
	return "", "", false
}

// olderHint is for a server that has an older version of TLS than what is offered, or older ciphers.
func (e *connectError) olderHint(version string) string {
	switch {
	case e.to.cfg.TLSConfig == nil:
		return "take encrypt=disable out of the URL"
	case e.to.cfg.Encryption == msdsn.EncryptionStrict:
		return "SQL Server before 2022 knows no strict encryption: write encrypt=true in the URL; " + costNone
	case !e.to.lowered:
		return fmt.Sprintf("add tlsmin=%s to the URL, which takes older versions of TLS and older ciphers; %s", version, costOld)
	case e.to.cfg.TLSConfig.MinVersion > tlsVersions[version]:
		return fmt.Sprintf("write tlsmin=%s in the URL; %s", version, costOld)
	}
	return adviseDisable
}

var tlsVersions = map[string]uint16{"1.0": 0x0301, "1.1": 0x0302}

// versionIn is the version of TLS that the server wants, where the error tells.
func versionIn(text string) string {
	if strings.HasSuffix(text, "unsupported protocol version 302") {
		return "1.1"
	}
	return "1.0"
}

var firstName = regexp.MustCompile(`certificate of "(?:[^"\\]|\\.)*" for ([^ ,]+)`)

// nameIn is the first host that the certificate is made out to.
func nameIn(text string) string {
	if m := firstName.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return "NAME"
}
