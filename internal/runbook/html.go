package runbook

import (
	"bytes"
	"embed"
	"html/template"
	"io"
	"strings"
	"unicode"
)

//go:embed page.html style.css
var files embed.FS

// page is what the template sees.
type page struct {
	*Runbook
	Style template.CSS
}

// WriteHTML writes the runbook as one page that needs nothing else: no script, no picture, no font.
func (r *Runbook) WriteHTML(w io.Writer) error {
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"shells": shells, "head": (*Runbook).head, "foot": (*Runbook).foot,
		"flag": func(word string) bool { return strings.HasPrefix(word, "--") }, // which is not broken behind its hyphens
		"undo": func(c Command) []lines {
			if c == nil {
				return nil
			}
			return shells([]Command{c})
		},
	}).ParseFS(files, "page.html")
	if err != nil {
		return err
	}
	style, err := files.ReadFile("style.css")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, page{r, template.CSS(style)}); err != nil {
		return err
	}
	_, err = w.Write(bytes.Map(func(r rune) rune {
		if r != '\n' && unseen(r) {
			return unicode.ReplacementChar
		}
		return r
	}, b.Bytes()))
	return err
}
