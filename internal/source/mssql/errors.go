package mssql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	mssqldb "github.com/microsoft/go-mssqldb"

	"github.com/openomt/omt/internal/manifest"
)

// Error numbers of SQL Server that have a cause a person can act on.
const (
	loginFailed    = 18456
	cannotOpen     = 4060
	noDatabase     = 911
	denied         = 229
	deniedDatabase = 916
)

// explain says what an error of the server or of the network means. The driver's errors hold no password.
func (d *Driver) explain(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s database %q: %w", doing, d.name, err)
	}
	var se mssqldb.Error
	if errors.As(err, &se) {
		return d.explainServer(doing, se)
	}
	if badCertificate(err) {
		return manifest.Errorf(manifest.Usage, "%s database %q: the server's certificate is not trusted: %w", doing, d.name, err).
			WithHint("add certificate=FILE or TrustServerCertificate=true to the URL")
	}
	if unreachable(err) {
		return manifest.Errorf(manifest.Failed, "%s database %q: the server cannot be reached: %w", doing, d.name, err).
			WithHint("check host, port and firewall; a named instance needs the SQL Browser service or its port in the URL")
	}
	return fmt.Errorf("%s database %q: %w", doing, d.name, err)
}

func (d *Driver) explainServer(doing string, e mssqldb.Error) error {
	fail := func(s manifest.Status, hint string) error {
		return manifest.Errorf(s, "%s database %q: %s (error %d)", doing, d.name, strings.TrimSpace(e.Message), e.Number).WithHint("%s", hint)
	}
	switch e.Number {
	case loginFailed:
		return fail(manifest.Usage, "check the login in the URL and the password in OMT_DB_PASSWORD")
	case cannotOpen, noDatabase, deniedDatabase:
		return fail(manifest.Usage, "check the database's name, and that the login is a user of it")
	case denied:
		return fail(manifest.Failed, "the login needs SELECT on all tables under the prefix")
	}
	return &serverError{text: fmt.Sprintf("%s database %q: %s (error %d)", doing, d.name, strings.TrimSpace(e.Message), e.Number), cause: e}
}

// serverError is an error of the server in our words; its cause repeats the same text.
type serverError struct {
	text  string
	cause mssqldb.Error
}

// Error returns the text.
func (e *serverError) Error() string { return e.text }

// Unwrap returns the driver's error.
func (e *serverError) Unwrap() error { return e.cause }

func badCertificate(err error) bool {
	var (
		unknown  x509.UnknownAuthorityError
		host     x509.HostnameError
		invalid  x509.CertificateInvalidError
		verified *tls.CertificateVerificationError
	)
	return errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) || errors.As(err, &verified) ||
		strings.Contains(err.Error(), "failed to verify certificate") // the driver passes on the text alone
}

func unreachable(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) || errors.As(err, &dns) || errors.Is(err, context.DeadlineExceeded) ||
		strings.Contains(err.Error(), "unable to open tcp connection")
}
