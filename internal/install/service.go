package install

import (
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// serviceKeys are keys of Service's config in lower case; a file named config with none of them is another program's.
var serviceKeys = []string{"dbhost", "dbtype", "dbdatabase", "nsendpoint", "nsuser", "dbusername"}

// parseService reads Service's config: key = value, # for comments, and the bare word frozen.
func parseService(text string) (keys map[string]string, frozen bool) {
	keys = map[string]string{}
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			frozen = frozen || strings.EqualFold(line, "frozen")
			continue
		}
		keys[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	return keys, frozen
}

func isService(keys map[string]string) bool {
	for _, k := range serviceKeys {
		if _, ok := keys[k]; ok {
			return true
		}
	}
	return false
}

// readService makes a Config of Service's config. Its folder is Service's base folder.
func readService(text []byte, file, folder string) (Config, error) {
	keys, frozen := parseService(string(text))
	if !isService(keys) {
		return Config{}, manifest.Errorf(manifest.Usage, "reading %q: it is no configuration of Customer Service: none of its keys is there", file)
	}
	var c Config
	c.setRoot(manifest.Service, []string{folder}, file)
	if e := engineOf(keys["dbtype"]); e != "" {
		c.engine = Source{e, file}
	}
	if dsn := keys["dbdatabase"]; dsn != "" {
		c.dsn, c.spare = Source{dsn, file}, NewSecret(keys["dbusername"], keys["dbpassword"])
	}
	if frozen {
		c.note("%q says that Customer Service is frozen for maintenance", file)
	}
	return c, nil
}
