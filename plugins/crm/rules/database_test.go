package rules

import (
	"testing"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

func TestTravel(t *testing.T) {
	run(t, travel, []row{
		{"a user", given(card(2, "BB"), fact("traveller", "1", "travel_id", 2, "systemlevel", 9, "generatedtime", "2016-02-01 08:00:00")),
			[]string{"error [user:2 traveller:1] BB (Name of BB) is on Travel since 2016-02-01 08:00:00 (row 1 of traveller): what is written there and not brought home would be lost"}},
		{"the last id of an associate, who is no user", given(card(2, "BB"), fact("traveller", "1", "travel_id", 1<<24-1, "generatedtime", "1760-01-01 00:00:00")),
			[]string{"error [traveller:1] associate 16777215, who is no active user is on Travel (row 1 of traveller): what is written there and not brought home would be lost"}},
		{"a satellite's row", given(card(2, "BB"), fact("traveller", "1", "travel_id", 1<<24)), nil},
		{"a row that tells nobody", given(fact("traveller", "4")),
			[]string{"error [traveller:4] somebody whom the row does not tell is on Travel (row 4 of traveller): what is written there and not brought home would be lost"}},
	})
}

func TestSatellite(t *testing.T) {
	run(t, satellite, []row{
		{"a row alone", given(fact("satellite", "1", "area_id", 4)),
			[]string{"error [satellite:1] satellite 1 (area 4) is registered, and nothing tells whether it is still in use: close it, or waive this if it is gone"}},
		{"with traffic", given(fact("satellite", "2", "area_id", 4), fact("satellite", "3", "area_id", 5), fact("travelgeneratedtransaction", "33554439", "travel_id", 2<<24+7, "rows", 40)),
			[]string{"error [satellite:2 travelgeneratedtransaction:33554439] satellite 2 (area 4) is in use: 40 transactions were made for it; close it with its last changes sent home",
				"error [satellite:3] satellite 3 (area 5) is registered, and nothing tells whether it is still in use: close it, or waive this if it is gone"}},
		{"with a traveller of its area", given(fact("satellite", "1", "area_id", 4), fact("traveller", "9", "travel_id", 5<<24, "area_id", 4, "generatedtime", "2016-02-01 08:00:00")),
			[]string{"error [satellite:1 traveller:9] satellite 1 (area 4) is in use: row 9 of traveller names it since 2016-02-01 08:00:00; close it with its last changes sent home"}},
		{"traffic of a satellite without a row", given(fact("travelgeneratedtransaction", "16777216", "travel_id", 1<<24, "rows", 1)),
			[]string{"error [travelgeneratedtransaction:16777216] a satellite that is not in the table satellite has the id 16777216 (0x01000000): 1 transaction was made for it; close it with its last changes sent home"}},
		{"users on Travel and their transactions", given(fact("traveller", "1", "travel_id", 2), fact("travelgeneratedtransaction", "2", "travel_id", 2, "rows", 5)), nil},
	})
}

func TestTravelDatabase(t *testing.T) {
	run(t, travelDatabase, []row{
		{"central", given(fact("travelcurrent", "1", "systemlevel", 10, "current_id", 0)), nil},
		{"a satellite's", given(fact("travelcurrent", "1", "systemlevel", 9, "current_id", 1<<24)),
			[]string{"error [travelcurrent:1] the database is not the central one (travelcurrent: systemlevel 9, where that has 10; current_id 16777216): scan the central database"}},
		{"level 0", given(fact("travelcurrent", "1", "systemlevel", 0)),
			[]string{"error [travelcurrent:1] the database is not the central one (travelcurrent: systemlevel 0, where that has 10; current_id 0): scan the central database"}},
		{"no level", given(fact("travelcurrent", "1", "current_id", 0)),
			[]string{"warning [table:travelcurrent] whether the database is the central one cannot be told: travelcurrent has no row with a systemlevel; make sure that it is no satellite's and not one for Travel"}},
	})
}

func TestVersion(t *testing.T) {
	dates := func(name, kind string) *sdk.Table {
		return &sdk.Table{Name: name, Columns: []sdk.Column{{Name: "associate_id", Type: "int"}, {Name: "Registered", Type: kind}}}
	}
	at := func(v string) *sdk.Installation { return &sdk.Installation{Version: v} }
	old := func(v string) []string {
		return []string{"error [installation:version] the installation is of version " + v + ", and the oldest that can be migrated is 7.1: upgrade it first"}
	}
	unknown := func(values string) []string {
		return []string{"warning [installation:version] whether the version is at least 7.1 cannot be told: " + values + "; look it up in the program"}
	}
	run(t, versionOf, []row{
		{"newer", given(at("8.5.7458")), nil},
		{"7.1", given(at("7.1")), nil},
		{"with a point at its end", given(at("7.10.")), nil},
		{"two digits", given(at("10.1.2")), nil},
		{"7.0", given(at("7.0.99")), old("7.0.99")},
		{"6.3", given(at("6.3"), fact("databasemodel", "1")), old("6.3")},
		{"nothing", given(at("")), unknown("nothing in the database names one")},
		{"no number", given(at("SIX"), fact("productversion", "1", "ownername", "SUPEROFFICE", "codename", "CRM", "version", "SIX r2"), fact("service-config", "1", "version", " ")),
			unknown("there is SIX, ProductVersion SUPEROFFICE CRM SIX r2")},
		{"no number of two parts", given(at("8")), unknown("there is 8")},
		{"texts that do not agree", given(at(""), fact("productversion", "1", "version", "7.0.1"), fact("service-config", "1", "version", "8.5"), fact("company", "1", "version", 700, "revision", 3)),
			unknown("there is ProductVersion 7.0.1, config.version of Service 8.5, company.version 700, revision 3")},
		{"a model is of 8.1", given(at(""), fact("databasemodel", "1", "modelversion", "1.0")), nil},
		{"dates as numbers are older than 7.0", given(at(""), dates("ASSOCIATE", "int")),
			[]string{"error [installation:version] dates are kept as numbers (ASSOCIATE.Registered), as in versions before 7.0, and the oldest that can be migrated is 7.1: upgrade the installation first"}},
		{"dates as dates say nothing", given(at(""), dates("associate", "datetime"), dates("other", "int")), unknown("nothing in the database names one")},
	})
}

func TestLicenceChanged(t *testing.T) {
	now := &sdk.Installation{Owner: "8docklock", Serial: "1801830017"}
	earlier := func(owner, serial string) *sdk.Fact {
		return fact("earlier", "1", "owner", owner, "serial", serial, "from", "the tenant's state")
	}
	run(t, licenceChanged, []row{
		{"nothing to compare with", given(now), nil},
		{"the same", given(now, earlier(" 8docklock", "1801830017 ")), nil},
		{"another serial number", given(now, earlier("8docklock", "1801830018")),
			[]string{`error [installation:licence] this is not the licence of the earlier run (the tenant's state): the serial number was "1801830018" and is "1801830017"`}},
		{"another company", given(now, fact("earlier", "1", "owner", "8Docklock", "serial", "1")),
			[]string{`error [installation:licence] this is not the licence of the earlier run: the company name was "8Docklock" and is "8docklock", the serial number was "1" and is "1801830017"`}},
		{"only one is told", given(now, fact("earlier", "1", "owner", "8docklock")), nil},
	})
}

func TestDatabaseModel(t *testing.T) {
	list := func(id string, pairs ...any) *sdk.Fact { return fact("table-list", id, pairs...) }
	run(t, databaseModel, []row{
		{"all are there", given(fact("databasemodel", "1"), list("sequence", "tables", 40), list("databasemodel/1", "tables", 40, "how", "gzip")), nil},
		{"tables that are not", given(fact("databasemodel", "1"), list("databasemodel/1", "tables", 40, "absent", 2), fact("table-absent", "y_a", "table", "y_a", "by", "databasemodel"),
			fact("table-absent", "y_b", "table", "y_b", "by", "databasemodel"),
			list("databasemodel/2", "tables", 40, "absent", 1), fact("table-absent", "y_a", "table", "y_a", "by", "databasemodel")),
			[]string{"error [table:databasemodel] the database model names 2 tables that cannot be seen (table-missing tells of each): y_a, y_b; " +
				"give the database login the right to read what is there, and have what is gone taken out of the model"}},
		{"what other lists name is not the model's", given(fact("databasemodel", "1"), list("databasemodel/1", "tables", 40), fact("table-absent", "77", "table", "y_a", "by", "sequence", "number", 70),
			fact("table-absent", "y_b", "table", "y_b", "by", "physicaltable")), nil},
		{"a model that cannot be read", given(fact("databasemodel", "1"), list("databasemodel/1", "problem", "ModelData: it is JSON in none of the forms that were tried")),
			[]string{"warning [table:databasemodel] which tables the database model names cannot be told (row 1), so that nothing was compared: ModelData: it is JSON in none of the forms that were tried"}},
		{"neither model nor dictionary", given(list("sequence"), list("databasemodel", "problem", "it is not there, nor is the dictionary of older versions")),
			[]string{"warning [table:databasemodel] which tables the database model names cannot be told, so that nothing was compared: it is not there, nor is the dictionary of older versions"}},
		{"an old version with its dictionary", given(list("sequence"), list("physicaltable", "tables", 40)), nil},
		{"a manifest that does not tell", given(fact("databasemodel", "1"), list("physicaltable", "tables", 40)),
			[]string{"warning [table:databasemodel] the manifest does not tell what the database model names, so that nothing was compared: scan again"}},
	})
}

func TestSentryAddons(t *testing.T) {
	run(t, sentryAddons, []row{
		{"a row for each plugin", given(fact("userpreference", "1", "prefsection", "sentryaddonnames", "prefkey", "A.Sentry", "prefvalue", "A.Sentry", "deflevel", 2, "owner_id", 0),
			fact("userpreference", "2", "prefsection", "SentryAddonNames", "prefkey", "B", "prefvalue", "B.Sentry", "deflevel", 5, "owner_id", 7)),
			[]string{`error [userpreference:1] preference sentryaddonnames names the plugin "A.Sentry" (row 1 of UserPreference, level 2, owner 0): remove it`,
				`error [userpreference:2] preference SentryAddonNames names the plugin "B = B.Sentry" (row 2 of UserPreference, level 5, owner 7): remove it`}},
		{"as a key", given(fact("userpreference", "3", "prefsection", "Login", "prefkey", "SENTRYADDONNAMES", "prefvalue", "C.Sentry")),
			[]string{`error [userpreference:3] preference Login names the plugin "SENTRYADDONNAMES = C.Sentry" (row 3 of UserPreference, level 0, owner 0): remove it`}},
		{"another preference", given(fact("userpreference", "4", "prefsection", "Document", "prefkey", "DefaultDocPlugin", "prefvalue", "5")), nil},
	})
}

func TestActiveUsers(t *testing.T) {
	session := func(id, computer string) *sdk.Fact {
		return fact("activeuser", id, "lastlogin", "2016-02-01 08:00:00", "computername", computer)
	}
	run(t, activeUsers, []row{
		{"a test", given(&sdk.Header{Migration: "test"}, card(2, "BB"), session("2", "PC-BOB"), session("9", "")),
			[]string{"info [activeuser:2 activeuser:9] 2 sessions are open: BB (Name of BB) since 2016-02-01 08:00:00 at PC-BOB, associate 9, who is no active user since 2016-02-01 08:00:00"}},
		{"a live migration", given(&sdk.Header{Migration: "live"}, card(2, "BB"), session("2", "PC-BOB")),
			[]string{"warning [activeuser:2] 1 session is open: BB (Name of BB) since 2016-02-01 08:00:00 at PC-BOB"}},
		{"nobody", given(&sdk.Header{Migration: "live"}, card(2, "BB")), nil},
	})
	if err := ruletest.RunError(t, activeUsers, fact("activeuser", "x")); err.Error() != `fact activeuser has the id "x", which is no number` {
		t.Errorf("got %v", err)
	}
}
