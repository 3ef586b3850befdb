// Package mail hands one message to a mail server, over a connection that nobody can read. It knows nothing of what the
// message says, and imports nothing of ours but the errors of package manifest.
//
// # The address of a server
//
//	smtp://[USER[:PASSWORD]@]HOST[:PORT]     port 587; the connection is encrypted by STARTTLS, or nothing is sent
//	smtps://[USER[:PASSWORD]@]HOST[:PORT]    port 465; the connection is encrypted from its first byte
//	smtp://HOST[:PORT]?tls=none              without encryption; without a user, or to this machine alone
//
// The password may be in the variable OMT_SMTP_PASSWORD instead. No error quotes an address, a user or a password; what a
// server says is quoted, and the caller hides Secrets in it.
//
// # Promises
//
// A user and a password are sent only over an encrypted connection, or to this machine. Connecting and handing
// over may each take Options.Timeout, and an end of the context ends them at once. An error wraps ErrTemporary where the
// same call may work later: the way to the server, and its answers 4xx. A connection that breaks after the message was
// accepted is no error. A message is tried once: whether to try again is the caller's, since one whose acceptance was not
// heard may arrive twice.
//
// # Why a library
//
// The standard library's net/smtp is frozen, has no AUTH LOGIN and makes no messages; github.com/wneessen/go-mail goes on
// from it, is maintained, and needs nothing but golang.org/x.
package mail
