package sample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"time"
)

// doc is one document: its row, its appointment and its file.
type doc struct {
	id         int
	name       string // document.name
	header     string
	author     int
	login      string // the author's folder, as the rows give it
	registered time.Time
	provider   int
	noAppt     bool
	apptAssoc  int // of the appointment; 0: the author
	file       file
}

// file is one file on disk. An empty path means that there is none.
type file struct {
	area  string // folder of the installation, see (*world).dirs
	path  string // below it
	size  int
	ext   string
	seed  uint64 // of the content; files with the same seed, size and ext are copies
	mtime time.Time
}

var extensions = []string{"docx", "pdf", "docx", "eml", "xlsx", "pdf", "jpg", "msg", "doc", "txt"}

// titles are what documents are called, with the characters that names have.
var titles = []string{"Tilbud", "Kontrakt nr", "Møtereferat", "Offer to O'Brien", "Ærlig vurdering", "見積書", "Angebot für Müller", "Plan 🚀"}

// doc makes document number i, from 1. The same number always gives the same document.
func (w *world) doc(i int) doc {
	r := w.rand(1, uint64(i))
	a := w.writers[r.IntN(len(w.writers))]
	ext := extensions[r.IntN(len(extensions))]
	at := time.Date(2002, 1, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(int64(22*365*24*time.Hour/time.Second))) * time.Second)
	if day := at.YearDay(); day <= 2 || day >= 364 || at.Month() == time.July && at.Day() == 31 || at.Month() == time.August && at.Day() == 1 {
		at = at.AddDate(0, 0, 40) // period boundaries are odd cases
	}
	title := titles[r.IntN(len(titles))]
	d := doc{id: i, name: fmt.Sprintf("%s %06d.%s", title, i, ext), header: title + " " + fmt.Sprint(i), author: a.id, login: a.login, registered: at}
	d.file = file{area: w.archiveOf(a), path: path.Join(a.dir(), period(at), d.name), ext: ext, size: size(r), seed: uint64(i), mtime: at.Add(3 * time.Hour)}
	if i%10 == 0 && !w.o.Tiny { // a copy of one of a few popular documents
		d.file.seed, d.file.size = uint64(1_000_000_000+i%70), 9000+i%70
		d.file.ext = "docx"
	}
	return d
}

// archiveOf puts every seventh author's documents into the second root, as an archive that grew out of one disk has it.
func (w *world) archiveOf(a associate) string {
	if a.id%7 == 0 {
		return "so_arc2"
	}
	return "so_arc"
}

// period is the folder of a date: .1 for January to July, .2 for the rest.
func period(at time.Time) string {
	half := 1
	if at.Month() > time.July {
		half = 2
	}
	return fmt.Sprintf("%d.%d", at.Year(), half)
}

// size is log-normal, about 5 KB in the middle, since a sample should be quick to make.
func size(r *rand.Rand) int {
	return max(60, min(int(math.Exp(r.NormFloat64()*1.2+math.Log(5000))), 1<<20))
}

// documents calls fn for every document, the odd ones last.
func (w *world) documents(fn func(doc) bool) {
	for i := 1; i <= w.o.Documents; i++ {
		if !fn(w.doc(i)) {
			return
		}
	}
	for k, d := range w.odd {
		d.id = w.o.Documents + 1 + k
		if !fn(d) {
			return
		}
	}
}
