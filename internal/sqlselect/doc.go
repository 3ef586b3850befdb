// Package sqlselect tells one harmless SELECT from everything else before it reaches a server. Queries come from plugins and
// from files that people write; they are run with the rights of the scan's login, which may be those of an administrator.
//
// # What is taken
//
// One SELECT, or WITH … SELECT, in the part of T-SQL that cannot change anything, wait for anything or reach anything but
// the installation's tables:
//
//   - A table is written {associate}: its name without the prefix, whatever its letter case. Nothing else stands after FROM,
//     JOIN, APPLY or a comma between tables but such a table, a SELECT or VALUES in parentheses, or the name of a WITH, in
//     its own letter case and after it was defined. So there is no way to another database, another server or the catalog.
//   - A function is called by its bare name, and is one of those that look at nothing but their arguments.
//   - Words that begin another statement, lock rows, or import are refused wherever they stand outside quotes, though they
//     may be good names of columns: such a name is written in brackets.
//   - Numbers, texts in single quotes (also after N), [names], "names", comments, one semicolon at the end.
//
// # What is refused because engines do not agree on it
//
// SQL Server nests /* comments */ and SQLite does not; a bracket is doubled inside brackets in one alone; a name follows a
// number without a blank in one alone; NUL, a lone carriage return and Unicode's blanks and line ends mean different
// things. All these are refused, as is any character outside ASCII but in quotes, brackets and comments. Variables, parameters
// (@x, ?, :x, $1), temporary tables (#t), hints (WITH after a table, OPTION) and names of three or more parts are refused too.
//
// # Promises
//
// What Expand gives has no comments: a blank stands for each, so that where a comment ends cannot be read in two ways.
// Everything else is what was parsed, byte for byte, with tables in place of {names}. Parse never panics, and takes time
// in proportion to the text, which is at most MaxLength long.
//
// # What it does not know
//
// Whether the statement is right: columns, types and grammar are left to the server. Whether it is cheap: who runs it gives
// it a row and a time limit.
//
// # Why
//
// Why not a grammar: two engines run the text, and each has more of a language than a parser of ours would know. The rules
// above are about tokens and the few places where a table can stand; they refuse more than they would have to, and an author
// learns of it when the rule is listed, not in the middle of a migration. Why functions are an allow-list: servers have
// functions that read files, reach shares (and so give away a login's hash) and run what an extension holds, and new
// releases bring more.
package sqlselect
