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
// The login stands in the URL (--db, or the file that names the database); its password in OMT_DB_PASSWORD, which counts
// before one in the URL, or it is asked for on the console. On Windows no login means the account that runs the program.
// Credentials that a file has for its database are used for that database alone: with --db they are forgotten, unless
// --db names the same database without a login. A manifest holds no login: for a database on SQL Server omt-pack is given
// --db with the login, or the files again, unless it runs under an account of Windows that may read it.
package sourceflags
