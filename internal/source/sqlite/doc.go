// Package sqlite reads and fills SuperOffice databases in SQLite files, through a driver without C. SuperOffice itself
// never runs on SQLite: such a file is a sample installation, a test, or what was unpacked at the tenant's side.
//
// # Form of a database
//
// Tables are named "<prefix>_<table>" ("crm7_associate"), their indexes "<prefix>_<table>_<index>". Columns are declared
// with SQL Server's type names, an identity column with " identity" after it, an int that is the whole key as "integer".
// What is stored:
//
//	bit                          INTEGER 0 or 1
//	tinyint … bigint             INTEGER
//	float, real                  REAL; a BLOB with the text "-0" for that number, of which SQLite would make 0
//	decimal, numeric, money …    INTEGER for a whole number of 64 bits; REAL for other numbers of up to 15 digits; a BLOB
//	                             with the number's text (ASCII, all Scale digits) for longer ones
//	char … ntext                 TEXT; half a surrogate pair, which the types kept in UTF-16 may hold, as the three bytes
//	                             that package source has for it
//	xml, sql_variant             TEXT; a BLOB of UTF-8 when it begins like a number
//	binary …, image, rowversion  BLOB
//	hierarchyid, geography …     BLOB
//	date … datetimeoffset        TEXT in the forms of package source ("2002-08-01 09:30:00.5")
//	uniqueidentifier             TEXT, upper case
//
// A value has exactly one stored form, so that two databases can be compared row by row with any SQLite program.
//
// # Promises
//
// A Driver never writes: the file is opened with mode=ro and query_only. One Begin is one read transaction. Reading is
// strict: a value of another class than its declared type, a date in another form, a number that cannot be told exactly,
// a text that is not UTF-8 (but for halves of surrogate pairs as above) is an error that names table and column. A NaN, of
// which SQLite would make NULL, is refused when it is loaded. A Loader's work is restartable, and the same rows
// loaded in the same order give the same bytes of file.
//
// # What is not kept
//
// Collations (SQLite knows none of SQL Server's; texts compare by their bytes), computed columns (their expressions are
// T-SQL), and defaults that are not a literal. A Loader's Notes name them. A source with generated columns keeps their
// presence, not their expression.
//
// # Fingerprint
//
// The SHA-256 of the inode and the file's time of birth (on Windows the volume's serial number, the file's index and its
// birth; elsewhere, and where the file system knows no birth, device and inode; failing that, the path without links). So
// links of both kinds, mounts and other spellings of a path lead to one fingerprint; a copy has another, as has a file
// that was restored in place of it. A file that is still to be made has that of its path.
//
// # Figures
//
// BenchmarkSuite, 100,000 documents of eight columns and twice as many appointments, on two busy cores: rows by key come
// 1.1 times as fast as a bare SELECT * through the same driver (which tries to read dates as it goes); documents joined
// with their appointments at a third of the speed of rows, with a million documents too, in under 50 MB of memory;
// loading 130,000 rows/s.
//
// # Why
//
// Decimals are numbers where that is exact, since other programs should be able to add them up; SQLite would turn the
// text of a longer one into a float and lose digits, hence the BLOB. A key of one int is the rowid, so that
// reading by key reads the file forwards; other tables have a rowid of their own, since rows come in key order anyway and
// large values would weigh on a tree of keys.
package sqlite
