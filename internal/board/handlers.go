package board

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"

	"github.com/openomt/omt/internal/manifest"
)

// files are the page.
//
//go:embed page
var files embed.FS

// maxBody bounds what a page sends: a change for each of 100,000 users fits.
const maxBody = 16 << 20

// handler is the page and what it asks for.
func (d *desk) handler() (http.Handler, error) {
	page, err := fs.Sub(files, "page")
	if err != nil {
		return nil, err
	}
	m := http.NewServeMux()
	m.Handle("GET /", http.FileServerFS(page))
	m.HandleFunc("GET /api/state", func(w http.ResponseWriter, _ *http.Request) { answer(w, d.view(), nil) })
	m.HandleFunc("GET /api/events", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		first := event{Revision: d.s.revision}
		d.mu.Unlock()
		d.hub.serve(w, r, first)
	})
	m.HandleFunc("GET /api/removals", func(w http.ResponseWriter, r *http.Request) {
		list, err := d.removals(r.Context())
		answer(w, list, err)
	})
	m.HandleFunc("POST /api/edit", ask(func(_ *http.Request, q struct {
		Revision int  `json:"revision"`
		Edit     Edit `json:"edit"`
	}) (any, error) {
		return d.step(q.Revision, "edit", &q.Edit)
	}))
	for _, do := range [...]string{"undo", "redo"} {
		m.HandleFunc("POST /api/"+do, ask(func(_ *http.Request, q struct {
			Revision int `json:"revision"`
		}) (any, error) {
			return d.step(q.Revision, do, nil)
		}))
	}
	m.HandleFunc("POST /api/try", ask(func(_ *http.Request, q trial) (any, error) { return d.try(q) }))
	m.HandleFunc("POST /api/draft", ask(func(_ *http.Request, q struct {
		Take bool `json:"take"`
	}) (any, error) {
		return struct{}{}, d.take(q.Take)
	}))
	m.HandleFunc("POST /api/ok", ask(func(r *http.Request, q struct {
		Revision int `json:"revision"`
	}) (any, error) {
		blocks, err := d.ok(r.Context(), q.Revision)
		return map[string][]string{"blocks": blocks}, err
	}))
	m.HandleFunc("POST /api/cancel", ask(func(_ *http.Request, q struct {
		Keep bool `json:"keep"`
	}) (any, error) {
		return struct{}{}, d.cancel(q.Keep)
	}))
	return m, nil
}

// ask makes a handler of a function from a question to an answer.
func ask[Q any](fn func(r *http.Request, q Q) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		body.DisallowUnknownFields()
		if err := body.Decode(&q); err != nil {
			refuse(w, http.StatusBadRequest, "the request cannot be read: "+err.Error())
			return
		}
		a, err := fn(r, q)
		answer(w, a, err)
	}
}

// answer writes what a handler gave.
func answer(w http.ResponseWriter, a any, err error) {
	switch {
	case err == nil:
	case errors.Is(err, errOld), errors.Is(err, errOffered):
		refuse(w, http.StatusConflict, err.Error())
		return
	case errors.Is(err, errEnded):
		refuse(w, http.StatusGone, err.Error())
		return
	default:
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	b, err := json.Marshal(a)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	_, _ = w.Write(b) // a page that is gone asks again
}

// trial asks what names would give: those of a pattern for some users, or given ones.
type trial struct {
	Pattern string   `json:"pattern"`
	IDs     []int64  `json:"ids"`
	Changes []Change `json:"changes"`
}

// tried is a name with what would be wrong with it.
type tried struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Mark     string `json:"mark"`
}

// try answers a trial.
func (d *desk) try(q trial) ([]tried, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []tried{}
	if q.Pattern != "" {
		q.Changes = nil
		for _, id := range q.IDs {
			i, there := d.s.at[id]
			if !there {
				return nil, manifest.Errorf(manifest.Failed, "no user has the id %d", id)
			}
			name, err := expand(q.Pattern, d.s.in.Users[i])
			if err != nil {
				return nil, err
			}
			if name == "" {
				out = append(out, tried{ID: id, Mark: "lacks a part that the pattern asks for; left as it is"})
				continue
			}
			q.Changes = append(q.Changes, Change{ID: id, Username: name})
		}
	}
	_, marks, err := d.s.try(q.Changes)
	if err != nil {
		return nil, err
	}
	for _, c := range q.Changes {
		out = append(out, tried{ID: c.ID, Username: c.Username, Mark: marks.Names[c.ID]})
	}
	return out, nil
}
