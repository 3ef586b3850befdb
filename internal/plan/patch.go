package plan

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// field is a key of a record with its new value; a nil value takes the key away.
type field struct {
	name  string
	value any
}

// changed is a line with keys of its record changed. It is made anew, since a line that was read carries what its reader
// learned of the bytes.
func changed(l manifest.Line, fields []field) (manifest.Line, error) {
	if len(fields) == 0 {
		return l, nil
	}
	raw, err := patch(l.Raw, fields)
	if err != nil {
		return l, manifest.Errorf(manifest.BadInput, "line %d: changing the %s record: %w", l.Number, l.Kind, err)
	}
	return manifest.Line{Kind: l.Kind, Raw: raw, Number: l.Number}, nil
}

// patch changes keys of a record and leaves all others, known or not, as they are and in their order. New keys stand
// last. Keys are compared as encoding/json does, without regard to case, and a key that stands twice stands once after.
func patch(raw []byte, fields []field) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	out := []byte{'{'}
	put := func(name string, value []byte) error {
		key, err := json.Marshal(name)
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, key...), ':'), value...)
		return err
	}
	change := func(f field) error {
		if f.value == nil {
			return nil
		}
		value, err := encode(f.value)
		if err != nil {
			return err
		}
		return put(f.name, value)
	}
	done := make([]bool, len(fields))
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := t.(string) // the decoder gives nothing else for a key
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(fields, func(f field) bool { return strings.EqualFold(f.name, name) })
		switch {
		case i < 0:
			err = put(name, value)
		case !done[i]:
			done[i] = true
			err = change(fields[i])
		}
		if err != nil {
			return nil, err
		}
	}
	for i, f := range fields {
		if !done[i] {
			if err := change(f); err != nil {
				return nil, err
			}
		}
	}
	return append(out, '}'), nil
}

// encode is json.Marshal without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

// userFields are the keys of a user that choices change, where after differs from before.
func userFields(before, after manifest.User) []field {
	var list []field
	if before.Admin != after.Admin {
		list = append(list, field{"admin", after.Admin})
	}
	if before.Confidential != after.Confidential {
		list = append(list, field{"confidential", after.Confidential})
	}
	if !same(before.Plan, after.Plan) {
		list = append(list, field{"plan", orAbsent(after.Plan)})
	}
	if before.Username != after.Username {
		f := field{"username", nil}
		if after.Username != "" {
			f.value = after.Username
		}
		list = append(list, f)
	}
	if !same(before.Welcome, after.Welcome) {
		list = append(list, field{"welcome", orAbsent(after.Welcome)})
	}
	return list
}

// same compares what two pointers point to.
func same[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// orAbsent is the value pointed to, or nil.
func orAbsent[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
