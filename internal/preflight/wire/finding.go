package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/openomt/omt/internal/manifest"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// What is kept of a finding at most.
const (
	MaxMessage  = 2000 // characters of a message or a subject
	MaxSubjects = 100
)

// Severity is a severity of the contract as the manifest writes it. None is the empty string; ok is false for one that is
// not known.
func Severity(s pb.Severity) (severity manifest.Severity, ok bool) {
	switch s {
	case pb.Severity_SEVERITY_UNSPECIFIED:
		return "", true
	case pb.Severity_SEVERITY_ERROR:
		return manifest.SeverityError, true
	case pb.Severity_SEVERITY_WARNING:
		return manifest.SeverityWarning, true
	case pb.Severity_SEVERITY_INFO:
		return manifest.SeverityInfo, true
	}
	return "", false
}

// Finding makes a record of a finding. Its texts are made one line each and cut to MaxMessage; of more than MaxSubjects
// subjects the first stay. The severity is empty where the finding leaves it to its rule; ok is false where it is not known.
func Finding(f *pb.Finding) (finding manifest.Finding, ok bool) {
	severity, ok := Severity(f.Severity)
	finding = manifest.Finding{Rule: f.Rule, Severity: severity, Message: Line(f.Message, MaxMessage), Final: f.Final}
	for _, s := range f.Subjects[:min(len(f.Subjects), MaxSubjects)] {
		if s = Line(s, MaxMessage); s != "" {
			finding.Subjects = append(finding.Subjects, s)
		}
	}
	return finding, ok
}

// Line makes one line of a text from outside: no control characters, no characters that turn the direction of text, not
// more than n characters.
func Line(s string, n int) string {
	if utf8.RuneCountInString(s) <= n && strings.IndexFunc(s, stray) < 0 {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	for _, r := range s {
		if n--; n < 0 {
			break
		}
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case !stray(r):
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

// stray reports whether a character has no place in a line that is shown on a terminal.
func stray(r rune) bool {
	return unicode.IsControl(r) || r == utf8.RuneError || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029
}
