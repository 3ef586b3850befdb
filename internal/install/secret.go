package install

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a user name with a password. It shows neither, however it is printed, logged or encoded; Reveal gives both.
// The zero Secret holds nothing.
type Secret struct {
	// A function, since fmt and encoders that look into a struct by reflection find no text in it.
	reveal func() (user, password string)
}

const masked = "…"

var errSecret = errors.New("a secret is not written")

// NewSecret keeps a user name and a password. Both empty give the zero Secret.
func NewSecret(user, password string) Secret {
	if user == "" && password == "" {
		return Secret{}
	}
	return Secret{reveal: func() (string, string) { return user, password }}
}

// Reveal returns what is kept; empty texts of the zero Secret.
func (s Secret) Reveal() (user, password string) {
	if s.reveal == nil {
		return "", ""
	}
	return s.reveal()
}

// IsZero reports whether nothing is kept.
func (s Secret) IsZero() bool { return s.reveal == nil }

// String returns "…".
func (s Secret) String() string { return masked }

// Format prints "…" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, masked) } //nolint:errcheck // fmt.State keeps errors itself

// LogValue returns "…".
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON is an error: a Secret in something that is written is a mistake.
func (s Secret) MarshalJSON() ([]byte, error) { return nil, errSecret }

// MarshalText is an error, as MarshalJSON is.
func (s Secret) MarshalText() ([]byte, error) { return nil, errSecret }
