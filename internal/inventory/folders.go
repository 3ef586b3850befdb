package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// folders knows whose the folders at the top of a document root are. Folders and logins are in folded form.
type folders struct {
	accounts map[string]source.Account // by login; a present one before a former one
	aliases  map[string][]string       // login → further folders, given as LOGIN=NAME
	owner    map[string]string         // folder → login
	class    map[string]string         // folder → the login under which its files are kept together; itself if absent
}

func (i *Inventory) folders(ctx context.Context) (*folders, error) {
	accounts, err := i.o.Reader.Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the accounts: %w", err)
	}
	return newFolders(accounts, i.o.Installation.Folders)
}

// newFolders makes them of accounts and of further folders, given as LOGIN=NAME.
func newFolders(accounts []source.Account, aliases []string) (*folders, error) {
	f := &folders{
		accounts: map[string]source.Account{}, aliases: map[string][]string{}, owner: map[string]string{}, class: map[string]string{},
	}
	slices.SortStableFunc(accounts, func(a, b source.Account) int {
		if a.Former != b.Former {
			if b.Former {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.ID, b.ID)
	})
	for _, a := range accounts {
		login := archive.Fold(a.Login)
		if _, ok := f.accounts[login]; ok || login == "" {
			continue
		}
		f.accounts[login] = a
		f.owner[login] = a.Login
	}
	for _, s := range aliases {
		if err := f.alias(s); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// alias takes LOGIN=NAME.
func (f *folders) alias(s string) error {
	who, name, ok := strings.Cut(s, "=")
	if !ok || !archive.Element(name) {
		return manifest.Errorf(manifest.Usage, "--folder %q: want LOGIN=NAME, where NAME is one folder at the top of the archive", s)
	}
	login := archive.Fold(who)
	a, ok := f.accounts[login]
	if !ok {
		return manifest.Errorf(manifest.Usage, "--folder %q: nobody has the login %q", s, who).
			WithHint("the login stands before the equals sign, the folder's name behind it")
	}
	keys := []string{archive.Fold(name)}
	if _, err := manifest.UnescapeName(name); err == nil {
		keys = append(keys, badElement+name) // as a record spells a name that is not Unicode
	}
	for _, key := range keys {
		f.aliases[login] = append(f.aliases[login], key)
		if _, ok := f.owner[key]; !ok {
			f.owner[key] = a.Login
		}
		f.join(f.of(login), f.of(key))
	}
	return nil
}

// of gives the class of a folder.
func (f *folders) of(folder string) string {
	if c, ok := f.class[folder]; ok {
		return c
	}
	return folder
}

// join makes one class of two.
func (f *folders) join(a, b string) {
	f.class[a] = a
	f.class[b] = a
	for k, c := range f.class {
		if c == b {
			f.class[k] = a
		}
	}
}

// owned reports whether somebody has a folder.
func (f *folders) owned(folder string) bool { _, ok := f.owner[folder]; return ok }
