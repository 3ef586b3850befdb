// Package install finds and reads the files in which an installation says where its database and its folders are. It
// opens no database: what only the database knows (Service's folders) is handed to Resolve.
//
// # What is read
//
//   - omt.json, our own configuration file: see below.
//   - SuperOffice.ini of the Windows client: section [SuperOffice], and [DocPlugin_SoArc], whose archive paths come first.
//   - SuperOffice.config of the Windows client and web.config of NetServer and the web client: Data/Database,
//     Data/Explicit and Documents below the SuperOffice element.
//   - config of Customer Service, a text file without extension: its folder is the base folder, dbType names the engine,
//     dbDatabase an ODBC data source, the bare word frozen says that maintenance is on.
//   - On Windows, where no file names a server: the registry, for the ODBC data source that SuperOffice.ini (Datapath) or
//     Service's config names. Looked up are the system's data sources of 32-bit programs, then those of 64-bit programs,
//     then the user's; and the SQL Server client's names of servers (ConnectTo), which a data source may be made with.
//
// A byte order mark decides the encoding (UTF-8, UTF-16). Without one, valid UTF-8 is UTF-8 and all else is
// Windows-1252, the ANSI code page of western Windows; XML follows its declaration. Names of files, sections and keys
// are compared without regard to letter case. Files larger than MaxBytes are refused.
//
// # omt.json
//
// One JSON object; a key that is not in this list is an error that names it:
//
//	db           the database: see below
//	prefix       table prefix (the schema on SQL Server)
//	roots        object: area (template, document, service, attachment) to a list of folders; of service they are
//	             base, template, text; an empty list says that there is no such area
//	map          list of FROM=TO: a path that begins with FROM on another machine begins with TO here
//	login        login of the administrator who migrates
//	netserver    URL of NetServer
//	adminRights  list of function rights that make an administrator
//	adminRoles   list of roles that make an administrator
//	migrator     object: name, email, phone, language
//
// Relative paths, in map the right side, are from the file's folder.
//
// # The database
//
// SplitURL reads what --db and db take: a URL (sqlserver://HOST[:PORT][/INSTANCE]?database=NAME, sqlite:PATH), a
// connection string as configuration files hold them, and on Windows an ODBC data source (ODBC:NAME). Inside it is always
// a URL without credentials, and those are a Secret. A connection string's keys are those that Microsoft's documentation
// lists for ADO.NET, OLE DB and ODBC. What says where the database is, who logs in and how it is encrypted is taken;
// pooling, timeouts and the like are of no consequence and passed over; what would lead elsewhere (attached files, user
// instances, named pipes, column encryption) is refused by name; a key that is not known is an error in what a person
// gave and a note about a file. [@Server], [@Database], [@User] and [@Password] are filled from the keys beside the
// string, and one that stays open is named. A key behind a password that is not quoted is never named: it may be the rest
// of the password. Databases of Oracle, Sybase and others are recognised by scheme, DatabaseMajor, dbType, driver and
// provider, and refused.
//
// # Which file counts
//
// omt.json counts alone, named or in the folder itself. Otherwise the folder and three levels below it are searched, links are
// not followed. Of one kind (SuperOffice.config and web.config are one) there may be one file; several are listed in an
// error, and the one that is chosen brings those that lie beside it. A value is taken from SuperOffice.config or
// web.config, else from SuperOffice.ini, else from Service's config. A web.config without a SuperOffice element and a
// config without Service's keys are not ours and are passed over.
//
// # Secrets
//
// Passwords are held as Secret, which nothing prints and no encoder writes. No error of this package repeats a value that
// stands where a password could stand, nor what an XML, JSON or URL parser says of it.
//
// # Why
//
// Why several files of one kind are never merged by guessing: a server holds copies of old installations, and the wrong
// archive would be scanned without a word.
//
// Why no key of the registry is read for the folder of the Windows client: none is documented. The message says what to
// give instead.
//
// Why a login that stands in SuperOffice.config without a server is used with the data source of SuperOffice.ini beside
// it: the Windows client does so, and all applications share one login.
//
// Why ini files are parsed here: Windows takes the first of equal keys, knows no escapes and no comments behind a value,
// and strips one pair of quotes, which no library at hand does by itself.
package install
