package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/plugins/sdk/email"
)

// removalsFromUsers finds user names that are addresses on cards of other users.
func removalsFromUsers(users []manifest.User, n names) ([]manifest.Removal, []manifest.Finding) {
	type pair struct{ owner, other int64 }
	var removals []manifest.Removal
	said := map[pair]bool{}
	findings := map[pair]manifest.Finding{}
	for _, other := range users {
		for _, address := range other.Emails {
			owner := n[email.Key(address)]
			if owner == nil || owner.ID == other.ID || owner.Person == other.Person && owner.Person != 0 {
				continue
			}
			text := "it will be removed from that card"
			if other.Person == 0 {
				text = "it cannot be removed there, since the card has no person"
			} else {
				removals = append(removals, manifest.Removal{Person: other.Person, Email: address, User: owner.ID})
			}
			key := pair{owner.ID, other.ID}
			if said[key] {
				continue
			}
			said[key] = true
			findings[key] = manifest.Finding{Rule: ruleAddress, Severity: manifest.SeverityWarning,
				Subjects: []string{subject(owner.ID), subject(other.ID)},
				Message: fmt.Sprintf("%s: user name '%s' is also an address of %s; %s",
					called(*owner), owner.Username, called(other), text)}
		}
	}
	sortRemovals(removals)
	removals = slices.Compact(removals)
	keys := make([]pair, 0, len(findings))
	for k := range findings {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y pair) int { return cmp.Or(cmp.Compare(x.owner, y.owner), cmp.Compare(x.other, y.other)) })
	out := make([]manifest.Finding, 0, len(keys))
	for _, k := range keys {
		out = append(out, findings[k])
	}
	return removals, out
}

// sortRemovals brings removals into the order in which they are written.
func sortRemovals(list []manifest.Removal) {
	slices.SortFunc(list, func(x, y manifest.Removal) int {
		return cmp.Or(cmp.Compare(x.User, y.User), cmp.Compare(x.Person, y.Person), cmp.Compare(x.Email, y.Email))
	})
}

// matches collects addresses of persons who are no users and that became user names. It holds one removal a match.
type matches struct {
	names names
	found []manifest.Removal
}

// see takes one address record.
func (m *matches) see(a manifest.Address) {
	if owner := m.names[email.Key(a.Email)]; owner != nil && owner.Person != a.Person {
		m.found = append(m.found, manifest.Removal{Person: a.Person, Email: a.Email, User: owner.ID})
	}
}

// settle says which of the addresses found are removed, and reports each user name once. choice is --remove-from-persons;
// before are the removals of the input.
func (m *matches) settle(choice *bool, before []manifest.Removal) ([]manifest.Removal, []manifest.Finding) {
	sortRemovals(m.found)
	m.found = slices.Compact(m.found)
	kept := make(map[manifest.Removal]bool, len(before))
	for _, r := range before {
		kept[r] = true
	}
	owners := map[int64]*manifest.User{}
	for _, u := range m.names {
		owners[u.ID] = u
	}
	var removals []manifest.Removal
	var findings []manifest.Finding
	for list := m.found; len(list) > 0; {
		n := slices.IndexFunc(list, func(r manifest.Removal) bool { return r.User != list[0].User })
		if n < 0 {
			n = len(list)
		}
		gone := 0
		for _, r := range list[:n] {
			if isRemoved(choice, kept[r]) {
				removals = append(removals, r)
				gone++
			}
		}
		findings = append(findings, onPersons(*owners[list[0].User], list[:n], gone))
		list = list[n:]
	}
	return removals, findings
}

// isRemoved says whether an address on the card of a person who is no user is removed; before tells whether an earlier run
// removed it.
func isRemoved(choice *bool, before bool) bool {
	if choice != nil {
		return *choice
	}
	return before
}

// onPersons reports a user name that persons have as an address; gone of the addresses are removed.
func onPersons(owner manifest.User, list []manifest.Removal, gone int) manifest.Finding {
	f := manifest.Finding{Rule: ruleAddress, Severity: manifest.SeverityWarning, Subjects: []string{subject(owner.ID)}}
	var persons []string
	for _, r := range list {
		person := fmt.Sprintf("person:%d", r.Person)
		if slices.Contains(f.Subjects, person) {
			continue
		}
		persons = append(persons, fmt.Sprint(r.Person))
		if len(f.Subjects) <= maxNamed {
			f.Subjects = append(f.Subjects, person)
		}
	}
	f.Message = fmt.Sprintf("%s: user name '%s' is also an address of persons who are no users (ids %s); ",
		called(owner), owner.Username, enumerate(persons))
	switch gone {
	case len(list):
		f.Message += "it will be removed from their cards"
	case 0:
		f.Severity = manifest.SeverityInfo
		f.Message += "it stays there (--remove-from-persons removes it)"
	default:
		f.Message += fmt.Sprintf("it will be removed from %d of %d cards (--remove-from-persons removes it from all)", gone, len(list))
	}
	return f
}
