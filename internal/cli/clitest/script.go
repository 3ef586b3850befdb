package clitest

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// WantStatus is a command of test scripts that runs a command and looks at its exit status: status N command args.
func WantStatus(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
