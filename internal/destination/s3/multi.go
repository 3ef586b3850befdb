package s3

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

// parts is how far a multipart upload has come, as this process has seen it.
type parts struct {
	id    string                   // empty: not begun
	there map[int]minio.ObjectPart // what the service has, seen by this process or not
	done  []minio.CompletePart     // seen, from the first part on
	end   int64                    // of those
	h     hash.Hash                // of their bytes
}

// multi is an object of many parts.
type multi struct {
	d    *Bucket
	name string
	key  string
	size int64
	sum  [32]byte
	*parts
	closed bool
	tell   func(int64) // nil: nobody listens
	passed int64       // bytes that the last Send did not have to send
}

// Tell implements destination.Teller.
func (u *multi) Tell(f func(n int64)) { u.tell = f }

// Passed implements destination.Passer.
func (u *multi) Passed() int64 { return u.passed }

// Upload implements destination.Destination.
func (d *Bucket) Upload(ctx context.Context, name string, size int64, sum [32]byte) (destination.Upload, error) {
	doing := fmt.Sprintf("beginning to store %q", name)
	key, err := d.key(name)
	if err == nil {
		err = d.Check(name, size)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	switch _, err := d.Stat(ctx, name); {
	case err == nil:
		return nil, fmt.Errorf("%s: %w", doing, destination.ErrExists)
	case !errors.Is(err, destination.ErrNotExist):
		return nil, err
	}
	if size <= d.o.single {
		return &single{d: d, name: name, key: key, size: size, sum: sum}, nil
	}
	u := &multi{d: d, name: name, key: key, size: size, sum: sum}
	if u.parts = d.take(u.ident()); u.parts == nil {
		u.parts = &parts{h: sha256.New(), there: map[int]minio.ObjectPart{}}
		if err := u.find(ctx); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// ident tells this object from another of the same name.
func (u *multi) ident() string { return fmt.Sprintf("%s %d %x", u.name, u.size, u.sum) }

// take gives what this process knows of an upload, to one at a time.
func (d *Bucket) take(ident string) *parts {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.known[ident]
	delete(d.known, ident)
	return p
}

// find asks the service for an upload that was begun, the latest, and for its parts.
func (u *multi) find(ctx context.Context) error {
	doing := fmt.Sprintf("asking what has arrived of %q", u.name)
	ctx, seen := watch(ctx)
	var found minio.ObjectMultipartInfo
	for keyMarker, idMarker := "", ""; ; {
		r, err := u.d.c.ListMultipartUploads(ctx, u.d.place.Bucket, u.key, keyMarker, idMarker, "", 1000)
		if err != nil {
			return u.d.failed(ctx, seen, doing, err)
		}
		for _, o := range r.Uploads {
			if o.Key == u.key && (found.UploadID == "" || o.Initiated.After(found.Initiated)) {
				found = o
			}
		}
		if !r.IsTruncated {
			break
		}
		keyMarker, idMarker = r.NextKeyMarker, r.NextUploadIDMarker
	}
	if found.UploadID == "" {
		return nil
	}
	for marker := 0; ; {
		r, err := u.d.c.ListObjectParts(ctx, u.d.place.Bucket, u.key, found.UploadID, marker, 1000)
		if minio.ToErrorResponse(err).Code == minio.NoSuchUpload {
			clear(u.there)
			return nil // it was finished or removed meanwhile
		}
		if err != nil {
			return u.d.failed(ctx, seen, doing, err)
		}
		for _, p := range r.ObjectParts {
			p.ETag = strings.Trim(p.ETag, `"`) // the SDK leaves it as it came
			u.there[p.PartNumber] = p
		}
		if !r.IsTruncated {
			break
		}
		marker = r.NextPartNumberMarker
	}
	u.id = found.UploadID
	return nil
}

func (u *multi) ready(ctx context.Context) error {
	if u.closed {
		return fmt.Errorf("storing %q: the upload is closed", u.name)
	}
	return ctx.Err()
}

// Offset implements destination.Upload.
func (u *multi) Offset(ctx context.Context) (int64, error) { return u.end, u.ready(ctx) }

// Send implements destination.Upload. It takes whole parts.
func (u *multi) Send(ctx context.Context, off int64, src io.Reader) (sent int64, err error) {
	u.passed = 0
	if err := u.ready(ctx); err != nil {
		return 0, err
	}
	if off != u.end {
		return 0, fmt.Errorf("storing %q: asked to go on at %d, but it stands at %d", u.name, off, u.end)
	}
	var buf []byte
	select {
	case buf = <-u.d.buffers:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { u.d.buffers <- buf }()
	if buf == nil {
		buf = make([]byte, u.d.o.part)
	}
	for u.end < u.size {
		data := buf[:min(u.d.o.part, u.size-u.end)]
		switch _, err := io.ReadFull(src, data); {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return sent, nil
		case err != nil:
			return sent, err
		}
		if err := u.part(ctx, data); err != nil {
			return sent, err
		}
		sent += int64(len(data))
	}
	return sent, nil
}

// part sees to it that the service has the next part.
func (u *multi) part(ctx context.Context, data []byte) error {
	doing := fmt.Sprintf("storing %q at %d", u.name, u.end)
	ctx, seen := watch(ctx)
	sum := md5.Sum(data)
	n := len(u.done) + 1
	p, ok := u.there[n]
	if !ok || p.Size != int64(len(data)) || p.ETag != hex.EncodeToString(sum[:]) {
		if u.id == "" {
			id, err := u.d.c.NewMultipartUpload(ctx, u.d.place.Bucket, u.key, putOptions(false))
			if err != nil {
				return u.d.failed(ctx, seen, doing, err)
			}
			u.id = id
		}
		var err error
		p, err = u.d.c.PutObjectPart(ctx, u.d.place.Bucket, u.key, u.id, n, web.Outgoing(data, u.tell), int64(len(data)),
			minio.PutObjectPartOptions{Md5Base64: base64.StdEncoding.EncodeToString(sum[:]), DisableContentSha256: true})
		if err != nil {
			u.gone(err)
			return u.d.failed(ctx, seen, doing, err)
		}
	} else {
		u.passed += int64(len(data))
	}
	u.h.Write(data)
	u.done = append(u.done, minio.CompletePart{PartNumber: n, ETag: p.ETag})
	u.end += int64(len(data))
	return nil
}

// gone forgets an upload that is not there any more.
func (u *multi) gone(err error) {
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchUpload, "InvalidPart", "InvalidPartOrder":
		u.forget()
	}
}

func (u *multi) forget() { u.parts = &parts{h: sha256.New(), there: map[int]minio.ObjectPart{}} }

// Commit implements destination.Upload.
func (u *multi) Commit(ctx context.Context) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if u.end != u.size {
		return fmt.Errorf("storing %q: %d of %d bytes have arrived", u.name, u.end, u.size)
	}
	if got := [32]byte(u.h.Sum(nil)); got != u.sum {
		u.abort(ctx)
		return fmt.Errorf("storing %q: %w: what was sent has SHA-256 %x, want %x", u.name, destination.ErrMismatch, got, u.sum)
	}
	ctx, seen := watch(ctx)
	_, err := u.d.c.CompleteMultipartUpload(ctx, u.d.place.Bucket, u.key, u.id, u.done, putOptions(true))
	if err == nil {
		u.forget()
		u.closed = true
		return nil
	}
	u.gone(err)
	err = u.d.exists(ctx, u.name, u.d.failed(ctx, seen, fmt.Sprintf("storing %q", u.name), err))
	switch {
	case errors.Is(err, destination.ErrExists):
		u.abort(ctx)
	case u.id == "" && ctx.Err() == nil: // it is gone: perhaps since another has finished it
		if _, serr := u.d.Stat(ctx, u.name); serr == nil {
			return fmt.Errorf("storing %q: %w", u.name, destination.ErrExists)
		}
	}
	return err
}

// abort removes what was sent. If that fails, a rule of the bucket has to.
func (u *multi) abort(ctx context.Context) {
	if u.id != "" {
		_ = u.d.c.AbortMultipartUpload(ctx, u.d.place.Bucket, u.key, u.id)
	}
	u.forget()
}

// Close implements destination.Upload.
func (u *multi) Close() error {
	if !u.closed && u.id != "" {
		u.d.mu.Lock()
		u.d.known[u.ident()] = u.parts
		u.d.mu.Unlock()
	}
	u.closed = true
	return nil
}
