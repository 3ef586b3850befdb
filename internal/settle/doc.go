// Package settle brings the tables of a database that gives no snapshot to one moment, and names those for which that
// cannot be had. A database that gives one does not need it.
//
// # What it does
//
// Every table is read once, after its mark was taken (source.Mark). Then comes a look at all of them: is each still what it
// was when it was read? Those that are not are read again, and then all are looked at again, until a look finds nothing, or
// the time that was given for it is over.
//
// A look comes after all reading. So a table that agrees stood still from the end of its reading until it was looked at,
// and the moment at which the look began lies in that time for every table: what was read of all tables that agree is what
// the database held at that one moment. The others are named. A named table may by chance be of that moment too: it changed
// behind it, before its turn came.
//
// # How a change is seen
//
// In the first look, and of a table that was read again in the next one, by reading it a second time and comparing the
// digests of its parts. Of two readings that agree neither is torn: a row that both have alike stood still between them. So
// are seen, within one table too: a row that came and one that went while it was read, rows that the reading missed or had
// twice while they moved, an update without a new date, any clock. It costs a SELECT of the table, and nothing is written.
//
// In later looks, a table that has agreed once and is telling (Mark.Telling: an integer key, updated and updatedCount) is
// believed when its mark, the log and the table of keys are as they were. updatedCount counts up and keys are not given
// twice, so a clock that was wrong or is set back hides nothing. All other tables are read a second time at every look.
//
// Marks are asked before the second reading, since they show most changes for less: number of rows, keys, latest updated
// and sum of updatedCount for each associate. They show who, too: whose rows are more or newer than before; and the lines
// that traveltransactionlog has got since show who deleted. The log and the table of keys alone condemn no table, since a
// key may be drawn and not used: they lead to a second reading.
//
// Reading under locks may end in a deadlock, and the server then breaks off who reads (source.ErrVictim): the question is
// asked again, up to five times.
//
// With no time at all (For zero) nothing is read a second time, and there is one look, by marks and log alone.
//
// # What it cannot see
//
//   - Between two readings of a table, a row that changes and changes back to what it was, byte for byte, or that goes and
//     comes back so. Where the table has updatedCount, the application cannot do that.
//   - After the first look, in a telling table, a change by a program that keeps neither updated nor updatedCount nor the
//     log: an UPDATE by hand, as a consultant's script may do. Until that table's turn in the first look it is seen.
//   - With no time, in a table that is not telling, every update that the log does not have.
//   - Who it was, where the table does not say who updated its rows and the log has no line: then nobody is named.
//   - Transactions that span tables and are of both sides of the moment: there are none on a server that shows only what is
//     committed. Nothing here reads what is not.
//   - Tables that are made meanwhile. One that is dropped is an error.
//
// # Figures
//
// 373,228 rows of the sample on Babelfish, packed with nobody at work: omt-pack takes 1.2 s of processor time in a snapshot,
// 1.2 s without one and without time, 1.7 s where everything is read twice.
//
// # Why
//
// Reading under a lock would give a moment at once, and stop everybody who works, web users too, for as long as it takes:
// it is not ours to do that to a database that we may only read. A checksum by the server (CHECKSUM_AGG) would spare the
// network, but leaves out long texts, is 32 bits wide, and is not had everywhere.
package settle
