package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/minio/minio-go/v7"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

// probeName is the object that Probe creates, once, and leaves there: to remove it is a right that nothing else needs.
const probeName = "omt-probe"

// Probe finds out what is missing before anything is sent: the bucket, the rights to list and to read, and with write
// those to store and whether the service keeps to create-if-absent.
func (d *Bucket) Probe(ctx context.Context, write bool) error {
	doing := "checking " + d.URL()
	return web.Probe(ctx, doing, write, d.steps(doing))
}

func (d *Bucket) steps(doing string) []web.Step {
	key := d.place.Prefix + probeName
	return []web.Step{
		{Right: "list (s3:ListBucket)", Try: func(ctx context.Context) error {
			ctx, seen := watch(ctx)
			inner, stop := context.WithCancel(ctx)
			defer stop()
			for o := range d.c.Client.ListObjects(inner, d.place.Bucket, minio.ListObjectsOptions{Prefix: d.place.Prefix, Recursive: true, MaxKeys: 1}) {
				return d.orNil(ctx, seen, doing, o.Err)
			}
			return nil
		}},
		{Right: "list uploads (s3:ListBucketMultipartUploads)", Write: true, Try: func(ctx context.Context) error {
			ctx, seen := watch(ctx)
			_, err := d.c.ListMultipartUploads(ctx, d.place.Bucket, key, "", "", "", 1)
			return d.orNil(ctx, seen, doing, err)
		}},
		{Right: "store (s3:PutObject)", Write: true, Try: func(ctx context.Context) error { return d.probeCreate(ctx, doing) }},
		{Right: "read (s3:GetObject)", Try: func(ctx context.Context) error {
			_, err := d.Stat(ctx, probeName)
			if errors.Is(err, destination.ErrNotExist) {
				return nil
			}
			return err
		}},
	}
}

// probeCreate creates an object until it is told that it is there.
func (d *Bucket) probeCreate(ctx context.Context, doing string) error {
	for range 2 {
		err := d.small(ctx, probeName, []byte("omt-push asked with this whether it may store here\n"), true)
		if errors.Is(err, destination.ErrExists) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: the service overwrites an object although it was asked to create it only if it is absent (If-None-Match), "+
		"so two migrations could destroy each other there", doing)
}

func (d *Bucket) orNil(ctx context.Context, s *seen, doing string, err error) error {
	if err == nil {
		return nil
	}
	return d.failed(ctx, s, doing, err)
}
