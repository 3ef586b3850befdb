package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/pack"
)

// known are the flags that say what need not be packed again.
type known struct {
	to     *destinations.Flag
	url    *cli.Flag
	files  []string
	rehash bool
}

func newKnown() *known { return &known{to: destinations.To(false)} }

func (k *known) flags() []*cli.Flag {
	to := k.to.Flags()
	k.url = to[0]
	return append(to,
		cli.Strings("known", "do not read files that the manifest `FILE`, which omt-push wrote, says are stored; repeatable, the oldest first", &k.files),
		cli.Bool("rehash", "read all files and compare digests, not size and time, with what --known and --to say is stored", &k.rehash),
	)
}

func (k *known) validate(env *cli.Env) error {
	for _, name := range k.files {
		if _, err := os.Stat(name); err != nil {
			var p *fs.PathError
			if errors.As(err, &p) {
				err = p.Err
			}
			return manifest.Errorf(manifest.Usage, "--known %q: %w", name, err)
		}
	}
	if k.rehash && len(k.files) == 0 && !k.url.Given() {
		return manifest.Errorf(manifest.Usage, "--rehash compares with what is known, and nothing is").
			WithHint("give --to URL, or --known FILE")
	}
	if k.url.Given() {
		return k.to.Validate(env)
	}
	return nil
}

func (k *known) options(j *cli.Job, o *pack.Options) {
	o.Rehash = k.rehash
	for _, name := range k.files {
		o.Known = append(o.Known, fileKnown(name))
	}
	if k.url.Given() {
		o.To = func(ctx context.Context) (destination.Destination, error) {
			d, err := k.to.Open(ctx, j)
			if err != nil {
				return nil, err
			}
			return destinations.Retry(j).Wrap(d), nil
		}
	}
}

// fileKnown is a manifest in a file, opened when it is read.
func fileKnown(name string) pack.Known {
	return pack.Known{Name: name, Each: func(ctx context.Context, fn func(manifest.Line) error) error {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		return pack.Each(ctx, manifest.NewReader(f, manifest.ReadOptions{}), fn)
	}}
}
