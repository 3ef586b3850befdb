package sample

import (
	"path"
	"strings"
	"time"
)

// oddPeople are the users and addresses that a migrator must settle, and associates whose rows dangle.
func (w *world) oddPeople() {
	// Two users whose first address is the same but for letter case: HH gets his second one in users.csv.
	w.add(person{contact: 1, first: "Harald", last: "Hald", position: 1, mails: []mail{{"Office@docklock.example", 1, 0}, {"harald@docklock.example", 2, 0}}},
		associate{login: "HH", group: 1, role: 2, plan: "ten-sales", tenantPlan: "SalesPREM", username: "harald@docklock.example"})
	w.add(person{contact: 1, first: "Hulda", last: "Huser", position: 1, mails: []mail{{"office@docklock.example", 1, 0}}},
		associate{login: "HUH", group: 1, role: 2, plan: "ten-sales", tenantPlan: "SalesPREM", username: "office@docklock.example"})
	// No e-mail at all, only a chat name: users.csv types one.
	w.add(person{contact: 1, first: "Jon", last: "Dahl", mails: []mail{{"jon_d", 1, 1}}},
		associate{login: "JD", group: 2, role: 3, plan: "ten-service", tenantPlan: "ServicePREM", username: "jon.dahl@docklock.example"})
	// An address that is none, with a good one after it, and one of blanks.
	w.add(person{contact: 1, first: "Ingrid", last: "Inge", mails: []mail{{"ingrid at docklock", 1, 0}, {"  ", 2, 0}, {"ingrid@docklock.example ", 3, 0}}},
		associate{login: "II", group: 2, role: 3, plan: "ten-sales", tenantPlan: "SalesPREM", username: "ingrid@docklock.example"})
	// Renamed: the row says GKS, the archive's folder still GS. His address stands on a customer's card too.
	w.add(person{contact: 1, first: "Gunn K.", last: "Schpaa", position: 2, mails: []mail{{"gks@docklock.example", 1, 0}}},
		associate{login: "GKS", folder: "GS", group: 1, role: 2, plan: "ten-sales", confidential: true, tenantPlan: "SalesPREM", username: "gks@docklock.example"})
	w.addPerson(person{contact: 3, first: "Gunn", last: "Schpaa", mails: []mail{{"GKS@docklock.example", 1, 0}}})
	// An associate whose person is not there.
	a := w.addAssociate(associate{login: "LI", group: 3, role: 4, plan: "ten-marketing", tenantPlan: "-"})
	a.person = 9_999_999
	// A second associate for BOB's person; he needs no second plan.
	if len(w.associates) > 1 {
		w.addAssociate(associate{login: "BOBADM", person: w.associates[min(1, w.o.Users-1)].person, group: 1, role: 1, plan: "ten-sales", tenantPlan: "-"})
	}
	// An employee who has no licence any more but is not retired, with a name of two words and one that Windows dislikes.
	w.add(person{contact: 1, first: "Nina", last: "Null", mails: []mail{{"nina@docklock.example", 1, 0}}}, associate{login: "NINA N", group: 2, role: 3, tenantPlan: "-"})
}

// oddDocuments are documents and files that a plain migration would lose or mix up. Their ids come after the others'.
func (w *world) oddDocuments() {
	bob := w.writers[min(1, len(w.writers)-1)]
	day := func(y int, m time.Month, d, h, min int) time.Time { return time.Date(y, m, d, h, min, 0, 0, time.UTC) }
	add := func(d doc) {
		d.file.mtime = d.registered.Add(time.Hour)
		if d.file.path != "" {
			d.file.seed = uint64(2_000_000_000 + len(w.odd))
			switch {
			case d.file.size == 0:
				d.file.size = 3000 + len(w.odd)
			case d.file.size < 0: // an empty file
				d.file.size = 0
			}
			d.file.ext = strings.TrimPrefix(path.Ext(d.file.path), ".")
		}
		w.odd = append(w.odd, d)
	}
	plain := func(name string, at time.Time) doc {
		return doc{name: name, header: strings.TrimSuffix(name, path.Ext(name)), author: bob.id, login: bob.login, registered: at,
			file: file{area: w.archiveOf(bob), path: path.Join(bob.dir(), period(at), name)}}
	}
	in := func(d doc, change func(*doc)) doc { change(&d); return d }
	at := day(2011, time.March, 3, 9, 0)

	// Both sides of a period boundary; the server's zone decided, and the row is in UTC.
	add(plain("31 July in the evening.docx", day(2012, time.July, 31, 23, 30)))
	add(in(plain("31 July, filed on 1 August.docx", day(2013, time.July, 31, 22, 30)), func(d *doc) { d.file.path = path.Join(bob.dir(), "2013.2", d.name) }))
	add(in(plain("New Year.pdf", day(2014, time.December, 31, 23, 15)), func(d *doc) { d.file.path = path.Join(bob.dir(), "2015.1", d.name) }))
	// Two rows of one file.
	add(plain("shared by two rows.docx", at))
	add(in(plain("shared by two rows.docx", at), func(d *doc) { d.file = file{} }))
	// Long names, and names with everything that names have.
	add(plain(strings.Repeat("a very long name ", 11)+"200 chars.docx", at))
	add(plain("it's & it’s (2) [1] #%.txt", at))
	// The archive writes the name in other letter case, with a dot at the end, and with a decomposed ø or å.
	if !w.o.Clean {
		add(in(plain("Upper And Lower.DOCX", at), func(d *doc) { d.file.path = path.Join(bob.dir(), period(at), "upper and lower.docx") }))
		add(in(plain("Årsrapport.pdf", at), func(d *doc) { d.file.path = path.Join(bob.dir(), period(at), "A\u030arsrapport.pdf") }))
		add(in(plain("Dot at the end.", at), func(d *doc) { d.file.path = path.Join(bob.dir(), period(at), "Dot at the end") }))
		// An empty file.
		add(in(plain("empty.txt", at), func(d *doc) { d.file.size = -1 }))
		// Content that is held elsewhere, and a row without a name.
		add(in(plain("in SharePoint.docx", at), func(d *doc) { d.provider, d.file = 5, file{} }))
		add(in(plain("", at), func(d *doc) { d.header, d.file = "never saved", file{} }))
		// The file is missing; it lies in another user's folder.
		add(in(plain("moved to another folder.docx", at), func(d *doc) { d.file.path = "OLA/2009.1/moved to another folder.docx" }))
		add(in(plain("deleted by hand.xlsx", at), func(d *doc) { d.file = file{} }))
		// No appointment; an appointment of nobody; an author who is nobody; a name that leaves the archive.
		add(in(plain("no appointment.docx", at), func(d *doc) { d.noAppt = true }))
		add(in(plain("appointment of nobody.docx", at), func(d *doc) { d.apptAssoc = 4_000_000 }))
		add(in(plain("author is nobody.docx", at), func(d *doc) { d.author, d.login = 4_000_001, "" }))
		add(in(plain(`..\..\outside.docx`, at), func(d *doc) { d.file = file{} }))
		// A path that is too long for many programs, and a file that is too large for the tenant.
		add(in(plain(strings.Repeat("an even longer name ", 11)+"for programs of Windows.docx", at), func(d *doc) { d.header = "A long name" }))
		add(in(plain("Scanned archive.tif", at), func(d *doc) { d.file.size = largeFile }))
		// Never registered: 1760.
		add(in(plain("no date.docx", notSet), func(d *doc) { d.file = file{} }))
	}
}

// oddFiles are files that no row names.
func (w *world) oddFiles() []file {
	bob := w.writers[min(1, len(w.writers)-1)]
	at := time.Date(2011, time.March, 3, 9, 0, 0, 0, time.UTC)
	var list []file
	add := func(area, name string, size int) {
		list = append(list, file{area: area, path: name, size: size, ext: strings.TrimPrefix(path.Ext(name), "."),
			seed: uint64(3_000_000_000 + len(list)), mtime: at.Add(time.Duration(len(list)) * time.Minute)})
	}
	// Signatures; they are in every sample, so that neither root is empty.
	add("so_arc", bob.dir()+"/mail.htm", 700)
	add("so_arc2", w.writers[0].dir()+"/mail.htm", 650)
	add("so_arc/Template", "Export.sxf", 900)
	if w.o.Clean {
		return list
	}
	// A user's own file, and one of a folder that nobody owns.
	add("so_arc", bob.dir()+"/2011.1/no row names me.docx", 2000)
	add("so_arc", "Felles/2010.2/left by a former system.pdf", 2000)
	// The second root has a file of a path that the first has too.
	add("so_arc", bob.dir()+"/2011.1/in both roots.docx", 2100)
	add("so_arc2", bob.dir()+"/2011.1/in both roots.docx", 2200)
	// Temporary files and system folders, which never move.
	add("so_arc", bob.dir()+"/2011.1/~$lock.docx", 162)
	add("so_arc", bob.dir()+"/Thumbs.db", 500)
	add("so_arc", "S1/00000001.UP", 4000)
	add("so_arc", "Data/so_log.txt", 4000)
	add("so_arc/Template", "Travel/AREA0.DB", 6000)
	return list
}
