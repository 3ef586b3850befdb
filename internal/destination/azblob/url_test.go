package azblob

import (
	"crypto/sha256"
	"hash"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	const refused = "!"
	env := map[string]string{"AZURE_STORAGE_ACCOUNT": "kalles", "AZURE_STORAGE_KEY": "c2VjcmV0"}
	for _, c := range []struct{ in, want string }{
		{"https://kalles.blob.core.windows.net/tenant?sp=rl&sig=secret%2B", "https://kalles.blob.core.windows.net/tenant"},
		{"HTTPS://Kalles.blob.core.windows.net/tenant/a/b/?sig=secret", "https://kalles.blob.core.windows.net/tenant/a/b"},
		{"https://10.0.0.1:10000/kalles/tenant?sig=secret", "https://10.0.0.1:10000/kalles/tenant"},
		{"http://127.0.0.1:10000/kalles/tenant/x?sig=secret", "http://127.0.0.1:10000/kalles/tenant/x"},
		{"http://localhost:10000/kalles/tenant?sig=secret", "http://localhost:10000/kalles/tenant"},
		{"http://127.0.0.1:10000/tenant?sig=secret", refused + "HOST/ACCOUNT/CONTAINER"},
		{"http://kalles.blob.core.windows.net/tenant?sig=secret", refused + "plain http is for this machine alone"},
		{"https://kalles.blob.core.windows.net/tenant", refused + "no shared access signature"},
		{"https://kalles.blob.core.windows.net/tenant?sp=rl", refused + "write azblob://CONTAINER"},
		{"https://kalles.blob.core.windows.net/?sig=secret", refused + "no name of a container"},
		{"https://kalles.blob.core.windows.net/Tenant?sig=secret", refused + `"Tenant" is no name of a container`},
		{"https://kalles.blob.core.windows.net/tenant/a b?sig=secret", refused + "below the container"},
		{"https://kalles.blob.core.windows.net/tenant/../x?sig=secret", refused + "below the container"},
		{"https://u:secret@kalles.blob.core.windows.net/tenant?sig=secret", refused + "neither user nor fragment"},
		{"https://kalles.blob.core.windows.net/tenant?sig=%zzsecret", refused + "query is not readable"},
		{"https://kalles.blob.core.windows.net/%zz?sig=secret", refused + "not a URL"},
		{"https:///tenant?sig=secret", refused + "names no host"},
		{"azblob://tenant", "https://kalles.blob.core.windows.net/tenant"},
		{"azblob://tenant/a/b", "https://kalles.blob.core.windows.net/tenant/a/b"},
		{"azblob://tenant?endpoint=https://kalles.blob.example.net/", "https://kalles.blob.example.net/tenant"},
		{"azblob://tenant?endpoint=http://elsewhere/x", refused + "endpoint: plain http"},
		{"azblob://tenant?endpoint=https://h/?sig=secret", refused + "endpoint is not the URL"},
		{"azblob://tenant?sig=secret", refused + "a parameter that is not known"},
	} {
		p, err := Parse(c.in, func(n string) string { return env[n] })
		if text, bad := strings.CutPrefix(c.want, refused); bad {
			if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: error is %v, want %q", c.in, err, text)
			}
			continue
		}
		if err != nil || p.URL() != c.want {
			t.Errorf("%q: %q, error %v, want %q", c.in, p.URL(), err, c.want)
		}
		if again, err := Parse(p.URL()+"?sig=x", noEnv); err != nil || again.URL() != p.URL() {
			t.Errorf("%q does not lead back to itself: %q, %v", p.URL(), again.URL(), err)
		}
		if len(p.Secrets()) == 0 {
			t.Errorf("%q: no secret to hide", c.in)
		}
	}
	if _, err := Parse("azblob://tenant", noEnv); err == nil || !strings.Contains(err.Error(), "AZURE_STORAGE_ACCOUNT") {
		t.Errorf("without an account: %v", err)
	}
}

func TestSASTime(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-22T04:05:06Z": "2026-11-22T04:05:06Z", "2026-11-22T04:05Z": "2026-11-22T04:05:00Z", "2026-11-22": "2026-11-22T00:00:00Z",
	} {
		if got, ok := sasTime(in); !ok || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %v", in, got)
		}
	}
	if _, ok := sasTime("soon"); ok {
		t.Error("a time that is none was read")
	}
}

// The state of a hash, written into an id and read again, goes on as if nothing had happened.
func TestState(t *testing.T) {
	data := make([]byte, 1000)
	for i := range data {
		data[i] = byte(i * 7)
	}
	want := sha256.Sum256(data)
	for _, cut := range []int{0, 64, 128, 960} {
		h := sha256.New()
		h.Write(data[:cut])
		state, err := stateOf(h)
		if err != nil {
			t.Fatal(err)
		}
		var on hash.Hash
		if on, err = hashFrom(state, int64(cut)); err != nil {
			t.Fatal(err)
		}
		on.Write(data[cut:])
		if [32]byte(on.Sum(nil)) != want {
			t.Errorf("cut at %d, the digest is another", cut)
		}
	}
}

func TestChain(t *testing.T) {
	sum := sha256.Sum256([]byte("content"))
	key := keyOf("x", 200, sum)
	b := func(gen byte, off, size int64, state [32]byte) block {
		return block{key: key, gen: gen, off: off, size: size, state: state}
	}
	mid := [32]byte{1}
	for name, c := range map[string]struct {
		blocks []block
		end    int64
		gen    byte
	}{
		"nothing":             {nil, 0, 0},
		"two of three":        {[]block{b(0, 64, 64, mid), b(0, 0, 64, mid)}, 128, 0},
		"a gap":               {[]block{b(0, 128, 64, mid)}, 0, 0},
		"complete":            {[]block{b(0, 0, 64, mid), b(0, 64, 136, sum)}, 200, 0},
		"damaged":             {[]block{b(0, 0, 64, mid), b(0, 64, 136, mid)}, 0, 1},
		"the next generation": {[]block{b(0, 0, 64, mid), b(0, 64, 136, mid), b(1, 0, 64, mid)}, 64, 1},
		"the longer one":      {[]block{b(0, 0, 64, mid), b(0, 0, 128, mid)}, 128, 0},
		"an odd end":          {[]block{b(0, 0, 65, mid)}, 0, 0},
		"beyond the end":      {[]block{b(0, 0, 256, mid)}, 0, 0},
		"of another object":   {[]block{{key: keyOf("x", 200, mid), off: 0, size: 64}}, 0, 0},
	} {
		got, err := chainOf(c.blocks, key, 200, sum)
		if err != nil || got.end != c.end || got.gen != c.gen {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := chainOf([]block{b(255, 0, 200, mid)}, key, 200, sum); err == nil {
		t.Error("a generation after the last")
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(block{off: 64, size: 64}.id(), int64(64))
	f.Add("", int64(0))
	f.Fuzz(func(t *testing.T, id string, size int64) {
		b, ok := parseID(id, size)
		if ok && (b.off < 0 || b.size <= 0 || !slices.Equal([]byte(b.id()), []byte(block(b).id())) || len(b.id()) != len(block{}.id())) {
			t.Errorf("%q was read as %+v", id, b)
		}
	})
}
