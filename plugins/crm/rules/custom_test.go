package rules

import "testing"

func TestCustomisations(t *testing.T) {
	run(t, customisations, []row{
		{"the vendor's own", given(fact("moduleowner", "1", "ownername", "SuperOffice"), fact("productversion", "1", "ownername", "SUPEROFFICE", "codename", "CRM", "version", "8.5"),
			fact("productversion", "2", "codename", "nobody's"), fact("table-outside", "sequence", "table", "sequence"), fact("table-outside", "databasemodel", "table", "databasemodel"),
			fact("table-outside", "relationship", "table", "relationship"), fact("archive-provider", "0", "archiveprovider", 0, "rows", 9),
			fact("associate-type", "0/0", "type", 0, "deleted", 0, "rows", 9), fact("associate-type", "13/1", "type", 13, "deleted", 1, "rows", 2)), nil},
		{"owners, with their modules", given(fact("moduleowner", "2", "ownername", "NORDLYS", "ownerdescription", "Nordlys AS"), fact("productversion", "5", "ownername", "Nordlys", "codename", "ErpSync", "version", "3.1"),
			fact("productversion", "6", "ownername", "other", "version", "1"), fact("moduleowner", "7", "ownername", "SILENT", "ownerdescription", "SILENT")),
			[]string{`warning [moduleowner:2 productversion:5] "NORDLYS" (Nordlys AS) has modules in the installation: ErpSync 3.1; they may stop working`,
				`warning [productversion:6] "other" has modules in the installation: 1; they may stop working`,
				`warning [moduleowner:7] "SILENT" has modules in the installation; they may stop working`}},
		{"archives", given(fact("archive-provider", "5", "archiveprovider", 5, "rows", 1), fact("archive-provider", "7", "archiveprovider", 7, "rows", 40_000)),
			[]string{`warning [archive-provider:5] archive provider 5 holds the contents of 1 document, which do not move; the file records with state "elsewhere" name them`,
				`warning [archive-provider:7] archive provider 7 holds the contents of 40000 documents, which do not move; the file records with state "elsewhere" name them`}},
		{"tables outside the model", given(fact("table-outside", "y_b", "table", "y_b"), fact("table-outside", "y_a", "table", "y_a")),
			[]string{"info [table:y_a table:y_b] the database model does not know 2 tables: y_a, y_b"}},
		{"system users", given(fact("associate-type", "13/0", "type", 13, "deleted", 0, "rows", 2), fact("associate-type", "1/0", "type", 1, "deleted", 0, "rows", 5)),
			[]string{"info [associate-type:13] 2 system users, as whom programs log in (associates of type 13): see what logs in as them, and where it is to go"}},
	})
}

func TestServiceMailbox(t *testing.T) {
	const tail = `: forward to the tenant's new addresses, or tell everybody the new ones; to go on sending from `
	run(t, serviceMailbox, []row{
		{"by domain, each address once", given(fact("service-config", "1", "default_mail", "Support@x.no", "admin_mail", ""),
			fact("mailbox", "1", "pop_server", "mail.x.no", "address", "support@X.no"), fact("mailbox", "2", "address", "orders@y.no"), fact("mailbox-alias", "3", "filter_id", 1, "alias", "hjelp@x.no")),
			[]string{`warning [service-config:1 mailbox:1 mailbox-alias:3] Service uses Support@x.no (default sender; mailbox 1 at mail.x.no), hjelp@x.no (alias 3 of mailbox 1)` + tail +
				`x.no, its SPF record needs "v=spf1 include:_spf.online.superoffice.com ~all"`,
				`warning [mailbox:2] Service uses orders@y.no (mailbox 2)` + tail + `y.no, its SPF record needs "v=spf1 include:_spf.online.superoffice.com ~all"`}},
		{"without a domain", given(fact("mailbox", "1", "address", "support")),
			[]string{"warning [mailbox:1] Service names addresses without a domain: support (mailbox 1); choose how they are to be reached"}},
		{"no mailbox", given(fact("service-config", "1", "version", "8.5"), fact("mailbox", "1", "pop_server", "mail.x.no")), nil},
	})
}
