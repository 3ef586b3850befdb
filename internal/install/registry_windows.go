package install

import (
	"errors"
	"strings"

	winreg "golang.org/x/sys/windows/registry"
)

// systemRegistry is the registry of this machine.
func systemRegistry() registry { return windowsRegistry{} }

type windowsRegistry struct{}

// values reads the text values of a key. The 64-bit view is asked for, so that the paths of the 32-bit one mean what they
// say whatever this program was built for.
func (windowsRegistry) values(key string) (map[string]string, bool, error) {
	root := winreg.LOCAL_MACHINE
	hive, path, _ := strings.Cut(key, `\`)
	if hive == "HKCU" {
		root = winreg.CURRENT_USER
	}
	k, err := winreg.OpenKey(root, path, winreg.QUERY_VALUE|winreg.WOW64_64KEY)
	if errors.Is(err, winreg.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer k.Close() //nolint:errcheck // it was only read
	names, err := k.ReadValueNames(0)
	if err != nil {
		return nil, false, err
	}
	out := map[string]string{}
	for _, n := range names {
		s, _, err := k.GetStringValue(n)
		if errors.Is(err, winreg.ErrUnexpectedType) {
			continue // numbers and bytes say nothing of a server
		}
		if err != nil {
			return nil, false, err
		}
		out[n] = s
	}
	return out, true, nil
}
