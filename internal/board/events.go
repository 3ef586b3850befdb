package board

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// event is what pages are told.
type event struct {
	Revision int    `json:"revision"`
	Checked  bool   `json:"checked,omitempty"` // the rules have looked
	Ended    string `json:"ended,omitempty"`   // "ok", "cancelled", "stopped"
}

// hub hands events to everybody who listens. A listener that is slow misses events in between, never the last one.
type hub struct {
	mu    sync.Mutex
	to    map[chan event]bool
	pages int
	moved chan struct{} // pages came or went
}

func newHub() *hub { return &hub{to: map[chan event]bool{}, moved: make(chan struct{}, 1)} }

func (h *hub) send(e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.to {
		select {
		case <-c: // replaced by the newer one
		default:
		}
		c <- e // there is room: sends are made under mu alone
	}
}

// subscribe returns events from now on.
func (h *hub) subscribe() (<-chan event, func()) {
	c := make(chan event, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.to[c] = true
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.to, c)
	}
}

// count notes that a page came or went.
func (h *hub) count(n int) {
	h.mu.Lock()
	h.pages += n
	h.mu.Unlock()
	select {
	case h.moved <- struct{}{}:
	default:
	}
}

func (h *hub) open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pages
}

// watch calls gone when the last page has been away for a while, until ctx ends.
func (h *hub) watch(ctx context.Context, while time.Duration, gone func()) {
	seen := false
	var timer <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.moved:
			switch n := h.open(); {
			case n > 0:
				seen, timer = true, nil
			case seen:
				timer = time.After(while)
			}
		case <-timer:
			timer, seen = nil, false
			gone()
		}
	}
}

// serve streams events to a page until it goes or the board ends.
func (h *hub) serve(w http.ResponseWriter, r *http.Request, first event) {
	c := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	news, stop := h.subscribe()
	defer stop()
	h.count(1)
	defer h.count(-1)
	beat := time.NewTicker(20 * time.Second) // so that a page that is gone is noticed
	defer beat.Stop()
	for e, last := first, false; ; {
		b, err := json.Marshal(e)
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", b); err != nil || c.Flush() != nil || last {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
		case e = <-news:
			last = e.Ended != ""
		}
	}
}
