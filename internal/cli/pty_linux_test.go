package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/openomt/omt/internal/progress"
)

// pty makes a terminal: what a person sees and types is read from and written to master.
func pty(t *testing.T, columns uint16) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close(); master.Close() })
	return master, slave
}

func TestConsoleAsks(t *testing.T) {
	master, slave := pty(t, 80)
	c := newConsole(slave, slave)
	seen := bufio.NewReader(master)
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		text, err := c.Ask(ctx, "name: ")
		answers <- answer{text, err}
		text, err = c.AskHidden(ctx, "password: ")
		answers <- answer{text, err}
		text, err = c.AskHidden(ctx, "again: ")
		answers <- answer{text, err}
	}()
	read := func(until string) string {
		var b strings.Builder
		for !strings.HasSuffix(b.String(), until) {
			r, err := seen.ReadByte()
			if err != nil {
				t.Fatalf("%q: %v", b.String(), err)
			}
			b.WriteByte(r)
		}
		return b.String()
	}
	read("name: ")
	fmt.Fprint(master, "Karl Ø\n")
	if a := <-answers; a.text != "Karl Ø" || a.err != nil {
		t.Errorf("%+v", a)
	}
	read("password: ")
	hideEcho(t, slave)
	fmt.Fprint(master, "hunter22\n")
	if a := <-answers; a.text != "hunter22" || a.err != nil {
		t.Errorf("%+v", a)
	}
	if shown := read("again: "); strings.Contains(shown, "hunter") {
		t.Errorf("the password was shown: %q", shown)
	}
	hideEcho(t, slave)
	cancel()
	if a := <-answers; !errors.Is(a.err, context.Canceled) {
		t.Errorf("%+v", a)
	}
	if echoes(t, slave) == 0 {
		t.Error("what is typed stays hidden after an interrupt")
	}
	if _, err := c.Ask(ctx, "no more: "); !errors.Is(err, context.Canceled) {
		t.Errorf("asked after the interrupt: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func echoes(t *testing.T, f *os.File) uint32 {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Lflag & unix.ECHO
}

// hideEcho waits until the terminal shows nothing of what is typed.
func hideEcho(t *testing.T, f *os.File) {
	t.Helper()
	for range 1000 {
		if echoes(t, f) == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("what is typed is shown")
}

func TestConsoleNeedsTerminal(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	c := newConsole(f, f)
	defer c.Close()
	if _, err := c.AskHidden(context.Background(), "password: "); err == nil || !strings.HasPrefix(err.Error(), "hiding what is typed: ") {
		t.Errorf("%v", err)
	}
	if isTerminal(f) || isTerminal(&bytes.Buffer{}) || isTerminal(nil) {
		t.Error("not a terminal passes for one")
	}
	_, slave := pty(t, 80)
	if !isTerminal(slave) || !term.IsTerminal(int(slave.Fd())) {
		t.Error("a terminal does not pass for one")
	}
}

// Bars on real terminals of any width: nothing breaks, no line is wider than the terminal, and lines stay whole.
func TestBarsOnTerminal(t *testing.T) {
	for _, columns := range []uint16{0, 1, 7, 40, 200} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			master, slave := pty(t, columns)
			shown := make(chan string)
			go func() {
				b, _ := io.ReadAll(master) // ends with an error when the slave is closed
				shown <- string(b)
			}()
			env := &Env{Name: "omt-x", Now: time.Now, Stderr: slave, Stdout: io.Discard, IsTerminal: isTerminal, Getenv: func(string) string { return "" }}
			env.prepare()
			m := newMeters(env, bars, slog.New(slog.DiscardHandler))
			a, b := m.Meter("document", 1000, progress.Items), m.Meter("checking input", 0, progress.Bytes)
			for range 100 {
				a.Add(10)
				b.Add(1000)
				time.Sleep(4 * time.Millisecond)
			}
			env.tell("a line")
			a.Done()
			m.stop()
			env.tell("the end")
			slave.Close()
			got := <-shown
			if !strings.Contains(got, "omt-x: a line\r\n") || !strings.HasSuffix(got, "omt-x: the end\r\n") {
				t.Errorf("shown %q", got)
			}
			if columns >= 40 && !strings.Contains(got, "Documents") || columns == 200 && !strings.Contains(got, "1,000 items in ") {
				t.Errorf("no bars: %q", got)
			}
			left := onScreen(got)
			for _, line := range left {
				if n := len([]rune(line)); columns > 0 && n > int(columns) && !strings.HasPrefix(line, "omt-x") {
					t.Errorf("line of %d columns: %q", n, line)
				}
			}
			want := 4 // two bars, two lines
			if columns == 0 {
				want = len(left)
			}
			if len(left) != want || count(left, "omt-x: a line") != 1 || columns == 200 && (count(left, "Documents") != 1 || count(left, "checking input") != 1) {
				t.Errorf("left on the screen: %q", left)
			}
		})
	}
}

// onScreen plays what was written on a terminal that knows "so many lines up, and clear from here": the lines it shows.
func onScreen(written string) []string {
	var lines []string
	up := regexp.MustCompile(`^\x1b\[(\d+)A\x1b\[J`)
	for line := range strings.Lines(written) {
		for {
			m := up.FindStringSubmatch(line)
			if m == nil {
				break
			}
			n, _ := strconv.Atoi(m[1])
			lines = lines[:max(0, len(lines)-n)]
			line = line[len(m[0]):]
		}
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	return lines
}

func count(lines []string, part string) (n int) {
	for _, line := range lines {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}
