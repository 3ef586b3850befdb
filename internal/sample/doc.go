// Package sample writes a complete small installation to try things out on: a database, a document archive in two
// roots, a Service folder, the config files that a scan finds, the tenant's plans, and the choices that resolve what
// blocks. The same options give the same bytes, times of files included.
//
// The database has the tables and columns that package source reads, as the vendor's table pages describe them, with
// the types that the dictionary's types become on SQL Server (where that is documented; lengths are the documented
// ones), and tables of a partner: without a key, with keys of text and of two columns, with a column of every type. One
// holds types and a broken text that only a sample in SQLite can have. Values that nobody documents (a version number, a right's internal name) are
// invented, marked as such here, and must not be taken for facts:
//   - the rights "admin-general" and "admin-user" stand for General and User Administrator, whose internal names are
//     not documented;
//   - company.version and revision, ProductVersion.version "8.5.7458" (a screenshot shows that text), the NoLogin event;
//   - DatabaseModel.ModelData is gzip over JSON with a list "Tables", since neither form nor layout is documented;
//   - attachment files are called by their id, flat or in sub-folders of 10,000, whose names are not documented.
//
// Odd cases, unless Options.Clean asks for none of them: see odd.go, where each has a line. Clean keeps names, both
// periods, copies and layouts, and leaves out everything that blocks or that changes data at the tenant.
//
// Rows and files are made one by one, so ten million documents take time and disk but no memory.
package sample
