package sample

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var madeAt = time.Date(2010, 6, 1, 6, 0, 0, 0, time.UTC)

// templates are rows of DocTmpl with the files that are there: below the root, and below folders of languages.
var templates = []struct {
	title, file string
	folders     []string
	odd         bool
}{
	{title: "Brev", file: "Brev.docx", folders: []string{"", "NO", "US"}},
	{title: "Tilbud æøå", file: "Tilbud æøå.docx", folders: []string{""}},
	{title: "E-mail", file: "Mail.eml", folders: []string{"US"}},
	{title: "Template that is gone", file: "Gone.docx", odd: true},
	{title: "Online template", file: "https://files.example/template/7", odd: true},
}

func (w *world) templateRows(add func(values) bool) {
	for i, t := range templates {
		if t.odd && w.o.Clean {
			continue
		}
		add(values{"DocTmpl_id": i + 1, "name": t.title, "rank": i + 1, "filename": t.file, "record_type": 2, "direction": 2})
	}
}

func (w *world) templateFiles() []file {
	var list []file
	for i, t := range templates {
		for k, dir := range t.folders {
			name := t.file
			if dir != "" {
				name = dir + "/" + t.file
			}
			list = append(list, file{area: "so_arc/Template", path: name, size: 15_000 + 100*k, ext: strings.TrimPrefix(filepath.Ext(t.file), "."),
				seed: uint64(4_000_000_000 + i), mtime: madeAt})
		}
	}
	return list
}

func (w *world) configRow(add func(values) bool) {
	add(values{"id": 1, "text_path": `D:\CS\text`, "attachment_path": `D:\CS\attachments`, "template_path": `D:\CS\template`,
		"admin_mail": "admin@docklock.example", "default_mail": "support@docklock.example", "smtp_host": "mail.docklock.example", "smtp_port": 25,
		"language": "no", "version": "8.5.7458", "installed_at": madeAt})
}

// serviceFiles are the program's folder, with its templates and texts below it.
func (w *world) serviceFiles() []file {
	var list []file
	add := func(name string, size int) {
		list = append(list, file{area: "service", path: name, size: size, ext: strings.TrimPrefix(filepath.Ext(name), "."),
			seed: uint64(5_000_000_000 + len(list)), mtime: madeAt.Add(time.Duration(len(list)) * time.Hour)})
	}
	add("crontab.txt", 400)
	add("www/doc/index.html", 2500)
	add("template/customer/front.tmpl", 5200)
	add("template/customer/bilde.jpg", 24_000)
	add("text/emailBackup/2010-06-01.eml", 9100)
	add("text/trashbin/gammel.txt", 300)
	return list
}

// attachmentCount is a tenth of the documents; the first half lies flat in the first location, the rest in sub-folders
// of the second.
func (w *world) attachmentCount() int { return 4 + w.o.Documents/10 }

func (w *world) attachmentID(i int) (id, location int) {
	if half := w.attachmentCount() / 2; i > half {
		return max(9_990, half) + i - half, 2 // across the end of a sub-folder of 10,000
	}
	return i, 1
}

func (w *world) attachmentRows(add func(values) bool) {
	for i := 1; i <= w.attachmentCount(); i++ {
		id, loc := w.attachmentID(i)
		if !add(values{"id": id, "content_type": "application/octet-stream", "name": fmt.Sprintf("vedlegg %d.pdf", id), "att_size": 2000 + i, "attachment_location_id": loc}) {
			return
		}
	}
	if !w.o.Clean {
		add(values{"id": 900_000 + w.attachmentCount(), "content_type": "text/plain", "name": "lost.txt", "att_size": 77, "attachment_location_id": 2})
	}
}

func (w *world) attachmentFiles() iter.Seq[file] {
	return func(yield func(file) bool) {
		for i := 1; i <= w.attachmentCount(); i++ {
			id, loc := w.attachmentID(i)
			f := file{area: "service/attachments", path: fmt.Sprint(id), size: 2000 + i, ext: "pdf", seed: uint64(6_000_000_000 + i), mtime: madeAt}
			if loc == 2 {
				f.area, f.path = "service/attachments2", fmt.Sprintf("%d/%d", (id-1)/10_000, id)
			}
			if !yield(f) {
				return
			}
		}
	}
}

// rawName writes a file whose name is not valid Unicode, where the system's names are bytes.
func (w *world) rawName() error {
	name := filepath.Join(w.o.Dir, "service", "text", "emailBackup", "bl\xe5b\xe6r 100%.eml")
	if err := os.WriteFile(name, Content(w.rand(7, 1), "eml", 1200), 0o644); err != nil {
		return nil //nolint:nilerr // a system whose names are Unicode cannot have this case
	}
	w.made.Files++
	w.made.Bytes += 1200
	return os.Chtimes(name, madeAt, madeAt)
}
