package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// ErrNoConsole is returned where nobody can be asked: a service, a scheduled task, a build server. The caller turns it
// into a usage error that names the flags to give instead.
var ErrNoConsole = errors.New("there is no console to ask on")

// Console asks the person in front of it. It is the terminal itself and not standard input, which is a manifest.
type Console interface {
	// Ask prints prompt and reads a line, without its end. It returns io.EOF when the person ended the input.
	Ask(ctx context.Context, prompt string) (string, error)
	// AskHidden does the same without showing what is typed.
	AskHidden(ctx context.Context, prompt string) (string, error)
	Close() error
}

// console is a Console on an opened terminal. in and out may be one file.
type console struct {
	in, out *os.File
	lines   *bufio.Reader
}

func newConsole(in, out *os.File) *console {
	return &console{in: in, out: out, lines: bufio.NewReader(in)}
}

func (c *console) Ask(ctx context.Context, prompt string) (string, error) {
	return c.ask(ctx, prompt, func() (string, error) {
		s, err := c.lines.ReadString('\n')
		if s != "" && errors.Is(err, io.EOF) {
			err = nil
		}
		return strings.TrimRight(s, "\r\n"), err
	})
}

func (c *console) AskHidden(ctx context.Context, prompt string) (string, error) {
	fd := int(c.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("hiding what is typed: %w", err)
	}
	s, err := c.ask(ctx, prompt, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	if ctx.Err() != nil {
		_ = term.Restore(fd, before) // what was typed must show again after an interrupt
	}
	fmt.Fprintln(c.out)
	return s, err
}

// ask waits for read or for ctx. A terminal cannot be told to stop reading, so after an interrupt the reading goroutine
// stays until the process ends, which is next.
func (c *console) ask(ctx context.Context, prompt string, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if _, err := fmt.Fprint(c.out, prompt); err != nil {
		return "", fmt.Errorf("writing to the console: %w", err)
	}
	ch := make(chan answer, 1)
	go func() {
		text, err := read()
		ch <- answer{text, err}
	}()
	select {
	case a := <-ch:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Close closes the terminal.
func (c *console) Close() error {
	err := c.in.Close()
	if c.out != c.in {
		err = errors.Join(err, c.out.Close())
	}
	return err
}
