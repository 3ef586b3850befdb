package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

// object is a JSON object whose keys are looked at one by one, so that all that is wrong is named at once.
type object struct {
	file     string
	at       string // "migrator." inside that object
	raw      map[string]json.RawMessage
	problems *[]string
}

// readJSON makes a Config of omt.json.
func readJSON(text []byte, file, folder string) (Config, error) {
	var problems []string
	o := object{file: file, problems: &problems}
	if err := json.Unmarshal(text, &o.raw); err != nil {
		return Config{}, manifest.Errorf(manifest.Usage, "reading %q: %w", file, jsonError(text, err))
	}
	var c Config
	c.readFields(o, folder)
	if len(problems) > 0 {
		return Config{}, manifest.Errorf(manifest.Usage, "reading %q: %s", file, strings.Join(problems, "; ")).
			WithHint("its keys are %s", strings.Join(jsonKeys, ", "))
	}
	return c, nil
}

var jsonKeys = []string{"db", "prefix", "roots", "map", "login", "netserver", "adminRights", "adminRoles", "migrator"}

// jsonError says where JSON is damaged, and not what stands there.
func jsonError(text []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at := int(min(syntax.Offset, int64(len(text))))
		return fmt.Errorf("the JSON is damaged at line %d", 1+bytes.Count(text[:at], []byte("\n")))
	}
	return errors.New("it is no JSON object")
}

func (c *Config) readFields(o object, folder string) {
	o.known(jsonKeys)
	var db string
	if o.text("db", &db) {
		var err error
		if c.DB, c.Credentials, err = SplitURL(db, folder); err != nil {
			o.problem("db", "%v", err)
		}
		c.said(nameDB, o.file)
	}
	c.texts(o, field{"prefix", &c.Prefix}, field{"login", &c.Login}, field{"netserver", &c.NetServer})
	for _, l := range []struct {
		key string
		dst *[]string
	}{{"map", &c.Map}, {"adminRights", &c.AdminRights}, {"adminRoles", &c.AdminRoles}} {
		if o.list(l.key, l.dst) {
			c.said(l.key, o.file)
		}
	}
	for i, m := range c.Map {
		full, err := Mapping(m, folder)
		if err != nil {
			o.problem("map", "%v", err)
			continue
		}
		c.Map[i] = full
	}
	c.readRoots(o, folder)
	m := o.object("migrator")
	m.known([]string{"name", "email", "phone", "language"})
	c.texts(m, field{"name", &c.Migrator.Name}, field{"email", &c.Migrator.Email},
		field{"phone", &c.Migrator.Phone}, field{"language", &c.Migrator.Language})
}

type field struct {
	key string
	dst *string
}

func (c *Config) texts(o object, fields ...field) {
	for _, f := range fields {
		if o.text(f.key, f.dst) {
			c.said(o.at+f.key, o.file)
		}
	}
}

func (c *Config) readRoots(o object, folder string) {
	roots := o.object("roots")
	var areas []string
	for _, a := range manifest.Areas[1:] {
		areas = append(areas, string(a))
	}
	roots.known(areas)
	for _, a := range manifest.Areas[1:] {
		var dirs []string
		if !roots.list(string(a), &dirs) {
			continue
		}
		for i := range dirs {
			dirs[i] = absolute(folder, dirs[i])
		}
		c.setRoot(a, dirs, o.file)
	}
}

// Mapping checks FROM=TO and makes TO absolute from folder.
func Mapping(text, folder string) (string, error) {
	m, err := archive.ParseMapping(text)
	if err != nil {
		return "", err
	}
	return m.From + "=" + absolute(folder, m.To), nil
}

func (o object) problem(key, format string, args ...any) {
	*o.problems = append(*o.problems, fmt.Sprintf("key %q: ", o.at+key)+fmt.Sprintf(format, args...))
}

// known reports the keys that are not in the list.
func (o object) known(keys []string) {
	for _, k := range slices.Sorted(maps.Keys(o.raw)) {
		if !slices.Contains(keys, k) {
			*o.problems = append(*o.problems, fmt.Sprintf("unknown key %q", o.at+k))
		}
	}
}

// text reads a text; false when it is absent, null or empty.
func (o object) text(key string, dst *string) bool {
	if err := json.Unmarshal(o.raw[key], dst); o.raw[key] != nil && err != nil {
		o.problem(key, "want a text")
		return false
	}
	return *dst != ""
}

// list reads a list of texts; false when it is absent or null.
func (o object) list(key string, dst *[]string) bool {
	if o.raw[key] == nil || string(o.raw[key]) == "null" {
		return false
	}
	if err := json.Unmarshal(o.raw[key], dst); err != nil {
		*dst = nil
		o.problem(key, "want a list of texts")
		return false
	}
	return true
}

func (o object) object(key string) object {
	in := object{file: o.file, at: o.at + key + ".", problems: o.problems}
	if o.raw[key] != nil && json.Unmarshal(o.raw[key], &in.raw) != nil {
		o.problem(key, "want an object")
	}
	return in
}

// Encode returns c as omt.json: without credentials, with a final line end, in ASCII, since a console may re-encode what
// is redirected into a file.
func (c Config) Encode() []byte {
	type migrator struct {
		Name     string `json:"name,omitempty"`
		Email    string `json:"email,omitempty"`
		Phone    string `json:"phone,omitempty"`
		Language string `json:"language,omitempty"`
	}
	type roots struct {
		Template   *[]string `json:"template,omitempty"`
		Document   *[]string `json:"document,omitempty"`
		Service    *[]string `json:"service,omitempty"`
		Attachment *[]string `json:"attachment,omitempty"`
	}
	file := struct {
		DB          string   `json:"db,omitempty"`
		Prefix      string   `json:"prefix,omitempty"`
		Roots       roots    `json:"roots,omitzero"`
		Map         []string `json:"map,omitempty"`
		Login       string   `json:"login,omitempty"`
		NetServer   string   `json:"netserver,omitempty"`
		AdminRights []string `json:"adminRights,omitempty"`
		AdminRoles  []string `json:"adminRoles,omitempty"`
		Migrator    migrator `json:"migrator,omitzero"`
	}{
		c.DB, c.Prefix,
		roots{c.listed(manifest.Template), c.listed(manifest.Document), c.listed(manifest.Service), c.listed(manifest.Attachment)},
		c.Map, c.Login, c.NetServer, c.AdminRights, c.AdminRoles, migrator(c.Migrator),
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(file); err != nil {
		panic(err) // texts and lists of texts always encode
	}
	return ascii(b.Bytes())
}

// listed is an area's list as JSON has it: nil where nothing was said, an empty list where there is no such area.
func (c Config) listed(a manifest.Area) *[]string {
	dirs, ok := c.Roots[a]
	if !ok {
		return nil
	}
	dirs = append([]string{}, dirs...)
	return &dirs
}

// ascii writes everything above U+007E as \uXXXX, which may stand in a JSON text only where it means the character.
func ascii(text []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}
