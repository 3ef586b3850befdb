// Command omt-scan reads an installation of SuperOffice CRM and writes it as a manifest: who migrates, plans, users,
// addresses, facts for the preflight rules, tables with their rows counted, and every document, template, Service file
// and attachment with what became of it on disk. Nothing of the installation is changed.
//
//	omt-scan --install C:\SuperOffice --plans plans.csv --out scan.jsonl
//	omt-scan --config omt.json --out scan.jsonl
//	omt-scan --db 'sqlserver://crm7@sql1?database=crm' --prefix crm7 --root document=/srv/so_arc --login KK --out scan.jsonl
//	omt-scan detect --install C:\SuperOffice --out omt.json
//	omt-scan sample --dir demo
//	omt-scan rules
//
// # Where the installation is
//
// --install DIR looks for omt.json in DIR, else for SuperOffice.ini, SuperOffice.config or web.config, and Customer
// Service's config in DIR and three levels below. Several of one kind are listed, and one is chosen with --config FILE.
// --config FILE takes omt.json, or one of these files with those beside it. --db URL, --prefix NAME and --root AREA=DIR
// say the same on the command line, and override single values of the files. Templates lie in the folder Template below
// the first archive folder unless something else is said; the folders of attachments, and Service's template and text
// folders, are found in the database. A path of another machine is rewritten with --map 'FROM=TO'. --folder LOGIN=NAME
// gives the folder that a renamed user's documents still lie in. --root AREA= says that there is no such area. What is
// missing is asked for by naming its flag.
//
// --db takes a URL, a connection string as configuration files hold them, or on Windows an ODBC data source (ODBC:NAME);
// on Windows the data source that SuperOffice.ini names is looked up by itself. A database of another kind than SQL Server
// (or SQLite, for trying things out) is refused.
//
// The database's login stands in the URL, its password in the variable OMT_DB_PASSWORD, or it is asked for. On Windows no
// login means the account that runs omt-scan; elsewhere a domain's login is DOMAIN\LOGIN, or a ticket with
// authenticator=krb5; fedauth=… is a login by Entra ID. A URL with a password is best kept in a file: --db '@db.url'.
//
// # Who migrates
//
// --login names an administrator of the installation: by initials, user name or e-mail address. It must be an employee
// who is not retired and who has the right named with --admin-right, or the role named with --admin-role; without these
// the role "User level 0" is taken for an administrator's, which is a guess and recorded as one. --migrator-name,
// --migrator-email, --migrator-phone and --migrator-language complete the card. What neither flags nor configuration say
// is asked on the console, offering what the login's own card has; without a console the run ends with 2 and names the
// flags.
//
// # Plans
//
// --plans FILE is the list of the tenant's plans: the vendor's licence XML, CSV with the columns name, title, onsite,
// seats and unlimited, or JSON with these keys; --encoding names the encoding of a CSV file that is neither UTF-8
// nor Windows-1252. Without it the local licence's plans are written, marked as a hint.
//
// # A part of the installation
//
// --only AREA,… lists these areas alone, --older-than 30d leaves files that were changed later. Both make a pre-seed, to
// send ahead what will not change; the manifest of the migration itself is scanned without them.
//
// # Preflight rules
//
// Rules look at the records as they are written, and what they find stands in the manifest: warnings to read, and errors
// that keep it from being packed until they are resolved, or waived with omt-assign. They come from plugins: executables in
// the folder that --plugins DIR or the variable OMT_PLUGINS names, else in plugins beside omt-scan; neither the working
// directory nor PATH is looked into. A file of that folder that plugins.lock in it does not name, or names with another
// digest, is refused (5). Without plugins no rule is run, and omt-pack refuses what no rule has looked at. Rules may have
// SELECTs of their own asked of the database; each is asked once, on a connection of its own, and nothing else of the
// database is in their reach. Where --out names the manifest of an earlier scan, its company name and serial number are
// noted before it is replaced, and a rule compares them; one that is itself of another licence hands on what it was
// compared with.
//
// omt-scan rules lists all rules, where each comes from, and what cannot be run and why, as a table, JSON or Markdown
// (--format); --rule ID says all about one. --lock writes plugins.lock for what lies in the folder and says what changed:
// it says that you trust these files. --verify compares the files with it and ends with 5 where anything differs; it starts
// nothing. A folder that does not agree with its plugins.lock is listed, and nothing in it is started.
//
// # Detect
//
// --to URL asks the tenant before anything else is read: another company name or serial number than the tenant's is refused
// (5), and the manifest gets the mode that the migration will have, initial or recovery. Nothing is written there.
// --ca FILE names certificates to trust besides the system's.
//
// omt-scan detect takes the flags of "Where the installation is" and prints what they lead to as omt.json, without
// passwords. It opens no database.
//
// # Exit status
//
//	0    done
//	1    could not finish: a folder or the database failed
//	2    command line or configuration wrong, or who migrates is not known; nothing was written
//	3    finished, with findings that block packing (they are printed) or rules that were not run; detect: something is
//	     missing; rules: something cannot be run
//	5    refused: the login may not migrate, the plugins are not those that plugins.lock names, or the tenant of --to is
//	     another company's
//	130  interrupted
//
// That users have no plan yet is no remark: omt-assign gives them one.
//
// Migrating live and checking the login with NetServer are not part of this build: --live and --netserver are refused
// with 2.
package main
