// Package web is what the destinations behind HTTP have in common: the transport, with the proxy of the environment and
// an own file of certificates, and the classes of what can go wrong on it. It knows no service.
//
// # Promises
//
// Nothing that is secret is in an error of this package: a request's URL carries a signature, and what net/http says of a
// failed one quotes it, so only what lies below that text is passed on. The address of a proxy is never quoted.
//
// A connection on which nothing moves in either direction for two minutes is given up; one that is slow is not, nor one
// that our own limit keeps waiting.
//
// A limit holds for what goes over the wire: bodies, heads, what TLS adds, and all of it again when a request is repeated.
// What is read is not limited.
//
// Plain http is spoken to this machine alone.
package web
