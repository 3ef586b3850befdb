//go:build !windows

package install

// systemRegistry is nil: only Windows has one.
func systemRegistry() registry { return nil }
