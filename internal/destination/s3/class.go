package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

// seen is what the last answer to a call had in its head, which the SDK does not hand on.
type seen struct{ header http.Header }

type seenKey struct{}

// watch makes a context whose requests leave the heads of their answers.
func watch(ctx context.Context) (context.Context, *seen) {
	s := &seen{}
	return context.WithValue(ctx, seenKey{}, s), s
}

// recorder leaves the head of each answer with who watches.
type recorder struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.RoundTripper.RoundTrip(req)
	if s, ok := req.Context().Value(seenKey{}).(*seen); ok && err == nil {
		s.header = resp.Header.Clone()
	}
	return resp, err
}

// failed gives an error of the SDK its class and a text without a URL.
func (d *Bucket) failed(ctx context.Context, s *seen, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	var status minio.ErrorResponse
	if !errors.As(err, &status) {
		return web.Network(ctx, doing, err)
	}
	if status.StatusCode == 0 { // an error in an answer that began well
		status.StatusCode = http.StatusInternalServerError
	}
	e := &web.Error{Class: class(status), Text: fmt.Sprintf("%s: %d %s", doing, status.StatusCode, status.Code)}
	header := http.Header{}
	if s != nil && s.header != nil {
		header = s.header
	}
	switch {
	case errors.Is(e.Class, destination.ErrTransient):
		e.After = web.RetryAfter(header, d.o.Now())
	case errors.Is(e.Class, destination.ErrDenied):
		e.Text += web.Skew(header, d.o.Now())
	case status.Code == minio.NoSuchBucket:
		e.Text += fmt.Sprintf("; the bucket %q must be made beforehand", d.place.Bucket)
	case status.Code == minio.AuthorizationHeaderMalformed && status.Region != "":
		e.Text += fmt.Sprintf("; the bucket lies in another region: add region=%s to the URL", status.Region)
	}
	return e
}

func class(e minio.ErrorResponse) error {
	switch e.Code {
	case "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", // what arrived was thrown away
		"ConditionalRequestConflict", "OperationAborted", // two at once: who asks again hears who won
		"RequestTimeout", "IncompleteBody", "SlowDown", "NoSuchUpload", "InvalidPart":
		return destination.ErrTransient
	}
	return web.StatusClass(e.StatusCode)
}
