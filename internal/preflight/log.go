package preflight

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/openomt/omt/internal/preflight/wire"
)

// What is taken of a plugin's output.
const (
	maxWords  = 500     // characters of a line
	maxLogged = 1 << 20 // characters that go into the log
)

// parseLog takes apart a line of a plugin's standard error: one that hclog wrote has a level.
func parseLog(line string) (slog.Level, string) {
	if strings.HasPrefix(line, "{") {
		var entry struct {
			Level   string `json:"@level"`
			Message string `json:"@message"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Message != "" && entry.Level != "" {
			return levelOf(hclog.LevelFromString(entry.Level)), wire.Line(entry.Message, maxWords)
		}
	}
	return slog.LevelInfo, wire.Line(line, maxWords)
}

func levelOf(l hclog.Level) slog.Level {
	switch l {
	case hclog.Error:
		return slog.LevelError
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Info:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// words keep of a plugin's standard error what tells best why it ended.
type words struct{ panic, line string }

func (w *words) add(level slog.Level, text string) {
	switch {
	case w.panic == "" && (strings.HasPrefix(text, "panic:") || strings.HasPrefix(text, "fatal error:")):
		w.panic = text
	case level >= slog.LevelInfo:
		w.line = text
	}
}

func (w *words) last() string {
	if w.panic != "" {
		return w.panic
	}
	return w.line
}

// quota bounds what one plugin puts into the log.
type quota struct {
	mu   sync.Mutex
	left int
}

func (q *quota) log(log *slog.Logger, level slog.Level, stream, text string) {
	q.mu.Lock()
	had := q.left
	q.left = max(0, q.left-len(text)-1)
	now := q.left
	q.mu.Unlock()
	if had == 0 {
		return
	}
	log.Log(context.Background(), level, "plugin writes", "stream", stream, "text", wire.Line(text, maxWords))
	if now == 0 {
		log.Warn("plugin writes more than is logged; the rest is left out")
	}
}

// writer is a stream of a plugin that go-plugin forwards.
type writer struct {
	log    *slog.Logger
	quota  *quota
	stream string
}

func (w writer) Write(b []byte) (int, error) {
	for line := range strings.Lines(strings.ToValidUTF8(string(b), "?")) {
		if line = wire.Line(line, maxWords); line != "" {
			w.quota.log(w.log, slog.LevelInfo, w.stream, line)
		}
	}
	return len(b), nil
}

// bridge is the logger that go-plugin is given: it speaks to ours. What it does not answer, a logger that drops everything
// does.
type bridge struct {
	hclog.Logger
	log *slog.Logger
}

func newBridge(log *slog.Logger) hclog.Logger { return bridge{hclog.NewNullLogger(), log} }

// Log implements hclog.Logger, as do the methods below. What go-plugin calls an error is most often our own doing, such as
// the end of a plugin that was killed.
func (b bridge) Log(level hclog.Level, msg string, args ...any) {
	b.log.Log(context.Background(), min(levelOf(level), slog.LevelInfo), "go-plugin: "+msg, args...)
}

// Trace implements hclog.Logger: there is no such level here.
func (b bridge) Trace(string, ...any) {}

// Debug implements hclog.Logger.
func (b bridge) Debug(msg string, args ...any) { b.Log(hclog.Debug, msg, args...) }

// Info implements hclog.Logger.
func (b bridge) Info(msg string, args ...any) { b.Log(hclog.Debug, msg, args...) }

// Warn implements hclog.Logger.
func (b bridge) Warn(msg string, args ...any) { b.Log(hclog.Info, msg, args...) }

// Error implements hclog.Logger.
func (b bridge) Error(msg string, args ...any) { b.Log(hclog.Info, msg, args...) }

// Named implements hclog.Logger.
func (b bridge) Named(string) hclog.Logger { return b }

// With implements hclog.Logger.
func (b bridge) With(args ...any) hclog.Logger { return bridge{b.Logger, b.log.With(args...)} }
