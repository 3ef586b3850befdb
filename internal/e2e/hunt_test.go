package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
)

// Every process that a test starts in a site is given secrets, and what it says, writes, stores and starts is searched for
// them when the site ends: its outputs, all files of the site (manifests, journals, logs, the spool, the destination, what
// was unpacked; what is compressed with zstd unpacked, too), all that was stored with services (site.stores), and, while it runs, the command lines and environments of all processes below it (watch_test.go).

// The passwords that the sample's files and tables hold, and those that every process is given.
const (
	sampleSecret = "sample-not-a-secret"
	planted      = "planted-not-a-secret-"
)

// plants are the variables in which the product looks for secrets, or finds them beside its own. The proxy is that of
// hosts that are not this machine: nothing asks for it. OMT_DB_PASSWORD is what SQLite does not need.
func plants() []string {
	return []string{
		"OMT_DB_PASSWORD=" + planted + "db", "AZURE_CLIENT_SECRET=" + planted + "client", "AZURE_STORAGE_SAS_TOKEN=sv=2024-11-04&sig=" + planted + "sas",
		"AZURE_STORAGE_KEY=" + base64.StdEncoding.EncodeToString([]byte(planted+"key")), "AWS_SECRET_ACCESS_KEY=" + planted + "aws",
		"OMT_SMTP_PASSWORD=" + planted + "smtp",
		"HTTPS_PROXY=http://omt:" + planted + "proxy@127.0.0.1:9", "HTTP_PROXY=http://omt:" + planted + "proxy@127.0.0.1:9",
	}
}

// secretsOf are those of an environment, by the names of its variables: a whole value, the password of a URL, a signature.
func secretsOf(env []string) []string {
	var out []string
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		name = strings.ToUpper(name)
		if strings.HasSuffix(name, "_PROXY") || strings.Contains(value, "sig=") {
			out = append(out, secretsOfURL(value)...)
		} else if strings.Contains(name, "PASSWORD") || strings.Contains(name, "SECRET") || strings.HasSuffix(name, "_KEY") {
			out = append(out, value)
		}
	}
	return out
}

// secretsOfURL are the password and the signature of a URL, or of the query of one.
func secretsOfURL(text string) []string {
	var out []string
	if u, err := url.Parse(text); err == nil && u.User != nil {
		if p, ok := u.User.Password(); ok {
			out = append(out, p)
		}
	}
	if _, sig, ok := strings.Cut(text, "sig="); ok {
		sig, _, _ = strings.Cut(sig, "&")
		out = append(out, strings.TrimSpace(sig))
	}
	return out
}

// hide names secrets of a site, beside those of its environment.
func (s *site) hide(secrets ...string) { s.secrets = append(s.secrets, secrets...) }

// hidden are all secrets of a site.
func (s *site) hidden() []string {
	out := append(secretsOf(plants()), secretsOf(s.env)...)
	return append(out, s.secrets...)
}

// needle is a secret in one of the forms in which it may stand somewhere.
type needle struct {
	secret string
	form   []byte
}

// needles are the forms of secrets: as it is, as JSON and URLs have it, as UTF-16 of either kind, and as base64 has it
// within something longer, such as "user:password".
func needles(secrets []string) []stem {
	var out []needle
	add := func(secret string, form []byte) {
		if len(form) >= 8 && !slices.ContainsFunc(out, func(n needle) bool { return bytes.Equal(n.form, form) }) {
			out = append(out, needle{secret, form})
		}
	}
	for _, s := range secrets {
		forms := []string{s, url.QueryEscape(s), url.PathEscape(s)}
		if u, err := url.QueryUnescape(s); err == nil {
			forms = append(forms, u)
		}
		if b, err := json.Marshal(s); err == nil {
			forms = append(forms, strings.Trim(string(b), `"`))
		}
		for _, f := range forms {
			add(s, []byte(f))
			add(s, asUTF16(f, false))
			add(s, asUTF16(f, true))
		}
		for lead := range 3 {
			for _, as := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				enc := as.EncodeToString(append(make([]byte, lead), s...))
				add(s, []byte(enc[(lead*8+5)/6:len(enc)-1])) // without what depends on the bytes before and behind
			}
		}
	}
	return stems(out)
}

// asUTF16 is a text as UTF-16.
func asUTF16(s string, bigEndian bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if bigEndian {
			u = u<<8 | u>>8
		}
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// inText says whether bytes hold a text, in any of its forms.
func inText(b []byte, text string) bool { return found1(b, needles([]string{text})) != "" }

// stem is how needles begin that begin in the same way: most of what is looked at holds none of it, and is done with.
type stem struct {
	form    []byte
	needles []needle
}

// stems groups needles.
func stems(list []needle) []stem {
	const least = 8 // bytes
	sorted := slices.SortedFunc(slices.Values(list), func(a, b needle) int { return bytes.Compare(a.form, b.form) })
	var out []stem
	for _, n := range sorted {
		if len(out) > 0 {
			last := &out[len(out)-1]
			same := 0
			for same < min(len(last.form), len(n.form)) && last.form[same] == n.form[same] {
				same++
			}
			if same >= least {
				last.form, last.needles = last.form[:same], append(last.needles, n)
				continue
			}
		}
		out = append(out, stem{n.form, []needle{n}})
	}
	return out
}

// found1 gives a secret that bytes hold.
func found1(b []byte, list []stem) string {
	for _, s := range list {
		at := bytes.Index(b, s.form)
		if at < 0 {
			continue
		}
		for _, n := range s.needles {
			if bytes.Contains(b[at:], n.form) {
				return n.secret
			}
		}
	}
	return ""
}

// heard looks at what a process has said. It is called for every one that ends.
func (s *site) heard(line string, said ...[]byte) {
	s.t.Helper()
	list := needles(append(s.hidden(), sampleSecret))
	for _, b := range said {
		if secret := found1(b, list); secret != "" {
			s.t.Errorf("what %s says holds the secret %q", line, secret)
		}
	}
}

// searched are the contents of the base world, which has been searched for all but a site's own secrets and was there
// before those: a file of a site that is one of them to the byte, as most of its chunks are, tells none.
var searched sync.Map // SHA-256 to whether it was searched for the sample's own passwords too

// hunt looks at all that a site and the stores that it used hold now. What the test itself wrote there with a secret, it
// names so that it ends with .url.
func (s *site) hunt() (files int) {
	s.t.Helper()
	list := needles(s.hidden())
	all := needles(append(s.hidden(), sampleSecret))
	ofBase := s.dir == filepath.Join(shared.dir, "base")
	look := func(name string, b []byte, ours bool) {
		files++
		sum, list := sha256.Sum256(b), list
		if ours {
			list = all
		}
		if well, ok := searched.Load(sum); ok && (well.(bool) || !ours) {
			return
		}
		if ofBase {
			searched.Store(sum, ours)
		}
		if secret := found1(b, list); secret != "" {
			s.t.Errorf("%s holds the secret %q", name, secret)
		} else if secret = found1(unpacked(name, b), list); secret != "" {
			s.t.Errorf("%s, unpacked, holds the secret %q", name, secret)
		}
	}
	err := filepath.WalkDir(s.dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.HasSuffix(p, ".url") {
			return ignoreGone(err)
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return ignoreGone(err)
		}
		rel, _ := filepath.Rel(s.dir, p)
		rel = filepath.ToSlash(rel)
		look(rel, b, ours(rel))
		return nil
	})
	if err != nil {
		s.t.Error(err)
	}
	for _, store := range s.stores {
		before := files
		store(func(name string, b []byte) { look("the object "+name, b, false) })
		if files == before {
			s.t.Log("nothing was stored with a service")
		}
	}
	s.stores = nil // they do not change any more, and a test may have hundreds
	return files
}

// ignoreGone is for files that a service or a process that ends takes away while they are looked at.
func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// ours says of a file of a site that it may not even hold the passwords of the installation itself: not those that are the
// installation, a database that was unpacked, and the parts of tables, which move whole.
func ours(rel string) bool {
	top, _, _ := strings.Cut(rel, "/")
	switch {
	case strings.HasSuffix(rel, ".parquet"):
		return false
	case top == "tmp", top == "spool", top == "dest", top == "out":
		return true
	}
	return top == rel && (strings.HasSuffix(rel, ".jsonl") || strings.HasSuffix(rel, ".json") || strings.HasSuffix(rel, ".html") || strings.HasSuffix(rel, ".csv"))
}

// unpacked is what zstd makes of a file that it has packed, as far as it is whole.
func unpacked(name string, b []byte) []byte {
	if !strings.HasSuffix(name, ".zst") {
		return nil
	}
	r, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil
	}
	defer r.Close()
	out, _ := io.ReadAll(r)
	return out
}

// What is searched for is found, wherever and however it is written: or the search proves nothing.
func TestHunt(t *testing.T) {
	t.Parallel()
	const secret = `p"ä/s+s w=rd`
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(z, "a line\n"+secret+"\n")
	z.Close()
	quoted, _ := json.Marshal(map[string]string{"was": secret})
	files := map[string][]byte{
		"tmp/SoMigration/a.log": []byte("level=INFO msg=" + secret), "packed.jsonl": quoted, "spool/x.json": []byte(url.QueryEscape(secret)),
		"dest/y": asUTF16(secret, false), "dest/z": asUTF16(secret, true), "dest/chunks/ab/c.tar.zst": packed.Bytes(),
		"out/1": []byte(base64.StdEncoding.EncodeToString([]byte("u:" + secret))), "out/2": []byte(base64.StdEncoding.EncodeToString([]byte("us:" + secret + "x"))),
		"out/3": []byte(base64.URLEncoding.EncodeToString([]byte("use:" + secret))), "deep/er/than/that": []byte("x" + secret),
		"dest/of-the-sample": []byte(sampleSecret),
	}
	for name, content := range files {
		var errs failures
		s := &site{t: &errs, dir: t.TempDir(), env: []string{"OMT_DB_PASSWORD=" + secret}}
		s.write([]byte("nothing"), "beside")
		if n := s.hunt(); n != 1 || errs.n != 0 {
			t.Fatalf("in %d files without a secret %d were found", n, errs.n)
		}
		s.write(content, name)
		if s.hunt(); errs.n == 0 {
			t.Errorf("not found in %s: %q", name, content)
		}
	}
	var errs failures
	s := &site{t: &errs, dir: t.TempDir()}
	s.heard("omt-x", nil, []byte("a "+planted+" b"))
	if errs.n != 0 {
		t.Error("how secrets begin was taken for one")
	}
	for i, e := range []string{"db", "client", "sas", "aws", "smtp", "proxy"} {
		s.heard("omt-x", []byte(planted+planted+e+" b"))
		if errs.n != i+1 {
			t.Errorf("%s was not found in what a process says", planted+e)
		}
	}
	errs.n = 0
	s.write([]byte(sampleSecret), "inst/config")
	s.write([]byte(sampleSecret), "dest/chunks/aa/b.parquet")
	if s.hunt(); errs.n != 0 {
		t.Error("found where the sample's own passwords have to be")
	}
	got := secretsOf([]string{"HTTPS_PROXY=http://u:pass%20word@h:1", "AWS_ACCESS_KEY_ID=public-name", "A_SECRET_ACCESS_KEY=k1", "X=https://h/c?sv=1&sig=a%2Bb&x=1"})
	if want := []string{"pass word", "k1", "a%2Bb"}; !slices.Equal(got, want) {
		t.Errorf("the secrets are %q, want %q", got, want)
	}
}

// failures counts what a test that is looked at would have failed for.
type failures struct {
	testing.TB
	n int
}

func (e *failures) Helper()               {}
func (e *failures) Errorf(string, ...any) { e.n++ }
func (e *failures) Error(...any)          { e.n++ }
