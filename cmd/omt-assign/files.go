package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
	"github.com/openomt/omt/internal/sheet"
)

// read reads the files that hold choices, and reports what is wrong with all of them.
func (o *options) read(j *cli.Job) error {
	var problems sheet.Problems
	if o.users != "" {
		problems.AddError(withFile("users", o.users, func(f *os.File) (err error) {
			o.choices.Users, err = plan.ReadUsers(f, o.users, o.encoding, manifest.ReadOptions{AcceptEdits: j.AcceptEdits})
			return err
		}))
	}
	if o.waivers != "" {
		problems.AddError(withFile("waivers", o.waivers, func(f *os.File) error {
			list, err := plan.ReadWaivers(f, o.waivers, o.encoding)
			o.choices.Waivers = append(o.choices.Waivers, list...)
			return err
		}))
	}
	if err := problems.Err(); err != nil {
		return &manifest.Error{Status: manifest.Usage, Err: err, Hint: manifest.HintOf(err)}
	}
	return nil
}

// withFile opens the file that a flag names, for read.
func withFile(flag, name string, read func(*os.File) error) error {
	f, err := os.Open(name)
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	if err != nil {
		return fmt.Errorf("--%s %q: %w", flag, name, err)
	}
	defer f.Close()
	return read(f)
}

// appendTo makes the parser of a flag that may be repeated.
func appendTo[T any](list *[]T, parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		v, err := parse(text)
		if err == nil {
			*list = append(*list, v)
		}
		return err
	}
}
