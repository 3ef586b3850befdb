package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/manifest"
)

func action(fn func(ctx context.Context, j *cli.Job) error, flags ...*cli.Flag) func(*cli.Env) *cli.Command {
	return func(*cli.Env) *cli.Command { return &cli.Command{Flags: flags, Action: fn} }
}

// logged is what stands in the log that a run makes by itself.
func logged(t *testing.T, p *clitest.Process) string {
	t.Helper()
	name := filepath.Join(p.Env.TempDir, "SoMigration", "omt-x-20260102T030405.000Z-4711.log")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Dir(name)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("folder %v, %v", info.Mode(), err)
	}
	return string(b)
}

func TestLogHoldsNoSecrets(t *testing.T) {
	p := clitest.New(t, "omt-x", "--to", "https://h/?sig=sekret1")
	p.Vars["OMT_DB_PASSWORD"] = "sekret2"
	p.StderrTerminal = true
	var to string
	u, _ := url.Parse("sqlserver://sa:sekret3@h")
	status := p.Run(context.Background(), action(func(_ context.Context, j *cli.Job) error {
		j.Env().Hide("sekret4")
		log := j.Log.With("url", u.String()).WithGroup("g").With("password", "sekret5")
		log.Info("using sig=sekret6", "err", errors.New("Pwd=sekret7;x=1"), "count", 12, slog.Group("h", "token", "sekret8"), "any", struct{ A string }{"password=sekret9"})
		log.Debug("not shown")
		log.Warn("login with sekret2 failed", "of", u, "n", 3)
		log.Error("told at the end")
		return fmt.Errorf("connecting with sekret4 to %s: %w", to, errors.New("sig=sekret0"))
	}, cli.String("to", "`URL`", &to)))
	log := logged(t, p)
	for what, text := range map[string]string{"log": log, "standard error": p.Stderr.String(), "standard output": p.Stdout.String()} {
		if strings.Contains(text, "sekret") {
			t.Errorf("%s holds a secret: %s", what, text)
		}
	}
	for _, want := range []string{`msg=start tool="omt-x 0.1.0" command=omt-x args="--to https://h/?sig=***"`, "url=sqlserver://***@h", "g.count=12", "level=WARN", "level=ERROR",
		`msg=end status=1 reason="connecting with *** to https://h/?sig=***: sig=***"`} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in the log:\n%s", want, log)
		}
	}
	want := "omt-x: warning: login with *** failed url=sqlserver://***@h g.password=*** g.of=sqlserver://***@h g.n=3\n" +
		"omt-x: connecting with *** to https://h/?sig=***: sig=***\n"
	if got := p.Stderr.String(); status != 1 || got != want {
		t.Errorf("status %d, standard error %q, want %q", status, got, want)
	}
}

func TestLogFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.log")
	nothing := func(context.Context, *cli.Job) error { return nil }
	p := clitest.New(t, "omt-x", "--log", path)
	first := p.Run(context.Background(), action(nothing))
	p = clitest.New(t, "omt-y")
	p.Vars["OMT_LOG"] = path
	second := p.Run(context.Background(), action(nothing))
	b, err := os.ReadFile(path)
	if err != nil || first != 0 || second != 0 || strings.Count(string(b), "msg=end") != 2 {
		t.Errorf("statuses %d, %d, %v: %s", first, second, err, b)
	}
	if _, err := os.Stat(filepath.Join(p.Env.TempDir, "SoMigration")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a log of its own was made: %v", err)
	}
	// One that was asked for must be; one that was not is done without.
	p = clitest.New(t, "omt-x", "--log", filepath.Join(dir, "none", "x.log"))
	if status := p.Run(context.Background(), action(nothing)); status != 2 || !strings.HasPrefix(p.Stderr.String(), "omt-x: --log ") {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
	private := filepath.Join(dir, "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, hinder := range map[string]func(string) error{
		"a file":       func(d string) error { return os.WriteFile(d, nil, 0o600) },
		"open to all":  func(d string) error { return errors.Join(os.Mkdir(d, 0o700), os.Chmod(d, 0o777)) },
		"a link":       func(d string) error { return os.Symlink(private, d) },
		"no such temp": func(d string) error { return os.Remove(filepath.Dir(d)) },
	} {
		if runtime.GOOS == "windows" && name == "open to all" {
			continue // modes say nothing there
		}
		p = clitest.New(t, "omt-x", "--temp", dir)
		folder := filepath.Join(p.Env.TempDir, "SoMigration")
		if err := hinder(folder); err != nil {
			t.Fatal(err)
		}
		if status := p.Run(context.Background(), action(nothing)); status != 0 || p.Stderr.String() != "" {
			t.Errorf("%s: status %d, %q", name, status, p.Stderr.String())
		}
		if entries, _ := os.ReadDir(folder); len(entries) > 0 {
			t.Errorf("%s: a log was written all the same: %v", name, entries)
		}
	}
}

func TestPanic(t *testing.T) {
	p := clitest.New(t, "omt-x")
	status := p.Run(context.Background(), action(func(context.Context, *cli.Job) error { panic("password=sekret") }))
	if got := p.Stderr.String(); status != 1 || !strings.HasPrefix(got, "omt-x: internal error: password=***\nomt-x: hint: this is a mistake in the program; send the log ") ||
		strings.Contains(got, "goroutine") {
		t.Errorf("status %d, %q", status, got)
	}
	if log := logged(t, p); !strings.Contains(log, "job_test.go") || strings.Contains(log, "sekret") {
		t.Errorf("log %s", log)
	}
	// Outside an action there is no log; the process still ends with 1 and one line.
	p = clitest.New(t, "omt-x")
	status = p.Run(context.Background(), func(*cli.Env) *cli.Command { panic("early") })
	if status != 1 || p.Stderr.String() != "omt-x: internal error: early\n" {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
}

func TestSayAndRemark(t *testing.T) {
	for _, tt := range []struct {
		args     []string
		terminal bool
		want     string
	}{
		{nil, true, "3 rights\nomt-x: look at sig=***\n"}, {nil, false, "omt-x: look at sig=***\n"}, {[]string{"--quiet"}, true, "omt-x: look at sig=***\n"},
	} {
		p := clitest.New(t, "omt-x", tt.args...)
		p.StderrTerminal = tt.terminal
		status := p.Run(context.Background(), action(func(_ context.Context, j *cli.Job) error {
			j.Say("%d rights", 3)
			j.Remark("look at sig=%s", "sekret")
			return nil
		}))
		if status != 0 || p.Stderr.String() != tt.want || !strings.Contains(logged(t, p), `msg="3 rights"`) {
			t.Errorf("%v: status %d, %q", tt, status, p.Stderr.String())
		}
	}
}

func TestConsole(t *testing.T) {
	ask := action(func(ctx context.Context, j *cli.Job) error {
		c, err := j.Console("--migrator-name and --migrator-email")
		if err != nil {
			return err
		}
		defer c.Close()
		name, err := c.Ask(ctx, "name: ")
		if err != nil {
			return err
		}
		password, err := c.AskHidden(ctx, "password: ")
		if err != nil {
			return err
		}
		j.Env().Hide(password)
		return fmt.Errorf("%s has %s", name, password)
	})
	p := clitest.New(t, "omt-x")
	want := "omt-x: there is no console to ask on\nomt-x: hint: give --migrator-name and --migrator-email\n"
	if status := p.Run(context.Background(), ask); status != 2 || p.Stderr.String() != want {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
	p = clitest.New(t, "omt-x")
	p.Console = &clitest.Console{Answers: []string{"karl", "hunter22"}}
	if status := p.Run(context.Background(), ask); status != 1 || p.Stderr.String() != "omt-x: karl has ***\n" || fmt.Sprint(p.Console.Prompts, p.Console.Hidden) != "[name:  password: ] [false true]" {
		t.Errorf("status %d, %q, %v", status, p.Stderr.String(), p.Console)
	}
	p = clitest.New(t, "omt-x")
	p.Env.OpenConsole = func() (cli.Console, error) { return nil, errors.New("odd") }
	if status := p.Run(context.Background(), ask); status != 1 || p.Stderr.String() != "omt-x: opening the console: odd\n" {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
}

func TestAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tenant.url")
	write := func(s string) {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var to, plain string
	flags := []*cli.Flag{cli.String("to", "`URL`", &to), cli.String("plain", "`URL`", &plain)}
	read := action(func(_ context.Context, j *cli.Job) error {
		write("new\n")
		v, ok, err := j.Again("to")
		if v != "new" || !ok || err != nil || to != "old" {
			t.Errorf("%q, %v, %v, was %q", v, ok, err, to)
		}
		if v, ok, err := j.Again("plain"); v != "x" || ok || err != nil {
			t.Errorf("%q, %v, %v", v, ok, err)
		}
		if _, ok, err := j.Again("nothing"); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		_, _, err = j.Again("to")
		return err
	}, flags...)
	write("old\r\n")
	p := clitest.New(t, "omt-x", "--to", "@"+path, "--plain", "x")
	if status := p.Run(context.Background(), read); status != 1 || !strings.HasPrefix(p.Stderr.String(), "omt-x: reading --to anew: ") {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
	write("old\n")
	p = clitest.New(t, "omt-x", "--plain", "x")
	p.Vars["OMT_X_TO"] = "@" + path
	if status := p.Run(context.Background(), action(func(_ context.Context, j *cli.Job) error {
		v, ok, err := j.Again("to")
		if v != "old" || !ok {
			t.Errorf("%q, %v", v, ok)
		}
		return err
	}, cli.String("to", "`URL`", &to), cli.String("plain", "`URL`", &plain))); status != 0 {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
}

// After an interrupt, an error in any words is the interrupt; one with a status of its own keeps it.
func TestInterruptedStatus(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		stderr string
	}{
		{errors.New("driver: bad connection"), 130, "omt-x: interrupted; run the same command again to go on\n"},
		{manifest.Errorf(manifest.Refused, "no"), 5, "omt-x: no\n"},
		{manifest.Errorf(manifest.Interrupted, "the stage before was interrupted"), 130, "omt-x: the stage before was interrupted\n"},
		{manifest.Errorf(manifest.Remarks, "done all the same"), 3, "omt-x: done all the same\n"},
		{nil, 0, ""},
		{io.ErrUnexpectedEOF, 130, "omt-x: interrupted; run the same command again to go on\n"},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		p := clitest.New(t, "omt-x")
		status := p.Run(ctx, action(func(context.Context, *cli.Job) error {
			cancel()
			return tt.err
		}))
		if status != tt.status || p.Stderr.String() != tt.stderr {
			t.Errorf("%v: status %d, %q", tt.err, status, p.Stderr.String())
		}
	}
}
