package source

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
)

// Bits of associate.type, and the value of an internal user.
const (
	typeInternal = 0
	typeNoPerson = 1 // bit: person_id means nothing
)

// personOwner is the bit of phone.ptype_idx that says that owner_id is a person.
const personOwner = 0x4000

// confidential is the module behind the tick "Confidential activities" on a user's card.
const confidential = "visible-for"

// noSelection is the plan "(No Selection)": the licence is not in use.
const noSelection = "superlicense-no-selection"

// associate is one row of associate.
type associate struct {
	id, person, kind, group int64
	login, userName         string
	deleted                 bool
}

// person is what a card shows of one.
type person struct {
	name              string
	contact, position int64
	retired           bool
}

// associates reads the table in the order of ids. Duplicates of an id are left out, the first one stays.
func (v *View) associates(ctx context.Context) ([]associate, error) {
	p, ok := v.probe("associate", "a")
	if !ok {
		return nil, nil
	}
	var all []associate
	seen := map[int64]bool{}
	cols := []string{"associate_id", "name", "deleted", "type", "person_id", "group_idx", "userName"}
	for r, err := range v.rowsOf(ctx, p, "", []string{"associate_id"}, cols...) {
		if err != nil {
			return nil, err
		}
		a := associate{
			id: number64(r[0]), login: words(r[1]), deleted: number64(r[2]) != 0, kind: number64(r[3]),
			person: number64(r[4]), group: number64(r[5]), userName: words(r[6]),
		}
		if a.kind&typeNoPerson != 0 {
			a.person = 0
		}
		if !seen[a.id] {
			seen[a.id] = true
			all = append(all, a)
		}
	}
	return all, nil
}

// internal reports whether a is a user in the sense of User.
func (a associate) internal() bool { return a.kind == typeInternal && !a.deleted }

// ofAssociates is the condition that a column names the person of some associate.
func (v *View) ofAssociates(column string) string {
	a, ok := v.probe("associate", "x")
	if !ok {
		return "1 = 0"
	}
	return column + " IN (SELECT " + a.col("person_id") + " FROM " + a.from() + " WHERE " + a.number("person_id") + " <> 0)"
}

// persons reads the persons of all associates.
func (v *View) persons(ctx context.Context) (map[int64]person, error) {
	out := map[int64]person{}
	p, ok := v.probe("person", "p")
	if !ok {
		return out, nil
	}
	cols := []string{"person_id", "firstname", "middleName", "lastname", "contact_id", "position_idx", "retired"}
	for r, err := range v.rowsOf(ctx, p, v.ofAssociates(p.col("person_id")), nil, cols...) {
		if err != nil {
			return nil, err
		}
		out[number64(r[0])] = person{
			name:    fullName(words(r[1]), words(r[2]), words(r[3])),
			contact: number64(r[4]), position: number64(r[5]), retired: number64(r[6]) != 0,
		}
	}
	return out, nil
}

// fullName joins the parts that are there.
func fullName(parts ...string) string {
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

// contactNames reads the names of the companies that the persons of associates belong to.
func (v *View) contactNames(ctx context.Context) (map[int64]string, error) {
	c, ok := v.probe("contact", "c")
	p, ok2 := v.probe("person", "p")
	if !ok || !ok2 {
		return map[int64]string{}, nil
	}
	where := c.col("contact_id") + " IN (SELECT " + p.col("contact_id") + " FROM " + p.from() +
		" WHERE " + v.ofAssociates(p.col("person_id")) + ")"
	return v.names(ctx, c, where, "contact_id")
}

// namesOf reads id and name of a list table.
func (v *View) namesOf(ctx context.Context, table, id string) (map[int64]string, error) {
	p, ok := v.probe(table, "l")
	if !ok {
		return map[int64]string{}, nil
	}
	return v.names(ctx, p, "", id)
}

func (v *View) names(ctx context.Context, p probe, where, id string) (map[int64]string, error) {
	out := map[int64]string{}
	for r, err := range v.rowsOf(ctx, p, where, nil, id, "name") {
		if err != nil {
			return nil, err
		}
		out[number64(r[0])] = words(r[1])
	}
	return out, nil
}

// links reads pairs of ids from a table in the order of its key; where an id of the left column has several, all are
// kept.
func (v *View) links(ctx context.Context, table, key, left, right string) (map[int64][]int64, error) {
	out := map[int64][]int64{}
	p, ok := v.probe(table, "l")
	if !ok {
		return out, nil
	}
	for r, err := range v.rowsOf(ctx, p, "", []string{key}, left, right) {
		if err != nil {
			return nil, err
		}
		l, right := number64(r[0]), number64(r[1])
		out[l] = append(out[l], right)
	}
	return out, nil
}

// roles is what is known of the roles of associates.
type roles struct {
	of     map[int64][]int64 // associate → roles; one in a sound database
	names  map[int64]string
	rights map[int64][]string // role → internal names of its rights, sorted
}

func (v *View) roles(ctx context.Context) (roles, error) {
	of, err := v.links(ctx, "UserRoleLink", "UserRoleLink_id", "associate_id", "role_id")
	if err != nil {
		return roles{}, err
	}
	names, err := v.namesOf(ctx, "Role", "Role_id")
	if err != nil {
		return roles{}, err
	}
	right, err := v.namesOf(ctx, "FunctionRight", "FunctionRight_id")
	if err != nil {
		return roles{}, err
	}
	held, err := v.links(ctx, "FunctionRightRoleLink", "FunctionRightRoleLink_id", "roleId", "functionRightId")
	if err != nil {
		return roles{}, err
	}
	rights := map[int64][]string{}
	for role, ids := range held {
		var list []string
		for _, id := range ids {
			if n := right[id]; n != "" {
				list = append(list, n)
			}
		}
		slices.Sort(list)
		rights[role] = slices.Compact(list)
	}
	return roles{of: of, names: names, rights: rights}, nil
}

// role is the first role of an associate, 0 when there is none.
func (r roles) role(associate int64) int64 {
	if ids := r.of[associate]; len(ids) > 0 {
		return ids[0]
	}
	return 0
}

// Rights lists the internal names of all function rights that are there, sorted.
func (v *View) Rights(ctx context.Context) ([]string, error) {
	names, err := v.namesOf(ctx, "FunctionRight", "FunctionRight_id")
	if err != nil {
		return nil, err
	}
	var list []string
	for _, n := range names {
		if n != "" {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// emailRow is one e-mail address as Addresses and cards need it.
type emailRow struct {
	person, rank, id int64
	address          string
}

// emails reads addresses of type 0 that are not blank, with surrounding blanks taken off: all of them, or those of the
// persons of associates.
func (v *View) emails(ctx context.Context, ofAssociates bool) iter.Seq2[emailRow, error] {
	return func(yield func(emailRow, error) bool) {
		p, ok := v.probe("email", "e")
		if !ok {
			return
		}
		cond := p.number("type") + " = 0 AND " + p.number("person_id") + " <> 0"
		if ofAssociates {
			cond += " AND " + v.ofAssociates(p.col("person_id"))
		}
		for r, err := range v.rowsOf(ctx, p, cond, nil, "person_id", "rank", "email_id", "email_address") {
			if err != nil {
				yield(emailRow{}, err)
				return
			}
			e := emailRow{person: number64(r[0]), rank: number64(r[1]), id: number64(r[2]), address: strings.TrimSpace(words(r[3]))}
			if e.address != "" && !yield(e, nil) {
				return
			}
		}
	}
}

// emailsOf reads the addresses of the persons of all associates, by rank and then id.
func (v *View) emailsOf(ctx context.Context) (map[int64][]string, error) {
	var all []emailRow
	for e, err := range v.emails(ctx, true) {
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b emailRow) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) })
	out := map[int64][]string{}
	for _, e := range all {
		out[e.person] = append(out[e.person], e.address)
	}
	return out, nil
}

// withLogin adds the login name of newer versions to the addresses when it looks like one and is not among them.
func withLogin(emails []string, userName string) []string {
	userName = strings.TrimSpace(userName)
	same := func(e string) bool { return strings.EqualFold(e, userName) }
	if !strings.Contains(userName, "@") || slices.ContainsFunc(emails, same) {
		return emails
	}
	return append(slices.Clip(emails), userName)
}

// phonesOf reads the phone numbers of the persons of all associates, by rank and then id.
func (v *View) phonesOf(ctx context.Context) (map[int64][]string, error) {
	out := map[int64][]string{}
	p, ok := v.probe("phone", "f")
	if !ok || !p.has("owner_id") || !p.has("ptype_idx") {
		return out, nil
	}
	where := p.number("ptype_idx") + " >= 16384 AND " + v.ofAssociates(p.col("owner_id"))
	for r, err := range v.rowsOf(ctx, p, where, []string{"rank", "phone_id"}, "owner_id", "ptype_idx", "phone") {
		if err != nil {
			return nil, err
		}
		if n := strings.TrimSpace(words(r[2])); n != "" && number64(r[1])&personOwner != 0 {
			out[number64(r[0])] = append(out[number64(r[0])], n)
		}
	}
	return out, nil
}
