package e2e

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/microsoft/go-mssqldb" // to make, fill, read and drop the tests' databases
)

// server is the SQL Server that the environment names. Every test makes databases of its own there, and drops them.
type server struct {
	db        *sql.DB
	url       *url.URL // with the login, without its password
	password  string
	babelfish bool
}

// theServer is the server, or the test is skipped.
func theServer(t *testing.T) *server {
	t.Helper()
	raw := os.Getenv("OMT_TEST_SQLSERVER")
	if raw == "" {
		t.Skip("SKIPPED: OMT_TEST_SQLSERVER names no server")
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal("OMT_TEST_SQLSERVER is no URL")
	}
	srv := &server{url: u}
	if srv.db, err = sql.Open("sqlserver", raw); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.db.Close() })
	var version string
	if err := srv.db.QueryRow("SELECT @@VERSION").Scan(&version); err != nil {
		t.Fatal(err)
	}
	srv.babelfish = strings.Contains(version, "Babelfish")
	srv.password, _ = u.User.Password()
	u.User = url.User(u.User.Username())
	return srv
}

// create makes a database, and returns its URL for --db.
func (srv *server) create(t *testing.T, name string) string {
	t.Helper()
	name = fmt.Sprintf("omt_e2e_%d_%s", os.Getpid(), name)
	if _, err := srv.db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := srv.db.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
	})
	u := *srv.url
	q := u.Query()
	q.Set("database", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// env is what a command needs to log in.
func (srv *server) env() []string { return []string{"OMT_DB_PASSWORD=" + srv.password} }

// open opens a database by the server's own driver.
func (srv *server) open(t *testing.T, rawURL string) *sql.DB {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), srv.password)
	db, err := sql.Open("sqlserver", u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// execute changes a database.
func (srv *server) execute(t *testing.T, rawURL string, statements ...string) {
	t.Helper()
	db := srv.open(t, rawURL)
	defer db.Close() // a test may drop the database
	for _, q := range statements {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}
