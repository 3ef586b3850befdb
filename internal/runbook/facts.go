package runbook

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// facts are what a runbook needs of a manifest.
type facts struct {
	header   manifest.Header
	inst     manifest.Installation
	migrator manifest.Migrator
	users    int
	with     int // a plan
	domains  []string
	tables   int
	rows     int64
	files    int64 // that move
	bytes    int64 // of them, as they are on disk
	packed   bool  // sizes of chunks are known
	inFiles  int64 // bytes of the chunks of files
	inTables int64 // and of tables
	missing  int64
	blocked  []string // rules with errors that nobody waived
	waivers  int
	removals int
	mailbox  bool   // a finding tells of mailboxes
	summary  string // who gets the user summary; empty: nobody said
	frozen   int    // changes that froze the source

	chunks map[manifest.Digest]struct{}
	sent   []receipt
}

// receipt is when how many bytes had arrived.
type receipt struct {
	at    int64 // nanoseconds of Unix's time
	bytes int64
}

func newFacts() *facts { return &facts{chunks: map[manifest.Digest]struct{}{}} }

// read takes the records of a manifest, one after another.
func (f *facts) read(r *manifest.Reader) error {
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = f.take(l)
		}
		if err != nil {
			return err
		}
	}
}

func (f *facts) take(l manifest.Line) error {
	switch l.Kind {
	case manifest.KindManifest:
		return l.Decode(&f.header)
	case manifest.KindInstallation:
		return l.Decode(&f.inst)
	case manifest.KindMigrator:
		return l.Decode(&f.migrator)
	case manifest.KindReview:
		return with(l, f.review)
	case manifest.KindUser:
		return with(l, f.user)
	case manifest.KindTable:
		return with(l, func(t manifest.Table) { f.tables, f.rows = f.tables+1, f.rows+t.Rows })
	case manifest.KindChunk:
		return with(l, f.chunk)
	case manifest.KindFile:
		return with(l, f.file)
	case manifest.KindFinding:
		return with(l, f.finding)
	case manifest.KindReceipt:
		return with(l, f.receipt)
	}
	f.count(l.Kind)
	return nil
}

// count counts records of which nothing but their number matters.
func (f *facts) count(k manifest.Kind) {
	switch k {
	case manifest.KindFreeze:
		f.frozen++
	case manifest.KindWaiver:
		f.waivers++
	case manifest.KindRemoval:
		f.removals++
	}
}

func (f *facts) review(v manifest.Review) {
	if v.Summary != nil {
		f.summary = cmp.Or(*v.Summary, "-")
	}
}

func (f *facts) receipt(r manifest.Receipt) {
	if r.Sent && !r.At.IsZero() {
		f.sent = append(f.sent, receipt{r.At.UnixNano(), r.Bytes})
	}
}

func with[T any](l manifest.Line, do func(T)) error {
	var rec T
	if err := l.Decode(&rec); err != nil {
		return err
	}
	do(rec)
	return nil
}

func (f *facts) user(u manifest.User) {
	f.users++
	if u.Plan == nil || *u.Plan == "" {
		return
	}
	f.with++
	_, domain, ok := strings.Cut(u.Username, "@")
	domain = strings.ToLower(strings.TrimSpace(domain))
	if i, found := slices.BinarySearch(f.domains, domain); ok && domain != "" && !found {
		f.domains = slices.Insert(f.domains, i, domain)
	}
}

func (f *facts) chunk(k manifest.Chunk) {
	f.packed = true
	if _, ok := f.chunks[k.SHA256]; ok {
		return
	}
	f.chunks[k.SHA256] = struct{}{}
	if k.Area == manifest.Database {
		f.inTables += k.Bytes
	} else {
		f.inFiles += k.Bytes
	}
}

func (f *facts) file(x manifest.File) {
	switch x.State {
	case manifest.Present, manifest.Stored, manifest.NoAppointment, manifest.NoAssociate:
		f.files++
		f.bytes += x.Size
	case manifest.Missing:
		f.missing++
	}
}

func (f *facts) finding(x manifest.Finding) {
	if x.Rule == "service-mailbox" {
		f.mailbox = true
	}
	if x.Severity == manifest.SeverityError && x.Waived == "" && !slices.Contains(f.blocked, x.Rule) {
		f.blocked = append(f.blocked, x.Rule)
	}
}

// pause parts two pushes.
const pause = 10 * time.Minute

// Measured is how fast something was.
type Measured struct {
	Bytes int64
	Took  time.Duration
	From  time.Time
}

// takes is how long so many bytes take at the measured rate, in full minutes. ok is false where none was measured.
func (m Measured) takes(bytes int64) (d time.Duration, ok bool) {
	if m.Bytes <= 0 || m.Took < time.Second {
		return 0, false
	}
	d = time.Duration(float64(bytes) / float64(m.Bytes) * float64(m.Took))
	return (d + time.Minute - 1).Truncate(time.Minute), true
}

// rate is bytes in a second.
func (m Measured) rate() int64 { return int64(float64(m.Bytes) / m.Took.Seconds()) }

// known reports whether anything was measured.
func (m Measured) known() bool { _, ok := m.takes(0); return ok }

// sending is how fast the push that sent most was.
func sending(list []receipt) (best Measured) {
	slices.SortFunc(list, func(a, b receipt) int { return int(min(max(a.at-b.at, -1), 1)) })
	for i := 0; i < len(list); {
		j, m := i+1, Measured{From: time.Unix(0, list[i].at).UTC()}
		for ; j < len(list) && list[j].at-list[j-1].at < int64(pause); j++ {
			m.Bytes += list[j].bytes
		}
		m.Took = time.Duration(list[j-1].at - list[i].at)
		if m.known() && m.Bytes > best.Bytes {
			best = m
		}
		i = j
	}
	return best
}
