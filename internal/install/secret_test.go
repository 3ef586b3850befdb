package install

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestASecretIsNeverShown(t *testing.T) {
	s := NewSecret("crm7user", password)
	c := Config{DB: "sqlserver://sql1", Credentials: s}
	nested := struct{ hidden Secret }{s}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{s, &s, c, &c, nested, &nested, []Secret{s}, map[string]any{"a": c}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		slog.New(h).Info("x", "secret", s, "config", c, "nested", nested)
	}
	fmt.Fprintln(&out, buf.String(), s, error(fmt.Errorf("with %v", s)))
	for _, word := range []string{password, "crm7user", fmt.Sprintf("%x", password)} {
		if strings.Contains(out.String(), word) {
			t.Errorf("%q is shown in %s", word, out.String())
		}
	}
	if !strings.Contains(out.String(), masked) {
		t.Error("nothing says that something is hidden")
	}
	if b, err := json.Marshal(s); err == nil {
		t.Errorf("it is written as JSON: %s", b)
	}
	if _, err := json.Marshal(c); err == nil {
		t.Error("a Config is written as JSON with its credentials' place")
	}
	if b, err := s.MarshalText(); err == nil {
		t.Errorf("it is written as text: %s", b)
	}
}

func TestSecret(t *testing.T) {
	if user, pass := (Secret{}).Reveal(); user != "" || pass != "" || !(Secret{}).IsZero() || !NewSecret("", "").IsZero() {
		t.Error("the zero Secret holds something")
	}
	s := NewSecret("u", "")
	if user, pass := s.Reveal(); user != "u" || pass != "" || s.IsZero() {
		t.Errorf("%q %q", user, pass)
	}
}
