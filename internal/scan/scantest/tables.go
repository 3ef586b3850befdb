package scantest

import (
	"strings"
	"time"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) }

// tables are the tables of an installation below dir.
func tables(dir string) []*Table {
	return append(people(), append(rights(), content(dir)...)...)
}

func table(name, columns string, rows ...[]any) *Table {
	return &Table{Name: name, Columns: strings.Split(columns, ", "), Rows: rows}
}

func row(values ...any) []any { return values }

// people: KK is an administrator, GKS a user with two addresses (one of them of the type chat is left out), OLD is
// retired, ROOM a resource, EXT an external person, GONE is known to AssociateHistory alone.
func people() []*Table {
	return []*Table{
		table("company", "company_id int, version int, revision smallint, ownerContactName nvarchar(219), serialNo nvarchar(219)",
			row(1, 850, 3, "Kalles Blåbær AS", "1801830017")),
		table("associate", "associate_id int, name nvarchar(239), deleted smallint, group_idx int, person_id int, type smallint, userName nvarchar(254)",
			row(1, "KK", 0, 1, 1, 0, "karl"), row(2, "GKS", 0, 2, 2, 0, ""), row(3, "OLD", 1, 2, 3, 0, ""), row(4, "ROOM", 0, 2, 0, 1, ""),
			row(5, "EXT", 0, 0, 5, 4, ""), row(6, "TWIN1", 0, 2, 6, 0, ""), row(7, "TWIN2", 0, 2, 6, 0, "")),
		table("AssociateHistory", "associatehistory_id int, associateId int, personId int, type smallint, name nvarchar(239), firstname nvarchar(99)",
			row(1, 99, 0, 0, "GONE", "Gone")),
		table("person", "person_id int, contact_id int, lastname nvarchar(99), firstname nvarchar(99), position_idx int, retired smallint",
			row(1, 1, "Klopp", "Karl", 1, 0), row(2, 1, "Schpaa", "Gunn K.", 0, 0), row(3, 1, "Old", "Olga", 0, 0),
			row(5, 2, "Extern", "Eva", 0, 0), row(6, 1, "Twin", "Tone", 0, 0), row(7, 2, "Kunde", "Kari", 0, 0)),
		table("contact", "contact_id int, name nvarchar(219)", row(1, "Kalles"), row(2, "Kunden")),
		table("email", "email_id int, person_id int, type smallint, email_address nvarchar(239), rank smallint",
			row(1, 1, 0, "kk@example.com", 1), row(2, 1, 0, "karl@example.com", 2), row(3, 2, 0, "gks@example.com", 1),
			row(4, 2, 1, "skype:gks", 2), row(5, 7, 0, "Zoe@kunde.example", 1), row(6, 7, 0, "anna@kunde.example", 2),
			row(7, 5, 0, "ANNA@kunde.example", 1), row(8, 3, 0, "olga@example.com", 1), row(9, 6, 0, "twin@example.com", 1)),
		table("phone", "phone_id int, owner_id int, ptype_idx int, phone nvarchar(99), rank smallint",
			row(1, 1, 0x4001, "93466018", 1), row(2, 1, 0x4002, "22334455", 2)),
		table("PersPos", "PersPos_id int, name nvarchar(239)", row(1, "Chief")),
		table("UserGroup", "UserGroup_id int, name nvarchar(239)", row(1, "Administration"), row(2, "Sales")),
	}
}

func rights() []*Table {
	return []*Table{
		table("Role", "Role_id int, name nvarchar(239)", row(1, "User level 0"), row(2, "User level 1"), row(3, "Påteplass")),
		table("UserRoleLink", "UserRoleLink_id int, associate_id int, role_id int",
			row(1, 1, 1), row(2, 2, 2), row(3, 3, 1), row(4, 4, 1), row(5, 5, 1), row(6, 6, 3), row(7, 7, 2)),
		table("FunctionRight", "FunctionRight_id int, name nvarchar(239)", row(1, "admin-all"), row(2, "admin-import"), row(3, "hello")),
		table("FunctionRightRoleLink", "FunctionRightRoleLink_id int, roleId int, functionRightId int", row(1, 1, 1), row(2, 1, 2), row(3, 2, 3)),
		table("ModuleLicense", "ModuleLicense_id int, moduleName nvarchar(239), moduleDescription nvarchar(254), licenseType smallint, licenseNumber int, extraFlags int, sortOrder int, unrestricted smallint, hidden smallint",
			row(1, "ten-sales", "Sales Premium", 4, 20, 1, 1, 0, 0), row(2, "visible-for", "Confidential activities", 4, 0, 0, 2, 1, 0),
			row(3, "ten-service", "Service Premium", 4, 0, 1, 3, 1, 0)),
		table("LicenseAssocLink", "LicenseAssocLink_id int, moduleLicenseId int, assocId int", row(1, 1, 1), row(2, 1, 2), row(3, 2, 1)),
		table("sequence", "id int, next_id int, TableName nvarchar(255), TableNumber int",
			row(1, 2, "CONCEPTUALDATABASE", -1), row(11, 2, "COMPANY", 1), row(12, 8, "ASSOCIATE", 2), row(15, 3, "CONTACT", 5)),
		table("DatabaseModel", "databasemodel_id int, ModelVersion nvarchar(128), IsDatabaseUnicode smallint, ModelData varbinary(max)"),
		table("travelcurrent", "travelcurrent_id int, systemlevel smallint, current_id int", row(1, 10, 0)),
	}
}

// content: document 1 and 2 are there, 3 is missing, 4 has no name, 5 is held elsewhere; template 1 is there; of
// attachments 1 and 2 are there.
func content(string) []*Table {
	return []*Table{
		table("document", "document_id int, name nvarchar(511), header nvarchar(219), archiveProvider int, appointment_id int, registered datetime, registered_associate_id int, updated datetime",
			row(1, "offer.doc", "Offer", 0, 1, day(2002, 3, 1), 1, day(2002, 3, 1)),
			row(2, "blåbær 文書.txt", "Letter", 0, 2, day(2002, 9, 1), 2, day(2002, 9, 1)),
			row(3, "lost.doc", "Lost", 0, 3, day(2003, 9, 1), 2, day(2003, 9, 1)),
			row(4, " ", "Blank", 0, 4, day(2003, 9, 1), 2, day(2003, 9, 1)),
			row(5, "x", "SharePoint", 7, 5, day(2003, 9, 1), 2, day(2003, 9, 1))),
		table("appointment", "appointment_id int, associate_id int, document_id int",
			row(1, 1, 1), row(2, 2, 2), row(3, 2, 3), row(4, 2, 4), row(5, 2, 5)),
		table("DocTmpl", "DocTmpl_id int, name nvarchar(239), filename nvarchar(239), autoevent_id int, deleted smallint",
			row(1, "Letter", "letter.dotx", 0, 0)),
		table("config", "id int, text_path nvarchar(254), attachment_path nvarchar(254), template_path nvarchar(254), version nvarchar(32)",
			row(1, `D:\CS\cs_text`, `D:\CS\old`, "", "8.5")),
		table("attachment", "id int, name nvarchar(255), att_size int, attachment_location_id int", row(1, "a.png", 3, 1), row(2, "b.png", 4, 1)),
		table("attachment_location", "attachment_location_id int, path nvarchar(4000)", row(1, `D:\CS\att\`)),
	}
}
