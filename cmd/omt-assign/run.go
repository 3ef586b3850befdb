package main

import (
	"cmp"
	"context"

	"github.com/openomt/omt/cmd/internal/rules"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

func run(ctx context.Context, env *cli.Env) error { return command(env).Run(ctx, env) }

// options are the flags as they were given.
type options struct {
	rules           *rules.Flags
	choices         plan.Choices
	users, waivers  string // files
	encoding        string
	summaryTo       string
	fromPersons     bool
	board           boardFlags
	summary, remove *cli.Flag
}

func command(*cli.Env) *cli.Command {
	o := &options{rules: rules.New()}
	return &cli.Command{
		Usage: "give users their plans and user names",
		Description: "It starts from the choices in its input and applies --users, --welcome-email, --set and --auto, in this order;\n" +
			"--auto fills what is left. A cell or value - means none, ? undecided, an empty cell changes nothing.",
		Reads: true, Writes: true,
		Flags: o.flags(),
		Statuses: map[manifest.Status]string{
			manifest.Usage:   "command line, table or choice wrong (all of them are listed): nothing was written",
			manifest.Remarks: "done, but users are undecided, errors stand, or rules were not run: packing will refuse it",
			manifest.Refused: "the plugins are not those that plugins.lock names",
		},
		Validate: o.validate,
		Action:   o.assign,
		Commands: []*cli.Command{export()},
	}
}

func (o *options) flags() []*cli.Flag {
	o.summary = cli.String("summary-to", "send a summary of the users to `ADDRESS`; - is nobody", &o.summaryTo)
	o.remove = cli.Bool("remove-from-persons", "remove user names from cards of persons who are no users; =false takes it back", &o.fromPersons)
	list := []*cli.Flag{
		cli.Bool("auto", "fill what is undecided: the plan that equals the one on site, the first address, no welcome e-mail", &o.choices.Auto),
		cli.String("users", "take choices from `FILE`: a table (CSV) with a header, or an earlier manifest", &o.users),
		cli.String("encoding", "encoding `NAME` of tables that are neither UTF-8 nor Windows-1252, such as windows-1250", &o.encoding),
		cli.Func("set", "choose for one user: `LOGIN:NAME=VALUE` with plan, username, confidential, welcome, admin as NAME, commas between; quote a VALUE that holds one",
			"LOGIN:plan=…,username=…", appendTo(&o.choices.Set, plan.ParseSet)),
		cli.Func("map-plan", "users with the plan OLD on site get NEW: `OLD=NEW`; no OLD is no plan on site, - as NEW none", "OLD=NEW",
			appendTo(&o.choices.MapPlan, plan.ParseMapping)),
		cli.Choice("welcome-email", "send a welcome e-mail to `all|none`", &o.choices.WelcomeEmail, "all", "none"),
		o.summary,
		o.remove,
		cli.Func("waive", "let findings stand: `RULE[:SUBJECT]=REASON`; * in SUBJECT is any text, ? one character", "RULE=REASON or RULE:SUBJECT=REASON",
			appendTo(&o.choices.Waivers, plan.ParseWaiver)),
		cli.String("waivers", "take waivers from `FILE`: a table (CSV) with rule, subject, reason, by, until", &o.waivers),
		o.rules.Flag(),
	}
	return append(list, o.board.flags()...)
}

func (o *options) validate() error {
	if err := o.board.validate(); err != nil {
		return err
	}
	if len(o.choices.MapPlan) > 0 && !o.choices.Auto && o.users == "" {
		return manifest.Errorf(manifest.Usage, "--map-plan is for --auto, or for an earlier manifest as --users").
			WithHint("add --auto, or choose with --set LOGIN:plan=NAME")
	}
	if o.summary.Given() {
		to := o.summaryTo
		if to == "-" {
			to = ""
		}
		o.choices.SummaryTo = &to
	}
	if o.remove.Given() {
		o.choices.RemoveFromPersons = &o.fromPersons
	}
	return nil
}

// assign runs the stage.
func (o *options) assign(ctx context.Context, j *cli.Job) error {
	env := j.Env()
	o.choices.By = cmp.Or(env.Getenv("USERNAME"), env.Getenv("USER"), env.Name)
	o.choices.Now = env.Now()
	if err := o.read(j); err != nil {
		return err
	}
	run, err := o.rules.Start(ctx, j)
	if err != nil {
		return err
	}
	defer run.Close()
	var s plan.Summary
	done := false
	err = j.Stage(ctx, func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
		src, err := trusted(in, j, o.choices.By, o.board.on)
		if err != nil {
			return err
		}
		defer src.close()
		if err := run.Begin(ctx, out); err != nil {
			return err
		}
		o.choices.Final = run.Final
		ask, err := o.board.ask(ctx, j, o.choices, run, src.again)
		if err != nil {
			return err
		}
		s, err = plan.Run(ctx, plan.RunOptions{
			Choices: o.choices, Tool: j.Tool, Edit: src.edit, Earlier: rules.Earlier(rules.FromUsers, o.users),
			Rules: run.Rules, Required: manifest.RequiredRules(), Ask: ask,
		}, src.reader, out)
		if err != nil {
			return err
		}
		done = true
		return run.Result(s.Err())
	})
	written := done && (err == nil || manifest.StatusOf(err) == manifest.Remarks)
	if serr := o.board.settle(written); serr != nil {
		j.Remark("%v", serr)
	}
	if written {
		for _, line := range s.Info() {
			j.Say("%s", line)
		}
		for _, line := range s.Remarks() {
			j.Remark("%s", line)
		}
	}
	return err
}
