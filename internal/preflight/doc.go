// Package preflight is the host of the preflight rules: it finds plugins, checks them against the lock file, starts them,
// feeds them the records of a manifest and collects what they find.
package preflight
