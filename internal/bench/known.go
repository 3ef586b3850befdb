//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// known: a cut-over after a pre-seed. Everything was pushed before; then nothing, and one file in a hundred, has changed. The
// spool is empty each time, so that all that is not packed again is known from the manifest that the push wrote.
func (b *bench) known(ctx context.Context, t *table) (err error) {
	if err := b.fresh("seed"); err != nil {
		return err
	}
	defer func() {
		for i := 0; i < b.tree.files; i += changedEvery {
			if e := b.tree.file(i, 0); e != nil && err == nil {
				err = e
			}
		}
	}()
	for _, c := range []*exec.Cmd{b.pack("seed/spool"), b.tool("omt-push", "--in", b.path("packed.jsonl"), "--spool", b.path("seed", "spool"),
		"--to", b.path("seed", "tenant"), "--out", b.path("seed", "done.jsonl"))} {
		if _, err := measure(c, 0, 3); err != nil {
			return err
		}
	}
	args := []string{"--in", b.path("assigned.jsonl"), "--spool", b.path("out", "spool"), "--out", b.path("out", "packed.jsonl"), "--known", b.path("seed", "done.jsonl")}
	again := b.series("omt-pack --known", func() *exec.Cmd { return b.tool("omt-pack", args...) })
	stat := b.series("stat", func() *exec.Cmd { return exec.Command("find", b.tree.dir, "-type", "f", "-size", "-1c") })
	for range b.rounds {
		for _, s := range []*series{again, stat} {
			if err := s.once(b, "out"); err != nil {
				return err
			}
		}
	}
	t.add("cut-over, nothing changed, against a look at every file", ratio(again.median().wall, stat.median().wall), "goal ≤ 1.5", detail(again.median(), stat.median()))
	t.add("the same, processor", ratio(again.median().cpu, stat.median().cpu), "", fmt.Sprintf("%d MiB", again.median().peak))
	return b.onePercent(t, args)
}

// changedEvery is one of how many files is changed.
const changedEvery = 100

func (b *bench) onePercent(t *table, args []string) error {
	var bytes int64
	for i := 0; i < b.tree.files; i += changedEvery {
		if err := b.tree.file(i, 1); err != nil {
			return err
		}
		st, err := os.Stat(b.tree.name(i))
		if err != nil {
			return err
		}
		bytes += st.Size()
	}
	some := b.series("omt-pack --known 1%", func() *exec.Cmd { return b.tool("omt-pack", args...) })
	if err := some.once(b, "out"); err != nil {
		return err
	}
	list, err := filepath.Glob(b.path("out", "spool", "chunks", "*", "*.tar.zst"))
	if err != nil {
		return err
	}
	var made int64
	for _, name := range list {
		st, err := os.Stat(name)
		if err != nil {
			return err
		}
		made += st.Size()
	}
	t.add("cut-over, 1 % of files changed: new chunks of files against the changed bytes", fmt.Sprintf("%.2f ×", float64(made)/float64(bytes)), "goal ≤ 1.1",
		strings.TrimSpace(fmt.Sprintf("%.1f / %.1f MB, a chunk of links included", float64(made)/1e6, float64(bytes)/1e6)))
	return nil
}
