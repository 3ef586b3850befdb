package sourcetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// answers asks every question about the modern database.
func (e Engine) answers(t *testing.T) {
	db := e.New(t)
	load(t, db, "crm7", modern())
	v := view(t, db, "")
	ctx := t.Context()
	same(t, "Identity", must[source.Identity](t)(v.Identity(ctx)), source.Identity{
		Owner: "Kalles Rør AS", Serial: "1801830017", Version: "8.5.7458",
		VersionFrom: "ProductVersion.version, the highest of 8.5.7300, 8.5.7458., unknown",
	})
	same(t, "Users", must[[]source.User](t)(v.Users(ctx)), wantUsers())
	same(t, "Accounts", must[[]source.Account](t)(v.Accounts(ctx)), wantAccounts())
	same(t, "Rights", must[[]string](t)(v.Rights(ctx)), []string{"admin-all", "admin-udef"})
	same(t, "Plans", must[[]source.Plan](t)(v.Plans(ctx)), []source.Plan{
		{Name: "superlicense-no-selection", Title: "(No Selection)", Seats: 0, Used: 2, Unlimited: true},
		{Name: "ten-service", Title: "Service Premium", Seats: 5, Used: 1, Unlimited: true},
		{Name: "ten-sales", Title: "Sales Premium", Seats: 20, Used: 3},
	})
	addresses := collect(t, v.Addresses(ctx))
	slices.SortFunc(addresses, func(a, b source.Address) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Rank, b.Rank))
	})
	same(t, "Addresses", addresses, []source.Address{
		{Person: 103, Rank: 1, Email: "old@example.com"},
		{Person: 105, Rank: 3, Email: "ext@example.com"},
		{Person: 200, Rank: 1, Email: "Other@example.com"},
		{Person: 200, Rank: 2, Email: "other@EXAMPLE.com"},
	})
	e.files(t, v)
	facts, texts := apart(collect(t, v.Facts(ctx)))
	same(t, "Facts", factLines(facts), append(wantFacts(), outside(v.Tables())...))
	if len(texts) == 0 || texts[0].Data["form"] != "unicode" {
		t.Errorf("facts of text columns: %v", texts)
	}
	same(t, "Count", must[int64](t)(v.Count(ctx, "EMAIL")), 11)
	if _, err := v.Count(ctx, "nope"); err == nil || !strings.Contains(err.Error(), `no table "nope"`) {
		t.Errorf("Count of a table that is not there: %v", err)
	}
}

func wantUsers() []source.User {
	kk := []string{"First@Example.com", "second@example.com", "kk@example.com"}
	return []source.User{
		{ID: 1, Person: 101, Login: "KK", Name: "Karl Klopp", Company: "8docklock", Group: "Ledelse", Role: "User level 0",
			Position: "Daglig leder", Onsite: "ten-sales", Confidential: true, Emails: kk,
			Rights: []string{"admin-all", "admin-udef"}, RoleID: 1, Contact: 11},
		{ID: 2, Person: 102, Login: "GKS", Name: "Gunn K. Schpaa", Company: "8docklock", Group: "Sales æøå 日本 😀",
			Role: "User level 3", Onsite: "ten-service", Emails: []string{"gunn@example.com"}, Rights: []string{"admin-udef"},
			RoleID: 2, Contact: 11},
		{ID: 7, Person: 999, Login: "dangle", RoleID: 99},
		{ID: 8, Person: 108, Login: "gone", Name: "Re Tired", Group: "Ledelse", Onsite: "superlicense-no-selection", Contact: 88},
	}
}

func wantAccounts() []source.Account {
	u := wantUsers()
	return []source.Account{
		{ID: 1, Person: 101, Login: "KK", FullName: "Karl Klopp", Rights: u[0].Rights, RoleName: "User level 0",
			Emails: u[0].Emails, Phones: []string{"+47 1", "93 46 60 18"}},
		{ID: 2, Person: 102, Login: "GKS", FullName: "Gunn K. Schpaa", Rights: u[1].Rights, RoleName: "User level 3", Emails: u[1].Emails},
		{ID: 3, Person: 103, Login: "old", Retired: true, FullName: "Old Timer", Emails: []string{"old@example.com"}},
		{ID: 4, Login: "room", Type: 1},
		{ID: 5, Person: 105, Login: "ext", Type: 4, FullName: "Ext Ernal", Emails: []string{"ext@example.com"}},
		{ID: 6, Login: "sys", Type: 13},
		{ID: 7, Person: 999, Login: "dangle"},
		{ID: 8, Person: 108, Login: "gone", Retired: true, FullName: "Re Tired"},
		{ID: 50, Person: 150, Login: "former2", FullName: "Fritz v. Former", Retired: true, Former: true},
	}
}

// files asks about documents, templates and attachments.
func (e Engine) files(t *testing.T, v *source.View) {
	ctx := t.Context()
	docs := collect(t, v.Documents(ctx))
	slices.SortFunc(docs, func(a, b source.Doc) int { return cmp.Compare(a.ID, b.ID) })
	at := func(s string) time.Time { return moment(source.ParseType("datetime"), s) }
	none := at(unset)
	same(t, "Documents", docs, []source.Doc{
		{ID: 1, Name: "one.docx", Title: "One", Registered: at("2002-07-31 23:30:00.003"), Author: 1, AuthorLogin: "KK",
			HasAppointment: true, HasAssociate: true, Updated: at("2003-01-01 00:00:00")},
		{ID: 2, Name: "two.docx", Title: "Two", Registered: at("2002-08-01 00:00:00"), Author: 2, AuthorLogin: "GKS",
			HasAppointment: true, HasAssociate: true, Updated: none},
		{ID: 3, Title: "Blank", Registered: at("2010-01-01 00:00:00"), Author: 3, AuthorLogin: "old", HasAppointment: true, Updated: none},
		{ID: 4, Name: "ext.docx", Title: "External", Provider: 5, Registered: at("2010-01-01 00:00:00"), Author: 50,
			AuthorLogin: "former2", HasAssociate: true, Updated: none},
		{ID: 5, Registered: none, Author: 777, HasAssociate: true, Updated: none},
		{ID: 6, Name: "dangle.docx", Title: "Dangle", Registered: at("2011-01-01 00:00:00"), HasAppointment: true, Updated: none},
		{ID: 7, Name: "back.docx", Title: "Back", Provider: 5, Registered: at("2011-01-01 00:00:00"), Author: 1, AuthorLogin: "KK",
			HasAppointment: true, HasAssociate: true, Updated: none},
		{ID: 8, Name: "none.docx", Title: "None", Registered: at("2011-01-01 00:00:00"), Author: 1, AuthorLogin: "KK", HasAssociate: true, Updated: none},
	})
	same(t, "Templates", collect(t, v.Templates(ctx)), []source.Tmpl{
		{ID: 1, Title: "Letter", File: "letter.dotx"}, {ID: 2, Title: "Gone", File: "gone.dotx", Deleted: true},
		{ID: 3, Title: "Elsewhere", Provider: 7},
	})
	same(t, "Attachments", collect(t, v.Attachments(ctx)), []source.Attached{
		{ID: 3, Name: "a.pdf", Size: -1}, {ID: 4, Size: -1, Location: 1}, {ID: 10001, Name: "b.pdf", Size: 12, Location: 2},
	})
	same(t, "Locations", must[[]source.Location](t)(v.Locations(ctx)), []source.Location{{ID: 1, Path: `D:\CS\att`}, {ID: 2, Path: `D:\new`}})
	same(t, "ServiceConfig", must[source.ServiceConfig](t)(v.ServiceConfig(ctx)), source.ServiceConfig{
		HasRow: true, TextPath: `D:\CS\text`, AttachmentPath: `D:\CS\att`, Tag: "EJ", Version: "8.5",
	})
}

// apart separates the facts of text columns, whose collations are the server's own.
func apart(facts []source.Fact) (rest, texts []source.Fact) {
	for _, f := range facts {
		if f.Name == "text-columns" {
			texts = append(texts, f)
		} else {
			rest = append(rest, f)
		}
	}
	return rest, texts
}

// factLines writes facts as lines, with the keys of Data sorted.
func factLines(facts []source.Fact) []string {
	var out []string
	for _, f := range facts {
		out = append(out, fmt.Sprintf("%s %s %v", f.Name, f.ID, f.Data))
	}
	return out
}

func wantFacts() []string {
	return []string{
		"traveller 3 map[generatedtime:2024-05-06 07:08:09 systemlevel:9 travel_id:7]",
		"satellite 1 map[area_id:2 contact_id:11]",
		"travelcurrent 1 map[current_id:0 systemlevel:10]",
		"userpreference 1 map[deflevel:2 prefkey:My.Addon prefsection:SENTRYaddonnames prefvalue:My.Addon]",
		"userpreference 2 map[deflevel:5 prefkey:defaultdocplugin prefsection:Functions prefvalue:5]",
		"systemevent 4 map[eventkey:NoLogin owner:0 scope:1]",
		"activeuser 1 map[clienttype:1 lastlogin:2026-01-31 16:19:51]",
		"moduleowner 1 map[licenseversion:8 ownername:SUPEROFFICE]",
		"productversion 1 map[codename:CRM ownername:superoffice version:8.5.7458.]",
		"productversion 2 map[codename:WEB ownername:SUPEROFFICE version:8.5.7300]",
		"productversion 3 map[codename:X ownername:SUPEROFFICE version:unknown]",
		"productversion 4 map[codename:P ownername:PARTNER version:12.1]",
		"databasemodel 1 map[isdatabaseunicode:1 modelversion:2.0]",
		`service-config 1 map[admin_mail:a@example.com attachment_path:D:\CS\att language:no tag:EJ text_path:D:\CS\text version:8.5]`,
		"mailbox 5 map[address:support@example.com pop_server:mail.example.com server_type:1 status:1]",
		"mailbox-alias 1 map[alias:help@example.com filter_id:5]",
		"company 1 map[revision:7 version:851]",
		"travelgeneratedtransaction 7 map[rows:2 travel_id:7]",
		"travelgeneratedtransaction 16777216 map[rows:1 travel_id:16777216]",
		"archive-provider 5 map[archiveprovider:5 rows:2]",
		"associate-type 0/0 map[deleted:0 rows:4 type:0]",
		"associate-type 0/1 map[deleted:1 rows:1 type:0]",
		"associate-type 1/0 map[deleted:0 rows:1 type:1]",
		"associate-type 4/0 map[deleted:0 rows:1 type:4]",
		"associate-type 13/0 map[deleted:0 rows:1 type:13]",
		"table-list sequence map[absent:1 how:column TableName tables:3 unnamed:1]",
		"table-absent 500 map[by:sequence number:490 table:y_lost]",
		"table-list databasemodel/1 map[absent:1 how:ModelData: zlib, UTF-8, Tables[].Name tables:5]",
		"table-absent y_gone map[by:databasemodel table:y_gone]",
	}
}

// outside are the facts of the tables that the fixture's model does not name.
func outside(tables []source.Table) (lines []string) {
	for _, x := range tables {
		name := strings.ToLower(x.Name)
		if !slices.Contains([]string{"associate", "person", "document", "company"}, name) {
			lines = append(lines, "table-outside "+name+" map[of:databasemodel/1 table:"+name+"]")
		}
	}
	return lines
}

// oldVersion asks a database with few columns.
func (e Engine) oldVersion(t *testing.T) {
	db := e.New(t)
	load(t, db, "CRM5", old())
	v := view(t, db, "crm5")
	ctx := t.Context()
	same(t, "Identity", must[source.Identity](t)(v.Identity(ctx)), source.Identity{})
	same(t, "Users", must[[]source.User](t)(v.Users(ctx)), []source.User{
		{ID: 1, Person: 1, Login: "adm0", Name: "Ad Min", Emails: []string{"a@example.com"}}, {ID: 2, Login: "tom"},
	})
	same(t, "Accounts", len(must[[]source.Account](t)(v.Accounts(ctx))), 2)
	same(t, "Plans", len(must[[]source.Plan](t)(v.Plans(ctx))), 0)
	same(t, "Rights", len(must[[]string](t)(v.Rights(ctx))), 0)
	docs := collect(t, v.Documents(ctx))
	slices.SortFunc(docs, func(a, b source.Doc) int { return cmp.Compare(a.ID, b.ID) })
	same(t, "Documents", docs, []source.Doc{
		{ID: 1, Name: "a.doc", Registered: time.Date(2002, 8, 1, 8, 30, 0, 0, time.UTC), Author: 1, AuthorLogin: "adm0", HasAppointment: true, HasAssociate: true},
		{ID: 2, Name: "b.doc", Registered: time.Unix(0, 0).UTC(), Author: 9, HasAppointment: true, HasAssociate: true},
	})
	same(t, "Addresses", collect(t, v.Addresses(ctx)), []source.Address{{Person: 2, Email: "b@example.com"}})
	facts, _ := apart(collect(t, v.Facts(ctx)))
	same(t, "Facts", factLines(facts), []string{
		"table-list databasemodel map[absent:0 problem:it is not there, nor is the dictionary of older versions tables:0]"})
	same(t, "Templates", len(collect(t, v.Templates(ctx))), 0)
	same(t, "Attachments", len(collect(t, v.Attachments(ctx))), 0)
	same(t, "Locations", len(must[[]source.Location](t)(v.Locations(ctx))), 0)
	same(t, "ServiceConfig", must[source.ServiceConfig](t)(v.ServiceConfig(ctx)), source.ServiceConfig{})
}

// prefix looks for databases under several prefixes.
func (e Engine) prefix(t *testing.T) {
	db, ctx := e.New(t), t.Context()
	d := db.Driver(t)
	defer done(t, d)
	_, err := source.New(ctx, d, "")
	refused(t, err, manifest.Usage, d.URL(), "no SuperOffice database")
	load(t, db, "Crm7", old())
	if sdb, err := source.New(ctx, d, ""); err != nil || sdb.Prefix() != "Crm7" {
		t.Fatalf("the only prefix: %v", err)
	}
	if sdb, err := source.New(ctx, d, "CRM7"); err != nil || sdb.Prefix() != "Crm7" || sdb.URL() != d.URL() || sdb.Engine() != d.Engine() {
		t.Fatalf("in other letter case: %v", err)
	}
	_, err = source.New(ctx, d, "crm8")
	refused(t, err, manifest.Usage, `"crm8"`, `"Crm7"`)
	load(t, db, "crm5", old()[1:2]) // an associate table alone
	_, err = source.New(ctx, d, "")
	refused(t, err, manifest.Usage, "several", `"Crm7"`, `"crm5"`)
	_, err = source.New(ctx, d, "crm5")
	refused(t, err, manifest.Usage, `"crm5" lacks "person", "document", "company"`)
}
