package sample

import (
	"fmt"
	"strings"
	"time"

	"github.com/openomt/omt/internal/source"
)

// makers are the rows of each table, by lower-cased name.
func (w *world) makers(tables []source.Table) (map[string]maker, error) {
	model, err := modelData(tables)
	if err != nil {
		return nil, err
	}
	base := time.Date(2003, 5, 5, 7, 30, 0, 0, time.UTC)
	one := func(rows ...values) maker {
		return func(add func(values) bool) {
			for _, v := range rows {
				if !add(v) {
					return
				}
			}
		}
	}
	m := map[string]maker{
		"company": one(values{"company_id": 1, "version": 8500, "revision": 12, "ownerContactName": "8docklock", "ownerContactId": 1,
			"dbContactName": "8docklock", "dbContactId": 1, "serialNo": "1801830017", "registered": base}),
		"databasemodel":    one(values{"databasemodel_id": 1, "ModelVersion": "1.0", "IsDatabaseUnicode": 1, "ModelData": model}),
		"travelcurrent":    one(values{"travelcurrent_id": 1, "systemlevel": 10, "dbTag": "CENTRAL"}),
		"contact":          w.contacts,
		"perspos":          one(values{"PersPos_id": 1, "name": "Manager", "rank": 1}, values{"PersPos_id": 2, "name": "Sales representative", "rank": 2}),
		"ownercontactlink": one(values{"OwnerContactLink_id": 1, "contact_id": 1}),
		"country": one(values{"country_id": 578, "name": "Norge", "english_name": "Norway", "zip_prefix": "N", "domainName": "no"},
			values{"country_id": 208, "name": "Danmark", "english_name": "Denmark", "zip_prefix": "DK", "domainName": "dk"}),
		"usergroup": one(values{"UserGroup_id": 1, "name": "Salg", "rank": 1}, values{"UserGroup_id": 2, "name": "Kundeservice", "rank": 2},
			values{"UserGroup_id": 3, "name": "Ledelse", "rank": 3}),
		"role": w.roles, "functionright": w.rights, "functionrightrolelink": w.rightLinks,
		"associate": w.associateRows, "userrolelink": w.roleLinks, "usergrouplink": w.groupLinks,
		"person": w.personRows, "email": w.emails, "phone": w.phones, "credentials": w.credentials,
		"moduleowner":   one(values{"ModuleOwner_id": 1, "ownerName": "SUPEROFFICE", "ownerDescription": "SuperOffice AS", "licenseVersion": 3, "expiration": forever}),
		"modulelicense": w.moduleRows, "licenseassoclink": w.licenceLinks,
		"productversion": one(values{"ProductVersion_id": 1, "ownerName": "SUPEROFFICE", "codeName": "CRM", "version": "8.5.7458"}),
		"document":       w.documentRows, "appointment": w.appointmentRows, "visiblefor": w.visibleRows, "text": w.textRows,
		"doctmpl": w.templateRows, "config": w.configRow, "attachment": w.attachmentRows,
		"attachment_location": one(values{"attachment_location_id": 1, "path": `D:\CS\attachments`}, values{"attachment_location_id": 2, "path": `D:\CS\attachments2`}),
		"ticket_attachment": one(values{"id": 1, "ticket_id": 1, "attachment_id": 1}, values{"id": 2, "ticket_id": 1, "attachment_id": 0},
			values{"id": 3, "ticket_id": 2}),
		"ejuser":         one(values{"id": 1, "loginname": "adm0", "username": "Administrator", "status": 1, "access_level": 3}),
		"mail_in_filter": one(values{"id": 1, "server_type": 1, "pop_server": "mail.docklock.example", "pop_user": "support", "pop_password": "sample-not-a-secret", "address": "support@docklock.example", "status": 1}),
		"y_partner_log":  w.partnerLog, "y_partner_code": w.partnerCodes, "y_partner_rate": w.partnerRates,
		"y_partner_tick": one(values{"id": 1, "at": time.Date(2019, 1, 1, 0, 0, 0, 123_456_700, time.UTC)}, values{"id": 70_000, "at": notSet},
			values{"id": -3, "at": time.Date(9999, 12, 31, 23, 59, 59, 123_456_700, time.UTC)}),
		"y_partner_kinds": one(partnerKinds...), handmade: one(partnerShapes...),
		"sequence": w.sequences(tables),
	}
	if !w.o.Clean {
		w.oddRows(m, one)
	}
	return m, nil
}

// oddRows are what the preflight rules of a migration look for: somebody on Travel, a satellite in use and one that is
// gone, a sentry plugin, a partner's module, an open session; and a deleted user's history and a system event.
func (w *world) oddRows(m map[string]maker, one func(...values) maker) {
	out := time.Date(2016, 2, 1, 8, 0, 0, 0, time.UTC)
	m["traveller"] = one(values{"traveller_id": 1, "systemlevel": 9, "travel_id": 2, "area_id": 3, "generatedtime": out, "dbTag": "TRAVEL2"},
		values{"traveller_id": 2, "systemlevel": 9, "travel_id": 2 << 24, "area_id": 2, "generatedtime": out, "dbTag": "SAT2"})
	m["satellite"] = one(values{"satellite_id": 1, "area_id": 1, "contact_id": 2, "DSN": "SAT1"},
		values{"satellite_id": 2, "area_id": 2, "contact_id": 3, "DSN": "SAT2"})
	m["area"] = one(values{"area_id": 1, "name": "Bergen", "allData": 1}, values{"area_id": 2, "name": "Oslo", "allData": 1},
		values{"area_id": 3, "name": "Travel"})
	m["travelgeneratedtransaction"] = one(values{"travelgeneratedtransaction_id": 1, "travel_id": 2 << 24, "tranlogfirst_id": 1, "tranloglast_id": 40},
		values{"travelgeneratedtransaction_id": 2, "travel_id": 2 << 24, "tranlogfirst_id": 41, "tranloglast_id": 57})
	m["moduleowner"] = behind(m["moduleowner"], values{"ModuleOwner_id": 2, "ownerName": "NORDLYS", "ownerDescription": "Nordlys Integrasjon AS", "licenseVersion": 1, "expiration": forever})
	m["productversion"] = behind(m["productversion"], values{"ProductVersion_id": 2, "ownerName": "NORDLYS", "codeName": "ErpSync", "version": "3.1"})
	m["userpreference"] = one(values{"userpreference_id": 1, "deflevel": 2, "maxlevel": 5, "prefsection": "SentryAddonNames",
		"prefkey": "Partner.Sentry", "prefvalue": "Partner.Sentry"})
	m["activeuser"] = one(values{"activeuser_id": 2, "lastlogin": out, "netAddress": "10.0.0.7", "clientType": 1, "computerName": "PC-BOB"})
	m["associatehistory"] = one(values{"associateHistoryId": 1, "associateId": 4_000_002, "personId": 3, "name": "GONE", "firstName": "Gone", "lastName": "Away", "contactId": 1})
	m["systemevent"] = one(values{"SystemEvent_id": 1, "scope": 1, "eventkey": "MOTD", "eventmess": "Happy birthday, Åse", "eta": notSet})
}

// behind makes a row behind those of a maker.
func behind(m maker, last values) maker {
	return func(add func(values) bool) {
		m(add)
		add(last)
	}
}

func (w *world) contacts(add func(values) bool) {
	for i := 1; i <= companies; i++ {
		name := fmt.Sprintf("Kunde %d AS", i)
		if i == 1 {
			name = "8docklock"
		}
		if !add(values{"contact_id": i, "name": name, "country_id": 578, "number1": fmt.Sprint(1000 + i)}) {
			return
		}
	}
}

func (w *world) roles(add func(values) bool) {
	for i := 1; i <= roleCount; i++ {
		name, kind := fmt.Sprintf("User level %d", i-1), 0
		if i == 7 {
			name, kind = "External user", 1
		}
		if i == 8 {
			name, kind = "System user", 3
		}
		add(values{"Role_id": i, "name": name, "rank": i, "roleType": kind})
	}
}

var rightNames = []string{"admin-general", "admin-user", "admin-udef", "admin-import", "admin-preferences", "syncadmin-all"}

func (w *world) rights(add func(values) bool) {
	for i, name := range rightNames {
		add(values{"FunctionRight_id": i + 1, "name": name, "isBuiltIn": 1})
	}
}

func (w *world) rightLinks(add func(values) bool) {
	for i := range rightNames {
		add(values{"FunctionRightRoleLink_id": i + 1, "roleId": 1, "functionRightId": i + 1})
	}
	add(values{"FunctionRightRoleLink_id": 100, "roleId": 2, "functionRightId": len(rightNames)})
}

func (w *world) associateRows(add func(values) bool) {
	for _, a := range w.associates {
		v := values{"associate_id": a.id, "name": a.login, "rank": a.id, "group_idx": a.group, "person_id": a.person, "type": a.kind,
			"deleted": 0, "registered": time.Date(2003, 5, 5, 7, 30, 0, 0, time.UTC), "tooltip": "", "ejuserId": 0, "isLocation": 0}
		if a.retired {
			v["deleted"] = 1
		}
		if a.userName != "" {
			v["userName"] = a.userName
		}
		if !add(v) {
			return
		}
	}
}

func (w *world) roleLinks(add func(values) bool) {
	for _, a := range w.associates {
		if a.role != 0 && !add(values{"UserRoleLink_id": a.id, "associate_id": a.id, "role_id": a.role}) {
			return
		}
	}
}

func (w *world) groupLinks(add func(values) bool) {
	for _, a := range w.associates {
		if a.group == 1 && !add(values{"UserGroupLink_id": a.id, "assoc_id": a.id, "UserGroup_id": 3, "validTo": forever}) {
			return
		}
	}
}

func (w *world) personRows(add func(values) bool) {
	for _, p := range w.persons {
		v := values{"person_id": p.id, "contact_id": p.contact, "firstname": p.first, "lastname": p.last, "position_idx": p.position, "country_id": 578}
		if p.retired {
			v["retired"] = 1
		}
		if !add(v) {
			return
		}
	}
}

func (w *world) emails(add func(values) bool) {
	id := 0
	for _, p := range w.persons {
		for _, m := range p.mails {
			id++
			if !add(values{"email_id": id, "contact_id": p.contact, "person_id": p.id, "protocol": "SMTP", "type": m.kind, "email_address": m.address, "rank": m.rank}) {
				return
			}
		}
	}
}

func (w *world) phones(add func(values) bool) {
	for _, p := range w.persons {
		if p.phone != "" && !add(values{"phone_id": p.id, "owner_id": p.id, "ptype_idx": 16388, "phone": p.phone, "search_phone": strings.ReplaceAll(p.phone, " ", ""), "rank": 1}) {
			return
		}
	}
}

func (w *world) credentials(add func(values) bool) {
	id := 0
	for _, a := range w.associates {
		if a.kind != 0 {
			continue
		}
		id++
		add(values{"Credentials_id": id, "associateId": a.id, "credentialType": "CRM5/PASSWORD", "searchName": a.login, "secret": "7P:c2FtcGxlIG5vdCBhIHNlY3JldA==", "validTo": forever, "isActive": 1})
	}
	add(values{"Credentials_id": id + 1, "associateId": 1, "credentialType": "ActiveDirectory", "searchName": "S-1-5-21-1-2-3-500", "validTo": forever, "isActive": 1})
	add(values{"Credentials_id": id + 2, "associateId": 1, "credentialType": "Ticket", "searchName": "0f8fad5b-d9cb-469f-a165-70867728950e", "secret": "7S:c2FtcGxl", "isActive": 2})
}

func (w *world) moduleRows(add func(values) bool) {
	for _, m := range w.modules() {
		v := values{"ModuleLicense_id": m.id, "moduleName": m.name, "moduleDescription": m.title, "licenseType": m.kind, "licenseNumber": m.seats,
			"extraFlags": m.flags, "extraInfo": m.info, "ModuleOwner_id": 1, "sortOrder": m.id}
		if m.unlimited {
			v["unrestricted"] = 1
		}
		add(v)
	}
}

func (w *world) licenceLinks(add func(values) bool) {
	id := 0
	for _, a := range w.associates {
		for _, m := range w.modules() {
			has := m.flags == 1 && m.name == a.plan || m.name == "visible-for" && a.confidential || a.plan != "" && (m.name == "user" || m.name == "web")
			if !has {
				continue
			}
			id++
			if !add(values{"LicenseAssocLink_id": id, "moduleLicenseId": m.id, "assocId": a.id, "validTo": forever, "licenseNumber": 1}) {
				return
			}
		}
	}
}

func (w *world) documentRows(add func(values) bool) {
	w.documents(func(d doc) bool {
		return add(values{"document_id": d.id, "name": d.name, "header": d.header, "archiveProvider": d.provider, "appointment_id": d.id,
			"registered": d.registered, "registered_associate_id": d.author, "updated": d.registered, "updated_associate_id": d.author, "text_id": 0, "extref": ""})
	})
}

func (w *world) appointmentRows(add func(values) bool) {
	w.documents(func(d doc) bool {
		if d.noAppt {
			return true
		}
		who := d.author
		if d.apptAssoc != 0 {
			who = d.apptAssoc
		}
		if who >= 4_000_001 && d.apptAssoc == 0 {
			who = 1
		}
		return add(values{"appointment_id": d.id, "contact_id": 2, "associate_id": who, "registered": d.registered, "done": d.registered,
			"do_by": d.registered, "type": 4, "status": 3, "document_id": d.id, "activeDate": d.registered, "endDate": d.registered})
	})
	for i := 1; i <= 20; i++ { // notes of the diary, without documents
		add(values{"appointment_id": w.o.Documents + len(w.odd) + i, "contact_id": 2, "associate_id": 1 + i%2, "type": 1, "text_id": i})
	}
}

func (w *world) visibleRows(add func(values) bool) {
	w.documents(func(d doc) bool {
		return add(values{"VisibleFor_id": d.id, "tableId": 10, "recordId": d.id, "forAll": 1})
	})
}

func (w *world) textRows(add func(values) bool) {
	for i := 1; i <= 20; i++ {
		add(values{"text_id": i, "type": 4, "owner_id": w.o.Documents + len(w.odd) + i, "text": "Møte nr " + fmt.Sprint(i) + "\r\n" + string(words(w.rand(3, uint64(i)), 40*i)), "lcid": 1044})
	}
}

// sequences has one row for each table that was not made by hand, and the ten of the old dictionary.
func (w *world) sequences(tables []source.Table) maker {
	return func(add func(values) bool) {
		old := []string{"CONCEPTUALDATABASE", "CONCEPTUALTABLE", "CONCEPTUALFIELD", "PHYSICALSCHEMA", "PHYSICALDATABASE", "PHYSICALTABLE",
			"PHYSICALFIELD", "DICINDEX", "INDEXFIELD", "RELATIONSHIP"}
		for i, name := range old {
			add(values{"id": i + 1, "next_id": 2, "TableName": name, "TableNumber": -(i + 1)})
		}
		for i, t := range known(tables) {
			next := 1000 + w.o.Documents + len(w.odd)
			if !add(values{"id": 11 + i, "next_id": next, "TableName": strings.ToUpper(t.Name), "TableNumber": i + 1}) {
				return
			}
		}
	}
}
