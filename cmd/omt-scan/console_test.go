package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/scan/scantest"
)

// installation writes an installation in which nothing blocks, and returns its folder. change may be nil.
func installation(t *testing.T, change func(s *scantest.Site)) string {
	t.Helper()
	s := scantest.New(filepath.Join(t.TempDir(), "site"))
	sound(s)
	if change != nil {
		change(s)
	}
	if err := s.Write(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s.Dir
}

// TestConsole holds that what is missing is asked, and that without a console the flags are named before anything is
// read.
func TestConsole(t *testing.T) {
	dir := installation(t, func(s *scantest.Site) {
		s.Files["omt.json"] = strings.Replace(s.Files["omt.json"], `"email": "kk@example.com", "phone": "93466018", `, "", 1)
	})
	p := clitest.New(t, "omt-scan", "--install", dir)
	p.Vars["OMT_PLUGINS"] = plugins.Dir(t)
	p.Console = &clitest.Console{Answers: []string{"2", ""}}
	if status := p.Run(context.Background(), command); status != 0 {
		t.Fatalf("status %d: %s", status, p.Stderr.String())
	}
	if !strings.Contains(p.Stdout.String(), `"email":"karl@example.com","phone":"93466018","language":"en"`) {
		t.Errorf("the answers are not in %s", p.Stdout.String())
	}
	if d := cmp.Diff([]string{
		"e-mail address, one of\n  1  kk@example.com\n  2  karl@example.com\nits number, or another [1]: ",
		"phone, one of\n  1  93466018\n  2  22334455\nits number, or another [1]: ",
	}, p.Console.Prompts); d != "" {
		t.Error(d)
	}
	if p.Stderr.String() != "" {
		t.Errorf("standard error: %s", p.Stderr.String())
	}

	p = clitest.New(t, "omt-scan", "--install", dir, "--db", "sqlite:"+filepath.Join(dir, "not-looked-at.sqlite"))
	if status := p.Run(context.Background(), command); status != 2 {
		t.Errorf("status %d, want 2", status)
	}
	const want = "omt-scan: there is no console to ask on\nomt-scan: hint: give --migrator-email, --migrator-phone\n"
	if d := cmp.Diff(want, p.Stderr.String()); d != "" || p.Stdout.Len() > 0 {
		t.Errorf("%s; standard output %q", d, p.Stdout.String())
	}
}

// TestTerminal holds that a person at a terminal is told what was found, and that --quiet is.
func TestTerminal(t *testing.T) {
	dir := installation(t, nil)
	for _, quiet := range []bool{false, true} {
		p := clitest.New(t, "omt-scan", "--install", dir, "--progress", "none")
		p.StderrTerminal, p.Vars["OMT_PLUGINS"] = true, plugins.Dir(t)
		if quiet {
			p.Env.Args = append(p.Env.Args, "--quiet")
		}
		if status := p.Run(context.Background(), command); status != 0 {
			t.Fatalf("status %d: %s", status, p.Stderr.String())
		}
		said := p.Stderr.String()
		if quiet {
			if said != "" {
				t.Errorf("--quiet says %q", said)
			}
			continue
		}
		for _, line := range []string{"Kalles Blåbær AS, serial number 1801830017", "which is a guess", "function rights that are there: admin-all, admin-import, hello",
			"users: 3, of them 1 administrators", "document: 3 present, 1 blank-name, 1 elsewhere, 2 no-row; 37 B", "attachment: 2 present"} {
			if !strings.Contains(said, line) {
				t.Errorf("it is not said: %q in\n%s", line, said)
			}
		}
	}
}

// TestProgress holds that there is one line for each area.
func TestProgress(t *testing.T) {
	p := clitest.New(t, "omt-scan", "--install", installation(t, nil), "--progress", "plain")
	p.Vars["OMT_PLUGINS"] = plugins.Dir(t)
	if status := p.Run(context.Background(), command); status != 0 {
		t.Fatalf("status %d: %s", status, p.Stderr.String())
	}
	var areas []string
	for line := range strings.Lines(p.Stderr.String()) {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "omt-scan: "), ":")
		areas = append(areas, name)
	}
	areas = slices.Compact(areas)
	if d := cmp.Diff([]string{"Database", "Templates", "Documents", "Customer Service", "Attachments"}, areas); d != "" {
		t.Errorf("%s in\n%s", d, p.Stderr.String())
	}
}

// TestInterrupted holds that a run that is told to stop says so, and leaves no manifest that passes for whole.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := clitest.New(t, "omt-scan", "--install", installation(t, nil))
	if status := p.Run(ctx, command); status != 130 {
		t.Errorf("status %d, want 130: %s", status, p.Stderr.String())
	}
	if out := p.Stdout.String(); !strings.Contains(out, `"kind":"abort"`) || strings.Contains(out, `"kind":"end"`) {
		t.Errorf("standard output %q", out)
	}
}
