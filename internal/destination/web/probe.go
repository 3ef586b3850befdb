package web

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/destination"
)

// Step tries one right at a destination before anything is sent.
type Step struct {
	Right string // what it is called, for people: "list (l)"
	Write bool   // it is needed to write alone
	Try   func(ctx context.Context) error
}

// Probe tries the steps, those for writing only where write is asked for. Rights that are refused are told together, in an
// error of class ErrDenied; any other error ends it.
func Probe(ctx context.Context, doing string, write bool, steps []Step) error {
	var lacks []string
	var why string
	for _, step := range steps {
		if step.Write && !write {
			continue
		}
		err := step.Try(ctx)
		switch {
		case err == nil:
		case errors.Is(err, destination.ErrDenied):
			lacks = append(lacks, step.Right)
			if why == "" {
				why = strings.TrimPrefix(err.Error(), doing+": ")
			}
		default:
			return err
		}
	}
	return Lacking(doing, lacks, why)
}

// Lacking is the error of a credential that lacks rights, nil where it lacks none. why is what the service said, or empty.
func Lacking(doing string, lacks []string, why string) error {
	if len(lacks) == 0 {
		return nil
	}
	if why != "" {
		why = " (" + why + ")"
	}
	return &Error{Class: destination.ErrDenied,
		Text: fmt.Sprintf("%s: the credential lacks the right to %s%s", doing, strings.Join(lacks, ", "), why)}
}
