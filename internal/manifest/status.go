package manifest

import (
	"errors"
	"fmt"
)

// Status is what a stage of the pipeline ends with. Its value is the process's exit status and the status of an
// abort record, so the numbers are part of the contract and never change.
type Status int

// The statuses of every command.
const (
	OK          Status = 0   // done
	Failed      Status = 1   // could not finish
	Usage       Status = 2   // command line or configuration wrong, nothing was read
	Remarks     Status = 3   // finished, with remarks that a person should read
	BadInput    Status = 4   // the input manifest is cut short, edited or from a failed stage: nothing was changed
	Refused     Status = 5   // refused, nothing done
	Interrupted Status = 130 // interrupted; running the same command again goes on
)

// Error is an error that ends a stage with a given status. Verbs return it; the command turns it into an exit status,
// one line on standard error and, where records go to standard output, an abort record.
type Error struct {
	Status Status
	Err    error
	Hint   string // what to do, one line; empty when there is nothing to add
}

// Error returns the message without the hint.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error with a status, wrapping causes given with %w.
func Errorf(s Status, format string, args ...any) *Error {
	return &Error{Status: s, Err: fmt.Errorf(format, args...)}
}

// WithHint returns e with a line that says what to do.
func (e *Error) WithHint(format string, args ...any) *Error {
	return &Error{Status: e.Status, Err: e.Err, Hint: fmt.Sprintf(format, args...)}
}

// StatusOf returns the status that err ends a stage with: OK for nil, Failed for an error without a status.
func StatusOf(err error) Status {
	if err == nil {
		return OK
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return Failed
}

// HintOf returns the hint of err, or the empty string.
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
