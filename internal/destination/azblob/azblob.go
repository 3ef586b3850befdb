package azblob

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

// Options are what a destination works with. Client, Getenv and Now must be set.
type Options struct {
	Client *http.Client
	Getenv func(name string) string
	Now    func() time.Time
	// Again reads the URL anew where it came from a file, for a SAS that was renewed; ok is false where it did not. nil: it
	// never does.
	Again func() (value string, ok bool, err error)

	pageSize int32 // of a listing; 0: the service's 5,000
	block    int64 // 0: 8 MiB
}

// Blob is a destination in a container.
type Blob struct {
	place   Place
	o       Options
	c       *container.Client
	signer  *signer // nil without a SAS
	buffers chan []byte
}

// Open makes a destination of a place; it asks the service nothing.
func Open(p Place, o Options) (*Blob, error) {
	if o.block == 0 {
		o.block = blockSize
	}
	d := &Blob{place: p, o: o, buffers: make(chan []byte, maxBuffers)}
	for range maxBuffers {
		d.buffers <- nil
	}
	opts := &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: o.Client,
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}}
	url := p.Endpoint + "/" + p.Container
	var err error
	switch {
	case p.key != "":
		var cred *container.SharedKeyCredential
		if cred, err = container.NewSharedKeyCredential(p.Account, p.key); err != nil {
			return nil, errors.New("AZURE_STORAGE_KEY is not the key of a storage account, which is base64")
		}
		d.c, err = container.NewClientWithSharedKeyCredential(url, cred, opts)
	case p.sas != "":
		d.signer = &signer{place: p, getenv: o.Getenv, again: o.Again, sas: p.sas}
		opts.PerRetryPolicies = []policy.Policy{d.signer}
		d.c, err = container.NewClientWithNoCredential(url, opts)
	default:
		var cred *azidentity.DefaultAzureCredential
		cred, err = azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: policy.ClientOptions{
			Transport: o.Client, Telemetry: policy.TelemetryOptions{Disabled: true},
		}})
		if err == nil {
			d.c, err = container.NewClient(url, cred, opts)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", p.URL(), err)
	}
	return d, nil
}

// URL implements destination.Destination.
func (d *Blob) URL() string { return d.place.URL() }

// Close implements destination.Destination.
func (d *Blob) Close() error {
	d.o.Client.CloseIdleConnections()
	return nil
}

func (d *Blob) blob(name string) (*blockblob.Client, error) {
	if err := destination.CheckName(name); err != nil {
		return nil, err
	}
	return d.c.NewBlockBlobClient(d.place.Prefix + name), nil
}

// Stat implements destination.Destination.
func (d *Blob) Stat(ctx context.Context, name string) (destination.Info, error) {
	b, err := d.blob(name)
	if err != nil {
		return destination.Info{}, err
	}
	p, err := b.GetProperties(ctx, nil)
	if err != nil {
		return destination.Info{}, d.failed(ctx, fmt.Sprintf("looking for %q", name), err)
	}
	return destination.Info{Name: name, Size: deref(p.ContentLength), Modified: deref(p.LastModified)}, nil
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// List implements destination.Destination, a page at a time. Blobs whose names no object can have are passed over.
func (d *Blob) List(ctx context.Context, prefix string, fn func(destination.Info) error) error {
	whole := d.place.Prefix + prefix
	o := &container.ListBlobsFlatOptions{Prefix: &whole}
	if d.o.pageSize > 0 {
		o.MaxResults = &d.o.pageSize
	}
	for pager := d.c.NewListBlobsFlatPager(o); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return d.failed(ctx, fmt.Sprintf("listing %q", prefix), err)
		}
		if page.Segment == nil {
			continue
		}
		for _, item := range page.Segment.BlobItems {
			name, ours := strings.CutPrefix(deref(item.Name), d.place.Prefix)
			if !ours || destination.CheckName(name) != nil || item.Properties == nil {
				continue
			}
			info := destination.Info{Name: name, Size: deref(item.Properties.ContentLength), Modified: deref(item.Properties.LastModified)}
			if err := fn(info); err != nil {
				return err
			}
		}
	}
	return nil
}

// Open implements destination.Destination.
func (d *Blob) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	b, err := d.blob(name)
	if err == nil && off < 0 {
		err = fmt.Errorf("opening %q: offset %d", name, off)
	}
	if err != nil {
		return nil, err
	}
	if n == 0 {
		_, err := d.Stat(ctx, name)
		return http.NoBody, err
	}
	o := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: off, Count: max(n, 0)}}
	r, err := b.DownloadStream(ctx, o)
	var status *azcore.ResponseError
	if errors.As(err, &status) && status.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return http.NoBody, nil // it ends before off
	}
	doing := fmt.Sprintf("reading %q", name)
	if err != nil {
		return nil, d.failed(ctx, doing, err)
	}
	return &web.Reader{ReadCloser: r.Body, Failed: func(err error) error { return d.failed(ctx, doing, err) }}, nil
}

// Create implements destination.Destination.
func (d *Blob) Create(ctx context.Context, name string, data []byte) error {
	return d.small(ctx, name, data, ifAbsent())
}

// Replace implements destination.Destination.
func (d *Blob) Replace(ctx context.Context, name string, data []byte) error {
	return d.small(ctx, name, data, nil)
}

// Remove implements destination.Destination.
func (d *Blob) Remove(ctx context.Context, name string) error {
	b, err := d.blob(name)
	if err != nil {
		return err
	}
	if _, err = b.Delete(ctx, nil); err == nil || bloberror.HasCode(err, bloberror.BlobNotFound) {
		return nil
	}
	return d.failed(ctx, fmt.Sprintf("removing %q", name), err)
}

// ifAbsent is the condition of create-if-absent.
func ifAbsent() *blob.AccessConditions {
	any := azcore.ETagAny
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &any}}
}

func (d *Blob) small(ctx context.Context, name string, data []byte, conditions *blob.AccessConditions) error {
	b, err := d.blob(name)
	if err != nil {
		return err
	}
	sum := md5.Sum(data)
	_, err = b.Upload(ctx, streaming.NopCloser(bytes.NewReader(data)), &blockblob.UploadOptions{
		TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]), AccessConditions: conditions,
	})
	if err != nil {
		return d.failed(ctx, fmt.Sprintf("writing %q", name), err)
	}
	return nil
}
