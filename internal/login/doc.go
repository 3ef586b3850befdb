// Package login proves that who migrates is who the login belongs to, as far as that can be proved.
//
// # What is tried, in this order
//
//	netserver  NetServer's REST service is asked with user name and password (basic authentication), where its URL is given
//	windows    the account that the operating system has logged in is one of the associate's in the table Credentials
//	database   nothing but that the database's own login was known
//
// The word is what the migrator's record says. Where NetServer is asked, its answer decides: a password that it refuses
// ends the run, and nothing weaker is tried in its place. An account of Windows that is not the associate's proves
// nothing and refutes nothing, since consultants work under accounts of their own; that is said.
//
// # NetServer
//
// GET <URL>/api/v1/User/currentPrincipal, over https alone, without following redirects, once: a wrong password that is
// tried again locks an account. Of the answer AssociateId, Associate, UserName, RoleName and FunctionRights are read. The
// associate must be the one that the login was found to be in the database. Its rights count more than the rows of the
// database: NetServer passes over rows whose checksum is wrong, as those that were edited by hand.
//
// Basic authentication is off by default at NetServer (the vendor's page "enable basic authentication"). Without it a
// right password is refused as a wrong one is; the answer's header then lists no scheme Basic, which the error says.
//
// This was written from the vendor's documents and tried against a stub that was written from the same documents
// (package netservertest), never against a NetServer.
//
// # The account of Windows
//
// The SID of the process's user is looked for among the rows of Credentials of type ActiveDirectory that are valid at
// this moment; that searchName holds it as text (S-1-5-…) is documented, how it is compared is inferred. Elsewhere than on
// Windows there is no such account. No column of Credentials that could be a secret is read.
//
// Passwords are in no error of this package, and in nothing that it tells.
package login
