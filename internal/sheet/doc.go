// Package sheet reads and writes small tables as spreadsheets write them: CSV files whose columns are told by a header.
// It is for files that people edit (plans, users, waivers), not for data: a file is held in memory and may have at most
// MaxBytes.
//
// # What is read
//
//   - Encoding: a byte order mark decides (UTF-8, UTF-16 little or big endian). Otherwise the name given in
//     Options.Encoding; without one, text that is valid UTF-8 is UTF-8 and all else is Windows-1252, the ANSI code page
//     of western Windows. Other code pages must be named. UTF-16 without a mark is refused with a hint, and so is a file
//     that went through the redirection of a Windows PowerShell, which spoils every letter outside ASCII.
//   - Separator: a first line "sep=;" as Excel understands it, else the one of semicolon, comma and tab under which the
//     header names most of the known columns.
//   - Cells: quoted as in RFC 4180, with line ends inside. Space around a cell does not count. A line end inside a cell
//     is read as LF. Line ends of rows are CRLF, LF or CR.
//   - Header: the first row that is not blank. Case and spaces in a name do not count; columns may stand in any order;
//     unknown ones are ignored; a known one may stand only once.
//   - Rows: blank ones are skipped, missing cells at the end of a row are empty, cells beyond the header must be empty.
//
// A row is named by the number that a spreadsheet shows: the first row is 1, blank rows count, a line end inside a cell
// does not, and Excel's "sep=" line does not. Everything that is wrong is reported at once, through Problems.
//
// # What is written
//
// UTF-8 with byte order mark and CRLF, so that Excel opens it rightly by a double click where the separator is the one
// of its locale.
//
// # Why cells are not guarded against formulas
//
// A spreadsheet takes a cell that begins with =, +, - or @ for a formula. The usual guard, an apostrophe in front,
// changes the value; here values must come back as they went out, and "-" is a word of ours. The content comes from
// cards of the customer's own users, so nothing is put in front of it.
package sheet
