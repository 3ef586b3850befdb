package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/planfile"
	"github.com/openomt/omt/internal/scan"
)

// complete fills the options with what the configuration says and what the run has.
func (f *flags) complete(j *cli.Job, c install.Config) scan.Options {
	o := f.scan
	o.Login = cmp.Or(o.Login, c.Login)
	o.Migrator.Name = cmp.Or(o.Migrator.Name, c.Migrator.Name)
	o.Migrator.Email = cmp.Or(o.Migrator.Email, c.Migrator.Email)
	o.Migrator.Phone = cmp.Or(o.Migrator.Phone, c.Migrator.Phone)
	o.Migrator.Language = cmp.Or(o.Migrator.Language, c.Migrator.Language)
	if len(o.AdminRights)+len(o.AdminRoles) == 0 {
		o.AdminRights, o.AdminRoles = c.AdminRights, c.AdminRoles
	}
	o.Tool, o.Temp, o.Now, o.NewID = j.Tool, j.Temp, j.Env().Now, j.Env().NewID
	o.Progress, o.Log, o.Say, o.Remark = j.Progress, j.Log, j.Say, j.Remark
	return o
}

// tell says which files spoke and what of them is not used.
func tell(j *cli.Job, c install.Config) {
	for _, s := range c.Sources {
		j.Log.Info("configuration", "value", s.Name, "from", s.File)
	}
	for _, n := range c.Notes {
		j.Say("%s", n)
	}
}

// readPlans reads the file of plans, or none.
func (f *flags) readPlans() ([]manifest.Plan, error) {
	if f.plans == "" {
		return nil, nil
	}
	file, err := os.Open(f.plans)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, manifest.Errorf(manifest.Usage, "--plans %q: %w", f.plans, err)
	}
	defer file.Close()
	plans, err := planfile.Read(file, f.plans, f.encoding)
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "%w", err)
	}
	return plans, nil
}
