// Package proto is the contract between the host of the preflight rules and plugins, and the Go code generated from it.
// The contract is rules.proto; CHANGES.md says what may change in it and how. Authors of rules in Go use package sdk
// instead, which hides all this; plugins in other languages are written against rules.proto.
//
// How a plugin is started, and what it has to serve beside the service Rules, is go-plugin's protocol; package
// internal/preflight/wire has the constants.
package proto
