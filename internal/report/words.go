package report

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/openomt/omt/internal/manifest"
)

// nameOf is an area for people.
func nameOf(a manifest.Area) string {
	switch a {
	case manifest.Database:
		return "Database"
	case manifest.Template:
		return "Templates"
	case manifest.Document:
		return "Documents"
	case manifest.Service:
		return "Customer Service files"
	case manifest.Attachment:
		return "Service attachments"
	}
	return string(a)
}

// why says in words why a file has its state, as the inventory and pack give it.
func why(f manifest.File) string {
	switch f.State {
	case manifest.Missing:
		return whyMissing(f.Reason)
	case manifest.BlankName:
		return "the database names no file for it: it may never have been saved"
	case manifest.Elsewhere:
		if f.Reason == "url" {
			return "it is a web address and no file"
		}
		return with("another archive than the folder holds it", f.Reason)
	case manifest.NoAppointment:
		return "no activity belongs to it"
	case manifest.NoAssociate:
		if f.Reason == "author" {
			return "its author is gone from the database, so that nobody knows its folder"
		}
		return "its author, or the owner of its activity, is gone from the database"
	case manifest.Unreadable:
		return "it could not be read: " + whyUnreadable(f.Reason)
	case manifest.Present, manifest.Stored:
		return "it was there and was not packed"
	case manifest.NoRow:
		return whyNoRow(f)
	case manifest.Shadowed:
		return "a file of the same name in an earlier folder takes its place"
	case manifest.Left:
		return whyLeft(f.Reason)
	}
	return with(string(f.State), f.Reason)
}

func with(text, reason string) string {
	if reason == "" {
		return text
	}
	return text + " (" + reason + ")"
}

func whyMissing(reason string) string {
	switch reason {
	case "":
		return "its file is not in the archive"
	case "outside":
		return "its path in the database leads out of the archive"
	case "vanished":
		return "its file was gone when it was to be packed"
	case "deleted":
		return "its file is not in the archive, and its row is marked as deleted"
	case "naming":
		return "which file is its own could not be told from the names of the files"
	case "no-appointment":
		return "its file is not in the archive, and no activity belongs to it"
	case "no-associate":
		return "its file is not in the archive, and its author or the owner of its activity is gone"
	}
	return with("its file is not in the archive", reason)
}

func whyUnreadable(reason string) string {
	switch reason {
	case "denied":
		return "access was denied"
	case "locked":
		return "another program held it"
	case "network":
		return "the share did not answer"
	case "vanished":
		return "it was gone when it was looked at"
	case "link":
		return "it is a link, and links are not followed"
	case "irregular":
		return "it is no regular file"
	case "name":
		return "the system does not take its name"
	case "changed":
		return "it changed while it was read, twice"
	case "", "error":
		return "the system gave an error"
	}
	return reason
}

func whyNoRow(f manifest.File) string {
	switch f.Reason {
	case "same-name":
		return "another file of the folder that means the same name was taken"
	case "same-number":
		return "another file of the same number was taken"
	case "other-location":
		return "it lies in another location than its row names"
	}
	if f.Area == manifest.Template {
		return "no template of the database uses it"
	}
	return with("nothing in the database refers to it", f.Reason)
}

func whyLeft(reason string) string {
	switch reason {
	case "area":
		return "its area took no part in this run"
	case "age":
		return "it was changed after the day up to which this run went"
	case "limit":
		return "a limit of this run left it out"
	case "secrets":
		return "it holds passwords of the installation, which the tenant has no use for"
	}
	return with("it was left out", reason)
}

// count is a number with its word: "1 document", "1,234 documents".
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return comma(n) + " " + many
}

func comma(n int64) string { return humanize.Comma(n) }

func size(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

func isAre(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// day is an instant for people.
func day(t manifest.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04") + " UTC"
}

// enumerate joins words: "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// percent is a share for people.
func percent(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", f*100), "0"), ".") + " %"
}
