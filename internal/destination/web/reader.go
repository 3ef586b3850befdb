package web

import (
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
