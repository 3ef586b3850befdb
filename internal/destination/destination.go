// Package destination is where chunks go: a store of named, immutable objects. The only atomic operation asked of it is
// to create an object if it is absent. Drivers (destination/dir, /azblob, /s3) implement Destination and pass
// destinationtest.Run. The package knows nothing of what is stored, of tenants or of verbs, and imports nothing of ours.
//
// # Names
//
// A name is slash-separated and passes CheckName: letters, digits, '.', '_' and '-', so that it is the same name in a
// folder on any system, in a URL and in an object store, and cannot lead anywhere else.
//
// # Errors
//
// A driver says of each error which class it is of, by wrapping one of the sentinels below; an error of no class is
// final and speaks for itself. Drivers classify, they do not repeat: Retry does, and it repeats ErrTransient alone.
//
//	ErrExists     create-if-absent lost, or the upload is not needed: the name is taken
//	ErrNotExist   no such object
//	ErrTransient  the network, a time-out, a server that asks for patience: the same call may work later
//	ErrMismatch   the far side's bytes do not have the digest; they have been discarded
//	ErrDenied     credentials or rights, at the destination
//	ErrBlocked    the way there: a proxy that wants another login, a certificate that is not trusted, no https
//	ErrSource     the sender's own bytes do not have the digest they should have; nothing became visible
//
// Why Create after a broken connection compares: a create whose answer was lost may have worked. When Retry repeats it
// and hears ErrExists, it reads the object; if it holds exactly what was to be written, the create has worked. So data
// given to Create should tell its writer from others; tenant puts the spool's id and the time into what it creates.
package destination

import (
	"context"
	"errors"
	"io"
	"time"
)

// Classes of errors; drivers wrap them, callers test with errors.Is.
var (
	ErrExists    = errors.New("exists already")     // create-if-absent lost
	ErrNotExist  = errors.New("does not exist")     // no such object
	ErrTransient = errors.New("temporary failure")  // worth another try
	ErrMismatch  = errors.New("checksum mismatch")  // what arrived is not what was sent
	ErrDenied    = errors.New("access was refused") // credentials or rights
	ErrBlocked   = errors.New("the way is blocked") // a proxy's login, a certificate: final until somebody changes that
	ErrSource    = errors.New("source is damaged")  // what was to be sent does not have its digest
)

// Info describes a stored object.
type Info struct {
	Name     string // slash-separated, below the destination
	Size     int64
	Modified time.Time // when it was stored, by the far side's clock
}

// Destination stores objects. It is safe for concurrent use.
type Destination interface {
	// URL names the destination without secrets; it identifies it in journals and messages.
	URL() string
	// Stat gives ErrNotExist for an object that is not there.
	Stat(ctx context.Context, name string) (Info, error)
	// List calls fn for every object whose name begins with prefix, in no promised order. An error of fn ends it and is
	// returned as it is. An empty destination, or one that does not exist yet, lists nothing.
	List(ctx context.Context, prefix string, fn func(Info) error) error
	// Open reads n bytes from off, or to the end when n < 0; fewer where the object ends before.
	Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error)
	// Create stores a small object durably if there is none of that name, else ErrExists.
	Create(ctx context.Context, name string, data []byte) error
	// Replace stores a small object whatever is there; for convenience copies alone.
	Replace(ctx context.Context, name string, data []byte) error
	// Remove removes an object; one that is not there is no error. ErrDenied where the credential may not delete, which
	// nothing but collecting needs.
	Remove(ctx context.Context, name string) error
	// Upload begins, or finds again, the upload of an object of a known size and SHA-256. ErrExists when there is an
	// object of that name. Of two that upload the same object at once, one may have to begin at offset 0.
	Upload(ctx context.Context, name string, size int64, sum [32]byte) (Upload, error)
	Close() error
}

// Upload is one object on its way; a later process that calls Destination.Upload with the same arguments goes on with
// it. It is used by one goroutine at a time.
type Upload interface {
	// Offset is what the far side has durably accepted, asked of it now.
	Offset(ctx context.Context) (int64, error)
	// Send sends from off on, which is what Offset says; it may accept less than it was given, nothing of what is not all
	// there is to come where the far side keeps whole objects alone, never more than the size leaves; it returns how much,
	// error or not. An error of src is returned as it is. Where the far side has some of it already, that is accepted
	// without being sent.
	Send(ctx context.Context, off int64, src io.Reader) (int64, error)
	// Commit makes the object visible, create-if-absent, once the far side's bytes agree with the digest (ErrMismatch
	// and the upload is discarded when they do not). ErrExists when the name was taken meanwhile. An upload that is not
	// complete is an error and stays.
	Commit(ctx context.Context) error
	// Close lets go of local resources; the far side keeps what it accepted. It may be called more than once.
	Close() error
}
