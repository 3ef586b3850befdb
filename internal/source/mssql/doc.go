// Package mssql reads and fills SuperOffice databases on SQL Server. The prefix of a database's tables is their schema.
// Its SQL keeps to what Babelfish for PostgreSQL accepts too, which is the server that it is tested on; what only SQL
// Server does is marked so below.
//
// # Connecting
//
// Open takes a URL whose parameters package sqlurl lists. It encrypts unless the URL says encrypt=disable and checks the
// server's certificate unless it says TrustServerCertificate=true. It opens lazily, has four connections at most, and gives
// its name as "omt". An attempt ends after the dial timeout (15 s) and half a minute for the login, ten minutes where a
// person logs in with a browser; a connection that is made has no time limit.
//
// Who logs in: a login of SQL Server with its password; a login of a Windows domain (DOMAIN\LOGIN, by NTLM outside
// Windows); the account that runs the program, on Windows, by SSPI; a ticket or a keytab with authenticator=krb5 outside
// Windows; Entra ID with fedauth, whose secrets come as the password and whose credential is kept for all connections. A
// token of Entra ID is asked only of Entra ID's own hosts, whatever the server says.
//
// Certificates: certificate=FILE names who vouches, serverCertificate=FILE the one certificate that is right, both PEM or
// DER whatever the name; hostNameInCertificate the name that it is made out to. tlsmin=1.0 and 1.1 let old servers in and
// offer, for that connection, the suites that those have (exchange by RSA, 3DES). Two things that servers of customers
// need can be set for a whole process alone, and are, in go.mod: negative serial numbers of certificates, and signatures
// with SHA-1 in handshakes of TLS 1.2. A certificate that breaks the rules of its encoding, and a key under 1,024 bits,
// are past help: encrypt=disable.
//
// Every failure says what was tried and how far it came, and its hint names the parameter that gets past it with what that
// costs in safety. So each connection is followed until its login is done (attempt). Error numbers and states of the
// server are as Microsoft's documentation has them; tried on Babelfish are 18456, 4060 and 911. All the rest of this was
// tried on a server made for the tests, which speaks the protocol as far as the login, and not on SQL Server.
//
// # Reading
//
// A Driver sends SELECT alone. Begin takes one connection: inside one SNAPSHOT transaction where the database allows snapshots
// (sys.databases), so that all that is read is of one moment; elsewhere, and with snapshot=off in the URL, every query sees
// its own moment (or, under locks, several), and Consistent says so. snapshot=off is for a server whose tempdb has no room for
// the versions of rows, and for trying out what becomes of a run without. Names are used as INFORMATION_SCHEMA spells them.
//
// Values: bit, integers, float and real as the driver gives them; decimal, numeric, money and smallmoney as exact text;
// datetime, datetime2 and smalldatetime as their wall clock; datetimeoffset with its offset; uniqueidentifier in the order
// of its text form. Texts of a code page are turned into UTF-16 by the server (CAST AS nvarchar), since the driver's tables
// leave gaps and do not know UTF-8 collations. nchar, nvarchar and ntext are read as bytes (CAST AS varbinary) and decoded
// here, since the driver puts U+FFFD in place of half a surrogate pair; where the bytes of an nvarchar are not its UTF-16
// units (Babelfish), as text. hierarchyid, geography and geometry come as the bytes that a CAST AS varbinary gives. A
// sql_variant comes with what SQL_VARIANT_PROPERTY says of it, so that its own type and collation are kept.
//
// The driver reads some rows ahead and does not know how long a value will be, so that a few values of 100 MB would be
// a gigabyte. Inside a snapshot a table with an integer key is therefore asked first which rows hold a value of 8 MiB or
// more, where it has columns without a limit (DATALENGTH, which does not read the values), and these rows are read by
// themselves, such values in pieces of 4 MiB. Texts on Babelfish and tables with other keys are not.
//
// Catalog leaves out disabled, hypothetical, XML, spatial, full-text and columnstore indexes.
//
// # Loading
//
// A Loader makes the schema, the tables with their keys, loads each part in one transaction with its progress record, and
// builds the other indexes at the end, with included columns and conditions. Rows come by bulk copy, which is exact for
// integers, float, nvarchar, varbinary, date, datetime, datetime2 and datetimeoffset; every other type (char, varchar,
// decimal, money, xml, time, uniqueidentifier …) and every table with an identity column goes through a temporary table,
// and the server converts: the driver's bulk copy sends text for varchar in the wrong code page, and some servers misread
// short decimals and cut times. A row with a sql_variant or half a surrogate pair in it is inserted by a statement of its
// own, about 5,000 rows/s, since bulk copy cannot carry it. Identity values are kept.
//
// What is made otherwise than the source had it, Notes lists: a rowversion becomes binary(8), since its values cannot be
// inserted; a type that the server does not have, the bytes of its values; a collation that it does not know is left to the
// database. A text that the code page of such a column does not have is an error: the server would put a question mark in
// its place. A computed column is made again from its expression, not PERSISTED. A default, expression or condition that is
// not one closed expression is refused, since it comes from a manifest and would be run.
//
// # What could not be tried
//
// Nothing was run on SQL Server. Babelfish has no hierarchyid, no geography without an extension, six digits of a second,
// no lone surrogates, no NUL in texts, and no UTF-16 behind an nvarchar: what only those need is tested up to the SQL that
// is sent and the values that are made of what SQL Server's documentation says comes back.
//
// Babelfish loses a bulk copy whose last 13 bytes (the DONE token) lie in two packets of the protocol: it takes the token's
// first byte for the end, and the packet that follows for another bulk copy ("BulkLoadBCP … unexpected token encountered
// processing the request"), although all rows have arrived. Of 200 lengths of one text in three rows 6 in a row fail, at
// packets of 4,096 bytes as of the driver, and none of these at 8,000. So it strikes one bulk copy in about 300 (packet
// size=32767 in the URL: in 2,500), always the same of the same rows. Its source has it so (ProcessBCPRequest); SQL Server
// reads a message to its end, and nothing is done about it here.
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
// One value of 100 MB and 37 of 10 MB, on Babelfish: omt-pack needs 214 MiB, omt-pack unpack into another database 240,
// verify --db 257, of which two thirds are the one value.
//
// BenchmarkSuite, 100,000 documents of eight columns and twice as many appointments, on Babelfish and two busy cores: rows
// by key come as fast as a bare SELECT * through the same driver (medians of 1.0 to 1.2 times); documents joined with
// their appointments at 0.4 times that; loading 45,000 rows/s.
//
// # Why
//
// Why the driver's own package for Entra ID (azuread) is not used: it writes device codes to standard output, where records
// belong, logs in anew for every connection, and asks whatever directory the server names.
//
// Why the checks of certificates are done here and not by crypto/tls: the driver passes on their errors as text, which
// does not describe the certificate; and the name is looked at before the signature, so that the certificate that SQL
// Server makes itself fails for having no name, which hostNameInCertificate does not mend.
//
// The transaction is begun by a statement and not through database/sql, whose transactions end when the context of their
// beginning does, and whose roll-back after a broken bulk copy would speak into the middle of it: such a connection is
// thrown away instead.
package mssql
