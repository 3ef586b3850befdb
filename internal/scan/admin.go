package scan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// guessedRole is the role that counts as an administrator's where nothing is named: the vendor's name for it in English.
const guessedRole = "User level 0"

func compare(a, b string) int { return cmp.Compare(a, b) }

// judge tells who is an administrator.
type judge struct {
	rights, roles map[string]bool // lower-cased
	guessed       bool
}

// newJudge takes the rights and roles that the options name, and refuses those that the database does not have.
func newJudge(ctx context.Context, o *Options, accounts []source.Account) (judge, error) {
	there, err := o.Reader.Rights(ctx)
	if err != nil {
		return judge{}, fmt.Errorf("reading the function rights: %w", err)
	}
	var roles []string
	for _, a := range accounts {
		if a.RoleName != "" && !slices.Contains(roles, a.RoleName) {
			roles = append(roles, a.RoleName)
		}
	}
	slices.Sort(roles)
	o.Log.Info("administrator", "rights", strings.Join(there, ", "), "roles", strings.Join(roles, ", "),
		"by right", strings.Join(o.AdminRights, ", "), "by role", strings.Join(o.AdminRoles, ", "))
	j := judge{rights: map[string]bool{}, roles: map[string]bool{}}
	if err := pick(j.rights, o.AdminRights, there, "function right", "--admin-right"); err != nil {
		return judge{}, err
	}
	if err := pick(j.roles, o.AdminRoles, roles, "role", "--admin-role"); err != nil {
		return judge{}, err
	}
	if len(o.AdminRights)+len(o.AdminRoles) > 0 {
		o.Say("administrators: by %s, as was named", strings.Join(append(slices.Clone(o.AdminRights), o.AdminRoles...), ", "))
		return j, nil
	}
	j.guessed = true
	j.roles[strings.ToLower(guessedRole)] = true
	o.Say("administrators: whoever has the role %q, which is a guess; the right or role that makes one is named with --admin-right or --admin-role", guessedRole)
	o.Say("function rights that are there: %s", orNone(there))
	return j, nil
}

// pick puts the wanted names that are there into set.
func pick(set map[string]bool, wanted, there []string, what, flag string) error {
	for _, w := range wanted {
		if !slices.ContainsFunc(there, func(t string) bool { return strings.EqualFold(t, w) }) {
			return manifest.Errorf(manifest.Usage, "%s %q: there is no such %s in this database", flag, w, what).
				WithHint("there are %s", orNone(there))
		}
		set[strings.ToLower(w)] = true
	}
	return nil
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func (j judge) admin(rights []string, role string) bool {
	return j.roles[strings.ToLower(role)] || slices.ContainsFunc(rights, func(r string) bool { return j.rights[strings.ToLower(r)] })
}

// held are those of the rights that make an administrator.
func (j judge) held(rights []string) string {
	var list []string
	for _, r := range rights {
		if j.rights[strings.ToLower(r)] {
			list = append(list, r)
		}
	}
	return strings.Join(list, ", ")
}

// how is what the migrator's record says.
func (j judge) how() string {
	if j.guessed {
		return "guessed"
	}
	return "confirmed"
}

// hint says what to do when the login is no administrator.
func (j judge) hint(e *manifest.Error, a source.Account) error {
	if j.guessed {
		return e.WithHint("only the role %q was looked for; its role is %q with the rights %s: name the one that makes an administrator with --admin-right or --admin-role",
			guessedRole, a.RoleName, orNone(a.Rights))
	}
	return e.WithHint("its role is %q with the rights %s", a.RoleName, orNone(a.Rights))
}
