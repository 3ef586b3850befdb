// Package scan is the verb of omt-scan: it reads an installation and writes it as records, in the manifest's order.
// Database, folders and who is asked are handed in through Options; it knows no flags, drivers or terminals.
//
// # Promises
//
//   - Nothing of the source is changed.
//   - Who migrates is settled, and the folders are found readable, before the first record: a run that is refused writes
//     none.
//   - Users, plans, findings and the rows of one query are held in memory; addresses are sorted outside it, facts and
//     files pass through.
//   - The same installation gives the same records, but for id and time.
//
// # Who migrates
//
// The login must be that of an employee (associate.type 0) who is not retired and an administrator. It is looked for in
// associate.name, then in associate.userName, then among the e-mail addresses, where exactly one associate has it; letter
// case does not count. That who runs the tool is that person is proved through a function that is handed in (package
// login): by NetServer with the password, by the account of Windows, or by nothing but that the database could be read,
// which the record says in "verified". Where NetServer was asked, its rights and its role decide who is an administrator.
//
// Which function right makes an administrator is not documented. Options name rights or roles; then the migrator's
// record says "confirmed". Otherwise whoever has the role "User level 0" counts as one, which is a guess, since role names
// can be edited and are translated: the record says "guessed", and the rights that are there are told.
//
// # What is found
//
// Besides what package inventory finds (tables that cannot be seen or read among it, table-missing, whose warnings are
// printed as well), two rules are looked after here, under the plugin "omt":
//
//	column-type  error  a column has a type that cannot be read, so that its table cannot be packed
//	ansi-text    info   the database is not a Unicode one; its text columns are counted by collation, with the code page
//	                    where the collation's name tells it
//
// A login that cannot read a table without which there is no database is refused (2) before the first record, with all
// tables named that it cannot read.
//
// All else is found by preflight rules, which are handed in as a function: they see the records as they are written, and
// say what they found when all stands before the checks. What they want to be asked of the database is asked behind the
// facts that every scan reads, each row a fact "<rule>.<query>" with the row's number as id, and for each query one fact
//
//	query  id "<rule>.<query>"; status, "done", "absent" (a table that it names is not there) or "failed"; rows; reason
//
// A query that failed leaves no rows, and its rule will not be completed. Behind them stands, where the command says so,
//
//	earlier  id "scan": the manifest that this one replaces; owner, serial, from (its file's name)
//
// # A part of an installation
//
// With Only or OlderThan the phase is "preseed", and with OlderThan the header says before which instant a file must have
// been changed for the last time (before): that age before the manifest was made. With either the installation's record names the areas of this run alone (its
// roots name all), tables are written only if the database is among them, and every row of another area that names a file
// is a record with state left and reason area, without a look at the disk.
//
// # Status
//
// A run ends with Remarks (3) when a finding stands that blocks packing, or a rule did not run to its end; in a preseed it
// would block a full run. That nobody has a plan yet (undecided-user) is no remark: to give one is what the next stage is
// for.
//
// # Why column-type is a rule of its own
//
// The list of rules has no name for it. It is no missing table, and to find it out only when the table is packed, hours
// later, would help nobody. A waiver lets the run go on until that table is packed, which then fails.
package scan
