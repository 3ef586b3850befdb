//go:build !windows

package login

// AccountSID is ErrNoAccount here.
func AccountSID() (string, error) { return "", ErrNoAccount }
