// Package netservertest is a stub of NetServer's REST service: one address, GET /api/v1/User/currentPrincipal with basic
// authentication. It was written from the vendor's documents (the fields of SoPrincipalCarrier, the statuses of the
// address, the page on basic authentication) and not from a NetServer, which nobody who wrote it has seen: what passes
// here may meet a NetServer that behaves otherwise.
package netservertest

import (
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// User is somebody whom the stub knows.
type User struct {
	Password       string
	AssociateID    int64
	Associate      string
	RoleName       string
	FunctionRights []string
}

// Stub is a running stub.
type Stub struct {
	*httptest.Server

	mu      sync.Mutex
	users   map[string]User
	asked   []string
	instead http.HandlerFunc
}

// New starts a stub that knows users by the names that they log in with. It ends with the test.
func New(t testing.TB, users map[string]User) *Stub {
	s := &Stub{users: users}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // of handshakes that fail on purpose
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// CA writes the stub's certificate into a file as --ca takes it.
func (s *Stub) CA(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Asked are the user names that were given, one for each request.
func (s *Stub) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.asked...)
}

func (s *Stub) serve(w http.ResponseWriter, r *http.Request) {
	name, password, given := r.BasicAuth()
	s.mu.Lock()
	s.asked = append(s.asked, name)
	instead := s.instead
	user, known := s.users[name]
	s.mu.Unlock()
	switch {
	case instead != nil:
		instead(w, r)
	case r.URL.Path != "/remote/api/v1/User/currentPrincipal" || r.Method != http.MethodGet:
		http.NotFound(w, r)
	case !given || !known || user.Password != password:
		w.Header().Add("WWW-Authenticate", `Basic realm="SuperOffice"`)
		w.WriteHeader(http.StatusUnauthorized)
	default:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"UserType": "InternalAssociate", "Associate": user.Associate, "AssociateId": user.AssociateID, "IsPerson": true, "PersonId": 5, "CountryId": 578,
			"GroupId": 1, "RoleId": 1, "RoleName": user.RoleName, "RoleType": "Employee", "Licenses": []string{"user", "web"}, "FullName": "",
			"EMailAddress": "", "FunctionRights": user.FunctionRights, "EjUserId": 0, "EjAccessLevel": "", "ProvidedCredentials": "Basic",
			"SecondaryGroups": []int{}, "DatabaseContextIdentifier": "Default", "UserName": name,
		})
	}
}

// Address is what --netserver is given.
func (s *Stub) Address() string { return s.URL + "/remote" }

// Answer has the stub answer with f from now on; nil: as before.
func (s *Stub) Answer(f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = f
}
