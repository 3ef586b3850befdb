package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/openomt/omt/internal/sheet"
)

// configs writes what omt-scan --install finds, the programs' own config files, the tenant's plans, and the choices
// that resolve what blocks.
func (w *world) configs() error {
	files := []struct {
		name string
		make func() ([]byte, error)
	}{
		{"omt.json", w.omtJSON}, {"superoffice/SuperOffice.ini", w.ini}, {"superoffice/web.config", w.webConfig},
		{"service/config", w.serviceConfig}, {"plans.csv", w.plansCSV}, {"users.csv", w.usersCSV}, {"waivers.csv", w.waiversCSV},
	}
	for _, f := range files {
		b, err := f.make()
		if err != nil {
			return fmt.Errorf("making %s: %w", f.name, err)
		}
		name := filepath.Join(w.o.Dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, b, 0o644); err != nil {
			return fmt.Errorf("writing the sample's config: %w", err)
		}
		if err := os.Chtimes(name, madeAt, madeAt); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) omtJSON() ([]byte, error) {
	b, err := json.MarshalIndent(map[string]any{
		"db": w.o.DB, "prefix": w.o.Prefix,
		"roots": map[string][]string{
			"document": {"so_arc", "so_arc2"}, "template": {"so_arc/Template"}, "service": {"service", "service/template", "service/text"},
		},
		"map":         []string{`D:\CS=service`},
		"login":       "ADM0",
		"adminRights": []string{"admin-general", "admin-user"},
		"migrator":    map[string]string{"name": "Anne Aas", "email": "adm0@docklock.example", "phone": "+47 934 66 000", "language": "no"},
	}, "", "  ")
	return append(b, '\n'), err
}

func crlf(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

func (w *world) ini() ([]byte, error) {
	return crlf("[SuperOffice]", `archivepath=D:\SO_ARC`, `archivepath2=E:\SO_ARC`, "Datapath=ODBC:SuperOffice", "GlobalPrefix="+strings.ToUpper(w.o.Prefix),
		"CRMCaption=8docklock", "[Error]", "EnableDebug=0"), nil
}

func (w *world) webConfig() ([]byte, error) {
	return crlf(`<?xml version="1.0" encoding="utf-8"?>`, "<configuration>", "  <SuperOffice>", "    <Data>", "      <Database>",
		`        <add key="DatabaseMajor" value="MSSQL" />`, `        <add key="Server" value="sql01\SUPEROFFICE" />`,
		`        <add key="Database" value="crm" />`, `        <add key="TablePrefix" value="`+w.o.Prefix+`" />`,
		`        <add key="ConnectionString" value="Server=[@Server];Database=[@Database];User ID=[@User];Password=[@Password]" />`,
		"      </Database>", "    </Data>", "    <Documents>", `      <add key="ArchivePath" value="D:\SO_ARC" />`,
		`      <add key="ArchivePath1" value="E:\SO_ARC" />`, `      <add key="TemplatePath" value="" />`, "    </Documents>", "  </SuperOffice>", "</configuration>"), nil
}

// serviceConfig is in UTF-16, as an editor on Windows may have left it.
func (w *world) serviceConfig() ([]byte, error) {
	text := crlf("# Customer Service", "dbHost = sql01", "dbUsername = crm", "dbPassword = sample-not-a-secret", "dbDatabase = SuperOffice", "dbType = mssql",
		"nsUser = ejSysUser", "nsPass = sample-not-a-secret", "#frozen", "nsEndPoint = http://sql01/Remote/Services82")
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(text))) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b, nil
}

func (w *world) plansCSV() ([]byte, error) {
	rows := [][]string{{"name", "title", "onsite", "seats", "unlimited"}}
	for _, m := range w.modules() {
		if m.tenant != "" {
			rows = append(rows, []string{m.tenant, m.tTitle, m.name, strconv.Itoa(m.tenantSeats), "false"})
		}
	}
	return csv(rows)
}

func (w *world) usersCSV() ([]byte, error) {
	rows := [][]string{{"id", "login", "plan", "username", "welcome"}}
	for _, a := range w.associates {
		if a.kind == 0 && !a.retired {
			rows = append(rows, []string{strconv.Itoa(a.id), a.login, a.tenantPlan, a.username, "true"})
		}
	}
	return csv(rows)
}

// waiversCSV lets stand what a person must know of and cannot mend in the sample: what preflight rules find that blocks.
func (w *world) waiversCSV() ([]byte, error) {
	rows := [][]string{{"rule", "subject", "reason", "by", "until"}}
	if !w.o.Clean {
		rows = append(rows,
			[]string{"document-missing", "", "the folder GS is to be renamed next week; the files follow", "Anne Aas", ""},
			[]string{"travel", "user:2", "Bjørn comes home before the live migration", "Anne Aas", ""},
			[]string{"satellite", "satellite:1", "Bergen was closed in May; the row was left behind", "Anne Aas", ""},
			[]string{"satellite", "satellite:2", "Oslo closes before the live migration; this is a test", "Anne Aas", ""},
			[]string{"sentry-addons", "userpreference:1", "the partner removes its plugin before the live migration", "Anne Aas", ""})
	}
	return csv(rows)
}

func csv(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	err := sheet.Write(&b, ';', rows[0], rows[1:])
	return b.Bytes(), err
}
