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
//     the bare word frozen says that maintenance is on. Its ODBC data source is of no use outside Windows.
//
// A byte order mark decides the encoding (UTF-8, UTF-16). Without one, valid UTF-8 is UTF-8 and all else is
// Windows-1252, the ANSI code page of western Windows; XML follows its declaration. Names of files, sections and keys
// are compared without regard to letter case. Files larger than MaxBytes are refused.
//
// # omt.json
//
// One JSON object; a key that is not in this list is an error that names it:
//
//	db           URL of the database: sqlserver://HOST[:PORT][/INSTANCE]?database=NAME or sqlite:PATH
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
// Why registry keys are not read: no key that names the client's folder is documented, and a database's data source is
// named there for ODBC, which is not used here. The message says what to give instead.
//
// Why ini files are parsed here: Windows takes the first of equal keys, knows no escapes and no comments behind a value,
// and strips one pair of quotes, which no library at hand does by itself.
package install
