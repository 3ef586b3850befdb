//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// killed: what a push sends again after a kill -9 at half.
func (b *bench) killed(ctx context.Context, t *table) error {
	to, spool := b.path("killed", "tenant"), b.path("again", "spool")
	if err := b.fresh("killed"); err != nil {
		return err
	}
	total := size(filepath.Join(spool, "chunks"))
	if err := os.RemoveAll(filepath.Join(spool, "receipts.jsonl")); err != nil {
		return err
	}
	push := func() *exec.Cmd {
		return b.tool("omt-push", "--in", b.path("again", "packed.jsonl"), "--spool", spool, "--to", to, "--out", b.path("killed", "done.jsonl"), "--keep")
	}
	x := push()
	if err := x.Start(); err != nil {
		return err
	}
	for size(filepath.Join(to, "chunks")) < total/2 && ctx.Err() == nil {
		time.Sleep(2 * time.Millisecond)
	}
	if err := x.Process.Kill(); err != nil {
		return err
	}
	_ = x.Wait() // it was killed
	at := time.Now()
	there := size(filepath.Join(to, "chunks"))
	if _, err := measure(push(), 0, 3); err != nil {
		return err
	}
	sent := sizeSince(filepath.Join(to, "chunks"), at)
	again := max(0, there+sent-total) // what had arrived of a chunk that was not in its place yet was not sent again
	t.add("bytes sent again after kill -9 at half (folder)", fmt.Sprintf("%.2f %%", 100*float64(again)/float64(total)), "≤ 2 %",
		fmt.Sprintf("%.1f of %.0f MB; %.0f MB were there", float64(again)/1e6, float64(total)/1e6, float64(there)/1e6))
	return nil
}

// memory: the peak of each tool on a manifest of many files that are not there to be read, so that records alone count.
func (b *bench) memory(ctx context.Context, t *table) error {
	if err := b.fresh("many"); err != nil {
		return err
	}
	dir := b.path("many", "files")
	for i := range b.tiny {
		name := filepath.Join(dir, fmt.Sprintf("%03d", i/1000%1000), fmt.Sprintf("%06d-%d.txt", i, i/1_000_000))
		if i%1000 == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(name, fmt.Appendf(nil, "%d", i), 0o644); err != nil {
			return err
		}
	}
	inst := b.path("inst")
	scan, assigned, packed, done := b.path("many", "s"), b.path("many", "a"), b.path("many", "p"), b.path("many", "d")
	spool, to := b.path("many", "spool"), b.path("many", "tenant")
	for _, c := range []*exec.Cmd{
		b.tool("omt-scan", "--install", inst, "--plans", filepath.Join(inst, "plans.csv"), "--root", "service="+dir, "--out", scan),
		b.tool("omt-assign", "--in", scan, "--auto", "--out", assigned),
		b.tool("omt-pack", "--in", assigned, "--spool", spool, "--out", packed),
		b.tool("omt-push", "--in", packed, "--spool", spool, "--to", to, "--out", done),
		b.tool("omt-pack", "verify", "--from", to, "--depth", "content"),
		b.tool("omt-pack", "unpack", "--from", to, "--files", b.path("many", "out")),
	} {
		cost, err := measure(c, 0, 3)
		if err != nil {
			return err
		}
		name := filepath.Base(c.Args[0])
		if c.Args[1] == "verify" || c.Args[1] == "unpack" {
			name += " " + c.Args[1]
		}
		t.add(fmt.Sprintf("%s, %d small files: peak memory", name, b.tiny), fmt.Sprintf("%d MiB", cost.peak), "≤ 256",
			fmt.Sprintf("%.1f s wall, %.1f s processor", cost.wall.Seconds(), cost.cpu.Seconds()))
	}
	return os.RemoveAll(b.path("many"))
}
