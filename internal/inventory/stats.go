package inventory

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

// maxUnowned is how many folders that nobody owns are told apart.
const maxUnowned = 5000

// stats counts what the findings about folders need: a number for each user, and some for each folder that nobody owns.
type stats struct {
	users   map[string]*userStats // by folded login
	unowned map[string]*unowned   // by folded name
	more    int                   // folders beyond maxUnowned
}

type userStats struct {
	login   string
	missing int64
}

type unowned struct {
	name  string
	files int64
	votes map[string]int64 // missing documents whose file lies here, by folded login
}

func newStats() *stats {
	return &stats{users: map[string]*userStats{}, unowned: map[string]*unowned{}}
}

// miss counts a row without file, and the folders at the top that have its file.
func (s *stats) miss(row *manifest.File, tops []string) {
	key := archive.Fold(row.Owner)
	u := s.users[key]
	if u == nil {
		u = &userStats{login: row.Owner}
		s.users[key] = u
	}
	u.missing++
	for _, top := range tops {
		if u := s.unowned[top]; u != nil {
			u.votes[key]++
		}
	}
}

func (s *stats) unownedFolder(folded, name string) {
	if s.unowned[folded] != nil {
		return
	}
	if len(s.unowned) == maxUnowned {
		s.more++
		return
	}
	s.unowned[folded] = &unowned{name: name, votes: map[string]int64{}}
}

// fileIn counts a file in a folder at the top.
func (s *stats) fileIn(top string) {
	if u := s.unowned[top]; u != nil {
		u.files++
	}
}

// report names the folders that nobody owns, and whose they seem to be.
func (s *stats) report(r *report) {
	keys := sortedKeys(s.unowned)
	for n, key := range keys {
		if n == maxFindings {
			s.more += len(keys) - n
			break
		}
		u := s.unowned[key]
		subject := []string{"folder:" + u.name}
		login, votes := u.best()
		if votes == 0 {
			r.add(ruleOwner, manifest.SeverityWarning, subject,
				"folder %q (%d files) belongs to no user, and no missing document has its file there", u.name, u.files)
			continue
		}
		user := s.users[login]
		r.add(ruleOwner, manifest.SeverityWarning, subject,
			"folder %q (%d files) belongs to no user; %d of the %d missing documents of %q have their file there: --folder %s",
			u.name, u.files, votes, user.missing, user.login, quoteFolder(user.login+"="+u.name))
	}
	if s.more > 0 {
		r.add(ruleOwner, manifest.SeverityWarning, nil, "%d more folders belong to no user", s.more)
	}
}

// best gives the login most of whose missing documents lie here.
func (u *unowned) best() (login string, votes int64) {
	type vote struct {
		login string
		n     int64
	}
	var all []vote
	for l, n := range u.votes {
		all = append(all, vote{l, n})
	}
	if len(all) == 0 {
		return "", 0
	}
	top := slices.MinFunc(all, func(a, b vote) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.login, b.login)) })
	return top.login, top.n
}

// quoteFolder writes LOGIN=NAME so that bash and PowerShell take it as one word.
func quoteFolder(s string) string {
	plain := func(r rune) bool {
		return r == '=' || r == '_' || r == '-' || r == '.' || r == '%' || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	switch {
	case strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0:
		return s
	case strings.Contains(s, "'"):
		return `"` + s + `"`
	}
	return "'" + s + "'"
}
