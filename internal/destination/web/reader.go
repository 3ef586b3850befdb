package web

import (
	"bytes"
	"errors"
	"io"
)

// Reader is a body that is read. Failed gives errors of the connection their class.
type Reader struct {
	io.ReadCloser
	Failed func(error) error
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.Failed(err)
	}
	return n, err
}

// Outgoing is a body that tells how much of it was read, which is what has gone out but for what the connection buffers.
// tell may be nil.
func Outgoing(data []byte, tell func(n int64)) io.ReadSeeker {
	r := bytes.NewReader(data)
	if tell == nil {
		return r
	}
	return &outgoing{ReadSeeker: r, tell: tell}
}

type outgoing struct {
	io.ReadSeeker
	tell func(n int64)
}

// Read implements io.Reader.
func (o *outgoing) Read(p []byte) (int, error) {
	n, err := o.ReadSeeker.Read(p)
	if n > 0 {
		o.tell(int64(n))
	}
	return n, err
}
