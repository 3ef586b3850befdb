package azblob

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

// probeName is the blob that Probe stages a block of. It never comes into being.
const probeName = "omt-probe"

// Probe finds out what is missing before anything is sent: the container, the rights to list and to read, and with write
// those to create and to write. It leaves nothing but a block of a few bytes, which is never committed and which the
// service drops after a week.
func (d *Blob) Probe(ctx context.Context, write bool) error {
	doing := "checking " + d.URL()
	if err := web.Lacking(doing, d.place.lacks(write), ""); err != nil {
		return err
	}
	return web.Probe(ctx, doing, write, d.steps())
}

func (d *Blob) steps() []web.Step {
	doing := "checking " + d.URL()
	b := d.c.NewBlockBlobClient(d.place.Prefix + probeName)
	return []web.Step{
		{Right: "list (l)", Try: func(ctx context.Context) error {
			one := int32(1)
			prefix := d.place.Prefix
			_, err := d.c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix, MaxResults: &one}).NextPage(ctx)
			return d.orNil(ctx, doing, err)
		}},
		{Right: "create (c), write (w)", Write: true, Try: func(ctx context.Context) error {
			data := []byte("probe")
			sum := md5.Sum(data)
			_, err := b.StageBlock(ctx, block{key: keyOf(probeName, int64(len(data)), [32]byte{}), size: int64(len(data))}.id(),
				streaming.NopCloser(bytes.NewReader(data)), &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum[:])})
			return d.orNil(ctx, doing, err)
		}},
		{Right: "read (r)", Try: func(ctx context.Context) error {
			_, err := b.GetProperties(ctx, nil)
			if err = d.orNil(ctx, doing, err); errors.Is(err, destination.ErrNotExist) {
				return nil
			}
			return err
		}},
	}
}

func (d *Blob) orNil(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	return d.failed(ctx, doing, err)
}
