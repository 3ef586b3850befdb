package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/manifest"
)

// manifestOf is a good manifest with n plans.
func manifestOf(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-scan 0.1.0")
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.Write(manifest.Header{Format: manifest.Format, ID: "019b7d00-0000-7000-8000-000000000001", Tool: "omt-scan 0.1.0", Created: manifest.At(clitest.Start()), Migration: "test"}))
	for i := range n {
		check(w.Write(manifest.Plan{Name: fmt.Sprintf("plan%06d", i), Title: "Sales", Source: "tenant"}))
	}
	_, err := w.End()
	check(err)
	return b.String()
}

// copier is a stage that copies its input and then returns err.
func copier(err error) func(context.Context, *cli.Input, *manifest.Writer) error {
	return func(_ context.Context, in *cli.Input, out *manifest.Writer) error {
		for {
			l, rerr := in.Next()
			if errors.Is(rerr, io.EOF) {
				return err
			}
			if rerr != nil {
				return rerr
			}
			if werr := out.WriteRaw(l); werr != nil {
				return werr
			}
		}
	}
}

func stage(fn func(context.Context, *cli.Input, *manifest.Writer) error) func(*cli.Env) *cli.Command {
	return func(*cli.Env) *cli.Command {
		return &cli.Command{Usage: "copy", Reads: true, Writes: true, Action: func(ctx context.Context, j *cli.Job) error {
			return j.Stage(ctx, fn)
		}}
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return lines[len(lines)-1]
}

func abortLine(status int, message string) string {
	return fmt.Sprintf(`{"kind":"abort","tool":"omt-x 0.1.0","status":%d,"message":%q}`, status, message)
}

func TestStageToStandardOutput(t *testing.T) {
	sekret := errors.New("connecting to https://x/?sig=abcdef&se=1: sqlserver://sa:pw@h failed\nsecond line")
	tests := []struct {
		name, stdin string
		fn          func(context.Context, *cli.Input, *manifest.Writer) error
		status      int
		last        string // of standard output; "end" for an end record
		stderr      string
	}{
		{"done", "good", copier(nil), 0, "end", ""},
		{"remarks", "good", copier(manifest.Errorf(manifest.Remarks, "3 documents are missing")), 3, "end", "omt-x: 3 documents are missing\n"},
		{"not read to its end", "good", func(_ context.Context, in *cli.Input, out *manifest.Writer) error {
			l, err := in.Next()
			if err != nil {
				return err
			}
			return out.WriteRaw(l)
		}, 0, "end", ""},
		{"cut, and not read to its end", "cut", func(_ context.Context, in *cli.Input, out *manifest.Writer) error {
			l, err := in.Next()
			if err != nil {
				return err
			}
			return out.WriteRaw(l)
		}, 4, "reading standard input: the manifest is cut short: it stops after line 5 without an end record", ""},
		{"failed", "good", copier(errors.New("disk full")), 1, "disk full", "omt-x: disk full\n"},
		{"refused", "good", copier(manifest.Errorf(manifest.Refused, "no").WithHint("say yes")), 5, "no", "omt-x: no\nomt-x: hint: say yes\n"},
		{"secrets", "good", copier(sekret), 1, "connecting to https://x/?sig=***&se=1: sqlserver://***@h failed; second line",
			"omt-x: connecting to https://x/?sig=***&se=1: sqlserver://***@h failed\nomt-x: second line\n"},
		{"not unicode", "good", copier(errors.New("a\xffb")), 1, "a?b", "omt-x: a\xffb\n"},
		{"panic", "good", func(context.Context, *cli.Input, *manifest.Writer) error { panic("oh") }, 1, "internal error: oh", ""},
		{"cancelled", "good", copier(fmt.Errorf("reading: %w", context.Canceled)), 130, "interrupted; run the same command again to go on",
			"omt-x: interrupted; run the same command again to go on\n"},
		{"usage, nothing written", "good", func(context.Context, *cli.Input, *manifest.Writer) error {
			return manifest.Errorf(manifest.Usage, "--x is wrong")
		}, 2, "", "omt-x: --x is wrong\n"},
		{"empty", "", copier(nil), 4, "the input holds no manifest: it is empty or cut short", ""},
		{"upstream refused", abortLine(5, "no") + "\n", copier(nil), 5, "omt-x 0.1.0 stopped with status 5: no", ""},
		{"upstream failed", abortLine(1, "no") + "\n", copier(nil), 4, "omt-x 0.1.0 stopped with status 1: no", ""},
		{"strange status", "good", copier(&manifest.Error{Status: 77, Err: errors.New("odd")}), 1, "odd", "omt-x: odd\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := clitest.New(t, "omt-x")
			switch p.Stdin = tt.stdin; tt.stdin {
			case "good":
				p.Stdin = manifestOf(t, 3)
			case "cut":
				p.Stdin = strings.TrimSuffix(manifestOf(t, 4), lastLine(manifestOf(t, 4))+"\n")
			}
			if status := p.Run(context.Background(), stage(tt.fn)); status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			got := lastLine(p.Stdout.String())
			switch {
			case tt.last == "end":
				if _, err := manifest.Verify(&p.Stdout, manifest.ReadOptions{}); err != nil {
					t.Errorf("the output is not good: %v", err)
				}
			case tt.last == "":
				if got != "" {
					t.Errorf("output %q, want none", got)
				}
			case got != abortLine(tt.status, tt.last):
				t.Errorf("last line %s, want message %s", got, tt.last)
			}
			if tt.stderr != "" {
				if diff := cmp.Diff(tt.stderr, p.Stderr.String()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// files says what stands in a folder: name and content.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(b)
	}
	return got
}

func TestStageToFile(t *testing.T) {
	good := manifestOf(t, 3)
	ended := func(tool string) string {
		return strings.ReplaceAll(good, `"kind":"end","tool":"omt-scan`, `"kind":"end","tool":"`+tool)
	}
	fail := copier(errors.New("disk full"))
	tests := []struct {
		name   string
		before map[string]string
		args   []string
		fn     func(context.Context, *cli.Input, *manifest.Writer) error
		status int
		after  map[string]string
		stderr string
	}{
		{"new", map[string]string{"in": good}, []string{"--in", "in", "--out", "out"}, copier(nil), 0,
			map[string]string{"in": good, "out": ended("omt-x")}, ""},
		{"replaces", map[string]string{"in": good, "out": "old", "out.partial": "left by a kill"}, []string{"--in", "in", "--out", "out"}, copier(nil), 0,
			map[string]string{"in": good, "out": ended("omt-x")}, ""},
		{"remarks", map[string]string{"in": good, "out": "old"}, []string{"--in", "in", "--out", "out"}, copier(manifest.Errorf(manifest.Remarks, "look")), 3,
			map[string]string{"in": good, "out": ended("omt-x")}, "omt-x: look\n"},
		{"fails", map[string]string{"in": good}, []string{"--in", "in", "--out", "out"}, fail, 1, map[string]string{"in": good}, "omt-x: disk full\n"},
		{"fails, old", map[string]string{"in": good, "out": "old", "out.old": "older"}, []string{"--in", "in", "--out", "out"}, fail, 1,
			map[string]string{"in": good, "out.old": "old"}, "omt-x: disk full\nomt-x: hint: \"out\", of an earlier run, is now \"out.old\"\n"},
		{"usage, old", map[string]string{"in": good, "out": "old"}, []string{"--in", "none", "--out", "out"}, copier(nil), 2,
			map[string]string{"in": good, "out.old": "old"}, ""},
		{"wrong flag, old", map[string]string{"out": "old"}, []string{"--progress", "loud", "--out", "out"}, copier(nil), 2,
			map[string]string{"out.old": "old"}, ""},
		{"wrong flag before --out, old", map[string]string{"out": "old"}, []string{"--in", "@none", "--out", "out"}, copier(nil), 2,
			map[string]string{"out.old": "old"}, ""},
		{"cannot be parsed, old", map[string]string{"out": "old"}, []string{"--out", "out", "--nope"}, copier(nil), 2,
			map[string]string{"out": "old"}, ""},
		{"bad input", map[string]string{"in": good + "x", "out": "old"}, []string{"--in", "in", "--out", "out"}, copier(nil), 4,
			map[string]string{"in": good + "x", "out.old": "old"}, ""},
		{"same file", map[string]string{"a": good}, []string{"--in", "a", "--out", "a"}, copier(nil), 0, map[string]string{"a": ended("omt-x")}, ""},
		{"same file, fails", map[string]string{"a": good}, []string{"--in", "a", "--out", "a"}, fail, 1, map[string]string{"a.old": good},
			"omt-x: disk full\nomt-x: hint: \"a\", of an earlier run, is now \"a.old\"\n"},
		{"same file, again", map[string]string{"a.old": good}, []string{"--in", "a", "--out", "a"}, copier(nil), 2, map[string]string{"a.old": good},
			"omt-x: --in \"a\": no such file or directory\nomt-x: hint: \"a.old\" is there: the last run that should have written \"a\" did not finish\n"},
		{"no folder", map[string]string{"in": good}, []string{"--in", "in", "--out", "none/out"}, copier(nil), 2, map[string]string{"in": good}, ""},
		{"folder", map[string]string{"in": good}, []string{"--in", "in", "--out", "."}, copier(nil), 2, map[string]string{"in": good},
			"omt-x: --out \".\": it is a folder\n"},
		{"folder in", map[string]string{}, []string{"--in", "."}, copier(nil), 2, map[string]string{}, "omt-x: --in \".\": it is a folder\n"},
		{"panic", map[string]string{"in": good, "out": "old"}, []string{"--in", "in", "--out", "out"},
			func(context.Context, *cli.Input, *manifest.Writer) error { panic("oh") }, 1, map[string]string{"in": good, "out.old": "old"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for name, content := range tt.before {
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := clitest.New(t, "omt-x", tt.args...)
			if status := p.Run(context.Background(), stage(tt.fn)); status != tt.status {
				t.Errorf("status %d, want %d: %s", status, tt.status, p.Stderr.String())
			}
			if diff := cmp.Diff(tt.after, files(t, dir)); diff != "" {
				t.Error(diff)
			}
			if tt.stderr != "" && tt.stderr != p.Stderr.String() {
				t.Errorf("standard error %q, want %q", p.Stderr.String(), tt.stderr)
			}
			if p.Stdout.Len() > 0 {
				t.Errorf("standard output %q", p.Stdout.String())
			}
		})
	}
}

// A run that writes nothing leaves what stands at --out, however it ends.
func TestDryRunLeavesOut(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		err    error
		status int
	}{
		"good": {nil, nil, 0}, "fails": {nil, errors.New("disk full"), 1}, "wrong flag": {[]string{"--progress", "loud"}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			before := map[string]string{"out": "old"}
			if err := os.WriteFile("out", []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			p := clitest.New(t, "omt-x", append([]string{"--out", "out", "--dry"}, c.args...)...)
			status := p.Run(t.Context(), func(*cli.Env) *cli.Command {
				var dry bool
				return &cli.Command{Usage: "copy", Writes: true, Flags: []*cli.Flag{cli.Bool("dry", "write nothing", &dry)},
					Dry: func() bool { return dry }, Action: func(context.Context, *cli.Job) error { return c.err }}
			})
			if diff := cmp.Diff(before, files(t, dir)); diff != "" || status != c.status {
				t.Errorf("status %d: %s", status, diff)
			}
		})
	}
}

// Two runs that write the same file do not pass one's half for the other's whole: the later one wins, the other fails.
func TestTwoRunsOneFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("in", []byte(manifestOf(t, 3)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, firstEndsFirst := range []bool{true, false} {
		begun, goOn, second := make(chan struct{}), make(chan struct{}), make(chan int)
		first := clitest.New(t, "omt-x", "--in", "in", "--out", "out")
		later := clitest.New(t, "omt-x", "--in", "in", "--out", "out")
		status := first.Run(context.Background(), stage(func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
			go func() {
				second <- later.Run(ctx, stage(func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
					close(begun)
					<-goOn
					return copier(nil)(ctx, in, out)
				}))
			}()
			<-begun
			if !firstEndsFirst {
				close(goOn)
				if s := <-second; s != 0 {
					t.Errorf("the later run: status %d, %s", s, later.Stderr.String())
				}
			}
			return copier(nil)(ctx, in, out)
		}))
		if status != 1 || !strings.Contains(first.Stderr.String(), "another run writes to the same file") {
			t.Errorf("the first run: status %d, %s", status, first.Stderr.String())
		}
		if firstEndsFirst {
			close(goOn)
			if s := <-second; s != 0 {
				t.Errorf("the later run: status %d, %s", s, later.Stderr.String())
			}
			if b, err := os.ReadFile("out"); err != nil || !strings.Contains(string(b), `"kind":"end"`) {
				t.Errorf("out: %q, %v", b, err)
			}
		}
	}
}

func TestInputFile(t *testing.T) {
	t.Chdir(t.TempDir())
	good := manifestOf(t, 3)
	if err := os.WriteFile("in", []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	p := clitest.New(t, "omt-x", "--in", "in")
	status := p.Run(context.Background(), stage(func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
		if !in.File() || in.Name != "in" || in.Summary == nil || in.Summary.Counts["plan"] != 3 {
			t.Errorf("input %+v", in)
		}
		if err := os.Rename("in", "moved"); err != nil { // the name does not matter any more
			return err
		}
		again, err := in.Again()
		if err != nil {
			return err
		}
		if _, err := again.Next(); err != nil {
			return err
		}
		return copier(nil)(ctx, in, out) // begins at the start all the same
	}))
	if status != 0 || p.Stdout.String() != strings.ReplaceAll(good, `"end","tool":"omt-scan`, `"end","tool":"omt-x`) {
		t.Errorf("status %d, %s", status, p.Stdout.String()+p.Stderr.String())
	}
}

func TestEditedInput(t *testing.T) {
	t.Chdir(t.TempDir())
	edited := strings.Replace(manifestOf(t, 3), "Sales", "Other", 1)
	if err := os.WriteFile("in", []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	began := false
	fn := func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
		began = true
		return copier(nil)(ctx, in, out)
	}
	p := clitest.New(t, "omt-x", "--in", "in")
	if status := p.Run(context.Background(), stage(fn)); status != 4 || began || !strings.Contains(p.Stderr.String(), "hint: if the edit was meant, say --accept-edits") {
		t.Errorf("status %d, began %v: %s", status, began, p.Stderr.String())
	}
	p = clitest.New(t, "omt-x", "--in", "in", "--accept-edits")
	if status := p.Run(context.Background(), stage(fn)); status != 0 || !began {
		t.Errorf("status %d, began %v: %s", status, began, p.Stderr.String())
	}
}

func TestTerminalAsInput(t *testing.T) {
	p := clitest.New(t, "omt-x")
	p.Stdin, p.StdinTerminal = manifestOf(t, 1), true
	want := "omt-x: standard input is a terminal, and there is no --in\nomt-x: hint: give --in FILE, or pipe the output of the stage before into this one\n"
	if status := p.Run(context.Background(), stage(copier(nil))); status != 2 || p.Stderr.String() != want || p.Stdout.Len() > 0 {
		t.Errorf("status %d, %q, %q", status, p.Stderr.String(), p.Stdout.String())
	}
	p = clitest.New(t, "omt-x", "--in", "-")
	p.Stdin, p.StdinTerminal = manifestOf(t, 1), true
	if status := p.Run(context.Background(), stage(copier(nil))); status != 0 {
		t.Errorf("--in - on a terminal: status %d, %q", status, p.Stderr.String())
	}
}

// A stage that waits for its input stops when it is interrupted.
func TestInterruptWhileReading(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	p := clitest.New(t, "omt-x")
	p.Env.Stdin = r
	status := p.Run(ctx, stage(func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
		go func() {
			_, _ = io.WriteString(w, manifestOf(t, 2)[:50])
			cancel()
		}()
		return copier(nil)(ctx, in, out)
	}))
	if got := lastLine(p.Stdout.String()); status != 130 || got != abortLine(130, "interrupted; run the same command again to go on") {
		t.Errorf("status %d, %s", status, got)
	}
}

// Input that comes in single bytes, or more than the pump holds, arrives whole.
func TestStreamedInput(t *testing.T) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "half": iotest.HalfReader, "data and error": iotest.DataErrReader,
	} {
		n := 9_000
		if name == "bytes" {
			n = 100
		}
		p := clitest.New(t, "omt-x")
		good := manifestOf(t, n)
		p.Env.Stdin = wrap(strings.NewReader(good))
		status := p.Run(context.Background(), stage(copier(nil)))
		if want := strings.ReplaceAll(good, `"end","tool":"omt-scan`, `"end","tool":"omt-x`); status != 0 || p.Stdout.String() != want {
			t.Errorf("%s: status %d, %d bytes of %d", name, status, p.Stdout.Len(), len(want))
		}
	}
	p := clitest.New(t, "omt-x")
	p.Env.Stdin = iotest.TimeoutReader(strings.NewReader(manifestOf(t, 9_000)))
	if status := p.Run(context.Background(), stage(copier(nil))); status != 1 || !strings.Contains(p.Stderr.String(), "timeout") {
		t.Errorf("a failing stream: status %d, %s", status, p.Stderr.String())
	}
}

// closed fails like a pipe whose reader has ended.
type closed struct{}

func (closed) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "|1", Err: brokenPipe}
}

func TestReaderGone(t *testing.T) {
	p := clitest.New(t, "omt-x")
	p.Stdin, p.Env.Stdout = manifestOf(t, 3000), closed{}
	if status := p.Run(context.Background(), stage(copier(nil))); status != 1 || p.Stderr.String() != "" {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
	// The same error from elsewhere is a failure like any other.
	p = clitest.New(t, "omt-x")
	p.Stdin = manifestOf(t, 3)
	if status := p.Run(context.Background(), stage(copier(fmt.Errorf("sending: %w", brokenPipe)))); status != 1 || p.Stderr.String() == "" {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
}

// A run without an input, and one that prints something else than a manifest.
func TestOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	build := func(err error) func(*cli.Env) *cli.Command {
		return func(*cli.Env) *cli.Command {
			return &cli.Command{Writes: true, Action: func(_ context.Context, j *cli.Job) error {
				return j.Output(func(w io.Writer) error {
					fmt.Fprintln(w, "id,login")
					return err
				})
			}}
		}
	}
	for _, tt := range []struct {
		err    error
		status int
		want   map[string]string
	}{
		{nil, 0, map[string]string{"out": "id,login\n"}},
		{errors.New("no"), 1, map[string]string{"out.old": "id,login\n"}},
		{manifest.Errorf(manifest.Remarks, "see"), 3, map[string]string{"out": "id,login\n", "out.old": "id,login\n"}},
	} {
		p := clitest.New(t, "omt-x", "--out", "out")
		if status := p.Run(context.Background(), build(tt.err)); status != tt.status {
			t.Errorf("status %d, want %d", status, tt.status)
		}
		if diff := cmp.Diff(tt.want, files(t, ".")); diff != "" {
			t.Error(diff)
		}
		p = clitest.New(t, "omt-x")
		if status := p.Run(context.Background(), build(tt.err)); status != tt.status || p.Stdout.String() != "id,login\n" {
			t.Errorf("status %d, %q", status, p.Stdout.String())
		}
	}
	p := clitest.New(t, "omt-x")
	p.Env.Stdout = closed{}
	if status := p.Run(context.Background(), build(nil)); status != 1 || p.Stderr.String() != "" {
		t.Errorf("reader gone: status %d, %q", status, p.Stderr.String())
	}
}

func TestStageWithoutInput(t *testing.T) {
	p := clitest.New(t, "omt-x")
	p.StdinTerminal = true
	status := p.Run(context.Background(), func(*cli.Env) *cli.Command {
		return &cli.Command{Writes: true, Action: func(ctx context.Context, j *cli.Job) error {
			return j.Stage(ctx, func(_ context.Context, in *cli.Input, out *manifest.Writer) error {
				if in != nil {
					t.Error("there is an input")
				}
				return out.Write(manifest.Header{Format: manifest.Format, ID: j.Env().NewID(), Tool: j.Tool, Created: manifest.At(j.Env().Now())})
			})
		}}
	})
	if _, err := manifest.Verify(&p.Stdout, manifest.ReadOptions{}); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}

// A stream cannot be read twice, and says so.
func TestAgainOfStream(t *testing.T) {
	p := clitest.New(t, "omt-x")
	p.Stdin = manifestOf(t, 1)
	status := p.Run(context.Background(), stage(func(_ context.Context, in *cli.Input, _ *manifest.Writer) error {
		if in.File() || in.Summary != nil {
			t.Error("a stream passes for a file")
		}
		_, err := in.Again()
		return err
	}))
	if status != 1 || p.Stderr.String() != "omt-x: reading standard input a second time: it is a stream\n" {
		t.Errorf("status %d, %q", status, p.Stderr.String())
	}
}
