package tenant

import (
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// ChunkName is the object's name of a chunk, and its path below a spool: chunks/ab/<sha256>.<type>, where ab are the
// first two digits. typ must have passed CheckChunk.
func ChunkName(d manifest.Digest, typ string) string {
	hex := d.String()
	return "chunks/" + hex[:2] + "/" + hex + "." + typ
}

// ParseChunkName is the reverse of ChunkName; ok is false for a name that ChunkName cannot have given.
func ParseChunkName(name string) (d manifest.Digest, typ string, ok bool) {
	rest, found := strings.CutPrefix(name, "chunks/")
	if !found || len(rest) < 3+64+2 || rest[2] != '/' {
		return d, "", false
	}
	d, err := manifest.ParseDigest(rest[3 : 3+64])
	if err != nil || rest[3+64] != '.' {
		return d, "", false
	}
	typ = rest[3+64+1:]
	return d, typ, knownType(typ) && ChunkName(d, typ) == name
}

// CheckChunk refuses a chunk record that cannot name an object: no digest, or a type that this build does not know
// and that might lead out of chunks/.
func CheckChunk(c manifest.Chunk) error {
	if c.SHA256.IsZero() {
		return fmt.Errorf("a chunk record of area %q has no sha256", c.Area)
	}
	if !knownType(c.Type) {
		return fmt.Errorf("chunk %s: type %q is not known to this build", c.SHA256, c.Type)
	}
	if c.Bytes <= 0 {
		return fmt.Errorf("chunk %s: bytes %d", c.SHA256, c.Bytes)
	}
	return nil
}

func knownType(typ string) bool { return typ == manifest.ChunkTar || typ == manifest.ChunkParquet }
