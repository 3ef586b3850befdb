package board

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/plugins/sdk/email"
)

// item is a line of the checklist.
type item struct {
	ID    string `json:"id"` // "plans", "usernames", "notifications", "findings"
	Title string `json:"title"`
	Done  bool   `json:"done"`
	Open  int    `json:"open"` // how many things block
	Notes []note `json:"notes"`
}

// note is one thing that an item has to say.
type note struct {
	Text     string  `json:"text"`
	Severity string  `json:"severity"` // "error" blocks, unless it is waived
	Rule     string  `json:"rule,omitempty"`
	Subject  string  `json:"subject,omitempty"` // the one by which a waiver would name it
	Waived   string  `json:"waived,omitempty"`
	Waivable bool    `json:"waivable,omitempty"`
	Users    []int64 `json:"users,omitempty"`
}

// maxNamed is how many users without a name are listed one by one.
const maxNamed = 10

// maxNotes bounds what an item says; Open counts all.
const maxNotes = 50

// itemOf is the item that findings of a rule belong to; empty where none shows them.
func itemOf(rule string) string {
	switch rule {
	case "undecided-user", "plan-seats", "administrator-plan":
		return "plans"
	case "duplicate-email", "invalid-email", "missing-email":
		return "usernames"
	case "username-address":
		return "" // shown as removals
	}
	return "findings"
}

// checklist is the state of the work: three items, and what the rules say about users beside them.
func checklist(users []manifest.User, findings []manifest.Finding, summary string, failed error) []item {
	items := []item{
		{ID: "plans", Title: "User plans", Notes: []note{}},
		{ID: "usernames", Title: "User names", Notes: []note{}},
		{ID: "notifications", Title: "E-mail notifications", Notes: []note{}},
		{ID: "findings", Title: "Preflight findings about users", Notes: []note{}},
	}
	var missing []note
	for _, f := range findings {
		i := slices.IndexFunc(items, func(i item) bool { return i.ID == itemOf(f.Rule) })
		switch n := noteOf(f); {
		case f.Rule == "undecided-user", i < 0: // undecided users are counted below
		case f.Rule == "missing-email" && n.blocks():
			missing = append(missing, n)
		default:
			items[i].add(n)
		}
	}
	undecided, nameless := 0, 0
	for _, u := range users {
		if u.Plan == nil {
			undecided++
			if u.Username == "" {
				nameless++
			}
		}
	}
	if undecided > 0 {
		items[0].block("%s undecided: give each a plan, or none", people(undecided, "is", "are"))
	}
	if len(missing) > maxNamed {
		items[1].block("%s a plan and no user name", people(len(missing), "has", "have"))
	} else {
		for _, n := range missing {
			items[1].add(n)
		}
	}
	if nameless > 0 {
		items[1].block("%s undecided and without a user name", people(nameless, "is", "are"))
	}
	items[2].notifications(users, summary)
	if failed != nil {
		items[3].block("the rules could not be run: %v", failed)
	}
	for i := range items {
		items[i].Done = items[i].Open == 0
		slices.SortStableFunc(items[i].Notes, func(a, b note) int { return rank(a) - rank(b) })
		items[i].Notes = items[i].Notes[:min(len(items[i].Notes), maxNotes)]
	}
	return items
}

// rank sorts what blocks before what does not.
func rank(n note) int {
	if n.blocks() {
		return 0
	}
	return 1
}

func (n note) blocks() bool { return n.Severity == string(manifest.SeverityError) && n.Waived == "" }

// block adds something that no waiver lets stand.
func (i *item) block(format string, args ...any) {
	i.add(note{Severity: string(manifest.SeverityError), Text: fmt.Sprintf(format, args...)})
}

func (i *item) add(n note) {
	if n.blocks() {
		i.Open++
	}
	i.Notes = append(i.Notes, n)
}

// noteOf is a finding for the page. A waiver names its first subject.
func noteOf(f manifest.Finding) note {
	n := note{Text: f.Message, Severity: string(f.Severity), Rule: f.Rule, Waived: f.Waived, Waivable: !f.Final}
	if len(f.Subjects) > 0 {
		n.Subject = f.Subjects[0]
	}
	for _, s := range f.Subjects {
		var id int64
		if _, err := fmt.Sscanf(s, "user:%d", &id); err == nil {
			n.Users = append(n.Users, id)
		}
	}
	return n
}

// notifications says what is not chosen yet.
func (i *item) notifications(users []manifest.User, summary string) {
	open := 0
	for _, u := range users {
		if u.Welcome == nil && (u.Plan == nil || *u.Plan != "") {
			open++
		}
	}
	if open > 0 {
		i.block("the welcome e-mail is not chosen for %s", strings.TrimSpace(people(open, "", "")))
	}
	if summary == "" {
		return
	}
	if err := email.Check(summary); err != nil {
		i.block("the address of the user summary, '%s', is no e-mail address: %v", summary, err)
	}
}

// people counts users: "1 user is", "3 users are".
func people(n int, one, many string) string {
	if n == 1 {
		return "1 user " + one
	}
	return fmt.Sprintf("%d users %s", n, many)
}

// blocking lists what keeps OK from being possible, at most a few of each item.
func blocking(items []item) []string {
	const shown = 5
	var out []string
	for _, i := range items {
		n := 0
		for _, t := range i.Notes {
			if !t.blocks() {
				continue
			}
			if n++; n <= shown {
				out = append(out, strings.ToLower(i.Title[:1])+i.Title[1:]+": "+t.Text)
			}
		}
		if more := i.Open - min(n, shown); more > 0 {
			out = append(out, fmt.Sprintf("%s: %d more", strings.ToLower(i.Title[:1])+i.Title[1:], more))
		}
	}
	return out
}
