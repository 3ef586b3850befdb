package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// maxNamed is how many users, rows or addresses a text names.
const maxNamed = 10

// enumerate joins names, the first ten of them.
func enumerate(list []string) string {
	if more := len(list) - maxNamed; more > 0 {
		return strings.Join(list[:maxNamed], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(list, ", ")
}

// oneLine makes one line of a text.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// called is a user for people, on one line: GKS (Gunn K. Schpaa).
func called(u *sdk.User) string {
	name := oneLine(u.Name)
	if name == "" {
		return u.Login
	}
	return u.Login + " (" + name + ")"
}

// count is a number with its noun: 1 user, 2 users.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// rowSubject names a row of a table.
func rowSubject(table, id string) string { return table + ":" + id }

// text is a text of a fact, on one line and without space around it.
func text(f *sdk.Fact, key string) string {
	switch v := f.Data[key].(type) {
	case nil:
		return ""
	case string:
		return oneLine(v)
	default:
		return fmt.Sprint(v)
	}
}

// number is a number of a fact; ok is false where it is not told.
func number(f *sdk.Fact, key string) (n int64, ok bool) {
	switch v := f.Data[key].(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return int64(v), true
	}
	return 0, false
}

// people finds users for facts that name associates by id.
type people map[int64]*sdk.User

// called is an associate for people.
func (p people) called(id int64) string {
	if u := p[id]; u != nil {
		return called(u)
	}
	return fmt.Sprintf("associate %d, who is no active user", id)
}
