// Package tenant is the layout of a destination: where chunks, revisions and the tenant's state lie, and how a revision
// comes into being.
package tenant
