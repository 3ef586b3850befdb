package dir

import (
	"errors"
	"io/fs"

	"github.com/openomt/omt/internal/destination"
)

// classify gives an error of the system its class.
func classify(err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return classed{destination.ErrExists, err}
	case errors.Is(err, fs.ErrNotExist):
		return classed{destination.ErrNotExist, err}
	case errors.Is(err, fs.ErrPermission) || denied(err):
		return classed{destination.ErrDenied, err}
	case passing(err):
		return classed{destination.ErrTransient, err}
	}
	return err
}

// classed says what err says, and is of class too.
type classed struct{ class, err error }

// Error implements error.
func (c classed) Error() string { return c.err.Error() }

// Unwrap lets errors.Is find both.
func (c classed) Unwrap() []error { return []error{c.class, c.err} }
