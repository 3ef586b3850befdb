// Package destination is where chunks go: a store of named, immutable objects. The only atomic operation asked of it is
// to create an object if it is absent. Drivers (destination/dir and the cloud ones) implement Destination and pass
// destinationtest.Run; retrying and limiting are wrappers in this package that ask an error's class.
package destination

import (
	"context"
	"errors"
	"io"
)

// Classes of errors; drivers wrap them, callers test with errors.Is.
var (
	ErrExists    = errors.New("exists already")     // create-if-absent lost
	ErrNotExist  = errors.New("does not exist")     // no such object
	ErrTransient = errors.New("temporary failure")  // worth another try
	ErrMismatch  = errors.New("checksum mismatch")  // what arrived is not what was sent
	ErrDenied    = errors.New("access was refused") // credentials or rights
)

// Info describes a stored object.
type Info struct {
	Name string // slash-separated, below the destination
	Size int64
}

// Destination stores objects. It is safe for concurrent use.
type Destination interface {
	// URL names the destination without secrets; it identifies it in journals and messages.
	URL() string
	// Stat gives ErrNotExist for an object that is not there.
	Stat(ctx context.Context, name string) (Info, error)
	// List calls fn for every object whose name begins with prefix, in no promised order.
	List(ctx context.Context, prefix string, fn func(Info) error) error
	// Open reads n bytes from off, or to the end when n < 0.
	Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error)
	// Create stores a small object durably if there is none of that name, else ErrExists.
	Create(ctx context.Context, name string, data []byte) error
	// Replace stores a small object whatever is there; for convenience copies alone.
	Replace(ctx context.Context, name string, data []byte) error
	// Upload begins, or finds again, the upload of an object of a known size and SHA-256.
	Upload(ctx context.Context, name string, size int64, sum [32]byte) (Upload, error)
	Close() error
}

// Upload is one object on its way; a later process that calls Destination.Upload with the same arguments goes on with it.
type Upload interface {
	// Offset is what the far side has durably accepted, asked of it now.
	Offset(ctx context.Context) (int64, error)
	// Send sends from off on; it may accept less than it was given and returns how much, error or not.
	Send(ctx context.Context, off int64, src io.Reader) (int64, error)
	// Commit makes the object visible, create-if-absent, once the far side's bytes agree with the digest (ErrMismatch
	// and the upload is discarded when they do not). ErrExists when the name was taken meanwhile.
	Commit(ctx context.Context) error
	// Close lets go of local resources; the far side keeps what it accepted.
	Close() error
}
