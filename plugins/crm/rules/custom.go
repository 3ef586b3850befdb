package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// The vendor's own name as an owner of modules, and the type of associates that programs log in as.
const (
	vendor     = "SUPEROFFICE"
	systemUser = 13
)

// bookkeeping are the database's own tables that need not be in its model: the table of keys, the model itself and the
// dictionary of older versions.
var bookkeeping = []string{"sequence", "databasemodel", "conceptualdatabase", "conceptualtable", "conceptualfield", "physicalschema",
	"physicaldatabase", "physicaltable", "physicalfield", "dicindex", "indexfield", "relationship"}

var customisations = sdk.Rule{
	ID: "customisations", Title: "what partners and integrations have added",
	Help: "What others have built on the installation may stop working at the tenant. Named are modules of other owners than the vendor; " +
		"documents in other archives than the folder, whose rows move and whose contents do not; tables that the database model " +
		"does not know, whose rows move, and what is to use them there is not known; and system users, as whom programs log in, " +
		"which the tenant supports. Ask whoever made them what takes their place.",
	Severity: sdk.Warning,
	Evidence: "documented: customisations may stop working; inferred: that system users need no plan",
	Facts:    []string{"moduleowner", "productversion", "table-outside", "archive-provider", "associate-type"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		var c additions
		for f := range sdk.Each[*sdk.Fact](in) {
			c.add(f)
		}
		c.report(report)
		return nil
	},
}

// additions are what was found of others.
type additions struct {
	owners      []*owner
	providers   []*sdk.Fact
	outside     []string
	systemUsers int64
}

// owner is one who has modules in the installation and is not the vendor.
type owner struct {
	name, description string
	subjects, modules []string
}

func (c *additions) owner(name string) *owner {
	i := slices.IndexFunc(c.owners, func(o *owner) bool { return strings.EqualFold(o.name, name) })
	if i < 0 {
		c.owners, i = append(c.owners, &owner{name: name}), len(c.owners)
	}
	return c.owners[i]
}

func (c *additions) add(f *sdk.Fact) {
	switch name := text(f, "ownername"); f.Name {
	case "moduleowner", "productversion":
		if name == "" || strings.EqualFold(name, vendor) {
			return
		}
		o := c.owner(name)
		o.subjects = append(o.subjects, rowSubject(f.Name, f.ID))
		if f.Name == "moduleowner" {
			o.description = text(f, "ownerdescription")
			return
		}
		o.modules = append(o.modules, oneLine(text(f, "codename")+" "+text(f, "version")))
	case "table-outside":
		if t := text(f, "table"); !slices.Contains(bookkeeping, t) {
			c.outside = append(c.outside, t)
		}
	case "archive-provider":
		if n, _ := number(f, "archiveprovider"); n != 0 {
			c.providers = append(c.providers, f)
		}
	default:
		kind, _ := number(f, "type")
		deleted, _ := number(f, "deleted")
		rows, _ := number(f, "rows")
		if kind == systemUser && deleted == 0 {
			c.systemUsers += rows
		}
	}
}

func (c *additions) report(report sdk.Report) {
	for _, o := range c.owners {
		message := fmt.Sprintf("%q has modules in the installation", o.name)
		if o.description != "" && o.description != o.name {
			message = fmt.Sprintf("%q (%s) has modules in the installation", o.name, o.description)
		}
		if len(o.modules) > 0 {
			message += ": " + enumerate(o.modules)
		}
		report(sdk.Finding{Subjects: o.subjects, Message: message + "; they may stop working"})
	}
	for _, f := range c.providers {
		id, _ := number(f, "archiveprovider")
		rows, _ := number(f, "rows")
		report(sdk.Finding{Subjects: []string{rowSubject("archive-provider", f.ID)}, Message: fmt.Sprintf("archive provider %d holds the contents of %s, which do not move; the file records with state \"elsewhere\" name them",
			id, count(int(rows), "document", "documents"))})
	}
	if len(c.outside) > 0 {
		slices.Sort(c.outside)
		f := sdk.Finding{Severity: sdk.Info, Message: fmt.Sprintf("the database model does not know %s: %s", count(len(c.outside), "table", "tables"), enumerate(c.outside))}
		for _, t := range c.outside {
			f.Subjects = append(f.Subjects, sdk.TableSubject(t))
		}
		report(f)
	}
	if c.systemUsers > 0 {
		report(sdk.Finding{Severity: sdk.Info, Subjects: []string{rowSubject("associate-type", fmt.Sprint(systemUser))}, Message: fmt.Sprintf("%s, as whom programs log in (associates of type %d): see what logs in as them, and where it is to go",
			count(int(c.systemUsers), "system user", "system users"), systemUser)})
	}
}
