package main

import (
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
)

// stillFrozen says how the installation is thawed where a push of a live migration has failed: the freeze is left.
func stillFrozen(j *cli.Job, spool string, err error) error {
	if err == nil || manifest.StatusOf(err) == manifest.Remarks {
		return err
	}
	if records, ferr := freeze.Frozen(spool); ferr == nil && len(records) > 0 {
		j.Remark("the installation is still frozen: run the same command again to go on, or go back with omt-pack thaw --spool %s", cli.Quote(spool))
	}
	return err
}
