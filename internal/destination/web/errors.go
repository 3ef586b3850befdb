package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/openomt/omt/internal/destination"
)

// Error is what a service or the way to it says, of a class of package destination or of none.
type Error struct {
	Class error // nil: final, and speaks for itself
	Text  string
	After time.Duration // how long the service asks to be left alone
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// Unwrap gives the class.
func (e *Error) Unwrap() error { return e.Class }

// RetryAfter is what destination.Retry waits at least.
func (e *Error) RetryAfter() time.Duration { return e.After }

// Network gives an error of the way to the service its class; doing says what was being done. An error of ctx stays one.
func Network(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err // the text around it quotes the URL with its signature
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch text := err.Error(); {
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &verify):
		return &Error{destination.ErrBlocked, fmt.Sprintf("%s: the certificate is not trusted (%s); a company's own authority is named with --ca FILE", doing, text), 0}
	case errors.As(err, &record):
		return &Error{destination.ErrBlocked, fmt.Sprintf("%s: what answers there does not speak https", doing), 0}
	case strings.Contains(text, http.StatusText(http.StatusProxyAuthRequired)):
		return &Error{destination.ErrBlocked, doing + ": the proxy wants a user name and a password, or others; they belong in HTTPS_PROXY", 0}
	default:
		return &Error{destination.ErrTransient, doing + ": " + text, 0}
	}
}

// Transient tells the statuses after which the same request may work.
func Transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// RetryAfter reads the header of that name, in seconds or as a time.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Skew says in words how far this machine's clock is from the one that wrote the header Date, or nothing where that is
// less than five minutes or not known. Signatures are refused when clocks differ.
func Skew(h http.Header, now time.Time) string {
	there, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return ""
	}
	ahead := now.Sub(there).Round(time.Second)
	switch {
	case ahead >= 5*time.Minute:
		return fmt.Sprintf("; this machine's clock is %s ahead of the service's", ahead)
	case ahead <= -5*time.Minute:
		return fmt.Sprintf("; this machine's clock is %s behind the service's", -ahead)
	}
	return ""
}

// StatusClass is the class of a status that no code of the service says more about; nil where it has none.
func StatusClass(code int) error {
	switch {
	case code == http.StatusNotFound:
		return destination.ErrNotExist
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return destination.ErrDenied
	case code == http.StatusPreconditionFailed:
		return destination.ErrExists
	case Transient(code):
		return destination.ErrTransient
	}
	return nil
}
