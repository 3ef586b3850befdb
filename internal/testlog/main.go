// Command testlog reads what go test -json writes, and prints what a person wants of it: every package as it ends, all
// that a failed test or build has said, and at the end the tests that were skipped, each reason once, and those that took
// longest. It ends with 1 where anything failed, where a line
// comes that go test -json did not write, or where nothing was tested at all.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	ok, err := tell(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testlog:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// slowest is how many tests are named for the time they took.
const slowest = 15

// event is a line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// log is what is known so far. The output of a test is kept until it is known how it ended.
type log struct {
	w       io.Writer
	said    map[[2]string][]string
	skipped map[string][]string // tests by reason
	tests   []event
	passed  int
	failed  []string
}

// tell prints the events of r and says whether all went well.
func tell(r io.Reader, w io.Writer) (ok bool, err error) {
	l := log{w: w, said: map[[2]string][]string{}, skipped: map[string][]string{}}
	for in := bufio.NewReader(r); ; {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(w, "%s", line) // something else went wrong, or the shell says that go test did not end well
				l.failed = append(l.failed, strings.TrimSpace(string(line)))
			} else if err := l.take(e); err != nil {
				return false, err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	l.end()
	return len(l.failed) == 0 && l.passed > 0, nil
}

// take goes on by one event.
func (l *log) take(e event) error {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "output":
		l.said[key] = append(l.said[key], e.Output)
		return nil
	case "build-output":
		_, err := io.WriteString(l.w, e.Output)
		return err
	case "pass", "fail", "skip":
	default:
		return nil
	}
	if e.Test != "" {
		l.test(e, l.said[key])
		delete(l.said, key)
		return nil
	}
	for k, lines := range l.said {
		// Of a test that has not ended, such as one in which the process died, all is told.
		if k[0] == e.Package && k != key && e.Action == "fail" {
			l.print(lines)
		}
		if k[0] == e.Package && k != key {
			delete(l.said, k)
		}
	}
	l.print(l.said[key])
	delete(l.said, key)
	if e.Action == "fail" {
		l.failed = append(l.failed, short(e.Package))
	}
	return nil
}

// test notes how a test has ended.
func (l *log) test(e event, lines []string) {
	switch e.Action {
	case "pass":
		l.passed++
	case "fail":
		l.failed = append(l.failed, short(e.Package)+" "+e.Test)
		l.print(lines)
	case "skip":
		why := reason(lines)
		l.skipped[why] = append(l.skipped[why], short(e.Package)+" "+e.Test)
	}
	if !strings.Contains(e.Test, "/") {
		l.tests = append(l.tests, e)
	}
}

// print leaves out what says nothing: packages without tests, and the frame of tests that passed.
func (l *log) print(lines []string) {
	for _, s := range lines {
		if s != "PASS\n" && !strings.HasPrefix(s, "=== ") && !strings.Contains(s, "[no test files]") {
			fmt.Fprint(l.w, s)
		}
	}
}

var where = regexp.MustCompile(`^\s*\S+\.go:\d+: `)

// reason is what a skipped test has said last, without where.
func reason(lines []string) string {
	why := "it does not say why"
	for _, s := range lines {
		if where.MatchString(s) {
			why = strings.TrimSpace(where.ReplaceAllString(s, ""))
		}
	}
	return why
}

// short is a package's path within the module.
func short(pkg string) string {
	if _, rest, ok := strings.Cut(pkg, "/omt/"); ok {
		return rest
	}
	return pkg
}

// end tells what was skipped and what took long.
func (l *log) end() {
	slices.SortStableFunc(l.tests, func(a, b event) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	fmt.Fprintf(l.w, "\nslowest:")
	for _, e := range l.tests[:min(slowest, len(l.tests))] {
		fmt.Fprintf(l.w, "\n%8s  %s %s", time.Duration(e.Elapsed*float64(time.Second)).Round(100*time.Millisecond), short(e.Package), e.Test)
	}
	n := 0
	var reasons []string
	for why, tests := range l.skipped {
		n += len(tests)
		reasons = append(reasons, why)
	}
	slices.Sort(reasons)
	fmt.Fprintf(l.w, "\n\n%d tests passed", l.passed)
	if len(l.failed) > 0 {
		fmt.Fprintf(l.w, "; failed: %s", strings.Join(l.failed, ", "))
	}
	fmt.Fprintf(l.w, "; %d skipped", n)
	for i, why := range reasons {
		if i == 0 {
			fmt.Fprint(l.w, ":")
		}
		fmt.Fprintf(l.w, "\n  %s: %s", why, strings.Join(l.skipped[why], ", "))
	}
	fmt.Fprintln(l.w)
}
