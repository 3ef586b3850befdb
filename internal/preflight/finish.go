package preflight

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/preflight/wire"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// lastWord is how long a plugin whose rules are all settled may take to end its stream.
const lastWord = 500 * time.Millisecond

// Finish tells the rules that this was all, waits for them, and returns a check for every rule and what they found, in
// the order of Rules. A rule that did not complete has a check of another status than done and no findings; one whose id
// belongs to another plugin has no check. The error is that of a context.
func (s *Session) Finish(ctx context.Context) ([]manifest.Check, []manifest.Finding, error) {
	defer s.end()
	for _, f := range s.feeds {
		if err := f.finish(ctx); err != nil {
			return nil, nil, err
		}
	}
	for _, f := range s.feeds {
		if err := f.wait(ctx); err != nil {
			return nil, nil, err
		}
	}
	if err := s.outer.Err(); err != nil {
		return nil, nil, err
	}
	if err := s.host.ctx.Err(); err != nil {
		return nil, nil, err
	}
	checks, findings := s.results()
	return checks, findings, nil
}

// end ends what the session started. It is safe to call it more than once.
func (s *Session) end() {
	s.cancel()
	s.workers.Wait()
}

// finish queues what is left and says that it was all.
func (f *feed) finish(ctx context.Context) error {
	if f.queue == nil {
		return nil
	}
	if err := f.flush(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	f.finished = true
	f.mu.Unlock()
	f.push(&pb.CheckRequest{Message: &pb.CheckRequest_Finish{Finish: &pb.Finish{}}})
	return nil
}

// wait waits until all rules are settled and the plugin has ended its stream, or has had the time to.
func (f *feed) wait(ctx context.Context) error {
	var patience <-chan time.Time
	for {
		f.mu.Lock()
		settled := f.living == 0
		f.mu.Unlock()
		if settled && patience == nil {
			patience = time.After(lastWord)
		}
		select {
		case <-f.over:
			return nil
		case <-f.wake:
		case <-patience:
			f.mu.Lock()
			f.stop()
			f.mu.Unlock()
			<-f.over
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// giveUp tells a plugin that nothing more of a rule is wanted, and ends the stream with the last one; f.mu is held.
func (f *feed) giveUp(p *part) {
	f.push(&pb.CheckRequest{Message: &pb.CheckRequest_Cancel{Cancel: &pb.Cancel{Rule: p.rule.ID}}})
	if f.living == 0 {
		f.stop()
	}
}

// results are the checks and findings in the order of the rules.
func (s *Session) results() (checks []manifest.Check, findings []manifest.Finding) {
	all := map[string]result{}
	for _, f := range s.feeds {
		f.results(s.host.o.Tool, all)
	}
	for _, r := range s.host.Rules() {
		if r.foreign {
			continue
		}
		x, ran := all[r.ID]
		reason := s.unanswered(r)
		switch {
		case r.Err != nil:
			reason = wire.Line(r.Err.Error(), maxWords)
		case !ran:
			reason = "its plugin does not run"
		}
		if reason != "" && (!ran || x.check.Status == manifest.CheckDone) {
			x = result{check: manifest.Check{Rule: r.ID, Plugin: r.Plugin, Tool: s.host.o.Tool, Status: manifest.CheckNotCompleted, Reason: reason}}
		}
		x.check.Findings = len(x.findings)
		checks = append(checks, x.check)
		findings = append(findings, x.findings...)
	}
	return checks, slices.Clip(findings)
}

// unanswered says which query of a rule has no answer in the manifest; it is empty where all have.
func (s *Session) unanswered(r Rule) string {
	for _, q := range r.Queries {
		short := strings.TrimPrefix(q.Name, r.ID+".")
		switch a, ok := s.asked[q.Name]; {
		case !ok:
			return "its query " + short + " was never asked: run omt-scan with this plugin"
		case a.Status != "done" && a.Status != "absent":
			reason := wire.Line(a.Reason, maxWords)
			if reason == "" {
				reason = "it failed"
			}
			return "its query " + short + ": " + reason
		}
	}
	return ""
}
