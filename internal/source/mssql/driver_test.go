package mssql

import (
	"cmp"
	"context"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	mssqldb "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url, password, clean, user, gotPassword string
		encrypted                               bool
	}{
		{"sqlserver://sa@host:1433?database=crm", "pw", "sqlserver://host:1433?database=crm", "sa", "pw", true},
		{"sqlserver://sa:inside@host?database=crm", "", "sqlserver://host?database=crm", "sa", "inside", true},
		{"sqlserver://sa:inside@host?database=crm", "given", "sqlserver://host?database=crm", "sa", "given", true},
		{"sqlserver://host/SQL2019?DATABASE=crm&Encrypt=disable&user+id=sa&password=hidden", "pw", "sqlserver://host/SQL2019?database=crm&encrypt=disable", "sa", "pw", false},
		{"sqlserver://sa@host?database=b+c%26d&TrustServerCertificate=true&workstation+id=w", "p@?&", "sqlserver://host?database=b+c%26d&TrustServerCertificate=true", "sa", "p@?&", true},
	} {
		cfg, clean, err := parseURL(c.url, c.password, "linux")
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if clean != c.clean || cfg.User != c.user || cfg.Password != c.gotPassword || cfg.AppName != "omt" {
			t.Errorf("%s: %q, %q, %q, app %q", c.url, clean, cfg.User, cfg.Password, cfg.AppName)
		}
		if enc := cfg.Encryption == msdsn.EncryptionRequired; enc != c.encrypted {
			t.Errorf("%s: encryption %v", c.url, cfg.Encryption)
		}
		again, clean2, err := parseURL(c.clean, "x", "windows")
		if err != nil || clean2 != c.clean || again.Database != cfg.Database || again.Host != cfg.Host || again.Instance != cfg.Instance {
			t.Errorf("%s read again: %q, %v", c.clean, clean2, err)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, c := range []struct{ url, say string }{
		{"", "does not begin with sqlserver://"},
		{"mssql://sa:secret@host?database=crm", "does not begin with sqlserver://"},
		{"sqlserver://?database=crm", "a host"},
		{"sqlserver://sa:secret@host", "names no database"},
		{"sqlserver://sa:secret@host?database=", "names no database"},
		{"sqlserver://host?database=crm&password=secret", "names no login"},
		{"sqlserver://sa:secret@host:port?database=crm", "is not a URL"},
		{"sqlserver://sa:secret@ho st?database=crm", "is not a URL"},
		{"sqlserver://sa:secret@host?database=crm;x", "parameters cannot be read"},
		{"sqlserver://sa:secret@host?database=crm&encrypt=maybe", "encrypt"},
		{"sqlserver://sa:secret@host?database=crm&Timezone=Europe/Oslo", `"timezone" is not taken`},
		{"sqlserver://sa:secret@host?database=crm&guid+conversion=true", "not taken"},
		{"sqlserver://sa:secret@host?database=crm&fedauth=ActiveDirectoryDefault", `"fedauth" is not taken`},
		{"sqlserver://sa:secret@host?database=crm&log=63", "not taken"},
	} {
		_, err := Open(c.url, "")
		if c.say == "names no login" {
			_, _, err = parseURL(c.url, "", "linux")
		}
		if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), c.say) || !strings.Contains(manifest.HintOf(err), "OMT_DB_PASSWORD") {
			t.Errorf("%q: %v (%s), want %q", c.url, err, manifest.HintOf(err), c.say)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %v", err)
		}
		if _, err := OpenLoader(c.url, ""); err == nil && c.say != "names no login" {
			t.Errorf("OpenLoader takes %q", c.url)
		}
	}
	if _, _, err := parseURL("sqlserver://host?database=crm", "", "windows"); err != nil {
		t.Errorf("Windows' own login: %v", err)
	}
}

// Opening asks nothing of the network; the first question tells what is wrong.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	d, err := Open("sqlserver://sa@"+addr+"?database=crm&dial+timeout=2", "secret")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err = source.New(ctx, d, ""); manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), `database "127.0.0.1/crm": the server cannot be reached`) {
		t.Errorf("New: %v", err)
	}
	if _, err = d.Begin(ctx); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Begin: %v", err)
	}
	if d.Engine() != "mssql" || d.URL() != "sqlserver://"+addr+"?database=crm&dial+timeout=2" {
		t.Errorf("%s, %s", d.Engine(), d.URL())
	}
}

func TestExplain(t *testing.T) {
	d := &Driver{name: "host/crm"}
	for _, c := range []struct {
		err    error
		status manifest.Status
		say    string
		hint   string
	}{
		{mssqldb.Error{Number: 18456, Message: "Login failed for user 'sa'."}, manifest.Usage, "Login failed for user 'sa'. (error 18456)", "OMT_DB_PASSWORD"},
		{mssqldb.Error{Number: 4060, Message: "Cannot open database"}, manifest.Usage, "error 4060", "database's name"},
		{mssqldb.Error{Number: 911, Message: "Database 'x' does not exist."}, manifest.Usage, "error 911", "database's name"},
		{mssqldb.Error{Number: 229, Message: "The SELECT permission was denied"}, manifest.Failed, "error 229", "needs SELECT"},
		{mssqldb.Error{Number: 208, Message: "Invalid object name"}, manifest.Failed, `reading from database "host/crm": Invalid object name (error 208)`, ""},
		{fmt.Errorf("TLS: %w", x509.UnknownAuthorityError{}), manifest.Usage, "not trusted", "TrustServerCertificate"},
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}, manifest.Usage, "not trusted", "certificate"},
		{errors.New("TLS Handshake failed: tls: failed to verify certificate: x509: signed by unknown authority"), manifest.Usage, "not trusted", "certificate"},
		{&net.DNSError{Err: "no such host", Name: "host"}, manifest.Failed, "cannot be reached", "SQL Browser"},
		{errors.New("unable to open tcp connection with host 'x'"), manifest.Failed, "cannot be reached", "firewall"},
		{errors.New("something else"), manifest.Failed, `database "host/crm": something else`, ""},
		{context.Canceled, manifest.Failed, "context canceled", ""},
	} {
		err := d.explain("reading from", c.err)
		if manifest.StatusOf(err) != c.status || !strings.Contains(err.Error(), c.say) || !strings.Contains(manifest.HintOf(err), c.hint) {
			t.Errorf("%v: status %d, %v, hint %q", c.err, manifest.StatusOf(err), err, manifest.HintOf(err))
		}
	}
	var se mssqldb.Error
	if err := d.explain("x", mssqldb.Error{Number: 2627}); !errors.As(err, &se) || se.Number != 2627 {
		t.Errorf("the number is lost in %v", err)
	}
	if err := d.explain("x", context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost in %v", err)
	}
}

// readOne reads one value as a column of that name and type does.
func readOne(name, typ string, v ...driver.Value) (any, error) {
	return (&conn{utf16: true}).Reading("t", source.Column{Name: name, Type: source.ParseType(typ)}).Value(v)
}

func TestConvert(t *testing.T) {
	oslo := time.FixedZone("", 3600)
	at := time.Date(2024, 2, 29, 12, 30, 0, 5, oslo)
	for _, c := range []struct {
		typ  string
		v    driver.Value
		want any
	}{
		{"int", int64(5), int64(5)},
		{"bit", true, true},
		{"float", 1.5, 1.5},
		{"real", float32(0.1), float64(float32(0.1))},
		{"nvarchar(5)", "x", "x"},
		{"nvarchar(5)", []byte{'a', 0, 0x3D, 0xD8}, "a\xED\xA0\xBD"},
		{"ntext", []byte{}, ""},
		{"hierarchyid", []byte{0x58}, []byte{0x58}},
		{"decimal(5,2)", []byte("1.5"), "1.50"},
		{"decimal(5,2)", "-.5", "-0.50"},
		{"money", []byte("12.5000"), "12.5000"},
		{"varbinary(5)", []byte(nil), []byte{}},
		{"image", []byte{1}, []byte{1}},
		{"date", at, time.Date(2024, 2, 29, 12, 30, 0, 5, time.UTC)},
		{"datetime2(7)", at, time.Date(2024, 2, 29, 12, 30, 0, 5, time.UTC)},
		{"time(7)", time.Date(1, 1, 1, 12, 30, 0, 5, oslo), time.Date(1970, 1, 1, 12, 30, 0, 5, time.UTC)},
		{"uniqueidentifier", []byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF},
			[16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}},
	} {
		got, err := readOne("c", c.typ, c.v)
		if err != nil || fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", c.want, c.want) {
			t.Errorf("%s %v: %T %v, %v", c.typ, c.v, got, got, err)
		}
	}
	off, err := readOne("c", "datetimeoffset(7)", at)
	if x, ok := off.(time.Time); err != nil || !ok || !x.Equal(at) || x.Format("-07:00") != "+01:00" {
		t.Errorf("datetimeoffset: %v, %v", off, err)
	}
	for _, c := range []struct {
		typ string
		v   driver.Value
	}{
		{"int", "5"}, {"nvarchar(5)", int64(5)}, {"bit", int64(1)}, {"int", true}, {"int", at}, {"int", 1.5}, {"decimal(5,2)", []byte("x")},
		{"decimal(5,2)", []byte("1000")}, {"uniqueidentifier", []byte{1}}, {"nvarchar(5)", []byte("x")}, {"varchar(5)", []byte("x")}, {"point", []byte{1}},
		{"int", struct{}{}}, {"float", float32(1)},
	} {
		if got, err := readOne("col", c.typ, c.v); err == nil || !strings.Contains(err.Error(), `column "col"`) {
			t.Errorf("%s %v is taken as %v, %v", c.typ, c.v, got, err)
		}
	}
}

func TestReading(t *testing.T) {
	for _, c := range []struct{ typ, plain, utf16 string }{
		{"int", "t.[a]]b]", ""},
		{"xml", "t.[a]]b]", ""},
		{"decimal(9,2)", "t.[a]]b]", ""},
		{"varbinary(max)", "t.[a]]b]", ""},
		{"varchar(20)", "CAST(t.[a]]b] AS nvarchar(20))", ""},
		{"char(5000)", "CAST(t.[a]]b] AS nvarchar(max))", ""},
		{"text", "CAST(t.[a]]b] AS nvarchar(max))", ""},
		{"nvarchar(20)", "t.[a]]b]", "CAST(t.[a]]b] AS varbinary(40))"},
		{"nchar(4000)", "t.[a]]b]", "CAST(t.[a]]b] AS varbinary(8000))"},
		{"nvarchar(max)", "t.[a]]b]", "CAST(t.[a]]b] AS varbinary(max))"},
		{"ntext", "t.[a]]b]", "CAST(CAST(t.[a]]b] AS nvarchar(max)) AS varbinary(max))"},
		{"hierarchyid", "CAST(t.[a]]b] AS varbinary(892))", ""},
		{"geography", "CAST(t.[a]]b] AS varbinary(max))", ""},
		{"geometry", "CAST(t.[a]]b] AS varbinary(max))", ""},
	} {
		col := source.Column{Name: "a]b", Type: source.ParseType(c.typ)}
		if got := (&conn{}).Reading("t", col).Exprs; len(got) != 1 || got[0] != c.plain {
			t.Errorf("%s: %q, want %q", c.typ, got, c.plain)
		}
		if got := (&conn{utf16: true}).Reading("t", col).Exprs; len(got) != 1 || got[0] != cmp.Or(c.utf16, c.plain) {
			t.Errorf("%s as UTF-16: %q, want %q", c.typ, got, cmp.Or(c.utf16, c.plain))
		}
	}
	if got := (&conn{}).Reading("", source.Column{Name: "a", Type: source.ParseType("int")}).Exprs[0]; got != "[a]" {
		t.Errorf("without an alias: %s", got)
	}
}

func TestVariant(t *testing.T) {
	for _, c := range []struct {
		values []driver.Value
		want   string
	}{
		{[]driver.Value{int64(42), "int", int64(10), int64(0), int64(4), nil, nil}, "int:42"},
		{[]driver.Value{[]byte("12.5"), "DECIMAL", int64(9), int64(2), int64(5), nil, nil}, "decimal(9,2):12.50"},
		{[]driver.Value{[]byte("0.001"), "numeric", int64(0), int64(3), int64(5), nil, nil}, "numeric(38,3):0.001"},
		{[]driver.Value{"tekst", "varchar", int64(0), int64(0), int64(20), "Danish_Norwegian_CI_AS", nil}, "varchar(20) COLLATE Danish_Norwegian_CI_AS:tekst"},
		{[]driver.Value{"a\uFFFD", "nvarchar", int64(0), int64(0), int64(10), nil, []byte{'a', 0, 0x3D, 0xD8}}, "nvarchar(5):a\xED\xA0\xBD"},
		{[]driver.Value{"x", "nvarchar", int64(0), int64(0), int64(65535), nil, nil}, "nvarchar(4000):x"},
		{[]driver.Value{"x", "varchar", int64(0), int64(0), int64(-1), nil, nil}, "varchar(8000):x"},
		{[]driver.Value{[]byte{1}, "binary", int64(0), int64(0), int64(1), nil, nil}, "binary(1):01"},
		{[]driver.Value{[]byte{1, 2}, "binary", int64(0), int64(0), int64(65535), nil, nil}, "binary(2):0102"},
		{[]driver.Value{"a ", "char", int64(0), int64(0), int64(-1), nil, nil}, "char(2):a "},
		{[]driver.Value{"a ", "nchar", int64(0), int64(0), nil, nil, nil}, "nchar(2):a "},
		{[]driver.Value{time.Date(2024, 1, 1, 0, 0, 0, 100, time.UTC), "datetime2", int64(27), int64(7), int64(8), nil, nil}, "datetime2(7):2024-01-01 00:00:00.0000001"},
	} {
		if got, err := readOne("v", "sql_variant", c.values...); err != nil || got != c.want {
			t.Errorf("%v: %q, %v; want %q", c.values, got, err, c.want)
		}
	}
	for _, v := range [][]driver.Value{
		{int64(42), nil, nil, nil, nil, nil, nil},
		{"x", "point", nil, nil, int64(4), nil, nil},
		{int64(70000), "smallint", nil, nil, int64(2), nil, nil},
	} {
		if got, err := readOne("v", "sql_variant", v...); err == nil || !strings.Contains(err.Error(), `column "v"`) {
			t.Errorf("%v is taken as %v, %v", v, got, err)
		}
	}
}
