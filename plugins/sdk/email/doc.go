// Package email compares and checks e-mail addresses as the tools do: two addresses are one where their keys are equal, and
// an address that Check refuses is none that a user can log in with.
package email
