package rules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

const (
	missingError = 20 // more than one in so many rows missing makes an error
	wholeUser    = 5  // a user with so many documents, all missing, makes an error whatever else is in the folder
)

var documentMissing = sdk.Rule{
	ID: "document-missing", Title: "the file of every document is in the archive",
	Help: "A document whose file is missing arrives at the tenant without content. A few are common, and can be found " +
		"and sent later. More than 5 % of all, or everything of one user, is an error, since then rather a folder or a disk is " +
		"missing: look for the user's folder under a former name (--folder LOGIN=NAME), and for an archive that was not named " +
		"(--root document=DIR). The file records with state \"missing\" name each document, and up to three places where a file of that name lies.",
	Severity: sdk.Warning,
	Reads:    []string{sdk.KindUser, sdk.KindFile},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		s := lost{ids: map[string]int64{}, authors: map[string]*author{}, exact: map[string]*author{}}
		for rec := range in.Records() {
			switch rec := rec.(type) {
			case *sdk.User:
				s.ids[fold(rec.Login)] = rec.ID
			case *sdk.File:
				s.add(rec)
			}
		}
		s.report(report)
		return nil
	},
}

// lost counts documents without a file.
type lost struct {
	ids     map[string]int64 // of users, by folded login
	rows    int64            // of the archive's own provider
	outside int64            // whose path would leave the archive
	placed  int64            // with a find elsewhere
	list    list
	authors map[string]*author // by folded login
	exact   map[string]*author // the same by login
}

// author is what there is of one user's documents.
type author struct {
	login             string
	expected, missing int64
	other             bool // a file that belongs to no row lies in the folder
}

func fold(login string) string { return strings.ToLower(login) }

func (s *lost) author(login string) *author {
	if a := s.exact[login]; a != nil {
		return a
	}
	key := fold(login)
	if s.authors[key] == nil {
		s.authors[key] = &author{login: login}
	}
	s.exact[login] = s.authors[key]
	return s.authors[key]
}

func (s *lost) add(f *sdk.File) {
	switch {
	case f.Area != areaDocument:
	case f.ID == 0:
		if f.Owner != "" { // without a row, below a folder that somebody owns
			s.author(f.Owner).other = true
		}
	case row(f) && f.State != elsewhere:
		s.rows++
		s.addRow(f)
	}
}

func (s *lost) addRow(f *sdk.File) {
	switch {
	case f.State == blankName: // no file was looked for
		return
	case f.State == missing && f.Reason == "outside":
		s.outside++
		s.list.add(f, "its path would leave the archive")
		return
	}
	a := s.author(f.Owner)
	a.expected++
	if f.State != missing {
		return
	}
	a.missing++
	if len(f.Candidates) == 0 {
		s.list.add(f, "no file at %q", f.Path)
		return
	}
	s.placed++
	s.list.add(f, "no file at %q; one of that name lies at %q", f.Path, f.Candidates[0])
}

func (s *lost) report(report sdk.Report) {
	if s.list.total == 0 {
		return
	}
	f := sdk.Finding{Severity: sdk.Warning}
	if s.list.total*missingError > s.rows {
		f.Severity = sdk.Error
	}
	f.Message = fmt.Sprintf("%d of %d documents have no file (%s)", s.list.total, s.rows, byOwner(s.list.owners))
	if s.placed > 0 {
		f.Message += fmt.Sprintf("; for %d of them a file of that name lies elsewhere", s.placed)
	}
	if s.outside > 0 {
		f.Message += fmt.Sprintf("; the path of %d would leave the archive", s.outside)
	}
	report(f)
	for _, key := range slices.Sorted(maps.Keys(s.authors)) {
		a := s.authors[key]
		if a.missing == 0 || a.missing < a.expected || a.other && a.expected < wholeUser {
			continue
		}
		f := sdk.Finding{Severity: sdk.Error}
		if id, ok := s.ids[key]; ok {
			f.Subjects = append(f.Subjects, sdk.UserSubject(id))
		}
		f.Subjects = append(f.Subjects, "folder:"+a.login)
		how := "is not there, or empty"
		if a.other {
			how = "is there and has none of them"
		}
		f.Message = fmt.Sprintf("all documents of user %q are missing (%d): the folder %s", a.login, a.missing, how)
		report(f)
	}
	for _, f := range s.list.first {
		report(f)
	}
}
