package main

import (
	"context"
	"strings"

	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/pack"
	"github.com/openomt/omt/internal/push"
	"github.com/openomt/omt/internal/tenant"
)

// levelAgain is how hard chunks are compressed that looking again makes: as omt-pack does where nothing else is said, so that
// links that have not changed give the same bytes.
const levelAgain = 1

// repack gives push what packs files that it finds or takes over.
func repack(j *cli.Job, from *sourceflags.Flags) func(context.Context, push.Repacking, *manifest.Writer) (push.Repacked, error) {
	return func(ctx context.Context, o push.Repacking, out *manifest.Writer) (push.Repacked, error) {
		r, err := pack.Again(ctx, pack.AgainOptions{
			Base: o.Base, Input: o.Input, Site: from.Installation, Fetch: o.Fetch, Edit: o.Edit,
			Spool: o.Spool, Level: levelAgain, Workers: pack.MaxWorkers, Temp: j.Temp, Tool: j.Tool, Progress: j.Progress, Log: j.Log,
		}, out)
		areas := map[manifest.Area]push.Gained{}
		for area, g := range r.Areas {
			areas[area] = push.Gained(g)
		}
		return push.Repacked{Made: r.Made, Areas: areas, Lost: r.Lost}, err
	}
}

// line is the command line that makes a choice. What may be secret in it stands as it was given only where it is @FILE.
func line(j *cli.Job, spool, to string, choice tenant.Recover) string {
	words := []string{"omt-push"}
	add := func(flag, value string) {
		if value != "" && value != "-" {
			words = append(words, flag, cli.Quote(value))
		}
	}
	add("--in", j.In)
	add("--spool", spool)
	if file := j.FileOf("to"); file != "" {
		to = file
	}
	add("--to", to)
	words = append(words, "--recover", string(choice))
	add("--out", j.Out)
	text := strings.Join(words, " ")
	if j.In == "" || j.In == "-" {
		text = "… | " + text
	}
	return text
}

// next are the lines that prove and accept a live migration, and the way back.
func next(j *cli.Job, spool, to string) string {
	if file := j.FileOf("to"); file != "" {
		to = file
	}
	return "omt-pack verify --from " + cli.Quote(to) + " --depth content, then omt-push accept --to " + cli.Quote(to) + "; the way back: omt-pack thaw --spool " + cli.Quote(spool)
}
