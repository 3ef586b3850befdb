package pack

import (
	"fmt"
	"sync"

	"github.com/openomt/omt/internal/manifest"
)

// The rules that pack itself looks after; it reports them under plugin "omt".
const (
	ruleChanged    = "file-changed"
	ruleUnreadable = "file-unreadable"
	ruleTable      = "table-changed"
)

// maxFindings is how many findings of a rule are written one by one; the rest is one summary.
const maxFindings = 1000

// fileFindings collects what went wrong with single files and tables. It is safe for concurrent use.
type fileFindings struct {
	mu    sync.Mutex
	list  []manifest.Finding
	count map[string]int
}

func (f *fileFindings) changed(file manifest.File, err error) {
	f.add(ruleChanged, manifest.SeverityError, subject(file),
		fmt.Sprintf("%s: %v; run omt-pack again when nobody works with it", entryName(file), err))
}

func (f *fileFindings) unreadable(file manifest.File, err error) {
	f.add(ruleUnreadable, manifest.SeverityError, subject(file),
		fmt.Sprintf("%s: %v; give the account that runs omt-pack the right to read it, or close the program that holds it", entryName(file), err))
}

func subject(f manifest.File) string {
	if f.ID != 0 {
		return fmt.Sprintf("file:%s:%d", f.Area, f.ID)
	}
	return fmt.Sprintf("file:%s:%s", f.Area, f.Path)
}

func (f *fileFindings) add(rule string, severity manifest.Severity, subject, message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[rule]++
	if f.count[rule] > maxFindings {
		return
	}
	f.list = append(f.list, manifest.Finding{Rule: rule, Severity: severity, Subjects: []string{subject}, Message: message})
}

// records returns what was found, each rule with its check; rules that found more than the limit end with a summary.
func (f *fileFindings) records(tool string) (checks []manifest.Check, findings []manifest.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	findings = f.list
	for _, rule := range []string{ruleChanged, ruleTable} {
		checks = append(checks, manifest.Check{Rule: rule, Plugin: "omt", Tool: tool, Status: "done", Findings: f.count[rule]})
	}
	for rule, n := range f.count {
		if n > maxFindings {
			findings = append(findings, manifest.Finding{Rule: rule, Severity: manifest.SeverityError,
				Message: fmt.Sprintf("and %d more", n-maxFindings)})
		}
	}
	return checks, findings
}
