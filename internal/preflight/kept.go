package preflight

import (
	"fmt"

	"github.com/openomt/omt/internal/manifest"
)

// maxText bounds the text of the findings of one rule that are kept, in bytes.
const maxText = 1 << 20

// kept are the findings of a rule, in constant memory: the first ones, and what is to be said of the others.
type kept struct {
	findings []manifest.Finding
	text     int
	more     int
	worst    manifest.Severity // of the others
	final    bool              // one of the others is
}

func (k *kept) add(f manifest.Finding, most int) {
	size := len(f.Message)
	for _, s := range f.Subjects {
		size += len(s) + 16
	}
	if k.more == 0 && len(k.findings) < most && (k.text+size <= maxText || len(k.findings) == 0) {
		k.text += size
		k.findings = append(k.findings, f)
		return
	}
	k.more++
	k.final = k.final || f.Final
	if weight(f.Severity) > weight(k.worst) {
		k.worst = f.Severity
	}
}

// all are the findings, with one that counts those that were not kept.
func (k *kept) all(rule string) []manifest.Finding {
	if k.more == 0 {
		return k.findings
	}
	noun := "findings"
	if k.more == 1 {
		noun = "finding"
	}
	return append(k.findings, manifest.Finding{Rule: rule, Severity: k.worst, Final: k.final,
		Message: fmt.Sprintf("and %d more %s of this rule, which are not listed", k.more, noun)})
}

func weight(s manifest.Severity) int {
	switch s {
	case manifest.SeverityError:
		return 3
	case manifest.SeverityWarning:
		return 2
	case manifest.SeverityInfo:
		return 1
	}
	return 0
}
