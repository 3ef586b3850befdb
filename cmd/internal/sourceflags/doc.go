// Package sourceflags is the part of a command line that says where the source is: --install, --config, --db, --prefix,
// --root, --map, --folder, the same for omt-scan and omt-pack. It reads the configuration (package install), opens the
// driver for the database's engine, and resolves the folders, so that the verbs are handed an open view and an
// installation record with absolute paths.
//
// A flag overrides a single value of the files, and the files a value of the installation record that omt-pack finds in
// its manifest; mappings and folders of renamed users are joined. Relative paths of flags are from the working directory.
// --root AREA= says that there is no such area.
//
// # Credentials
//
// The login stands in the URL or connection string (--db, or the file that names the database); its password in
// OMT_DB_PASSWORD, which counts before one in the URL, or it is asked for on the console. OMT_DB_PASSWORD also holds the
// secret of an application and an access token (fedauth). A login that has no password is not asked for one: Windows' own
// account (no login, on Windows), a ticket (authenticator=krb5), and those of Entra ID that find it themselves. What a
// person has to do for a login by device code is said on standard error.
//
// Credentials that a file has for its database are used for that database alone: with --db they are forgotten, unless
// --db names the same database of the same server without a login, by whatever parameters. A manifest holds no login: for
// a database on SQL Server omt-pack is given --db with the login, or the files again, unless the login is one of those
// that need none.
package sourceflags
