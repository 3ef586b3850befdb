package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
)

// Proof is proof-<n>.json beside a revision: what somebody looked at, and what was found. It is sealed as a commit is, and
// never written over. A revision may have any number of them, good ones and bad ones.
type Proof struct {
	Format   string          `json:"format"`
	ID       string          `json:"id"`
	Revision int             `json:"revision"`
	Phase    Phase           `json:"phase"`
	Number   int             `json:"number"` // from 1, in the order in which they were stored
	End      manifest.Digest `json:"end"`    // of the manifest that was proved, as its commit has it

	Depth  string  `json:"depth"`          // "names", "hash" or "content"
	Sample float64 `json:"sample"`         // share that was read, up to 1, which is all
	From   float64 `json:"from,omitempty"` // where the sample begins, from 0 up to 1

	Chunks    int64    `json:"chunks"` // of the manifest, each once
	Bytes     int64    `json:"bytes"`
	Read      int64    `json:"read"`    // chunks that were read whole
	InPart    int64    `json:"in_part"` // large ones that were read in part
	BytesRead int64    `json:"bytes_read"`
	Files     int64    `json:"files"` // whose content was compared
	Rows      int64    `json:"rows"`
	Problems  int64    `json:"problems"`
	First     []string `json:"first,omitempty"` // the first few, in words

	Database *ProvedDatabase `json:"database,omitempty"` // absent: none was compared

	Tool  string        `json:"tool"`
	Begun manifest.Time `json:"begun"`
	Ended manifest.Time `json:"ended"`
	Runs  int           `json:"runs"` // more than 1: it was broken off and gone on with
}

// ProvedDatabase is what a proof says of a database that was compared with the migration.
type ProvedDatabase struct {
	URL        string `json:"url"`
	Tables     int64  `json:"tables"`
	Rows       int64  `json:"rows"`
	Differ     int64  `json:"differ"`      // tables
	Removed    int64  `json:"removed"`     // addresses that unpacking removes, and that are gone
	NotRemoved int64  `json:"not_removed"` // and those that are still there
}

// Good reports whether nothing was missing and nothing differed.
func (p Proof) Good() bool { return p.Problems == 0 && (p.Database == nil || p.Database.Differ == 0) }

const (
	proofPrefix = "proof-"
	mailPrefix  = "summary-"
	maxBeside   = 999_999
)

func besideName(prefix string, n int) string { return fmt.Sprintf("%s%06d.json", prefix, n) }

func parseBeside(prefix, object string) (int, bool) {
	digits, ok := strings.CutSuffix(strings.TrimPrefix(object, prefix), ".json")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0 && besideName(prefix, n) == object
}

// beside lists the numbers of the records of one kind that lie beside a revision, in their order.
func (t *Tenant) beside(ctx context.Context, r Revision, prefix string) ([]int, error) {
	var list []int
	start := r.name(prefix)
	err := t.d.List(ctx, start, func(i destination.Info) error {
		if n, ok := parseBeside(prefix, strings.TrimPrefix(i.Name, r.name(""))); ok {
			list = append(list, n)
		}
		return nil
	})
	slices.Sort(list)
	return slices.Compact(list), err
}

// putBeside stores a record under the first number that is free. numbered gives it with its number.
func (t *Tenant) putBeside(ctx context.Context, r Revision, prefix string, numbered func(n int) any) (int, error) {
	there, err := t.beside(ctx, r, prefix)
	if err != nil {
		return 0, err
	}
	next := 1
	if len(there) > 0 {
		next = there[len(there)-1] + 1
	}
	for ; next <= maxBeside; next++ {
		data, err := seal(numbered(next))
		if err == nil {
			err = t.d.Create(ctx, r.name(besideName(prefix, next)), data)
		}
		if !errors.Is(err, destination.ErrExists) {
			return next, err
		}
	}
	return 0, fmt.Errorf("all %d numbers are used up", maxBeside)
}

// PutProof stores a proof beside its revision, which must be committed, and returns it with its number. An error of the
// destination's class ErrDenied says that the credential may only read.
func (t *Tenant) PutProof(ctx context.Context, p Proof) (Proof, error) {
	p.Format = manifest.Format
	r := Revision{Phase: p.Phase, ID: p.ID, Number: p.Revision}
	n, err := t.putBeside(ctx, r, proofPrefix, func(n int) any {
		p.Number = n
		return p
	})
	if err != nil {
		return p, fmt.Errorf("keeping the proof at %s: %w", t.d.URL(), err)
	}
	p.Number = n
	return p, nil
}

// Proofs reads what was proved of a revision, in the order in which it was stored. damaged names the records that cannot
// be trusted; they say nothing.
func (t *Tenant) Proofs(ctx context.Context, r Revision) (list []Proof, damaged []string, err error) {
	numbers, err := t.beside(ctx, r, proofPrefix)
	if err != nil {
		return nil, nil, fmt.Errorf("listing the proofs: %w", err)
	}
	for _, n := range numbers {
		name := r.name(besideName(proofPrefix, n))
		var p Proof
		ok, err := t.readBeside(ctx, name, &p)
		if err != nil {
			return nil, nil, err
		}
		if !ok || p.Number != n || p.ID != r.ID || p.Revision != r.Number || p.Phase != r.Phase {
			damaged = append(damaged, name)
			continue
		}
		list = append(list, p)
	}
	return list, damaged, nil
}

// readBeside reads a record; ok is false for one that is not what was written. Nothing hangs on it.
func (t *Tenant) readBeside(ctx context.Context, name string, v any) (ok bool, err error) {
	data, err := t.bytes(ctx, name)
	if err != nil {
		return false, fmt.Errorf("reading %q at %s: %w", name, t.d.URL(), err)
	}
	return unseal(data, v) == nil, nil
}

// Mailed is summary-<n>.json beside a revision: the user summary was handed to a mail server.
type Mailed struct {
	Format   string          `json:"format"`
	ID       string          `json:"id"`
	Revision int             `json:"revision"`
	Number   int             `json:"number"`
	To       string          `json:"to"`
	Content  manifest.Digest `json:"content"` // of the table that was sent
	Tool     string          `json:"tool"`
	At       manifest.Time   `json:"at"`
}

// PutMailed stores that a user summary of a migration was sent.
func (t *Tenant) PutMailed(ctx context.Context, m Mailed) error {
	m.Format = manifest.Format
	_, err := t.putBeside(ctx, Revision{Phase: Full, ID: m.ID, Number: m.Revision}, mailPrefix, func(n int) any {
		m.Number = n
		return m
	})
	if err != nil {
		return fmt.Errorf("keeping at %s that the summary was sent: %w", t.d.URL(), err)
	}
	return nil
}

// MailedOf reads which user summaries were sent for any revision of a migration. Records that cannot be trusted are left
// out: a summary that is sent twice does less harm than one that is not sent.
func (t *Tenant) MailedOf(ctx context.Context, id string) ([]Mailed, error) {
	revisions, err := t.Revisions(ctx, Full, id)
	if err != nil {
		return nil, err
	}
	var list []Mailed
	for _, r := range revisions {
		numbers, err := t.beside(ctx, r, mailPrefix)
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			var m Mailed
			ok, err := t.readBeside(ctx, r.name(besideName(mailPrefix, n)), &m)
			if err != nil {
				return nil, err
			}
			if ok && m.ID == id && m.Revision == r.Number && m.Number == n {
				list = append(list, m)
			}
		}
	}
	return list, nil
}
