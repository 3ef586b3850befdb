package mssql_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/microsoft/go-mssqldb"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/mssql"
	"github.com/openomt/omt/internal/source/sourcetest"
)

// serverVariable names a server to test on: a sqlserver:// URL with login and password, whose login may create and drop
// databases. Every test makes a database of its own there and drops it.
const serverVariable = "OMT_TEST_SQLSERVER"

// server is a running server.
type server struct {
	admin     *sql.DB
	url       *url.URL
	babelfish bool
}

// connect returns the server that the environment names, or skips the test and says so.
func connect(t testing.TB) *server {
	t.Helper()
	raw := os.Getenv(serverVariable)
	if raw == "" {
		t.Skipf("SKIPPED: no SQL Server to test on; set %s to sqlserver://LOGIN:PASSWORD@HOST:PORT?database=master", serverVariable)
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatalf("%s is not a URL", serverVariable)
	}
	admin, err := sql.Open("sqlserver", raw)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close() })
	admin.SetMaxOpenConns(1)
	var version string
	if err := admin.QueryRowContext(t.Context(), "SELECT @@VERSION").Scan(&version); err != nil {
		t.Fatalf("%s: %v", serverVariable, err)
	}
	return &server{admin: admin, url: u, babelfish: strings.Contains(version, "Babelfish")}
}

var databases atomic.Int64

// create makes a database that is dropped with the test, and returns its URL, which has the login but no password.
func (s *server) create(t testing.TB) (rawURL, password string) {
	t.Helper()
	name := fmt.Sprintf("omt_test_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := s.admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := s.admin.Exec("DROP DATABASE " + name); err != nil {
			t.Errorf("dropping %s: %v", name, err)
		}
	})
	if !s.babelfish { // where it does not work, it is on
		if _, err := s.admin.ExecContext(t.Context(), "ALTER DATABASE "+name+" SET ALLOW_SNAPSHOT_ISOLATION ON"); err != nil {
			t.Fatal(err)
		}
	}
	u := *s.url
	q := u.Query()
	q.Set("database", name)
	u.RawQuery = q.Encode()
	password, _ = u.User.Password()
	u.User = url.User(u.User.Username())
	return u.String(), password
}

func (s *server) database(t *testing.T) sourcetest.Database {
	raw, password := s.create(t)
	return sourcetest.Database{
		Driver: func(t *testing.T) source.Driver {
			d, err := mssql.Open(raw, password)
			if err != nil {
				t.Fatal(err)
			}
			return d
		},
		Loader: func(t *testing.T) source.Loader {
			l, err := mssql.OpenLoader(raw, password)
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
	}
}

func TestSuite(t *testing.T) {
	s := connect(t)
	e := sourcetest.Engine{New: s.database, Digits: 7, ShowsCollation: true}
	if s.babelfish {
		e.Digits, e.LosesNames, e.NoSurrogates = 6, true, true
	}
	sourcetest.Run(t, e)
}

func BenchmarkSuite(b *testing.B) {
	s := connect(b)
	sourcetest.Bench(b, func(b *testing.B) (source.Loader, source.Driver, *sql.DB) {
		raw, password := s.create(b)
		l, err := mssql.OpenLoader(raw, password)
		if err != nil {
			b.Fatal(err)
		}
		d, err := mssql.Open(raw, password)
		if err != nil {
			b.Fatal(err)
		}
		u, err := url.Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		u.User = url.UserPassword(u.User.Username(), password)
		db, err := sql.Open("sqlserver", u.String())
		if err != nil {
			b.Fatal(err)
		}
		return l, d, db
	})
}
