package rules

import (
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// Own is a rule that the tools look after themselves, under the plugin "omt".
type Own struct {
	ID, Title, Tools string
	Severity         manifest.Severity // the highest
}

// Tool is the plugin under which the tools report.
const Tool = "omt"

// OwnRules are the rules of the tools, by id.
func OwnRules() []Own {
	return []Own{
		{"ansi-text", "texts of the database are not Unicode, but in code pages", "omt-scan", manifest.SeverityInfo},
		{"attachment-names", "attachments are found by the names of their files", "omt-scan, omt-pack", manifest.SeverityError},
		{"column-type", "columns have types that can be read", "omt-scan", manifest.SeverityError},
		{"file-changed", "files do not change while they are packed", "omt-pack", manifest.SeverityError},
		{"file-unreadable", "files and folders can be read", "omt-scan, omt-pack", manifest.SeverityError},
		{"folder-owner", "folders of the archive belong to users", "omt-scan, omt-pack", manifest.SeverityWarning},
		{"table-changed", "tables do not change while they are packed", "omt-pack", manifest.SeverityError},
		{"table-missing", "tables that there should be can be seen and read", "omt-scan, omt-pack", manifest.SeverityError},
		{"username-address", "user names are no addresses on the cards of others", "omt-assign", manifest.SeverityWarning},
	}
}

// archived are those of our rules that the plugin archive holds; crm holds the others.
const archived = "document-name document-appointment document-associate document-missing file-size path-length"

// reserved says which plugins may hold ids that are ours: none those of the tools, crm and archive the required ones.
func reserved() map[string][]string {
	ids := map[string][]string{}
	for _, r := range OwnRules() {
		ids[r.ID] = nil
	}
	for _, id := range manifest.RequiredRules() {
		ids[id] = []string{"crm"}
	}
	for id := range strings.FieldsSeq(archived) {
		ids[id] = []string{"archive"}
	}
	return ids
}
