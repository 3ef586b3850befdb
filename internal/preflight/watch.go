package preflight

import (
	"fmt"
	"time"
)

// perRecord is what the time of a rule grows by with every record that its plugin is sent: a rule that takes 20,000 records
// a second is never late, however many there are.
const perRecord = 50 * time.Microsecond

// watch counts the own time of rules until the session ends, and gives up those whose time is over.
func (s *Session) watch() {
	interval := min(max(s.host.o.RuleTimeout/20, 5*time.Millisecond), 250*time.Millisecond)
	t := time.NewTicker(interval)
	defer t.Stop()
	var last time.Time
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-t.C:
			passed := interval
			if !last.IsZero() {
				// A machine that stood still is no rule's doing.
				passed = min(now.Sub(last), 4*interval)
			}
			last = now
			for _, f := range s.feeds {
				f.age(passed, s.host.o.RuleTimeout)
			}
		}
	}
}

// age adds to the time of the rules that owe an answer.
func (f *feed) age(passed, limit time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.parts {
		if p.state != live || p.taken == f.number && !f.finished {
			continue
		}
		p.owed += passed
		if p.owed <= limit+time.Duration(f.records)*perRecord {
			continue
		}
		f.settle(p, lost, fmt.Sprintf("it took longer than %s", limit))
		f.giveUp(p)
	}
}
