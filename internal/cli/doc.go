// Package cli is the skin that every command of ours wears: streams, signals, flags, variables, exit statuses, the
// wording of the last line, the log and the progress lines. It knows the manifest and nothing else of ours, and no verb
// knows it: a command's run.go fills an Options struct from flags and calls the verb.
//
// # A command
//
//	func main() { os.Exit(cli.Main("omt-pack", os.Args, run)) }
//
//	func run(ctx context.Context, env *cli.Env) error { return command(env).Run(ctx, env) }
//
//	func command(*cli.Env) *cli.Command {
//		o := pack.Options{Spool: "omt-spool"}
//		return &cli.Command{
//			Usage: "pack what a scan listed into chunks", Reads: true, Writes: true,
//			Flags:    []*cli.Flag{cli.String("spool", "keep chunks in `DIR`", &o.Spool)},
//			Validate: o.Validate,
//			Action: func(ctx context.Context, j *cli.Job) error {
//				return j.Stage(ctx, func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
//					return pack.Run(ctx, o, in.Reader, out)
//				})
//			},
//		}
//	}
//
// # Promises
//
// Standard output holds records, or what a subcommand was asked to print, and help or the version where they were asked
// for; nothing else is ever written there, whatever is wrong with the command line. A stage that does not finish ends a
// standard output with an abort record; with --out FILE nothing stands at FILE: the new file is written as
// FILE.partial, synced and renamed when it is complete, and one of an earlier run is renamed to FILE.old when this run
// fails or is refused. That holds from the moment the flags are understood (a line that cannot be parsed moves nothing).
// Where --in and --out name the same file it is replaced only after the input has been read to its end; a failing run
// leaves it as FILE.old, and an --in that is missing while FILE.old exists says so. What is not a regular file (a
// device, a named pipe) is written through, like standard output.
//
// An error is one line "omt-x: message", with "omt-x: hint: what to do" below it where there is something to add; the
// status is given by [Env.Status], the one place where errors become numbers. The first interrupt asks for a clean stop
// (130), the second ends the process at once. A panic ends with 1, its stack in the log alone.
//
// A signature, a password or credentials in a URL reach neither the log nor an error nor an abort record: see [Redact].
//
// # Flags and variables
//
// The flag --level of omt-pack can be given as the variable OMT_PACK_LEVEL, that of omt-pack unpack as
// OMT_PACK_UNPACK_LEVEL; a subcommand never takes its parent's. --log is OMT_LOG and --plugins is OMT_PLUGINS
// everywhere. --in, --out, --yes, --accept-edits, --dir, --files, --help, --version and the --db of unpack and sample have
// none, since they say what is written or destroyed. A variable that is empty is not set. A flag that may be repeated
// takes one value from each line of its variable; a flag on the command line replaces the variable altogether. An error
// names the variable and never its value.
//
// A value @PATH is read from that file: its first line, without the line end (LF or CRLF), in UTF-8 or, as Windows
// PowerShell writes it, UTF-16 with a byte order mark. @@x is the value "@x". Flags stand after the subcommand.
//
// # Progress lines
//
// The lines of the vendor's upload page stand in its order under its titles (Starting, Database, Templates, Documents,
// Customer Service, Attachments, Finishing), whatever order a verb opens its meters in; others stand before Finishing. A
// line says what was done, what was skipped because it was there, of how much where that is known, how much moves in a second
// and how long the rest takes: "1.2 GB and 400 MB skipped of 3.4 GB, 12 MB/s, 2m left". What was skipped counts neither for
// the rate nor for the time; what must be done again makes no rate negative; time spent waiting for others is left out.
// Where sending is limited by the time of the day (Job.Limit), the time left is reckoned minute by minute with what will be
// allowed then and what the line was seen to give, and a change of the limit moves the rate at once. On a narrow terminal the
// rate is left out first, then the time.
//
// # Why
//
// urfave/cli v2 is used for what it does well (parsing, help, documents) and is told nothing about variables, values
// from files or required flags: it prints usage mistakes and help to standard output, shows the present value of a
// variable as a flag's default in help and documents, and reads the process's own environment. A [Flag] here is a value
// of ours that the library only fills with the raw text. Sizes are parsed and shown by dustin/go-humanize, bars are
// drawn by vbauerster/mpb: both know the odd cases better than we would.
package cli
