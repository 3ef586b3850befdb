package cli_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/manifest"
)

// options is what the flags of the program under test set.
type options struct {
	Spool  string
	Level  int
	Seed   int64
	Limit  int64
	Rate   int64
	Age    time.Duration
	Sample float64
	Kind   string
	Only   []string
	Maps   []string
	Yes    bool
	From   string
	DB     string
	Pairs  []string
	Ran    string
	Given  bool
}

// program is a command with every kind of flag, and subcommands.
func program(o *options, action func(ctx context.Context, j *cli.Job) error) func(*cli.Env) *cli.Command {
	return func(*cli.Env) *cli.Command {
		*o = options{Spool: "omt-spool", Level: 1, Kind: "leave"}
		act := func(name string) func(ctx context.Context, j *cli.Job) error {
			return func(ctx context.Context, j *cli.Job) error {
				o.Ran = name
				if action == nil {
					return nil
				}
				return action(ctx, j)
			}
		}
		spool := cli.String("spool", "keep chunks in `DIR`", &o.Spool)
		root := act("pack")
		return &cli.Command{
			Usage: "pack what a scan listed", Description: "More about it.", Reads: true, Writes: true,
			Flags: []*cli.Flag{
				spool,
				cli.Int("level", "compress with level `N`", &o.Level, 1, 3),
				cli.Int64("seed", "seed `N`", &o.Seed),
				cli.Size("spool-limit", "stop at `SIZE`", &o.Limit),
				cli.Rate("bandwidth", "send no more than `RATE`", &o.Rate),
				cli.Age("older-than", "leave what is younger than `AGE`", &o.Age),
				cli.Percent("sample", "read `SHARE` of it", &o.Sample),
				cli.Choice("orphans", "leave or move `WHAT`", &o.Kind, "leave", "move"),
				cli.List("only", "pack `AREA,…` alone", &o.Only),
				cli.Strings("map", "rewrite `FROM=TO`", &o.Maps),
				cli.Bool("yes", "ask nothing", &o.Yes),
				cli.String("to", "write to `URL`", &o.From),
				cli.Func("set", "choose `LOGIN=NAME`", "LOGIN=NAME", func(v string) error {
					if !strings.Contains(v, "=") {
						return manifest.Errorf(manifest.Usage, "no equals sign in %q", v).WithHint("write LOGIN=NAME")
					}
					o.Pairs = append(o.Pairs, v)
					return nil
				}),
			},
			Statuses: map[manifest.Status]string{manifest.Refused: "", manifest.Remarks: "documents are missing"},
			Action: func(ctx context.Context, j *cli.Job) error {
				o.Given = spool.Given()
				return root(ctx, j)
			},
			Commands: []*cli.Command{
				{Name: "unpack", Usage: "restore", Action: act("unpack"), Flags: []*cli.Flag{
					cli.String("from", "read from `URL`", &o.From),
					cli.String("db", "write to `URL`", &o.DB),
					cli.String("spool", "keep chunks in `DIR`", &o.Spool),
				}},
				{Name: "thaw", Usage: "undo a freeze", Reads: true, Action: act("thaw")},
				{Name: "state", Usage: "a group", Commands: []*cli.Command{{Name: "show", Usage: "show it", Action: act("show")}}},
			},
		}
	}
}

func TestWrongFlags(t *testing.T) {
	var o options
	clitest.WrongFlags(t, "omt-pack", program(&o, nil))
}

func TestUsageErrors(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"--spol", "x"}, `omt-pack: unknown flag --spol
omt-pack: hint: did you mean --spool? "omt-pack --help" lists the flags
`},
		{[]string{"--qqqq"}, `omt-pack: unknown flag --qqqq
omt-pack: hint: "omt-pack --help" lists the flags
`},
		{[]string{"unpack", "--form", "x"}, `omt-pack: unknown flag --form
omt-pack: hint: did you mean --from? "omt-pack unpack --help" lists the flags
`},
		{[]string{"unpak"}, `omt-pack: omt-pack has no subcommand "unpak"
omt-pack: hint: did you mean "omt-pack unpack"?
`},
		{[]string{"frobnicate"}, `omt-pack: omt-pack has no subcommand "frobnicate"
omt-pack: hint: its subcommands are unpack, thaw, state
`},
		{[]string{"thaw", "scan.jsonl"}, `omt-pack: argument "scan.jsonl": omt-pack thaw takes flags only
omt-pack: hint: a value with spaces must be quoted; "omt-pack thaw --help" lists the flags
`},
		{[]string{"--spool", "D", "thaw"}, `omt-pack: --spool stands before the subcommand "thaw"
omt-pack: hint: write flags after it: omt-pack thaw --spool …
`},
		{[]string{"--spool", "--yes"}, `omt-pack: --spool needs a value, and is followed by the flag "--yes"
`},
		{[]string{"--spool"}, `omt-pack: --spool needs a value
omt-pack: hint: "omt-pack --help" says which
`},
		{[]string{"--level", "9"}, `omt-pack: --level "9": want a whole number from 1 to 3
`},
		{[]string{"--orphans", "burn", "--seed", "x", "--level", "9"}, `omt-pack: --level "9": want a whole number from 1 to 3
`},
		{[]string{"--level", ""}, `omt-pack: --level "": want a whole number from 1 to 3
`},
		{[]string{"--spool-limit", "-1GB"}, `omt-pack: --spool-limit "-1GB": want a size such as 500MB, 10GB or 2TiB
`},
		{[]string{"--only", "document,,x"}, `omt-pack: --only "document,,x": want names with commas between them
`},
		{[]string{"--orphans", "burn"}, `omt-pack: --orphans "burn": want one of leave, move
`},
		{[]string{"--set", "KK"}, `omt-pack: --set "KK": no equals sign in "KK"
omt-pack: hint: write LOGIN=NAME
`},
		{[]string{"--to", "@nowhere.url"}, `omt-pack: --to: reading the value from file "nowhere.url": no such file or directory
`},
		{[]string{"--temp", "/no/such"}, `omt-pack: --temp "/no/such": no such folder
`},
		{[]string{"state"}, `omt-pack: omt-pack state needs a subcommand
omt-pack: hint: "omt-pack state --help" lists them
`},
		{[]string{"--in", "/no/such.jsonl"}, `omt-pack: --in "/no/such.jsonl": no such file or directory
`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			var o options
			p := clitest.New(t, "omt-pack", tt.args...)
			status := p.Run(context.Background(), program(&o, func(ctx context.Context, j *cli.Job) error {
				_, done, err := j.OpenInput(ctx)
				if err == nil {
					done()
				}
				return err
			}))
			if status != 2 {
				t.Errorf("status %d, want 2", status)
			}
			if diff := cmp.Diff(tt.want, p.Stderr.String()); diff != "" {
				t.Error(diff)
			}
			if p.Stdout.Len() != 0 {
				t.Errorf("standard output: %q", p.Stdout.String())
			}
		})
	}
}

func TestFlagsAndVariables(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	tests := []struct {
		name string
		args []string
		vars map[string]string
		want options
	}{
		{"defaults", nil, nil, options{}},
		{"command line", []string{"--spool", "S", "--level=3", "--seed", "-5", "--spool-limit", "10GB", "--bandwidth", "5MB/s", "--older-than", "30d",
			"--sample", "5%", "--orphans", "move", "--only", "document, template", "--only", "service", "--map", `D:\a,b=/srv`, "--map", "x=y", "--yes", "--set", "a=b"}, nil,
			options{Spool: "S", Level: 3, Seed: -5, Limit: 10_000_000_000, Rate: 5_000_000, Age: 720 * time.Hour, Sample: 0.05, Kind: "move",
				Only: []string{"document", "template", "service"}, Maps: []string{`D:\a,b=/srv`, "x=y"}, Yes: true, Pairs: []string{"a=b"}, Given: true}},
		{"variables", nil, map[string]string{"OMT_PACK_SPOOL": "V", "OMT_PACK_LEVEL": "2", "OMT_PACK_MAP": "a=b\r\nc=d\n", "OMT_PACK_QUIET": "true"},
			options{Spool: "V", Level: 2, Maps: []string{"a=b", "c=d"}, Given: true}},
		{"command line over variable", []string{"--spool", "S", "--map", "x=y"}, map[string]string{"OMT_PACK_SPOOL": "V", "OMT_PACK_MAP": "a=b\nc=d"},
			options{Spool: "S", Maps: []string{"x=y"}, Given: true}},
		{"no variable", nil, map[string]string{"OMT_PACK_YES": "true", "OMT_PACK_IN": "x", "OMT_PACK_OUT": "y", "OMT_YES": "true"}, options{}},
		{"empty variable", nil, map[string]string{"OMT_PACK_LEVEL": ""}, options{}},
		{"last wins", []string{"--level", "9", "--level", "2"}, nil, options{Level: 2}},
		{"yes taken back", []string{"--yes", "--yes=false"}, nil, options{}},
		{"file LF", []string{"--to", write("a", "https://x/?sig=1\nmore\n")}, nil, options{From: "https://x/?sig=1"}},
		{"file CRLF", []string{"--to", write("b", "v 1\r\n")}, nil, options{From: "v 1"}},
		{"file without end", []string{"--to", write("c", "v")}, nil, options{From: "v"}},
		{"file BOM", []string{"--to", write("d", "\ufeffv\n")}, nil, options{From: "v"}},
		{"file UTF-16", []string{"--to", write("e", "\xff\xfeh\x00\xf8\x00\r\x00\n\x00")}, nil, options{From: "hø"}},
		{"file for a number", []string{"--level", write("f", "3\n")}, nil, options{Level: 3}},
		{"file in a variable", nil, map[string]string{"OMT_PACK_TO": write("g", "w\n")}, options{From: "w"}},
		{"literal at", []string{"--to", "@@x"}, nil, options{From: "@x"}},
		{"subcommand", []string{"unpack", "--from", "F"}, nil, options{Ran: "unpack", From: "F"}},
		{"subcommand variable", []string{"unpack"}, map[string]string{"OMT_PACK_UNPACK_FROM": "F"}, options{Ran: "unpack", From: "F"}},
		{"not its parent's", []string{"unpack"}, map[string]string{"OMT_PACK_SPOOL": "V", "OMT_PACK_FROM": "F", "OMT_UNPACK_FROM": "F"}, options{Ran: "unpack"}},
		{"no db of unpack", []string{"unpack"}, map[string]string{"OMT_PACK_UNPACK_DB": "x", "OMT_PACK_DB": "x"}, options{Ran: "unpack"}},
		{"nested", []string{"state", "show"}, nil, options{Ran: "show"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o options
			p := clitest.New(t, "omt-pack", tt.args...)
			if tt.vars != nil {
				p.Vars = tt.vars
			}
			if status := p.Run(context.Background(), program(&o, nil)); status != 0 {
				t.Fatalf("status %d: %s", status, p.Stderr.String())
			}
			want := tt.want
			if want.Ran == "" {
				want.Ran = "pack"
			}
			if want.Spool == "" {
				want.Spool = "omt-spool"
			}
			if want.Level == 0 {
				want.Level = 1
			}
			if want.Kind == "" {
				want.Kind = "leave"
			}
			if diff := cmp.Diff(want, o); diff != "" {
				t.Error(diff)
			}
			if p.Stdout.Len() != 0 || p.Stderr.String() != "" {
				t.Errorf("printed %q and %q", p.Stdout.String(), p.Stderr.String())
			}
		})
	}
}

// A wrong value is never shown where it came from a variable or a file.
func TestWrongValuesStayHidden(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "v")
	if err := os.WriteFile(file, []byte("sekret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		vars map[string]string
		want string
	}{
		{nil, map[string]string{"OMT_PACK_LEVEL": "sekret"}, "omt-pack: variable OMT_PACK_LEVEL: want a whole number from 1 to 3\n"},
		{nil, map[string]string{"OMT_PACK_SET": "sekret"}, "omt-pack: variable OMT_PACK_SET: want LOGIN=NAME\n"},
		{nil, map[string]string{"OMT_PACK_QUIET": "sekret"}, "omt-pack: variable OMT_PACK_QUIET: want true or false\n"},
		{[]string{"--level", "@" + file}, nil, "omt-pack: --level: value in file \"" + file + "\": want a whole number from 1 to 3\n"},
		{[]string{"--set", "@" + file}, nil, "omt-pack: --set: value in file \"" + file + "\": want LOGIN=NAME\n"},
		{nil, map[string]string{"OMT_PACK_LEVEL": "@" + file}, "omt-pack: variable OMT_PACK_LEVEL: value in file \"" + file + "\": want a whole number from 1 to 3\n"},
	}
	for _, tt := range tests {
		var o options
		p := clitest.New(t, "omt-pack", tt.args...)
		if tt.vars != nil {
			p.Vars = tt.vars
		}
		status := p.Run(context.Background(), program(&o, nil))
		if got := p.Stderr.String(); status != 2 || got != tt.want {
			t.Errorf("status %d, %q, want %q", status, got, tt.want)
		}
	}
}

func TestVersionAndHelp(t *testing.T) {
	for _, args := range [][]string{{"--version"}, {"unpack", "--version"}, {"-version"}, {"state", "--version"}} {
		var o options
		p := clitest.New(t, "omt-pack", args...)
		if status := p.Run(context.Background(), program(&o, nil)); status != 0 || p.Stdout.String() != "omt-pack 0.1.0\n" || p.Stderr.String() != "" || o.Ran != "" {
			t.Errorf("%q: status %d, %q, %q", args, status, p.Stdout.String(), p.Stderr.String())
		}
	}
	for name, args := range map[string][]string{"root": {"--help"}, "unpack": {"unpack", "-h"}, "unpack-before": {"--help", "unpack"}, "state": {"state", "--help"}} {
		t.Run(name, func(t *testing.T) {
			var o options
			p := clitest.New(t, "omt-pack", args...)
			p.Vars["OMT_PACK_SPOOL"] = "sekret"
			p.Vars["OMT_PACK_TO"] = "sekret"
			if status := p.Run(context.Background(), program(&o, nil)); status != 0 || p.Stderr.String() != "" || o.Ran != "" {
				t.Errorf("status %d, %q, ran %q", status, p.Stderr.String(), o.Ran)
			}
			golden(t, filepath.Join("testdata", "help-"+strings.TrimSuffix(name, "-before")+".txt"), p.Stdout.String())
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("OMT_TEST_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: %s", path, diff)
	}
}

func TestValidateIsUsage(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{{errors.New("--spool is missing"), 2}, {manifest.Errorf(manifest.Refused, "no"), 5}} {
		p := clitest.New(t, "omt-x")
		status := p.Run(context.Background(), func(*cli.Env) *cli.Command {
			return &cli.Command{
				Validate: func() error { return tt.err },
				Action:   func(context.Context, *cli.Job) error { t.Error("ran"); return nil },
			}
		})
		if status != tt.want || p.Stderr.String() != "omt-x: "+tt.err.Error()+"\n" {
			t.Errorf("status %d, %q", status, p.Stderr.String())
		}
	}
}
