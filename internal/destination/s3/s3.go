package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

const (
	singleSize = 64 << 20 // largest object of one PUT
	partSize   = 16 << 20
	maxParts   = 10_000
	maxBuffers = 4
	maxKey     = 1024
)

// Options are what a destination works with. Client and Now must be set.
type Options struct {
	Client *http.Client
	Now    func() time.Time

	pageSize int   // of a listing; 0: the service's 1,000
	single   int64 // 0: 64 MiB
	part     int64 // 0: 16 MiB
}

// Bucket is a destination in a bucket.
type Bucket struct {
	place   Place
	o       Options
	c       minio.Core
	buffers chan []byte

	mu    sync.Mutex
	known map[string]*parts // multipart uploads that nobody works on now
}

// Open makes a destination of a place; it asks the service nothing.
func Open(p Place, o Options) (*Bucket, error) {
	if o.single == 0 {
		o.single = singleSize
	}
	if o.part == 0 {
		o.part = partSize
	}
	creds := credentials.NewStaticV4(p.access, p.secret, p.session)
	if p.access == "" {
		creds = credentials.NewFileAWSCredentials(p.file, p.profile)
		v, err := creds.GetWithContext(nil)
		if err != nil || v.SecretAccessKey == "" {
			return nil, errors.New("no credential for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or keep a profile in ~/.aws/credentials")
		}
	}
	scheme, host, _ := strings.Cut(p.Endpoint, "://")
	c, err := minio.New(host, &minio.Options{
		Creds: creds, Secure: scheme == "https", Region: p.Region, Transport: &recorder{o.Client.Transport}, MaxRetries: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", p.URL(), err)
	}
	d := &Bucket{place: p, o: o, c: minio.Core{Client: c}, buffers: make(chan []byte, maxBuffers), known: map[string]*parts{}}
	for range maxBuffers {
		d.buffers <- nil
	}
	return d, nil
}

// URL implements destination.Destination.
func (d *Bucket) URL() string { return d.place.URL() }

// Close implements destination.Destination.
func (d *Bucket) Close() error {
	d.o.Client.CloseIdleConnections()
	return nil
}

// Check implements destination.Checker.
func (d *Bucket) Check(name string, size int64) error {
	if err := destination.CheckName(name); err != nil {
		return err
	}
	if n := len(d.place.Prefix) + len(name); n > maxKey {
		return fmt.Errorf("object name %q: with what the URL puts before it, it has %d bytes; S3 takes 1,024", name, n)
	}
	if limit := max(maxParts*d.o.part, d.o.single); size < 0 || size > limit {
		return fmt.Errorf("storing %q: it has %d bytes; at most %d can be stored here", name, size, limit)
	}
	return nil
}

func (d *Bucket) key(name string) (string, error) {
	return d.place.Prefix + name, d.Check(name, 0)
}

// Stat implements destination.Destination.
func (d *Bucket) Stat(ctx context.Context, name string) (destination.Info, error) {
	key, err := d.key(name)
	if err != nil {
		return destination.Info{}, err
	}
	ctx, seen := watch(ctx)
	info, err := d.c.StatObject(ctx, d.place.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return destination.Info{}, d.failed(ctx, seen, fmt.Sprintf("looking for %q", name), err)
	}
	return destination.Info{Name: name, Size: info.Size, Modified: info.LastModified}, nil
}

// List implements destination.Destination, a page at a time. Objects whose names are none of ours are passed over.
func (d *Bucket) List(ctx context.Context, prefix string, fn func(destination.Info) error) error {
	ctx, seen := watch(ctx)
	inner, stop := context.WithCancel(ctx)
	defer stop() // lets the goroutine of the SDK end
	for o := range d.c.Client.ListObjects(inner, d.place.Bucket, minio.ListObjectsOptions{
		Prefix: d.place.Prefix + prefix, Recursive: true, MaxKeys: d.o.pageSize,
	}) {
		if o.Err != nil {
			return d.failed(ctx, seen, fmt.Sprintf("listing %q", prefix), o.Err)
		}
		name, ours := strings.CutPrefix(o.Key, d.place.Prefix)
		if !ours || destination.CheckName(name) != nil {
			continue
		}
		if err := fn(destination.Info{Name: name, Size: o.Size, Modified: o.LastModified}); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil { // the channel is closed then, whatever was listed
		return fmt.Errorf("listing %q: %w", prefix, err)
	}
	return nil
}

// Open implements destination.Destination.
func (d *Bucket) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	key, err := d.key(name)
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
	var o minio.GetObjectOptions
	if off > 0 || n > 0 {
		o.Set("Range", fmt.Sprintf("bytes=%d-", off))
		if n > 0 {
			o.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
		}
	}
	ctx, seen := watch(ctx)
	body, _, _, err := d.c.GetObject(ctx, d.place.Bucket, key, o)
	if minio.ToErrorResponse(err).StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return http.NoBody, nil // it ends before off
	}
	doing := fmt.Sprintf("reading %q", name)
	if err != nil {
		return nil, d.failed(ctx, seen, doing, err)
	}
	return &web.Reader{ReadCloser: body, Failed: func(err error) error { return d.failed(ctx, nil, doing, err) }}, nil
}

// Create implements destination.Destination.
func (d *Bucket) Create(ctx context.Context, name string, data []byte) error {
	return d.exists(ctx, name, d.small(ctx, name, data, true))
}

// Replace implements destination.Destination.
func (d *Bucket) Replace(ctx context.Context, name string, data []byte) error {
	return d.small(ctx, name, data, false)
}

// Remove implements destination.Destination.
func (d *Bucket) Remove(ctx context.Context, name string) error {
	key, err := d.key(name)
	if err != nil {
		return err
	}
	ctx, seen := watch(ctx)
	if err := d.c.RemoveObject(ctx, d.place.Bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return d.failed(ctx, seen, fmt.Sprintf("removing %q", name), err)
	}
	return nil
}

// putOptions are those of everything that is stored.
func putOptions(ifAbsent bool) minio.PutObjectOptions {
	o := minio.PutObjectOptions{DisableContentSha256: true} // no signature for each piece: the whole has one
	if ifAbsent {
		o.SetMatchETagExcept("*")
	}
	return o
}

func (d *Bucket) small(ctx context.Context, name string, data []byte, ifAbsent bool) error {
	key, err := d.key(name)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	ctx, seen := watch(ctx)
	_, err = d.c.PutObject(ctx, d.place.Bucket, key, bytes.NewReader(data), int64(len(data)), "", hex.EncodeToString(sum[:]), putOptions(ifAbsent))
	if err != nil {
		return d.failed(ctx, seen, fmt.Sprintf("writing %q", name), err)
	}
	return nil
}

// exists takes an ErrExists back of an object that cannot be read: a service may refuse to create one while another's is
// on its way and not there yet (versitygw with its metadata in files of their own does). Who asks again hears who won.
func (d *Bucket) exists(ctx context.Context, name string, err error) error {
	if !errors.Is(err, destination.ErrExists) {
		return err
	}
	if _, serr := d.Stat(ctx, name); errors.Is(serr, destination.ErrNotExist) {
		return &web.Error{Class: destination.ErrTransient, Text: fmt.Sprintf("writing %q: another is being written there", name)}
	}
	return err
}
