// Script is a plugin that makes preflight rules of files, so that a rule can be written without Go and without a build. They
// lie in the folder "rules" beside the plugin, where the host's lock file covers them like the plugins themselves.
//
// # Queries
//
// NAME.sql is a SELECT with a header of comments; every row that it gives is a finding:
//
//	-- title: nobody has many drafts
//	-- severity: warning
//	-- help: Drafts are not sent by the migration.
//	--   Ask their owners to send or delete them.
//	-- subject: user:{associate_id}
//	-- message: {name} has {drafts} drafts
//	SELECT a.associate_id, a.name, COUNT(*) AS drafts FROM {associate} a JOIN {appointment} p ON … GROUP BY …
//
// The header is the comment lines at the top. title and message are needed. id is the file's name without it; severity is
// error, warning (without it) or info; help may be repeated, and a line that begins with several blanks goes on with the one
// before; subject may be repeated, and is left out of a finding where its column is NULL; max-rows and timeout are those of
// the query; final says why the findings cannot be waived. In message and subject {column} is a value of the row, NULL is
// "(none)", and {{ and }} are braces. Where a table is not there, nothing is found. What a SELECT may be is the host's to say.
//
// # Scripts
//
// NAME.rule.json names a program that is run over records:
//
//	{"id": "…", "title": "…", "help": "…", "severity": "warning", "final": "", "timeout": "20s",
//	 "reads": ["user", "file"], "facts": ["traveller"], "queries": [{"name": "old", "sql": "SELECT …", "maxRows": 100, "timeout": 30}],
//	 "run": ["pwsh", "-NoProfile", "-File", "check.ps1"]}
//
// The program is a file of the folder, else one on PATH, else named by an absolute path. Files that its arguments name lie
// in the folder or below it. It works in that folder. On standard input it is given the records, a line each, as the manifest
// has them; rows of queries are facts. All is ASCII. It writes a finding a line, {"severity": "error", "subjects": ["user:7"],
// "message": "…", "final": false}, of which only the message is needed; in UTF-8 with or without byte order mark or in UTF-16
// with one, lines ended either way. Blank lines are passed over. It need not read its input to the end.
//
// It is done when it ends with 0. The rule is not completed, and so blocks, where it ends with anything else (the reason is
// the last line on standard error that says something), where a line of its output is no finding, or where it keeps its reader
// waiting for longer than timeout or the host allows. Then it is ended with all that it has started; so is what it leaves
// running at its end.
//
// # Files of which no rule can be made
//
// Such a file is a rule that is never completed and says why: it is listed and blocks, and is not silently left out. The rule
// script-folder tells of scripts that no .rule.json file names.
//
// # Why
//
// Why a line that is no finding fails the rule: a script that prints what it should not is one whose other lines mean
// nothing certain. Why bytes that are no UTF-8 do: they are a code page's, and a guess would put wrong names before a
// customer. Why arguments may not lead out of the folder: what is run is what was locked; code on the command line is in the
// locked descriptor.
package main
