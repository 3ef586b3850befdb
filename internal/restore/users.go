package restore

import (
	"context"
	"fmt"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// loadable refuses a migration that cannot be made into a database.
func (c *contents) loadable(m Migration) error {
	if err := c.tablesWhole(m); err != nil {
		return err
	}
	return c.nameTaken()
}

// nameTaken refuses a migration that holds a table of the name that unpacking gives to one of its own.
func (c *contents) nameTaken() error {
	for _, t := range c.tables {
		if source.NamedUserTable(t.Name) {
			return manifest.Errorf(manifest.Refused, "the migration holds a table %q, and unpacking makes one of that name", t.Name).
				WithHint("rename the table at the source and migrate it again")
		}
	}
	return nil
}

// userPart is the name under which the rows of source.UserTable are recorded as loaded; no part of a table is called so.
const userPart = "users"

// loadUsers writes down who shall be a user at the tenant.
func (c *contents) loadUsers(ctx context.Context, db source.Loader, u *Unpacked) error {
	t := source.UserTable()
	u.Users = int64(len(c.users))
	switch there, err := db.Loaded(ctx, userPart); {
	case err != nil || there:
		return err
	}
	_, err := db.Load(ctx, userPart, t, func(yield func(source.Row, error) bool) {
		for _, user := range c.users {
			if !yield(source.UserRow(user), nil) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("table %q: %w", t.Name, err)
	}
	return nil
}
