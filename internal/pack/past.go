package pack

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/openomt/omt/internal/durable"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/spool"
)

// tablePast is a table as the last known manifest has it, and what was sent for it then.
type tablePast struct {
	parts []*knownPart
	rows  int64
	sent  int64 // bytes of chunks that no manifest before it has
	more  int64 // rows that it has more than the manifest before it
	twice bool  // there is a manifest before it: what was sent tells what changes
}

// remember makes the tables of a manifest those of the last one. A manifest that has nothing new may be one of those before it,
// named once more, and tells nothing.
func (k *known) remember(from *knownFrom) {
	if !from.anew {
		return
	}
	now := map[string]*tablePast{}
	for _, p := range from.parts {
		whole := p.whole()
		t := now[whole.Table]
		if t == nil {
			t = &tablePast{}
			now[whole.Table] = t
		}
		t.parts = append(t.parts, p)
		t.rows += whole.Rows
		for i, c := range p.chunks {
			if c.first == len(k.froms) {
				t.sent += p.records[i].Bytes
			}
		}
	}
	for name, t := range now {
		if was := k.last[name]; was != nil {
			t.more, t.twice = t.rows-was.rows, true
		}
		k.last[name] = t
	}
}

// aRow is what a row of the table takes, packed whole.
func (t *tablePast) aRow() float64 {
	var rows, bytes int64
	for _, p := range t.parts {
		rows, bytes = rows+p.records[0].Rows, bytes+p.records[0].Bytes
	}
	if rows == 0 {
		return assumedRow
	}
	return float64(bytes) / float64(rows)
}

const (
	// smallPart is what a chunk of a table takes beside its rows, and aKey what it takes to say that a row is gone.
	smallPart = 2 << 10
	aKey      = 8
)

// guess is what a table may come to.
type guess struct {
	likely, most int64
	blind        bool  // nobody knows what changes in rows that were there
	whole        bool  // it is not known, and sent whole
	lacking      int64 // parts whose changes cannot be told: they are sent whole
}

// ahead forecasts a table that now has that many rows and that schema. digests tells whether the spool has the row digests of
// a part; it is nil for a table without a key, whose parts have none. likely is what the last run sent for rows that were there before, and the rows that have come or gone since; most
// is the table sent whole.
func (t *tablePast) ahead(rows int64, schema manifest.Digest, digests func(manifest.Chunk) bool) guess {
	row := t.aRow()
	most := int64(row*float64(rows)) + smallPart
	if s := t.parts[0].records[0].Schema; s == nil || *s != schema {
		return guess{likely: most, most: most, whole: true}
	}
	g := guess{blind: !t.twice && rows > 0}
	var lost, last int64
	for _, p := range t.parts {
		n := p.records[0].Bytes
		switch {
		case !p.usable():
			lost += n
			continue
		case digests != nil && !digests(p.whole()):
			g.lacking++
		}
		last = n
	}
	if t.twice {
		g.likely = max(t.sent-int64(row*float64(max(t.more, 0))), 0)
	}
	switch more := rows - t.rows; {
	case more > 0:
		g.likely += int64(row*float64(more)) + smallPart
	case more < 0:
		g.likely += -more*aKey + smallPart
	}
	if rows != t.rows && (digests == nil || g.lacking > 0) {
		g.likely = max(g.likely, last)
	}
	g.most = max(most, t.sent)
	g.likely = min(g.likely+lost, g.most)
	return g
}

// fresh forecasts a table that is not known.
func fresh(rows int64, row float64) guess {
	if rows == 0 {
		return guess{}
	}
	n := int64(row*float64(rows)) + smallPart
	return guess{likely: n, most: n, whole: true}
}

// digests tells whether the spool has the row digests of a part of a table; it is nil for one without a key.
func digests(s *spool.Spool, t manifest.Table) func(manifest.Chunk) bool {
	if order, err := parts.OrderOf(source.FromRecord(t)); err != nil || order.Keyless() {
		return nil
	}
	return func(c manifest.Chunk) bool {
		_, err := os.Stat(filepath.Join(s.Path("rows"), sketchName(c)))
		return err == nil
	}
}

// speed is SPOOL/reading.json: how fast the tables were read and packed last.
type speed struct {
	Rows    int64   `json:"rows"`
	Seconds float64 `json:"seconds"`
}

// noteReading notes it. A clock that was set back says nothing.
func noteReading(s *spool.Spool, rows int64, d time.Duration) error {
	if rows == 0 || d <= 0 {
		return nil
	}
	data, err := json.Marshal(speed{rows, d.Seconds()})
	if err == nil {
		err = durable.WriteFile(s.Path("reading.json"), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("noting how fast the tables were read: %w", err)
	}
	return nil
}

// shortest is how long a reading must have lasted to say something about another one.
const shortest = time.Second

// readingTime is how long that many rows would take; false where that is not known. A note that is damaged is none.
func readingTime(s *spool.Spool, rows int64) (time.Duration, bool) {
	data, err := os.ReadFile(s.Path("reading.json"))
	var was speed
	if err != nil || json.Unmarshal(data, &was) != nil || was.Rows <= 0 || was.Seconds < shortest.Seconds() {
		return 0, false
	}
	return time.Duration(float64(rows) / float64(was.Rows) * was.Seconds * float64(time.Second)), true
}
