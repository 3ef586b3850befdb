package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// logSink is the file that the log goes to; nothing is written when there is none.
type logSink struct {
	name string
	file *os.File
	err  error // the first failure to write, told at the end when the log was asked for
}

// openLog opens the log that was asked for, to append: the stages of a pipe may share one. When none was asked for it
// makes a new file in SoMigration in the temporary directory, and goes without one where that fails.
func openLog(env *Env, path string) (*logSink, error) {
	if path != "" {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		return &logSink{name: path, file: f}, nil
	}
	dir := filepath.Join(env.TempDir, "SoMigration")
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return &logSink{}, nil
	}
	if info, err := os.Lstat(dir); err != nil || isPrivate(info) != nil {
		return &logSink{}, nil
	}
	name := fmt.Sprintf("%s-%s-%d.log", env.Name, env.Now().UTC().Format("20060102T150405.000Z"), env.PID)
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return &logSink{}, nil
	}
	return &logSink{name: f.Name(), file: f}, nil
}

// Write appends one record. A log that cannot be written is no reason to stop.
func (s *logSink) Write(p []byte) (int, error) {
	_, err := s.file.Write(p)
	if s.err == nil {
		s.err = err
	}
	return len(p), nil
}

func (s *logSink) close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.err, s.file.Close())
}

func (s *logSink) handler(env *Env) slog.Handler {
	if s.file == nil {
		return slog.DiscardHandler
	}
	return slog.NewTextHandler(s, &slog.HandlerOptions{
		Level: slog.LevelInfo,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			return slog.Attr{Key: a.Key, Value: redactValue(env, a.Key, a.Value)}
		},
	})
}

// redactValue hides what is secret in the value of an attribute. Numbers and times are left alone.
func redactValue(env *Env, key string, v slog.Value) slog.Value {
	switch v = v.Resolve(); {
	case secretKey.MatchString(key):
		return slog.StringValue(hidden)
	case v.Kind() == slog.KindString:
		return slog.StringValue(env.Redact(v.String()))
	case v.Kind() == slog.KindAny && key != slog.LevelKey:
		return slog.StringValue(env.Redact(v.String()))
	}
	return v
}

// consoleHandler shows warnings to the person in front of a terminal.
type consoleHandler struct {
	env   *Env
	attrs string
	group string
}

func newConsoleHandler(env *Env, quiet bool) slog.Handler {
	if quiet || !env.screen.terminal {
		return slog.DiscardHandler
	}
	return &consoleHandler{env: env}
}

func (h *consoleHandler) Enabled(_ context.Context, l slog.Level) bool {
	return l == slog.LevelWarn // an error is what the run ends with, and is printed then
}

func (h *consoleHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		h.write(&b, a)
		return true
	})
	h.env.tell("warning: %s%s", h.env.Redact(oneLine(r.Message)), b.String())
	return nil
}

func (h *consoleHandler) write(b *strings.Builder, a slog.Attr) {
	v := redactValue(h.env, a.Key, a.Value)
	fmt.Fprintf(b, " %s%s=%s", h.group, a.Key, oneLine(v.String()))
}

func (h *consoleHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	b.WriteString(h.attrs)
	for _, a := range attrs {
		h.write(&b, a)
	}
	return &consoleHandler{env: h.env, attrs: b.String(), group: h.group}
}

func (h *consoleHandler) WithGroup(name string) slog.Handler {
	return &consoleHandler{env: h.env, attrs: h.attrs, group: h.group + name + "."}
}
