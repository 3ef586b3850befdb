//go:build !windows

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

// script makes a rule that runs a script of sh.
func script(t *testing.T, text, more string) (sdk.Rule, string) {
	t.Helper()
	dir := folder(t, map[string]string{"check.sh": text, "x.rule.json": `{"title":"t","reads":["user","file"],"run":["sh","check.sh"]` + more + `}`})
	return one(t, dir), dir
}

func python(t *testing.T, text string) sdk.Rule {
	t.Helper()
	return one(t, folder(t, map[string]string{"check.py": text, "x.rule.json": `{"title":"t","reads":["user"],"run":["python3","check.py"]}`}))
}

var bo = &sdk.User{ID: 7, Login: "bo", Name: "Bø \U0001F600 <&>", Emails: []string{"bo@example.com"}}

// What a program is given is what the manifest has: kind first, ASCII, no escapes that are not needed.
func TestInput(t *testing.T) {
	r, dir := script(t, "cat > got.txt; pwd > where.txt", "")
	ruletest.Run(t, r, bo, &sdk.File{Area: "document", Path: "x\u007f", MTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), State: "present"})
	got, err := os.ReadFile(filepath.Join(dir, "got.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(got), "\n")
	check(t, "input", lines[0], `{"kind":"user","id":7,"login":"bo","name":"B\u00f8 \ud83d\ude00 <&>","company":"","group":"","role":"","position":"",`+
		`"admin":false,"confidential":false,"emails":["bo@example.com"],"onsite":""}`)
	if len(lines) != 3 || lines[2] != "" || !strings.HasPrefix(lines[1], `{"kind":"file","area":"document","path":"x\u007f","root":0,`) {
		t.Errorf("the rest is %q", lines[1:])
	}
	var f map[string]any
	if err := json.Unmarshal([]byte(lines[1]), &f); err != nil || f["mtime"] != "2026-01-02T03:04:05Z" || f["path"] != "x\u007f" {
		t.Errorf("the file reads %v, %v", f, err)
	}
	where, err := os.ReadFile(filepath.Join(dir, "where.txt"))
	if err != nil || strings.TrimSpace(string(where)) != dir {
		t.Errorf("it works in %q, want %q (%v)", where, dir, err)
	}
}

func TestRecordLine(t *testing.T) {
	line, err := recordLine(&sdk.Fact{Name: "a", ID: "1", Data: map[string]any{"x": "æ", "n": int64(1) << 52, "b": true}})
	if err != nil || string(line) != `{"kind":"fact","name":"a","id":"1","data":{"b":true,"n":4503599627370496,"x":"\u00e6"}}`+"\n" {
		t.Errorf("%s, %v", line, err)
	}
	if line, err = recordLine(empty{}); err != nil || string(line) != `{"kind":"empty"}`+"\n" {
		t.Errorf("%s, %v", line, err)
	}
}

type empty struct{}

func (empty) Kind() string { return "empty" }

func TestPrograms(t *testing.T) {
	got := ruletest.Run(t, python(t, `import sys, json
for line in sys.stdin:
    u = json.loads(line)
    print(json.dumps({"subjects": ["user:%d" % u["id"]], "message": u["name"], "severity": "info"}))`), bo)
	check(t, "python", found(got), "info user:7: Bø \U0001F600 <&>\n")

	// As Windows PowerShell writes: UTF-16 with a byte order mark, or bytes of a code page.
	got = ruletest.Run(t, python(t, `import sys
sys.stdout.buffer.write("\ufeff{\"message\":\"blå\"}\r\n".encode("utf-16-le"))`), bo)
	check(t, "UTF-16", found(got), "warning : blå\n")
	says(t, "a code page", ruletest.RunError(t, python(t, `import sys
sys.stdout.buffer.write("{\"message\":\"bl\u00e5\"}\r\n".encode("cp850"))`), bo), `"python3 check.py": line 1 of its output: it is not UTF-8`)

	for text, want := range map[string]string{
		`echo "not a number" >&2; exit 3`: `"sh check.sh" ended with exit status 3: not a number`,
		`exit 1`:                          `ended with exit status 1, and said nothing`,
		`kill -9 $$`:                      `ended with signal: killed`,
		`echo '{"message":"m"}'; echo looking; cat`:   `line 2 of its output: "looking" is no finding`,
		`echo looking; sleep 600`:                     `line 1 of its output: "looking" is no finding`,
		`sleep 600 & echo '{"message":"m"}'`:          "another program that it started holds its output open",
		`printf '{"message":"cut'`:                    "line 1 of its output",
		`echo '{"message":"m"}'; echo bad >&2; false`: "ended with exit status 1: bad",
	} {
		r, _ := script(t, text, "")
		begin := time.Now()
		says(t, text, ruletest.RunError(t, r, bo), want)
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("%s took %v", text, took)
		}
	}
}

// A program that has seen enough may leave its input, however much is to come.
func TestInputIsNotRead(t *testing.T) {
	many := make([]sdk.Record, 50_000)
	for i := range many {
		many[i] = bo
	}
	for _, text := range []string{`echo '{"message":"m"}'`, `head -c 10 > /dev/null; echo '{"message":"m"}'`, `exec <&-; sleep 0.2; echo '{"message":"m"}'`} {
		r, _ := script(t, text, "")
		check(t, text, found(ruletest.Run(t, r, many...)), "warning : m\n")
	}
	r, dir := script(t, "wc -l > lines", "")
	ruletest.Run(t, r, many...)
	if n, err := os.ReadFile(filepath.Join(dir, "lines")); err != nil || strings.TrimSpace(string(n)) != "50000" {
		t.Errorf("%q lines, %v", n, err)
	}
}

// alive reports whether a process runs; one that nobody has waited for yet does not.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// pids waits for a file of process ids.
func pids(t *testing.T, path string, n int) []int {
	t.Helper()
	for range 1200 {
		b, _ := os.ReadFile(path)
		if all := strings.Fields(string(b)); len(all) == n {
			out := make([]int, n)
			for i, s := range all {
				out[i], _ = strconv.Atoi(s)
			}
			return out
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %d process ids in %s", n, path)
	return nil
}

func gone(t *testing.T, what string, all []int) {
	t.Helper()
	for range 1200 {
		left := 0
		for _, pid := range all {
			if alive(t, pid) {
				left++
			}
		}
		if left == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s: of %v some still run", what, all)
}

// A program whose time is over is ended with what it started, whether it does not read or does not end.
func TestTimeout(t *testing.T) {
	many := make([]sdk.Record, 20_000)
	for i := range many {
		many[i] = bo
	}
	for what, text := range map[string]string{
		"does not end":  `sleep 600 & echo $$ $! > pids; cat > /dev/null; wait`,
		"does not read": `sleep 600 & echo $$ $! > pids; wait`,
		"hides":         `trap '' TERM INT; (trap '' TERM; sleep 600) & echo $$ $! > pids; while :; do sleep 1; done`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r, dir := script(t, text, `,"timeout":"3s"`)
			begin := time.Now()
			says(t, what, ruletest.RunError(t, r, many...), `"sh check.sh" kept its reader waiting for more than 3s`)
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("it took %v", took)
			}
			gone(t, what, pids(t, filepath.Join(dir, "pids"), 2))
		})
	}
}

// Time in which the program waits for records is not its own.
func TestTimeOfTheHost(t *testing.T) {
	t.Parallel()
	r, _ := script(t, `cat > /dev/null; echo '{"message":"m"}'`, `,"timeout":"3s"`)
	n := 0
	err := sdk.Run(t.Context(), r, time.Time{}, "test", func(yield func(sdk.Record) bool) {
		if yield(bo) {
			time.Sleep(4 * time.Second)
			yield(bo)
		}
	}, func(sdk.Finding) { n++ })
	if err != nil || n != 1 {
		t.Errorf("a slow host: %d findings, %v", n, err)
	}
}

// The host's word ends it too.
func TestCancel(t *testing.T) {
	r, dir := script(t, `sleep 600 & echo $$ $! > pids; cat > /dev/null; wait`, "")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- sdk.Run(ctx, r, time.Time{}, "test", func(yield func(sdk.Record) bool) { yield(bo) }, func(sdk.Finding) {})
	}()
	all := pids(t, filepath.Join(dir, "pids"), 2)
	for _, pid := range all {
		if !alive(t, pid) {
			t.Errorf("process %d does not run", pid)
		}
	}
	cancel()
	select {
	case err := <-ended:
		says(t, "cancelled", err, "was ended: context canceled")
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	gone(t, "cancelled", all)
}

// What a program leaves running ends with it.
func TestLeftover(t *testing.T) {
	r, dir := script(t, `sleep 100 > /dev/null 2>&1 < /dev/null & echo $! > pids`, "")
	ruletest.Run(t, r, bo)
	gone(t, "left over", pids(t, filepath.Join(dir, "pids"), 1))
}

func TestWhichProgram(t *testing.T) {
	const found7 = "#!/bin/sh\necho '{\"message\":\"own\"}'\n"
	rule := func(run string) sdk.Rule {
		return one(t, folder(t, map[string]string{"cat": found7, "bin/own": found7, "data": "x", "x.rule.json": `{"title":"t","reads":["user"],"run":["` + run + `"]}`}))
	}
	for _, run := range []string{"cat", "bin/own", `.\\bin\\own`} {
		check(t, run, found(ruletest.Run(t, rule(run), bo)), "warning : own\n")
	}
	check(t, "an absolute path", found(ruletest.Run(t, rule("/bin/true"), bo)), "")
	says(t, "nowhere", ruletest.RunError(t, rule("omt-no-such-program"), bo), `program "omt-no-such-program" is neither in the folder of the rules nor on PATH`)
	says(t, "an absolute path to nothing", ruletest.RunError(t, rule("/bin/omt-no-such-program"), bo), "starting")
	says(t, "no program", ruletest.RunError(t, rule("./data"), bo), `starting "./data"`)
}

// What host and plugin tell each other is not for programs.
func TestEnvironment(t *testing.T) {
	t.Setenv("OMT_RULES_PLUGIN", "our-word-one")
	t.Setenv("PLUGIN_CLIENT_CERT", "our-word-two")
	t.Setenv("OMT_PLUGIN_X", "mine")
	r, dir := script(t, "env > env.txt", "")
	ruletest.Run(t, r, bo)
	b, err := os.ReadFile(filepath.Join(dir, "env.txt"))
	if err != nil {
		t.Fatal(err)
	}
	env := string(b)
	if strings.Contains(env, "our-word") || !strings.Contains(env, "OMT_PLUGIN_X=mine") || !strings.Contains(env, "PATH=") {
		t.Error("the environment holds what it must not, or lacks what it must have")
	}
}
