package push

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// page are the progress lines of a run, as the vendor's upload page has them: Starting, one an area, Finishing. An area's
// line ends with its last chunk, not with that of all others.
type page struct {
	o progress.Reporter

	mu     sync.Mutex
	start  progress.Meter
	begun  bool // Starting is over
	areas  map[manifest.Area]*line
	sealed bool // no more chunks come
	finish progress.Meter
	items  int64 // that Finishing expects
}

// line is that of an area. Its total is not told before it is known.
type line struct {
	progress.Meter
	offered int64 // bytes
	open    int   // chunks that were offered and are not done
	over    bool
}

func newPage(o progress.Reporter) *page { return &page{o: o, areas: map[manifest.Area]*line{}} }

// starting is the line before all others.
func (p *page) starting() progress.Meter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.start == nil {
		p.start = p.o.Meter(progress.Starting, 0, progress.Items)
	}
	return p.start
}

// expect opens the lines of chunks that are all known.
func (p *page) expect(items []*item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin()
	totals := map[manifest.Area]int64{}
	for _, it := range items {
		if !it.stored() {
			totals[it.area] += it.bytes
		}
	}
	for _, area := range manifest.Areas {
		if totals[area] > 0 {
			p.areas[area] = &line{Meter: p.o.Meter(string(area), totals[area], progress.Bytes)}
		}
	}
}

// begin ends Starting, and what was sealed.
func (p *page) begin() {
	if p.start != nil && !p.begun {
		p.start.Done()
	}
	p.begun, p.sealed = true, false
}

// offer is the line of a chunk that is looked at next.
func (p *page) offer(it *item) progress.Meter {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.areas[it.area]
	if m == nil {
		p.begin()
		m = &line{Meter: p.o.Meter(string(it.area), 0, progress.Bytes)}
		p.areas[it.area] = m
	}
	m.offered += it.bytes
	m.open++
	return m
}

// done takes note of a chunk that needs no more work.
func (p *page) done(it *item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.areas[it.area]; m != nil {
		m.open--
		p.endIfOver(m)
	}
}

func (p *page) endIfOver(m *line) {
	if p.sealed && m.open == 0 && !m.over {
		m.over = true
		m.Done()
	}
}

// seal says that no more chunks come, so that the totals are known.
func (p *page) seal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sealed = true
	for _, m := range p.areas {
		m.SetTotal(m.offered)
		p.endIfOver(m)
	}
}

// end ends the areas' lines, whatever became of their chunks.
func (p *page) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.areas {
		if !m.over {
			m.Done()
		}
	}
	clear(p.areas)
}

// finishing is the line after all others, with so many more records to go through.
func (p *page) finishing(items int64) progress.Meter {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.items += items
	if p.finish == nil {
		p.begin()
		p.finish = p.o.Meter(progress.Finishing, p.items, progress.Items)
	}
	p.finish.SetTotal(p.items)
	return p.finish
}

// close ends all lines.
func (p *page) close() {
	p.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range []progress.Meter{p.start, p.finish} {
		if m != nil {
			m.Done()
		}
	}
}

// lineWriter counts the lines of a manifest as they are written, and stops when the run is asked to stop.
type lineWriter struct {
	ctx   context.Context
	w     io.Writer
	meter progress.Meter
}

// Write implements io.Writer.
func (w *lineWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	w.meter.Add(int64(bytes.Count(p, []byte{'\n'})))
	return w.w.Write(p)
}
