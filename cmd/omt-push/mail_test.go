package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// mailserver starts a mail server without encryption whose address is in SMTP, and which puts what it gets into files
// named 1, 2, …: mailserver DIR.
func mailserver(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(dir, 0o755))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("SMTP", "smtp://"+l.Addr().String())
	var all sync.WaitGroup
	all.Go(func() {
		for n := 1; ; {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for letter := range letters(c) {
				_ = os.WriteFile(filepath.Join(dir, strconv.Itoa(n)), []byte(letter), 0o644)
				n++
			}
			c.Close()
		}
	})
	ts.Defer(func() {
		l.Close()
		all.Wait()
	})
}

// letters speaks with one client and yields what it sends.
func letters(c net.Conn) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		r := bufio.NewReader(c)
		say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
		say("220 hello")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(verb) {
			case "DATA":
				say("354 go on")
				var b strings.Builder
				for line, err = r.ReadString('\n'); err == nil && line != ".\r\n"; line, err = r.ReadString('\n') {
					b.WriteString(strings.ReplaceAll(line, "\r", ""))
				}
				if !yield(b.String()) {
					return
				}
				say("250 accepted")
			case "QUIT":
				say("221 bye")
				return
			default:
				say("250 fine")
			}
		}
	}
}
