package sourcetest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/openomt/omt/internal/source"
)

// content is a table with its rows, in the order of its stored columns.
type content struct {
	table source.Table
	rows  []source.Row
}

// define makes a table of column definitions: "name type", then any of "key", "null", "identity". Rows are given to it
// with values as they are written in Go: int becomes int64, a text in a time column is parsed.
func define(name string, columns ...string) *content {
	c := &content{table: source.Table{Name: name}}
	for _, def := range columns {
		words := strings.Fields(def)
		col := source.Column{Name: words[0], Type: source.ParseType(words[1])}
		for _, w := range words[2:] {
			switch w {
			case "key":
				c.table.Key = append(c.table.Key, col.Name)
			case "null":
				col.Null = true
			case "identity":
				col.Identity = true
			default:
				panic("define: " + def)
			}
		}
		c.table.Columns = append(c.table.Columns, col)
	}
	return c
}

// row appends a row.
func (c *content) row(values ...any) *content {
	cols := c.table.Stored()
	if len(values) != len(cols) {
		panic(fmt.Sprintf("table %s: %d values for %d columns", c.table.Name, len(values), len(cols)))
	}
	r := make(source.Row, len(values))
	for i, v := range values {
		switch x := v.(type) {
		case int:
			v = int64(x)
		case string:
			switch cols[i].Type.Kind {
			case source.Date, source.Clock, source.DateTime, source.Offset:
				v = moment(cols[i].Type, x)
			case source.UUID:
				u, err := source.ParseUUID(x)
				if err != nil {
					panic(err)
				}
				v = u
			}
		}
		r[i] = v
	}
	c.rows = append(c.rows, r)
	return c
}

func moment(t source.Type, s string) time.Time {
	v, err := source.ParseTime(t, s)
	if err != nil {
		panic(err)
	}
	return v
}

// index adds an index.
func (c *content) index(name, on string, unique bool) *content {
	c.table.Indexes = append(c.table.Indexes, source.Index{Name: name, On: on, Unique: unique})
	return c
}

func tables(all []*content) []source.Table {
	out := make([]source.Table, len(all))
	for i, c := range all {
		out[i] = c.table
	}
	return out
}

// seq yields rows, and at the end an error if there is one.
func seq(rows []source.Row, err error) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

const unset = "1760-01-01 00:00:00"

// modern is a small database of a newer version: every kind of associate, dangling references, duplicates, and rows of
// every table that a question reads. Names are spelled as the documentation spells them.
func modern() []*content {
	return append(append(people(), licence()...), append(documents(), rest()...)...)
}

func people() []*content {
	return []*content{
		define("company", "company_id int key", "version int", "revision smallint", "ownerContactName nvarchar(219)", "serialNo nvarchar(219)").
			row(1, 851, 7, " Kalles Rør AS ", "1801830017"),
		define("associate", "associate_id int key", "name nvarchar(239)", "deleted smallint null", "group_idx int", "person_id int",
			"type smallint null", "userName nvarchar(254) null", "lastlogin datetime").
			row(1, "KK", 0, 1, 101, 0, "kk@example.com", unset).
			row(2, "GKS", 0, 2, 102, 0, "GUNN@example.com", unset).
			row(3, "old", 1, 1, 103, 0, nil, unset).
			row(4, "room", 0, 1, 101, 1, nil, unset).
			row(5, "ext", 0, 0, 105, 4, nil, unset).
			row(6, "sys", 0, 0, 0, 13, "no address", unset).
			row(7, "dangle", nil, 99, 999, nil, nil, unset).
			row(8, "gone", 0, 1, 108, 0, nil, unset),
		define("AssociateHistory", "associatehistory_id int key", "associateId int null", "personId int null", "type smallint null",
			"name nvarchar(255) null", "firstname nvarchar(99) null", "middleName nvarchar(99) null", "lastname nvarchar(99) null").
			row(1, 50, 150, 0, "former", "Fritz", nil, "Former").
			row(2, 50, 150, 0, "former2", "Fritz", "v.", "Former").
			row(3, 1, 101, 0, "wrong", nil, nil, nil).
			row(4, nil, nil, nil, nil, nil, nil, nil),
		define("person", "person_id int key", "contact_id int", "firstname nvarchar(99)", "middleName nvarchar(99) null",
			"lastname nvarchar(99)", "position_idx int null", "retired smallint").
			row(101, 11, "Karl", "", "Klopp", 1, 0).
			row(102, 11, " Gunn ", "K.", "Schpaa", 0, 0).
			row(103, 0, "Old", nil, "Timer", nil, 0).
			row(105, 12, "Ext", nil, "Ernal", 77, 0).
			row(108, 88, "Re", nil, "Tired", 0, 1).
			row(200, 12, "No", nil, "User", 0, 0),
		define("contact", "contact_id int key", "name nvarchar(219)", "deleted smallint").
			row(11, "8docklock", 0).row(12, "Kunde", 0),
		define("PersPos", "PersPos_id int key", "name nvarchar(239)").row(1, "Daglig leder"),
		define("UserGroup", "UserGroup_id int key", "name nvarchar(239)").row(1, "Ledelse").row(2, "Sales æøå 日本 😀"),
		define("Role", "Role_id int key", "name nvarchar(239)").row(1, "User level 0").row(2, "User level 3"),
		define("UserRoleLink", "UserRoleLink_id int key", "associate_id int", "role_id int").
			row(1, 1, 1).row(2, 2, 2).row(3, 2, 1).row(4, 7, 99).row(5, 999, 1),
		define("FunctionRight", "FunctionRight_id int key", "name nvarchar(239)").
			row(1, "admin-udef").row(2, "admin-all").row(3, "admin-udef").row(4, ""),
		define("FunctionRightRoleLink", "FunctionRightRoleLink_id int key", "roleId int", "functionRightId int").
			row(1, 1, 2).row(2, 1, 1).row(3, 1, 3).row(4, 2, 1).row(5, 2, 99),
		define("email", "email_id int key", "person_id int null", "contact_id int null", "type smallint null",
			"email_address nvarchar(239)", "rank smallint").
			row(1, 101, 0, 0, "second@example.com", 2).
			row(2, 101, 0, 0, " First@Example.com ", 1).
			row(3, 101, 0, 1, "chat@example.com", 0).
			row(4, 102, 0, nil, "gunn@example.com", 1).
			row(5, 102, 0, 0, "   ", 1).
			row(6, 200, 0, 0, "Other@example.com", 1).
			row(7, 0, 11, 0, "company@example.com", 1).
			row(8, 105, 0, 0, "ext@example.com", 3).
			row(9, nil, nil, 0, "nobody@example.com", 1).
			row(10, 103, 0, 0, "old@example.com", 1).
			row(11, 200, 0, 0, "other@EXAMPLE.com", 2),
		define("phone", "phone_id int key", "owner_id int", "ptype_idx smallint", "phone nvarchar(239)", "rank smallint null").
			row(1, 101, 16389, "93 46 60 18", 2).row(2, 101, 16385, "+47 1", 1).row(3, 101, 1, "company", 0).row(4, 101, 16388, " ", 0),
	}
}

func licence() []*content {
	return []*content{
		define("ModuleLicense", "ModuleLicense_id int key", "moduleName nvarchar(239)", "moduleDescription nvarchar(254) null",
			"licenseType smallint", "licenseNumber int null", "extraFlags int null", "sortOrder int null", "unrestricted smallint null", "hidden smallint null").
			row(1, "user", "User", 4, 10, 0, 1, 0, 0).
			row(2, "ten-sales", "Sales Premium", 4, 20, 1, 20, 0, 0).
			row(3, "ten-service", "Service Premium", 4, 5, 1, 10, 1, 0).
			row(4, "visible-for", "Confidential activities", 4, nil, nil, nil, 1, 1).
			row(5, "superlicense-no-selection", "(No Selection)", 4, 0, 1, 1, 1, 0).
			row(6, "hidden-plan", "Hidden", 4, 1, 1, 0, 0, 1).
			row(7, "marker", "Marker", 4, 1, 2, 0, 0, 0).
			row(8, "server", "Server", 1, 1, 1, 0, 0, 0),
		define("LicenseAssocLink", "LicenseAssocLink_id int key", "moduleLicenseId int", "assocId int").
			row(1, 1, 1).row(2, 2, 1).row(3, 5, 1).row(4, 4, 1).
			row(5, 2, 2).row(6, 3, 2).row(7, 5, 8).row(8, 99, 1).row(9, 6, 7).row(10, 2, 3),
		define("ModuleOwner", "ModuleOwner_id int key", "ownerName nvarchar(254)", "licenseVersion nvarchar(20) null", "signature nvarchar(254) null").
			row(1, "SUPEROFFICE", "8", "secret-signature"),
		define("ProductVersion", "ProductVersion_id int key", "ownerName nvarchar(254)", "codeName nvarchar(254)", "version nvarchar(254)").
			row(1, "superoffice", "CRM", "8.5.7458.").row(2, "SUPEROFFICE", "WEB", "8.5.7300").row(3, "SUPEROFFICE", "X", "unknown").
			row(4, "PARTNER", "P", "12.1"),
	}
}

func documents() []*content {
	return []*content{
		define("document", "document_id int key", "name nvarchar(511) null", "header nvarchar(219) null", "archiveProvider int null",
			"appointment_id int null", "registered datetime", "registered_associate_id int", "updated datetime").
			row(1, "one.docx", "One", 0, 1, "2002-07-31 23:30:00.003", 1, "2003-01-01 00:00:00").
			row(2, "two.docx", "Two", 0, 0, "2002-08-01 00:00:00", 2, unset).
			row(3, "", "Blank", 0, 3, "2010-01-01 00:00:00", 3, unset).
			row(4, "ext.docx", "External", 5, 999, "2010-01-01 00:00:00", 50, unset).
			row(5, nil, nil, nil, nil, unset, 777, unset).
			row(6, "dangle.docx", "Dangle", 0, 6, "2011-01-01 00:00:00", 0, unset).
			row(7, "back.docx", "Back", 5, 7, "2011-01-01 00:00:00", 1, unset).
			row(8, "none.docx", "None", 0, 0, "2011-01-01 00:00:00", 1, unset),
		// 1 has three appointments, one with an associate; 2's is referred to from the appointment alone; 3's has an
		// associate that does not exist; 4 refers to nothing; 6's own one has none either; 7's does not refer back; 8 has 0, which is
		// no reference, although an appointment has that id.
		define("appointment", "appointment_id int key", "associate_id int null", "document_id int null", "type smallint null").
			row(0, 1, 0, 1).row(1, 1, 1, 4).row(10, 999, 1, 4).row(11, nil, 1, 4).
			row(2, 2, 2, 4).
			row(3, 998, 3, 4).
			row(6, 997, 6, 4).
			row(7, 1, 0, 4).
			row(20, 1, nil, 1).row(21, 1, 12345, 4),
		define("DocTmpl", "DocTmpl_id int key", "name nvarchar(239)", "filename nvarchar(239) null", "autoevent_id int null", "deleted smallint null").
			row(1, "Letter", "letter.dotx", 0, 0).row(2, "Gone", "gone.dotx", 0, 1).row(3, "Elsewhere", nil, 7, nil),
		define("attachment", "id int key", "name nvarchar(255) null", "att_size int null", "attachment_location_id int null").
			row(10001, "b.pdf", 12, 2).row(3, "a.pdf", nil, nil).row(4, nil, -5, 1),
		define("attachment_location", "attachment_location_id int key", "path nvarchar(4000)").
			row(2, `D:\new`).row(1, `D:\CS\att`),
		define("config", "id int key", "text_path nvarchar(255) null", "attachment_path nvarchar(255) null", "template_path nvarchar(255) null",
			"admin_mail nvarchar(255) null", "tag nvarchar(32) null", "language nvarchar(5) null", "version nvarchar(32) null", "temp_license nvarchar(255) null").
			row(1, `D:\CS\text`, `D:\CS\att`, nil, "a@example.com", "EJ", "no", "8.5", "secret-license"),
	}
}

func rest() []*content {
	return []*content{
		define("traveller", "traveller_id int key", "travel_id int", "systemlevel smallint", "generatedtime datetime", "dbTag nvarchar(20) null").
			row(3, 7, 9, "2024-05-06 07:08:09", nil),
		define("satellite", "satellite_id int key", "area_id int", "contact_id int").row(1, 2, 11),
		define("travelcurrent", "travelcurrent_id int key", "systemlevel smallint", "current_id int").row(1, 10, 0),
		define("travelgeneratedtransaction", "travelgeneratedtransaction_id int key", "travel_id int").row(1, 7).row(2, 16777216).row(3, 7),
		define("UserPreference", "userpreference_id int key", "deflevel smallint", "prefsection nvarchar(199)", "prefkey nvarchar(199)", "prefvalue nvarchar(2046) null").
			row(1, 2, "SENTRYaddonnames", "My.Addon", "My.Addon").row(2, 5, "Functions", "defaultdocplugin", "5").row(3, 5, "Functions", "Other", "x"),
		define("SystemEvent", "SystemEvent_id int key", "scope smallint", "owner int", "eventkey nvarchar(254)").row(4, 1, 0, "NoLogin"),
		define("activeuser", "activeuser_id int key", "lastlogin datetime null", "clientType smallint").row(1, "2026-01-31 16:19:51", 1),
		define("DatabaseModel", "databasemodel_id int key", "ModelVersion nvarchar(128)", "IsDatabaseUnicode smallint null", "ModelData varbinary(max) null").
			row(1, "2.0", 1, modelData()),
		define("mail_in_filter", "id int identity key", "server_type smallint null", "pop_server nvarchar(255) null", "pop_user nvarchar(255) null",
			"pop_password nvarchar(255) null", "address nvarchar(255) null", "status smallint null").
			row(5, 1, "mail.example.com", "user", "secret-pop", "support@example.com", 1),
		define("mail_alias", "id int key", "filter_id int", "alias nvarchar(255) null").row(1, 5, "help@example.com"),
		define("sequence", "id int key", "next_id int null", "TableName nvarchar(255) null", "TableNumber int null").
			row(1, 2, "CONCEPTUALDATABASE", -1).row(11, 2, "COMPANY", 1).row(15, 10, "CONTACT", 5).row(500, 1, "Y_LOST", 490).row(501, 1, nil, nil),
	}
}

// modelData is a model in a form that a database might hold: it names a table that is not there, and holds a secret.
func modelData() []byte {
	const model = `{"Secret":"secret-model","Tables":[{"Name":"Associate"},{"Name":"Person"},{"Name":"Document"},{"Name":"Company"},{"Name":"Y_Gone"}]}`
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte(model)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// old is a database of a version long before: few columns, dates as seconds, other letter case, no optional tables, and
// an associate twice, since there is no key.
func old() []*content {
	return []*content{
		define("COMPANY", "COMPANY_ID int key", "VERSION int"),
		define("ASSOCIATE", "ASSOCIATE_ID int", "NAME nvarchar(20)", "PERSON_ID int").
			row(1, "adm0", 1).row(1, "double", 1).row(2, "tom", 0),
		define("Person", "Person_Id int key", "FirstName nvarchar(20)", "LastName nvarchar(20)").row(1, "Ad", "Min"),
		define("Document", "Document_Id int key", "Name nvarchar(20)", "Registered int", "Registered_Associate_Id int").
			row(1, "a.doc", 1028190600, 1).row(2, "b.doc", 0, 9),
		define("Email", "Email_Id int key", "Person_Id int", "Email_Address nvarchar(50)").row(1, 1, "a@example.com").row(2, 2, "b@example.com"),
	}
}

// small is enough for what is not about answers: the old database with the newer one's addresses.
func small() []*content {
	all := old()
	for _, c := range people() {
		if c.table.Name == "email" {
			all[len(all)-1] = c
		}
	}
	return all
}
