package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

const (
	missingError = 20   // one in so many rows missing makes an error
	wholeUser    = 5    // a user with so many documents, all missing, makes an error
	maxUnowned   = 5000 // folders that nobody owns and that are told apart
)

// stats counts what the findings about documents need: a few numbers for each user and each folder that nobody owns.
type stats struct {
	folders *folders
	rows    int64 // of the archive's own provider
	outside int64
	missing int64                 // without outside
	placed  int64                 // missing rows with a candidate
	users   map[string]*userStats // by folded login
	seen    map[string]bool       // folders at the top that somebody owns
	unowned map[string]*unowned   // by folded name
	more    int                   // folders beyond maxUnowned
}

type userStats struct {
	login             string
	expected, missing int64
}

type unowned struct {
	name  string
	files int64
	votes map[string]int64 // missing documents whose file lies here, by folded login
}

func newStats(f *folders) *stats {
	return &stats{folders: f, users: map[string]*userStats{}, seen: map[string]bool{}, unowned: map[string]*unowned{}}
}

// expect counts a row that is looked for.
func (s *stats) expect(login string) {
	key := archive.Fold(login)
	u := s.users[key]
	if u == nil {
		u = &userStats{login: login}
		s.users[key] = u
	}
	u.expected++
}

// miss counts a row without file, and the folders at the top that have its file.
func (s *stats) miss(row *manifest.File, tops []string) {
	key := archive.Fold(row.Owner)
	s.missing++
	s.users[key].missing++
	if len(row.Candidates) > 0 {
		s.placed++
	}
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

func (s *stats) report(r *report) {
	s.reportMissing(r)
	s.reportUsers(r)
	s.reportFolders(r)
}

func (s *stats) reportMissing(r *report) {
	all := s.missing + s.outside
	if all == 0 {
		return
	}
	severity := manifest.SeverityWarning
	if all*missingError > s.rows {
		severity = manifest.SeverityError
	}
	text := fmt.Sprintf("%d of %d documents have no file", all, s.rows)
	if s.placed > 0 {
		text += fmt.Sprintf("; for %d of them a file of that name lies elsewhere", s.placed)
	}
	if s.outside > 0 {
		text += fmt.Sprintf("; the path of %d would leave the archive", s.outside)
	}
	r.add(ruleMissing, severity, nil, "%s", text)
}

// reportUsers names the users of whom everything is missing.
func (s *stats) reportUsers(r *report) {
	for _, key := range sortedKeys(s.users) {
		u := s.users[key]
		absent := !s.hasFolder(key)
		if u.missing == 0 || u.missing < u.expected || !absent && u.expected < wholeUser {
			continue
		}
		var subjects []string
		if a, ok := s.folders.accounts[key]; ok {
			subjects = append(subjects, fmt.Sprintf("user:%d", a.ID))
		}
		subjects = append(subjects, "folder:"+u.login)
		how := "is there and has none of them"
		if absent {
			how = "is not there"
		}
		r.add(ruleMissing, manifest.SeverityError, subjects, "all documents of user %q are missing (%d): the folder %s", u.login, u.missing, how)
	}
}

func (s *stats) hasFolder(login string) bool {
	return s.seen[login] || slices.ContainsFunc(s.folders.aliases[login], func(a string) bool { return s.seen[a] })
}

// reportFolders names the folders that nobody owns, and whose they seem to be.
func (s *stats) reportFolders(r *report) {
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
