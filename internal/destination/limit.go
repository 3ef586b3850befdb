package destination

import (
	"context"
	"io"
)

// Limiter holds back those who send. Package bandwidth has one.
type Limiter interface {
	// Take waits until some of n bytes may be sent, and returns how many: at least one of them. It ends with ctx.
	Take(ctx context.Context, n int) (int, error)
}

// Limit gives d with what is written to it held to l, byte for byte as it is given to the driver: for a folder. A driver
// that speaks to a service limits what goes over the wire instead (package web). What is read is not limited.
func Limit(d Destination, l Limiter) Destination { return &limited{Destination: d, l: l} }

type limited struct {
	Destination
	l Limiter
}

func (d *limited) inner() Destination { return d.Destination }

func (d *limited) small(ctx context.Context, n int) error {
	for n > 0 {
		m, err := d.l.Take(ctx, n)
		if err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// Create implements Destination.
func (d *limited) Create(ctx context.Context, name string, data []byte) error {
	if err := d.small(ctx, len(data)); err != nil {
		return err
	}
	return d.Destination.Create(ctx, name, data)
}

// Replace implements Destination.
func (d *limited) Replace(ctx context.Context, name string, data []byte) error {
	if err := d.small(ctx, len(data)); err != nil {
		return err
	}
	return d.Destination.Replace(ctx, name, data)
}

// Upload implements Destination.
func (d *limited) Upload(ctx context.Context, name string, size int64, sum [32]byte) (Upload, error) {
	u, err := d.Destination.Upload(ctx, name, size, sum)
	if err != nil {
		return nil, err
	}
	return &limitedUpload{Upload: u, l: d.l}, nil
}

type limitedUpload struct {
	Upload
	l Limiter
}

// Send implements Upload.
func (u *limitedUpload) Send(ctx context.Context, off int64, src io.Reader) (int64, error) {
	return u.Upload.Send(ctx, off, &limitedReader{ctx: ctx, r: src, l: u.l})
}

type limitedReader struct {
	ctx context.Context
	r   io.Reader
	l   Limiter
}

// Read implements io.Reader.
func (r *limitedReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.l.Take(r.ctx, len(p))
	if err != nil {
		return 0, err
	}
	return r.r.Read(p[:n])
}
