package plan

import (
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/plugins/sdk/email"
)

// names finds users by user name. A name that several users have belongs to none, and so does that of a user who has
// been given no plan.
type names map[string]*manifest.User

// namesOf makes the table of the names that users can log in with.
func namesOf(users []manifest.User) names {
	n := make(names, len(users))
	for i := range users {
		u := &users[i]
		if u.Username == "" {
			continue
		}
		key := email.Key(u.Username)
		if _, twice := n[key]; twice {
			n[key] = nil
			continue
		}
		n[key] = u
	}
	for key, u := range n {
		if u == nil || u.Plan != nil && *u.Plan == "" {
			delete(n, key)
		}
	}
	return n
}
