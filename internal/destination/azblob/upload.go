package azblob

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/web"
)

const (
	blockSize  = 8 << 20
	maxBlocks  = 50_000
	maxBuffers = 8
)

// upload is a blob whose blocks are not committed yet.
type upload struct {
	d    *Blob
	b    *blockblob.Client
	name string
	size int64
	sum  [32]byte
	key  [8]byte

	known  bool // what follows is what the service holds
	at     chain
	h      hash.Hash // of the bytes up to at.end
	closed bool
	tell   func(int64) // nil: nobody listens
}

// Tell implements destination.Teller.
func (u *upload) Tell(f func(n int64)) { u.tell = f }

// Check implements destination.Checker.
func (d *Blob) Check(name string, size int64) error {
	if err := destination.CheckName(name); err != nil {
		return err
	}
	if n := len(d.place.Prefix) + len(name); n > 1024 {
		return fmt.Errorf("object name %q: with what the URL puts before it, it has %d bytes; Azure takes 1,024", name, n)
	}
	if size < 0 || size > maxBlocks*d.o.block {
		return fmt.Errorf("storing %q: it has %d bytes; at most %d can be stored here", name, size, maxBlocks*d.o.block)
	}
	return nil
}

// Upload implements destination.Destination.
func (d *Blob) Upload(ctx context.Context, name string, size int64, sum [32]byte) (destination.Upload, error) {
	b, err := d.blob(name)
	if err == nil {
		err = d.Check(name, size)
	}
	if err != nil {
		return nil, fmt.Errorf("beginning to store %q: %w", name, err)
	}
	u := &upload{d: d, b: b, name: name, size: size, sum: sum, key: keyOf(name, size, sum)}
	there, err := u.ask(ctx)
	if err != nil {
		return nil, err
	}
	if there { // blocks, or a blob that is complete
		_, err := d.Stat(ctx, name)
		if err == nil {
			return nil, fmt.Errorf("beginning to store %q: %w", name, destination.ErrExists)
		}
		if !errors.Is(err, destination.ErrNotExist) {
			return nil, err
		}
	}
	return u, nil
}

// ask asks which blocks the service holds. there is false where it knows nothing of that name.
func (u *upload) ask(ctx context.Context) (there bool, err error) {
	u.known = false
	if err := ctx.Err(); err != nil {
		return false, err
	}
	doing := fmt.Sprintf("asking what has arrived of %q", u.name)
	list, err := u.b.GetBlockList(ctx, blockblob.BlockListTypeUncommitted, nil)
	if err != nil {
		if err = u.d.failed(ctx, doing, err); !errors.Is(err, destination.ErrNotExist) {
			return false, err
		}
	}
	there = err == nil
	var blocks []block
	for _, b := range list.UncommittedBlocks {
		if parsed, ok := parseID(deref(b.Name), deref(b.Size)); ok {
			blocks = append(blocks, parsed)
		}
	}
	if u.at, err = chainOf(blocks, u.key, u.size, u.sum); err != nil {
		return there, fmt.Errorf("%s: %w", doing, err)
	}
	if u.at.end < u.size {
		if u.h, err = hashFrom(u.at.state, u.at.end); err != nil {
			return there, fmt.Errorf("%s: %w", doing, err)
		}
	}
	u.known = true
	return there, nil
}

// ready asks the service if what is known may not be true any more.
func (u *upload) ready(ctx context.Context) error {
	if u.closed {
		return fmt.Errorf("storing %q: the upload is closed", u.name)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if u.known {
		return nil
	}
	_, err := u.ask(ctx)
	return err
}

// Offset implements destination.Upload. It asks the service unless that was done since something last failed.
func (u *upload) Offset(ctx context.Context) (int64, error) {
	err := u.ready(ctx)
	return u.at.end, err
}

// Send implements destination.Upload.
func (u *upload) Send(ctx context.Context, off int64, src io.Reader) (sent int64, err error) {
	if err := u.ready(ctx); err != nil {
		return 0, err
	}
	if off != u.at.end {
		return 0, fmt.Errorf("storing %q: asked to go on at %d, but it stands at %d", u.name, off, u.at.end)
	}
	var buf []byte
	select {
	case buf = <-u.d.buffers:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { u.d.buffers <- buf }()
	if buf == nil {
		buf = make([]byte, u.d.o.block)
	}
	for u.at.end < u.size {
		want := min(u.d.o.block, u.size-u.at.end)
		n, rerr := io.ReadFull(src, buf[:want])
		if u.at.end+int64(n) < u.size {
			n -= n % hashBlock // a block ends where the hash's state is all there is
		}
		if n > 0 {
			if err := u.stage(ctx, buf[:n]); err != nil {
				return sent, err
			}
			sent += int64(n)
		}
		switch {
		case errors.Is(rerr, io.EOF) || errors.Is(rerr, io.ErrUnexpectedEOF):
			return sent, nil
		case rerr != nil:
			return sent, rerr
		}
	}
	return sent, nil
}

// stage sends one block.
func (u *upload) stage(ctx context.Context, data []byte) (err error) {
	if len(u.at.blocks) == maxBlocks {
		return fmt.Errorf("storing %q: it is in %d blocks, and there can be no more", u.name, maxBlocks)
	}
	u.known = false // until the service has said that the block is there
	u.h.Write(data)
	b := block{key: u.key, gen: u.at.gen, off: u.at.end, size: int64(len(data))}
	if b.off+b.size == u.size {
		b.state = [32]byte(u.h.Sum(nil))
	} else if b.state, err = stateOf(u.h); err != nil {
		return fmt.Errorf("storing %q: %w", u.name, err)
	}
	sum := md5.Sum(data)
	_, err = u.b.StageBlock(ctx, b.id(), streaming.NopCloser(web.Outgoing(data, u.tell)), &blockblob.StageBlockOptions{
		TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]),
	})
	if err != nil {
		return u.d.failed(ctx, fmt.Sprintf("storing %q at %d", u.name, b.off), err)
	}
	u.at.blocks, u.at.end, u.at.state = append(u.at.blocks, b.id()), b.off+b.size, b.state
	u.known = true
	return nil
}

// Commit implements destination.Upload.
func (u *upload) Commit(ctx context.Context) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if u.at.end != u.size {
		return fmt.Errorf("storing %q: %d of %d bytes have arrived", u.name, u.at.end, u.size)
	}
	got := u.at.state
	if u.size == 0 {
		got = sha256.Sum256(nil)
	}
	if got != u.sum {
		u.known = false
		return fmt.Errorf("storing %q: %w: what was sent has SHA-256 %x, want %x", u.name, destination.ErrMismatch, got, u.sum)
	}
	_, err := u.b.CommitBlockList(ctx, u.at.blocks, &blockblob.CommitBlockListOptions{AccessConditions: ifAbsent()})
	if err == nil {
		u.closed = true
		return nil
	}
	u.known = false
	if bloberror.HasCode(err, bloberror.InvalidBlockList) { // blocks go when another's blob gets the name
		if _, serr := u.d.Stat(ctx, u.name); serr == nil {
			return fmt.Errorf("storing %q: %w", u.name, destination.ErrExists)
		}
	}
	return u.d.failed(ctx, fmt.Sprintf("storing %q", u.name), err)
}

// Close implements destination.Upload.
func (u *upload) Close() error {
	u.closed = true
	return nil
}
