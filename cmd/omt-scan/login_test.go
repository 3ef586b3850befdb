package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/login/netservertest"
)

const netserverPassword = "p:ss wörd"

// TestNetServer has the login verified by a stub of NetServer, with the password from everywhere it may come from.
func TestNetServer(t *testing.T) {
	dir := installation(t, nil)
	stub := netservertest.New(t, map[string]netservertest.User{
		"KK":             {Password: netserverPassword, AssociateID: 1, Associate: "KK", RoleName: "User level 0", FunctionRights: []string{"admin-all", "hello"}},
		"kk@example.com": {Password: netserverPassword, AssociateID: 1, Associate: "KK", RoleName: "User level 0"},
	})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(netserverPassword+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ca := stub.CA(t)
	for name, c := range map[string]struct {
		args     []string
		variable string
		answers  []string
		status   int
		want     string // in the manifest, or in what is said
		asked    int
	}{
		"from the console":    {args: []string{"--admin-right", "admin-all"}, answers: []string{netserverPassword}, want: `"verified":"netserver","admin":"confirmed"`, asked: 1},
		"from a variable":     {variable: netserverPassword, want: `"verified":"netserver","admin":"guessed"`, asked: 1},
		"from a file":         {args: []string{"--netserver-password", "@" + file, "--live"}, want: `"migration":"live"`, asked: 1},
		"by another name":     {args: []string{"--login", "kk@example.com"}, variable: netserverPassword, want: `"login":"KK"`, asked: 1},
		"wrong":               {variable: netserverPassword + "x", status: 5, want: `refuses the user name "KK" or its password (401)`, asked: 1},
		"wrong at a terminal": {answers: []string{"x", netserverPassword}, status: 5, want: "(401)", asked: 1},
		"no answer":           {answers: []string{""}, status: 2, want: "the password of KK was asked for and not given"},
		"rows edited by hand": {args: []string{"--login", "kk@example.com", "--admin-right", "admin-all"}, variable: netserverPassword, status: 5, want: "it is no administrator", asked: 1},
		"retired":             {args: []string{"--login", "OLD"}, variable: netserverPassword, status: 5, want: "it is retired"},
		"a literal":           {args: []string{"--netserver-password", netserverPassword}, status: 2, want: "a secret on the command line"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(stub.Asked())
			log := filepath.Join(t.TempDir(), "log")
			p := clitest.New(t, "omt-scan", append([]string{"--install", dir, "--netserver", stub.Address(), "--ca", ca, "--log", log}, c.args...)...)
			p.Vars["OMT_PLUGINS"], p.Vars["OMT_SCAN_NETSERVER_PASSWORD"] = plugins.Dir(t), c.variable
			p.Env.Now = time.Now
			if c.answers != nil {
				p.Console = &clitest.Console{Answers: c.answers}
			}
			status := p.Run(context.Background(), command)
			out := p.Stdout.String() + p.Stderr.String()
			if status != c.status || !strings.Contains(out, c.want) {
				t.Errorf("status %d, want %d with %q: %s", status, c.status, c.want, p.Stderr.String())
			}
			if n := len(stub.Asked()) - before; n != c.asked {
				t.Errorf("NetServer was asked %d times, want %d", n, c.asked)
			}
			logged, _ := os.ReadFile(log)
			for _, secret := range []string{netserverPassword, "wörd", `w\u00f6rd`} {
				if strings.Contains(out+string(logged), secret) {
					t.Errorf("the password is told: %s%s", out, logged)
				}
			}
			if p.Console != nil && (len(p.Console.Hidden) != 1 || !p.Console.Hidden[0]) {
				t.Errorf("what was typed could be seen: %v", p.Console.Hidden)
			}
		})
	}
}

// TestDatabaseLogin holds that what proves the login is told where it is little.
func TestDatabaseLogin(t *testing.T) {
	p := clitest.New(t, "omt-scan", "--install", installation(t, nil), "--progress", "none")
	p.StderrTerminal, p.Vars["OMT_PLUGINS"] = true, plugins.Dir(t)
	if status := p.Run(context.Background(), command); status != 0 || !strings.Contains(p.Stdout.String(), `"verified":"database"`) ||
		!strings.Contains(p.Stderr.String(), "login KK: verified by the database's login alone: no --netserver was given") {
		t.Errorf("status %d: %s", status, p.Stderr.String())
	}
}
