package sample

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/source"
)

// std5 is the group of columns that most tables of the CRM end with.
const std5 = "registered datetime, registered_associate_id int, updated datetime, updated_associate_id int, updatedCount smallint"

// handmade is a table of types that the loader of SQL Server does not take, so that samples in SQLite alone have it. It
// was made by hand: neither the table of keys nor the model knows it.
const handmade = "y_partner_shape"

// schema lists the tables: "name: column type [null], … | key column[,column] | unique index columns". The first column
// is the key unless the second part says otherwise; "-" there means no key.
var schema = []string{
	"company: company_id int, version int, revision smallint, ownerContactName nvarchar(219), ownerDepartmentName nvarchar(219), ownerContactId int, dbContactName nvarchar(219), dbDepartmentName nvarchar(219), dbContactId int, serialNo nvarchar(219), extraInfo nvarchar(254), encryptedCheck nvarchar(254), " + std5,
	"sequence: id int, next_id int null, TableName nvarchar(255) null, TableNumber int null",
	"DatabaseModel: databasemodel_id int, ModelVersion nvarchar(128), IsDatabaseUnicode smallint null, ModelData varbinary(max) null",
	"travelcurrent: travelcurrent_id int, systemlevel smallint, current_id int, central_id int, area_id int, central_generatedtime datetime, current_generatedtime datetime, last_recordtime datetime, databasetype smallint, dbTag nvarchar(32), " + std5,
	"traveller: traveller_id int, systemlevel smallint, travel_id int, area_id int, generatedtime datetime, last_recordtime datetime, databasetype smallint, dbTag nvarchar(32), " + std5,
	"satellite: satellite_id int, area_id int, contact_id int, encryptedComm smallint, DSN nvarchar(254), " + std5,
	"area: area_id int, name nvarchar(99), parent_area_id int, allData smallint, dbType smallint, " + std5,
	"travelgeneratedtransaction: travelgeneratedtransaction_id int, travel_id int, tranlogfirst_id int, tranloglast_id int, recordstatus smallint, transmissionnumber int, transmissiontype smallint, " + std5,
	"associate: associate_id int, name nvarchar(239), rank smallint null, tooltip nvarchar(254) null, deleted smallint null, group_idx int, lastlogin datetime, lastlogout datetime, person_id int, checklistlimit datetime, type smallint null, userFlags nvarchar(127) null, " + std5 + ", isLocation smallint null, ejuserId int null, encryptedCheck nvarchar(254), userName nvarchar(254) null || name",
	"AssociateHistory: associateHistoryId int, associateId int, groupId int, personId int, type smallint, name nvarchar(239), firstName nvarchar(99), middleName nvarchar(99), lastName nvarchar(99), contactId int",
	"contact: contact_id int, name nvarchar(219), department nvarchar(219), number1 nvarchar(49), number2 nvarchar(49), associate_id int, country_id int, orgNr nvarchar(49), deleted smallint, " + std5,
	"OwnerContactLink: OwnerContactLink_id int, contact_id int, remark nvarchar(254), " + std5,
	"person: person_id int, contact_id int, rank smallint, lastname nvarchar(99), firstname nvarchar(99), middleName nvarchar(99), mrmrs nvarchar(99), title nvarchar(239), position_idx int, department nvarchar(99), country_id int, retired smallint, " + std5,
	"PersPos: PersPos_id int, name nvarchar(239), rank smallint, tooltip nvarchar(254), deleted smallint, " + std5,
	"email: email_id int, contact_id int null, person_id int null, project_id int null, protocol nvarchar(11) null, type smallint null, description nvarchar(254), email_address nvarchar(239), rank smallint, " + std5,
	"phone: phone_id int, owner_id int, ptype_idx smallint, phone nvarchar(39), search_phone nvarchar(39), description nvarchar(39), rank smallint, " + std5,
	"country: country_id int, name nvarchar(239), english_name nvarchar(99), zip_prefix nvarchar(10), domainName nvarchar(10), " + std5,
	"UserGroup: UserGroup_id int, name nvarchar(239), rank smallint, tooltip nvarchar(254), deleted smallint, type smallint, " + std5 + " || name",
	"UserGroupLink: UserGroupLink_id int, assoc_id int, UserGroup_id int, remark nvarchar(254), validFrom datetime, validTo datetime, " + std5,
	"Role: Role_id int, name nvarchar(239), rank smallint, tooltip nvarchar(254), deleted smallint, roleType smallint, encryptedCheck nvarchar(254), " + std5,
	"UserRoleLink: UserRoleLink_id int, associate_id int, role_id int, linkType smallint, encryptedCheck nvarchar(254), " + std5,
	"FunctionRight: FunctionRight_id int, name nvarchar(239), rightType smallint, isBuiltIn smallint, encryptedCheck nvarchar(254), requiredModule nvarchar(239), " + std5,
	"FunctionRightRoleLink: FunctionRightRoleLink_id int, roleId int, functionRightId int, encryptedCheck nvarchar(254), " + std5,
	"Credentials: Credentials_id int, associateId int, credentialType nvarchar(254), searchName nvarchar(254), secret nvarchar(2000), validFrom datetime, validTo datetime, isActive smallint, encryptedCheck nvarchar(254), lastUsedDate datetime null, comment nvarchar(254) null, " + std5,
	"ModuleOwner: ModuleOwner_id int, ownerName nvarchar(239), ownerDescription nvarchar(254), licenseUrl nvarchar(254), licenseVersion int, signedPublicKey varbinary(max) null, signature nvarchar(254), expiration datetime, " + std5,
	"ModuleLicense: ModuleLicense_id int, moduleName nvarchar(239), moduleDescription nvarchar(254), moduleVersion nvarchar(30), tooltip nvarchar(254), licenseType smallint, licenseNumber int, allowedAssocsMask int, extraFlags int, extraInfo nvarchar(3999), encryptedCheck nvarchar(254), " + std5 + ", ModuleOwner_id int, sortOrder int, signature nvarchar(254), unrestricted smallint, hidden smallint, prerequisiteModule nvarchar(254)",
	"LicenseAssocLink: LicenseAssocLink_id int, moduleLicenseId int, assocId int, validFrom datetime, validTo datetime, licenseNumber int, comment nvarchar(254), encryptedCheck nvarchar(254), " + std5 + " || moduleLicenseId,assocId",
	"ProductVersion: ProductVersion_id int, ownerName nvarchar(239), codeName nvarchar(239), version nvarchar(50), comment nvarchar(254), updatePath nvarchar(254), " + std5,
	"document: document_id int, application_id int, name nvarchar(511), header nvarchar(219) null, our_ref nvarchar(99) null, your_ref nvarchar(99) null, searchname nvarchar(99) null, attention nvarchar(99) null, text_id int null, archiveProvider int null, appointment_id int null, registered datetime, registered_associate_id int, updated datetime, updated_associate_id int, updatedCount smallint, extref nvarchar(511) null, userdef_id int null, snum int null",
	"appointment: appointment_id int, contact_id int, person_id int, associate_id int, group_idx int, registered datetime, registered_associate_id int, done datetime, do_by datetime, task_idx int, type smallint, status smallint, text_id int, project_id int, mother_id int, document_id int, activeDate datetime, endDate datetime, sale_id int, updated datetime, updated_associate_id int, updatedCount smallint",
	"text: text_id int, type smallint, owner_id int, " + std5 + ", text nvarchar(4000), lcid int, seqno smallint",
	"VisibleFor: VisibleFor_id int, tableId smallint, recordId int, forAll smallint, forGroupId int, forAssocId int, " + std5,
	"DocTmpl: DocTmpl_id int, name nvarchar(239), rank smallint, tooltip nvarchar(254), deleted smallint, filename nvarchar(239), autoevent_id int, record_type smallint, direction smallint, saveInDb smallint, " + std5 + ", mimeType nvarchar(254)",
	"SystemEvent: SystemEvent_id int, scope smallint, owner int, eventkey nvarchar(254), eventmess nvarchar(254), extraInfo nvarchar(254), eta datetime, " + std5 + " || eventkey,scope,owner",
	"UserPreference: userpreference_id int, deflevel smallint, maxlevel smallint, owner_id int, prefsection nvarchar(199), prefkey nvarchar(199), prefvalue nvarchar(2046), " + std5,
	"activeuser: activeuser_id int, lastlogin datetime, netAddress nvarchar(254), clientType smallint, computerName nvarchar(254), " + std5,
	"config: id int, text_path nvarchar(255) null, attachment_path nvarchar(255) null, template_path nvarchar(255) null, admin_mail nvarchar(255) null, default_mail nvarchar(255) null, smtp_host nvarchar(255) null, smtp_port int null, cgi_url nvarchar(255) null, tag nvarchar(32) null, language nvarchar(32) null, version nvarchar(32) null, installed_at datetime null, unique_id nvarchar(64) null",
	"attachment: id int, content_type nvarchar(255) null, name nvarchar(255) null, att_size int null, auth_key nvarchar(64) null, charset nvarchar(64) null, attachment_location_id int null",
	"attachment_location: attachment_location_id int, path nvarchar(4000), " + std5,
	"ejuser: id int, loginname nvarchar(63) null, usergroup int null, username nvarchar(255) null, password nvarchar(64) null, firstname nvarchar(255) null, lastname nvarchar(255) null, email nvarchar(255) null, access_level smallint null, status smallint null",
	"mail_in_filter: id int, server_type smallint null, pop_server nvarchar(255) null, pop_user nvarchar(255) null, pop_password nvarchar(255) null, address nvarchar(255) null, status smallint null",
	"ticket_attachment: id int, ticket_id int null, attachment_id int null",
	"y_partner_log: at datetime2(3), what nvarchar(254) null, amount decimal(19,4) null | -",
	"y_partner_tick: id int, at datetime2(7)",
	"y_partner_code: code nvarchar(40), meaning nvarchar(254), ratio float, token uniqueidentifier null, picture varbinary(max) null",
	"y_partner_kinds: id int, tiny tinyint null, big bigint null, flag bit null, single real null, price money null, fee smallmoney null, exact numeric(15,3) null, wide decimal(38,10) null, fixed char(4) null, ansi varchar(40) null, ansi_long varchar(max) null, ansi_old text null, nfixed nchar(3) null, long nvarchar(max) null, old ntext null, markup xml null, raw binary(4) null, raw_old image null, minute smalldatetime null",
	handmade + ": id int, any sql_variant null, node hierarchyid null, place geography null, outline geometry null, cut nvarchar(20) null, version rowversion null",
	"y_partner_rate: currency nvarchar(3), day date, rate decimal(19,6), checked bit, seen time(3) null, stamped datetimeoffset(3) null | currency,day",
}

// parseSchema reads schema.
func parseSchema() ([]source.Table, error) {
	var out []source.Table
	for _, line := range schema {
		name, rest, _ := strings.Cut(line, ": ")
		parts := append(strings.Split(rest, "|"), "", "")
		t := source.Table{Name: name}
		for _, c := range splitColumns(parts[0]) {
			f := strings.Fields(c)
			null := len(f) == 3 && f[2] == "null"
			if len(f) != 2 && !null {
				return nil, fmt.Errorf("table %q: column %q", name, c)
			}
			t.Columns = append(t.Columns, source.Column{Name: f[0], Type: source.ParseType(f[1]), Null: null})
		}
		switch key := strings.TrimSpace(parts[1]); key {
		case "":
			t.Key = []string{t.Columns[0].Name}
		case "-":
		default:
			t.Key = strings.Split(key, ",")
		}
		if on := strings.TrimSpace(parts[2]); on != "" {
			t.Indexes = []source.Index{{Name: "IX" + name, On: "[" + strings.ReplaceAll(on, ",", "],[") + "]", Unique: true}}
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b source.Table) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out, nil
}

// splitColumns splits at commas outside brackets.
func splitColumns(s string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range s {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out = append(out, strings.TrimSpace(s[from:i]))
			from = i + 1
		}
	}
	return append(out, strings.TrimSpace(s[from:]))
}

// notSet is the vendor's "no date"; forever is its "no end".
var (
	notSet  = time.Date(1760, 1, 1, 0, 0, 0, 0, time.UTC)
	forever = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// values are the values of one row by column name, as far as they are not the empty ones.
type values map[string]any

// table makes rows of a table.
type table struct {
	source.Table
	place map[string]int
	empty source.Row
}

func newTable(t source.Table) *table {
	out := &table{Table: t, place: map[string]int{}}
	for i, c := range t.Columns {
		out.place[c.Name] = i
		out.empty = append(out.empty, emptyValue(c))
	}
	return out
}

// emptyValue is what core tables hold where nothing was entered: zero, the empty text, 1760; Service tables hold NULL.
func emptyValue(c source.Column) any {
	if c.Null {
		return nil
	}
	switch c.Type.Kind {
	case source.Int:
		return int64(0)
	case source.Text:
		return ""
	case source.DateTime:
		return notSet
	case source.Float:
		return float64(0)
	default:
		return nil
	}
}

// row makes one row. An unknown column is a mistake of this package and panics, as a wrong index would.
func (t *table) row(v values) source.Row {
	row := slices.Clone(t.empty)
	for name, value := range v {
		i, ok := t.place[name]
		if !ok {
			panic(fmt.Sprintf("table %s has no column %s", t.Name, name))
		}
		if n, isInt := value.(int); isInt {
			value = int64(n)
		}
		row[i] = value
	}
	return row
}
