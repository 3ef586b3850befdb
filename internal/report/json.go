package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// Lost is an entry of the list of what did not make it, in the JSON form.
type Lost struct {
	Area       manifest.Area  `json:"area"`
	ID         int64          `json:"id,omitempty"`
	Title      string         `json:"title"`
	Owner      string         `json:"owner"`
	Path       string         `json:"path"`
	State      manifest.State `json:"state"`
	Reason     string         `json:"reason,omitempty"`
	Why        string         `json:"why"`
	Candidates []string       `json:"candidates"`
}

func lostOf(f manifest.File) Lost {
	l := Lost{f.Area, f.ID, f.Title, f.Owner, f.Path, f.State, f.Reason, why(f), f.Candidates}
	if l.Candidates == nil {
		l.Candidates = []string{}
	}
	return l
}

// WriteJSON writes the report as one object, the list of what did not make it last, an entry a line.
func (r *Report) WriteJSON(w io.Writer) error {
	head, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	head = bytes.TrimSuffix(head, []byte("\n}"))
	if _, err := w.Write(head); err != nil {
		return err
	}
	if _, err := io.WriteString(w, ",\n  \"missing_list\": "); err != nil {
		return err
	}
	if err := r.writeLost(w, "  "); err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n}\n")
	return err
}

// WriteMissingJSON writes the list of what did not make it as an array, an entry a line.
func (r *Report) WriteMissingJSON(w io.Writer) error {
	err := r.writeLost(w, "")
	if err == nil {
		_, err = io.WriteString(w, "\n")
	}
	return err
}

// WriteUsersJSON writes the users as an array.
func (r *Report) WriteUsersJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r.Accounts.List)
}

func (r *Report) writeLost(w io.Writer, indent string) error {
	if _, err := io.WriteString(w, "["); err != nil {
		return err
	}
	between := "\n"
	err := r.lost.each(func(f manifest.File) error {
		b, err := json.Marshal(lostOf(f))
		if err == nil {
			_, err = io.WriteString(w, between+indent+"  "+string(b))
		}
		between = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	end := "]"
	if r.Missing > 0 {
		end = "\n" + indent + "]"
	}
	_, err = io.WriteString(w, end)
	return err
}
