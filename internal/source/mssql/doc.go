// Package mssql reads and fills SuperOffice databases on SQL Server. The prefix of a database's tables is their schema.
// Its SQL keeps to what Babelfish for PostgreSQL accepts too, which is the server that it is tested on; what only SQL
// Server does is marked so below.
//
// # Reading
//
// A Driver sends SELECT alone. It opens lazily, encrypts unless the URL says encrypt=disable, and gives its name as
// "omt". Begin takes one connection: inside one SNAPSHOT transaction where the database allows snapshots
// (sys.databases), so that all that is read is of one moment; elsewhere every query sees its own moment, and Consistent
// says so. Names are used as INFORMATION_SCHEMA spells them.
//
// Values: bit, integers, float and text as the driver gives them; decimal, numeric, money and smallmoney as exact text;
// datetime, datetime2 and smalldatetime as their wall clock; datetimeoffset with its offset; uniqueidentifier in the order
// of its text form. An nvarchar that holds half a surrogate pair (a text cut inside an emoji) comes from the driver with
// U+FFFD in its place: that loss is not noticed.
//
// Catalog leaves out filtered, disabled, XML, spatial, full-text and columnstore indexes and the INCLUDE part of others.
//
// # Loading
//
// A Loader makes the schema, the tables with their keys, loads each part with one bulk copy in one transaction with its
// progress record, and builds the other indexes at the end. Bulk copy is exact for integers, float, nvarchar, binary and
// times; every other type (char, varchar, decimal, money, xml, uniqueidentifier …) and every table with an identity column
// goes through a temporary table of nvarchar columns, and the server converts: the driver's bulk copy sends text for
// varchar in the wrong code page, and some servers misread short decimals. A rowversion becomes binary(8), since its
// values cannot be inserted; a collation that the server does not know is left to the database; a computed column is made
// again from its expression, not PERSISTED. A default or expression that is not one closed expression is refused, since it
// comes from a manifest and would be run. Identity values are kept.
//
// # Fingerprint
//
// The SHA-256 of the server's machine, instance and name (SERVERPROPERTY, @@SERVERNAME), the database's name, the time at
// which it was made, and its service broker's number, all of which every login may see: host names, ports, letter case
// and prefixes in a URL do not enter. A restored copy has another time, and a copy on another server another name too. A
// database that was renamed has another fingerprint; so have the replicas of an availability group, which are one
// database on several servers. A server that has no service broker (Babelfish) does without its number.
//
// # Figures
//
// BenchmarkSuite, 100,000 documents of eight columns and twice as many appointments, on Babelfish and two busy cores: rows
// by key come as fast as a bare SELECT * through the same driver (medians of 1.0 to 1.2 times); documents joined with
// their appointments at 0.4 times that; loading 45,000 rows/s.
//
// # Why
//
// The transaction is begun by a statement and not through database/sql, whose transactions end when the context of their
// beginning does, and whose roll-back after a broken bulk copy would speak into the middle of it: such a connection is
// thrown away instead.
package mssql
