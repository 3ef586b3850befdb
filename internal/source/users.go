package source

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Users lists the internal associates (type 0) that are not deleted, in the order of their ids. What a card shows is
// empty where the reference dangles.
func (v *View) Users(ctx context.Context) ([]User, error) {
	all, err := v.associates(ctx)
	if err != nil {
		return nil, err
	}
	c, err := v.cards(ctx)
	if err != nil {
		return nil, err
	}
	held, err := v.licences(ctx)
	if err != nil {
		return nil, err
	}
	var users []User
	for _, a := range all {
		if !a.internal() {
			continue
		}
		p := c.persons[a.person]
		role := c.roles.role(a.id)
		users = append(users, User{
			ID: a.id, Person: a.person, Login: a.login, Name: p.name, Company: c.contacts[p.contact], Group: c.groups[a.group],
			Role: c.roles.names[role], Position: c.positions[p.position], Onsite: held.plan[a.id],
			Confidential: held.confidential[a.id], Emails: withLogin(c.emails[a.person], a.userName),
			Rights: c.roles.rights[role], RoleID: role, Contact: p.contact,
		})
	}
	return users, nil
}

// cards is what hangs on associates, each kind read with one query.
type cards struct {
	persons                     map[int64]person
	contacts, groups, positions map[int64]string
	emails                      map[int64][]string
	roles                       roles
}

func (v *View) cards(ctx context.Context) (c cards, err error) {
	if c.persons, err = v.persons(ctx); err != nil {
		return c, err
	}
	if c.contacts, err = v.contactNames(ctx); err != nil {
		return c, err
	}
	if c.groups, err = v.namesOf(ctx, "UserGroup", "UserGroup_id"); err != nil {
		return c, err
	}
	if c.positions, err = v.namesOf(ctx, "PersPos", "PersPos_id"); err != nil {
		return c, err
	}
	if c.emails, err = v.emailsOf(ctx); err != nil {
		return c, err
	}
	c.roles, err = v.roles(ctx)
	return c, err
}

// Accounts lists the associates of every type in the order of their ids, then those that only AssociateHistory knows:
// of several rows there the newest.
func (v *View) Accounts(ctx context.Context) ([]Account, error) {
	all, err := v.associates(ctx)
	if err != nil {
		return nil, err
	}
	persons, err := v.persons(ctx)
	if err != nil {
		return nil, err
	}
	emails, err := v.emailsOf(ctx)
	if err != nil {
		return nil, err
	}
	phones, err := v.phonesOf(ctx)
	if err != nil {
		return nil, err
	}
	rs, err := v.roles(ctx)
	if err != nil {
		return nil, err
	}
	former, err := v.former(ctx)
	if err != nil {
		return nil, err
	}
	var out []Account
	for _, a := range all {
		delete(former, a.id)
		p, role := persons[a.person], rs.role(a.id)
		out = append(out, Account{
			ID: a.id, Person: a.person, Login: a.login, Type: a.kind, Retired: a.deleted || p.retired, FullName: p.name,
			Rights: rs.rights[role], RoleName: rs.names[role], Emails: withLogin(emails[a.person], a.userName), Phones: phones[a.person],
		})
	}
	for _, id := range slices.Sorted(maps.Keys(former)) {
		out = append(out, former[id])
	}
	return out, nil
}

// former reads AssociateHistory, which only the newest versions have.
func (v *View) former(ctx context.Context) (map[int64]Account, error) {
	out := map[int64]Account{}
	p, ok := v.probe("AssociateHistory", "h")
	if !ok {
		return out, nil
	}
	cols := []string{"associateId", "personId", "type", "name", "firstname", "middleName", "lastname"}
	for r, err := range v.rowsOf(ctx, p, "", []string{"associatehistory_id"}, cols...) {
		if err != nil {
			return nil, err
		}
		a := Account{
			ID: number64(r[0]), Person: number64(r[1]), Type: number64(r[2]), Login: words(r[3]),
			FullName: fullName(words(r[4]), words(r[5]), words(r[6])), Retired: true, Former: true,
		}
		if a.Type&typeNoPerson != 0 {
			a.Person = 0
		}
		if a.ID != 0 {
			out[a.ID] = a
		}
	}
	return out, nil
}

// Addresses yields the e-mail addresses of persons who are not users, in no particular order.
func (v *View) Addresses(ctx context.Context) iter.Seq2[Address, error] {
	return func(yield func(Address, error) bool) {
		all, err := v.associates(ctx)
		if err != nil {
			yield(Address{}, err)
			return
		}
		users := map[int64]bool{}
		for _, a := range all {
			users[a.person] = users[a.person] || a.internal()
		}
		for e, err := range v.emails(ctx, false) {
			if err != nil {
				yield(Address{}, err)
				return
			}
			if !users[e.person] && !yield(Address{Person: e.person, Rank: int(e.rank), Email: e.address}, nil) {
				return
			}
		}
	}
}

// module is one row of ModuleLicense.
type module struct {
	id, kind, flags, seats, order int64
	name, title                   string
	unlimited, hidden             bool
}

// plan reports whether the module is a user plan: a user licence (4) with the mark 1 that is not hidden.
func (m module) plan() bool { return m.kind == 4 && m.flags == 1 && !m.hidden }

// modules reads the modules of the local licence in their order.
func (v *View) modules(ctx context.Context) ([]module, error) {
	p, ok := v.probe("ModuleLicense", "m")
	if !ok {
		return nil, nil
	}
	var out []module
	cols := []string{"ModuleLicense_id", "moduleName", "moduleDescription", "licenseType", "licenseNumber", "extraFlags",
		"sortOrder", "unrestricted", "hidden"}
	for r, err := range v.rowsOf(ctx, p, "", nil, cols...) {
		if err != nil {
			return nil, err
		}
		out = append(out, module{
			id: number64(r[0]), name: words(r[1]), title: words(r[2]), kind: number64(r[3]), seats: number64(r[4]),
			flags: number64(r[5]), order: number64(r[6]), unlimited: number64(r[7]) != 0, hidden: number64(r[8]) != 0,
		})
	}
	slices.SortFunc(out, func(a, b module) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.id, b.id)) })
	return out, nil
}

// held is which associates hold which licences.
type held struct {
	plan         map[int64]string
	confidential map[int64]bool
}

// licences reads what associates hold. Of several plans the first in the licence's order counts, "(No Selection)" after
// all others. Whether a link's dates have passed is not looked at.
func (v *View) licences(ctx context.Context) (held, error) {
	h := held{plan: map[int64]string{}, confidential: map[int64]bool{}}
	mods, err := v.modules(ctx)
	if err != nil {
		return h, err
	}
	links, err := v.links(ctx, "LicenseAssocLink", "LicenseAssocLink_id", "moduleLicenseId", "assocId")
	if err != nil {
		return h, err
	}
	for _, m := range mods {
		for _, a := range links[m.id] {
			if strings.EqualFold(m.name, confidential) {
				h.confidential[a] = true
			}
			if old, ok := h.plan[a]; m.plan() && (!ok || strings.EqualFold(old, noSelection)) {
				h.plan[a] = m.name
			}
		}
	}
	return h, nil
}

// Plans lists the user plans of the local licence in the licence's order. Used counts links, of retired users too.
func (v *View) Plans(ctx context.Context) ([]Plan, error) {
	mods, err := v.modules(ctx)
	if err != nil {
		return nil, err
	}
	links, err := v.links(ctx, "LicenseAssocLink", "LicenseAssocLink_id", "moduleLicenseId", "assocId")
	if err != nil {
		return nil, err
	}
	var out []Plan
	for _, m := range mods {
		if m.plan() {
			out = append(out, Plan{Name: m.name, Title: m.title, Seats: int(m.seats), Used: len(links[m.id]), Unlimited: m.unlimited})
		}
	}
	return out, nil
}
