package source

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// factTable says which columns of a table become facts. Columns are an allow-list: what is not named here is not read,
// so that no password of a mailbox or signature of a licence can leave the database this way.
type factTable struct {
	fact, table string
	id          string
	columns     []string
	where       func(p probe) string
}

// factTables are the tables whose rows become facts one by one. The keys of Data are the columns' names as written here.
var factTables = [...]factTable{
	{fact: "traveller", table: "traveller", id: "traveller_id",
		columns: []string{"travel_id", "systemlevel", "area_id", "generatedtime", "databasetype", "dbtag"}},
	{fact: "satellite", table: "satellite", id: "satellite_id", columns: []string{"area_id", "contact_id"}},
	{fact: "travelcurrent", table: "travelcurrent", id: "travelcurrent_id",
		columns: []string{"systemlevel", "current_id", "central_id", "area_id", "databasetype", "dbtag"}},
	{fact: "userpreference", table: "UserPreference", id: "userpreference_id",
		columns: []string{"deflevel", "maxlevel", "owner_id", "prefsection", "prefkey", "prefvalue"}, where: knownPreferences},
	{fact: "systemevent", table: "SystemEvent", id: "SystemEvent_id",
		columns: []string{"scope", "owner", "eventkey", "eventmess", "extrainfo", "eta"}},
	{fact: "activeuser", table: "activeuser", id: "activeuser_id",
		columns: []string{"lastlogin", "netaddress", "clienttype", "computername"}},
	{fact: "moduleowner", table: "ModuleOwner", id: "ModuleOwner_id",
		columns: []string{"ownername", "ownerdescription", "licenseversion", "deploymenttype", "producttype", "expiration", "graceto", "maintenanceto"}},
	{fact: "productversion", table: "ProductVersion", id: "ProductVersion_id",
		columns: []string{"ownername", "codename", "version", "comment"}},
	{fact: "databasemodel", table: "DatabaseModel", id: "databasemodel_id", columns: []string{"modelversion", "isdatabaseunicode"}},
	{fact: "service-config", table: "config", id: "id",
		columns: []string{"text_path", "attachment_path", "template_path", "admin_mail", "default_mail", "tag", "language", "version"}},
	{fact: "mailbox", table: "mail_in_filter", id: "id", columns: []string{"server_type", "pop_server", "address", "status"}},
	{fact: "mailbox-alias", table: "mail_alias", id: "id", columns: []string{"filter_id", "alias"}},
	{fact: "company", table: "company", id: "company_id", columns: []string{"version", "revision"}},
}

// knownPreferences picks the preferences that rules know; others may be anything, and are many.
func knownPreferences(p probe) string {
	var any []string
	for _, c := range []string{"prefsection", "prefkey"} {
		if p.has(c) {
			any = append(any, "LOWER("+p.col(c)+") IN ('sentryaddonnames', 'defaultdocplugin')")
		}
	}
	if len(any) == 0 {
		return "1 = 0"
	}
	return strings.Join(any, " OR ")
}

// Facts yields what rules look at, table by table in the order of the package comment's list.
func (v *View) Facts(ctx context.Context) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		parts := make([]iter.Seq2[Fact, error], 0, len(factTables)+4)
		for _, f := range factTables {
			parts = append(parts, v.tableFacts(ctx, f))
		}
		parts = append(parts,
			v.countFacts(ctx, "travelgeneratedtransaction", "travelgeneratedtransaction", []string{"travel_id"}, ""),
			v.countFacts(ctx, "archive-provider", "document", []string{"archiveProvider"}, "archiveProvider"),
			v.countFacts(ctx, "associate-type", "associate", []string{"type", "deleted"}, ""),
			v.tablesFacts(ctx))
		for _, part := range parts {
			for f, err := range part {
				if !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

// tableFacts makes one fact of each row. A column that is not there, or NULL, has no key in Data.
func (v *View) tableFacts(ctx context.Context, f factTable) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		p, ok := v.probe(f.table, "t")
		if !ok {
			return
		}
		where := ""
		if f.where != nil {
			where = f.where(p)
		}
		cols := append([]string{f.id}, f.columns...)
		for r, err := range v.rowsOf(ctx, p, where, cols[:1], cols...) {
			if err != nil {
				yield(Fact{}, err)
				return
			}
			data := map[string]any{}
			for i, c := range f.columns {
				if x := plain(r[i+1]); x != nil {
					data[c] = x
				}
			}
			if !yield(Fact{Name: f.fact, ID: strconv.FormatInt(number64(r[0]), 10), Data: data}, nil) {
				return
			}
		}
	}
}

// plain is a cell as JSON holds it. Times are written as the database has them, since it does not say in which zone.
func plain(v any) any {
	switch v := v.(type) {
	case int64, bool, float64:
		return v
	case string:
		return Unicode(v)
	case time.Time:
		return v.Format("2006-01-02 15:04:05")
	}
	return nil
}

// countFacts counts rows by columns (NULL counts as 0); with nonZero only rows where that column is not 0. The id is the
// columns' values with a slash between them.
func (v *View) countFacts(ctx context.Context, fact, table string, columns []string, nonZero string) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		p, ok := v.probe(table, "t")
		if !ok {
			return
		}
		var there, exprs []string
		for _, c := range columns {
			if p.has(c) {
				there, exprs = append(there, strings.ToLower(c)), append(exprs, p.number(c))
			}
		}
		if len(there) == 0 {
			return
		}
		by := strings.Join(exprs, ", ")
		q := "SELECT " + by + ", COUNT(*) FROM " + p.from()
		if nonZero != "" {
			q += " WHERE " + p.number(nonZero) + " <> 0"
		}
		for r, err := range v.query(ctx, p.table.Name, q+" GROUP BY "+by+" ORDER BY "+by, nil) {
			if err != nil {
				yield(Fact{}, err)
				return
			}
			f := Fact{Name: fact, Data: map[string]any{"rows": number64(r[len(there)])}}
			for i, c := range there {
				f.Data[c] = number64(r[i])
				f.ID += fmt.Sprintf("/%d", number64(r[i]))
			}
			f.ID = f.ID[1:]
			if !yield(f, nil) {
				return
			}
		}
	}
}

// tablesFacts are what package source's lists of tables say, in one go: what was asked is not being read any more.
func (v *View) tablesFacts(ctx context.Context) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		facts, err := v.listFacts(ctx)
		if err != nil {
			yield(Fact{}, err)
			return
		}
		for _, f := range append(facts, v.textFacts()...) {
			if !yield(f, nil) {
				return
			}
		}
	}
}
