//go:build unix

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/openomt/omt/internal/sample"
)

// tree is a generated document archive: the same seed gives the same bytes, file by file, so that a round of changes
// can be made again. The mix is a quarter PDF, 22 % docx, 8 % xlsx, 12 % jpg (all of high entropy, with shared parts),
// 13 % eml, 7 % msg, 8 % text, rtf and html, the rest old doc; sizes are log-normal (sigma 1.2, median about 24 KB)
// with five large files; a tenth are whole copies of others. Its text is Zipf words, so real mails would share more
// between each other than these do.
type tree struct {
	dir   string
	files int
	seed  uint64
}

var users = []string{"bob", "EE", "Åse", "GKS", "kari nordmann", "HH", "søren", "AB", "tomás", "ZZ"}

// large are the sizes of the few files that stand out.
var large = []int64{50e6, 70e6, 90e6, 120e6, 200e6}

// kinds of documents with their share in percent.
var kinds = []struct {
	ext   string
	share int
}{{"pdf", 25}, {"docx", 22}, {"xlsx", 8}, {"jpg", 12}, {"eml", 13}, {"msg", 7}, {"txt", 3}, {"rtf", 3}, {"html", 2}, {"doc", 5}}

// write makes the tree, unless a complete one of the same seed and size is there.
func (t tree) write() error {
	mark := filepath.Join(t.dir, "..", filepath.Base(t.dir)+".done")
	want := fmt.Sprintf("%d files, seed %d\n", t.files, t.seed)
	if b, err := os.ReadFile(mark); err == nil && string(b) == want {
		return nil
	}
	if err := os.RemoveAll(t.dir); err != nil {
		return err
	}
	for i := range t.files {
		if err := t.file(i, 0); err != nil {
			return err
		}
	}
	return os.WriteFile(mark, []byte(want), 0o644)
}

// file makes file i; round counts the times its content was changed.
func (t tree) file(i, round int) error {
	name := t.name(i)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, t.content(i, round), 0o644); err != nil {
		return err
	}
	at := time.Date(2002, 1, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(i)*time.Hour + time.Duration(round)*time.Minute)
	return os.Chtimes(name, at, at)
}

func (t tree) rand(i, round int) *rand.Rand {
	return rand.New(rand.NewPCG(t.seed, uint64(i)<<16|uint64(round)))
}

func (t tree) name(i int) string {
	r := t.rand(i, 1<<15)
	k := t.kind(i)
	user := users[r.IntN(len(users))]
	period := fmt.Sprintf("%d.%d", 2002+r.IntN(24), 1+r.IntN(2))
	sub := fmt.Sprintf("%03d", r.IntN(25)) // more folders than the real layout has, as large archives do
	return filepath.Join(t.dir, user, period, sub, fmt.Sprintf("Tilbud ø %06d.%s", i, kinds[k].ext))
}

func (t tree) kind(i int) int {
	n := t.rand(i, 1<<14).IntN(100)
	for k := range kinds {
		if n -= kinds[k].share; n < 0 {
			return k
		}
	}
	return len(kinds) - 1
}

func (t tree) content(i, round int) []byte {
	if i < len(large) && round == 0 && t.files >= 10_000 {
		return sample.Content(t.rand(i, 0), "zip", int(large[i]))
	}
	r := t.rand(i, round)
	if i > 1000 && r.IntN(10) == 0 { // a copy: half of them of 400 popular templates
		if r.IntN(2) == 0 {
			i = 500 + r.IntN(400)
		} else {
			i = 500 + r.IntN(i-500)
		}
		if t.rand(i, 0).IntN(10) != 0 || i <= 1000 {
			r = t.rand(i, 0)
			r.IntN(10)
		}
	}
	n := int(math.Exp(r.NormFloat64()*1.2 + math.Log(24_700)))
	n = max(200, min(n, 20<<20))
	return sample.Content(r, kinds[t.kind(i)].ext, n)
}
