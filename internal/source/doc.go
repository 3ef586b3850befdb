// Package source is what the tools ask of a SuperOffice database: its identity, users, licences, facts, documents,
// templates and attachments, and the rows of its tables. Engines implement Driver and Loader in packages of their own
// (source/mssql, source/sqlite) and are handed in by the commands; New finds the prefix, Database.Begin opens a View, and
// the View answers.
//
// # Promises
//
// Only SELECT is ever sent to a source. A prefix, table or column is compared without regard to letter case and used in
// its own spelling. Versions differ, so every column is looked for first: one that is not there reads as NULL, and NULL
// as 0, "" or the zero time; a table that is not there has no rows. Without associate, person, document or company there
// is no SuperOffice database, and New says so. References may dangle, dates may be 1760-01-01 ("not set"), which stays
// what it is. Answers are Unicode: half a surrogate pair reads as U+FFFD; Rows alone keeps it. Each question is one query
// or a few over whole tables, never one per row; Documents, Addresses, Facts, Templates, Attachments and Rows are
// streams, the rest fits into memory. Values of Rows are canonical (Kind), so that equal values from different engines
// are equal.
//
// # What cannot be seen
//
// A server shows a login only what it may see. So a table that is missing, and one that the login has no rights on, look
// the same: they are not in the catalog. TableLists asks the places in the database that name its tables (the table of
// keys, the model of 8.1 and newer, the dictionary of older versions) and names those that are not in the catalog. How
// the model is packed and laid out, and which column of the dictionary holds the name, is not documented: see package
// dbmodel for how they are looked for, and that a find has to prove itself. What was not found has a Problem that says
// so.
//
// A table that is in the catalog and refuses to be read, wholly or in a column, is in Unreadable, in the server's words;
// Begin asks each for no row. To questions it is not there. Tables without which there is no database stay, so that a
// question fails; CheckRequired names them.
//
// # Marks
//
// Where a view is not of one moment, Mark says what a table can be asked at little cost and what changes with its rows: their
// number, the sum of their keys, and for each associate in updated_associate_id the latest updated and the sum of
// updatedCount (but for the table text, where that is documented to be the number of a table); the next key in sequence; and
// how many lines traveltransactionlog has got about the table since the view's first mark, by associate. Of the log, which
// may be huge, no older line is read. Which number a table has there is what sequence says of it (TableName, TableNumber); a
// version whose sequence has no such columns does without. What follows from marks is told in package settle.
//
// # Facts
//
// Name of the fact, its table, and the keys of Data, which are column names in lower case. A key is absent where the
// column is not there or NULL. Times are texts ("2026-01-31 16:19:51") as the database has them, since it does not say
// in which zone. ID is the row's key as text. What is not in the list is not read: passwords, secrets and signatures are
// never asked for. The model is read for TableLists, and nothing of it goes further but names of tables.
//
//	traveller       traveller       travel_id systemlevel area_id generatedtime databasetype dbtag
//	satellite       satellite       area_id contact_id
//	travelcurrent   travelcurrent   systemlevel current_id central_id area_id databasetype dbtag
//	userpreference  UserPreference  deflevel maxlevel owner_id prefsection prefkey prefvalue; only rows whose section or
//	                                key is SentryAddonNames or DefaultDocPlugin
//	systemevent     SystemEvent     scope owner eventkey eventmess extrainfo eta
//	activeuser      activeuser      lastlogin netaddress clienttype computername
//	moduleowner     ModuleOwner     ownername ownerdescription licenseversion deploymenttype producttype expiration
//	                                graceto maintenanceto
//	productversion  ProductVersion  ownername codename version comment
//	databasemodel   DatabaseModel   modelversion isdatabaseunicode
//	service-config  config          text_path attachment_path template_path admin_mail default_mail tag language version
//	mailbox         mail_in_filter  server_type pop_server address status
//	mailbox-alias   mail_alias      filter_id alias
//	company         company         version revision
//
//	travelgeneratedtransaction      travel_id rows: counted by travel_id, which is the ID
//	archive-provider                archiveprovider rows: documents counted by provider, without provider 0 (SO_ARC)
//	associate-type                  type deleted rows: associates counted; the ID is "type/deleted"
//	table-list                      tables absent unnamed how problem: what sequence, databasemodel/ROW, physicaltable or
//	                                conceptualtable (the ID) says of which tables there are: see TableList
//	table-absent                    table by number: such a list names it, and it is not to be seen under the prefix; number
//	                                is the table of keys', whose row is the ID; else the ID is the table
//	table-outside                   table of: it is to be seen, and the model (the row "of") does not name it: a customisation, or
//	                                something that lies beside the database; the ID is the table
//	table-unreadable                table error: it is to be seen, and its rows cannot be read
//	text-columns                    form collation codepage columns tables: text columns counted by form (ansi or unicode)
//	                                and collation; the ID is "form/collation"
//
// # Queries of others
//
// Select asks a query that comes with a rule (package sqlselect says what may be in it), each on a connection of its own, so
// that what it reads may be some moments later than the view. Tables are written {associate}; one that is not in the catalog
// is an answer, not an error. What it gives must fit into facts: every column has a name of letters, digits and _ of its
// own, and values are
//
//	integers    as they are; beyond 2^53 as text
//	float, real, bit
//	            numbers; true and false
//	decimal, money, uniqueidentifier
//	            text with all digits ("12.5000"); on SQLite, decimals that are computed are numbers
//	times       text to the second: "2026-01-31 16:19:51", of a date "2026-01-31", of a time "16:19:51"
//	binary      lower-case hex, of at most 1,024 bytes
//
// A row has at most 1 MiB of text and a query 64 MiB of rows, since they are held until its last row has come: a query gives
// all of its rows or none. SelectFacts makes facts of the rows, and one that says how each query went.
//
// # What is not known
//
// Which release a schema number (company.version) means: Identity takes a version only from a text of digits and points
// and otherwise tells what it saw. Whether licence links whose dates have passed count: their dates are not looked at.
// The columns of phone are documented, their use for persons (bit 0x4000 of ptype_idx) is read off the list of values.
// That a user is an associate of type 0 that is not deleted is inferred. Which tables of the model are the product's and
// which a partner's is not told: what the model names is taken as belonging to it. That the old dictionary lies under the
// same prefix as the other tables is inferred.
//
// # Why
//
// What hangs on associates is read in whole small tables and joined in memory, because links that should be unique are
// not declared so, and a join over a duplicate would double a user. Documents are joined by the database, since there
// may be ten million: appointments are grouped first, so that a document with several appointments comes once and the
// query needs no index.
package source
