package chunk

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/openomt/omt/internal/manifest"
)

// SchemaJSON returns what of a table's record its parts depend on: name, columns and key, as one canonical line of JSON
// (fields in the record's order, no blanks, nothing escaped but what JSON and U+2028 and U+2029 require). Rows and
// indexes are not in it, so that neither a new row nor a new index makes every part another one.
func SchemaJSON(t manifest.Table) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Name    string            `json:"name"`
		Columns []manifest.Column `json:"columns"`
		Key     []string          `json:"key"`
	}{t.Name, append([]manifest.Column{}, t.Columns...), append([]string{}, t.Key...)})
	if err != nil {
		return nil, fmt.Errorf("table %q: encoding its schema: %w", t.Name, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// SchemaDigest returns the SHA-256 of SchemaJSON, the field schema of a part's record.
func SchemaDigest(t manifest.Table) (manifest.Digest, error) {
	b, err := SchemaJSON(t)
	return sha256.Sum256(b), err
}
