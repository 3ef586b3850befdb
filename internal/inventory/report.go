package inventory

import (
	"fmt"
	"strconv"

	"github.com/openomt/omt/internal/manifest"
)

// The rules that the inventory itself looks at, under the plugin "omt".
const (
	ruleNames  = "attachment-names"
	ruleRead   = "file-unreadable"
	ruleOwner  = "folder-owner"
	ruleTables = "table-missing"
)

// maxFindings is how many findings of one rule an area has; the rest is counted in one more.
const maxFindings = 1000

type rule struct {
	name  string
	areas []manifest.Area // empty: all with files
}

var rules = [...]rule{
	{ruleNames, []manifest.Area{manifest.Attachment}},
	{ruleRead, nil},
	{ruleOwner, []manifest.Area{manifest.Document}},
	{ruleTables, []manifest.Area{manifest.Database}},
}

func (r rule) covers(a manifest.Area) bool {
	for _, b := range r.areas {
		if a == b {
			return true
		}
	}
	return len(r.areas) == 0 && a != manifest.Database
}

// report collects the findings of one area.
type report struct {
	findings []manifest.Finding
	more     int // unreadable files and folders beyond maxFindings
	read     int
}

func (r *report) add(rule string, s manifest.Severity, subjects []string, format string, args ...any) {
	if subjects == nil {
		subjects = []string{}
	}
	r.findings = append(r.findings, manifest.Finding{
		Rule: rule, Severity: s, Subjects: subjects, Message: fmt.Sprintf(format, args...),
	})
}

// unreadable adds the finding for a file that cannot be read. It is an error, since its content would be lost.
func (r *report) unreadable(f *manifest.File) {
	subject := string(f.Area) + ":" + f.Path
	if f.ID != 0 {
		subject = string(f.Area) + ":" + strconv.FormatInt(f.ID, 10)
	}
	name := f.DiskPath()
	if name == "" {
		name = f.Title
	}
	r.cannotRead("file:"+subject, "file %q cannot be read: %s", name, why(f.Reason))
}

func (r *report) cannotRead(subject, format string, args ...any) {
	if r.read++; r.read > maxFindings {
		r.more++
		return
	}
	r.add(ruleRead, manifest.SeverityError, []string{subject}, format, args...)
}

// end adds the finding that stands for those that are too many.
func (r *report) end(area manifest.Area) {
	if r.more > 0 {
		r.add(ruleRead, manifest.SeverityError, nil, "%d more files or folders of area %s cannot be read; the records with state %q name them",
			r.more, area, manifest.Unreadable)
	}
}

// why says a class of package archive to people.
func why(reason string) string {
	switch reason {
	case "denied":
		return "access is denied"
	case "locked":
		return "another program holds it"
	case "network":
		return "the share does not answer"
	case "vanished":
		return "it was gone when it was looked at"
	case "link":
		return "it is a link, and links are not followed"
	case "irregular":
		return "it is no regular file"
	case "name":
		return "the system does not take its name"
	}
	return "the system gave an error, see the log"
}
