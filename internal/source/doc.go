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
// what it is. Each question is one query or a few over whole tables, never one per row; Documents, Addresses, Facts,
// Templates, Attachments and Rows are streams, the rest fits into memory. Values of Rows are canonical (Kind), so that
// equal values from different engines are equal.
//
// # Facts
//
// Name of the fact, its table, and the keys of Data, which are column names in lower case. A key is absent where the
// column is not there or NULL. Times are texts ("2026-01-31 16:19:51") as the database has them, since it does not say
// in which zone. ID is the row's key as text. What is not in the list is not read: passwords, secrets, signatures and
// the model's blob are never asked for.
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
//
//	travelgeneratedtransaction      travel_id rows: counted by travel_id, which is the ID
//	archive-provider                archiveprovider rows: documents counted by provider, without provider 0 (SO_ARC)
//	associate-type                  type deleted rows: associates counted; the ID is "type/deleted"
//	table-absent    sequence        table number: the table of keys knows it, and it is not under the prefix
//
// # What is not known
//
// Which release a schema number (company.version) means: Identity takes a version only from a text of digits and points
// and otherwise tells what it saw. Whether licence links whose dates have passed count: their dates are not looked at.
// The columns of phone are documented, their use for persons (bit 0x4000 of ptype_idx) is read off the list of values.
// That a user is an associate of type 0 that is not deleted is inferred. Customisations are not listed: which tables
// belong to the product is only in the model, whose format is not documented.
//
// # Why
//
// What hangs on associates is read in whole small tables and joined in memory, because links that should be unique are
// not declared so, and a join over a duplicate would double a user. Documents are joined by the database, since there
// may be ten million: appointments are grouped first, so that a document with several appointments comes once and the
// query needs no index.
package source
