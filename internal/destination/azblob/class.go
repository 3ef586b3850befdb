package azblob

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

// failed gives an error of the SDK its class and a text without a URL.
func (d *Blob) failed(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	var login *azidentity.AuthenticationFailedError
	if errors.As(err, &login) {
		return &web.Error{Class: destination.ErrDenied, Text: fmt.Sprintf("%s: logging in to Entra ID: %v", doing, err)}
	}
	var status *azcore.ResponseError
	if !errors.As(err, &status) {
		return web.Network(ctx, doing, err)
	}
	e := &web.Error{Class: class(status), Text: fmt.Sprintf("%s: %d %s", doing, status.StatusCode, status.ErrorCode)}
	if status.ErrorCode == "" {
		e.Text = fmt.Sprintf("%s: %d %s", doing, status.StatusCode, http.StatusText(status.StatusCode))
	}
	header := http.Header{}
	if status.RawResponse != nil {
		header = status.RawResponse.Header
	}
	switch {
	case errors.Is(e.Class, destination.ErrTransient):
		e.After = web.RetryAfter(header, d.o.Now())
	case errors.Is(e.Class, destination.ErrDenied):
		if d.signer != nil {
			e.Text += d.signer.lifetime(d.o.Now())
		}
		e.Text += web.Skew(header, d.o.Now())
	case status.ErrorCode == "ContainerNotFound":
		e.Text += fmt.Sprintf("; the container %q must be made beforehand", d.place.Container)
	}
	return e
}

func class(e *azcore.ResponseError) error {
	switch e.ErrorCode {
	case "BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet":
		return destination.ErrExists
	case "Md5Mismatch", "InvalidOperation": // (so Azurite) what arrived was thrown away, and the next try may arrive whole
		return destination.ErrTransient
	case "InvalidBlockList": // blocks went meanwhile: the upload asks again what is there
		return destination.ErrTransient
	case "UnauthorizedBlobOverwrite": // by a SAS that may create and not write
		return destination.ErrExists
	}
	return web.StatusClass(e.StatusCode)
}
