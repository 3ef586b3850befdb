//go:build !linux

package dir

import "os"

// dropCache has no counterpart that every system shares.
func dropCache(*os.File) {}
