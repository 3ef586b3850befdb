//go:build unix && !linux

package freeze

import "os"

// keepAttributes has no counterpart that every Unix shares.
func keepAttributes(*os.File, string) error { return nil }
