// Package preflight is the host of the preflight rules: it finds plugins, checks them against the lock file, starts them,
// feeds them the records of a manifest and collects what they find. Rules are written with package plugins/sdk, or in any
// language against plugins/sdk/proto. The host knows no verb: a command hands it a manifest's records, one by one, and is
// given checks and findings.
//
// # Promises
//
//   - Nothing is started that the lock file does not hold byte for byte, and nothing is found by chance: there is one
//     folder, never the working directory and never PATH.
//   - What a plugin does to itself, it does to itself alone. A plugin that does not start, breaks off, hangs, floods or
//     talks nonsense makes its rules not completed, with the reason; the rules of other plugins, and the rules beside it as
//     far as the fault is that of one rule, are as if it were not there.
//   - A rule is done or it is not. One that is not has no findings, and its check says why.
//   - Checks and findings are in the order of the rules, which is that of the files of the plugins: the same manifest and
//     the same plugins give the same records.
//   - A plugin sees no secret, no database and nothing of the host's input, and does not outlive the host.
//
// # The folder
//
// In the folder lie plugins (on Unix: regular files with an execute permission; on Windows: *.exe), whatever else they
// need, and plugins.lock. Plugins lie in the folder itself; files of the folders below are locked and not started. Hidden
// files (their name begins with a dot) are neither. The lock file is JSON:
//
//	{"files": {"crm": {"sha256": "…", "tls": "auto"}, "rules/old-drafts.sql": {"sha256": "…"}}}
//
// Open refuses (status 5) where a file has no entry or differs from it. A symbolic link, a pipe, or a name that is not
// Unicode is refused whatever the lock file says, and not followed: what it leads to could change without the folder. An
// entry without a file takes no part; Verify shows it. A plugin is compared once more right before it starts. Between that
// and the start lies a moment in which somebody who can write into the folder could still swap the file, so a folder that
// everybody can write into is put into the log. A folder that is not there is a mistake of the command line (status 2).
//
// # Starting and ending
//
// Plugins are started with hashicorp/go-plugin, gRPC alone, four at a time; each has StartTimeout to greet and to say what
// it holds. Certificates for both sides are made at every start, unless the entry says "tls":"none", for languages in which
// that is hard; on Windows any user of the machine could then connect to the plugin while it runs. A plugin's process
//
//   - works in the plugin folder, so that what is locked beside it is found, and not in the folder of the user;
//   - reads the null device: go-plugin would hand it the host's standard input, and it would eat the manifest;
//   - is given the variables that programs need (PATH, HOME, TEMP, SystemRoot, LANG, …) and OMT_PLUGIN_*, and no other.
//     Variables that load code from elsewhere, such as NODE_PATH, are not among them;
//   - has its standard error, and what it writes to standard output after its greeting, put into the log, up to a bound. What
//     it writes there before its greeting is shown, since it breaks the greeting;
//   - ends with the host, however the host ends: on Linux the kernel sees to it, on Windows a job object; everywhere the
//     SDK ends a plugin whose connection is gone. Its socket is removed as soon as it is connected, so that nobody else can
//     connect and nothing is left. Close asks a plugin to end and, half a second later, makes it.
//
// Names are checked before anything else is believed: a plugin's name and a rule's id have a-z, 0-9 and -; an id belongs to
// the first plugin that has it, by file name, and reserved ids to the plugins named in Options. A rule that cannot be run
// has an Err; where that is not about its id, it has a check that says so.
//
// # A session
//
// Observe sends a record to the plugins of which a rule that is still at work reads it, in batches of up to 512 records or
// 1 MiB. A rule says when it is through with a batch; the host is at most 4 batches ahead of the slowest, so that its
// memory, and a plugin's, does not grow with the manifest. A record that cannot be decoded, or is larger than the 4 MiB
// that libraries of gRPC take, makes the rules that read it not completed.
//
// A rule with queries is completed only where the manifest has a fact "query" for each of them with the status "done" or
// "absent". That is known at the end, so such a rule runs all the same.
//
// # Limits
//
// The own time of a rule runs while there are batches that it has not taken, and from the end of the records until it is
// done. It may have RuleTimeout, and 50 µs more for every record that its plugin was sent: with ten million records even an
// honest rule has always a batch to take, and must not be late for that; a rule that handles 20,000 records a second never
// is. A rule whose time is over is told, and no longer waited for. Time in which the host itself stood still is not counted.
//
// Of the findings of a rule MaxFindings are kept, and not more than 1 MiB of text; then one counts the others, with the
// highest severity among them. A message is one line of up to 2000 characters; of more than 100 subjects the first are
// kept. What a rule says after it was done makes it not completed. A message about a rule that the plugin was not asked
// to run, or one that cannot be read, makes all that the plugin said doubtful: none of its rules is completed. So does a
// stream that breaks before the plugin knew that it had seen all.
//
// # Figures
//
// BenchmarkSession, ten rules in a process of their own that read files, users, plans, tables and facts, with files alone:
// 1.4 µs of processor time a record in the host, 2.2 µs in the plugin, no allocation. BenchmarkSkipped, a record that no
// rule reads: below 0.1 µs. Measured on 2 cores that other work kept busy, hence processor time.
//
// # Why
//
// A runner of our own starts the process, since go-plugin's hands on the host's standard input, reads standard error with
// code that panics on some lines, and asks a plugin to end without a limit. A file's line is copied into a message without
// being decoded (wire.Encoder), and encoded once for all plugins: that is a third of the time. The host does not put itself
// into the job object on Windows: it starts other programs too, such as a browser, that should live on.
package preflight
