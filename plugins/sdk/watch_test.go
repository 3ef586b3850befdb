package sdk

import (
	"testing"
	"time"

	"google.golang.org/grpc/stats"
)

func TestWatch(t *testing.T) {
	const soon, never = 10 * time.Millisecond, time.Hour
	begin, end := &stats.ConnBegin{}, &stats.ConnEnd{}
	for name, c := range map[string]struct {
		first, next time.Duration
		events      []stats.ConnStats
		ends        bool
	}{
		"nobody came":               {soon, never, nil, true},
		"somebody came":             {soon, soon, []stats.ConnStats{begin}, false},
		"and went":                  {never, soon, []stats.ConnStats{begin, end}, true},
		"one of two went":           {never, soon, []stats.ConnStats{begin, begin, end}, false},
		"both went":                 {never, soon, []stats.ConnStats{begin, begin, end, end}, true},
		"came back":                 {never, soon, []stats.ConnStats{begin, end, begin}, false},
		"went, with time to return": {never, never, []stats.ConnStats{begin, end}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			w := newWatch(c.first, c.next, func() { close(ended) })
			defer w.timer.Stop()
			for _, e := range c.events {
				w.HandleConn(t.Context(), e)
			}
			wait := 20 * soon
			if c.ends {
				wait = patience
			}
			select {
			case <-ended:
				if !c.ends {
					t.Error("it ended")
				}
			case <-time.After(wait):
				if c.ends {
					t.Error("it did not end")
				}
			}
		})
	}
}
