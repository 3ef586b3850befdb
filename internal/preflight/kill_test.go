package preflight

import (
	"context"
	"fmt"
	"os"
	"time"
)

// runHost is the process that the tests kill: it opens a folder, begins a check, says which processes there are, and waits.
func runHost(dir string) {
	h, err := Open(context.Background(), Options{Dir: dir, Tool: "omt-test 1", Now: time.Now})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	if _, err := h.Begin(context.Background()); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for _, r := range h.running {
		fmt.Println(r.proc.ID())
	}
	fmt.Println("ready")
	select {}
}
