package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sample/ill"
)

// rules shows the preflight rules on a second, small installation, which is made ill in every way that they know: what
// blocks is refused, then resolved or let stand with a reason, and goes through.
func (d demo) rules(ctx context.Context) error {
	inst := d.path("ill")
	in := func(name string) string { return filepath.Join(inst, name) }
	scan := cmd{"omt-scan", []string{"--install", inst, "--plans", in("plans.csv"), "--out", d.path("ill-scan.jsonl")}}
	hasty := cmd{scan.name, []string{"--install", inst, "--plans", in(ill.Plans), "--out", d.path("ill-scan.jsonl")}}
	assign := cmd{"omt-assign", []string{"--in", d.path("ill-scan.jsonl"), "--users", in(ill.Users), "--out", d.path("ill-assigned.jsonl")}}
	pack := cmd{"omt-pack", []string{"--in", d.path("ill-assigned.jsonl"), "--spool", d.path("ill-spool"), "--out", d.path("ill-packed.jsonl")}}
	if err := d.all(ctx, cmd{"omt-scan", []string{"sample", "--dir", inst, "--documents", "60"}}, scan); err != nil {
		return err
	}
	if err := ill.Make(ctx, inst); err != nil {
		return err
	}
	if err := d.all(ctx, hasty, assign); err != nil {
		return err
	}
	blocked, err := d.blocked()
	if err != nil {
		return err
	}
	if err := d.refused(ctx, pack); err != nil {
		return err
	}
	if err := ill.Heal(ctx, inst); err != nil {
		return err
	}
	return d.settled(ctx, inst, blocked)
}

// blocked says which rules were run, what they found, and which keep the manifest from being packed.
func (d demo) blocked() (map[string]int, error) {
	d.say("ill       a second installation, of another licence and an old version, for Travel, without a table; too few seats, no administrator")
	scanned, err := read(d.path("ill-scan.jsonl"))
	if err != nil {
		return nil, err
	}
	assigned, err := read(d.path("ill-assigned.jsonl"))
	if err != nil {
		return nil, err
	}
	plugins, found := map[string]int{}, map[string]bool{}
	required := manifest.RequiredRules()
	for _, c := range assigned.Checks {
		if c.Status == manifest.CheckDone && slices.Contains(required, c.Rule) {
			plugins[c.Plugin]++
			if scanned.Findings[c.Rule]+assigned.Findings[c.Rule] > 0 {
				found[c.Rule] = true
			}
		}
	}
	d.say("rules     %d of %d were run to their end, %s; %d found something to say", sum(plugins), len(required), counted(plugins, "of plugin "), len(found))
	errs, _ := assigned.Blocking(time.Now())
	blocked := byRule(errs)
	d.say("blocked   %d errors: %s", sum(blocked), counted(blocked, ""))
	return blocked, nil
}

// refused runs a command that must refuse what it is given.
func (d demo) refused(ctx context.Context, c cmd) error {
	took, err := d.step(ctx, nil, c)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != int(manifest.Refused) {
		return fmt.Errorf("%s did not refuse what is blocked: %w", c.name, err)
	}
	chunks, _, err := measure(d.path("ill-spool/chunks"))
	if err != nil {
		return err
	}
	d.say("refused   %s ended with %d, naming each, and made %d chunks (%s)", c.name, exit.ExitCode(), chunks, round(took))
	return nil
}

// settled shows the right installation on the same road.
func (d demo) settled(ctx context.Context, inst string, blocked map[string]int) error {
	done, to := d.path("ill-done.jsonl"), d.path("ill-tenant")
	took, err := d.pipe(ctx, done, road(inst, d.path("ill-spool"), to))
	if err != nil {
		return err
	}
	s, err := read(done)
	if err != nil {
		return err
	}
	if left, n := s.Blocking(time.Now()); n > 0 {
		return fmt.Errorf("%s was pushed although it is blocked by %v", done, byRule(left))
	}
	waived := byRule(s.Errors)
	d.say("settled   %d rules by the right database, plans and users; waived with a reason: %s", len(blocked)-len(waived), counted(waived, ""))
	if err := d.all(ctx, cmd{"omt-pack", []string{"verify", "--from", to, "--depth", "content"}}); err != nil {
		return err
	}
	d.say("through   the same pipe to %s (%s), and every file and row compared with the manifest", to, round(took))
	return nil
}

// all runs commands one by one.
func (d demo) all(ctx context.Context, list ...cmd) error {
	for _, c := range list {
		if _, err := d.step(ctx, nil, c); err != nil {
			return err
		}
	}
	return nil
}

// read reads what a manifest says of rules.
func read(path string) (manifest.Summary, error) {
	f, err := os.Open(path)
	if err != nil {
		return manifest.Summary{}, err
	}
	defer f.Close()
	return manifest.Verify(f, manifest.ReadOptions{})
}

func byRule(findings []manifest.Finding) map[string]int {
	counts := map[string]int{}
	for _, f := range findings {
		counts[f.Rule]++
	}
	return counts
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// counted lists names with their numbers: "travel 1", or with what connects the two.
func counted(counts map[string]int, of string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if of != "" {
			list = append(list, fmt.Sprintf("%d %s%s", counts[name], of, name))
			continue
		}
		list = append(list, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(list, ", ")
}
